import type { ExaminedLine } from '../../core/intake/examine-line.js';
import { wrappingBytes } from '../../core/vault/sealed-row.js';

/**
 * Examined lines on their way between threads: what they say as one text, their keys and sealed contents as one piece of
 * memory that moves over. A copy of each line by itself costs several times as much, most of it in collecting the pieces.
 */
export interface PackedLines {
  /** JSON: for each line what it says and the length of its content, or null. */
  readonly text: string;
  /** For each line: 32 key | room for the wrapping | content. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

type PackedLine = Omit<ExaminedLine, 'sealed'> & { readonly length: number };

const keyBytes = 32;
/** The content's row begins right before it, so that wrapping copies nothing; longer names are rare and only cost the copy. */
const room = wrappingBytes(40);

export function packLines(lines: readonly (ExaminedLine | undefined)[]): PackedLines {
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + (line === undefined ? 0 : keyBytes + room + line.sealed.bytes.length), 0));
  let at = 0;
  const said = lines.map((line): PackedLine | null => {
    if (line === undefined) return null;
    const { sealed, ...rest } = line;
    bytes.set(sealed.key, at);
    bytes.set(sealed.bytes, at + keyBytes + room);
    at += keyBytes + room + sealed.bytes.length;
    return { ...rest, length: sealed.bytes.length };
  });
  return { bytes, text: JSON.stringify(said) };
}

export function unpackLines({ bytes, text }: PackedLines): readonly (ExaminedLine | undefined)[] {
  let at = 0;
  return (JSON.parse(text) as readonly (PackedLine | null)[]).map((line) => {
    if (line === null) return undefined;
    const key = bytes.subarray(at, at + keyBytes);
    const from = at + keyBytes + room;
    at = from + line.length;
    return { ...line, sealed: { bytes: bytes.subarray(from, at), front: room, key } };
  });
}
