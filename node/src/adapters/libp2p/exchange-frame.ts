import { concatBytes, ProtocolError } from '@huilian/protocol';
import { exchangeLimits } from './exchange-limits.js';

/**
 * A frame: type (1 byte), last flag (1), request id (4, big endian), then a piece of the message. The message of a
 * request is the method's name, a zero byte and the body; of an answer, the body; of an error, canonical JSON
 * {code, details}.
 */
export type FrameType = 'request' | 'answer' | 'error';
const types: readonly FrameType[] = ['request', 'answer', 'error'];
const headBytes = 6;
/** A frame's length comes before it as a varint: as many bytes as the longest frame needs. */
const lengthBytes = 3;

export interface Frame {
  readonly type: FrameType;
  readonly last: boolean;
  readonly id: number;
  readonly piece: Uint8Array;
}

/** Cuts a message into frames. */
export function framesOf(type: FrameType, id: number, message: Uint8Array): Uint8Array[] {
  const most = exchangeLimits.frameBytes - headBytes;
  const count = Math.max(1, Math.ceil(message.length / most));
  return Array.from({ length: count }, (_, index) => {
    const head = new Uint8Array(headBytes);
    head[0] = types.indexOf(type);
    head[1] = index === count - 1 ? 1 : 0;
    new DataView(head.buffer).setUint32(2, id);
    return concatBytes(head, message.subarray(index * most, (index + 1) * most));
  });
}

/**
 * Reads a frame's length. The library's own reader takes ever more bytes of a length that never ends, and reads them all
 * again with each. @throws RangeError where more bytes are needed, EXCHANGE_FAILED where no more may come
 */
export function readLength(bytes: { readonly byteLength: number; subarray(): Uint8Array }): number {
  let length = 0;
  for (const [at, byte] of bytes.subarray().entries()) {
    length += (byte & 0x7f) * 128 ** at;
    if (byte < 0x80) return length;
  }
  if (bytes.byteLength >= lengthBytes) throw new ProtocolError('EXCHANGE_FAILED', { reason: 'frame-length' });
  throw new RangeError('the length is not whole yet');
}

/** Reads one frame; undefined for bytes that are none. */
export function readFrame(bytes: Uint8Array): Frame | undefined {
  const type = types[bytes[0] ?? 255];
  const last = bytes[1];
  if (bytes.length < headBytes || type === undefined || (last !== 0 && last !== 1)) return undefined;
  return { type, last: last === 1, id: new DataView(bytes.buffer, bytes.byteOffset).getUint32(2), piece: bytes.subarray(headBytes) };
}
