import { createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse';
import { ProtocolError } from '@huilian/protocol';
import type { NodeApi } from './node-api.js';

/** One row that was not accepted, for the operator: where it stands and why. Never the row's values. */
export interface RefusedRow {
  readonly file: string;
  readonly line: number;
  readonly problems: readonly { readonly path: string; readonly code: string; readonly zh: string; readonly en: string }[];
}

export interface SyncReport {
  readonly rows: number;
  readonly accepted: number;
  readonly unchanged: number;
  readonly refused: readonly RefusedRow[];
}

export interface SyncProgress {
  /** Share of the files' bytes read so far, 0 to 1. */
  (share: number, accepted: number, refused: number): void;
}

/** The kind a file's rows are of: by `--kind`, else by the leading part of its name (`qualification-….csv`). */
export function kindOfFile(file: string, kinds: readonly string[], chosen?: string): string {
  const name = path.basename(file).toLowerCase();
  const kind = chosen ?? kinds.find((candidate) => name.startsWith(candidate) || name.includes(`-${candidate}`));
  if (kind === undefined) {
    throw new ProtocolError('CSV_INVALID', { file: path.basename(file), reason: `name it after a kind (${kinds.join(', ')}) or give --kind` });
  }
  return kind;
}

/** Streams CSV files with national field names into a node and reports what was accepted and refused. */
export async function syncFiles(
  api: NodeApi,
  files: readonly { readonly file: string; readonly kind: string }[],
  onProgress: SyncProgress = () => undefined,
  mapping?: string,
): Promise<SyncReport> {
  const total = files.reduce((sum, { file }) => sum + statSync(file).size, 0);
  const read: Reading = { bytes: 0, rows: 0 };
  const places: { file: string; line: number }[] = [];
  const counts = { accepted: 0, unchanged: 0 };
  const refused: RefusedRow[] = [];
  const take = (answer: Record<string, unknown>): void => {
    const place = places[Number(answer['line']) - 1];
    if (place !== undefined && Array.isArray(answer['refused'])) {
      refused.push({ ...place, problems: answer['refused'] as RefusedRow['problems'] });
    } else if (place !== undefined) {
      counts[answer['unchanged'] === true ? 'unchanged' : 'accepted'] += 1;
    }
    onProgress(total === 0 ? 1 : read.bytes / total, counts.accepted + counts.unchanged, refused.length);
  };
  try {
    for await (const answer of api.stream('/v1/records', rowsOf(files, read, places, mapping))) take(answer);
  } catch (error) {
    // A file that cannot be read breaks the stream to the node too; the file is what the operator must hear about.
    throw read.failure ?? error;
  }
  if (read.failure !== undefined) throw read.failure;
  return { rows: read.rows, ...counts, refused };
}

interface Reading {
  bytes: number;
  rows: number;
  failure?: ProtocolError;
}

async function* rowsOf(
  files: readonly { readonly file: string; readonly kind: string }[],
  read: Reading,
  places: { file: string; line: number }[],
  mapping: string | undefined,
): AsyncGenerator<string> {
  for (const { file, kind } of files) {
    const source = createReadStream(file);
    source.on('data', (chunk) => (read.bytes += chunk.length));
    const parser = source.pipe(parse({ bom: true, columns: true, info: true, relax_column_count: true, skip_empty_lines: true }));
    source.once('error', (error) => parser.destroy(error));
    for await (const { record, info } of csvRows(parser, file, read)) {
      const place = { file: path.basename(file), line: info.lines };
      places.push(place);
      read.rows += 1;
      yield JSON.stringify({ kind, ...(mapping === undefined ? {} : { mapping }), row: record, source: place });
    }
  }
}

interface CsvRow {
  readonly record: Record<string, string>;
  readonly info: { readonly lines: number };
}

async function* csvRows(parser: AsyncIterable<unknown>, file: string, read: Reading): AsyncGenerator<CsvRow> {
  try {
    for await (const row of parser) yield row as CsvRow;
  } catch (error) {
    read.failure = new ProtocolError('CSV_INVALID', { file: path.basename(file), reason: (error as { code?: string }).code ?? 'unreadable' });
    throw read.failure;
  }
}
