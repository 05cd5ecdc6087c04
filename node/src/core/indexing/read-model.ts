import { createHash } from 'node:crypto';
import {
  BoundedMap,
  MerkleTree,
  parseRecordId,
  ProtocolError,
  recordId as recordIdOf,
  stateKey,
  type Attestation,
  type Domain,
  type Header,
  type LedgerState,
  type MemberState,
  type OwnerState,
  type PlacedHeader,
  type ProposalState,
  type Stated,
  type Ticket,
  type TrailEntry,
} from '@huilian/protocol';
import type { LedgerBlock, Store } from '../ports.js';
import { accessMatches, accessPlaces, type AccessFilter } from './access-places.js';
import { eventTransactions, type EventTransaction } from './event-transactions.js';
import { generationKey, indexKeys, pastPrefix, placeWithin, splitPlace, transactionPlace, type IndexKeys } from './index-keys.js';
import { currentPlace, decodeRow, highestVersion, type BatchRow, type Checkpoint, type PositionRange, type RecordRow, type TicketRow, type TransactionRow } from './index-rows.js';
import { recordPlaces, type RecordFilter } from './record-places.js';

/** A record version as the ledger shows it. */
export interface IndexedRecord {
  readonly recordId: string;
  readonly header: Header;
  /** Batch of the publisher, and the header's position in it. */
  readonly seq: number;
  readonly index: number;
  /** Transaction time, Unix seconds. */
  readonly publishedAt: number;
  /** Two digests were published for this version, or it was exposed: not to be used until a higher version. */
  readonly contested: boolean;
  /** Highest version known. */
  readonly versions: number;
}

export interface IndexedTicket {
  readonly ticket: Ticket;
  readonly block: number;
  /** Unix seconds. */
  readonly transactionTime: number;
  /** The reader's receipt: digest of its payload, digest of the JWE. */
  readonly confirmed?: { readonly digest: string; readonly jwe: string };
  readonly disputed?: boolean;
}

export interface IndexedPlace {
  readonly count: number;
  readonly root: string;
  readonly transactionId: string;
  readonly block: number;
  /** Transaction time, Unix seconds. */
  readonly time: number;
}

export type TicketFilter = { readonly owner?: string; readonly reader?: string; readonly publisher?: string; readonly grant?: string };

/** Headers of one kind in a batch. */
export interface KindInBatch {
  readonly publisher: string;
  /** Transaction time, Unix seconds. */
  readonly time: number;
  readonly count: number;
}

/** A page of accesses, newest first; it may be short while there are more. */
export interface AccessPage {
  readonly items: readonly (IndexedTicket & { readonly id: string })[];
  readonly cursor?: string;
}

export interface RecordPage {
  readonly items: readonly IndexedRecord[];
  /** Present while there may be more. */
  readonly cursor?: string;
}

/** A current version as it is remembered apart from the store. */
export interface RememberedHeader {
  readonly recordId: string;
  readonly header: Header;
  readonly place: string;
  readonly contested: boolean;
}

/** Who knows current versions faster than the store does; undefined for what it does not know. */
export interface HeaderMemory {
  current(recordId: string): RememberedHeader | undefined;
  at(place: string): RememberedHeader | 'replaced' | undefined;
  /** Places of current versions that name an organisation, newest first, behind the cursor; some of them may not match the filter. */
  placesOf(filter: PartyFilter, cursor?: string): Iterable<string> | undefined;
}

export type PartyFilter = Pick<RecordFilter, 'owner' | 'subject'>;

const treesKept = 32;
const batchesKept = 1000;
/** Rows of point reads, each some hundred bytes. */
const rowsKept = 1000;
/** Headers of one page that are read in one go. */
const mostLooks = 2 * 1000;
const absent = Symbol('absent');
const defaultPage = 20;
/** Tickets that one page of accesses looks at: an answer comes soon whatever is asked for. */
const ticketsLookedAt = 2000;
/** A transaction may be ordered so much later than its own time says. */
const orderedLaterSeconds = 3600;
const largestPage = 1000;

