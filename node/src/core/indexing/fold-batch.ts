import { inflateRawSync } from 'node:zlib';
import { limits, parseRecordId, ProtocolError, recordId, sha256, utf8, type BatchArgument, type Header, type LedgerState } from '@huilian/protocol';
import { addTrail, type FoldStep } from './fold-step.js';
import { placeWithin, type PostingDimension } from './index-keys.js';
import { currentPlace, decodeRow, encodeRow, highestVersion, type BatchRow, type PositionRange, type RecordRow } from './index-rows.js';

/** Folds the headers of a published batch in. @throws BLOCK_FORK when the argument is of another publisher or number than the state key */
export function foldBatch(step: FoldStep, [publisher = '', seq = '']: readonly string[], value: string): void {
  const { keys, rows, transaction } = step;
  const batch = readEndorsedBatch(step, transaction.args[0] ?? new Uint8Array());
  if (batch.publisher !== publisher || batch.seq !== Number(seq)) {
    throw new ProtocolError('BLOCK_FORK', { block: step.block, reason: 'batch-argument' });
  }
  const { ends, inflated } = batch;
  const leaves = new Uint8Array(leafBytes * ends.length);
  step.watcher?.batch(step.place, publisher, transaction.time);
  const [kinds, statuses]: [string[], string[]] = [[], []];
  let from = headersBegin.length;
  for (const [index, end] of ends.entries()) {
    // Each by itself: thousands of headers at once would outlive their folding.
    const header = foldHeader(step, publisher, inflated.subarray(from, end), index);
    leaves.set(leafOf(inflated, from, end), leafBytes * index);
    kinds.push(header.kind);
    statuses.push(header.status);
    from = end + 1;
  }
  const { count, root } = JSON.parse(value) as LedgerState['batch'];
  const row: BatchRow = { block: step.block, count, publisher, root, seq: batch.seq, time: transaction.time, transactionId: transaction.id };
  rows.put(keys.batchAt(step.place), encodeRow(row));
  rows.put(keys.batch(publisher, batch.seq), utf8(step.place));
  rows.put(keys.leaves(step.place), leaves);
  putPostings(step, 'kind', kinds);
  putPostings(step, 'publisher', kinds.map(() => publisher));
  putPostings(step, 'status', statuses);
  step.batches.push({ publisher, root, seq: batch.seq, transactionId: transaction.id });
}

interface EndorsedBatch {
  readonly publisher: string;
  readonly seq: number;
  readonly inflated: Buffer;
  /** Where each header ends in the inflated bytes; the first begins behind `headersBegin`, each other one behind a comma. */
  readonly ends: readonly number[];
}

const headersBegin = '{"headers":[';
const leafBytes = 32;
const [openingBrace, closingBrace, comma] = [0x7b, 0x7d, 0x2c];

/**
 * The argument of a valid transaction, read without the contract's checks: a majority of centres endorsed that it is
 * canonical and what it holds. So it begins with its headers, no field of which can hold a brace, and their canonical texts
 * stand in it. @throws BLOCK_FORK
 */
function readEndorsedBatch({ block }: FoldStep, compressed: Uint8Array): EndorsedBatch {
  const inflated = inflateRawSync(compressed, { maxOutputLength: limits.batchInflatedBytes });
  const ends: number[] = [];
  let from = headersBegin.length;
  do {
    const end = inflated.indexOf(closingBrace, from) + 1;
    if (inflated[from] !== openingBrace || end === 0) throw new ProtocolError('BLOCK_FORK', { block, reason: 'batch-argument' });
    ends.push(end);
    from = end + 1;
  } while (inflated[from - 1] === comma);
  const { publisher, seq } = JSON.parse(`${headersBegin}${inflated.toString('utf8', from - 1)}`) as BatchArgument;
  return { ends, inflated, publisher, seq };
}

/** RFC 6962 leaf hash; the prefix is written over the byte before the header, which nobody reads again. */
function leafOf(inflated: Buffer, from: number, end: number): Uint8Array {
  inflated[from - 1] = 0;
  return sha256(inflated.subarray(from - 1, end));
}

function foldHeader(step: FoldStep, publisher: string, text: Buffer, index: number): Header {
  const { keys, rows } = step;
  const header = JSON.parse(text.toString('utf8')) as Header;
  const place = placeWithin(step.place, index);
  rows.put(keys.header(place), text);
  putParties(step, header, place);
  const id = recordId(publisher, header.kind, header.localId);
  const [before, after] = foldVersion(step, id, header, place);
  step.watcher?.header(id, header, after === place, before);
  return header;
}

function putParties({ keys, rows }: FoldStep, { owner, subject }: Header, place: string): void {
  if (owner !== undefined && owner === subject) {
    rows.put(keys.party(owner, place), utf8('b'));
    return;
  }
  if (owner !== undefined) rows.put(keys.party(owner, place), utf8('o'));
  if (subject !== '') rows.put(keys.party(subject, place), utf8('s'));
}

/** Answers where the record's current version stood before, and where it stands now. */
function foldVersion(step: FoldStep, id: string, header: Header, place: string): readonly [before: string | undefined, after: string | undefined] {
  const { keys, rows } = step;
  const key = keys.record(id);
  const before = decodeRow<RecordRow>(rows.get(key)) ?? [];
  const same = before.filter(([version]) => version === header.version);
  // The same header in two batches is one header; the first place stands.
  const current = currentPlace(before);
  if (same.some(([, other]) => decodeRow<Header>(rows.get(keys.header(other)))?.digest === header.digest)) return [current, current];
  const versions: RecordRow = [...before, [header.version, place]];
  rows.put(key, encodeRow(versions));
  if (same.length > 0) markContested(step, id, header.version, header.owner);
  return [current, currentPlace(versions)];
}

/** Marks a record's versions up to this one as contested; the owner's trail says so once. */
export function markContested(step: FoldStep, id: string, version: number, owner: string | undefined): void {
  const { keys, rows } = step;
  const before = decodeRow<{ version: number }>(rows.get(keys.contested(id)))?.version ?? 0;
  if (version <= before) return;
  rows.put(keys.contested(id), encodeRow({ version }));
  watchContested(step, id, version);
  const { kind, publisher } = parseRecordId(id);
  step.events.push({ type: 'huilian.record.contested', recordId: id, version, kind, publisher, ...(owner === undefined ? {} : { owner }) });
  if (owner !== undefined) addTrail(step, owner, { what: 'contested', recordIds: [id], version });
}

function watchContested({ keys, rows, watcher }: FoldStep, id: string, version: number): void {
  const row = watcher === undefined ? undefined : decodeRow<RecordRow>(rows.get(keys.record(id)));
  if (row === undefined || highestVersion(row) > version) return;
  watcher?.contested(currentPlace(row) ?? '');
}

function putPostings({ keys, place, rows }: FoldStep, dimension: PostingDimension, values: readonly string[]): void {
  const ranges = new Map<string, [number, number][]>();
  for (const [position, value] of values.entries()) {
    const list = ranges.get(value) ?? [];
    const last = list.at(-1);
    if (last?.[1] === position - 1) last[1] = position;
    else list.push([position, position]);
    ranges.set(value, list);
  }
  for (const [value, list] of ranges) rows.put(keys.posting(dimension, value, place), encodeRow(list satisfies PositionRange[]));
}
