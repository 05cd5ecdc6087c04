import { createReadStream } from 'node:fs';
import path from 'node:path';
import { parse } from 'csv-parse';
import { ProtocolError } from '@huilian/protocol';

export interface SampleRows {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Header and first rows of a CSV export: enough to see what its columns hold. @throws CSV_INVALID {file, reason} */
export async function readSample(file: string, most: number): Promise<SampleRows> {
  const rows: string[][] = [];
  try {
    const parser = createReadStream(file).pipe(parse({ bom: true, relax_column_count: true, skip_empty_lines: true, to: most + 1 }));
    for await (const row of parser as AsyncIterable<string[]>) rows.push(row);
  } catch (error) {
    throw new ProtocolError('CSV_INVALID', { file: path.basename(file), reason: (error as { code?: string }).code ?? 'unreadable' });
  }
  const [header, ...samples] = rows;
  if (header === undefined) throw new ProtocolError('CSV_INVALID', { file: path.basename(file), reason: 'empty' });
  return { header: header.map((column) => column.trim()), rows: samples };
}

/** Rows by their columns. */
export function asRecords({ header, rows }: SampleRows): readonly Record<string, string>[] {
  return rows.map((row) => Object.fromEntries(header.map((column, index) => [column, row[index] ?? ''])));
}