/** Queries over what was folded out of blocks. Point reads answer at once; lists are newest first, but for trails. */
export class ReadModel {
  private keys: IndexKeys;
  private checkpoint: Checkpoint | undefined;
  private readonly listeners = new Set<(block: LedgerBlock) => void>();
  private readonly trees = new BoundedMap<string, MerkleTree>(treesKept);
  private readonly batches = new BoundedMap<string, BatchRow>(batchesKept);
  /** What stands at the current height, read once: between two blocks no row changes. */
  private readonly rows = new BoundedMap<string, unknown>(rowsKept);
  private rowsStand = true;
  private memory: HeaderMemory | undefined;

  public constructor(private readonly store: Store) {
    this.keys = indexKeys(currentGeneration(store));
    this.checkpoint = decodeRow(store.get(this.keys.checkpoint));
  }

  /** Number of the last indexed block, -1 before the first. */
  public height(): number {
    return this.checkpoint?.height ?? -1;
  }

  public lastBlock(): Checkpoint | undefined {
    return this.checkpoint;
  }

  public blockHash(number: number): string | undefined {
    const bytes = this.store.get(this.keys.block(number));
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  }

  public charter(): LedgerState['charter'] | undefined {
    return this.state('charter');
  }

  /** @throws NOT_FOUNDED */
  public domain(): Domain {
    const charter = this.charter();
    if (charter === undefined) throw new ProtocolError('NOT_FOUNDED');
    return charter.domain;
  }

  public member(id: string): MemberState | undefined {
    return this.state('member', id);
  }

  public async members(): Promise<MemberState[]> {
    return await this.states('member');
  }

  public owner(id: string): OwnerState | undefined {
    return this.state('owner', id);
  }

  public schema(kind: string, version: number): LedgerState['schema'] | undefined {
    return this.state('schema', kind, version);
  }

  public async schemas(): Promise<LedgerState['schema'][]> {
    return await this.states('schema');
  }

  public codeSet(name: string, version: number): LedgerState['codeSet'] | undefined {
    return this.state('codeSet', name, version);
  }

  public async codeSets(): Promise<LedgerState['codeSet'][]> {
    return await this.states('codeSet');
  }

  public async ruleSets(): Promise<LedgerState['ruleSet'][]> {
    return await this.states('ruleSet');
  }

  public migration(kind: string, from: number, to: number): LedgerState['migration'] | undefined {
    return this.state('migration', kind, from, to);
  }

  public async migrations(): Promise<LedgerState['migration'][]> {
    return await this.states('migration');
  }

  /** What a publisher declared of a kind from a day on, in the order of days. */
  public async declarations(publisher: string, kind: string, from: string): Promise<LedgerState['declaration'][]> {
    const found: LedgerState['declaration'][] = [];
    const range = { gte: this.keys.state('declaration', publisher, kind, from), lt: pastPrefix(this.keys.state('declaration', publisher, kind)) };
    for await (const [, value] of this.store.entries(range)) found.push(decodeRow<LedgerState['declaration']>(value));
    return found;
  }

  public async acknowledgements(): Promise<LedgerState['acknowledgement'][]> {
    return await this.states('acknowledgement');
  }

  public isAcknowledged(member: string, of: string, id: string, version: number): boolean {
    return this.state('acknowledgement', member, of, id, version) !== undefined;
  }

  /** How many headers of a kind each batch of the blocks brought (both included), in the order of the ledger. */
  public async publishedOf(kind: string, first: number, last: number): Promise<readonly KindInBatch[]> {
    for (;;) {
      const { keys } = this;
      const found: KindInBatch[] = [];
      const prefix = keys.posting('kind', kind, '');
      for await (const [key, value] of this.store.entries({ gte: prefix + transactionPlace(first, 0), lt: prefix + transactionPlace(last + 1, 0) })) {
        if (keys !== this.keys) break;
        const { publisher, time } = this.batchAt(key.slice(prefix.length));
        found.push({ publisher, time, count: decodeRow<readonly PositionRange[]>(value).reduce((sum, [from, to]) => sum + to - from + 1, 0) });
      }
      // Rows of a generation that was replaced meanwhile may have gone half way.
      if (keys === this.keys) return found;
    }
  }

