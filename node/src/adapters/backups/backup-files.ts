import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import { decodeBackup } from '../../core/backup/backup-file.js';
import type { BackupPlace, KeptBackup } from '../../core/backup/keep-backups.js';

const draft = '.part';

/** Backups as files of a folder, readable by their owner alone. */
export class BackupFolder implements BackupPlace {
  public constructor(
    private readonly folder: string,
    private readonly memberId: string,
  ) {}

  public async write(name: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    return await writeBackupFile(path.join(this.folder, name), chunks);
  }

  public async list(): Promise<readonly KeptBackup[]> {
    const pattern = new RegExp(`^${this.memberId}-(\\d{4})(\\d\\d)(\\d\\d)T(\\d\\d)(\\d\\d)(\\d\\d)(\\d{3})Z\\.backup$`);
    const found: KeptBackup[] = [];
    for (const name of (await this.tried(async () => await readdir(this.folder))).sort()) {
      const at = pattern.exec(name)?.slice(1);
      if (at === undefined) continue;
      const [year, month, day, hour, minute, second, millisecond] = at.map(Number) as [number, number, number, number, number, number, number];
      found.push({ name, bytes: (await stat(path.join(this.folder, name))).size, at: Date.UTC(year, month - 1, day, hour, minute, second, millisecond) });
    }
    return found;
  }

  public async remove(name: string): Promise<void> {
    await this.tried(async () => { await rm(path.join(this.folder, name)); });
  }

  private async tried<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      throw failed(this.folder, error);
    }
  }
}

/**
 * Writes a backup beside its name, syncs it, reads it again, and only then gives it its name. Answers its bytes.
 * @throws BACKUP_FAILED {file, cause}: no such file is there then; BAD_FIELD where a file of this name is there already
 */
export async function writeBackupFile(file: string, chunks: AsyncIterable<Uint8Array>, onBytes: (bytes: number) => void = () => undefined): Promise<number> {
  await refuseExisting(file);
  const part = `${file}${draft}`;
  try {
    await rm(part, { force: true });
    const bytes = await fill(await open(part, 'wx', 0o600), chunks, onBytes);
    await readBackupFile(part, { header: () => undefined });
    await rename(part, file);
    await syncFolder(path.dirname(file));
    return bytes;
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw error instanceof ProtocolError ? error : failed(file, error);
  }
}

/** @throws BACKUP_DAMAGED, BACKUP_NEWER, BACKUP_FAILED where it cannot be read */
export async function readBackupFile(file: string, reader: Parameters<typeof decodeBackup>[1]): Promise<number> {
  try {
    return await decodeBackup(createReadStream(file, { highWaterMark: 256 * 1024 }), reader);
  } catch (error) {
    throw error instanceof ProtocolError ? error : failed(file, error);
  }
}

async function refuseExisting(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found !== undefined) throw new ProtocolError('BAD_FIELD', { path: file, reason: 'exists already; a backup is never overwritten' });
}

async function fill(handle: FileHandle, chunks: AsyncIterable<Uint8Array>, onBytes: (bytes: number) => void): Promise<number> {
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      // A short write is an error of the disk, not a reason to go on.
      await handle.writeFile(chunk);
      bytes += chunk.length;
      onBytes(bytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return bytes;
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}

function failed(file: string, error: unknown): ProtocolError {
  return new ProtocolError('BACKUP_FAILED', { file, cause: (error as NodeJS.ErrnoException).code ?? 'unknown' });
}
