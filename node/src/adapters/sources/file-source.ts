import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import { kindOfName } from '../../core/sync/kind-of-file.js';
import type { Position, Reading, Source, SourcePart } from '../../core/sync/source.js';
import { identify, isIdentity } from './file-identity.js';
import { CsvPart } from './read-csv.js';
import { NdjsonPart } from './read-ndjson.js';
import { XlsxPart } from './read-xlsx.js';

/** A file to be read, and the kind of its rows where its own name says it. */
export interface SourceFile {
  readonly file: string;
  /** By which its rows are told; the name of the file where absent. */
  readonly name?: string;
  readonly kind?: string;
}

/** A file, from its beginning or from a position within it as it is. */
export type FilePartType = new (source: SourceFile, from: Position | undefined, reading: Reading) => SourcePart;

const partTypes: Readonly<Record<string, FilePartType>> = { '.csv': CsvPart, '.jsonl': NdjsonPart, '.ndjson': NdjsonPart, '.tab': CsvPart, '.tsv': CsvPart, '.txt': CsvPart, '.xlsx': XlsxPart };

/** Whether the name of a file ends as those do that can be read. */
export function isReadable(file: string): boolean {
  return Object.hasOwn(partTypes, path.extname(file).toLowerCase());
}

/** @throws SOURCE_UNREADABLE {reason} for a file whose name ends in none of them */
export function filePart(source: SourceFile, from: Position | undefined, reading: Reading): SourcePart {
  const type = partTypes[path.extname(source.file).toLowerCase()];
  if (type === undefined) throw new ProtocolError('SOURCE_UNREADABLE', { file: path.basename(source.file), reason: `the name must end in one of ${Object.keys(partTypes).join(' ')}` });
  return new type(source, from, reading);
}

/** One file that is read again whenever it has changed; in the middle of it, reading goes on where it stopped. */
export class FileSource implements Source {
  public constructor(
    private readonly file: string,
    private readonly kinds: () => readonly string[],
  ) {}

  public async *parts(from: Position | undefined, reading: Reading): AsyncGenerator<SourcePart> {
    const same = isIdentity(from?.['file'], await identify(this.file));
    // Read to its end and not touched since: nothing can have come.
    if (same && from?.['whole'] === true) return;
    if (!same && from !== undefined && from['whole'] !== true) reading.warn({ code: 'file-replaced', details: { file: path.basename(this.file) } });
    const kind = kindOfName(path.basename(this.file), this.kinds());
    yield filePart({ file: this.file, ...(kind === undefined ? {} : { kind }) }, same ? from : undefined, reading);
  }
}

/** Several files, each by itself, from the beginning. */
export class FilesSource implements Source {
  public constructor(private readonly files: readonly SourceFile[]) {}

  public async *parts(_from: Position | undefined, reading: Reading): AsyncGenerator<SourcePart> {
    for (const { file } of this.files) await identify(file);
    for (const [index, file] of this.files.entries()) {
      const progress = (share: number): void => { reading.progress((index + share) / this.files.length); };
      yield await Promise.resolve(filePart(file, undefined, { ...reading, progress }));
    }
  }
}
