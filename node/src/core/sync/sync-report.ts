import type { RowPlace, SourceWarning } from './source.js';

/** One row that was not accepted, for the operator: where it stands and why. Never the row's values. */
export interface RefusedRow extends RowPlace {
  readonly code: string;
  readonly problems: readonly { readonly path: string; readonly code: string; readonly zh: string; readonly en: string }[];
}

export interface SyncCounts {
  readonly rows: number;
  readonly accepted: number;
  readonly unchanged: number;
  readonly refused: number;
  /** Rows that were taken and have something to look at. */
  readonly warned: number;
}

/** What a run did, or a dry run would do. */
export interface SyncReport extends Omit<SyncCounts, 'refused'> {
  /** The first of them; all are on the dead-letter list, but for those of a dry run. */
  readonly refused: readonly RefusedRow[];
  readonly refusedRows: number;
  readonly warnings: readonly SourceWarning[];
}

/** Most refused rows, and most warnings, that a report carries. */
const mostListed = 1000;

/** Counts a run as its answers come. */
export class Tally {
  private readonly counts = { rows: 0, accepted: 0, unchanged: 0, refused: 0, warned: 0 };
  private readonly refusals: RefusedRow[] = [];
  private readonly warnings: SourceWarning[] = [];

  public get current(): SyncCounts {
    return { ...this.counts };
  }

  public get report(): SyncReport {
    const { refused, ...counts } = this.counts;
    return { ...counts, refused: [...this.refusals], refusedRows: refused, warnings: [...this.warnings] };
  }

  public warn(warning: SourceWarning): void {
    if (this.warnings.length < mostListed) this.warnings.push(warning);
  }

  /** The answer to one row, as the intake gives it. */
  public take(place: RowPlace, answer: Readonly<Record<string, unknown>>): void {
    this.counts.rows += 1;
    if (Array.isArray(answer['refused'])) {
      this.counts.refused += 1;
      if (this.refusals.length < mostListed) this.refusals.push({ ...place, code: String(answer['code']), problems: answer['refused'] as RefusedRow['problems'] });
      return;
    }
    this.counts[answer['unchanged'] === true ? 'unchanged' : 'accepted'] += 1;
    if (answer['warnings'] !== undefined) this.counts.warned += 1;
  }
}
