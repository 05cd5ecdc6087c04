import { ProtocolError } from '@huilian/protocol';
import type { Store } from '../ports.js';
import { pastPrefix, placeWithin, type IndexKeys } from './index-keys.js';
import { currentPlace, decodeRow, type PositionRange, type RecordRow } from './index-rows.js';

export interface RecordFilter {
  readonly subject?: string;
  readonly owner?: string;
  readonly kind?: string;
  readonly publisher?: string;
  readonly status?: 'active' | 'revoked' | 'contested';
}

interface FoundPlace {
  /** Place of a header that may match. */
  readonly place: string;
  /** Cursor that goes on after it. */
  readonly resume: string;
}

const placesOfFirstRead = 32;
const placesAtOnce = 512;

/**
 * Places of headers that may match a filter, newest first, some at a time: by the narrowest index there is. The caller compares what the
 * index did not. @throws BAD_FIELD for a cursor that is none
 */
export async function* recordPlaces(store: Store, keys: IndexKeys, filter: RecordFilter, cursor?: string): AsyncGenerator<Iterable<FoundPlace>> {
  if (cursor !== undefined && !/^[0-9a-z./-]{1,120}$/.test(cursor)) throw new ProtocolError('BAD_FIELD', { path: '/cursor', reason: 'pattern' });
  const party = filter.owner ?? filter.subject;
  if (party !== undefined) yield* partyPlaces(store, keys.party(party, ''), cursor);
  else if (filter.status === 'contested') yield* contestedPlaces(store, keys, cursor);
  else yield* batchPlaces(store, postingPrefix(keys, filter), cursor);
}

async function* partyPlaces(store: Store, prefix: string, cursor?: string): AsyncGenerator<readonly FoundPlace[]> {
  let before = cursor === undefined ? pastPrefix(prefix) : `${prefix}${cursor}`;
  for (let count = placesOfFirstRead; ; count = Math.min(count * 4, placesAtOnce)) {
    const entries = await store.first({ gte: prefix, lt: before, reverse: true }, count);
    if (entries.length > 0) yield entries.map(([key]) => ({ place: key.slice(prefix.length), resume: key.slice(prefix.length) }));
    if (entries.length < count) return;
    before = entries.at(-1)?.[0] ?? prefix;
  }
}

/** Contested records are few and in the order of their ids. */
async function* contestedPlaces(store: Store, keys: IndexKeys, cursor?: string): AsyncGenerator<readonly FoundPlace[]> {
  const prefix = keys.contested('');
  for await (const [key] of store.entries({ gt: `${prefix}${cursor ?? ''}`, lt: pastPrefix(prefix) })) {
    const recordId = key.slice(prefix.length);
    const row = decodeRow<RecordRow>(store.get(keys.record(recordId))) ?? [];
    const place = currentPlace(row);
    if (place !== undefined) yield [{ place, resume: recordId }];
  }
}

function postingPrefix(keys: IndexKeys, { kind, publisher, status }: RecordFilter): string {
  if (kind !== undefined) return keys.posting('kind', kind, '');
  if (publisher !== undefined) return keys.posting('publisher', publisher, '');
  return status === undefined ? keys.batchAt('') : keys.posting('status', status, '');
}

async function* batchPlaces(store: Store, prefix: string, cursor?: string): AsyncGenerator<Iterable<FoundPlace>> {
  // A cursor is a header's place: its batch is read again, and in it only what stands before.
  const batch = cursor?.split('.').slice(0, 2).join('.');
  const before = batch === undefined ? { lt: pastPrefix(prefix) } : { lte: `${prefix}${batch}` };
  for await (const [key, value] of store.entries({ gte: prefix, ...before, reverse: true })) yield placesOf(key.slice(prefix.length), value, cursor);
}

function* placesOf(transaction: string, posting: Uint8Array, cursor: string | undefined): Generator<FoundPlace> {
  for (const index of positionsDown(decodeRow(posting))) {
    const place = placeWithin(transaction, index);
    if (cursor === undefined || place < cursor) yield { place, resume: place };
  }
}

function* positionsDown(posting: readonly PositionRange[] | { readonly count: number }): Generator<number> {
  const ranges: readonly PositionRange[] = 'count' in posting ? [[0, posting.count - 1]] : posting;
  for (const [first, last] of ranges.toReversed()) for (let index = last; index >= first; index -= 1) yield index;
}
