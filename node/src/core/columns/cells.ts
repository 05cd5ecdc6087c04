import type { OwnValues } from './own-values.js';
import { amountMarks } from './own-values.js';
import type { Piece } from './piece.js';

/** Codes of a row that cells are told apart by. */
export interface CellCodes {
  readonly flags: number;
  readonly kind: number;
  readonly month: number;
  readonly publisher: number;
  /** A header's region by its code; a payload's place as a number. */
  readonly where: number;
}

/** How much of a code's number goes into a cell's: together they stay whole numbers. */
const [mostFlags, mostKinds, mostMonths, mostPublishers, mostWheres] = [32, 1024, 2048, 64, 1_048_576];

/** Amounts of one position among those of a kind, summed up for each cell. */
export interface CellSums {
  low: Float64Array;
  high: Float64Array;
  amounts: Float64Array;
  foreign: Float64Array;
}

type Codes = 'flags' | 'kind' | 'month' | 'publisher' | 'where';

/**
 * How many current records there are of each combination of codes, kept up row by row: most questions are answered from these, which are
 * far fewer than the rows. With payloads, sums of their amounts too.
 */
export class Cells {
  private readonly positions = new Map<number, number>();
  private readonly codes: Record<Codes, Uint32Array> = { flags: new Uint32Array(64), kind: new Uint32Array(64), month: new Uint32Array(64), publisher: new Uint32Array(64), where: new Uint32Array(64) };
  private weight = new Int32Array(64);
  private readonly sums: CellSums[] = [];
  /** A code did not fit: questions go to the rows from then on. */
  private overflown = false;

  public constructor(private readonly names: 'region' | 'place') {}

  public get isUsable(): boolean {
    return !this.overflown;
  }

  /** Adds a row, or takes it out: `by` is 1 or -1. */
  public add(codes: CellCodes, by: number, own?: OwnValues, at = 0): void {
    if (this.overflown) return;
    const position = this.positionOf(codes);
    if (position === undefined) return;
    this.weight[position] = (this.weight[position] ?? 0) + by;
    if (own !== undefined) for (const [number, column] of own.amounts.entries()) this.addAmount(this.sumsOf(number), position, by, column.low[at] ?? 0, column.high[at] ?? amountMarks.absent);
  }

  public piece(): Piece {
    const { flags, kind, month, publisher, where } = this.codes;
    return { rows: this.positions.size, flags, kind, month, publisher, weight: this.weight, sums: this.sums, ...(this.names === 'region' ? { region: where } : { place: where }) };
  }

  private positionOf({ flags, kind, month, publisher, where }: CellCodes): number | undefined {
    if (flags >= mostFlags || kind >= mostKinds || month >= mostMonths || publisher >= mostPublishers || where >= mostWheres) {
      this.overflown = true;
      this.positions.clear();
      return undefined;
    }
    const number = (((where * mostPublishers + publisher) * mostMonths + month) * mostKinds + kind) * mostFlags + flags;
    const known = this.positions.get(number);
    if (known !== undefined) return known;
    const position = this.positions.size;
    this.positions.set(number, position);
    if (position === this.weight.length) this.grow();
    for (const [name, code] of Object.entries({ flags, kind, month, publisher, where })) this.codes[name as Codes][position] = code;
    return position;
  }

  private sumsOf(number: number): CellSums {
    const cells = this.weight.length;
    while (this.sums.length <= number) this.sums.push({ low: new Float64Array(cells), high: new Float64Array(cells), amounts: new Float64Array(cells), foreign: new Float64Array(cells) });
    return this.sums[number] as CellSums;
  }

  private addAmount(sums: CellSums, position: number, by: number, low: number, high: number): void {
    if (high === amountMarks.absent) return;
    const count = high === amountMarks.foreign ? sums.foreign : sums.amounts;
    count[position] = (count[position] ?? 0) + by;
    if (high === amountMarks.foreign) return;
    sums.low[position] = (sums.low[position] ?? 0) + by * low;
    sums.high[position] = (sums.high[position] ?? 0) + by * high;
  }

  private grow(): void {
    for (const name of Object.keys(this.codes) as Codes[]) {
      const wider = new Uint32Array(this.codes[name].length * 2);
      wider.set(this.codes[name]);
      this.codes[name] = wider;
    }
    const weight = new Int32Array(this.weight.length * 2);
    weight.set(this.weight);
    this.weight = weight;
    for (const sums of this.sums) for (const name of ['low', 'high', 'amounts', 'foreign'] as const) sums[name] = widened(sums[name]);
  }
}

function widened(values: Float64Array): Float64Array {
  const wider = new Float64Array(values.length * 2);
  wider.set(values);
  return wider;
}
