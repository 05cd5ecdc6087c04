import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { canonicalize, ProtocolError } from '@huilian/protocol';
import type { HighWaterMark, Mark } from '../../core/outbox/high-water-mark.js';

const slotBytes = 256;

/**
 * The outbox's high-water mark in a small file of its own, apart from the database: two slots written in turn, each with
 * its own check, so that a torn write leaves the other slot. Synced before `write` answers.
 */
export class MarkFile implements HighWaterMark {
  private nextSlot: number;
  /** A sync that failed once may report success the next time although nothing reached the disk: it is not tried again. */
  private failed = false;

  private constructor(
    private readonly file: FileHandle,
    private mark: Mark | undefined,
    slot: number,
  ) {
    this.nextSlot = 1 - slot;
  }

  /** Opens or makes the file. @throws STORAGE_FAILED where it cannot be opened, or holds bytes but no readable mark */
  public static async open(path: string): Promise<MarkFile> {
    const file = await openOrMake(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2 * slotBytes), 0, 2 * slotBytes, 0);
    const slots = [buffer.subarray(0, slotBytes), buffer.subarray(slotBytes, 2 * slotBytes)].map(readSlot);
    const [left, right] = slots;
    const slot = (right?.to ?? -1) > (left?.to ?? -1) ? 1 : 0;
    // One torn slot is a crash while writing; two unreadable ones are damage, and must not read as "nothing written yet".
    if (bytesRead > slotBytes && slots[slot] === undefined) {
      await file.close();
      throw new ProtocolError('STORAGE_FAILED', { reason: 'high-water-mark', file: path });
    }
    return new MarkFile(file, slots[slot], slot);
  }

  public read(): Mark | undefined {
    return this.mark;
  }

  public async write(mark: Mark): Promise<void> {
    if (this.failed) throw new ProtocolError('STORAGE_FAILED', { reason: 'high-water-mark' });
    const text = canonicalize({ head: mark.head, to: mark.to });
    const slot = Buffer.alloc(slotBytes, 0x20);
    slot.write(`${check(text)} ${text}\n`);
    try {
      await this.file.write(slot, 0, slotBytes, this.nextSlot * slotBytes);
      await this.file.datasync();
    } catch {
      this.failed = true;
      throw new ProtocolError('STORAGE_FAILED', { reason: 'high-water-mark' });
    }
    this.nextSlot = 1 - this.nextSlot;
    this.mark = mark;
  }

  public async close(): Promise<void> {
    await this.file.close();
  }
}

async function openOrMake(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return await make(path);
    throw new ProtocolError('STORAGE_FAILED', { reason: 'high-water-mark', file: path });
  }
}

/** A file is there for good once its folder is synced. */
async function make(path: string): Promise<FileHandle> {
  const file = await open(path, 'wx+', 0o600);
  if (process.platform === 'win32') return file;
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
  return file;
}

function check(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function readSlot(bytes: Uint8Array): Mark | undefined {
  const line = Buffer.from(bytes).toString('utf8').trimEnd();
  const [found, text] = [line.slice(0, 32), line.slice(33)];
  return check(text) === found ? (JSON.parse(text) as Mark) : undefined;
}
