import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { RowFile } from '../../core/columns/header-rows.js';

/** Rows in a file without a name: it is removed when it is opened, so that nothing of it is left whatever becomes of the process. */
export class TemporaryRows implements RowFile {
  private constructor(
    private readonly file: number,
    private readonly rowBytes: number,
  ) {}

  public static open(file: string, rowBytes: number): TemporaryRows {
    const opened = openSync(file, 'w+', 0o600);
    rmSync(file, { force: true });
    return new TemporaryRows(opened, rowBytes);
  }

  public write(row: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) done += writeSync(this.file, bytes, done, bytes.length - done, row * this.rowBytes + done);
  }

  public read(row: number, into: Uint8Array): void {
    if (readSync(this.file, into, 0, this.rowBytes, row * this.rowBytes) !== this.rowBytes) throw new RangeError('a row that was not written');
  }

  public close(): void {
    closeSync(this.file);
  }
}
