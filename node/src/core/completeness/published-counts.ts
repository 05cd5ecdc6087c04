import { beijingDay } from '@huilian/protocol';
import { firstBlockSince } from '../indexing/first-block-since.js';
import type { ReadModel } from '../indexing/read-model.js';
import { Mutex } from '../mutex.js';

/** Headers on the ledger, by the day in Beijing of their transaction. */
export type PublishedDays = ReadonlyMap<string, number>;

const none: PublishedDays = new Map();
/** A transaction may be ordered so much later than its own time says. */
const orderedLaterSeconds = 3600;

/**
 * What each publisher put on the ledger of each kind, day by day, counted while blocks come: asking again costs what came since.
 */
export class PublishedCounts {
  private readonly counts = new Map<string, Map<string, number>>();
  private readonly counting = new Mutex();
  /** The next block to be counted; undefined before the first look. */
  private next: number | undefined;

  /** @param since Unix seconds; older headers are not counted */
  public constructor(
    private readonly readModel: ReadModel,
    private readonly since: number,
  ) {}

  /** Counts what was indexed since it counted last. */
  public async countOn(kinds: readonly string[]): Promise<void> {
    await this.counting.run(async () => {
      const height = this.readModel.height();
      const first = this.next ?? (await firstBlockSince(this.readModel, this.since - orderedLaterSeconds));
      if (first > height) return;
      for (const kind of kinds) for (const batch of await this.readModel.publishedOf(kind, first, height)) this.count(kind, batch.publisher, batch.time, batch.count);
      this.next = height + 1;
    });
  }

  public of(publisher: string, kind: string): PublishedDays {
    return this.counts.get(`${publisher}/${kind}`) ?? none;
  }

  private count(kind: string, publisher: string, time: number, count: number): void {
    if (time < this.since) return;
    const place = `${publisher}/${kind}`;
    const days = this.counts.get(place) ?? new Map<string, number>();
    const day = beijingDay(time);
    days.set(day, (days.get(day) ?? 0) + count);
    this.counts.set(place, days);
  }
}
