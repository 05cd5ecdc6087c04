import { fromUtf8, ProtocolError, type Ticket } from '@huilian/protocol';
import type { Store } from '../ports.js';
import { pastPrefix, type IndexKeys, type TicketDimension } from './index-keys.js';

/** Which accesses are asked for; every field given must match. Times in Unix seconds, both included. */
export interface AccessFilter {
  readonly owner?: string;
  readonly publisher?: string;
  readonly purpose?: string;
  readonly reader?: string;
  readonly record?: string;
  readonly since?: number;
  readonly until?: number;
}

interface AccessPlace {
  /** Id of the ticket that was opened there. */
  readonly ticket: string;
  /** Also the cursor that goes on after it. */
  readonly place: string;
}

/**
 * Tickets that may match a filter, newest first, by the narrowest index there is; without owner, reader and publisher those of
 * every publisher, merged. The caller compares what the index did not. @throws BAD_FIELD for a cursor that is none
 */
export async function* accessPlaces(store: Store, keys: IndexKeys, publishers: readonly string[], filter: AccessFilter, cursor?: string): AsyncGenerator<AccessPlace> {
  if (cursor !== undefined && !/^[0-9.]{1,40}$/.test(cursor)) throw new ProtocolError('BAD_FIELD', { path: '/cursor', reason: 'pattern' });
  const lists = prefixesOf(keys, publishers, filter).map((prefix) => ticketsDown(store, prefix, cursor));
  yield* newestFirst(lists);
}

/** Whether a ticket is what the filter asks for, but for its times. */
export function accessMatches(ticket: Ticket, { owner, publisher, purpose, reader, record }: AccessFilter): boolean {
  return (
    (owner === undefined || ticket.owner === owner) &&
    (publisher === undefined || ticket.publisher === publisher) &&
    (purpose === undefined || ticket.purpose === purpose) &&
    (reader === undefined || ticket.reader === reader) &&
    (record === undefined || ticket.records.some(({ recordId }) => recordId === record))
  );
}

function prefixesOf(keys: IndexKeys, publishers: readonly string[], { record, ...given }: AccessFilter): string[] {
  const filter: AccessFilter = { ...(record === undefined ? {} : { publisher: record.split('/')[0] ?? '' }), ...given };
  const dimension = (['owner', 'reader', 'publisher'] as const satisfies readonly TicketDimension[]).find((name) => filter[name] !== undefined);
  const values = dimension === undefined ? publishers : [filter[dimension] ?? ''];
  return values.map((value) => keys.ticketOf(dimension ?? 'publisher', value, ''));
}

async function* ticketsDown(store: Store, prefix: string, cursor?: string): AsyncGenerator<AccessPlace> {
  const before = cursor === undefined ? pastPrefix(prefix) : `${prefix}${cursor}`;
  for await (const [key, value] of store.entries({ gte: prefix, lt: before, reverse: true })) yield { place: key.slice(prefix.length), ticket: fromUtf8(value) };
}

async function* newestFirst(lists: readonly AsyncGenerator<AccessPlace>[]): AsyncGenerator<AccessPlace> {
  const heads = await Promise.all(lists.map(async (list) => ({ list, next: await list.next() })));
  try {
    for (;;) {
      const newest = heads.reduce((best, head) => (head.next.done !== true && (best.next.done === true || head.next.value.place > best.next.value.place) ? head : best), heads[0] ?? ended);
      if (newest.next.done === true) return;
      yield newest.next.value;
      newest.next = await newest.list.next();
    }
  } finally {
    for (const { list } of heads) await list.return(undefined);
  }
}

const ended: { readonly list: AsyncGenerator<AccessPlace>; next: IteratorResult<AccessPlace, unknown> } = { list: nothing(), next: { done: true, value: undefined } };

async function* nothing(): AsyncGenerator<AccessPlace> {
  // Where there is no list at all.
}
