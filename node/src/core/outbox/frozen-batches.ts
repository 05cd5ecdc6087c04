import { canonicalBytes, encodeBatch, fromUtf8, ProtocolError, type BatchArgument, type Header, type PlacedHeader } from '@huilian/protocol';
import type { Store, StoreWrite } from '../ports.js';
import { type Ranges } from './row-ranges.js';

/** A batch as it will be sent, the same bytes on every try. */
export interface FrozenBatch {
  readonly seq: number;
  readonly rows: Ranges;
  readonly root: string;
  readonly count: number;
  readonly argument: Uint8Array;
}

const batchPrefix = 'outbox/batch/';
const argumentPrefix = 'outbox/argument/';
const seqKey = 'outbox/seq';
const unknownKey = 'outbox/unknown';

/** Batches that are frozen and not settled, and the last seq given. */
export class FrozenBatches {
  private constructor(
    private readonly batches: Map<number, FrozenBatch>,
    private seq: number,
    private unknown: boolean,
  ) {}

  public static async open(store: Store): Promise<FrozenBatches> {
    const batches = new Map<number, FrozenBatch>();
    for await (const [key, bytes] of store.entries({ gte: batchPrefix, lt: `${batchPrefix}~` })) {
      const argument = store.get(argumentPrefix + key.slice(batchPrefix.length));
      if (argument === undefined) throw new ProtocolError('OUTBOX_TAIL_LOST', { reason: 'batch-argument', key });
      const batch = { ...(JSON.parse(fromUtf8(bytes)) as Omit<FrozenBatch, 'argument'>), argument };
      batches.set(batch.seq, batch);
    }
    const stored = store.get(seqKey);
    return new FrozenBatches(batches, stored === undefined ? 0 : Number(fromUtf8(stored)), store.get(unknownKey) !== undefined);
  }

  public get lastSeq(): number {
    return this.seq;
  }

  public list(): FrozenBatch[] {
    return [...this.batches.values()].sort((left, right) => left.seq - right.seq);
  }

  public get(seq: number): FrozenBatch | undefined {
    return this.batches.get(seq);
  }

  /** A seq that was seen on the ledger is never given again. */
  public noteSeq(seq: number): void {
    this.seq = Math.max(this.seq, seq);
  }

  public get hasUnknown(): boolean {
    return this.unknown;
  }

  /** The ledger shows an own batch that was never frozen here. */
  public noteUnknown(): void {
    this.unknown = true;
  }

  /** To be written with the block that showed it. */
  public unknownWrites(): StoreWrite[] {
    return this.unknown ? [{ key: unknownKey, value: canonicalBytes(true) }] : [];
  }

  /** Makes a batch of rows under the next seq. Not frozen before `writes` is on disk and `add` was called. @throws BATCH_TOO_LARGE, BATCH_TOO_MANY */
  public build(publisher: string, rows: Ranges, headers: readonly Header[], previous: readonly PlacedHeader[]): FrozenBatch {
    const seq = this.seq + 1;
    const { argument, root } = encodeBatch({ headers, previous, publisher, seq } satisfies BatchArgument);
    this.seq = seq;
    return { seq, rows, root, count: headers.length, argument };
  }

  public writes({ argument, count, root, rows, seq }: FrozenBatch): StoreWrite[] {
    return [
      { key: batchPrefix + digits(seq), value: canonicalBytes({ count, root, rows, seq }) },
      { key: argumentPrefix + digits(seq), value: argument },
      { key: seqKey, value: canonicalBytes(seq) },
    ];
  }

  public removal({ seq }: FrozenBatch): StoreWrite[] {
    return [
      { key: batchPrefix + digits(seq), remove: true },
      { key: argumentPrefix + digits(seq), remove: true },
    ];
  }

  public add(batch: FrozenBatch): void {
    this.batches.set(batch.seq, batch);
  }

  public drop({ seq }: FrozenBatch): void {
    this.batches.delete(seq);
  }
}

function digits(seq: number): string {
  return String(seq).padStart(16, '0');
}
