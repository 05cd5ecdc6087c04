import { RecordSet } from './record-set.js';
import type { Source } from './read-submission.js';

/** Lines of a place fit below this, and the number of its file above, in one number. */
const linesOfFile = 2 ** 34;
const mostFiles = 2 ** 18;

/** Which records a stream has named, and in which row each came first. */
export class SeenRecords {
  private readonly set = new RecordSet();
  /** Number 0 are lines that name no file: they are told by their number in the stream. */
  private readonly files: string[] = [''];
  private readonly numbers = new Map<string, number>();

  /** Adds a record; answers where it came first, `file:line` or `line`, if it came before. */
  public add(localId: string, line: number, source: Source | undefined): string | undefined {
    const file = source === undefined ? 0 : this.numberOf(source.file);
    const before = this.set.add(localId, file * linesOfFile + (source?.line ?? line));
    if (before === undefined) return undefined;
    if (before === 0) return 'an earlier row 先前的行';
    const name = this.files[Math.floor(before / linesOfFile)] ?? '';
    return `${name === '' ? '' : `${name}:`}${String(before % linesOfFile)}`;
  }

  /** A record that counts as named by the stream already, in a row that is not known any more. */
  public remember(localId: string): void {
    this.set.add(localId, 0);
  }

  private numberOf(file: string): number {
    const known = this.numbers.get(file);
    if (known !== undefined) return known;
    // Beyond that, the place is told without its file.
    if (this.files.length >= mostFiles) return 0;
    this.files.push(file);
    this.numbers.set(file, this.files.length - 1);
    return this.files.length - 1;
  }
}
