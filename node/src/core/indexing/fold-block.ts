import { fromUtf8, ledgerFunctions, recordId, splitStateKey, utf8, type LedgerState, type Ticket, type TrailEntry } from '@huilian/protocol';
import type { BlockTransaction, LedgerBlock, StoreWrite } from '../ports.js';
import { foldBatch, markContested } from './fold-batch.js';
import { eventsOfWrite } from './events-of-write.js';
import { addTrail, FoldedWrites, type FoldStep, type IndexedBatch, type RecordWatcher } from './fold-step.js';
import { placeWithin, transactionPlace, type IndexKeys, type TicketDimension } from './index-keys.js';
import { decodeRow, encodeRow, type EventsRow, type RecordRow, type TransactionRow } from './index-rows.js';

export interface FoldedBlock {
  readonly writes: readonly StoreWrite[];
  readonly batches: readonly IndexedBatch[];
}

/**
 * The read model as a pure fold: from a block and the rows before it to the rows after it. Headers come out of the batch
 * argument, everything else out of the writes to the world state. @throws BLOCK_FORK
 */
export function foldBlock(block: LedgerBlock, keys: IndexKeys, stored: (key: string) => Uint8Array | undefined, watcher?: RecordWatcher): FoldedBlock {
  const rows = new FoldedWrites(stored);
  const batches: IndexedBatch[] = [];
  for (const [index, transaction] of block.transactions.entries()) {
    foldTransactionRow(rows, keys, block.number, index, transaction);
    if (transaction.code !== 'VALID') continue;
    const step: FoldStep = { rows, keys, block: block.number, place: transactionPlace(block.number, index), transaction, batches, trails: 0, events: [], ...(watcher === undefined ? {} : { watcher }) };
    for (const write of transaction.writes) foldStateWrite(step, write.key, write.value);
    putEvents(step);
  }
  rows.put(keys.block(block.number), utf8(block.hash));
  rows.put(keys.checkpoint, encodeRow({ hash: block.hash, height: block.number }));
  return { writes: rows.list(), batches };
}

/** One row for the events of a transaction, so that they are as atomic as its block. */
function putEvents({ events, keys, place, rows, transaction }: FoldStep): void {
  if (events.length === 0) return;
  rows.put(keys.eventsAt(place), encodeRow({ events, time: transaction.time, transactionId: transaction.id } satisfies EventsRow));
}

function foldTransactionRow(rows: FoldedWrites, keys: IndexKeys, block: number, index: number, { code, id }: BlockTransaction): void {
  if (id === '') return;
  const key = keys.transaction(id);
  const before = decodeRow<TransactionRow>(rows.get(key));
  // A copy of a transaction that was valid before is invalid itself and says nothing about the first.
  if (before?.code !== 'VALID') rows.put(key, encodeRow({ block, code, index }));
}

function foldStateWrite(step: FoldStep, key: string, value: Uint8Array | undefined): void {
  const parts = splitStateKey(key);
  if (parts === undefined) return;
  if (parts.type === 'batch') {
    if (value !== undefined) foldBatch(step, parts.parts, fromUtf8(value));
    return;
  }
  const mirrored = step.keys.mirrored(key);
  const before = step.rows.get(mirrored);
  if (value === undefined) step.rows.remove(mirrored);
  else {
    step.rows.put(mirrored, value);
    const text = fromUtf8(value);
    stateFolds[parts.type]?.(step, parts.parts, text, before);
    step.events.push(...eventsOfWrite(step.transaction.function, parts, text, before));
  }
}

type StateFold = (step: FoldStep, parts: readonly string[], value: string, before: Uint8Array | undefined) => void;

