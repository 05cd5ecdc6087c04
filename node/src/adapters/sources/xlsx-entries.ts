import { once } from 'node:events';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { open, type Entry, type ZipFile } from 'yauzl';
import { ProtocolError } from '@huilian/protocol';

/** What a sheet may inflate to, and what is held in memory (texts and styles) may. */
const mostSheetBytes = 2 * 1024 * 1024 * 1024;
const mostHeldBytes = 64 * 1024 * 1024;
/** Sheets compress well; what inflates to more than so many times its size was made to. */
const mostRatio = 200;
const ratioFrom = 16 * 1024 * 1024;
const mostEntries = 10_000;

/** The parts of a workbook, inflated as they are read and never beyond their bounds. */
export class XlsxEntries {
  private constructor(
    private readonly name: string,
    private readonly zip: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  /** @throws SOURCE_UNREADABLE where it is no zip archive */
  public static async open(file: string): Promise<XlsxEntries> {
    const name = path.basename(file);
    const zip = await new Promise<ZipFile>((resolve, reject) => {
      open(file, { autoClose: false, lazyEntries: true, strictFileNames: false }, (error, opened) => {
        if (error !== null) reject(unreadable(name, 'not-a-workbook'));
        else resolve(opened);
      });
    });
    const entries = new Map<string, Entry>();
    zip.on('entry', (entry: Entry) => {
      entries.set(entry.fileName, entry);
      if (entries.size > mostEntries) zip.emit('error', unreadable(name, 'too-many-parts'));
      else zip.readEntry();
    });
    zip.readEntry();
    try {
      await once(zip, 'end');
    } catch (error) {
      zip.close();
      throw error instanceof ProtocolError ? error : unreadable(name, 'not-a-workbook');
    }
    return new XlsxEntries(name, zip, entries);
  }

  public close(): void {
    this.zip.close();
  }

  public has(entry: string): boolean {
    return this.entries.has(entry);
  }

  /** Reads a part as XML, telling its tags and texts in order; a yield of the thread between chunks. @throws SOURCE_UNREADABLE */
  public async *tags(entryName: string, isHeld: boolean, onOpen: (tag: SaxesTagPlain) => void, onClose: (name: string) => void, onText: (text: string) => void): AsyncGenerator<void> {
    const entry = this.entries.get(entryName);
    if (entry === undefined) throw unreadable(this.name, 'a-part-is-missing');
    this.check(entry, isHeld);
    const parser = new SaxesParser({ position: false, xmlns: false });
    let failure: Error | undefined;
    parser.on('error', (error) => { failure ??= error; });
    parser.on('opentag', onOpen);
    parser.on('closetag', ({ name }) => { onClose(name); });
    parser.on('text', onText);
    parser.on('cdata', onText);
    const decoder = new TextDecoder('utf-8', { fatal: true });
    try {
      for await (const chunk of await this.stream(entry)) {
        parser.write(decoder.decode(chunk as Uint8Array, { stream: true }));
        if (failure !== undefined) break;
        yield;
      }
      if (failure === undefined) parser.close();
    } catch (error) {
      throw error instanceof ProtocolError ? error : unreadable(this.name, 'a-part-is-damaged');
    }
    if (failure !== undefined) throw unreadable(this.name, 'a-part-is-no-xml');
    yield;
  }

  /** By the sizes that the archive states; what comes beyond them ends the stream. */
  private check({ compressedSize, uncompressedSize }: Entry, isHeld: boolean): void {
    if (uncompressedSize > (isHeld ? mostHeldBytes : mostSheetBytes)) throw unreadable(this.name, isHeld ? 'its-texts-are-too-large-save-it-as-csv' : 'inflates-too-far');
    if (uncompressedSize > ratioFrom && uncompressedSize > compressedSize * mostRatio) throw unreadable(this.name, 'inflates-too-far');
  }

  private async stream(entry: Entry): Promise<Readable> {
    return await new Promise<Readable>((resolve, reject) => {
      this.zip.openReadStream(entry, (error, stream) => {
        if (error !== null) reject(unreadable(this.name, 'a-part-is-damaged'));
        else resolve(stream);
      });
    });
  }
}

function unreadable(file: string, reason: string): ProtocolError {
  return new ProtocolError('SOURCE_UNREADABLE', { file, reason });
}
