import { beijingDay, compareLinked, expiryFlags, linkKeys, ProtocolError, recordId as recordIdOf, type FindKind, type Flag, type FlagCode, type KindDefinition, type LinkedRecord, type LinkKey } from '@huilian/protocol';
import type { EventTransaction } from '../indexing/event-transactions.js';
import type { IndexedRecord, ReadModel } from '../indexing/read-model.js';
import { Mutex } from '../mutex.js';
import type { Clock, Keys, Store } from '../ports.js';
import { openData } from '../vault/open-data.js';
import type { Vault } from '../vault/vault.js';
import { countFlags, LinkRows, ownGroup, type KeptFlag, type LinkCheckpoint } from './link-rows.js';

const transactionsAtOnce = 50;
const recordsPerSlice = 100;
/** More of one group are not compared with each other: a code that so many share says little. */
const mostCompared = 64;
/** A block of others costs no write: so many are read again after a restart. */
const blocksUnkept = 500;
const busyMilliseconds = 1000;
const idleMilliseconds = 500;
/** Rows on their way to the ledger beyond which the checks wait: publishing comes first. */
const busyRows = 1000;

export interface CheckLinksParts {
  readonly store: Store;
  readonly readModel: ReadModel;
  readonly vault: Vault;
  readonly keys: Pick<Keys, 'localIdKey' | 'memberId'>;
  readonly clock: Clock;
  readonly find: FindKind;
  /** Own rows that are not on the ledger yet. */
  waiting(): Promise<number>;
  onFault(error: unknown): void;
}

export interface FlagFilter {
  readonly code?: FlagCode;
  /** Flags that name this record. */
  readonly recordId?: string;
}

/**
 * The link checks of one centre: records of its own vault against each other, each time one is published, and all of them once a
 * day, since certificates run out by themselves. They follow the ledger behind publishing and never hold it up; a flag refuses
 * nothing. Payloads are opened here and nothing of them is kept but keyed hashes.
 */
export class CheckLinks {
  private readonly rows: LinkRows;
  /** One slice at a time, and none while rows of erased records go. */
  private readonly mutex = new Mutex();
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private counted: ReadonlyMap<FlagCode, number> | undefined;
  /** Kept with the rows that it covers; a position over which nothing of this centre stands is kept now and then. */
  private at: LinkCheckpoint;
  private keptBlock = 0;

  public constructor(private readonly parts: CheckLinksParts) {
    this.rows = new LinkRows(parts.store, parts.keys.localIdKey);
    this.at = this.rows.checkpoint();
  }

  public start(): void {
    this.running = this.follow(this.stopping.signal);
  }

  public async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** How far the checks are. */
  public progress(): LinkCheckpoint & { readonly height: number } {
    return { ...this.at, height: this.parts.readModel.height() };
  }

  /** Begins the whole run anew; flags that stand stay until their records were looked at again. @throws STORAGE_FAILED */
  public async restart(): Promise<void> {
    await this.mutex.run(async () => {
      await this.save({ block: 0, transaction: 0, day: '' });
    });
  }

  /** Flags by place, from a place on. */
  public async *flags({ code, recordId }: FlagFilter = {}, after?: string): AsyncGenerator<readonly [place: string, flag: KeptFlag]> {
    for await (const [place, flag] of this.rows.flags(after)) {
      if ((code === undefined || flag.code === code) && (recordId === undefined || flag.recordIds.includes(recordId))) yield [place, flag];
    }
  }

  /** Flags that name one of these records. */
  public ofRecords(recordIds: readonly string[]): readonly KeptFlag[] {
    const groups = new Set(recordIds.flatMap((id) => [ownGroup(id), ...this.rows.groupsOf(id)]));
    return [...groups].flatMap((group) => this.rows.flagsOf(group)).filter((flag) => flag.recordIds.some((id) => recordIds.includes(id)));
  }

  /** Flags by code. */
  public async counts(): Promise<ReadonlyMap<FlagCode, number>> {
    this.counted ??= await countFlags(this.rows);
    return this.counted;
  }

  /** Rows of records that were erased go with them. @throws STORAGE_FAILED */
  public async forgetErased(): Promise<void> {
    await this.mutex.run(async () => {
      for (const { records } of this.parts.vault.erasures()) for (const [recordId] of records) await this.look(recordId);
      await this.save(this.at);
    });
  }

