import { statfs } from 'node:fs/promises';
import { Level } from 'level';
import { ProtocolError } from '@huilian/protocol';
import type { Store, StoreRange, StoreSnapshot, StoreWrite } from '../../core/ports.js';

export interface LevelStoreOptions {
  /** Below this many free bytes writes are refused with DISK_NEARLY_FULL. */
  readonly diskFloorBytes: number;
  /** Called once with the first failure: the process should end and be started again. */
  readonly onFailure?: (error: ProtocolError) => void;
}

const cacheBytes = 32 * 1024 * 1024;
const writeBufferBytes = 16 * 1024 * 1024;
const entriesPerRead = 500;
/** Of the first read: most ranges are pages. */
const firstEntries = 32;
const bytesOfRead = 1024 * 1024;
/** Free space is looked up again after this time, or after this share of the floor was written. */
const diskCheckMilliseconds = 1000;
const diskCheckShare = 8;

interface WaitingWrite {
  readonly writes: readonly StoreWrite[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

type Database = Level<string, Uint8Array>;

/**
 * The store on LevelDB. Every write is synced, concurrent ones together. After one failed write LevelDB may hold it or not, and refuses what
 * follows; so does this store, until the folder is opened again. It never repairs a database by itself: repair can
 * bring back garbage as values.
 */
export class LevelStore implements Store {
  private failure: ProtocolError | undefined;
  private checkedAt = -Infinity;
  private writtenSinceCheck = 0;
  private nearlyFull = false;
  private readonly waiting: WaitingWrite[] = [];
  private writing = false;

  private constructor(
    private readonly database: Database,
    private readonly folder: string,
    private readonly options: LevelStoreOptions,
  ) {}

  /** @throws STORAGE_FAILED {reason: 'locked' when another process holds the folder, else 'open'} */
  public static async open(folder: string, options: LevelStoreOptions): Promise<LevelStore> {
    const database: Database = new Level(folder, {
      keyEncoding: 'utf8',
      valueEncoding: 'view',
      cacheSize: cacheBytes,
      writeBufferSize: writeBufferBytes,
    });
    try {
      await database.open();
    } catch (error) {
      const locked = causeCode(error) === 'LEVEL_LOCKED';
      throw new ProtocolError('STORAGE_FAILED', { reason: locked ? 'locked' : 'open', folder, cause: causeCode(error) });
    }
    return new LevelStore(database, folder, options);
  }

  public get(key: string): Uint8Array | undefined {
    try {
      return this.database.getSync(key);
    } catch (error) {
      throw new ProtocolError('STORAGE_FAILED', { reason: 'read', cause: causeCode(error) });
    }
  }

  public entries(range: StoreRange): AsyncGenerator<readonly [string, Uint8Array]> {
    return this.read(range);
  }

  public async first(range: StoreRange, count: number): Promise<readonly (readonly [string, Uint8Array])[]> {
    const iterator = this.database.iterator({ ...range, highWaterMarkBytes: bytesOfRead });
    try {
      const found = await iterator.nextv(count);
      // Bytes can end a read before its entries do, but not for entries of pages.
      while (found.length > 0 && found.length < count && bytesOf(found) >= bytesOfRead) {
        const more = await iterator.nextv(count - found.length);
        if (more.length === 0) break;
        found.push(...more);
      }
      return found;
    } catch (error) {
      throw new ProtocolError('STORAGE_FAILED', { reason: 'read', cause: causeCode(error) });
    } finally {
      // Nobody waits for it.
      void iterator.close();
    }
  }

  public snapshot(): StoreSnapshot {
    const snapshot = this.database.snapshot();
    return { entries: (range) => this.read({ ...range, snapshot }), close: async () => { await snapshot.close(); } };
  }

  private async *read(range: StoreRange & { readonly snapshot?: ReturnType<Database['snapshot']> }): AsyncGenerator<readonly [string, Uint8Array]> {
    const iterator = this.database.iterator(range);
    try {
      for (let size = firstEntries; ; size = Math.min(size * 4, entriesPerRead)) {
        const entries = await iterator.nextv(size);
        if (entries.length === 0) return;
        yield* entries;
      }
    } catch (error) {
      throw new ProtocolError('STORAGE_FAILED', { reason: 'read', cause: causeCode(error) });
    } finally {
      await iterator.close();
    }
  }

  public async write(writes: readonly StoreWrite[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (writes.length === 0) return;
    await this.checkDisk();
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ writes, resolve, reject });
      if (!this.writing) void this.writeWaiting();
    });
  }

  public async close(): Promise<void> {
    await this.database.close();
  }

  /**
   * One synced batch at a time. What comes meanwhile shares the next one: a sync costs the same whatever it covers, and a
   * batch is written whole or not at all, so each caller's writes still are.
   */
  private async writeWaiting(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) {
      const group = this.waiting.splice(0);
      try {
        await this.writeGroup(group.flatMap(({ writes }) => writes));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.writing = false;
  }

  private async writeGroup(writes: readonly StoreWrite[]): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const batch = this.database.batch();
    for (const write of writes) {
      if ('remove' in write) batch.del(write.key);
      else {
        batch.put(write.key, write.value);
        this.writtenSinceCheck += write.key.length + write.value.length;
      }
    }
    try {
      await batch.write({ sync: true });
    } catch (error) {
      throw this.fail(error);
    }
  }

  private fail(error: unknown): ProtocolError {
    const first = this.failure === undefined;
    this.failure ??= new ProtocolError('STORAGE_FAILED', { reason: 'write', cause: causeCode(error) });
    if (first) this.options.onFailure?.(this.failure);
    return this.failure;
  }

  private async checkDisk(): Promise<void> {
    const now = performance.now();
    const due = now - this.checkedAt > diskCheckMilliseconds || this.writtenSinceCheck > this.options.diskFloorBytes / diskCheckShare;
    if (due) {
      this.checkedAt = now;
      this.writtenSinceCheck = 0;
      const { bavail, bsize } = await statfs(this.folder);
      this.nearlyFull = bavail * bsize < this.options.diskFloorBytes;
    }
    if (this.nearlyFull) throw new ProtocolError('DISK_NEARLY_FULL', { floorBytes: this.options.diskFloorBytes });
  }
}

function bytesOf(entries: readonly (readonly [string, Uint8Array])[]): number {
  return entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
}

function causeCode(error: unknown): string {
  const { cause, code } = error as { cause?: { code?: unknown }; code?: unknown };
  return String(cause?.code ?? code ?? 'unknown');
}
