import type { Clock } from '../ports.js';

const beatMilliseconds = 250;
/** A process that was not heard of for so long was asleep: stopped, swapped out, or its machine was. */
const asleepMilliseconds = 1500;
/** What the ledger sent meanwhile lies in the sockets; it is read within this time after waking. */
const catchUpMilliseconds = 1000;

/**
 * Notices that the process slept. Its view of the ledger is then older than it looks, and a revocation may be waiting in
 * its socket: whoever releases anything waits until that is read.
 */
export class SleepWatch {
  private readonly stopping = new AbortController();
  private beat: number;
  private wokeAt = -Infinity;

  public constructor(private readonly clock: Clock) {
    this.beat = clock.now();
  }

  public start(): void {
    void this.run();
  }

  public stop(): void {
    this.stopping.abort();
  }

  /** Resolves at once while the process was awake, else when what came meanwhile had time to be read. */
  public async awake(): Promise<void> {
    this.look();
    const left = this.wokeAt + catchUpMilliseconds - this.clock.now();
    if (left > 0) await this.clock.sleep(Math.min(left, catchUpMilliseconds));
  }

  private look(): void {
    const now = this.clock.now();
    if (now - this.beat > asleepMilliseconds) this.wokeAt = now;
    this.beat = now;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.look();
      await this.clock.sleep(beatMilliseconds, signal);
    }
  }
}
