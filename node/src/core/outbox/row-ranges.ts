/** Rows as ranges [first, last], both included, ascending and apart from each other. */
export type Ranges = readonly (readonly [first: number, last: number])[];

/** A set of row numbers that are mostly in a row. */
export class RowRanges {
  private readonly ranges: [number, number][] = [];

  public constructor(ranges: Ranges = []) {
    for (const [first, last] of ranges) this.add(first, last);
  }

  public get count(): number {
    return this.ranges.reduce((total, [first, last]) => total + last - first + 1, 0);
  }

  public list(): Ranges {
    return this.ranges.map(([first, last]) => [first, last] as const);
  }

  public has(row: number): boolean {
    return this.rangeOf(row) !== undefined;
  }

  /** Last row of the run that holds this row; undefined where the set does not hold it. */
  public endOfRun(row: number): number | undefined {
    return this.rangeOf(row)?.[1];
  }

  public add(first: number, last: number = first): void {
    const start = this.ranges.findIndex(([, end]) => end >= first - 1);
    if (start === -1) {
      this.ranges.push([first, last]);
      return;
    }
    let end = start;
    let merged: [number, number] = [first, last];
    for (; end < this.ranges.length; end += 1) {
      const [low, high] = this.ranges[end] ?? [Infinity, Infinity];
      if (low > last + 1) break;
      merged = [Math.min(merged[0], low), Math.max(merged[1], high)];
    }
    this.ranges.splice(start, end - start, merged);
  }

  public remove(first: number, last: number = first): void {
    for (let at = this.ranges.length - 1; at >= 0; at -= 1) {
      const [low, high] = this.ranges[at] ?? [0, 0];
      if (high < first || low > last) continue;
      const left: [number, number][] = low < first ? [[low, first - 1]] : [];
      const right: [number, number][] = high > last ? [[last + 1, high]] : [];
      this.ranges.splice(at, 1, ...left, ...right);
    }
  }

  private rangeOf(row: number): readonly [number, number] | undefined {
    let low = 0;
    let high = this.ranges.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const range = this.ranges[middle] ?? [0, 0];
      if (row < range[0]) high = middle - 1;
      else if (row > range[1]) low = middle + 1;
      else return range;
    }
    return undefined;
  }
}

/** Ascending rows as ranges. */
export function toRanges(rows: Iterable<number>): Ranges {
  const ranges: [number, number][] = [];
  for (const row of rows) {
    const last = ranges.at(-1);
    if (last?.[1] === row - 1) last[1] = row;
    else ranges.push([row, row]);
  }
  return ranges;
}

export function* rowsOf(ranges: Ranges): Generator<number> {
  for (const [first, last] of ranges) for (let row = first; row <= last; row += 1) yield row;
}
