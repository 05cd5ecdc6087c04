/** The value below which this share of the values lies; the values need not be sorted. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/** Runs A and B in turns, so that what else the machine does falls on both. */
export async function inPairs<A, B>(pairs: number, runA: (pair: number) => Promise<A>, runB: (pair: number) => Promise<B>): Promise<(readonly [A, B])[]> {
  const results: (readonly [A, B])[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const a = await runA(pair);
    results.push([a, await runB(pair)]);
  }
  return results;
}

export function rounded(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}
