import type { Clock, Random } from './ports.js';

/** Waiting times that double up to a bound, each with full jitter, so that nodes that failed together do not return together. */
export class Backoff {
  private attempt = 0;

  public constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly bounds: { readonly firstMilliseconds: number; readonly mostMilliseconds: number } = { firstMilliseconds: 200, mostMilliseconds: 20_000 },
  ) {}

  public reset(): void {
    this.attempt = 0;
  }

  public async wait(signal?: AbortSignal): Promise<void> {
    const { firstMilliseconds, mostMilliseconds } = this.bounds;
    const most = Math.min(mostMilliseconds, firstMilliseconds * 2 ** this.attempt);
    this.attempt = Math.min(this.attempt + 1, 30);
    const [high = 0, low = 0] = this.random.bytes(2);
    await this.clock.sleep(Math.ceil((most * (high * 256 + low + 1)) / 65_536), signal);
  }
}
