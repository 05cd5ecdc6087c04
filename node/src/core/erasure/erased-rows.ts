import type { Outbox } from '../outbox/outbox.js';
import type { Erasure, Store, StoreWrite } from '../ports.js';
import type { OwnRecord, OwnRecords } from '../vault/own-records.js';
import type { Vault } from '../vault/vault.js';

type Version = OwnRecord['versions'][number];

const recordsPerWrite = 500;

/**
 * Rows of erased records. What is published, or on its way there in a frozen batch, keeps its place with nothing in it; what only
 * waits is taken out of the outbox, so that the ledger never hears of it.
 */
export class ErasedRows {
  public constructor(
    private readonly store: Store,
    private readonly outbox: Outbox,
    private readonly vault: Vault,
    private readonly records: OwnRecords,
  ) {}

  /** Newest version that is not withdrawn when the record is erased now, 0 where all are. Only within `undisturbed`. */
  public lastKept({ versions }: OwnRecord): number {
    const waits = versions.findIndex(([, row]) => this.outbox.isWaiting(row) && this.vault.hasRow(row));
    return (waits === -1 ? versions.at(-1) : versions[waits - 1])?.[0] ?? 0;
  }

  /** Clears the rows of an erasure whose line is in the key file. Answers how many were withdrawn. */
  public async clear(erasure: Erasure): Promise<number> {
    return await this.outbox.undisturbed(async () => await this.clearUndisturbed(erasure));
  }

  public async clearUndisturbed({ records }: Erasure): Promise<number> {
    let count = 0;
    for (let at = 0; at < records.length; at += recordsPerWrite) count += await this.clearSome(records.slice(at, at + recordsPerWrite));
    return count;
  }

  private async clearSome(erased: Erasure['records']): Promise<number> {
    const writes: StoreWrite[] = [];
    const withdrawn: number[] = [];
    for (const [recordId, upTo] of erased) {
      const record = this.records.read(recordId);
      if (record === undefined) continue;
      const taken = this.toWithdraw(record, upTo);
      withdrawn.push(...taken.map(([, row]) => row));
      writes.push(...this.buried(record, upTo), this.cleared(recordId, record, upTo, taken));
    }
    const withdrawal = withdrawn.length === 0 ? undefined : this.outbox.withdraw(withdrawn, 'ERASED');
    await this.store.write([...writes, ...(withdrawal?.writes ?? [])]);
    withdrawal?.done();
    return withdrawn.length;
  }

  /** From the first waiting version that does not open any more: what follows it stands on it. A version sealed since is another matter. */
  private toWithdraw({ versions }: OwnRecord, upTo: number): readonly Version[] {
    const from = versions.findIndex(([version, row]) => version > upTo && this.outbox.isWaiting(row) && this.vault.isClosed(row));
    return from === -1 ? [] : versions.slice(from).filter(([, row]) => this.outbox.isWaiting(row));
  }

  private buried({ versions }: OwnRecord, upTo: number): StoreWrite[] {
    return versions.filter(([version, row]) => version <= upTo && this.vault.hasRow(row)).map(([, row]) => this.vault.bury(row));
  }

  /** The record's row without what was withdrawn, and without the digest of data that is gone. */
  private cleared(recordId: string, record: OwnRecord, upTo: number, withdrawn: readonly Version[]): StoreWrite {
    const versions = record.versions.filter((version) => !withdrawn.includes(version));
    if (versions.length === 0) return this.records.remove(recordId);
    const newer = withdrawn.length === 0 && (versions.at(-1)?.[0] ?? 0) > upTo;
    const wasRevoked = withdrawn.length > 0 ? 'active' : record.status;
    return this.records.put(recordId, { ...record, data: newer ? record.data : '', status: wasRevoked, versions });
  }
}
