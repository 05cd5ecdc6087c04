/** What one drill did and what did not hold. */
export interface DrillResult {
  readonly drill: string;
  readonly what: string;
  readonly faults: number;
  readonly kills: number;
  readonly violations: readonly string[];
  readonly seconds: number;
  /** Why it was not run; then nothing is claimed. */
  readonly skipped?: string;
  /** Counts worth keeping. */
  readonly figures?: Readonly<Record<string, number | string>>;
}

/** Collects what one drill sees. */
export class Tally {
  public faults = 0;
  public kills = 0;
  public readonly figures: Record<string, number | string> = {};
  private readonly found: string[] = [];
  private readonly begun = performance.now();

  public constructor(
    private readonly drill: string,
    private readonly what: string,
  ) {}

  public violation(text: string): void {
    this.found.push(text);
  }

  public expect(holds: boolean, text: string): void {
    if (!holds) this.violation(text);
  }

  public count(figure: string, by = 1): void {
    this.figures[figure] = Number(this.figures[figure] ?? 0) + by;
  }

  public result(skipped?: string): DrillResult {
    const seconds = Math.round((performance.now() - this.begun) / 100) / 10;
    return { drill: this.drill, what: this.what, faults: this.faults, kills: this.kills, violations: this.found, seconds, ...(skipped === undefined ? {} : { skipped }), figures: this.figures };
  }
}

export function table(results: readonly DrillResult[]): string {
  const rows = [
    ['drill', 'what 内容', 'faults 故障', 'kills 终止', 'violations 违反', 's'],
    ...results.map(({ drill, faults, kills, seconds, skipped, violations, what }) => [drill, what, String(faults), String(kills), skipped === undefined ? String(violations.length) : `SKIPPED 未执行: ${skipped}`, String(seconds)]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => width(row[column] ?? '')))) ?? [];
  const lines = rows.map((row) => row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - width(cell))).join('  ').trimEnd());
  const wrong = results.flatMap(({ drill, violations }) => violations.map((text) => `  ${drill}: ${text}`));
  const sum = (of: (result: DrillResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const total = `${String(sum(({ faults }) => faults))} faults 故障, ${String(sum(({ kills }) => kills))} kills 终止, ${String(sum(({ violations }) => violations.length))} violations 违反`;
  return [...lines, '', ...wrong, total].join('\n');
}

/** Columns of a terminal: Chinese letters take two. */
function width(text: string): number {
  return [...text].reduce((sum, letter) => sum + (/[\u1100-\u115f\u2e80-\u9fff\uac00-\ud7a3\uff00-\uff60]/.test(letter) ? 2 : 1), 0);
}