  private async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const busy = await this.isBusy();
        const more = !busy && (await this.step());
        if (!more) await this.parts.clock.sleep(busy ? busyMilliseconds : idleMilliseconds, signal);
      } catch (error) {
        this.parts.onFault(error);
        await this.parts.clock.sleep(busyMilliseconds, signal);
      }
    }
  }

  private async isBusy(): Promise<boolean> {
    return (await this.parts.waiting()) > busyRows;
  }

  /** Looks at what the next transactions published; answers whether there is more. @throws STORAGE_FAILED, VAULT_CORRUPT */
  public async step(): Promise<boolean> {
    return await this.mutex.run(async () => {
      const { block, transaction } = this.at;
      const { height, transactions } = await this.parts.readModel.eventTransactions(block, transaction, transactionsAtOnce);
      let last: EventTransaction | undefined;
      for (const found of transactions) {
        await this.lookAt(found);
        last = found;
        // Publishing may have begun meanwhile, and one transaction may be 5,000 records.
        if (await this.isBusy()) break;
      }
      if (last === transactions.at(-1) && transactions.length < transactionsAtOnce) return await this.through(height);
      if (last === undefined) return true;
      await this.save({ ...this.at, block: last.block, transaction: last.transaction + 1 });
      return true;
    });
  }

  /** At the end of the ledger: the first run is through, and a new day begins it anew. */
  private async through(height: number): Promise<boolean> {
    const { block, day } = this.at;
    const today = beijingDay(this.parts.clock.now() / 1000);
    const anew = day !== '' && day !== today;
    const next = anew ? { block: 0, transaction: 0, day: '' } : { block: Math.max(height + 1, block), transaction: 0, day: today };
    if (anew || day === '' || this.rows.isChanged || next.block - this.keptBlock > blocksUnkept) await this.save(next);
    else this.at = next;
    return anew;
  }

  private async lookAt({ batch, block, notes, transaction }: EventTransaction): Promise<void> {
    const { memberId } = this.parts.keys;
    if (batch?.publisher === memberId) {
      let count = 0;
      for await (const { kind, localId } of this.parts.readModel.headers(block, transaction, 0, batch.count)) {
        await this.look(recordIdOf(memberId, kind, localId));
        count += 1;
        if (count % recordsPerSlice === 0) await this.save(this.at);
      }
    }
    for (const { publisher, recordId, type } of notes) if (type === 'huilian.record.contested' && publisher === memberId && recordId !== undefined) await this.look(recordId);
  }

  /** One record as it stands now, and all that it is compared with. */
  private async look(recordId: string): Promise<void> {
    const linked = this.open(recordId);
    const groups = linked === undefined ? [] : linkKeys(linked, this.definitionOf(linked)).map((key) => this.rows.group(key));
    const now = Math.floor(this.parts.clock.now() / 1000);
    this.rows.setFlags(ownGroup(recordId), linked === undefined ? [] : expiryFlags(linked, beijingDay(this.parts.clock.now() / 1000)), now);
    for (const group of this.rows.place(recordId, [...new Set(groups)])) this.rows.setFlags(group, await this.compare(group, linked), now);
  }

  /** `looked` is open already: most groups hold nothing else. */
  private async compare(group: string, looked: LinkedRecord | undefined): Promise<readonly Flag[]> {
    const [check = ''] = group.split('/');
    const members = (await this.rows.members(group, mostCompared)).flatMap((id) => (id === looked?.recordId ? looked : this.open(id)) ?? []);
    return compareLinked(check as LinkKey['check'], members, (record) => this.definitionOf(record));
  }

  private definitionOf({ kind, recordId }: LinkedRecord): KindDefinition | undefined {
    return this.parts.find(kind, this.parts.readModel.record(recordId)?.header.schema ?? 0);
  }

  /** Undefined for what is not to be relied on, or is not here any more. */
  private open(recordId: string): LinkedRecord | undefined {
    const record = this.parts.readModel.record(recordId);
    if (record === undefined || !isLive(record) || !this.parts.vault.has(recordId, record.header.version)) return undefined;
    try {
      return { recordId, kind: record.header.kind, data: openData(this.parts.vault, recordId, record.header.version) };
    } catch (error) {
      // Erased in this moment: its rows go with it. A row that does not open is told where it is asked for.
      if (error instanceof ProtocolError && (error.code === 'ERASED' || error.code === 'VAULT_CORRUPT')) return undefined;
      throw error;
    }
  }

  private async save(at: LinkCheckpoint): Promise<void> {
    this.rows.setCheckpoint(at);
    await this.rows.save();
    this.at = at;
    this.keptBlock = at.block;
    this.counted = undefined;
  }
}

function isLive({ contested, header }: IndexedRecord): boolean {
  return !contested && header.status === 'active' && header.kind !== 'sealed';
}
