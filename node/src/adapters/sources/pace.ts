import { setTimeout as delay } from 'node:timers/promises';

/** Keeps reading to so many rows a second, over each second and not over the whole: no burst follows a rest. */
export class Pace {
  private free = 0;

  public constructor(private readonly rowsPerSecond: number) {}

  /** Resolves when so many rows may have been read. */
  public async took(rows: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.free = Math.max(this.free, now) + (rows / this.rowsPerSecond) * 1000;
    const wait = this.free - now;
    if (wait > 1) await delay(wait, undefined, { signal }).catch(() => undefined);
  }
}
