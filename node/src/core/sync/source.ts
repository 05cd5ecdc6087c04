import type { ErrorCode, JsonObject } from '@huilian/protocol';

/** Where reading goes on: only the source that made it can read it. Held in the node's store between runs. */
export type Position = JsonObject;

/** Where a row stands, for the operator: a file and its line, or the source's name and the row's running number. */
export interface RowPlace {
  readonly file: string;
  readonly line: number;
  /** Of a source's own numbers: the same number in another run is another row. */
  readonly run?: string;
}

/** What no reader can make a row of. It is told and kept by its place, like a row that breaks a rule. */
type RowFault = Extract<ErrorCode, 'ROW_TOO_LONG' | 'ROW_UNREADABLE'>;

/** A row of a source, by the names of its columns. */
export interface SourceRow {
  readonly place: RowPlace;
  /** Where to go on once this row was acknowledged. */
  readonly position: Position;
  readonly row?: Readonly<Record<string, string>>;
  readonly fault?: RowFault;
}

/** What was noticed beside the rows, in closed words and places; never a value of a row. */
export interface SourceWarning {
  readonly code: string;
  readonly details: Readonly<Record<string, string | number>>;
}

/** What a reading source may ask of and tell the run that reads it. */
export interface Reading {
  readonly signal: AbortSignal;
  warn(warning: SourceWarning): void;
  /** Share of what there is that was read, 0 to 1; unknown where never called. */
  progress(share: number): void;
  /** Whether a part with this mark was read to its end, in this or any run before. */
  remembers(mark: string): boolean;
}

/** Rows that are judged together: a file, or one pass over a table. Two plain rows of one record in it contradict each other. */
export interface SourcePart {
  /** As rows of it name it in their place. */
  readonly name: string;
  /** Kind of its rows, where the source's settings do not say. */
  readonly kind?: string;
  /** In the order of the source, several at a time. @throws SOURCE_UNREADABLE, SOURCE_CHANGED, SOURCE_UNAVAILABLE */
  rows(): AsyncIterable<readonly SourceRow[]>;
  /** Where to go on once all of it was acknowledged. */
  end(): Position;
  /** By what it is known again when it is done: see `Reading.remembers`. */
  readonly marks?: readonly string[];
  /** What is wrong with this part is no reason to leave the ones behind it: it is left where it is, and known by its marks. */
  readonly canBeSetAside?: true;
}

/** Where rows come from. One reader at a time. */
export interface Source {
  /** From the beginning, or from a position that it gave before. @throws SOURCE_UNREADABLE, SOURCE_CHANGED, SOURCE_UNAVAILABLE */
  parts(from: Position | undefined, reading: Reading): AsyncIterable<SourcePart>;
  /** Something may have come; absent where only the clock says when to look. */
  changes?(signal: AbortSignal): AsyncIterable<void>;
}
