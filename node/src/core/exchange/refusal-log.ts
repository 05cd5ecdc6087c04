import { canonicalBytes, documentDigest, parseCanonicalObject, type JsonObject, type Refusal } from '@huilian/protocol';
import type { Clock, Store } from '../ports.js';

/** A refusal in its chain. */
export interface RefusalEntry extends Refusal {
  readonly seq: number;
  /** Digest of the entry before, hex; empty for the first. */
  readonly previous: string;
}

const prefix = 'refusal/';
const key = (seq: number): string => `${prefix}${String(seq).padStart(12, '0')}`;

/** The node's own chained log of what it refused: entries can be proved later, and none can be dropped unnoticed. */
export class RefusalLog {
  private appending: Promise<void> = Promise.resolve();

  private constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private head: { seq: number; digest: string },
  ) {}

  public static async open(store: Store, clock: Clock): Promise<RefusalLog> {
    for await (const [, value] of store.entries({ gte: prefix, lt: `${prefix}~`, reverse: true, limit: 1 })) {
      const entry = parseCanonicalObject(value) as unknown as RefusalEntry;
      return new RefusalLog(store, clock, { seq: entry.seq, digest: documentDigest(entry) });
    }
    return new RefusalLog(store, clock, { seq: 0, digest: '' });
  }

  /** Durable when it resolves. @throws STORAGE_FAILED */
  public async append(refusal: Omit<Refusal, 'at'>): Promise<void> {
    const turn = this.appending.then(async () => {
      const { code, owner, reader, recordIds, request } = refusal;
      const entry: RefusalEntry = { at: Math.floor(this.clock.now() / 1000), code, owner, previous: this.head.digest, reader, recordIds, request, seq: this.head.seq + 1 };
      await this.store.write([{ key: key(entry.seq), value: canonicalBytes(entry) }]);
      this.head = { seq: entry.seq, digest: documentDigest(entry) };
    });
    this.appending = turn.catch(() => undefined);
    await turn;
  }

  public async entries(): Promise<RefusalEntry[]> {
    const found: RefusalEntry[] = [];
    for await (const [, value] of this.store.entries({ gte: prefix, lt: `${prefix}~` })) found.push(parseCanonicalObject(value) as unknown as RefusalEntry);
    return found;
  }

  public async forOwner(owner: string): Promise<RefusalEntry[]> {
    return (await this.entries()).filter((entry) => entry.owner === owner);
  }

  /** Sequence and digest of the newest entry, for whoever wants to pin the log. */
  public headEntry(): { readonly seq: number; readonly digest: string } {
    return { ...this.head };
  }

  /** Position of the first entry that does not follow from the one before, or undefined for a whole chain. */
  public async firstBreak(): Promise<number | undefined> {
    let previous = '';
    let seq = 0;
    for (const entry of await this.entries()) {
      seq += 1;
      if (entry.seq !== seq || entry.previous !== previous) return seq;
      previous = documentDigest(entry as unknown as JsonObject);
    }
    return seq === this.head.seq && previous === this.head.digest ? undefined : seq + 1;
  }
}
