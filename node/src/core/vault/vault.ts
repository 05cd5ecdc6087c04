import { fromUtf8, ProtocolError, type Header } from '@huilian/protocol';
import { Mutex } from '../mutex.js';
import type { Erasure, Random, Store, StoreWrite, VaultKeys } from '../ports.js';
import { coverDigest, nonceBytes, uncoverDigest } from './covered-digest.js';
import { holderKeyName, readHolderKeyName } from './holder-keys.js';
import { OwnRecords, type OwnRecord } from './own-records.js';
import { holderKeyOf, openRow, rewrapRow, sealContent, sealingContext, wrapContent, wrappingOf, type SealedContent, type SealingKey } from './sealed-row.js';

/** What is kept of one record version: the payload segment, its disclosures by claim name, the header it stands behind. */
export interface SealedRecord {
  readonly segment: string;
  readonly disclosures: Readonly<Record<string, string>>;
  readonly header: Header;
}

const rowPrefix = 'vault/row/';
/** What stands in place of a row whose content was erased. */
const tombstone = new Uint8Array();

/**
 * Payloads at rest. A content key per record version, wrapped by a key per owner (the publisher's where there is no
 * owner). The holders' keys lie in a file apart from data and backups, so that ending one ends every copy; that file also
 * says what was erased, so that data of before the erasure does not come back for newer.
 */
export class Vault {
  private readonly records: OwnRecords;
  private readonly mutex = new Mutex();
  /** Number of the key in force of each holder whose first one is not. */
  private readonly generations = new Map<string, number>();
  /** Number of the last key of each holder that ended. */
  private readonly ended = new Map<string, number>();
  /** Last version of each record that was erased. */
  private readonly erased = new Map<string, number>();

  public constructor(
    private readonly store: Store,
    private readonly keys: VaultKeys,
    private readonly random: Random,
    private readonly publisher: string,
  ) {
    this.records = new OwnRecords(store);
    for (const name of keys.names()) this.noteKey(name);
    for (const erasure of keys.erasures()) this.noteErasure(erasure);
  }

  /** Runs what seals and stores, with no erasing in between. */
  public async sealing<T>(task: () => Promise<T>): Promise<T> {
    return await this.mutex.run(task);
  }

  /** Makes the keys that sealing will need, synced. @throws STORAGE_FAILED, KEY_COPY_FAILED */
  public async prepare(owners: readonly (string | undefined)[]): Promise<void> {
    await this.keys.ensure([...new Set(owners)].map((owner) => this.keyName(owner)));
  }

  /** Seals one version under its outbox row. Its key must be prepared; the write is the caller's to make. */
  public seal(row: number, recordId: string, record: SealedRecord): StoreWrite {
    // Nothing hashes or compares this text, so it needs no canonical form.
    const content = JSON.stringify(record);
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
    if (this.isErased(recordId, version) || row?.length === 0) throw new ProtocolError('ERASED', { record: recordId, version });
    if (row === undefined) throw new ProtocolError('PAYLOAD_MISSING', { record: recordId, version });
    const holder = holderKeyOf(row);
    const key = this.keys.find(holder);
    if (key === undefined) throw new ProtocolError(this.isEnded(holder) ? 'ERASED' : 'VAULT_CORRUPT', { record: recordId, version });
    return JSON.parse(fromUtf8(openRow(row, sealingContext(recordId, version), key))) as SealedRecord;
  }

  /** Whether a version ever came into this vault; one that a restored backup is older than did not. */
  public isKnown(recordId: string, version: number): boolean {
    return this.isErased(recordId, version) || this.rowOf(recordId, version) !== undefined;
  }

  /** Whether a version is here and not erased. */
  public has(recordId: string, version: number): boolean {
    const row = this.rowOf(recordId, version);
    if (row === undefined || row.length === 0 || this.isErased(recordId, version)) return false;
    return this.keys.find(holderKeyOf(row)) !== undefined;
  }

