import { brotliDecompressSync, inflateRawSync, inflateSync } from 'node:zlib';
import { tryOutHashes } from './try-out-hashes.js';

/** Where a planted value was found. Names the value by its place in the list and never repeats it. */
export interface Hit {
  readonly channel: string;
  readonly planted: string;
  readonly encoding: string;
}

export interface Planted {
  readonly name: string;
  readonly value: string;
}

interface Needle {
  readonly planted: string;
  readonly encoding: string;
  readonly bytes: Buffer;
}

const mostInflated = 64 * 1024 * 1024;
const shortestNeedle = 5;
/** Openings of gzip, and of zlib at its four levels. */
const compressed: readonly { readonly opening: Buffer; readonly open: (bytes: Buffer) => Buffer }[] = [
  { opening: Buffer.from([0x1f, 0x8b, 0x08]), open: gunzipped },
  ...[0x01, 0x5e, 0x9c, 0xda].map((level) => ({ opening: Buffer.from([0x78, level]), open: (bytes: Buffer) => inflateSync(bytes, { finishFlush: 2, maxOutputLength: mostInflated }) })),
];

/**
 * Looks for planted values in bytes: as they are, and as anything on the way could have written them: UTF-16, JSON and
 * percent escapes, base64 in its three positions and both alphabets, hex, as a hash without key and salt that anybody can
 * try out, and inside gzip, zlib and raw deflate. One compression inside another is followed to a depth of three.
 */
export class PersonalScan {
  private readonly needles = new Map<number, Needle[]>();
  /** One bit for each opening that a needle may have: most bytes are passed over by it. */
  private readonly openings = new Uint8Array(2 ** 21);
  private readonly found: Hit[] = [];
  private scanned = 0;

  public constructor(planted: readonly Planted[]) {
    for (const { name, value } of planted) {
      for (const needle of needlesOf(name, value)) {
        const place = openingOf(needle.bytes.readUInt32BE(0));
        this.openings[place >>> 3] = (this.openings[place >>> 3] ?? 0) | (1 << (place & 7));
        this.needles.set(place, [...(this.needles.get(place) ?? []), needle]);
      }
    }
  }

  public get hits(): readonly Hit[] {
    return this.found;
  }

  public get bytesScanned(): number {
    return this.scanned;
  }

  public text(channel: string, text: string): void {
    this.bytes(channel, Buffer.from(text, 'utf8'));
  }

  /** `whole` says that the bytes may be one raw deflate stream, which has no mark of its own. */
  public bytes(channel: string, bytes: Uint8Array, whole = false): void {
    this.look(channel, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), whole, 0);
  }

  private look(channel: string, bytes: Buffer, whole: boolean, depth: number): void {
    this.scanned += bytes.length;
    let word = 0;
    for (let end = 0; end < bytes.length; end += 1) {
      word = ((word << 8) | (bytes[end] ?? 0)) >>> 0;
      const place = openingOf(word);
      if (((this.openings[place >>> 3] ?? 0) & (1 << (place & 7))) === 0 || end < 3) continue;
      for (const { bytes: needle, encoding, planted } of this.needles.get(place) ?? []) {
        if (needle.compare(bytes, end - 3, Math.min(bytes.length, end - 3 + needle.length)) === 0) this.add({ channel: depth === 0 ? channel : `${channel} (inflated)`, encoding, planted });
      }
    }
    if (depth === 3) return;
    for (const inflated of inflatedIn(bytes, whole)) this.look(channel, inflated, true, depth + 1);
  }

  private add(hit: Hit): void {
    const same = this.found.some(({ channel, encoding, planted }) => channel === hit.channel && encoding === hit.encoding && planted === hit.planted);
    if (!same) this.found.push(hit);
  }
}

/** Four bytes as 24 bits (multiplicative hashing). */
function openingOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 8;
}

function* inflatedIn(bytes: Buffer, whole: boolean): Generator<Buffer> {
  for (const { open, opening } of compressed) {
    for (let at = bytes.indexOf(opening); at !== -1; at = bytes.indexOf(opening, at + 1)) {
      const inflated = attempt(() => open(bytes.subarray(at)));
      if (inflated !== undefined && inflated.length > 0) yield inflated;
    }
  }
  if (!whole) return;
  for (const open of [() => inflateRawSync(bytes, { maxOutputLength: mostInflated }), () => brotliDecompressSync(bytes, { maxOutputLength: mostInflated })]) {
    const inflated = attempt(open);
    if (inflated !== undefined && inflated.length > 0) yield inflated;
  }
}

/** One gzip member (RFC 1952 §2.3) with anything behind it, which Node's own reader refuses. */
function gunzipped(bytes: Buffer): Buffer {
  const flags = bytes[3] ?? 0;
  const textEnd = (at: number): number => bytes.indexOf(0, at) + 1;
  let start = 10;
  if ((flags & 4) !== 0) start += 2 + bytes.readUInt16LE(start);
  if ((flags & 8) !== 0) start = textEnd(start);
  if ((flags & 16) !== 0) start = textEnd(start);
  if ((flags & 2) !== 0) start += 2;
  return inflateRawSync(bytes.subarray(start), { finishFlush: 2, maxOutputLength: mostInflated });
}

/** Bytes that only look like a stream are no stream. */
function attempt(open: () => Buffer): Buffer | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}

/** The spellings of one value. */
function needlesOf(planted: string, value: string): Needle[] {
  const utf8 = Buffer.from(value, 'utf8');
  const utf16 = Buffer.from(value, 'utf16le');
  const hex = utf8.toString('hex');
  const escaped = [...value].map((character) => (character.charCodeAt(0) < 0x80 ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)).join('');
  const percent = [...utf8].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const spellings: [encoding: string, bytes: Buffer][] = [
    ['utf-8', utf8],
    ['utf-16le', utf16],
    ['utf-16be', Buffer.from(utf16).swap16()],
    ['hex', Buffer.from(hex)],
    ['hex upper', Buffer.from(hex.toUpperCase())],
    ['json escape', Buffer.from(escaped)],
    ['json escape upper', Buffer.from(escaped.replaceAll(/\\u[0-9a-f]{4}/g, (code) => `\\u${code.slice(2).toUpperCase()}`))],
    ['percent', Buffer.from(encodeURIComponent(value))],
    ['percent lower', Buffer.from(encodeURIComponent(value).replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))],
    ['percent all', Buffer.from(percent)],
    ...inBase64('base64', utf8),
    ...inBase64('base64 utf-16', utf16),
    ...tryOutHashes(value),
  ];
  const seen = new Set<string>();
  return spellings.flatMap(([encoding, bytes]) => {
    const key = bytes.toString('latin1');
    if (bytes.length < shortestNeedle || seen.has(key)) return [];
    seen.add(key);
    return [{ bytes, encoding, planted }];
  });
}

/** A value inside base64 starts at one of three places; the characters that its neighbours change are left out. */
function inBase64(encoding: string, value: Buffer): [string, Buffer][] {
  return [0, 1, 2].flatMap((lead): [string, Buffer][] => {
    const text = Buffer.concat([Buffer.alloc(lead), value]).toString('base64').replaceAll('=', '');
    const whole = Math.floor(((lead + value.length) * 8) / 6);
    const inner = text.slice(Math.ceil((lead * 8) / 6), whole);
    return [[encoding, Buffer.from(inner)], [`${encoding}url`, Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_'))]];
  });
}
