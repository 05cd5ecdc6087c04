import type { CellSums } from './cells.js';
import type { OwnValues } from './own-values.js';

/** What a question is asked of: some rows, or some cells that stand for as many rows as their weight says. */
export interface Piece {
  readonly rows: number;
  readonly flags: Uint8Array | Uint32Array;
  readonly kind: Uint16Array | Uint32Array;
  readonly month: Uint16Array | Uint32Array;
  readonly publisher: Uint16Array | Uint32Array;
  readonly region?: Uint16Array | Uint32Array;
  readonly place?: Uint32Array;
  /** Of rows: what own payloads say. */
  readonly own?: OwnValues;
  /** Of cells. */
  readonly weight?: Int32Array;
  readonly sums?: readonly CellSums[];
}
