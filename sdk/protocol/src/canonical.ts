import { ProtocolError } from './errors.js';
import { limits } from './limits.js';
import { nativeBuffer } from './native.js';

/**
 * Canonical bytes: RFC 8785 (JCS) over a restricted JSON. Numbers are safe integers only, strings are NFC without lone
 * surrogates, keys are unique. What is outside is refused, never normalised.
 */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

function refuse(reason: string): never {
  throw new ProtocolError('CANONICAL_INVALID', { reason });
}

/**
 * Text that may stand in canonical JSON: well-formed UTF-16 in Unicode normalisation form C, with at most 30 combining
 * marks in a row (UAX #15, stream-safe text): sorting a longer row costs the square of its length.
 */
export function isCanonicalText(text: string): boolean {
  // eslint's no-control-regex does not apply: the class is printable ASCII, the fast path of nearly all ids and codes.
  if (/^[ -~]*$/.test(text)) return true;
  return text.isWellFormed() && !/\p{M}{31}/u.test(text) && text.normalize('NFC') === text;
}

/**
 * Text that stands for itself: printable ASCII but for the quote and the backslash, and the Chinese characters and
 * punctuation of which no Unicode version composes or decomposes any.
 */
const plainText = /^[ !#-[\]-~\u3001-\u3020\u4e00-\u9fff\uff01-\uff5e]*$/;

function writeString(text: string): string {
  if (plainText.test(text)) return `"${text}"`;
  if (!isCanonicalText(text)) refuse('string-not-nfc');
  return JSON.stringify(text);
}

function writeObject(value: Record<string, unknown>, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) refuse('not-plain-object');
  let out = '';
  for (const key of sortedKeys(value)) out += `${out === '' ? '{' : ','}${keyText(key)}${write(value[key], depth + 1)}`;
  return out === '' ? '{}' : `${out}}`;
}

/** JCS sorts by UTF-16 code units, which is what the default sort does; what was canonical before is in order already. */
function sortedKeys(value: Record<string, unknown>): readonly string[] {
  const keys = Object.keys(value);
  for (let at = 1; at < keys.length; at += 1) if ((keys[at - 1] as string) > (keys[at] as string)) return keys.sort();
  return keys;
}

/** Field names come again and again; those seen first are remembered. */
const keyTexts = new Map<string, string>();
const mostKeyTexts = 1024;
const longestRememberedKey = 64;

function keyText(key: string): string {
  const known = keyTexts.get(key);
  if (known !== undefined) return known;
  if (key === '__proto__') refuse('key-not-allowed');
  const text = `${writeString(key)}:`;
  if (keyTexts.size < mostKeyTexts && key.length <= longestRememberedKey) keyTexts.set(key, text);
  return text;
}

function writeArray(values: readonly unknown[], depth: number): string {
  let out = '';
  // By index, so that a hole is seen.
  for (let at = 0; at < values.length; at += 1) out += `${at === 0 ? '[' : ','}${write(values[at], depth + 1)}`;
  return out === '' ? '[]' : `${out}]`;
}

function write(value: unknown, depth: number): string {
  if (depth > limits.jsonDepth) refuse('too-deep');
  switch (typeof value) {
    case 'string':
      return writeString(value);
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : refuse('number-not-integer');
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? writeArray(value, depth) : writeObject(value as Record<string, unknown>, depth);
    default:
      return refuse('not-json');
  }
}

/** The canonical text of a value. @throws ProtocolError CANONICAL_INVALID {reason} */
export function canonicalize(value: unknown): string {
  return write(value, 0);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The canonical text as UTF-8 bytes. */
export function canonicalBytes(value: unknown): Uint8Array {
  return utf8(canonicalize(value));
}

export function utf8(text: string): Uint8Array {
  if (nativeBuffer === undefined) return encoder.encode(text);
  // Several times faster for short texts; both write U+FFFD for a lone surrogate.
  const bytes = nativeBuffer.from(text, 'utf8');
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Decodes UTF-8, refusing malformed bytes. @throws CANONICAL_INVALID */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return refuse('not-utf8');
  }
}

/**
 * Reads bytes that must already be canonical (batches, ledger arguments, signed documents): any other spelling of the
 * same value, a duplicate key included, is refused because its canonical form differs. @throws CANONICAL_INVALID
 */
export function parseCanonical(input: Uint8Array | string): JsonValue {
  const text = typeof input === 'string' ? input : fromUtf8(input);
  const value = mustBeReadByHand(text) ? new StrictReader(text).readDocument() : parseToken(text);
  if (canonicalize(value) !== text) refuse('not-canonical');
  return value;
}

