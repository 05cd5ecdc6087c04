import { parseRecordId, ProtocolError, type ErrorCode } from '@huilian/protocol';
import { dropAskNotes } from '../access/asks.js';
import { dropRelayedRelease } from '../access/relay-request.js';
import { dropCredentials } from '../exchange/release-records.js';
import { dropSentRelease, releasedTickets } from '../exchange/sent-releases.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Clock, Erasure, Store, StoreWrite } from '../ports.js';
import { OwnRecords, type OwnRecord } from '../vault/own-records.js';
import type { Vault } from '../vault/vault.js';
import { ErasedRows } from './erased-rows.js';
import { FinishedErasures } from './finished-erasures.js';

/** What is to be erased: records of this publisher, or all that it holds of an owner. */
export type EraseOrder = { readonly recordIds: readonly string[] } | { readonly owner: string };

export interface EraseReport {
  /** Records that were erased now, and their versions that were still held. */
  readonly recordIds: readonly string[];
  readonly versions: number;
  /** Rows that were accepted and had not left for the ledger: they never will. */
  readonly withdrawn: number;
  /** Records that had been erased before; nothing was left to do for them. */
  readonly already: readonly string[];
  /** Older backups open nothing more of these holders: a new one is needed. `made` names it; `code` says why there is none. */
  readonly backup: { readonly made?: string; readonly code?: ErrorCode };
}

export interface EraseParts {
  readonly clock: Clock;
  readonly memberId: string;
  readonly outbox: Outbox;
  readonly readModel: ReadModel;
  readonly store: Store;
  readonly vault: Vault;
  /** Told which records were erased, for whoever keeps something of them in memory. */
  readonly onErased?: (recordIds: readonly string[]) => void;
  /** Makes a backup of the data as it is now, and answers its name; undefined where there is no place for one. */
  readonly afterErasure?: () => Promise<string | undefined>;
}

interface Target {
  readonly recordId: string;
  readonly owner: string | undefined;
  /** Absent where the ledger shows the record and this node's data does not. */
  readonly record?: OwnRecord;
  /** Newest version that is known. */
  readonly version: number;
}

const recordsPerWrite = 500;

/**
 * Erases data for good. The order makes it whole wherever it is cut off:
 *
 * 1. the holder's next key is made, in the key file and its copy (KEY_COPY_FAILED: nothing was done)
 * 2. what the holder keeps is put under it; both keys open everything, so a cut here has erased nothing
 * 3. the key file is replaced by one without the holder's old keys and with a line that says what was erased. From here on it is
 *    erased: rows and copies of them do not open, and every read asks that line first
 * 4. rows, digests, credentials, releases and notes are cleared; a cut here is finished at the next start, which finds the line
 *
 * So is data that was restored from before the erasure: the line is not in it.
 */
export class EraseData {
  private readonly records: OwnRecords;
  private readonly rows: ErasedRows;
  private readonly finished: FinishedErasures;

  public constructor(private readonly parts: EraseParts) {
    const { outbox, store, vault } = parts;
    this.records = new OwnRecords(store);
    this.rows = new ErasedRows(store, outbox, vault, this.records);
    this.finished = new FinishedErasures(store);
  }

  /** @throws NOT_FOUND, NOT_RECORD_OWNER, BAD_ID, KEY_COPY_FAILED (nothing erased), STORAGE_FAILED, DISK_NEARLY_FULL */
  public async erase(order: EraseOrder): Promise<EraseReport> {
    const { vault } = this.parts;
    const done = await vault.sealing(async () => {
      const targets = 'owner' in order ? await this.ofOwner(order.owner) : [...new Set(order.recordIds)].map((recordId) => this.ofRecord(recordId));
      if (targets.length === 0 && !('owner' in order && this.wasErased(order.owner))) throw new ProtocolError('NOT_FOUND', 'owner' in order ? { owner: order.owner } : {});
      const open = targets.filter((target) => !this.isDone(target));
      const counts = { versions: open.reduce((sum, target) => sum + this.heldVersions(target), 0), withdrawn: 0 };
      for (const ofHolder of byHolder(open)) counts.withdrawn += await this.eraseOf(ofHolder, 'owner' in order ? 'owner' : 'records');
      const already = targets.filter((target) => !open.includes(target)).map(({ recordId }) => recordId);
      return { recordIds: open.map(({ recordId }) => recordId), ...counts, already };
    });
    if (done.recordIds.length > 0) this.parts.onErased?.(done.recordIds);
    await this.finish();
    return { ...done, backup: done.recordIds.length === 0 ? {} : await this.backUp() };
  }

  /** Clears what erasures that were cut off, or came after this data was copied, have left. Answers how many there were. */
  public async finish(): Promise<number> {
    const open = this.parts.vault.erasures().slice(this.finished.count(this.parts.vault.erasures()));
    for (const erasure of open) {
      await this.parts.vault.sealing(async () => await this.rows.clear(erasure));
      await this.clearTraces(erasure);
    }
    if (open.length > 0) await this.finished.note(this.parts.vault.erasures());
    return open.length;
  }

  /** All erasures, newest first. */
  public list(): readonly Erasure[] {
    return [...this.parts.vault.erasures()].reverse();
  }

  // --- what is meant -------------------------------------------------------------------------------------------------------

