import { ProtocolError } from '@huilian/protocol';
import { Mutex } from '../mutex.js';
import type { Clock } from '../ports.js';

/** A backup in its place. */
export interface KeptBackup {
  readonly name: string;
  readonly bytes: number;
  /** When it was begun, Unix milliseconds. */
  readonly at: number;
}

/** Where backups lie, best on another machine or medium. */
export interface BackupPlace {
  /** Whole or not at all, read again and found whole before it answers. */
  write(name: string, chunks: AsyncIterable<Uint8Array>): Promise<number>;
  /** Oldest first. */
  list(): Promise<readonly KeptBackup[]>;
  remove(name: string): Promise<void>;
}

export interface KeepBackupsParts {
  readonly clock: Clock;
  readonly memberId: string;
  /** Absent where no place is configured. */
  readonly place?: BackupPlace;
  /** Hours from one backup to the next, 0 for none but those that are asked for. */
  readonly everyHours: number;
  /** How many are kept; older ones are removed once a new one is there. */
  readonly keep: number;
  readonly onAlarm: (error: ProtocolError) => void;
  stream(): AsyncIterable<Uint8Array>;
}

const hour = 3_600_000;
const betweenLooks = 60_000;
/** A backup that failed is tried again after this. */
const patience = hour;

/** Makes backups by the clock, on demand, and after an erasing, since older ones then open nothing of that owner. */
export class KeepBackups {
  private readonly mutex = new Mutex();
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private kept: readonly KeptBackup[] = [];
  private failedAt: number | undefined;

  public constructor(private readonly parts: KeepBackupsParts) {}

  public get isConfigured(): boolean {
    return this.parts.place !== undefined;
  }

  /** Those in the place as of the last look, oldest first. */
  public get list(): readonly KeptBackup[] {
    return this.kept;
  }

  public get last(): KeptBackup | undefined {
    return this.kept.at(-1);
  }

  /** @throws CONFIG_INVALID {path: '/backups/folder'} where no place is configured, BACKUP_FAILED {cause}: the ones before are still there */
  public async make(): Promise<KeptBackup> {
    return await this.mutex.run(async () => {
      const { clock, keep, memberId, place, stream } = this.parts;
      if (place === undefined) throw new ProtocolError('CONFIG_INVALID', { path: '/backups/folder', reason: 'not-configured: name a folder, or give huilian backup a FILE' });
      const at = clock.now();
      const name = `${memberId}-${new Date(at).toISOString().replace(/[-:.]/g, '')}.backup`;
      const bytes = await place.write(name, stream());
      const found = await place.list();
      for (const old of found.slice(0, Math.max(0, found.length - keep))) await place.remove(old.name);
      this.kept = await place.list();
      return { name, bytes, at };
    });
  }

  public start(): void {
    if (this.parts.place !== undefined) this.running = this.run(this.parts.place);
  }

  public async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(place: BackupPlace): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await this.look(place);
      await this.parts.clock.sleep(betweenLooks, signal);
    }
  }

  private async look(place: BackupPlace): Promise<void> {
    const { clock, everyHours, onAlarm } = this.parts;
    try {
      this.kept = await place.list();
      const waited = clock.now() - (this.last?.at ?? 0);
      const rested = clock.now() - (this.failedAt ?? 0) >= patience;
      if (everyHours > 0 && waited >= everyHours * hour && rested) await this.make();
    } catch (error) {
      this.failedAt = clock.now();
      onAlarm(error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', { reason: 'backup' }));
    }
  }
}