  public async trustedCas(): Promise<LedgerState['ca'][]> {
    return await this.states('ca');
  }

  public async proposals(): Promise<ProposalState[]> {
    return await this.states('proposal');
  }

  public policy(publisher: string, kind: string, digest: string): LedgerState['policy'] | undefined {
    return this.state('policy', publisher, kind, digest);
  }

  /** Policies of one publisher, or of all. */
  public async policies(publisher?: string): Promise<LedgerState['policy'][]> {
    return await this.states('policy', ...(publisher === undefined ? [] : [publisher]));
  }

  public batch(publisher: string, seq: number): IndexedPlace | undefined {
    const place = this.store.get(this.keys.batch(publisher, seq));
    return place === undefined ? undefined : this.batchAt(Buffer.from(place).toString('utf8'));
  }

  /** Highest batch seq of a publisher on the ledger, 0 where there is none. */
  public async lastSeq(publisher: string): Promise<number> {
    const prefix = this.keys.batch(publisher, 0).slice(0, -16);
    for await (const [key] of this.store.entries({ gte: prefix, lt: pastPrefix(prefix), reverse: true, limit: 1 })) return Number(key.slice(-16));
    return 0;
  }

  /** The current version of a record. */
  public record(recordId: string): IndexedRecord | undefined {
    const remembered = this.rowsStand ? this.memory?.current(recordId) : undefined;
    if (remembered !== undefined) return this.rememberedRecord(remembered);
    const row = this.recordRow(recordId);
    return row === undefined ? undefined : this.versionOf(recordId, row, highestVersion(row));
  }

  public recordVersion(recordId: string, version: number): IndexedRecord | undefined {
    const row = this.recordRow(recordId);
    return row === undefined ? undefined : this.versionOf(recordId, row, version);
  }

  /** A header with its Merkle path, the current version where none is named. Of two contested headers, the first. */
  public placedHeader(recordId: string, version?: number): PlacedHeader | undefined {
    const row = this.recordRow(recordId);
    if (row === undefined) return undefined;
    const place = placeOf(row, version ?? highestVersion(row));
    return place === undefined ? undefined : this.placedAt(place);
  }

  /** Both headers of a contested version, for `records.expose`; undefined where the ledger shows one. */
  public contestedHeaders(recordId: string, version: number): readonly [PlacedHeader, PlacedHeader] | undefined {
    const [left, right] = (this.recordRow(recordId) ?? []).filter(([entry]) => entry === version).map(([, place]) => this.placedAt(place));
    return left === undefined || right === undefined ? undefined : [left, right];
  }

  /** What other centres attested on a record, of all its versions. */
  public async attestations(recordId: string): Promise<Attestation[]> {
    const { localId, publisher } = parseRecordId(recordId);
    return (await this.states('attestation', publisher, localId)).filter((entry) => entry.recordId === recordId);
  }

  /** What its owner or subject stated on a record, of all its versions. */
  public async statements(recordId: string): Promise<Stated[]> {
    const { localId, publisher } = parseRecordId(recordId);
    return (await this.states('statement', publisher, localId)).filter(({ statement }) => statement.record === recordId);
  }

  /**
   * Current versions that match every field given; with `asOf`, those that were current at that block.
   * @throws BAD_FIELD for a bad cursor or limit
   */
  public async records(filter: RecordFilter & { readonly cursor?: string; readonly limit?: number; readonly asOf?: number }): Promise<RecordPage> {
    const limit = pageSize(filter.limit);
    const remembered = this.rememberedPage(filter, limit);
    if (remembered !== undefined) return remembered;
    const items: IndexedRecord[] = [];
    let cursor: string | undefined;
    for await (const places of recordPlaces(this.store, this.keys, filter, filter.cursor)) {
      for (const { place, resume } of places) {
        if (items.length === limit) return { items, ...(cursor === undefined ? {} : { cursor }) };
        cursor = resume;
        const record = this.currentAt(place, filter.asOf);
        if (record !== undefined && matches(record, filter)) items.push(record);
      }
    }
    return { items };
  }