/**
 * JSON.parse is several times faster, but V8 of Node.js 24 and 26 reads an escaped key wrong once it has seen another
 * object with a key of one backslash: what an endorser answers would depend on what it read before. And commas may also
 * stand inside strings, so where there are many the values are counted exactly.
 */
function mustBeReadByHand(text: string): boolean {
  return text.includes('\\') || hasManyCommas(text);
}

function hasManyCommas(text: string): boolean {
  let count = 0;
  for (let at = text.indexOf(','); at !== -1; at = text.indexOf(',', at + 1)) {
    count += 1;
    if (count > limits.jsonSeparators) return true;
  }
  return false;
}

/** Like parseCanonical, for a document that must be an object. */
export function parseCanonicalObject(input: Uint8Array | string): JsonObject {
  const value = parseCanonical(input);
  return isJsonObject(value) ? value : refuse('not-an-object');
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads JSON as people and platforms write it: any whitespace and key order, but the same restricted values, and
 * duplicate keys refused (JSON.parse would silently keep the last). @throws CANONICAL_INVALID {reason}
 */
export function parseStrict(input: Uint8Array | string): JsonValue {
  const text = typeof input === 'string' ? input : fromUtf8(input);
  const value = new StrictReader(text).readDocument();
  canonicalize(value);
  return value;
}

const quote = 0x22;
const backslash = 0x5c;

/** A small recursive reader: JSON.parse has no way to report duplicate keys or the difference between 1 and 1.0. */
class StrictReader {
  private at = 0;
  private separators = 0;

  public constructor(private readonly text: string) {}

  public readDocument(): JsonValue {
    const value = this.readValue(0);
    this.skipSpace();
    if (this.at !== this.text.length) refuse('not-json');
    return value;
  }

  private skipSpace(): void {
    while (' \t\n\r'.includes(this.text[this.at] ?? 'x')) this.at += 1;
  }

  private readValue(depth: number): JsonValue {
    if (depth > limits.jsonDepth) refuse('too-deep');
    this.skipSpace();
    switch (this.text[this.at]) {
      case '{':
        return this.readObject(depth);
      case '[':
        return this.readArray(depth);
      case '"':
        return this.readString();
      default:
        return this.readLiteral();
    }
  }

  private readObject(depth: number): JsonObject {
    const entries = new Map<string, JsonValue>();
    this.readItems('}', () => {
      this.skipSpace();
      const key = this.readString();
      if (entries.has(key)) refuse('duplicate-key');
      if (key === '__proto__') refuse('key-not-allowed');
      this.expect(':');
      entries.set(key, this.readValue(depth + 1));
    });
    return Object.fromEntries(entries);
  }

  private readArray(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.readItems(']', () => items.push(this.readValue(depth + 1)));
    return items;
  }

  private readItems(end: string, readItem: () => void): void {
    this.at += 1;
    this.skipSpace();
    if (this.text[this.at] === end) {
      this.at += 1;
      return;
    }
    for (;;) {
      readItem();
      this.skipSpace();
      const next = this.text[this.at];
      this.at += 1;
      if (next === end) return;
      if (next !== ',') refuse('not-json');
      this.separators += 1;
      if (this.separators > limits.jsonSeparators) refuse('too-many-values');
    }
  }

  private expect(character: string): void {
    this.skipSpace();
    if (this.text[this.at] !== character) refuse('not-json');
    this.at += 1;
  }

  private readString(): string {
    if (this.text[this.at] !== '"') return refuse('not-json');
    const start = this.at;
    // Not a pattern: one with a repeated choice runs out of stack on a text of some megabytes.
    for (let at = start + 1; at < this.text.length; at += 1) {
      const code = this.text.charCodeAt(at);
      if (code === backslash) at += 1;
      else if (code === quote) {
        this.at = at + 1;
        return parseToken(this.text.slice(start, this.at)) as string;
      }
    }
    return refuse('not-json');
  }

  private readLiteral(): JsonValue {
    const pattern = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text);
    if (match === null) return refuse('not-json');
    this.at = pattern.lastIndex;
    if (/[.eE]/.test(match[0]) && match[0] !== 'true' && match[0] !== 'false') refuse('number-not-integer');
    return parseToken(match[0]);
  }
}

function parseToken(token: string): JsonValue {
  try {
    return JSON.parse(token) as JsonValue;
  } catch {
    return refuse('not-json');
  }
}
