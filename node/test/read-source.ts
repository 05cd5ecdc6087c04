import type { Position, Reading, Source, SourceWarning } from '../src/core/sync/source.js';

/** What a source gave, for comparing: `line: cells` or `line: fault`. */
export interface ReadSource {
  readonly rows: string[];
  readonly warnings: SourceWarning[];
  /** Where each row says to go on. */
  readonly positions: Position[];
  readonly ends: Position[];
  failure: { readonly code: string; readonly details: Readonly<Record<string, unknown>> } | undefined;
}

export interface ReadingOptions {
  readonly from?: Position;
  readonly remembers?: (mark: string) => boolean;
  /** Stops after so many rows. */
  readonly most?: number;
}

const longCell = 40;

/** Reads a source to its end, as a run would. */
export async function readSource(source: Source, { from, most = Number.POSITIVE_INFINITY, remembers = () => false }: ReadingOptions = {}): Promise<ReadSource> {
  const read: ReadSource = { ends: [], failure: undefined, positions: [], rows: [], warnings: [] };
  const reading: Reading = { progress: () => undefined, remembers, signal: new AbortController().signal, warn: (warning) => { read.warnings.push(warning); } };
  try {
    for await (const part of source.parts(from, reading)) {
      for await (const rows of part.rows()) {
        for (const { fault, place, position, row } of rows) {
          if (read.rows.length === most) return read;
          const cells = Object.values(row ?? {}).map((cell) => (cell.length > longCell ? `${String(cell.length)} characters` : cell));
          read.rows.push(`${String(place.line)}: ${fault ?? cells.join('|')}`);
          read.positions.push(position);
        }
      }
      read.ends.push(part.end());
    }
  } catch (error) {
    const { code, details } = error as { code: string; details: Readonly<Record<string, unknown>> };
    if (code === undefined) throw error;
    read.failure = { code, details };
  }
  return read;
}