  /** A page of an organisation's records, where all of them are remembered. */
  private rememberedPage(filter: RecordFilter & { readonly cursor?: string; readonly asOf?: number }, limit: number): RecordPage | undefined {
    if (!this.rowsStand || filter.asOf !== undefined || (filter.owner ?? filter.subject) === undefined) return undefined;
    const places = this.memory?.placesOf(filter, filter.cursor);
    if (places === undefined) return undefined;
    const items: IndexedRecord[] = [];
    let [cursor, looks] = ['', 0];
    for (const place of places) {
      if (items.length === limit) return { items, cursor };
      // Where little matches, the store is read instead, which lets others at work in between.
      if ((looks += 1) > mostLooks) return undefined;
      cursor = place;
      const record = this.currentAt(place);
      if (record !== undefined && matches(record, filter)) items.push(record);
    }
    return { items };
  }

  public ticket(id: string): IndexedTicket | undefined {
    const ticket = this.state('ticket', id);
    const row = this.row<TicketRow>(this.keys.ticket(id));
    if (ticket === undefined || row === undefined) return undefined;
    const receipt = this.state('receipt', id);
    return {
      ticket,
      block: row.block,
      transactionTime: row.time,
      ...(receipt === undefined ? {} : { confirmed: { digest: receipt.digest, jwe: receipt.jwe } }),
      ...(this.state('dispute', id) === undefined ? {} : { disputed: true }),
    };
  }

  /** Tickets that match every field given, oldest first; one field at least. @throws BAD_FIELD */
  public async tickets(filter: TicketFilter): Promise<(IndexedTicket & { readonly id: string })[]> {
    const dimension = (['grant', 'owner', 'reader', 'publisher'] as const).find((name) => filter[name] !== undefined);
    if (dimension === undefined) throw new ProtocolError('BAD_FIELD', { path: '/filter', reason: 'empty' });
    const prefix = this.keys.ticketOf(dimension, filter[dimension] ?? '', '');
    const found: (IndexedTicket & { id: string })[] = [];
    for await (const [, value] of this.store.entries({ gte: prefix, lt: pastPrefix(prefix) })) {
      const id = Buffer.from(value).toString('utf8');
      const ticket = this.ticket(id);
      if (ticket !== undefined && concerns(ticket.ticket, filter)) found.push({ id, ...ticket });
    }
    return found;
  }

  /** Accesses that match every field given, newest first. @throws BAD_FIELD for a bad cursor or limit */
  public async accesses(filter: AccessFilter & { readonly cursor?: string; readonly limit?: number }): Promise<AccessPage> {
    const limit = pageSize(filter.limit);
    const { since = 0, until = Infinity } = filter;
    const publishers = (await this.members()).filter(({ document }) => document.kind === 'centre').map(({ document }) => document.id);
    const items: (IndexedTicket & { readonly id: string })[] = [];
    let looked = 0;
    let cursor: string | undefined;
    for await (const { place, ticket: id } of accessPlaces(this.store, this.keys, publishers, filter, filter.cursor)) {
      if (items.length === limit || looked === ticketsLookedAt) return { items, ...(cursor === undefined ? {} : { cursor }) };
      cursor = place;
      looked += 1;
      const found = this.ticket(id);
      const at = found?.transactionTime ?? since;
      if (at < since - orderedLaterSeconds) break;
      if (found !== undefined && at >= since && at <= until && accessMatches(found.ticket, filter)) items.push({ id, ...found });
    }
    return { items };
  }

  public revocation(owner: string, grantDigest: string): { readonly revokedAt: number; readonly block: number } | undefined {
    const revocation = this.state('revocation', owner, grantDigest);
    const block = this.row<{ block: number }>(this.keys.revokedAt(owner, grantDigest))?.block;
    return revocation === undefined || block === undefined ? undefined : { revokedAt: revocation.revokedAt, block };
  }

  /** Whether a use of a grant is taken. */
  public isSlotUsed(owner: string, grantDigest: string, slot: number): boolean {
    return this.store.get(this.keys.mirrored(stateKey('slot', owner, grantDigest, slot))) !== undefined;
  }

