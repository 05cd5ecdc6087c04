import { ProtocolError } from '@huilian/protocol';
import type { CellSums } from './cells.js';
import type { Groups } from './group-columns.js';
import { amountMarks, halfBits, type OwnValues } from './own-values.js';
import type { Piece } from './piece.js';

/** More combinations than this are counted by the groups that come, fewer in arrays. */
const mostDense = 65_536;

export interface Tally {
  readonly count: number;
  /** Fen. */
  readonly sum: bigint;
  readonly amounts: number;
  readonly foreign: number;
}

/** Counts and sums by group. */
export class TallyGroups {
  private count: Float64Array;
  private sums: CellSums;
  /** Position in the arrays by group; absent where it is the group itself. */
  private readonly positions: Map<number, number> | undefined;

  /** @param amountPositions where each kind, by its code, has the amount that is summed; -1 for those that have it not */
  public constructor(
    combinations: number,
    private readonly amountPositions: Int32Array | undefined,
  ) {
    if (combinations > Number.MAX_SAFE_INTEGER) throw new ProtocolError('BAD_FIELD', { path: '/by', reason: 'too-many-combinations' });
    this.positions = combinations > mostDense ? new Map() : undefined;
    const size = this.positions === undefined ? combinations : 1024;
    const ofSums = (): Float64Array => new Float64Array(amountPositions === undefined ? 0 : size);
    this.count = new Float64Array(size);
    this.sums = { low: ofSums(), high: ofSums(), amounts: ofSums(), foreign: ofSums() };
  }

  public add(piece: Piece, selected: Uint8Array, groups: Groups): void {
    if (this.positions !== undefined) this.place(this.positions, selected, groups, piece.rows);
    if (piece.weight === undefined) this.countRows(selected, groups, piece.rows);
    else this.countCells(selected, groups, piece.rows, piece.weight);
    if (this.amountPositions === undefined) return;
    if (piece.sums !== undefined) this.addSums(piece, piece.sums, selected, groups, this.amountPositions);
    else if (piece.own !== undefined) this.addAmounts(piece, piece.own, selected, groups, this.amountPositions);
  }

  /** Each group that has records. */
  public *found(): Generator<readonly [group: number, tally: Tally]> {
    const { amounts, foreign, high, low } = this.sums;
    for (const entry of this.positions ?? this.count.keys()) {
      const [group, at] = typeof entry === 'number' ? [entry, entry] : entry;
      const count = this.count[at] ?? 0;
      if (count === 0) continue;
      const sum = this.amountPositions === undefined ? 0n : BigInt(low[at] ?? 0) + (BigInt(high[at] ?? 0) << BigInt(halfBits));
      yield [group, { count, sum, amounts: amounts[at] ?? 0, foreign: foreign[at] ?? 0 }];
    }
  }

  /** Puts positions in place of groups. */
  private place(positions: Map<number, number>, selected: Uint8Array, groups: Groups, rows: number): void {
    for (let at = 0; at < rows; at += 1) {
      if (selected[at] === 0) {
        groups[at] = 0;
        continue;
      }
      const group = groups[at] as number;
      let position = positions.get(group);
      if (position === undefined) {
        position = positions.size;
        positions.set(group, position);
        if (position >= this.count.length) this.grow();
      }
      groups[at] = position;
    }
  }

  private countRows(selected: Uint8Array, groups: Groups, rows: number): void {
    const { count } = this;
    for (let at = 0; at < rows; at += 1) count[groups[at] as number] = (count[groups[at] as number] as number) + (selected[at] as number);
  }

  private countCells(selected: Uint8Array, groups: Groups, rows: number, weight: Int32Array): void {
    const { count } = this;
    for (let at = 0; at < rows; at += 1) count[groups[at] as number] = (count[groups[at] as number] as number) + (selected[at] as number) * (weight[at] as number);
  }

  private addSums({ kind, rows }: Piece, of: readonly CellSums[], selected: Uint8Array, groups: Groups, positions: Int32Array): void {
    for (let at = 0; at < rows; at += 1) {
      const sums = of[positions[kind[at] as number] as number];
      if (selected[at] === 0 || sums === undefined) continue;
      const group = groups[at] as number;
      for (const name of ['low', 'high', 'amounts', 'foreign'] as const) this.sums[name][group] = (this.sums[name][group] as number) + (sums[name][at] as number);
    }
  }

  private addAmounts({ kind, rows }: Piece, own: OwnValues, selected: Uint8Array, groups: Groups, positions: Int32Array): void {
    const { amounts, foreign, high, low } = this.sums;
    for (let at = 0; at < rows; at += 1) {
      if (selected[at] === 0) continue;
      const column = own.amounts[positions[kind[at] as number] as number];
      const upper = column?.high[at] ?? amountMarks.absent;
      if (column === undefined || upper === amountMarks.absent) continue;
      const group = groups[at] as number;
      if (upper === amountMarks.foreign) foreign[group] = (foreign[group] as number) + 1;
      else {
        amounts[group] = (amounts[group] as number) + 1;
        high[group] = (high[group] as number) + upper;
        low[group] = (low[group] as number) + (column.low[at] as number);
      }
    }
  }

  private grow(): void {
    const wider = (values: Float64Array): Float64Array => {
      const after = new Float64Array(values.length * 2);
      after.set(values);
      return after;
    };
    const { amounts, foreign, high, low } = this.sums;
    this.count = wider(this.count);
    this.sums = { low: wider(low), high: wider(high), amounts: wider(amounts), foreign: wider(foreign) };
  }
}
