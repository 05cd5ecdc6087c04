import { BoundedMap } from '@huilian/protocol';
import type { Clock } from '../ports.js';

export interface FailureCount {
  readonly failures: number;
  /** Unix seconds. */
  readonly lockedUntil: number;
}

/** Failures before the first delay; for an address, behind which a whole office may sit, more. */
export const failuresBeforeDelay = { account: 5, address: 20 } as const;
const firstDelaySeconds = 60;
const mostDelaySeconds = 3600;
/** After so long without a failure an address begins anew. */
const forgetSeconds = 24 * 3600;
const mostKept = 10_000;

/** One failure more: from the last free one on each doubles the delay, up to an hour. */
export function oneMoreFailure({ failures }: Pick<FailureCount, 'failures'>, free: number, now: number): FailureCount {
  const count = failures + 1;
  const delay = count < free ? 0 : Math.min(firstDelaySeconds * 2 ** Math.min(count - free, 16), mostDelaySeconds);
  return { failures: count, lockedUntil: delay === 0 ? 0 : now + delay };
}

/** Failures by what has no row of its own: an address, or a name that no account has. In memory, bounded. */
export class FailureCounts {
  private readonly counts = new BoundedMap<string, FailureCount & { readonly at: number }>(mostKept);

  public constructor(
    private readonly clock: Clock,
    private readonly free: number,
  ) {}

  /** Seconds to wait, 0 for none. */
  public waits(key: string): number {
    return Math.max(0, this.of(key).lockedUntil - this.now());
  }

  public failed(key: string): void {
    this.counts.set(key, { ...oneMoreFailure(this.of(key), this.free, this.now()), at: this.now() });
  }

  /** Who got in at last is forgiven his own failures, and nobody else's. */
  public forgive(key: string, failures: number): void {
    const known = this.counts.get(key);
    if (known === undefined || failures === 0) return;
    if (known.failures <= failures) this.counts.delete(key);
    else this.counts.set(key, { ...known, failures: known.failures - failures });
  }

  private of(key: string): FailureCount {
    const known = this.counts.get(key);
    return known === undefined || known.at + forgetSeconds < this.now() ? { failures: 0, lockedUntil: 0 } : known;
  }

  private now(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}
