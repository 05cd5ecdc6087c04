import { recordId, type Header, type PlacedHeader } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { OwnRecords } from '../vault/own-records.js';
import type { OutboxChain } from './outbox-chain.js';
import type { RowRanges } from './row-ranges.js';

export interface PickedRow {
  readonly row: number;
  readonly header: Header;
  /** For version > 1: the header it follows, and where that stands. */
  readonly previous?: PlacedHeader;
}

export interface PickLimits {
  readonly headers: number;
  readonly superseding: number;
}

type Readiness = 'ready' | 'waiting' | 'orphan';

/**
 * Chooses the rows of the next batch, oldest first. A later version waits until the ledger shows the one before, so that
 * at most one version of a record is under way.
 */
export class RowPicker {
  private cursor: number;
  /** Rows the cursor passed whose predecessor is not on the ledger yet. */
  private waiting: number[] = [];

  public constructor(
    private readonly chain: OutboxChain,
    /** Rows in frozen batches. */
    private readonly taken: RowRanges,
    private readonly records: OwnRecords,
    private readonly readModel: ReadModel,
    private readonly publisher: string,
  ) {
    this.cursor = chain.start;
  }

  /** Rows on disk that nobody looked at yet; those still on their way there cannot be picked. */
  public get fresh(): number {
    return Math.max(0, (this.chain.durableEnd?.to ?? 0) + 1 - this.cursor);
  }

  /** Rows that can be sent now, and rows that never can because the version before them was refused. */
  public pick(limits: PickLimits): { readonly rows: PickedRow[]; readonly orphans: number[] } {
    const picked: PickedRow[] = [];
    const orphans: number[] = [];
    const superseding = { count: 0 };
    const take = (row: number): void => {
      const header = this.chain.header(row);
      const full = header.version > 1 && superseding.count >= limits.superseding;
      const readiness = full ? 'waiting' : this.readiness(header);
      if (readiness === 'orphan') orphans.push(row);
      else if (readiness === 'waiting') this.waiting.push(row);
      else {
        if (header.version > 1) superseding.count += 1;
        picked.push({ row, header, ...this.previousOf(header) });
      }
    };
    const earlier = this.waiting.filter((row) => this.chain.isPending(row));
    this.waiting = [];
    for (const row of earlier) {
      if (picked.length < limits.headers) take(row);
      else this.waiting.push(row);
    }
    this.takeFresh(picked, limits, take);
    return { rows: picked.sort((left, right) => left.row - right.row), orphans };
  }

  /** A pick that did not become a batch: the rows are there to be picked again. */
  public putBack(rows: readonly number[]): void {
    this.waiting = [...rows, ...this.waiting];
  }

  private takeFresh(picked: readonly PickedRow[], limits: PickLimits, take: (row: number) => void): void {
    for (const group of this.chain.groupsFrom(this.cursor)) {
      for (let row = Math.max(this.cursor, group.from); row <= group.to; row += 1) {
        if (picked.length >= limits.headers) return;
        this.cursor = row + 1;
        if (!this.taken.has(row) && !group.isDone(row)) take(row);
      }
    }
  }

  private readiness(header: Header): Readiness {
    if (header.version === 1) return 'ready';
    const id = recordId(this.publisher, header.kind, header.localId);
    if (this.readModel.recordVersion(id, header.version - 1) !== undefined) return 'ready';
    const before = this.records.rowOf(id, header.version - 1);
    return before !== undefined && this.chain.isPending(before) ? 'waiting' : 'orphan';
  }

  private previousOf(header: Header): { readonly previous?: PlacedHeader } {
    if (header.version === 1) return {};
    const previous = this.readModel.placedHeader(recordId(this.publisher, header.kind, header.localId), header.version - 1);
    return previous === undefined ? {} : { previous };
  }
}
