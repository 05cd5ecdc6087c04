import { parse } from 'csv-parse/sync';
import { limits, ProtocolError } from '@huilian/protocol';
import type { Position, SourceRow } from '../../core/sync/source.js';
import { CsvFrames, type Frame, type FrameGroup } from './csv-frames.js';
import { FilePart } from './file-part.js';
import { isHeaderAgain } from './header-again.js';
import { CellDecoder, detectEncoding, type TextEncoding } from './text-encoding.js';
import { textChunks } from './text-chunks.js';

/** What the first row says of the rest. */
interface Layout {
  readonly columns: readonly string[];
  readonly delimiter: string;
}

/** How far the file was read: bytes (of UTF-16 files: of their text in UTF-8) and lines behind the last row taken. */
interface CsvPosition {
  readonly offset: number;
  readonly lines: number;
  readonly encoding: TextEncoding;
}

const delimiters = [',', '\t', ';'] as const;

/** Reads a CSV or TSV file: encoding and delimiter by its bytes, columns from its first row, one group of rows at a time in memory. */
export class CsvPart extends FilePart {
  private decoder = new CellDecoder('undecided');
  private done = { offset: 0, lines: 0 };

  public async *rows(): AsyncGenerator<readonly SourceRow[]> {
    await this.begin();
    const from = this.from as CsvPosition | undefined;
    const encoding = await detectEncoding(this.file).catch(() => 'undecided' as const);
    const frames = new CsvFrames((offset) => textChunks(this.file, encoding, offset), limits.recordBytes);
    this.decoder = new CellDecoder(inMemory(from?.encoding ?? encoding));
    let layout: Layout | undefined;
    for await (const group of frames.groups(0, 0)) {
      const rest = layout === undefined ? group.frames.slice(1) : group.frames;
      layout ??= this.readHeader(group.frames[0]);
      if (from !== undefined) break;
      yield* this.take(rest.length === group.frames.length ? group : { frames: rest }, layout);
    }
    if (from === undefined || layout === undefined) return;
    for await (const group of frames.groups(from.offset, from.lines)) yield* this.take(group, layout);
  }

  public end(): Position {
    return { ...this.positionAt(this.done.offset, this.done.lines), whole: true };
  }

  private async *take(group: FrameGroup, layout: Layout): AsyncGenerator<readonly SourceRow[]> {
    yield* this.untilFault(this.readRows(group, layout));
    // What was read before is taken as it was; what follows may be of another file.
    await this.checkUnchanged();
  }

  private *readRows(group: FrameGroup, layout: Layout): Generator<SourceRow> {
    try {
      for (const { cells, frame } of readFrames(group, layout, this.decoder)) {
        const found = cells === undefined ? { fault: faultOf(frame) } : this.rowOf(cells, layout, frame.line);
        this.done = { lines: frame.line + frame.lines - 1, offset: frame.end };
        if (found !== undefined) yield { place: { file: this.name, line: frame.line }, position: this.positionAt(frame.end, this.done.lines), ...found };
      }
    } finally {
      this.progressTo(this.done.offset);
    }
  }

  /** @throws SOURCE_UNREADABLE */
  private readHeader(frame: Frame | undefined): Layout {
    const refuse = (reason: string): never => {
      throw new ProtocolError('SOURCE_UNREADABLE', { file: this.name, line: frame?.line ?? 1, reason });
    };
    if (frame?.bytes === undefined) return refuse('header-too-long');
    const text = (this.decoder.decode(frame.bytes) ?? refuse('header-not-of-its-encoding')).toString().replace(/^\ufeff/, '');
    const delimiter = delimiters.map((each) => ({ each, count: text.split(each).length })).reduce((best, next) => (next.count > best.count ? next : best)).each;
    const columns = (cellsOf(text, delimiter)?.[0] ?? refuse('header-quotes')).map((column) => column.trim());
    const named = columns.filter((column) => column !== '');
    if (new Set(named).size !== named.length) refuse('column-twice');
    if (named.includes('__proto__')) refuse('column-name');
    return { columns, delimiter };
  }

  /** Undefined for what is no row: a blank line, the header once more. @throws SOURCE_CHANGED where another header follows */
  private rowOf(cells: readonly string[], { columns }: Layout, line: number): Pick<SourceRow, 'fault' | 'row'> | undefined {
    if (cells.every((cell) => cell.trim() === '')) return undefined;
    if (isHeaderAgain(cells, columns, { file: this.name, line })) {
      this.reading.warn({ code: 'header-repeated', details: { file: this.name, line } });
      return undefined;
    }
    const row: Record<string, string> = {};
    for (const [index, column] of columns.entries()) if (column !== '') row[column] = cells[index] ?? '';
    // A cell too many or too few shifts the ones behind it; a value under no name would be lost.
    const stray = cells.length !== columns.length || columns.some((column, index) => column === '' && cells[index]?.trim() !== '');
    return stray ? { fault: 'ROW_UNREADABLE' } : { row };
  }

  private positionAt(offset: number, lines: number): Position {
    return { encoding: this.decoder.encoding, file: { ...this.identity }, lines, offset };
  }
}

/** UTF-16 comes to the decoder as UTF-8. */
function inMemory(encoding: TextEncoding): TextEncoding {
  return encoding === 'utf-16be' || encoding === 'utf-16le' ? 'utf-8' : encoding;
}

function faultOf({ bytes }: Frame): 'ROW_TOO_LONG' | 'ROW_UNREADABLE' {
  return bytes === undefined ? 'ROW_TOO_LONG' : 'ROW_UNREADABLE';
}

/** The cells of each frame; undefined where its bytes are not of the file's encoding or its quotes not those of a CSV row. */
function* readFrames({ bytes, frames }: FrameGroup, { delimiter }: Layout, decoder: CellDecoder): Generator<{ readonly frame: Frame; readonly cells?: readonly string[] }> {
  const whole = bytes === undefined ? undefined : decoder.decode(bytes, frames.flatMap((frame) => frame.bytes ?? []));
  const together = whole === undefined ? undefined : cellsOf(whole, delimiter);
  if (together?.length === frames.length) {
    for (const [index, frame] of frames.entries()) yield { cells: together[index] ?? [], frame };
    return;
  }
  // Something in the group is amiss: each row by itself then, so that only it is refused.
  for (const frame of frames) {
    const text = frame.bytes === undefined ? undefined : decoder.decode(frame.bytes);
    const [cells, ...more] = text === undefined ? [] : (cellsOf(text, delimiter) ?? []);
    yield cells === undefined || more.length > 0 ? { frame } : { cells, frame };
  }
}

function cellsOf(text: Buffer | string, delimiter: string): string[][] | undefined {
  try {
    return parse(text, { delimiter, relax_column_count: true, skip_empty_lines: true });
  } catch {
    return undefined;
  }
}
