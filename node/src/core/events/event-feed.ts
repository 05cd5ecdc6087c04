import {
  comparePositions,
  feedStart,
  parseRecordId,
  positionText,
  recordId as recordIdOf,
  type ConsortiumEvent,
  type EventData,
  type EventFilter,
  type EventPosition,
  type EventType,
  type Header,
} from '@huilian/protocol';
import type { EventTransaction } from '../indexing/event-transactions.js';
import type { EventNote } from '../indexing/index-rows.js';
import type { ReadModel } from '../indexing/read-model.js';

export interface FeedPage {
  readonly events: readonly ConsortiumEvent[];
  /** Where to go on: behind the last event looked at, which may be one that the filter left out. */
  readonly position: EventPosition;
  /** The whole feed was looked at, as far as it is indexed. */
  readonly complete: boolean;
  /** Last block that was indexed when the page was begun; `whenMore` of it misses nothing. */
  readonly height: number;
}

interface Looked {
  readonly position: EventPosition;
  /** Absent where the filter leaves it out. */
  readonly event?: ConsortiumEvent;
}

const defaultLimit = 100;
/** Events that one page looks at; a filter that matches little answers with a cursor instead of a long wait. */
const mostLookedAt = 5000;
const transactionsAtOnce = 64;

/**
 * The consortium's events, derived from the read model on reading. Nothing of it is stored beside the fold, so it is as
 * atomic per block and as durable as the index, and the same again after `huilian reindex`.
 */
export class EventFeed {
  public constructor(private readonly readModel: ReadModel) {}

  /** Behind everything that is indexed now. */
  public now(): EventPosition {
    const block = this.readModel.height();
    return block < 0 ? feedStart : { block };
  }

  /** The next events that match. */
  public async page(after: EventPosition, filter: EventFilter = {}, limit: number = defaultLimit): Promise<FeedPage> {
    const events: ConsortiumEvent[] = [];
    const height = this.readModel.height();
    let position = after;
    let looked = 0;
    for await (const { event, position: at } of this.look(after, filter)) {
      position = at;
      looked += 1;
      if (event !== undefined) events.push(event);
      if (events.length === limit || looked === mostLookedAt) return { events, position, complete: false, height };
    }
    return { events, position, complete: true, height };
  }

  /** Resolves once there may be more than a complete page of that height saw, and when the signal aborts. */
  public async whenMore(height: number, signal: AbortSignal): Promise<void> {
    await this.readModel.whenHeight(height + 1, signal).catch(() => undefined);
  }

  /** The event that told of a version of a record, looked for in its block. */
  public async ofRecord(recordId: string, version: number, block: number): Promise<ConsortiumEvent | undefined> {
    const { kind, publisher } = parseRecordId(recordId);
    for await (const { event, position } of this.look({ block: block - 1 }, { kind, publisher })) {
      if (position.block > block) return undefined;
      if (event?.data.recordId === recordId && event.data.version === version) return event;
    }
    return undefined;
  }

  private async *look(after: EventPosition, filter: EventFilter): AsyncGenerator<Looked> {
    let from = after;
    for (;;) {
      const { height, transactions } = await this.readModel.eventTransactions(from.transaction === undefined ? from.block + 1 : from.block, from.transaction ?? 0, transactionsAtOnce);
      for (const transaction of transactions) yield* this.ofTransaction(transaction, firstUnseen(transaction, from), filter);
      const last = transactions.at(-1);
      if (last === undefined || transactions.length < transactionsAtOnce) {
        // A consumer may come from a node that is ahead of this one: it is not sent back.
        if (comparePositions({ block: height }, from) > 0) yield { position: { block: height } };
        return;
      }
      from = { block: last.block, transaction: last.transaction, n: countOf(last) };
    }
  }

  private async *ofTransaction(transaction: EventTransaction, first: number, filter: EventFilter): AsyncGenerator<Looked> {
    const { batch, block, notes } = transaction;
    const count = batch?.count ?? 0;
    const at = (n: number): EventPosition => ({ block, transaction: transaction.transaction, n });
    if (first < count && filter.publisher !== undefined && filter.publisher !== batch?.publisher) yield { position: at(count - 1) };
    else if (first < count) yield* this.ofBatch(transaction, first, count, filter);
    for (const [k, note] of notes.entries()) {
      if (count + k >= first) yield this.looked(at(count + k), this.expand(note), transaction, filter);
    }
  }

