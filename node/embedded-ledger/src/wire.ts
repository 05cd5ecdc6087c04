/**
 * Protocol Buffers wire format, read as views and written as ropes.
 *
 * Endorsing one transaction wraps its arguments five messages deep. Generated code copies them at each level, in both
 * directions; a view or a rope copies them once or never. Small messages use the generated classes.
 */

/** Bytes that are not a protobuf message. */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError';
}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;
const EMPTY = new Uint8Array(0);

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function readVarint(cursor: Cursor): number | bigint {
  const { bytes } = cursor;
  let low = 0;
  let scale = 1;
  for (let count = 0; count < 7; count += 1) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new MalformedMessageError('truncated varint');
    low += (byte & 0x7f) * scale;
    if (byte < 0x80) return low;
    scale *= 128;
  }
  return readLongVarint(cursor, BigInt(low));
}

/** The last three of ten bytes: values of 2^49 and more, and negative numbers. */
function readLongVarint(cursor: Cursor, low: bigint): number | bigint {
  let value = low;
  for (let count = 7; count < 10; count += 1) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) throw new MalformedMessageError('truncated varint');
    value |= BigInt(byte & 0x7f) << BigInt(7 * count);
    if (byte < 0x80) {
      const unsigned = BigInt.asUintN(64, value);
      return unsigned <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(unsigned) : unsigned;
    }
  }
  throw new MalformedMessageError('varint longer than ten bytes');
}

function readValue(cursor: Cursor, wireType: number): number | bigint | Uint8Array {
  if (wireType === VARINT) return readVarint(cursor);
  const length = wireType === DELIMITED ? Number(readVarint(cursor)) : wireType === FIXED64 ? 8 : wireType === FIXED32 ? 4 : -1;
  if (length < 0) throw new MalformedMessageError(`wire type ${String(wireType)}`);
  const end = cursor.at + length;
  if (end > cursor.bytes.length) throw new MalformedMessageError('field runs past the end');
  const value = cursor.bytes.subarray(cursor.at, end);
  cursor.at = end;
  return value;
}

/** The fields of one message; values are views of the bytes given. */
export class WireMessage {
  readonly #numbers: number[] = [];
  readonly #values: (number | bigint | Uint8Array)[] = [];

  /** @throws MalformedMessageError */
  constructor(bytes: Uint8Array) {
    const cursor: Cursor = { bytes, at: 0 };
    while (cursor.at < bytes.length) {
      const tag = Number(readVarint(cursor));
      const field = Math.floor(tag / 8);
      if (field < 1) throw new MalformedMessageError('field number 0');
      this.#numbers.push(field);
      this.#values.push(readValue(cursor, tag % 8));
    }
  }

  /**
   * This message, when none of its fields occurs twice. Readers differ in what they make of repeats (Go merges messages,
   * JavaScript takes the last), so what is checked here must not be readable otherwise by a contract's stub.
   * @throws MalformedMessageError
   */
  withoutRepeats(): this {
    if (new Set(this.#numbers).size < this.#numbers.length) throw new MalformedMessageError('a field occurs twice');
    return this;
  }

  #last(field: number): number | bigint | Uint8Array | undefined {
    const index = this.#numbers.lastIndexOf(field);
    return index < 0 ? undefined : this.#values[index];
  }

  has(field: number): boolean {
    return this.#numbers.includes(field);
  }

  /** A `bytes` field; empty when absent, the last one when repeated. */
  bytes(field: number): Uint8Array {
    const value = this.#last(field);
    if (value === undefined) return EMPTY;
    if (!(value instanceof Uint8Array)) throw new MalformedMessageError(`field ${String(field)} is not length-delimited`);
    return value;
  }

  /** All values of a repeated `bytes`, `string` or message field. */
  list(field: number): Uint8Array[] {
    const result: Uint8Array[] = [];
    for (let index = 0; index < this.#numbers.length; index += 1) {
      const value = this.#values[index];
      if (this.#numbers[index] === field && value instanceof Uint8Array) result.push(value);
    }
    return result;
  }

  text(field: number): string {
    const value = this.bytes(field);
    return value.length === 0 ? '' : textOf(value);
  }

  /** A single message field. Two of them in one message are merged, which is what reading both in a row does. */
  message(field: number): WireMessage {
    const parts = this.list(field);
    return new WireMessage(parts.length > 1 ? Buffer.concat(parts) : (parts[0] ?? EMPTY));
  }

  messages(field: number): WireMessage[] {
    return this.list(field).map((bytes) => new WireMessage(bytes));
  }

  /** An unsigned integer; those above 2^53 - 1 come back rounded. */
  uint(field: number): number {
    const value = this.#last(field);
    if (value instanceof Uint8Array) throw new MalformedMessageError(`field ${String(field)} is not a varint`);
    return Number(value ?? 0);
  }

  int(field: number): number {
    const value = this.#last(field);
    if (value instanceof Uint8Array) throw new MalformedMessageError(`field ${String(field)} is not a varint`);
    return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : (value ?? 0);
  }
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Bytes to be written, in pieces, so that nesting costs no copy. */
export class Rope {
  readonly length: number;

  constructor(readonly pieces: readonly Uint8Array[]) {
    this.length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  }

  toBytes(): Buffer {
    return Buffer.concat(this.pieces, this.length);
  }
}

export type WireValue = Uint8Array | Rope | string | number | bigint | boolean;

function varintBytes(value: number | bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

export function varint(value: number | bigint): Uint8Array {
  return Uint8Array.from(varintBytes(value));
}

/** Reads a varint at the front of bytes. @returns the value and how many bytes it took */
export function leadingVarint(bytes: Uint8Array, at = 0): { readonly value: number; readonly end: number } {
  const cursor: Cursor = { bytes, at };
  return { value: Number(readVarint(cursor)), end: cursor.at };
}

function appendDelimited(pieces: Uint8Array[], field: number, value: Uint8Array | Rope): void {
  pieces.push(Uint8Array.from([...varintBytes(field * 8 + DELIMITED), ...varintBytes(value.length)]));
  if (value instanceof Rope) pieces.push(...value.pieces);
  else pieces.push(value);
}

/** One element of a repeated field: written even when empty. */
export class Element {
  constructor(readonly value: Uint8Array | Rope | string) {}
}

function appendField(pieces: Uint8Array[], field: number, value: WireValue | Element | undefined): void {
  if (value === undefined || value === 0 || value === 0n || value === false) return;
  if (value instanceof Element) {
    appendDelimited(pieces, field, typeof value.value === 'string' ? Buffer.from(value.value) : value.value);
  } else if (typeof value === 'number' || typeof value === 'bigint' || value === true) {
    pieces.push(Uint8Array.from([...varintBytes(field * 8 + VARINT), ...varintBytes(value === true ? 1 : value)]));
  } else {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    if (bytes.length > 0) appendDelimited(pieces, field, bytes);
  }
}

/** A message from its fields; undefined, 0, false and empty are proto3 defaults and left out. In the order given (ascending
 * field numbers give what generated code gives). */
export function message(...fields: readonly (readonly [number, WireValue | Element | undefined])[]): Rope {
  const pieces: Uint8Array[] = [];
  for (const [field, value] of fields) appendField(pieces, field, value);
  return new Rope(pieces);
}

/** The elements of a repeated field, for spreading into `message`. */
export function repeated(field: number, values: readonly (Uint8Array | Rope | string)[]): (readonly [number, Element])[] {
  return values.map((value) => [field, new Element(value)] as const);
}
