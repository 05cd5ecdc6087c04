import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import type { Position, Reading, SourcePart, SourceRow } from '../../core/sync/source.js';
import { checkUnchanged, identify, isIdentity, type FileIdentity } from './file-identity.js';
import type { SourceFile } from './file-source.js';

/** A file that is read from its beginning, or from a position within it as long as it is that very file. */
export abstract class FilePart implements SourcePart {
  public readonly name: string;
  public readonly kind?: string;
  protected readonly file: string;
  protected identity: FileIdentity = { head: '', inode: '', modified: 0, size: 0 };

  /** @param from a position within this very file */
  public constructor(
    { file, kind, name }: SourceFile,
    protected readonly from: Position | undefined,
    protected readonly reading: Reading,
  ) {
    this.file = file;
    this.name = name ?? path.basename(file);
    if (kind !== undefined) this.kind = kind;
  }

  public abstract rows(): AsyncGenerator<readonly SourceRow[]>;
  public abstract end(): Position;

  /** Before the first row. @throws SOURCE_UNREADABLE, SOURCE_CHANGED where the position is of another file */
  protected async begin(): Promise<void> {
    this.identity = await identify(this.file);
    if (this.from !== undefined && !isIdentity(this.from['file'], this.identity)) throw new ProtocolError('SOURCE_CHANGED', { file: this.name, reason: 'replaced-since-it-was-read' });
  }

  /** After rows that were taken as they were: what follows may be of another file. @throws SOURCE_CHANGED */
  protected async checkUnchanged(): Promise<void> {
    await checkUnchanged(this.file, this.identity);
  }

  /** Rows in one piece; where one throws, those before it come first, which are good ones. */
  protected *untilFault(found: Iterable<SourceRow>): Generator<readonly SourceRow[]> {
    const rows: SourceRow[] = [];
    let failure: unknown;
    try {
      for (const row of found) rows.push(row);
    } catch (error) {
      failure = error;
    }
    if (rows.length > 0) yield rows;
    if (failure !== undefined) throw failure;
  }

  protected progressTo(offset: number): void {
    this.reading.progress(this.identity.size === 0 ? 1 : Math.min(1, offset / this.identity.size));
  }
}