  private async *ofBatch(transaction: EventTransaction, first: number, count: number, filter: EventFilter): AsyncGenerator<Looked> {
    const { publisher = '', seq = 0 } = transaction.batch ?? {};
    let index = first;
    for await (const header of this.readModel.headers(transaction.block, transaction.transaction, first, count)) {
      const position = { block: transaction.block, transaction: transaction.transaction, n: index };
      yield this.looked(position, recordNote(publisher, seq, index, header), transaction, filter);
      index += 1;
    }
  }

  private looked(position: EventPosition, note: EventNote, { time, transactionId }: EventTransaction, filter: EventFilter): Looked {
    if (!matches(note, filter)) return { position };
    const { type, ...said } = note;
    const data: EventData = { block: position.block, transactionId, ...said };
    const event: ConsortiumEvent = {
      specversion: '1.0',
      id: positionText(position),
      source: `urn:huilian:${this.readModel.charter()?.digest ?? ''}`,
      type,
      time: new Date(time * 1000).toISOString(),
      subject: subjectOf(data),
      datacontenttype: 'application/json',
      data,
    };
    return { position, event };
  }

  /** A ticket's terms never change, so they are told from the ticket itself. */
  private expand(note: EventNote): EventNote {
    const { ticket } = note.ticket === undefined ? {} : (this.readModel.ticket(note.ticket) ?? {});
    if (ticket === undefined) return note;
    const { basis, claims, owner, publisher, purpose, reader, records } = ticket;
    return {
      ...note,
      claims,
      ...(owner === '' ? {} : { owner }),
      publisher,
      purpose,
      reader,
      records: records.map(({ recordId, version }) => ({ recordId, version })),
      ...(basis.kind === 'grant' ? { grant: basis.digest } : { policy: basis.digest }),
    };
  }
}

function countOf({ batch, notes }: EventTransaction): number {
  return (batch?.count ?? 0) + notes.length;
}

/** Number of the transaction's first event behind a position. */
function firstUnseen({ block, transaction }: EventTransaction, from: EventPosition): number {
  return block === from.block && transaction === from.transaction ? (from.n ?? 0) + 1 : 0;
}

function recordNote(publisher: string, seq: number, index: number, header: Header): EventNote {
  const { digest, kind, localId, owner, rights, schema, status, subject, version } = header;
  const changed: EventType = version > 1 ? 'huilian.record.superseded' : 'huilian.record.published';
  return {
    type: status === 'revoked' ? 'huilian.record.revoked' : changed,
    recordId: recordIdOf(publisher, kind, localId),
    kind,
    schema,
    version,
    rights,
    publisher,
    ...(subject === '' ? {} : { subject }),
    ...(owner === undefined ? {} : { owner }),
    digest,
    seq,
    index,
  };
}

/** The CloudEvents subject: the one thing an event is about. */
function subjectOf({ fingerprint, grant, kind, member, name, owner, policy, proposal, recordId, ticket, version }: EventData): string {
  const document = name === undefined ? `${kind ?? ''}/${String(version ?? '')}` : `${name}/${String(version ?? '')}`;
  return recordId ?? ticket ?? grant ?? policy ?? owner ?? member ?? proposal ?? fingerprint ?? document;
}

/** Whether a filter lets an event through; an absent term lets all. */
export function matches(note: Pick<EventNote, 'kind' | 'owner' | 'publisher' | 'records' | 'subject'> & { readonly type: ConsortiumEvent['type'] }, { kind, owner, publisher, subject, types }: EventFilter): boolean {
  return (
    types?.includes(note.type) !== false &&
    (publisher === undefined || note.publisher === publisher) &&
    (owner === undefined || note.owner === owner) &&
    (subject === undefined || note.subject === subject) &&
    (kind === undefined || note.kind === kind || note.records?.some((record) => parseRecordId(record.recordId).kind === kind) === true)
  );
}
