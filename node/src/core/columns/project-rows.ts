import { payloadStates, projectNumbers, type OwnValues } from './own-values.js';
import { RowTable } from './row-table.js';

/** Own values of a row and where they stand in them. */
type At = readonly [own: OwnValues | undefined, at: number];

const firstSlots = 16;

/** Rows of each project: the newest is in a table, and each row names the one before. */
export class ProjectRows {
  private readonly newest: RowTable;

  public constructor(private readonly at: (row: number) => At) {
    this.newest = new RowTable((row) => hashOf(...this.projectOf(row)), firstSlots);
  }

  /** A row's values were put. */
  public add(row: number): void {
    const [high, low] = this.projectOf(row);
    if (high === 0) return;
    const before = this.newest.put(hashOf(high, low), row, (other) => this.isOf(other, high, low));
    this.setBefore(row, before === undefined ? 0 : before + 1);
  }

  /** A row's values will be dropped. */
  public remove(row: number): void {
    const [high, low] = this.projectOf(row);
    if (high === 0) return;
    const hash = hashOf(high, low);
    const newest = this.newest.find(hash, (other) => (this.isOf(other, high, low) ? other : undefined));
    if (newest === undefined) return;
    const before = this.beforeOf(row);
    // Without a row before it, what stays in the table is of no project any more.
    if (newest === row && before !== 0) this.newest.put(hash, before - 1, (other) => other === row);
    for (let one = newest; one !== row;) {
      const next = this.beforeOf(one);
      if (next === row + 1) this.setBefore(one, before);
      if (next === 0 || next === row + 1) break;
      one = next - 1;
    }
  }

  /** Newest first. */
  public rowsOf(project: string): readonly number[] {
    const [high, low] = projectNumbers(project);
    const rows: number[] = [];
    const newest = high === 0 ? undefined : this.newest.find(hashOf(high, low), (row) => (this.isOf(row, high, low) ? row : undefined));
    for (let next = newest === undefined ? 0 : newest + 1; next !== 0; next = this.beforeOf(next - 1)) rows.push(next - 1);
    return rows;
  }

  private projectOf(row: number): readonly [high: number, low: number] {
    const [own, at] = this.at(row);
    return [own?.projectHigh[at] ?? 0, own?.projectLow[at] ?? 0];
  }

  private isOf(row: number, high: number, low: number): boolean {
    const [own, at] = this.at(row);
    return own?.state[at] === payloadStates.read && own.projectHigh[at] === high && own.projectLow[at] === low;
  }

  private beforeOf(row: number): number {
    const [own, at] = this.at(row);
    return own?.before[at] ?? 0;
  }

  private setBefore(row: number, before: number): void {
    const [own, at] = this.at(row);
    if (own !== undefined) own.before[at] = before;
  }
}

/** 30 bits of a project's two numbers. */
function hashOf(high: number, low: number): number {
  return (Math.imul(high, 0x9e37_79b1) ^ Math.imul(low, 0x85eb_ca6b)) >>> 2;
}
