import { untilAborted } from './until-aborted.js';

/** Lets one loop rest until something happened; what happens while it works is not missed. */
export class Wakeup {
  private happened = false;
  private resume: (() => void) | undefined;

  public wake(): void {
    this.happened = true;
    this.resume?.();
  }

  /** Resolves at the next wake, at once where one came since the last wait, and when the signal aborts. */
  public async wait(signal: AbortSignal): Promise<void> {
    if (!this.happened) {
      const woken = new Promise<void>((resolve) => {
        this.resume = resolve;
      });
      await untilAborted(woken, signal);
    }
    this.resume = undefined;
    this.happened = false;
  }
}
