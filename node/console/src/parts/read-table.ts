import { parse } from 'csv-parse/browser/esm/sync';

/** Rows as they were pasted: by column, and as cells beside the header. */
export interface PastedTable {
  readonly header: readonly string[];
  readonly cells: readonly (readonly string[])[];
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** The text is no table. */
  readonly fault?: true;
}

/** A header and rows, separated by tabs as spreadsheets copy them, or by commas. */
export function readTable(text: string): PastedTable {
  if (text.trim() === '') return { header: [], cells: [], rows: [] };
  const delimiter = (text.split('\n', 1)[0] ?? '').includes('\t') ? '\t' : ',';
  try {
    const [header = [], ...cells] = parse(text, { bom: true, delimiter, relax_column_count: true, relax_quotes: delimiter === '\t', skip_empty_lines: true, trim: true }) as unknown as string[][];
    const rows = cells.map((row) => Object.fromEntries(header.map((column, index) => [column, row[index] ?? '']).filter(([column]) => column !== '')) as Record<string, string>);
    return { header, cells, rows };
  } catch {
    return { header: [], cells: [], rows: [], fault: true };
  }
}
