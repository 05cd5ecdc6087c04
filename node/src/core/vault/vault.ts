import { canonicalBytes, fromUtf8, ProtocolError, utf8, type Header } from '@huilian/protocol';
import { Mutex } from '../mutex.js';
import type { Random, Store, StoreWrite, VaultKeys } from '../ports.js';
import { OwnRecords } from './own-records.js';
import { holderKeyOf, openRow, rewrapRow, sealContent, sealingContext, wrapContent, wrappingOf, type SealedContent, type SealingKey } from './sealed-row.js';

/** What is kept of one record version: the payload segment, its disclosures by claim name, the header it stands behind. */
export interface SealedRecord {
  readonly segment: string;
  readonly disclosures: Readonly<Record<string, string>>;
  readonly header: Header;
}

const rowPrefix = 'vault/row/';
const generationPrefix = 'vault/generation/';
const rowsPerWrite = 500;
/** What stands in place of a row whose content was erased. */
const tombstone = new Uint8Array();

/**
 * Payloads at rest. A content key per record version, wrapped by a key per owner (the publisher's where there is no
 * owner). The holders' keys lie in a file apart from data and backups, so that removing one ends every copy.
 */
export class Vault {
  private readonly records: OwnRecords;
  private readonly mutex = new Mutex();
  /** Number of the key in force of each holder whose data was ever erased; read once, since every seal asks. */
  private generations: Map<string, number> | undefined;

  public constructor(
    private readonly store: Store,
    private readonly keys: VaultKeys,
    private readonly random: Random,
    private readonly publisher: string,
  ) {
    this.records = new OwnRecords(store);
  }

  /** Runs what seals and stores, with no erasing in between. */
  public async sealing<T>(task: () => Promise<T>): Promise<T> {
    return await this.mutex.run(task);
  }

  /** Makes the keys that sealing will need, synced. @throws STORAGE_FAILED */
  public async prepare(owners: readonly (string | undefined)[]): Promise<void> {
    await this.readGenerations();
    await this.keys.ensure([...new Set(owners)].map((owner) => this.keyName(owner)));
  }

  /** Seals one version under its outbox row. Its key must be prepared; the write is the caller's to make. */
  public seal(row: number, recordId: string, record: SealedRecord): StoreWrite {
    // Nothing hashes or compares this text, so it needs no canonical form.
    const content = utf8(JSON.stringify(record));
    return this.wrap(row, recordId, record.header, sealContent(content, sealingContext(recordId, record.header.version), (length) => this.random.bytes(length)));
  }

  /** The same for a content that was sealed already, in the context of this record and version. */
  public wrap(row: number, recordId: string, { owner, version }: Header, content: SealedContent): StoreWrite {
    const holder = this.sealingKey(this.keyName(owner));
    return { key: rowKey(row), value: wrapContent(content, sealingContext(recordId, version), holder, (length) => this.random.bytes(length)) };
  }

  /** @throws PAYLOAD_MISSING, ERASED, VAULT_CORRUPT */
  public open(recordId: string, version: number): SealedRecord {
    const row = this.rowOf(recordId, version);
    if (row === undefined) throw new ProtocolError('PAYLOAD_MISSING', { record: recordId, version });
    if (row.length === 0) throw new ProtocolError('ERASED', { record: recordId, version });
    const holder = holderKeyOf(row);
    const key = this.keys.find(holder);
    if (key === undefined) throw new ProtocolError(this.isErased(holder) ? 'ERASED' : 'VAULT_CORRUPT', { record: recordId, version });
    return JSON.parse(fromUtf8(openRow(row, sealingContext(recordId, version), key))) as SealedRecord;
  }

  /** Whether a version ever came into this vault; one that a restored backup is older than did not. */
  public isKnown(recordId: string, version: number): boolean {
    return this.rowOf(recordId, version) !== undefined;
  }

  /** Whether a version is here and not erased. */
  public has(recordId: string, version: number): boolean {
    const row = this.rowOf(recordId, version);
    if (row === undefined || row.length === 0) return false;
    return this.keys.find(holderKeyOf(row)) !== undefined;
  }

  /** Holder key and IV of every row that is not erased. @throws VAULT_CORRUPT */
  public async *wrappings(): AsyncGenerator<ReturnType<typeof wrappingOf>> {
    for await (const [, sealed] of this.store.entries({ gte: rowPrefix, lt: `${rowPrefix}~` })) if (sealed.length > 0) yield wrappingOf(sealed);
  }

  /** Forgets a row that will never be published. */
  public forget(row: number): StoreWrite {
    return { key: rowKey(row), remove: true };
  }

  /** Erases everything held for an owner; the ledger's headers stay. Answers the number of versions. */
  public async eraseOwner(owner: string): Promise<number> {
    return await this.mutex.run(async () => {
      const rows = await this.rowsOf(owner);
      await this.nextKey(owner);
      await this.endOldKeys(owner);
      await this.bury(rows.map(({ row }) => row));
      return rows.length;
    });
  }

