import type { SaxesTagPlain } from 'saxes';
import { columnOf, dateOfSerial, hasLostDigits, isDateFormat, textOfNumber } from './xlsx-cells.js';
import type { XlsxEntries } from './xlsx-entries.js';

/** A row that is not blank; no cells where it cannot be read. */
export interface SheetRow {
  /** As the sheet counts, from 1. */
  readonly line: number;
  readonly cells?: readonly (string | undefined)[];
  readonly fault?: 'ROW_TOO_LONG' | 'ROW_UNREADABLE';
}

export interface SheetOptions {
  readonly is1904: boolean;
  /** Most bytes of a row's texts. */
  readonly mostBytes: number;
  onLostDigits(line: number): void;
}

interface OpenCell {
  readonly column: number;
  readonly type: string;
  readonly style: number;
  text: string;
}

const sharedStrings = 'xl/sharedStrings.xml';
const styles = 'xl/styles.xml';
/** Excel's own bound; a cell beyond it is an attack on memory. */
const mostColumns = 16_384;

/** The rows of a sheet as texts, a chunk of the part at a time. */
export class SheetRows {
  private texts: readonly string[] = [];
  private dateStyles: readonly boolean[] = [];
  private rows: SheetRow[] = [];
  private line = 0;
  private cells: (string | undefined)[] = [];
  private bytes = 0;
  private fault: SheetRow['fault'];
  private cell: OpenCell | undefined;
  private isValue = false;
  private isSpoken = false;

  public constructor(
    private readonly entries: XlsxEntries,
    private readonly options: SheetOptions,
  ) {}

  public async *read(sheet: string): AsyncGenerator<readonly SheetRow[]> {
    this.texts = this.entries.has(sharedStrings) ? await readTexts(this.entries) : [];
    this.dateStyles = this.entries.has(styles) ? await readDateStyles(this.entries) : [];
    for await (const _ of this.entries.tags(sheet, false, (tag) => { this.open(tag); }, (name) => { this.close(local(name)); }, (text) => { this.add(text); })) {
      const rows = this.rows;
      this.rows = [];
      if (rows.length > 0) yield rows;
    }
  }

  private open({ attributes, name }: SaxesTagPlain): void {
    const tag = local(name);
    if (tag === 'row') {
      const stated = Number(attributes['r']);
      this.line = Number.isSafeInteger(stated) && stated > this.line ? stated : this.line + 1;
      [this.cells, this.bytes, this.fault] = [[], 0, undefined];
    } else if (tag === 'c') {
      this.cell = { column: columnOf(attributes['r']) ?? this.cells.length, style: Number(attributes['s'] ?? 0), text: '', type: attributes['t'] ?? 'n' };
    } else if (tag === 'v' || tag === 't') this.isValue = this.cell !== undefined && !this.isSpoken;
    // How a name is read aloud stands beside it and is not part of it.
    else if (tag === 'rPh') this.isSpoken = true;
  }

  private add(text: string): void {
    if (!this.isValue || this.cell === undefined || this.fault !== undefined) return;
    this.bytes += Buffer.byteLength(text);
    if (this.bytes > this.options.mostBytes) this.fault = 'ROW_TOO_LONG';
    else this.cell.text += text;
  }

  private close(tag: string): void {
    if (tag === 'v' || tag === 't') this.isValue = false;
    else if (tag === 'rPh') this.isSpoken = false;
    else if (tag === 'c') this.closeCell();
    else if (tag === 'row') this.closeRow();
  }

  private closeCell(): void {
    const { cell } = this;
    this.cell = undefined;
    if (cell === undefined || this.fault !== undefined) return;
    const text = cell.text === '' ? '' : this.textOf(cell);
    if (text === undefined || cell.column >= mostColumns) {
      this.fault = 'ROW_UNREADABLE';
      return;
    }
    if (cell.type === 's') this.bytes += Buffer.byteLength(text);
    if (this.bytes > this.options.mostBytes) this.fault = 'ROW_TOO_LONG';
    else if (text !== '') this.cells[cell.column] = text;
  }

  private closeRow(): void {
    if (this.fault !== undefined) this.rows.push({ fault: this.fault, line: this.line });
    else if (this.cells.some((cell) => (cell ?? '').trim() !== '')) this.rows.push({ cells: this.cells, line: this.line });
    this.cells = [];
  }

  /** Undefined for an error value, and for what a damaged sheet holds. */
  private textOf({ style, text, type }: OpenCell): string | undefined {
    switch (type) {
      case 's':
        return this.texts[Number(text)];
      case 'inlineStr':
      case 'str':
      case 'd':
        return text;
      case 'b':
        return text === '1' ? 'true' : 'false';
      case 'n':
        if (this.dateStyles[style] === true) return dateOfSerial(Number(text), this.options.is1904);
        if (hasLostDigits(text)) this.options.onLostDigits(this.line);
        return textOfNumber(text);
      default:
        return undefined;
    }
  }
}

async function readTexts(entries: XlsxEntries): Promise<readonly string[]> {
  const texts: string[] = [];
  let current = '';
  let [isText, isSpoken] = [false, false];
  const onOpen = ({ name }: SaxesTagPlain): void => {
    if (local(name) === 'si') current = '';
    else if (local(name) === 'rPh') isSpoken = true;
    else if (local(name) === 't') isText = !isSpoken;
  };
  const onClose = (name: string): void => {
    if (local(name) === 'si') texts.push(current);
    else if (local(name) === 'rPh') isSpoken = false;
    else if (local(name) === 't') isText = false;
  };
  for await (const _ of entries.tags(sharedStrings, true, onOpen, onClose, (text) => { if (isText) current += text; }));
  return texts;
}

async function readDateStyles(entries: XlsxEntries): Promise<readonly boolean[]> {
  const formats = new Map<number, string>();
  const found: boolean[] = [];
  let isCellStyles = false;
  const onOpen = ({ attributes, name }: SaxesTagPlain): void => {
    const tag = local(name);
    if (tag === 'numFmt') formats.set(Number(attributes['numFmtId']), attributes['formatCode'] ?? '');
    else if (tag === 'cellXfs') isCellStyles = true;
    else if (tag === 'xf' && isCellStyles) found.push(isDateFormat(Number(attributes['numFmtId'] ?? 0), formats.get(Number(attributes['numFmtId'] ?? 0))));
  };
  for await (const _ of entries.tags(styles, true, onOpen, (name) => { if (local(name) === 'cellXfs') isCellStyles = false; }, () => undefined));
  return found;
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
