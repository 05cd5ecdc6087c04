import { inflateRawSync } from 'node:zlib';
import { concatBytes, leafHashOfText, limits, parseRecordId, ProtocolError, recordId, utf8, type BatchArgument, type Header, type LedgerState } from '@huilian/protocol';
import { addTrail, type FoldStep } from './fold-step.js';
import { placeWithin, type PostingDimension } from './index-keys.js';
import { decodeRow, encodeRow, type BatchRow, type PositionRange, type RecordRow } from './index-rows.js';

/** Folds the headers of a published batch in. @throws BLOCK_FORK when the argument is of another publisher or number than the state key */
export function foldBatch(step: FoldStep, [publisher = '', seq = '']: readonly string[], value: string): void {
  const { keys, rows, transaction } = step;
  const argument = readEndorsedBatch(transaction.args[0] ?? new Uint8Array());
  if (argument.publisher !== publisher || argument.seq !== Number(seq)) {
    throw new ProtocolError('BLOCK_FORK', { block: step.block, reason: 'batch-argument' });
  }
  const leaves = argument.headers.map((header, index) => foldHeader(step, argument, header, index));
  const { count, root } = JSON.parse(value) as LedgerState['batch'];
  const batch: BatchRow = {
    block: step.block,
    count,
    publisher,
    root,
    seq: argument.seq,
    time: transaction.time,
    transactionId: transaction.id,
  };
  rows.put(keys.batchAt(step.place), encodeRow(batch));
  rows.put(keys.batch(publisher, argument.seq), utf8(step.place));
  rows.put(keys.leaves(step.place), concatBytes(...leaves));
  putPostings(step, 'kind', argument.headers.map(({ kind }) => kind));
  putPostings(step, 'publisher', argument.headers.map(() => publisher));
  putPostings(step, 'status', argument.headers.map(({ status }) => status));
  step.batches.push({ publisher, root, seq: argument.seq, transactionId: transaction.id });
}

/**
 * The argument of a valid transaction, read without the contract's checks: a majority of centres endorsed that it is
 * canonical and what it holds. So a header written again is its own canonical text, and a catch-up takes a third of the time.
 */
function readEndorsedBatch(compressed: Uint8Array): BatchArgument {
  const inflated = inflateRawSync(compressed, { maxOutputLength: limits.batchInflatedBytes });
  return JSON.parse(inflated.toString('utf8')) as BatchArgument;
}

/** Answers the leaf of the header. */
function foldHeader(step: FoldStep, { publisher }: BatchArgument, header: Header, index: number): Uint8Array {
  const { keys, rows } = step;
  const text = JSON.stringify(header);
  const place = placeWithin(step.place, index);
  rows.put(keys.header(place), utf8(text));
  putParties(step, header, place);
  foldVersion(step, recordId(publisher, header.kind, header.localId), header, place);
  return leafHashOfText(text);
}

function putParties({ keys, rows }: FoldStep, { owner, subject }: Header, place: string): void {
  if (owner !== undefined && owner === subject) {
    rows.put(keys.party(owner, place), utf8('b'));
    return;
  }
  if (owner !== undefined) rows.put(keys.party(owner, place), utf8('o'));
  if (subject !== '') rows.put(keys.party(subject, place), utf8('s'));
}

function foldVersion(step: FoldStep, id: string, header: Header, place: string): void {
  const { keys, rows } = step;
  const key = keys.record(id);
  const before = decodeRow<RecordRow>(rows.get(key)) ?? [];
  const same = before.filter(([version]) => version === header.version);
  // The same header in two batches is one header; the first place stands.
  if (same.some(([, other]) => decodeRow<Header>(rows.get(keys.header(other)))?.digest === header.digest)) return;
  rows.put(key, encodeRow([...before, [header.version, place]]));
  if (same.length === 0) return;
  markContested(step, id, header.version, header.owner);
}

/** Marks a record's versions up to this one as contested; the owner's trail says so once. */
export function markContested(step: FoldStep, id: string, version: number, owner: string | undefined): void {
  const { keys, rows } = step;
  const before = decodeRow<{ version: number }>(rows.get(keys.contested(id)))?.version ?? 0;
  if (version <= before) return;
  rows.put(keys.contested(id), encodeRow({ version }));
  const { kind, publisher } = parseRecordId(id);
  step.events.push({ type: 'huilian.record.contested', recordId: id, version, kind, publisher, ...(owner === undefined ? {} : { owner }) });
  if (owner !== undefined) addTrail(step, owner, { what: 'contested', recordIds: [id], version });
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