  public request(reader: string, requestId: string): LedgerState['request'] | undefined {
    return this.state('request', reader, requestId);
  }

  /** Everything the ledger holds on an owner's data and key, oldest first. */
  public async trail(owner: string): Promise<TrailEntry[]> {
    const entries: { place: string; entry: TrailEntry }[] = [];
    const prefix = this.keys.trail(owner, '');
    for await (const [key, value] of this.store.entries({ gte: prefix, lt: pastPrefix(prefix) })) {
      entries.push({ place: key.slice(prefix.length), entry: decodeRow<TrailEntry>(value) });
    }
    const parties = this.keys.party(owner, '');
    for await (const [key, role] of this.store.entries({ gte: parties, lt: pastPrefix(parties) })) {
      const place = key.slice(parties.length);
      if (role[0] !== subjectRole) entries.push({ place, entry: this.publication(place) });
    }
    return entries.sort((left, right) => (left.place < right.place ? -1 : 1)).map(({ entry }) => entry);
  }

  /**
   * The next transactions with events, from a transaction on, and the height up to which that is all there is when they
   * are fewer than the limit.
   */
  public async eventTransactions(block: number, transaction: number, limit: number): Promise<{ readonly height: number; readonly transactions: readonly EventTransaction[] }> {
    for (;;) {
      const { keys } = this;
      const height = this.height();
      const transactions = await eventTransactions(this.store, keys, transactionPlace(block, transaction), height, limit);
      // Rows of a generation that was replaced meanwhile may have gone half way.
      if (keys === this.keys) return { height, transactions };
    }
  }

  /** The headers of a batch from a position on, in order. @throws STORAGE_FAILED where one is missing */
  public async *headers(block: number, transaction: number, first: number, count: number): AsyncGenerator<Header> {
    const place = transactionPlace(block, transaction);
    const range = { gte: this.keys.header(placeWithin(place, first)), lte: this.keys.header(placeWithin(place, count - 1)) };
    let next = first;
    for await (const [key, value] of this.store.entries(range)) {
      if (!key.endsWith(placeWithin(place, next))) break;
      yield decodeRow<Header>(value);
      next += 1;
    }
    readRow(next < count ? undefined : true, place);
  }

  /** The record version whose header stands at a place. @throws STORAGE_FAILED where none does */
  public recordAt(place: string): { readonly recordId: string; readonly header: Header } {
    const header = this.headerAt(place);
    const { publisher } = this.batchAt(splitPlace(place).transaction);
    return { recordId: recordIdOf(publisher, header.kind, header.localId), header };
  }

  /** Places of a record's versions, oldest first. */
  public placesOf(recordId: string): readonly string[] {
    return (this.recordRow(recordId) ?? []).map(([, place]) => place);
  }

  /** Where a transaction stands, to fetch it again for evidence, and its validation code. */
  public transaction(id: string): TransactionRow | undefined {
    return decodeRow(this.store.get(this.keys.transaction(id)));
  }

  /** SHA-256 over all rows, hex: equal on every node at the same height, and after a replay. */
  public async digest(): Promise<string> {
    const hash = createHash('sha256');
    const { prefix } = this.keys;
    const lengths = Buffer.alloc(8);
    for await (const [key, value] of this.store.entries({ gte: prefix, lt: pastPrefix(prefix) })) {
      const name = Buffer.from(key.slice(prefix.length), 'utf8');
      lengths.writeUInt32BE(name.length, 0);
      lengths.writeUInt32BE(value.length, 4);
      hash.update(lengths).update(name).update(value);
    }
    return hash.digest('hex');
  }

  /**
   * Resolves once a transaction is indexed as VALID. @throws LEDGER_CONFLICT, LEDGER_REJECTED {code} where it is indexed
   * as something else; OUTCOME_UNKNOWN when the signal aborts first
   */
  public async whenIndexed(transactionId: string, signal?: AbortSignal): Promise<void> {
    const row = await this.when(() => this.transaction(transactionId), { transactionId }, signal);
    if (row.code === 'VALID') return;
    const conflict = row.code === 'MVCC_READ_CONFLICT' || row.code === 'PHANTOM_READ_CONFLICT';
    throw new ProtocolError(conflict ? 'LEDGER_CONFLICT' : 'LEDGER_REJECTED', { code: row.code, transactionId });
  }

