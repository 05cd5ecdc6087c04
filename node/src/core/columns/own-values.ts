/** What is known of an own payload: nothing yet, its values, or that it has none (revoked, erased, or not here). */
export const payloadStates = { unread: 0, read: 1, none: 2 } as const;

/** Values of one payload that the columns keep. */
export interface PayloadValues {
  /** Six digits of the division it is about; empty where it names none. */
  readonly place: string;
  /** Project code, one letter and sixteen digits; empty where it names none. */
  readonly project: string;
  /** By the kind's amounts in their order: fen as digits, `foreign` for one in another currency, undefined for none. */
  readonly amounts: readonly (string | 'foreign' | undefined)[];
}

/** An amount in two halves of thirty bits: nothing of it is lost, and halves can be summed as plain numbers. */
export interface AmountColumn {
  readonly low: Uint32Array;
  readonly high: Uint32Array;
}

/** In place of a high half. */
export const amountMarks = { absent: 0xffff_ffff, foreign: 0xffff_fffe } as const;
export const halfBits = 30;
const half = 2 ** halfBits;

/** Values of the own payloads behind some rows. */
export class OwnValues {
  public readonly state: Uint8Array;
  /** A division's six digits as a number, 0 for none. */
  public readonly place: Uint32Array;
  /** A project's letter and first eight digits as a number, 0 for none, and its last eight. */
  public readonly projectHigh: Uint32Array;
  public readonly projectLow: Uint32Array;
  /** The row before of the same project plus one, 0 for none. */
  public readonly before: Uint32Array;
  /** By the position of an amount among those of its kind. */
  public readonly amounts: AmountColumn[] = [];

  public constructor(private readonly rows: number) {
    this.state = new Uint8Array(rows);
    this.place = new Uint32Array(rows);
    this.projectHigh = new Uint32Array(rows);
    this.projectLow = new Uint32Array(rows);
    this.before = new Uint32Array(rows);
  }

  public put(at: number, { amounts, place, project }: PayloadValues): void {
    this.state[at] = payloadStates.read;
    this.place[at] = Number(place);
    [this.projectHigh[at], this.projectLow[at]] = projectNumbers(project);
    for (const [position, amount] of amounts.entries()) if (amount !== undefined) this.putAmount(at, position, amount);
  }

  /** Leaves nothing of a payload. */
  public forget(at: number): void {
    this.state[at] = payloadStates.none;
    this.place[at] = 0;
    this.projectHigh[at] = 0;
    this.projectLow[at] = 0;
    for (const { high, low } of this.amounts) {
      high[at] = amountMarks.absent;
      low[at] = 0;
    }
  }

  /** Takes over a row of others. */
  public copy(at: number, from: OwnValues, fromAt: number): void {
    for (const name of ['state', 'place', 'projectHigh', 'projectLow'] as const) this[name][at] = from[name][fromAt] ?? 0;
    for (const [position, { high, low }] of from.amounts.entries()) this.putHalves(at, position, low[fromAt] ?? 0, high[fromAt] ?? amountMarks.absent);
  }

  private putAmount(at: number, position: number, amount: string): void {
    const fen = amount === 'foreign' ? 0n : BigInt(amount);
    this.putHalves(at, position, Number(fen % BigInt(half)), amount === 'foreign' ? amountMarks.foreign : Number(fen / BigInt(half)));
  }

  private putHalves(at: number, position: number, lower: number, upper: number): void {
    while (this.amounts.length <= position) this.amounts.push({ low: new Uint32Array(this.rows), high: new Uint32Array(this.rows).fill(amountMarks.absent) });
    const { high, low } = this.amounts[position] as AmountColumn;
    low[at] = lower;
    high[at] = upper;
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const lastDigits = 100_000_000;

/** A project code as two numbers, zeros for none. */
export function projectNumbers(code: string): [high: number, low: number] {
  if (!/^[A-Z]\d{16}$/.test(code)) return [0, 0];
  return [(letters.indexOf(code.charAt(0)) + 1) * lastDigits + Number(code.slice(1, 9)), Number(code.slice(9))];
}

export function projectCode(high: number, low: number): string {
  if (high === 0) return '';
  const letter = letters.charAt(Math.floor(high / lastDigits) - 1);
  return `${letter}${String(high % lastDigits).padStart(8, '0')}${String(low).padStart(8, '0')}`;
}
