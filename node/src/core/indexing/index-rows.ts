import { canonicalBytes, fromUtf8, type EventData, type EventType } from '@huilian/protocol';

/** Rows of the read model as they are stored: canonical JSON, but for leaves and the like, which are bytes by nature. */
export interface Checkpoint {
  readonly height: number;
  readonly hash: string;
}

export interface BatchRow {
  readonly publisher: string;
  readonly seq: number;
  readonly count: number;
  readonly root: string;
  readonly block: number;
  readonly transactionId: string;
  /** Transaction time, Unix seconds. */
  readonly time: number;
}

/**
 * Versions of a record in ledger order: [version, place]. Two entries of one version are two headers with different
 * digests: that version is contested.
 */
export type RecordRow = readonly (readonly [version: number, place: string])[];

/** 0 where there is none. */
export function highestVersion(row: RecordRow): number {
  return row.reduce((highest, [version]) => Math.max(highest, version), 0);
}

/** Where a record's current version stands: the first header of its highest version. */
export function currentPlace(row: RecordRow): string | undefined {
  const highest = highestVersion(row);
  return row.find(([version]) => version === highest)?.[1];
}

export interface TransactionRow {
  readonly block: number;
  /** Position in the block. */
  readonly index: number;
  /** Fabric validation code. */
  readonly code: string;
}

export interface TicketRow {
  readonly block: number;
  readonly time: number;
  readonly transactionId: string;
}

/** What an event says beyond its place; of a ticket's, only its id, for the ticket stands in the world state. */
export type EventNote = Partial<EventData> & { readonly type: EventType };

/** What a transaction made true, but for the records of a batch, which stand in its headers. */
export interface EventsRow {
  readonly events: readonly EventNote[];
  /** Transaction time, Unix seconds. */
  readonly time: number;
  readonly transactionId: string;
}

/** First and last position, both included. */
export type PositionRange = readonly [first: number, last: number];

export function encodeRow(row: unknown): Uint8Array {
  return canonicalBytes(row);
}

/** Rows were written by this node, so they are parsed without being checked again. */
export function decodeRow<T>(bytes: Uint8Array): T;
export function decodeRow<T>(bytes: Uint8Array | undefined): T | undefined;
export function decodeRow<T>(bytes: Uint8Array | undefined): T | undefined {
  return bytes === undefined ? undefined : (JSON.parse(fromUtf8(bytes)) as T);
}
