import type { KindColumn } from '../export/kind-columns.js';

/** One copy of the tables, with how far it is. A rebuild makes the next one beside the one that is shown. */
export interface MirrorGeneration {
  readonly number: number;
  /** Whether it is the one that is shown. */
  readonly serving: boolean;
  /** Last block that is in it whole, -1 before the first. */
  readonly block: number;
  /** Hash of that block, empty before the first. */
  readonly hash: string;
  /** How many erasures it followed, and the digest of the last of them. */
  readonly erasures: number;
  readonly lastErasure: string;
  /** What it was made for: other settings need another. */
  readonly settings: string;
}

/** How far a write brings a generation: what of it is in the tables is all of it. */
export type MirrorProgress = Pick<MirrorGeneration, 'block' | 'erasures' | 'hash' | 'lastErasure'>;

/** Columns of a kind's payloads, beside those that every kind has. */
export interface MirrorTable {
  readonly kind: string;
  readonly columns: readonly KindColumn[];
}

/** The current version of a record. */
export interface MirrorRow {
  readonly recordId: string;
  readonly version: number;
  /** Values of the columns by their names, as JSON. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** What happens to the tables of a kind, in this order. Versions only rise: a row that is newer stays. */
export interface MirrorChanges {
  readonly kind: string;
  readonly rows: readonly MirrorRow[];
  /** Records whose versions up to this one are contested. */
  readonly contested: readonly (readonly [recordId: string, version: number])[];
  /** Records that leave, where what stands is not newer than this version. */
  readonly erased: readonly (readonly [recordId: string, version: number])[];
}

/** One connection to the centre's own database. After an error it is of no more use. */
export interface MirrorSession {
  /** All that are there, of this member on this ledger. @throws MIRROR_FAILED {reason: other-node} */
  generations(): Promise<readonly MirrorGeneration[]>;
  begin(number: number, serving: boolean, settings: string): Promise<MirrorGeneration>;
  /** Makes the tables, or gives them the columns that they lack. */
  prepare(generation: MirrorGeneration, tables: readonly MirrorTable[]): Promise<void>;
  /**
   * All the changes and the new checkpoint in one transaction. @throws MIRROR_FAILED {reason: other-writer} where the checkpoint is not
   * the one that the changes follow; the generation is as it was
   */
  advance(generation: MirrorGeneration, write: (put: (changes: MirrorChanges) => Promise<void>) => Promise<MirrorProgress>): Promise<MirrorGeneration>;
  /** Shows this generation and drops all others, at once. */
  serve(generation: MirrorGeneration): Promise<MirrorGeneration>;
  close(): Promise<void>;
}

/** The centre's own database. */
export interface MirrorDatabase {
  /** @throws MIRROR_FAILED {reason: away} */
  connect(): Promise<MirrorSession>;
}
