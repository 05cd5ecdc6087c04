import { canonicalBytes, fromUtf8 } from '@huilian/protocol';
import type { Store, StoreWrite } from '../ports.js';

/** What this publisher knows of a record of its own, from the moment it was accepted. */
export interface OwnRecord {
  /** SHA-256 of the canonical data with schema and rights, hex; empty where it is not known: then every row is a change. */
  readonly data: string;
  /** Present exactly when rights is `owner`. */
  readonly owner?: string;
  readonly rights: 'owner' | 'publisher' | 'public';
  readonly schema: number;
  readonly status: 'active' | 'revoked';
  readonly subject: string;
  /** Outbox row of each version, oldest first: [version, row]. */
  readonly versions: readonly (readonly [version: number, row: number])[];
}

const prefix = 'record/';

/** Rows of own records by record id. */
export class OwnRecords {
  public constructor(private readonly store: Store) {}

  public read(recordId: string): OwnRecord | undefined {
    const bytes = this.store.get(prefix + recordId);
    return bytes === undefined ? undefined : parse(bytes);
  }

  /** Outbox row of a version. */
  public rowOf(recordId: string, version: number): number | undefined {
    return this.read(recordId)?.versions.find(([entry]) => entry === version)?.[1];
  }

  public put(recordId: string, record: OwnRecord): StoreWrite {
    return { key: prefix + recordId, value: canonicalBytes(record) };
  }

  public remove(recordId: string): StoreWrite {
    return { key: prefix + recordId, remove: true };
  }

  public async *all(): AsyncGenerator<readonly [recordId: string, record: OwnRecord]> {
    for await (const [key, bytes] of this.store.entries({ gte: prefix, lt: `${prefix}\u{10ffff}` })) yield [key.slice(prefix.length), parse(bytes)];
  }
}

function parse(bytes: Uint8Array): OwnRecord {
  return JSON.parse(fromUtf8(bytes)) as OwnRecord;
}