  /** Last version of a record that was erased, 0 where none of it was published; undefined where nothing was. */
  public erasedVersion(recordId: string): number | undefined {
    return this.erased.get(recordId);
  }

  /** Whether a version was erased on request. */
  public isErased(recordId: string, version: number): boolean {
    return version <= (this.erased.get(recordId) ?? 0);
  }

  /** Whether a row was sealed under a key that an erasure ended. @throws VAULT_CORRUPT */
  public isClosed(row: number): boolean {
    const sealed = this.store.get(rowKey(row));
    return sealed !== undefined && sealed.length > 0 && this.isEnded(holderKeyOf(sealed));
  }

  /** Whether something sealed lies under an outbox row. */
  public hasRow(row: number): boolean {
    return (this.store.get(rowKey(row))?.length ?? 0) > 0;
  }

  /**
   * Puts the digest of a record's data into its row, covered by the key in force of its holder, which must be prepared.
   * @param payloadDigest of the newest version, hex: it covers fresh salts, so it comes with no other data; drawn where it is absent
   */
  public cover(recordId: string, record: OwnRecord, payloadDigest?: string): OwnRecord {
    if (record.data === '') return record;
    const name = this.keyName(record.owner);
    const nonce = payloadDigest === undefined ? this.random.bytes(nonceBytes) : Buffer.from(payloadDigest.slice(0, 2 * nonceBytes), 'hex');
    return { ...record, data: coverDigest(record.data, recordId, { generation: readHolderKeyName(name).generation, key: this.sealingKey(name).key, nonce }) };
  }

  /** The digest of a record's data as its row has it; empty where it is not known or its key has ended. */
  public dataDigest(recordId: string, record: OwnRecord): string {
    return uncoverDigest(record.data, recordId, (generation) => this.keys.find(holderKeyName(this.holderOf(record.owner), generation)));
  }

  /** Holder key and IV of every row that is not erased. @throws VAULT_CORRUPT */
  public async *wrappings(): AsyncGenerator<ReturnType<typeof wrappingOf>> {
    for await (const [, sealed] of this.store.entries({ gte: rowPrefix, lt: `${rowPrefix}~` })) if (sealed.length > 0) yield wrappingOf(sealed);
  }

  /** Seals a text that belongs to no record: under the key of its owner where there is one, else the publisher's, which must be prepared. */
  public sealNote(place: string, owner: string | undefined, text: string): Uint8Array {
    const ofOwner = this.keyName(owner);
    const holder = this.sealingKey(this.keys.find(ofOwner) === undefined ? this.keyName(undefined) : ofOwner);
    const context = sealingContext(place, 0);
    const random = (length: number): Uint8Array => this.random.bytes(length);
    return wrapContent(sealContent(text, context, random), context, holder, random);
  }

  /** The text again; undefined where its key has ended. @throws VAULT_CORRUPT */
  public openNote(place: string, sealed: Uint8Array): string | undefined {
    const key = this.keys.find(holderKeyOf(sealed));
    return key === undefined ? undefined : fromUtf8(openRow(sealed, sealingContext(place, 0), key));
  }

  /** The same text under the key in force of its holder; undefined where the holder is another, or nothing is to be done. */
  public rewrapNote(place: string, owner: string | undefined, sealed: Uint8Array): Uint8Array | undefined {
    const name = holderKeyOf(sealed);
    return readHolderKeyName(name).holder === this.holderOf(owner) ? this.rewrappedRow(sealed, sealingContext(place, 0), this.sealingKey(this.keyName(owner))) : undefined;
  }

  /** Forgets a row that will never be published. */
  public forget(row: number): StoreWrite {
    return { key: rowKey(row), remove: true };
  }

  /** The holder of an owner's records: the publisher where there is no owner. */
  public holderOf(owner: string | undefined): string {
    return owner ?? this.publisher;
  }