/** What a write means beyond its own row. */
const stateFolds: Readonly<Record<string, StateFold>> = {
  attestation: (step, _parts, value) => {
    const { attester, outcome, party, recordId: id, version } = JSON.parse(value) as LedgerState['attestation'];
    if (party !== '') addTrail(step, party, { what: 'attested', recordIds: [id], version, attester, code: outcome });
  },
  statement: (step, _parts, value) => {
    const { owner, record, verdict, version } = (JSON.parse(value) as LedgerState['statement']).statement;
    addTrail(step, owner, { what: 'stated', recordIds: [record], version, code: verdict });
  },
  contested: (step, [publisher = '', localId = ''], value) => {
    const { version } = JSON.parse(value) as LedgerState['contested'];
    foldExposure(step, publisher, localId, version);
  },
  owner: (step, [owner = '']) => {
    const what = ownerEvents[step.transaction.function];
    if (what !== undefined) addTrail(step, owner, { what });
  },
  ticket: (step, [id = ''], value, before) => {
    const ticket = JSON.parse(value) as Ticket;
    if (before === undefined) foldNewTicket(step, id, ticket);
    else if (ticket.refused !== undefined) addTicketTrail(step, id, ticket, { what: 'refused', code: ticket.refused });
  },
  receipt: (step, [id = '']) => {
    addStoredTicketTrail(step, id, 'confirmed');
  },
  dispute: (step, [id = '']) => {
    addStoredTicketTrail(step, id, 'disputed');
  },
  revocation: (step, [owner = '', grant = '']) => {
    step.rows.put(step.keys.revokedAt(owner, grant), encodeRow({ block: step.block }));
    addTrail(step, owner, { what: 'grant-revoked', grant });
  },
};

const ownerEvents: Readonly<Record<string, TrailEntry['what']>> = {
  [ledgerFunctions.registerOwner]: 'registered',
  [ledgerFunctions.rotateOwnerKey]: 'key-rotated',
  [ledgerFunctions.recoverOwner]: 'recovery-approved',
  [ledgerFunctions.objectRecovery]: 'recovery-objected',
};

/** The exposure names no kind, so the record is found through what its publisher published under that local id. */
function foldExposure(step: FoldStep, publisher: string, localId: string, version: number): void {
  const kind = exposedKind(step.transaction.response);
  const id = recordId(publisher, kind, localId);
  const row = decodeRow<RecordRow>(step.rows.get(step.keys.record(id)));
  const place = row?.find(([entry]) => entry === version)?.[1];
  const header = place === undefined ? undefined : decodeRow<{ owner?: string }>(step.rows.get(step.keys.header(place)));
  markContested(step, id, version, header?.owner);
}

function exposedKind(response: Uint8Array): string {
  const { kind } = JSON.parse(fromUtf8(response)) as { kind?: string };
  return kind ?? '';
}

function foldNewTicket(step: FoldStep, id: string, ticket: Ticket): void {
  const { keys, rows, transaction } = step;
  const place = placeWithin(step.place, Number(id.split('/')[1]));
  rows.put(keys.ticket(id), encodeRow({ block: step.block, time: transaction.time, transactionId: transaction.id }));
  const concerned: readonly (readonly [TicketDimension, string])[] = [
    ['owner', ticket.owner],
    ['reader', ticket.reader],
    ['publisher', ticket.publisher],
    ['grant', ticket.basis.digest],
  ];
  for (const [dimension, value] of concerned) if (value !== '') rows.put(keys.ticketOf(dimension, value, place), utf8(id));
  addTicketTrail(step, id, ticket, { what: 'opened' });
}

function addStoredTicketTrail(step: FoldStep, id: string, what: TrailEntry['what']): void {
  const ticket = decodeRow<Ticket>(step.rows.get(step.keys.state('ticket', id)));
  if (ticket !== undefined) addTicketTrail(step, id, ticket, { what });
}

function addTicketTrail(step: FoldStep, id: string, ticket: Ticket, entry: Pick<TrailEntry, 'what' | 'code'>): void {
  if (ticket.owner === '') return;
  addTrail(step, ticket.owner, {
    ...entry,
    claims: ticket.claims,
    publisher: ticket.publisher,
    purpose: ticket.purpose,
    reader: ticket.reader,
    recordIds: ticket.records.map(({ recordId }) => recordId),
    ticket: id,
    ...(ticket.basis.kind === 'grant' ? { grant: ticket.basis.digest } : {}),
  });
}