  /**
   * Erases all versions of one record: the holder's other rows are wrapped under a new key first, then the old keys, the
   * only ones that open the erased rows or any copy of them, are removed. @throws NOT_FOUND
   */
  public async eraseRecord(recordId: string): Promise<number> {
    return await this.mutex.run(async () => {
      const record = this.records.read(recordId);
      if (record === undefined) throw new ProtocolError('NOT_FOUND', { record: recordId });
      const erased = new Set(record.versions.map(([, row]) => row));
      const kept = (await this.rowsOf(record.owner)).filter(({ row }) => !erased.has(row));
      await this.rewrap(kept, await this.nextKey(record.owner));
      await this.endOldKeys(record.owner);
      await this.bury([...erased]);
      return erased.size;
    });
  }

  private rowOf(recordId: string, version: number): Uint8Array | undefined {
    const row = this.records.rowOf(recordId, version);
    return row === undefined ? undefined : this.store.get(rowKey(row));
  }

  /** Name of the holder's key in force. */
  private keyName(owner: string | undefined): string {
    const holder = owner ?? this.publisher;
    return generationName(holder, this.generation(holder));
  }

  private generation(holder: string): number {
    if (this.generations === undefined) throw new ProtocolError('KEYS_MISSING', { reason: 'vault-not-prepared' });
    return this.generations.get(holder) ?? 1;
  }

  private async readGenerations(): Promise<Map<string, number>> {
    if (this.generations !== undefined) return this.generations;
    const generations = new Map<string, number>();
    for await (const [key, value] of this.store.entries({ gte: generationPrefix, lt: `${generationPrefix}~` })) {
      generations.set(key.slice(generationPrefix.length), Number(fromUtf8(value)));
    }
    return (this.generations ??= generations);
  }

  private sealingKey(name: string): SealingKey {
    const key = this.keys.find(name);
    if (key === undefined) throw new ProtocolError('KEYS_MISSING', { reason: 'vault-key-not-prepared' });
    return { name, key };
  }

  private isErased(keyName: string): boolean {
    return this.store.get(`vault/erased/${keyName}`) !== undefined;
  }

  /** Puts a new key of the holder in force. */
  private async nextKey(owner: string | undefined): Promise<SealingKey> {
    const generations = await this.readGenerations();
    const holder = owner ?? this.publisher;
    const next = (generations.get(holder) ?? 1) + 1;
    const name = generationName(holder, next);
    await this.keys.ensure([name]);
    await this.store.write([{ key: generationPrefix + holder, value: canonicalBytes(next) }]);
    generations.set(holder, next);
    return this.sealingKey(name);
  }

  /** All earlier keys, also those of an erasing that broke off. The note comes first: a row without its key reads as erased then, not as damaged. */
  private async endOldKeys(owner: string | undefined): Promise<void> {
    const holder = owner ?? this.publisher;
    const names = Array.from({ length: this.generation(holder) - 1 }, (_, index) => generationName(holder, index + 1));
    const ended = names.filter((name) => this.keys.find(name) !== undefined);
    await this.store.write(ended.map((name) => ({ key: `vault/erased/${name}`, value: tombstone })));
    await this.keys.remove(ended);
  }

  private async rewrap(rows: readonly HeldRow[], after: SealingKey): Promise<void> {
    for (let at = 0; at < rows.length; at += rowsPerWrite) {
      await this.store.write(rows.slice(at, at + rowsPerWrite).flatMap((held) => this.rewrapped(held, after) ?? []));
    }
  }

  private rewrapped({ context, row }: HeldRow, after: SealingKey): StoreWrite | undefined {
    const sealed = this.store.get(rowKey(row));
    if (sealed === undefined || sealed.length === 0) return undefined;
    const name = holderKeyOf(sealed);
    const key = this.keys.find(name);
    if (key === undefined || name === after.name) return undefined;
    return { key: rowKey(row), value: rewrapRow(sealed, context, { name, key }, after, (length) => this.random.bytes(length)) };
  }

  private async bury(rows: readonly number[]): Promise<void> {
    for (let at = 0; at < rows.length; at += rowsPerWrite) {
      await this.store.write(rows.slice(at, at + rowsPerWrite).map((row) => ({ key: rowKey(row), value: tombstone })));
    }
  }

  private async rowsOf(owner: string | undefined): Promise<HeldRow[]> {
    const rows: HeldRow[] = [];
    for await (const [recordId, record] of this.records.all()) {
      if (record.owner !== owner) continue;
      for (const [version, row] of record.versions) rows.push({ row, context: sealingContext(recordId, version) });
    }
    return rows;
  }
}

interface HeldRow {
  readonly row: number;
  readonly context: Uint8Array;
}

/** The holder's own name, then `#2`, `#3` … after each erasing. */
function generationName(holder: string, generation: number): string {
  return generation === 1 ? holder : `${holder}#${String(generation)}`;
}

/** Rows are numbered in the order they were accepted, so that the biggest values are written in order. */
function rowKey(row: number): string {
  return `${rowPrefix}${String(row).padStart(12, '0')}`;
}
