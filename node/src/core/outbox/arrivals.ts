import { beijingDay, canonicalBytes, fromUtf8 } from '@huilian/protocol';
import type { Clock, Store, StoreWrite } from '../ports.js';

/** What came in of a kind on one day. */
export interface Arrived {
  /** New and changed rows that were sealed and queued for the ledger. */
  readonly accepted: number;
  /** Refused rows that named no place, so that no list keeps them. */
  readonly unlisted: number;
}

/** What came in of a kind on one day, refused rows as they stand now. */
export interface DayArrived {
  /** New and changed rows: the other two together. */
  readonly received: number;
  /** Refused, and not corrected since. */
  readonly refused: number;
  /** Sealed and queued for the ledger. */
  readonly published: number;
}

/** A row that counts, on its way to disk. */
export interface Arrival {
  readonly kind: string;
  readonly as: keyof Arrived;
}

/** Counts of a group. They stand once `commit` is called, after its writes reached the disk. */
export interface ArrivalDraft {
  readonly writes: readonly StoreWrite[];
  commit(): void;
}

const prefix = 'arrived/';
const nothing: Arrived = { accepted: 0, unlisted: 0 };

/** How many rows came in of each kind on each day in Beijing, written together with the rows: right after any crash. */
export class Arrivals {
  private constructor(
    private readonly clock: Clock,
    private readonly counts: Map<string, Arrived>,
  ) {}

  public static async open(store: Store, clock: Clock): Promise<Arrivals> {
    const counts = new Map<string, Arrived>();
    for await (const [key, value] of store.entries({ gte: prefix, lt: `${prefix}~` })) counts.set(key.slice(prefix.length), JSON.parse(fromUtf8(value)) as Arrived);
    return new Arrivals(clock, counts);
  }

  /** One group at a time: another is drafted once this one is written or given up. */
  public draft(arrivals: readonly Arrival[]): ArrivalDraft {
    const day = beijingDay(Math.floor(this.clock.now() / 1000));
    const changed = new Map<string, Arrived>();
    for (const { as, kind } of arrivals) {
      const place = `${day}/${kind}`;
      const before = changed.get(place) ?? this.counts.get(place) ?? nothing;
      changed.set(place, { ...before, [as]: before[as] + 1 });
    }
    return {
      writes: [...changed].map(([place, counts]) => ({ key: prefix + place, value: canonicalBytes(counts) })),
      commit: () => { for (const [place, counts] of changed) this.counts.set(place, counts); },
    };
  }

  public of(day: string, kind: string): Arrived {
    return this.counts.get(`${day}/${kind}`) ?? nothing;
  }
}
