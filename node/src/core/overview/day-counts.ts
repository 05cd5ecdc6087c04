import type { EventTransaction } from '../indexing/event-transactions.js';
import { firstBlockSince } from '../indexing/first-block-since.js';
import type { ReadModel } from '../indexing/read-model.js';
import { Mutex } from '../mutex.js';
import type { Clock } from '../ports.js';

/** What one day brought, by the times of the transactions. */
export interface DayCount {
  /** `YYYY-MM-DD`, Beijing time. */
  readonly day: string;
  /** Record versions that this centre published, and the other centres. */
  readonly publishedHere: number;
  readonly publishedElsewhere: number;
  /** Accesses to this centre's records, and to those of others. */
  readonly readHere: number;
  readonly readElsewhere: number;
}

type Numbers = { -readonly [Name in Exclude<keyof DayCount, 'day'>]: number };

const daySeconds = 86_400;
/** China Standard Time is UTC+8 all year. */
const beijingSeconds = 8 * 3600;
const daysKept = 31;
const pageOfTransactions = 500;

/**
 * Publications and accesses of the last days, counted while blocks come: an overview at any number of records costs what came
 * since the one before. Days that a transaction's time puts before the window are not kept.
 */
export class DayCounts {
  private readonly days = new Map<number, Numbers>();
  private readonly counting = new Mutex();
  /** The next block to be counted; undefined before the first look. */
  private next: number | undefined;

  public constructor(
    private readonly readModel: ReadModel,
    private readonly memberId: string,
    private readonly clock: Clock,
  ) {}

  /** The last days, oldest first, the day of now as the last. `most` is 1 to 31. */
  public async lastDays(most: number): Promise<readonly DayCount[]> {
    await this.countOn();
    const today = dayOf(this.clock.now() / 1000);
    return Array.from({ length: most }, (_, index) => today - most + 1 + index).map((day) => ({ day: dateOf(day), ...(this.days.get(day) ?? zero()) }));
  }

  /** Counts what was indexed since it counted last. */
  public async countOn(): Promise<void> {
    await this.counting.run(async () => {
      const height = this.readModel.height();
      this.next ??= await firstBlockSince(this.readModel, this.clock.now() / 1000 - daysKept * daySeconds);
      let transaction = 0;
      while (this.next <= height) {
        const { transactions } = await this.readModel.eventTransactions(this.next, transaction, pageOfTransactions);
        const counted = transactions.filter(({ block }) => block <= height);
        for (const one of counted) this.count(one);
        const last = transactions.at(-1);
        if (transactions.length < pageOfTransactions || last === undefined || last.block > height) {
          this.next = height + 1;
        } else {
          this.next = last.block;
          transaction = last.transaction + 1;
        }
      }
      this.forgetOld();
    });
  }

  private count({ batch, notes, time }: EventTransaction): void {
    const day = dayOf(time);
    const numbers = this.days.get(day) ?? zero();
    if (batch !== undefined) numbers[batch.publisher === this.memberId ? 'publishedHere' : 'publishedElsewhere'] += batch.count;
    for (const { ticket, type } of notes) {
      if (type !== 'huilian.ticket.opened' || ticket === undefined) continue;
      numbers[this.readModel.ticket(ticket)?.ticket.publisher === this.memberId ? 'readHere' : 'readElsewhere'] += 1;
    }
    this.days.set(day, numbers);
  }

  private forgetOld(): void {
    const oldest = dayOf(this.clock.now() / 1000) - daysKept;
    for (const day of this.days.keys()) if (day < oldest) this.days.delete(day);
  }
}

function zero(): Numbers {
  return { publishedElsewhere: 0, publishedHere: 0, readElsewhere: 0, readHere: 0 };
}

function dayOf(seconds: number): number {
  return Math.floor((seconds + beijingSeconds) / daySeconds);
}

function dateOf(day: number): string {
  return new Date(day * daySeconds * 1000).toISOString().slice(0, 10);
}
