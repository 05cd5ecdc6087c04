import { concatBytes } from '@huilian/protocol';
import { exchangeLimits } from './exchange-limits.js';

/**
 * A frame: type (1 byte), last flag (1), request id (4, big endian), then a piece of the message. The message of a
 * request is the method's name, a zero byte and the body; of an answer, the body; of an error, canonical JSON
 * {code, details}.
 */
export type FrameType = 'request' | 'answer' | 'error';
const types: readonly FrameType[] = ['request', 'answer', 'error'];
const headBytes = 6;
/** A frame's length has three bytes at most, for it is no more than a mebibyte. */
const lengthBytes = 3;

export interface Frame {
  readonly type: FrameType;
  readonly last: boolean;
  readonly id: number;
  readonly piece: Uint8Array;
}

/** Cuts a message, given in parts, into frames, each behind its length (unsigned varint) as it goes onto the stream. */
export function framesOf(type: FrameType, id: number, ...parts: readonly Uint8Array[]): Uint8Array[] {
  const [message = new Uint8Array(), ...others] = parts;
  const most = exchangeLimits.frameBytes - headBytes;
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (bytes <= most) return [frameOf(type, id, true, parts, bytes)];
  const whole = others.length === 0 ? message : concatBytes(...parts);
  return Array.from({ length: Math.ceil(bytes / most) }, (_, index) => {
    const piece = whole.subarray(index * most, (index + 1) * most);
    return frameOf(type, id, (index + 1) * most >= bytes, [piece], piece.length);
  });
}

function frameOf(type: FrameType, id: number, last: boolean, parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const length = lengthPrefix(headBytes + bytes);
  const frame = new Uint8Array(length.length + headBytes + bytes);
  frame.set(length);
  let at = length.length;
  frame[at] = types.indexOf(type);
  frame[at + 1] = last ? 1 : 0;
  new DataView(frame.buffer).setUint32(at + 2, id);
  at += headBytes;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

function lengthPrefix(value: number): number[] {
  const out: number[] = [];
  let left = value;
  for (; left > 127; left >>>= 7) out.push((left & 127) | 128);
  out.push(left);
  return out;
}

/** A length that is none, or longer than a frame may be. */
class MalformedLength extends Error {}

/** Puts the bytes of a stream, as they come, together to frames. */
export class FrameGatherer {
  private pieces: Uint8Array[] = [];
  private bytes = 0;

  /** The frames that are whole now, without their lengths. @throws MalformedLength */
  public take(piece: Uint8Array): Uint8Array[] {
    this.pieces.push(piece);
    this.bytes += piece.length;
    const frames: Uint8Array[] = [];
    for (;;) {
      const length = this.length();
      if (length === undefined || this.bytes < length.end + length.frame) return frames;
      const held = this.joined();
      frames.push(held.subarray(length.end, length.end + length.frame));
      const rest = held.subarray(length.end + length.frame);
      this.pieces = rest.length === 0 ? [] : [rest];
      this.bytes = rest.length;
    }
  }

  /** Of the next frame, and where it begins; undefined where it has not come yet. */
  private length(): { readonly frame: number; readonly end: number } | undefined {
    let frame = 0;
    for (let at = 0; at < lengthBytes; at += 1) {
      const byte = this.byteAt(at);
      if (byte === undefined) return undefined;
      frame += (byte & 127) << (7 * at);
      if (byte > 127) continue;
      if (frame > exchangeLimits.frameBytes) break;
      return { frame, end: at + 1 };
    }
    throw new MalformedLength();
  }

  /** Lengths lie in the first piece nearly always. */
  private byteAt(at: number): number | undefined {
    const [first] = this.pieces;
    return first !== undefined && at < first.length ? first[at] : this.joined()[at];
  }

  private joined(): Uint8Array {
    const [first = new Uint8Array(), ...others] = this.pieces;
    if (others.length === 0) return first;
    const all = concatBytes(...this.pieces);
    this.pieces = [all];
    return all;
  }
}

/** Reads one frame; undefined for bytes that are none. */
export function readFrame(bytes: Uint8Array): Frame | undefined {
  const type = types[bytes[0] ?? 255];
  const last = bytes[1];
  if (bytes.length < headBytes || type === undefined || (last !== 0 && last !== 1)) return undefined;
  return { type, last: last === 1, id: new DataView(bytes.buffer, bytes.byteOffset).getUint32(2), piece: bytes.subarray(headBytes) };
}
