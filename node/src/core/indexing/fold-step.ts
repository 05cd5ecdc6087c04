import type { Header, TrailEntry } from '@huilian/protocol';
import type { BlockTransaction, StoreWrite } from '../ports.js';
import { placeWithin, type IndexKeys } from './index-keys.js';
import { encodeRow, type EventNote } from './index-rows.js';

/** Writes of one block, which later transactions of the same block read before they are stored. */
export class FoldedWrites {
  private readonly written = new Map<string, Uint8Array | undefined>();

  public constructor(private readonly stored: (key: string) => Uint8Array | undefined) {}

  public get(key: string): Uint8Array | undefined {
    return this.written.has(key) ? this.written.get(key) : this.stored(key);
  }

  public put(key: string, value: Uint8Array): void {
    this.written.set(key, value);
  }

  public remove(key: string): void {
    this.written.set(key, undefined);
  }

  public list(): StoreWrite[] {
    return [...this.written].map(([key, value]) => (value === undefined ? { key, remove: true } : { key, value }));
  }
}

/** A batch that a block published, for whoever waits for it. */
export interface IndexedBatch {
  readonly publisher: string;
  readonly seq: number;
  readonly root: string;
  readonly transactionId: string;
}

/** Who hears what a block makes of records while it is folded. Nothing of it stands before the block's rows are durable. */
export interface RecordWatcher {
  /** A block begins; what was heard of one before that did not become durable is void. */
  begin(): void;
  /** A batch begins; its headers follow in order. */
  batch(place: string, publisher: string, time: number): void;
  /** `isCurrent`: it is the record's current version from now on, in place of the one that stands at `replaced`. */
  header(recordId: string, header: Header, isCurrent: boolean, replaced: string | undefined): void;
  /** The current version of a record, which stands at this place, is contested from now on. */
  contested(place: string): void;
  /** The block's rows are durable. */
  commit(): void;
}

/** One valid transaction on its way into the rows. */
export interface FoldStep {
  readonly rows: FoldedWrites;
  readonly keys: IndexKeys;
  readonly block: number;
  readonly place: string;
  readonly transaction: BlockTransaction;
  readonly batches: IndexedBatch[];
  /** Trail rows this transaction has so far. */
  trails: number;
  /** Events of this transaction, but for the records of its batch: those are read from their headers. */
  readonly events: EventNote[];
  readonly watcher?: RecordWatcher;
}

/** Adds a row to an owner's trail; the headers of the owner's records are on it by the party index. */
export function addTrail(step: FoldStep, owner: string, entry: Omit<TrailEntry, 'at' | 'block' | 'transactionId'>): void {
  const { block, keys, rows, transaction } = step;
  const whole: TrailEntry = { at: transaction.time, block, transactionId: transaction.id, ...entry };
  rows.put(keys.trail(owner, placeWithin(step.place, step.trails)), encodeRow(whole));
  step.trails += 1;
}
