import { cpus, loadavg, release, totalmem } from 'node:os';

/** A goal is met from below or from above. */
interface Goal {
  readonly at: 'least' | 'most';
  readonly value: number;
}

/** One result as it is printed and kept. */
export interface Measure {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  /** Of the pairs the value is the median of. */
  readonly range?: readonly [number, number];
  readonly goal?: Goal;
  /** What it was held against, and how that did. */
  readonly baseline: Readonly<Record<string, unknown>>;
  readonly conditions: Readonly<Record<string, unknown>>;
  /** Where the time went: printed where the goal is missed. */
  readonly profile?: string;
}

export function isMet({ goal, value }: Measure): boolean {
  if (goal === undefined) return true;
  return goal.at === 'least' ? value >= goal.value : value <= goal.value;
}

/** The machine, as every result needs it. */
export function machine(): Record<string, unknown> {
  return { cores: cpus().length, processor: cpus()[0]?.model ?? '', memoryGiB: Math.round(totalmem() / 2 ** 30), kernel: release(), node: process.version };
}

export function load(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

export function table(measures: readonly Measure[]): string {
  const rows = measures.map((measure) => [
    measure.id,
    `${String(measure.value)}${measure.unit === '' ? '' : ` ${measure.unit}`}`,
    measure.range === undefined ? '' : `${String(measure.range[0])} .. ${String(measure.range[1])}`,
    measure.goal === undefined ? '' : `${measure.goal.at === 'least' ? '>=' : '<='} ${String(measure.goal.value)}`,
    measure.goal === undefined ? '' : isMet(measure) ? 'met' : 'MISSED',
    measure.what,
  ]);
  const head = ['id', 'value', 'range', 'goal', '', 'what'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd();
  const missed = measures.filter((measure) => !isMet(measure)).map(({ id, profile }) => `  ${id} missed / 未达标: ${profile ?? 'no profile'}`);
  return [line(head), ...rows.map(line), ...missed].join('\n');
}

/** One line of JSON, the shape that other programs read. */
export function jsonLine(measure: Measure): string {
  const { baseline, conditions, goal, id, profile, range, unit, value, what } = measure;
  const aim = goal === undefined ? { goal: null } : { goal: goal.value, goalIs: `at ${goal.at}`, met: isMet(measure) };
  return JSON.stringify({ id, value, unit, what, range: range ?? null, ...aim, baseline, conditions, ...(profile === undefined ? {} : { profile }) });
}
