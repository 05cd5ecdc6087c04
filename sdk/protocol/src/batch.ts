import { canonicalize, fromUtf8, isJsonObject, parseCanonical, utf8, type JsonValue } from './canonical.js';
import { ProtocolError } from './errors.js';
import { headerLeaf, headerShape, readHeader, type Header } from './header.js';
import { digestShape, memberIdShape } from './ids.js';
import { limits } from './limits.js';
import { checkMerklePath, leafHashOfText, merkleRoot } from './merkle.js';
import { nativeZlib } from './native.js';
import { integer, list, object, type Read } from './shape.js';

/** Where a header stands on the ledger: batch `seq` of its publisher, leaf `index` of `size`, audit path to the batch's root. */
export const placedHeaderShape = object({
  header: headerShape,
  index: integer(0, limits.batchHeaders - 1),
  path: list(digestShape, 0, 16),
  seq: integer(1),
  size: integer(1, limits.batchHeaders),
});
export type PlacedHeader = Read<typeof placedHeaderShape>;

/** @throws BAD_FIELD, UNKNOWN_FIELD, HEADER_INVALID */
export function readPlacedHeader(value: unknown, path = ''): PlacedHeader {
  const placed = placedHeaderShape.read(value, path);
  readHeader(placed.header, `${path}/header`);
  return placed;
}

/** Checks that a placed header belongs under a batch's root and count. @throws MERKLE_PATH_INVALID */
export function checkPlacedHeader(placed: PlacedHeader, batch: { readonly root: string; readonly count: number }): void {
  if (placed.size !== batch.count) throw new ProtocolError('MERKLE_PATH_INVALID', { index: placed.index, size: placed.size });
  checkMerklePath(headerLeaf(placed.header), placed.index, placed.size, placed.path, batch.root);
}

/**
 * The argument of `records.publish`: `previous` holds, for each header with version > 1 in order, the header it follows
 * and where that stands. Only the headers are leaves of the tree.
 */
export interface BatchArgument {
  readonly headers: readonly Header[];
  readonly previous: readonly PlacedHeader[];
  readonly publisher: string;
  readonly seq: number;
}

export function batchRoot(headers: readonly Header[]): string {
  return merkleRoot(headers.map(headerLeaf));
}

/** Canonical bytes, raw DEFLATE (RFC 1951). Frozen before it is sent: another zlib may compress differently. @throws BATCH_* */
export function encodeBatchArgument(batch: BatchArgument): Uint8Array {
  return compressBatch(batch, batch.headers.map(canonicalize));
}

/** The argument with the root of its headers, each of which is written out once for both. @throws BATCH_* */
export function encodeBatch(batch: BatchArgument): { readonly argument: Uint8Array; readonly root: string } {
  const texts = batch.headers.map(canonicalize);
  return { argument: compressBatch(batch, texts), root: merkleRoot(texts.map(leafHashOfText)) };
}

function compressBatch(batch: BatchArgument, texts: readonly string[]): Uint8Array {
  checkBatch(batch);
  const { previous, publisher, seq } = batch;
  const inflated = utf8(`${headersBegin}${texts.join(',')}${headersEnd}${canonicalize(previous)},"publisher":${canonicalize(publisher)},"seq":${canonicalize(seq)}}`);
  if (inflated.length > limits.batchInflatedBytes) throw new ProtocolError('BATCH_TOO_LARGE', { inflated: inflated.length });
  const compressed = zlib().deflateRawSync(inflated);
  if (compressed.length > limits.batchCompressedBytes) throw new ProtocolError('BATCH_TOO_LARGE', { compressed: compressed.length });
  return compressed;
}

/**
 * Reads an argument of `records.publish`: bounded while inflating, every input byte consumed, inflated bytes equal to
 * their own canonical form. @throws BATCH_TOO_LARGE, BATCH_MALFORMED, BATCH_TRAILING_BYTES, BATCH_NOT_CANONICAL,
 * BATCH_TOO_MANY, BATCH_DUPLICATE_RECORD, HEADER_INVALID, BAD_FIELD, UNKNOWN_FIELD
 */
export function decodeBatchArgument(compressed: Uint8Array): BatchArgument {
  return readBatch(compressed).batch;
}

/** The same with the root of its headers. */
export function decodeBatch(compressed: Uint8Array): { readonly batch: BatchArgument; readonly root: string } {
  const { batch, text } = readBatch(compressed);
  return { batch, root: merkleRoot(leavesOf(text, batch.headers)) };
}