  /** Puts a new key of a holder in force. @throws STORAGE_FAILED, KEY_COPY_FAILED */
  public async nextKey(owner: string | undefined): Promise<SealingKey> {
    const holder = this.holderOf(owner);
    const name = holderKeyName(holder, this.generation(holder) + 1);
    await this.keys.ensure([name]);
    this.noteKey(name);
    return this.sealingKey(name);
  }

  /** What puts all that is held of a record under the key in force; nothing for what does not open any more. */
  public rewrap(recordId: string, record: OwnRecord): StoreWrite[] {
    const after = this.sealingKey(this.keyName(record.owner));
    const rows = record.versions.flatMap(([version, row]) => this.rewrapped(row, sealingContext(recordId, version), after) ?? []);
    const data = this.dataDigest(recordId, record);
    return data === '' ? rows : [...rows, this.records.put(recordId, this.cover(recordId, { ...record, data }))];
  }

  /** Ends all keys of a holder but the one in force, the only ones that open what was not put under it, in any copy. @throws STORAGE_FAILED, KEY_COPY_FAILED */
  public async end(erasure: Omit<Erasure, 'generation'>): Promise<Erasure> {
    const whole = { ...erasure, generation: this.generation(erasure.holder) - 1 };
    await this.keys.end(whole);
    this.noteErasure(whole);
    return whole;
  }

  /** All that was erased, oldest first. */
  public erasures(): readonly Erasure[] {
    return this.keys.erasures();
  }

  /** Leaves of a row that its content was erased. */
  public bury(row: number): StoreWrite {
    return { key: rowKey(row), value: tombstone };
  }

  private rowOf(recordId: string, version: number): Uint8Array | undefined {
    const row = this.records.rowOf(recordId, version);
    return row === undefined ? undefined : this.store.get(rowKey(row));
  }

  /** Name of the holder's key in force. */
  private keyName(owner: string | undefined): string {
    const holder = this.holderOf(owner);
    return holderKeyName(holder, this.generation(holder));
  }

  private generation(holder: string): number {
    return this.generations.get(holder) ?? 1;
  }

  private noteKey(name: string): void {
    const { generation, holder } = readHolderKeyName(name);
    if (generation > this.generation(holder)) this.generations.set(holder, generation);
  }

  /** A number that ended is never in force again, also where the key after it was not kept. */
  private noteErasure({ generation, holder, records }: Erasure): void {
    if (generation >= this.generation(holder)) this.generations.set(holder, generation + 1);
    this.ended.set(holder, generation);
    for (const [recordId, version] of records) this.erased.set(recordId, version);
  }

  private sealingKey(name: string): SealingKey {
    const key = this.keys.find(name);
    if (key === undefined) throw new ProtocolError('KEYS_MISSING', { reason: 'vault-key-not-prepared' });
    return { name, key };
  }

  private isEnded(keyName: string): boolean {
    const { generation, holder } = readHolderKeyName(keyName);
    return generation <= (this.ended.get(holder) ?? 0);
  }

  private rewrapped(row: number, context: Uint8Array, after: SealingKey): StoreWrite | undefined {
    const sealed = this.store.get(rowKey(row));
    if (sealed === undefined || sealed.length === 0) return undefined;
    const value = this.rewrappedRow(sealed, context, after);
    return value && { key: rowKey(row), value };
  }

  private rewrappedRow(sealed: Uint8Array, context: Uint8Array, after: SealingKey): Uint8Array | undefined {
    const name = holderKeyOf(sealed);
    const key = this.keys.find(name);
    if (key === undefined || name === after.name) return undefined;
    return rewrapRow(sealed, context, { name, key }, after, (length) => this.random.bytes(length));
  }
}

/** Rows are numbered in the order they were accepted, so that the biggest values are written in order. */
function rowKey(row: number): string {
  return `${rowPrefix}${String(row).padStart(12, '0')}`;
}
