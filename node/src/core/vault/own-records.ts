import { crc32 } from 'node:zlib';
import { canonicalize, ProtocolError, utf8 } from '@huilian/protocol';
import type { Store, StoreWrite } from '../ports.js';

/** What this publisher knows of a record of its own, from the moment it was accepted. */
export interface OwnRecord {
  /**
   * SHA-256 of the canonical data with schema and rights, hex; empty where it is not known: then every row is a change. In the
   * row it is covered (`Vault.cover`).
   */
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
/** CRC-32, hex. */
const checkLength = 8;

/** Rows of own records by record id. */
export class OwnRecords {
  public constructor(private readonly store: Store) {}

  public read(recordId: string): OwnRecord | undefined {
    const bytes = this.store.get(prefix + recordId);
    return bytes === undefined ? undefined : parse(recordId, bytes);
  }

  /** Outbox row of a version. */
  public rowOf(recordId: string, version: number): number | undefined {
    return this.read(recordId)?.versions.find(([entry]) => entry === version)?.[1];
  }

  public put(recordId: string, record: OwnRecord): StoreWrite {
    const text = canonicalize(record);
    return { key: prefix + recordId, value: utf8(text + check(recordId, text)) };
  }

  /** Rows as the first format of the store had them, without their check. */
  public async *withoutCheck(): AsyncGenerator<readonly [recordId: string, record: OwnRecord]> {
    for await (const [key, bytes] of this.store.entries({ gte: prefix, lt: `${prefix}\u{10ffff}` })) {
      const row = textOf(bytes);
      if (row.endsWith('}')) yield [key.slice(prefix.length), JSON.parse(row) as OwnRecord];
    }
  }

  public remove(recordId: string): StoreWrite {
    return { key: prefix + recordId, remove: true };
  }

  /**
   * @param onBroken is given the id of each row that is not as it was written, and the walk goes on; without it the walk ends there
   * @throws STORAGE_FAILED {reason: record-row} without `onBroken`
   */
  public async *all(onBroken?: (recordId: string) => void): AsyncGenerator<readonly [recordId: string, record: OwnRecord]> {
    for await (const [key, bytes] of this.store.entries({ gte: prefix, lt: `${prefix}\u{10ffff}` })) {
      const recordId = key.slice(prefix.length);
      if (onBroken === undefined || isWhole(recordId, bytes)) yield [recordId, parse(recordId, bytes)];
      else onBroken(recordId);
    }
  }
}

/** The database checks nothing that it reads: a row says itself whether it is whole, and whose it is. */
function check(recordId: string, text: string): string {
  return crc32(text, crc32(recordId)).toString(16).padStart(checkLength, '0');
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}

function isWhole(recordId: string, bytes: Uint8Array): boolean {
  try {
    parse(recordId, bytes);
    return true;
  } catch {
    return false;
  }
}

/** @throws STORAGE_FAILED {reason: record-row} for a row that is not as it was written */
function parse(recordId: string, bytes: Uint8Array): OwnRecord {
  const row = textOf(bytes);
  const text = row.slice(0, -checkLength);
  if (row.slice(-checkLength) !== check(recordId, text)) throw new ProtocolError('STORAGE_FAILED', { reason: 'record-row', record: recordId });
  return JSON.parse(text) as OwnRecord;
}
