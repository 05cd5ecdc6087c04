import type { Header } from '@huilian/protocol';
import { Cells, type CellCodes } from './cells.js';
import { Dictionary } from './dictionary.js';
import { OwnValues, payloadStates, type PayloadValues } from './own-values.js';
import type { Piece } from './piece.js';
import { ProjectRows } from './project-rows.js';

/** Rows of one piece of the columns: pieces are added as rows come, so that growing copies nothing. */
export const rowsPerSegment = 32_768;

/** Bits of a row's flags; the two above them are the rights class. */
export const rowFlags = { current: 1, revoked: 2, contested: 4, rightsShift: 3 } as const;
export const rightsClasses = ['owner', 'publisher', 'public'] as const satisfies readonly Header['rights'][];

/** Values of some rows, one array a column. */
export interface Segment {
  readonly flags: Uint8Array;
  readonly publisher: Uint16Array;
  readonly kind: Uint16Array;
  /** Of the publication, months since January 1970 in Beijing time. */
  readonly month: Uint16Array;
  readonly region: Uint16Array;
  /** Of the node's own payloads; absent where the rows are all of other centres. */
  own?: OwnValues;
}

/** What the columns keep of a header, as codes. */
export interface CodedHeader {
  readonly flags: number;
  readonly kind: number;
  readonly region: number;
}

const beijingSeconds = 8 * 3600;

