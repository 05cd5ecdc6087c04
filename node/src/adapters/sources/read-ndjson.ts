import { limits } from '@huilian/protocol';
import type { Position, SourceRow } from '../../core/sync/source.js';
import { CsvFrames, type Frame } from './csv-frames.js';
import { FilePart } from './file-part.js';
import { readJsonRow } from './json-rows.js';
import { detectEncoding } from './text-encoding.js';
import { textChunks } from './text-chunks.js';

interface LinePosition {
  readonly offset: number;
  readonly lines: number;
}

/** Reads a file with one JSON object on each line: its fields are the columns. */
export class NdjsonPart extends FilePart {
  private done: LinePosition = { lines: 0, offset: 0 };

  public async *rows(): AsyncGenerator<readonly SourceRow[]> {
    await this.begin();
    const encoding = await detectEncoding(this.file).catch(() => 'undecided' as const);
    const { lines, offset } = (this.from as LinePosition | undefined) ?? { lines: 0, offset: 0 };
    const frames = new CsvFrames((from) => textChunks(this.file, encoding, from), limits.recordBytes, false);
    for await (const group of frames.groups(offset, lines)) {
      const rows = group.frames.map((frame) => this.rowOf(frame));
      this.progressTo(this.done.offset);
      yield rows;
      await this.checkUnchanged();
    }
  }

  public end(): Position {
    return { file: { ...this.identity }, ...this.done, whole: true };
  }

  private rowOf({ bytes, end, line }: Frame): SourceRow {
    this.done = { lines: line, offset: end };
    const row = bytes === undefined ? undefined : readJsonRow(bytes);
    const found = row === undefined ? { fault: bytes === undefined ? ('ROW_TOO_LONG' as const) : ('ROW_UNREADABLE' as const) } : { row };
    return { place: { file: this.name, line }, position: { file: { ...this.identity }, ...this.done }, ...found };
  }
}
