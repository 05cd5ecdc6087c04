import path from 'node:path';
import type { SaxesTagPlain } from 'saxes';
import { limits, ProtocolError } from '@huilian/protocol';
import type { Position, SourceRow } from '../../core/sync/source.js';
import { FilePart } from './file-part.js';
import { isHeaderAgain } from './header-again.js';
import { SheetRows, type SheetRow } from './xlsx-rows.js';
import { XlsxEntries } from './xlsx-entries.js';

/** Reads the first sheet of an Excel workbook; its first row that is not blank names the columns. */
export class XlsxPart extends FilePart {
  private done = 0;

  public async *rows(): AsyncGenerator<readonly SourceRow[]> {
    await this.begin();
    const behind = Number(this.from?.['line'] ?? 0);
    const entries = await XlsxEntries.open(this.file);
    try {
      let columns: readonly string[] | undefined;
      for await (const sheetRows of this.sheet(entries)) {
        const [header] = sheetRows;
        const rest = columns === undefined ? sheetRows.slice(1) : sheetRows;
        if (header === undefined) continue;
        columns ??= this.readHeader(header);
        yield* this.untilFault(this.take(rest, columns, behind));
        await this.checkUnchanged();
      }
    } finally {
      entries.close();
    }
  }

  public end(): Position {
    return { ...this.positionAt(this.done), whole: true };
  }

  private *take(sheetRows: readonly SheetRow[], columns: readonly string[], behind: number): Generator<SourceRow> {
    for (const row of sheetRows) if (row.line > behind && !this.isHeaderAgain(row, columns)) yield this.rowOf(row, columns);
  }

  private positionAt(line: number): Position {
    return { file: { ...this.identity }, line };
  }

  private async *sheet(entries: XlsxEntries): AsyncGenerator<readonly SheetRow[]> {
    const { is1904, names, sheet } = await readWorkbook(entries, this.name);
    if (names > 1) this.reading.warn({ code: 'other-sheets-not-read', details: { file: this.name, sheets: names - 1 } });
    yield* new SheetRows(entries, { is1904, mostBytes: limits.recordBytes, onLostDigits: (line) => { this.reading.warn({ code: 'number-lost-digits', details: { file: this.name, line } }); } }).read(sheet);
  }

  /** @throws SOURCE_UNREADABLE */
  private readHeader({ cells, line }: SheetRow): readonly string[] {
    const columns = Array.from(cells ?? [], (cell) => (cell ?? '').trim());
    const named = columns.filter((column) => column !== '');
    if (cells === undefined || named.length === 0 || new Set(named).size !== named.length || named.includes('__proto__')) throw new ProtocolError('SOURCE_UNREADABLE', { file: this.name, line, reason: 'column-twice' });
    return columns;
  }

  private isHeaderAgain({ cells = [], line }: SheetRow, columns: readonly string[]): boolean {
    if (!isHeaderAgain(Array.from(cells, (cell) => cell ?? ''), columns, { file: this.name, line })) return false;
    this.reading.warn({ code: 'header-repeated', details: { file: this.name, line } });
    return true;
  }

  private rowOf({ cells, fault, line }: SheetRow, columns: readonly string[]): SourceRow {
    this.done = line;
    const place = { place: { file: this.name, line }, position: this.positionAt(line) };
    if (cells === undefined) return { ...place, fault: fault ?? 'ROW_UNREADABLE' };
    const row: Record<string, string> = {};
    for (const [index, column] of columns.entries()) if (column !== '') row[column] = cells[index] ?? '';
    // A value under no name would be lost.
    const isStray = cells.some((cell, index) => (cell ?? '').trim() !== '' && (columns[index] ?? '') === '');
    return isStray ? { ...place, fault: 'ROW_UNREADABLE' } : { ...place, row };
  }
}

interface Workbook {
  /** Part of the first sheet that is shown. */
  readonly sheet: string;
  readonly names: number;
  readonly is1904: boolean;
}

async function readWorkbook(entries: XlsxEntries, file: string): Promise<Workbook> {
  const sheets: { readonly relation: string; readonly isHidden: boolean }[] = [];
  const targets = new Map<string, string>();
  let is1904 = false;
  const none = (): void => undefined;
  const onSheet = ({ attributes, name }: SaxesTagPlain): void => {
    if (local(name) === 'workbookPr') is1904 = ['1', 'true'].includes(attributes['date1904'] ?? '');
    if (local(name) === 'sheet') sheets.push({ isHidden: (attributes['state'] ?? 'visible') !== 'visible', relation: Object.entries(attributes).find(([key]) => local(key) === 'id' && key.includes(':'))?.[1] ?? '' });
  };
  for await (const _ of entries.tags('xl/workbook.xml', true, onSheet, none, none));
  for await (const _ of entries.tags('xl/_rels/workbook.xml.rels', true, ({ attributes, name }) => { if (local(name) === 'Relationship') targets.set(attributes['Id'] ?? '', attributes['Target'] ?? ''); }, none, none));
  const shown = sheets.filter(({ isHidden }) => !isHidden);
  const target = targets.get(shown[0]?.relation ?? '');
  if (target === undefined) throw new ProtocolError('SOURCE_UNREADABLE', { file, reason: 'no-sheet' });
  return { is1904, names: shown.length, sheet: target.startsWith('/') ? target.slice(1) : path.posix.join('xl', target) };
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