/** Month of a time, in Beijing time: months since January 1970. */
export function monthOf(seconds: number): number {
  const date = new Date((seconds + beijingSeconds) * 1000);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

export function monthName(month: number): string {
  return `${String(1970 + Math.floor(month / 12))}-${String((month % 12) + 1).padStart(2, '0')}`;
}

/** Digits of a place: they fit a number, whose order is that of the ledger. */
const transactionsPerBlock = 100_000;

/**
 * One row for every version of a record on the ledger, in the order of the ledger: nine bytes each. No id is kept: where a
 * version stands on the ledger says which row it is.
 */
export class RecordColumns {
  public readonly publishers = new Dictionary();
  public readonly kinds = new Dictionary();
  /** Division of the subject's registration, six digits out of its USCC (GB 32100, digits 3 to 8); empty where there is no subject. */
  public readonly regions = new Dictionary();
  public readonly segments: Segment[] = [];
  /** Current records by what headers say, and own ones by what headers and payloads say. */
  public readonly headerCells = new Cells('region');
  public readonly payloadCells = new Cells('place');
  /** Rows of own payloads by their project. */
  public readonly projects = new ProjectRows((row) => [this.segmentOf(row)?.own, row % rowsPerSegment]);
  private rowCount = 0;
  private firstMonth = 0;
  private lastMonth = 0;
  /** Place of each batch and its first row. */
  private readonly batchPlaces: number[] = [];
  private readonly batchRows: number[] = [];

  public get rows(): number {
    return this.rowCount;
  }

  /** First and last month there is. */
  public get monthRange(): readonly [first: number, last: number] {
    return [this.firstMonth, this.lastMonth];
  }

  /** Place of the last batch, empty before the first. */
  public get lastBatch(): string {
    const last = this.batchPlaces.at(-1);
    return last === undefined ? '' : placeText(last);
  }

  public code({ kind, rights, status, subject }: Header): CodedHeader {
    return {
      flags: (status === 'revoked' ? rowFlags.revoked : 0) | (rightsClasses.indexOf(rights) << rowFlags.rightsShift),
      kind: this.kinds.codeOf(kind),
      region: this.regions.codeOf(subject.slice(6, 12)),
    };
  }

  /** Begins a batch, whose headers are added next, in order. */
  public addBatch(place: string): void {
    this.batchPlaces.push(placeNumber(place));
    this.batchRows.push(this.rowCount);
  }

  public addRow({ flags, kind, region }: CodedHeader, publisher: number, month: number): void {
    const at = this.rowCount % rowsPerSegment;
    if (at === 0) this.segments.push(emptySegment());
    const segment = this.segments.at(-1) as Segment;
    segment.flags[at] = flags;
    segment.publisher[at] = publisher;
    segment.kind[at] = kind;
    segment.month[at] = month;
    segment.region[at] = region;
    this.firstMonth = this.rowCount === 0 ? month : Math.min(this.firstMonth, month);
    this.lastMonth = Math.max(this.lastMonth, month);
    this.rowCount += 1;
    this.count(segment, at, 1);
  }

  /** Row of the header at a place; undefined while it was not added. */
  public rowAt(place: string): number | undefined {
    const [block = '', transaction = '', index = '0'] = place.split('.');
    const batch = this.batchAt(Number(block) * transactionsPerBlock + Number(transaction));
    return batch === undefined ? undefined : (this.batchRows[batch] ?? 0) + Number(index);
  }

  /** Place of the header in a row. */
  public placeOf(row: number): string {
    let [low, high] = [0, this.batchRows.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.batchRows[middle] ?? 0) <= row) low = middle;
      else high = middle - 1;
    }
    return `${placeText(this.batchPlaces[low] ?? 0)}.${String(row - (this.batchRows[low] ?? 0)).padStart(4, '0')}`;
  }

  public flagsOf(row: number): number {
    return this.segmentOf(row)?.flags[row % rowsPerSegment] ?? 0;
  }

  public publisherOf(row: number): string {
    return this.publishers.text(this.segmentOf(row)?.publisher[row % rowsPerSegment] ?? 0);
  }

  public setFlag(row: number, flag: number, on: boolean): void {
    const [segment, at] = [this.segmentOf(row), row % rowsPerSegment];
    if (segment === undefined || row >= this.rowCount) return;
    const before = segment.flags[at] ?? 0;
    this.count(segment, at, -1);
    segment.flags[at] = on ? before | flag : before & ~flag;
    this.count(segment, at, 1);
  }

  /** Puts what an own payload says; undefined where there is no payload (any more). */
  public putPayload(row: number, values: PayloadValues | undefined): void {
    const [segment, at] = [this.segmentOf(row), row % rowsPerSegment];
    if (segment === undefined || row >= this.rowCount) return;
    const own = (segment.own ??= new OwnValues(rowsPerSegment));
    this.countPayload(segment, at, -1);
    if (own.state[at] === payloadStates.read) this.projects.remove(row);
    if (values === undefined) own.forget(at);
    else {
      own.put(at, values);
      this.projects.add(row);
    }
    this.countPayload(segment, at, 1);
  }

  /** Some rows as a piece of their own. */
  public gather(rows: readonly number[]): Piece {
    const own = new OwnValues(rows.length);
    const names = ['flags', 'kind', 'month', 'publisher', 'region'] as const;
    const codes = Object.fromEntries(names.map((name) => [name, new Uint32Array(rows.length)])) as Record<(typeof names)[number], Uint32Array>;
    for (const [at, row] of rows.entries()) {
      const [segment, from] = [this.segmentOf(row) as Segment, row % rowsPerSegment];
      for (const name of names) codes[name][at] = segment[name][from] ?? 0;
      if (segment.own !== undefined) own.copy(at, segment.own, from);
    }
    return { ...codes, rows: rows.length, own, place: own.place };
  }

  private count(segment: Segment, at: number, by: number): void {
    const flags = segment.flags[at] ?? 0;
    if ((flags & rowFlags.current) === 0) return;
    this.headerCells.add({ ...codesAt(segment, at), where: segment.region[at] ?? 0 }, by);
    this.countPayload(segment, at, by);
  }

  private countPayload(segment: Segment, at: number, by: number): void {
    const { flags, own } = segment;
    if (own === undefined || own.state[at] !== payloadStates.read || ((flags[at] ?? 0) & rowFlags.current) === 0) return;
    this.payloadCells.add({ ...codesAt(segment, at), where: own.place[at] ?? 0 }, by, own, at);
  }

  private segmentOf(row: number): Segment | undefined {
    return this.segments[Math.floor(row / rowsPerSegment)];
  }

  /** Position of the batch at exactly this place. */
  private batchAt(place: number): number | undefined {
    let [low, high] = [0, this.batchPlaces.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.batchPlaces[middle] ?? 0;
      if (found === place) return middle;
      if (found < place) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}

function codesAt({ flags, kind, month, publisher }: Segment, at: number): Omit<CellCodes, 'where'> {
  return { flags: flags[at] ?? 0, kind: kind[at] ?? 0, month: month[at] ?? 0, publisher: publisher[at] ?? 0 };
}

function emptySegment(): Segment {
  return {
    flags: new Uint8Array(rowsPerSegment),
    publisher: new Uint16Array(rowsPerSegment),
    kind: new Uint16Array(rowsPerSegment),
    month: new Uint16Array(rowsPerSegment),
    region: new Uint16Array(rowsPerSegment),
  };
}

function placeNumber(place: string): number {
  const [block = '', transaction = ''] = place.split('.');
  return Number(block) * transactionsPerBlock + Number(transaction);
}

function placeText(place: number): string {
  const block = Math.floor(place / transactionsPerBlock);
  return `${String(block).padStart(10, '0')}.${String(place % transactionsPerBlock).padStart(5, '0')}`;
}