/** What stands before and behind the headers in the canonical text: fields sort as headers, previous, publisher, seq. */
const headersBegin = '{"headers":[';
const headersEnd = '],"previous":';

/** Leaves of headers that were read out of this canonical text. No field of a header can hold a brace or a bracket. */
function leavesOf(text: string, headers: readonly Header[]): readonly Uint8Array[] {
  const texts = text.slice(headersBegin.length + 1, text.indexOf(headersEnd) - 1).split('},{');
  return texts.length === headers.length ? texts.map((inner) => leafHashOfText(`{${inner}}`)) : headers.map(headerLeaf);
}

function readBatch(compressed: Uint8Array): { readonly batch: BatchArgument; readonly text: string } {
  if (compressed.length > limits.batchCompressedBytes) throw new ProtocolError('BATCH_TOO_LARGE', { compressed: compressed.length });
  const { text, value } = readInflated(inflate(compressed));
  if (!isJsonObject(value)) throw new ProtocolError('BATCH_MALFORMED', { reason: 'not-an-object' });
  const { headers, previous, publisher, seq, ...unknown } = value;
  if (Object.keys(unknown).length > 0) throw new ProtocolError('UNKNOWN_FIELD', { path: '/' });
  const batch: BatchArgument = {
    headers: readArray(headers, limits.batchHeaders, (entry, index) => readHeader(entry, `/headers/${String(index)}`)),
    previous: readArray(previous, limits.batchSuperseding, (entry, index) => readPlacedHeader(entry, `/previous/${String(index)}`)),
    publisher: memberIdShape.read(publisher, '/publisher'),
    seq: integer(1).read(seq, '/seq'),
  };
  checkBatch(batch);
  return { batch, text };
}

function readInflated(bytes: Uint8Array): { readonly text: string; readonly value: JsonValue } {
  try {
    const text = fromUtf8(bytes);
    return { text, value: parseCanonical(text) };
  } catch {
    throw new ProtocolError('BATCH_NOT_CANONICAL');
  }
}

function readArray<T>(value: JsonValue | undefined, most: number, read: (entry: JsonValue, index: number) => T): readonly T[] {
  if (!Array.isArray(value)) throw new ProtocolError('BATCH_MALFORMED', { reason: 'not-an-array' });
  const items = value as readonly JsonValue[];
  if (items.length > most) throw new ProtocolError('BATCH_TOO_MANY', { count: items.length, most });
  return items.map(read);
}

function checkBatch({ headers, previous }: BatchArgument): void {
  if (headers.length === 0) throw new ProtocolError('BATCH_MALFORMED', { reason: 'empty' });
  if (headers.length > limits.batchHeaders) throw new ProtocolError('BATCH_TOO_MANY', { count: headers.length, most: limits.batchHeaders });
  const superseding = headers.filter((header) => header.version > 1);
  if (superseding.length > limits.batchSuperseding) {
    throw new ProtocolError('BATCH_TOO_MANY', { count: superseding.length, most: limits.batchSuperseding });
  }
  if (superseding.length !== previous.length) throw new ProtocolError('BATCH_MALFORMED', { reason: 'previous-count' });
  const seen = new Set<string>();
  for (const { localId } of headers) {
    if (seen.has(localId)) throw new ProtocolError('BATCH_DUPLICATE_RECORD', { localId });
    seen.add(localId);
  }
}

function inflate(compressed: Uint8Array): Uint8Array {
  const { buffer, engine } = inflateBounded(compressed);
  if (engine.bytesWritten !== compressed.length) {
    throw new ProtocolError('BATCH_TRAILING_BYTES', { bytes: compressed.length - engine.bytesWritten });
  }
  return buffer;
}

function inflateBounded(compressed: Uint8Array): ReturnType<ReturnType<typeof zlib>['inflateRawSync']> {
  // Outside the try: where there is no zlib, nothing is wrong with the batch.
  const { inflateRawSync } = zlib();
  try {
    return inflateRawSync(compressed, { maxOutputLength: limits.batchInflatedBytes, info: true });
  } catch (error) {
    const bomb = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
    throw new ProtocolError(bomb ? 'BATCH_TOO_LARGE' : 'BATCH_MALFORMED', { reason: bomb ? 'inflated' : 'deflate' });
  }
}

function zlib(): NonNullable<typeof nativeZlib> {
  if (nativeZlib === undefined) throw new Error('batches are built and read in Node.js only');
  return nativeZlib;
}
