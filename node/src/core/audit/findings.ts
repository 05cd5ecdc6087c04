/**
 * What an audit looks for. Numbers I1 to I17 are those of docs/operations/audit.md; `chain` is the hash chain of blocks.
 */
export type Invariant = 'chain' | 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I9' | 'I13' | 'I14' | 'I15' | 'I16' | 'I17';

/** One place where what must hold does not. Names places and codes, never contents of records. */
export interface Finding {
  readonly invariant: Invariant;
  /** Block, transaction, record, ticket or row. */
  readonly place: string;
  readonly expected: string;
  readonly found: string;
}

/** Collects findings; past a bound it only counts, so that one broken ledger does not fill the memory. */
export class Findings {
  readonly #kept: Finding[] = [];
  #count = 0;

  public constructor(private readonly most = 1000) {}

  public add(invariant: Invariant, place: string, expected: string, found: string): void {
    this.#count += 1;
    if (this.#kept.length < this.most) this.#kept.push({ invariant, place, expected, found });
  }

  public get list(): readonly Finding[] {
    return this.#kept;
  }

  /** Those that were not kept too. */
  public get count(): number {
    return this.#count;
  }
}
