import type { HighWaterMark, Mark } from '../../core/outbox/high-water-mark.js';

/** The high-water mark in memory, for tests and the simulator. */
export class MemoryMark implements HighWaterMark {
  public constructor(private mark?: Mark) {}

  public read(): Mark | undefined {
    return this.mark;
  }

  public async write(mark: Mark): Promise<void> {
    await Promise.resolve();
    this.mark = mark;
  }

  public async close(): Promise<void> {
    await Promise.resolve();
  }
}
