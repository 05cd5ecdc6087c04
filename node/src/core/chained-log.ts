import { canonicalBytes, documentDigest, parseCanonicalObject, type JsonObject } from '@huilian/protocol';
import { pastPrefix } from './indexing/index-keys.js';
import { Mutex } from './mutex.js';
import type { Store } from './ports.js';

/** What the chain adds to an entry. */
export interface Link {
  /** 1 for the first. */
  readonly seq: number;
  /** Digest of the entry before, hex; empty for the first. */
  readonly previous: string;
}

/** Sequence and digest of an entry. */
export interface ChainPlace {
  readonly seq: number;
  readonly digest: string;
}

/** Before the first entry. */
export const chainStart: ChainPlace = { seq: 0, digest: '' };

/** The entry's place, if it follows from the one before; undefined where it does not. */
export function nextPlace(before: ChainPlace, entry: Link): ChainPlace | undefined {
  if (entry.seq !== before.seq + 1 || entry.previous !== before.digest) return undefined;
  return { seq: entry.seq, digest: documentDigest(entry as unknown as JsonObject) };
}

/** A log in the store whose entries can be proved later, and none changed, dropped or put elsewhere unnoticed. */
export class ChainedLog<Entry extends object> {
  private readonly appending = new Mutex();

  private constructor(
    private readonly store: Store,
    private readonly prefix: string,
    private head: ChainPlace,
  ) {}

  public static async open<Entry extends object>(store: Store, prefix: string): Promise<ChainedLog<Entry>> {
    for await (const [, value] of store.entries({ gte: prefix, lt: pastPrefix(prefix), reverse: true, limit: 1 })) {
      const entry = parseCanonicalObject(value) as unknown as Link;
      return new ChainedLog(store, prefix, { seq: entry.seq, digest: documentDigest(entry as unknown as JsonObject) });
    }
    return new ChainedLog(store, prefix, chainStart);
  }

  /** Durable when it resolves, with its number. @throws STORAGE_FAILED, DISK_NEARLY_FULL */
  public async append(entry: Entry): Promise<number> {
    return await this.appending.run(async () => {
      const linked = { ...entry, previous: this.head.digest, seq: this.head.seq + 1 };
      await this.store.write([{ key: this.key(linked.seq), value: canonicalBytes(linked) }]);
      this.head = { seq: linked.seq, digest: documentDigest(linked) };
      return linked.seq;
    });
  }

  /** Entries in their order, from a number on; newest first where it is reversed, from a number down. */
  public async *entries({ from, reverse = false }: { readonly from?: number; readonly reverse?: boolean } = {}): AsyncGenerator<Entry & Link> {
    const first = from === undefined || reverse ? this.prefix : this.key(from);
    const past = from === undefined || !reverse ? pastPrefix(this.prefix) : this.key(from + 1);
    for await (const [, value] of this.store.entries({ gte: first, lt: past, reverse })) yield parseCanonicalObject(value) as unknown as Entry & Link;
  }

  /** Place of the newest entry, for whoever wants to pin the log. */
  public place(): ChainPlace {
    return this.head;
  }

  /** Position of the first entry that does not follow from the one before, or undefined for a whole chain. */
  public async firstBreak(): Promise<number | undefined> {
    const { digest, seq } = this.head;
    let place = chainStart;
    for await (const entry of this.entries()) {
      const next = nextPlace(place, entry);
      if (next === undefined) return place.seq + 1;
      place = next;
      if (place.seq === seq) break;
    }
    return place.seq === seq && place.digest === digest ? undefined : place.seq + 1;
  }

  private key(seq: number): string {
    return `${this.prefix}${String(seq).padStart(12, '0')}`;
  }
}
