import { canonicalBytes, concatBytes, fromUtf8, hmacSha256, toHex, utf8, type Flag, type FlagCode, type LinkKey } from '@huilian/protocol';
import type { Store, StoreWrite } from '../ports.js';

/**
 * Rows of the link checks. What records share is kept as a keyed hash only, so that these rows hold no value of a payload:
 *
 *   links/g/<check>/<hash>/<record id>   a record of the group
 *   links/r/<record id>                  the groups of a record
 *   links/f/<group>                      flags of a group: [{code, recordIds, since}]
 *   links/at                             how far the ledger was followed, and the day for which it was last gone through whole
 */
const prefix = 'links/';
const groupPrefix = `${prefix}g/`;
const recordPrefix = `${prefix}r/`;
const flagPrefix = `${prefix}f/`;
const checkpointKey = `${prefix}at`;
const past = '~';
const hashBytes = 16;

/** A flag as it is kept. */
export interface KeptFlag extends Flag {
  /** Unix seconds when it was first seen. */
  readonly since: number;
}

export interface LinkCheckpoint {
  /** Everything before this transaction of the ledger was looked at. */
  readonly block: number;
  readonly transaction: number;
  /** The day (Beijing time) for which certificates were last looked at, empty before the first run is through. */
  readonly day: string;
}

/** What a slice of records changes, read back before it is stored. */
export class LinkRows {
  private readonly key: Uint8Array;
  private readonly written = new Map<string, Uint8Array | undefined>();

  /** @param localIdKey the node's own, from which the key of the hashes follows */
  public constructor(
    private readonly store: Store,
    localIdKey: Uint8Array,
  ) {
    this.key = hmacSha256(localIdKey, utf8('huilian link checks'));
  }

  /** `<check>/<hash>` of what records share. */
  public group({ check, value }: LinkKey): string {
    return `${check}/${toHex(hmacSha256(this.key, concatBytes(utf8(check), Uint8Array.of(0), utf8(value))).subarray(0, hashBytes))}`;
  }

  public groupsOf(recordId: string): readonly string[] {
    const bytes = this.get(recordPrefix + recordId);
    return bytes === undefined ? [] : (JSON.parse(fromUtf8(bytes)) as string[]);
  }

  /** Puts a record into exactly these groups; answers all whose members changed or may have. */
  public place(recordId: string, groups: readonly string[]): readonly string[] {
    const before = this.groupsOf(recordId);
    for (const group of before) if (!groups.includes(group)) this.written.set(memberKey(group, recordId), undefined);
    for (const group of groups) this.written.set(memberKey(group, recordId), new Uint8Array());
    this.written.set(recordPrefix + recordId, groups.length === 0 ? undefined : canonicalBytes(groups));
    return [...new Set([...before, ...groups])];
  }

  /** Record ids of a group, ascending; the first of very many. */
  public async members(group: string, most: number): Promise<readonly string[]> {
    const from = memberKey(group, '');
    const found = new Set<string>();
    for await (const [key] of this.store.entries({ gte: from, lt: from + past, limit: most })) found.add(key.slice(from.length));
    for (const [key, value] of this.written) {
      if (!key.startsWith(from)) continue;
      if (value === undefined) found.delete(key.slice(from.length));
      else found.add(key.slice(from.length));
    }
    return [...found].sort();
  }

  /** The flags of a group, or of a record by itself. A flag that stood before keeps its time. */
  public setFlags(group: string, flags: readonly Flag[], now: number): void {
    const before = this.flagsOf(group);
    const kept = flags.map(({ code, recordIds }): KeptFlag => ({ code, recordIds, since: before.find((flag) => flag.code === code && flag.recordIds.join() === recordIds.join())?.since ?? now }));
    const key = flagPrefix + group;
    if (kept.length > 0) this.written.set(key, canonicalBytes(kept));
    else if (this.get(key) !== undefined) this.written.set(key, undefined);
  }

  public flagsOf(group: string): readonly KeptFlag[] {
    const bytes = this.get(flagPrefix + group);
    return bytes === undefined ? [] : (JSON.parse(fromUtf8(bytes)) as KeptFlag[]);
  }

  /** Every kept flag by its place, from a place on. */
  public async *flags(after = ''): AsyncGenerator<readonly [place: string, flag: KeptFlag]> {
    const [group = '', number = '-1'] = after.split(' ');
    for await (const [key, value] of this.store.entries({ gte: flagPrefix + group, lt: flagPrefix + past })) {
      const found = key.slice(flagPrefix.length);
      for (const [index, flag] of (JSON.parse(fromUtf8(value)) as KeptFlag[]).entries()) {
        if (found !== group || index > Number(number)) yield [`${found} ${String(index)}`, flag];
      }
    }
  }

  /** Whether there is anything to store. */
  public get isChanged(): boolean {
    return this.written.size > 0;
  }

  public checkpoint(): LinkCheckpoint {
    const bytes = this.store.get(checkpointKey);
    return bytes === undefined ? { block: 0, transaction: 0, day: '' } : (JSON.parse(fromUtf8(bytes)) as LinkCheckpoint);
  }

  public setCheckpoint(checkpoint: LinkCheckpoint): void {
    this.written.set(checkpointKey, canonicalBytes(checkpoint));
  }

  /** Stores what was changed. @throws STORAGE_FAILED */
  public async save(): Promise<void> {
    const writes = [...this.written].map(([key, value]): StoreWrite => (value === undefined ? { key, remove: true } : { key, value }));
    if (writes.length > 0) await this.store.write(writes);
    this.written.clear();
  }

  private get(key: string): Uint8Array | undefined {
    return this.written.has(key) ? this.written.get(key) : this.store.get(key);
  }
}

/** Where the flags of one record alone are kept: by its id, which says nothing of what it holds. */
export function ownGroup(recordId: string): string {
  return `expiry/${recordId}`;
}

function memberKey(group: string, recordId: string): string {
  return `${groupPrefix}${group}/${recordId}`;
}

/** Counts by code, for what is measured. */
export async function countFlags(rows: LinkRows): Promise<ReadonlyMap<FlagCode, number>> {
  const counts = new Map<FlagCode, number>();
  for await (const [, { code }] of rows.flags()) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}