  /** Resolves once a block is indexed. @throws OUTCOME_UNKNOWN when the signal aborts first */
  public async whenHeight(height: number, signal?: AbortSignal): Promise<void> {
    await this.when(() => (this.height() >= height ? true : undefined), { height }, signal);
  }

  /** Calls back after a block's rows are durable. Answers the way to stop. */
  public onBlock(listener: (block: LedgerBlock) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** From now on current versions come from there where they can. */
  public remember(memory: HeaderMemory): void {
    this.memory = memory;
  }

  /** For the index alone: a block's rows are about to be written; until `blockIndexed` every read goes to the store. */
  public blockComes(): void {
    this.rowsStand = false;
    this.rows.clear();
  }

  /** For the index alone: a block's rows are durable. */
  public blockIndexed(block: LedgerBlock): void {
    this.rowsStand = true;
    this.checkpoint = { hash: block.hash, height: block.number };
    for (const listener of this.listeners) listener(block);
  }

  /** For the index alone: another generation took the place of this one. */
  public generationChanged(): void {
    this.keys = indexKeys(currentGeneration(this.store));
    this.checkpoint = decodeRow(this.store.get(this.keys.checkpoint));
    this.memory = undefined;
    this.trees.clear();
    this.batches.clear();
    this.rows.clear();
  }

  private async when<T>(look: () => T | undefined, details: Readonly<Record<string, string | number>>, signal?: AbortSignal): Promise<T> {
    const found = look();
    if (found !== undefined) return found;
    return await new Promise<T>((resolve, reject) => {
      const give = (): void => {
        stop();
        reject(new ProtocolError('OUTCOME_UNKNOWN', details));
      };
      const stopListening = this.onBlock(() => {
        const now = look();
        if (now === undefined) return;
        stop();
        resolve(now);
      });
      const stop = (): void => {
        stopListening();
        signal?.removeEventListener('abort', give);
      };
      if (signal?.aborted === true) give();
      else signal?.addEventListener('abort', give, { once: true });
    });
  }

  private state<K extends keyof LedgerState>(type: K, ...parts: readonly (string | number)[]): LedgerState[K] | undefined {
    return this.row(this.keys.state(type, ...parts));
  }

  /** Nobody changes what this answers: the next reader gets the same object. */
  private row<T>(key: string): T | undefined {
    const known = this.rows.get(key);
    if (known !== undefined) return known === absent ? undefined : (known as T);
    const row = decodeRow<T>(this.store.get(key));
    if (this.rowsStand) this.rows.set(key, row ?? absent);
    return row;
  }

  private async states<K extends keyof LedgerState>(type: K, ...parts: readonly (string | number)[]): Promise<LedgerState[K][]> {
    const prefix = this.keys.mirrored(stateKey(type, ...parts));
    const found: LedgerState[K][] = [];
    for await (const [, value] of this.store.entries({ gte: prefix, lt: pastPrefix(prefix) })) found.push(decodeRow<LedgerState[K]>(value));
    return found;
  }

  private recordRow(recordId: string): RecordRow | undefined {
    return this.row(this.keys.record(recordId));
  }

  private versionOf(recordId: string, row: RecordRow, version: number): IndexedRecord | undefined {
    const place = placeOf(row, version);
    if (place === undefined) return undefined;
    const { index, transaction } = splitPlace(place);
    const { seq, time } = this.batchAt(transaction);
    const contestedUpTo = this.row<{ version: number }>(this.keys.contested(recordId))?.version ?? 0;
    return {
      recordId,
      header: this.headerAt(place),
      seq,
      index,
      publishedAt: time,
      contested: version <= contestedUpTo,
      versions: highestVersion(row),
    };
  }

  /** The record at a place, when what stands there is its current version, or was at a block. */
  private currentAt(place: string, asOf?: number): IndexedRecord | undefined {
    const remembered = this.rowsStand && asOf === undefined ? this.memory?.at(place) : undefined;
    if (remembered !== undefined) return remembered === 'replaced' ? undefined : this.rememberedRecord(remembered);
    const { header, recordId } = this.recordAt(place);
    const row = this.recordRow(recordId);
    if (row === undefined || currentPlace(versionsAt(row, asOf)) !== place) return undefined;
    return this.versionOf(recordId, row, header.version);
  }

  private rememberedRecord({ contested, header, place, recordId }: RememberedHeader): IndexedRecord {
    const { index, transaction } = splitPlace(place);
    const { seq, time } = this.batchAt(transaction);
    return { recordId, header, seq, index, publishedAt: time, contested, versions: header.version };
  }

  private publication(place: string): TrailEntry {
    const header = this.headerAt(place);
    const { block, publisher, time, transactionId } = this.batchAt(splitPlace(place).transaction);
    const changed = header.version > 1 ? ('superseded' as const) : ('published' as const);
    return {
      at: time,
      block,
      transactionId,
      what: header.status === 'revoked' ? 'revoked' : changed,
      publisher,
      recordIds: [recordIdOf(publisher, header.kind, header.localId)],
      version: header.version,
    };
  }

  private headerAt(place: string): Header {
    return readRow(this.row<Header>(this.keys.header(place)), place);
  }

  private batchAt(place: string): BatchRow {
    let row = this.batches.get(place);
    if (row === undefined) {
      row = readRow(decodeRow<BatchRow>(this.store.get(this.keys.batchAt(place))), place);
      this.batches.set(place, row);
    }
    return row;
  }

  private placedAt(place: string): PlacedHeader {
    const { index, transaction } = splitPlace(place);
    const { count, seq } = this.batchAt(transaction);
    return { header: this.headerAt(place), index, path: this.treeAt(transaction).path(index), seq, size: count };
  }

  private treeAt(place: string): MerkleTree {
    let tree = this.trees.get(place);
    if (tree === undefined) {
      const bytes = readRow(this.store.get(this.keys.leaves(place)), place);
      tree = new MerkleTree(Array.from({ length: bytes.length / 32 }, (_, index) => bytes.subarray(index * 32, index * 32 + 32)));
      this.trees.set(place, tree);
    }
    return tree;
  }
}

const subjectRole = 's'.charCodeAt(0);

export function currentGeneration(store: Store): number {
  return decodeRow<number>(store.get(generationKey)) ?? 1;
}

/** A row that another row points at. Where it is missing the index is damaged, and `huilian reindex` makes it again. */
function readRow<T>(row: T | undefined, place: string): T {
  if (row === undefined) throw new ProtocolError('STORAGE_FAILED', { reason: 'index-row-missing', place });
  return row;
}

/** The versions that there were at a block. */
function versionsAt(row: RecordRow, asOf: number | undefined): RecordRow {
  return asOf === undefined ? row : row.filter(([, place]) => splitPlace(place).block <= asOf);
}

function placeOf(row: RecordRow, version: number): string | undefined {
  return row.find(([entry]) => entry === version)?.[1];
}

function pageSize(limit: number = defaultPage): number {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > largestPage) throw new ProtocolError('BAD_FIELD', { path: '/limit', reason: 'range' });
  return limit;
}

function matches({ contested, header, recordId }: IndexedRecord, filter: RecordFilter): boolean {
  const { kind, owner, publisher, status, subject } = filter;
  const wanted = status === undefined || (status === 'contested' ? contested : header.status === status);
  return (
    wanted &&
    (kind === undefined || header.kind === kind) &&
    (owner === undefined || header.owner === owner) &&
    (subject === undefined || header.subject === subject) &&
    (publisher === undefined || recordId.startsWith(`${publisher}/`))
  );
}

function concerns(ticket: Ticket, { grant, owner, publisher, reader }: TicketFilter): boolean {
  return (
    (grant === undefined || ticket.basis.digest === grant) &&
    (owner === undefined || ticket.owner === owner) &&
    (publisher === undefined || ticket.publisher === publisher) &&
    (reader === undefined || ticket.reader === reader)
  );
}
