import type { Store } from '../ports.js';
import { pastPrefix, transactionPlace, type IndexKeys } from './index-keys.js';
import { decodeRow, type BatchRow, type EventNote, type EventsRow } from './index-rows.js';

/** A VALID transaction that made events: the headers of its batch are the first, then what else it made true. */
export interface EventTransaction {
  readonly block: number;
  /** Position in the block. */
  readonly transaction: number;
  /** Unix seconds. */
  readonly time: number;
  readonly transactionId: string;
  readonly batch?: BatchRow;
  readonly notes: readonly EventNote[];
}

/**
 * The next transactions with events from a place on, in the order of the ledger, up to a block. Two kinds of rows are
 * merged, so that publishing a batch writes nothing for its events.
 */
export async function eventTransactions(store: Store, keys: IndexKeys, from: string, height: number, limit: number): Promise<EventTransaction[]> {
  const found = new Map<string, EventTransaction>();
  for await (const [place, value] of rowsFrom(store, keys.batchAt(''), from, height, limit)) {
    const batch = decodeRow<BatchRow>(value);
    found.set(place, { ...numbersOf(place), time: batch.time, transactionId: batch.transactionId, batch, notes: [] });
  }
  for await (const [place, value] of rowsFrom(store, keys.eventsAt(''), from, height, limit)) {
    const { events: notes, time, transactionId } = decodeRow<EventsRow>(value);
    found.set(place, { ...numbersOf(place), time, transactionId, ...found.get(place), notes });
  }
  const places = [...found.keys()].sort().slice(0, limit);
  return places.map((place) => found.get(place) as EventTransaction);
}

async function* rowsFrom(store: Store, prefix: string, from: string, height: number, limit: number): AsyncGenerator<readonly [place: string, value: Uint8Array]> {
  const end = height < 0 ? prefix : pastPrefix(`${prefix}${transactionPlace(height, 0).split('.')[0] ?? ''}.`);
  for await (const [key, value] of store.entries({ gte: `${prefix}${from}`, lt: end, limit })) yield [key.slice(prefix.length), value];
}

function numbersOf(place: string): { readonly block: number; readonly transaction: number } {
  const [block = '', transaction = ''] = place.split('.');
  return { block: Number(block), transaction: Number(transaction) };
}
