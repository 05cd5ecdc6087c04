import type { TrailEntry } from '@huilian/protocol';
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
}

/** Adds a row to an owner's trail; the headers of the owner's records are on it by the party index. */
export function addTrail(step: FoldStep, owner: string, entry: Omit<TrailEntry, 'at' | 'block' | 'transactionId'>): void {
  const { block, keys, rows, transaction } = step;
  const whole: TrailEntry = { at: transaction.time, block, transactionId: transaction.id, ...entry };
  rows.put(keys.trail(owner, placeWithin(step.place, step.trails)), encodeRow(whole));
  step.trails += 1;
}