  private ofRecord(recordId: string): Target {
    const { memberId, readModel, vault } = this.parts;
    const { publisher } = parseRecordId(recordId);
    if (publisher !== memberId) throw new ProtocolError('NOT_RECORD_OWNER', { publisher });
    const record = this.records.read(recordId);
    if (record !== undefined) return { recordId, owner: record.owner, record, version: record.versions.at(-1)?.[0] ?? 0 };
    const indexed = readModel.record(recordId);
    const erased = vault.erasedVersion(recordId);
    if (indexed === undefined && erased === undefined) throw new ProtocolError('NOT_FOUND', { record: recordId });
    return { recordId, owner: indexed?.header.owner, version: indexed?.versions ?? erased ?? 0 };
  }

  private async ofOwner(owner: string): Promise<Target[]> {
    const found: Target[] = [];
    const here = new Set<string>();
    for await (const [recordId, record] of this.records.all()) {
      if (record.owner !== owner) continue;
      here.add(recordId);
      found.push({ recordId, owner, record, version: record.versions.at(-1)?.[0] ?? 0 });
    }
    for await (const recordId of this.publishedOf(owner)) if (!here.has(recordId)) found.push(this.ofRecord(recordId));
    return found;
  }

  /** Also what this node's data lacks, for a backup may hold it. */
  private async *publishedOf(owner: string): AsyncGenerator<string> {
    const { memberId, readModel } = this.parts;
    let cursor: string | undefined;
    do {
      const page = await readModel.records({ owner, publisher: memberId, limit: 500, ...(cursor === undefined ? {} : { cursor }) });
      for (const { recordId } of page.items) yield recordId;
      ({ cursor } = page);
    } while (cursor !== undefined);
  }

  private wasErased(owner: string): boolean {
    return this.parts.vault.erasures().some(({ holder }) => holder === owner);
  }

  private isDone({ record, recordId, version }: Target): boolean {
    const erased = this.parts.vault.erasedVersion(recordId);
    return erased !== undefined && (record === undefined ? version <= erased : this.heldVersions({ record, recordId }) === 0);
  }

  private heldVersions({ record, recordId }: Pick<Target, 'record' | 'recordId'>): number {
    return (record?.versions ?? []).filter(([version]) => this.parts.vault.has(recordId, version)).length;
  }

  // --- erasing -------------------------------------------------------------------------------------------------------------

  /** Answers how many rows were withdrawn. */
  private async eraseOf(targets: readonly Target[], scope: Erasure['scope']): Promise<number> {
    const { clock, outbox, vault } = this.parts;
    const owner = targets[0]?.owner;
    await vault.nextKey(owner);
    await this.rewrapOthers(owner, new Set(targets.map(({ recordId }) => recordId)));
    return await outbox.undisturbed(async () => {
      const records = targets.map(({ record, recordId, version }) => [recordId, record === undefined ? version : this.rows.lastKept(record)] as const);
      const erasure = await vault.end({ at: Math.floor(clock.now() / 1000), holder: vault.holderOf(owner), records, scope });
      return await this.rows.clearUndisturbed(erasure);
    });
  }

  private async rewrapOthers(owner: string | undefined, erased: ReadonlySet<string>): Promise<void> {
    const { outbox, store, vault } = this.parts;
    await outbox.letters.rewrap(owner);
    const others: string[] = [];
    for await (const [recordId, record] of this.records.all()) if (record.owner === owner && !erased.has(recordId)) others.push(recordId);
    for (let at = 0; at < others.length; at += recordsPerWrite) {
      await outbox.undisturbed(async () => {
        const rewrapped = (recordId: string): StoreWrite[] => {
          const record = this.records.read(recordId);
          return record === undefined ? [] : vault.rewrap(recordId, record);
        };
        await store.write(others.slice(at, at + recordsPerWrite).flatMap(rewrapped));
      });
    }
  }

  /** What lies outside the vault: credentials, releases to readers, notes to the owner. */
  private async clearTraces(erasure: Erasure): Promise<void> {
    const { store } = this.parts;
    for (let at = 0; at < erasure.records.length; at += recordsPerWrite) {
      await store.write(erasure.records.slice(at, at + recordsPerWrite).flatMap(([recordId, version]) => dropCredentials(recordId, version)));
    }
    const erased = new Map(erasure.records);
    for await (const ticketId of this.ticketsOf(erasure)) {
      const ticket = this.parts.readModel.ticket(ticketId)?.ticket;
      const isOf = ticket?.records.some(({ recordId, version }) => version <= (erased.get(recordId) ?? 0)) === true;
      if (isOf) await store.write([...dropSentRelease(store, ticketId), ...dropRelayedRelease(store, ticketId)]);
    }
    await this.parts.outbox.letters.erase(new Set(erased.keys()), erasure.scope === 'owner' ? erasure.holder : undefined);
    if (erasure.scope === 'owner') for await (const write of dropAskNotes(store, erasure.holder)) await store.write([write]);
  }

  private async *ticketsOf({ holder }: Erasure): AsyncGenerator<string> {
    const { memberId, readModel, store } = this.parts;
    if (holder === memberId) yield* releasedTickets(store);
    else for (const { id } of await readModel.tickets({ owner: holder })) yield id;
  }

  private async backUp(): Promise<EraseReport['backup']> {
    try {
      const made = await this.parts.afterErasure?.();
      return made === undefined ? {} : { made };
    } catch (error) {
      // What was erased is erased, whatever became of the backup.
      return { code: error instanceof ProtocolError ? error.code : 'INTERNAL' };
    }
  }
}

function byHolder(targets: readonly Target[]): readonly (readonly Target[])[] {
  const groups = new Map<string | undefined, Target[]>();
  for (const target of targets) groups.set(target.owner, [...(groups.get(target.owner) ?? []), target]);
  return [...groups.values()];
}
