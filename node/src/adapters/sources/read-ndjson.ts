import path from 'node:path';
import { limits, ProtocolError } from '@huilian/protocol';
import type { Position, Reading, SourcePart, SourceRow } from '../../core/sync/source.js';
import { CsvFrames, type Frame } from './csv-frames.js';
import { checkUnchanged, identify, isIdentity, type FileIdentity } from './file-identity.js';
import type { SourceFile } from './file-source.js';
import { readJsonRow } from './json-rows.js';
import { detectEncoding } from './text-encoding.js';
import { textChunks } from './text-chunks.js';

interface LinePosition {
  readonly offset: number;
  readonly lines: number;
}

/** Reads a file with one JSON object on each line: its fields are the columns. */
export class NdjsonPart implements SourcePart {
  public readonly name: string;
  public readonly kind?: string;
  private readonly file: string;
  private identity: FileIdentity = { head: '', inode: '', modified: 0, size: 0 };
  private done: LinePosition = { lines: 0, offset: 0 };

  /** @param from a position within this very file */
  public constructor(
    { file, kind, name }: SourceFile,
    private readonly from: Position | undefined,
    private readonly reading: Reading,
  ) {
    this.file = file;
    this.name = name ?? path.basename(file);
    if (kind !== undefined) this.kind = kind;
  }

  public async *rows(): AsyncGenerator<readonly SourceRow[]> {
    this.identity = await identify(this.file);
    if (this.from !== undefined && !isIdentity(this.from['file'], this.identity)) throw new ProtocolError('SOURCE_CHANGED', { file: this.name, reason: 'replaced-since-it-was-read' });
    const encoding = await detectEncoding(this.file).catch(() => 'undecided' as const);
    const { lines, offset } = (this.from as LinePosition | undefined) ?? { lines: 0, offset: 0 };
    const frames = new CsvFrames((from) => textChunks(this.file, encoding, from), limits.recordBytes, false);
    for await (const group of frames.groups(offset, lines)) {
      const rows = group.frames.map((frame) => this.rowOf(frame));
      this.reading.progress(this.identity.size === 0 ? 1 : Math.min(1, this.done.offset / this.identity.size));
      yield rows;
      await checkUnchanged(this.file, this.identity);
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
