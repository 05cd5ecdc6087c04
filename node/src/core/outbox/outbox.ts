import { canonicalBytes, decodeBatchArgument, fromUtf8, limits, ProtocolError, recordId, type ErrorCode, type Header } from '@huilian/protocol';
import { passStep, reachStep } from '../failpoints.js';
import type { IndexedBatch } from '../indexing/fold-step.js';
import type { BatchSettler } from '../indexing/ledger-index.js';
import type { ReadModel } from '../indexing/read-model.js';
import { Mutex } from '../mutex.js';
import type { Clock, Store, StoreWrite } from '../ports.js';
import { OwnRecords } from '../vault/own-records.js';
import type { Vault } from '../vault/vault.js';
import { Arrivals, type DayArrived } from './arrivals.js';
import { LetterBook } from './letter-book.js';
import { FrozenBatches, type FrozenBatch } from './frozen-batches.js';
import type { HighWaterMark, Mark } from './high-water-mark.js';
import { OutboxChain, type GroupDraft, type Hole } from './outbox-chain.js';
import { RowPicker, type PickedRow } from './pick-rows.js';
import { RowRanges, rowsOf, toRanges, type Ranges } from './row-ranges.js';

/** Stands in a store that was made from a backup, until it has seen what the ledger holds. */
const restoredKey = 'outbox/restored';

const rejoinedKey = 'outbox/rejoined';

/** Unix seconds up to which this node does not know all it sent: when it first started after it was put back; 0 where it knows. */
export function unknownUntil(store: Pick<Store, 'get'>): number {
  const at = store.get(rejoinedKey);
  return at === undefined ? 0 : Number(fromUtf8(at));
}

/** To be written with a backup's rows. */
export const restoredMark: StoreWrite = { key: restoredKey, value: canonicalBytes(true) };

export interface OutboxParts {
  readonly store: Store;
  readonly mark: HighWaterMark;
  readonly readModel: ReadModel;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Member id of this node. */
  readonly publisher: string;
  readonly maxHeaders: number;
  /** Rows on the dead-letter list, at most; the oldest go first. A million where absent. */
  readonly mostDeadLetters?: number;
  /** Something an operator must look at. */
  readonly onAlarm: (error: ProtocolError) => void;
}

export interface OutboxStatus {
  /** Rows that are neither settled nor dead. */
  readonly pending: number;
  /** Batches frozen and not settled. */
  readonly inFlight: number;
  /** Rows settled or dead since the beginning. */
  readonly settled: number;
  readonly deadLettered: number;
}

/**
 * Accepted rows on their way to the ledger. What is durable here survives any crash: rows in a hash chain, batches frozen
 * before they leave, settled in the very write that indexes them.
 */
export class Outbox implements BatchSettler {
  private readonly mutex = new Mutex();
  private readonly changes = new Set<() => void>();
  private writingMark: Promise<void> | undefined;
  /** Rows are here and the file that says where they end is not. */
  private markMissing = false;
  private toldUnknown = false;
  /** Unix seconds. */
  private readonly openedAt: number;

  private constructor(
    private readonly parts: OutboxParts,
    private readonly chain: OutboxChain,
    private readonly frozen: FrozenBatches,
    private readonly picker: RowPicker,
    private readonly taken: RowRanges,
    private readonly records: OwnRecords,
    /** Rows that were not published, and why. */
    public readonly letters: LetterBook,
    /** Rows that came in, day by day. */
    public readonly arrivals: Arrivals,
    private restored: boolean,
  ) {
    this.openedAt = Math.floor(parts.clock.now() / 1000);
  }

  /**
   * Opens the outbox and compares it with the high-water mark. Acknowledged rows that are missing are announced through
   * `onAlarm` as OUTBOX_TAIL_LOST {from, to}; until `acceptLoss` nothing new is accepted.
   */
  public static async open(parts: OutboxParts): Promise<Outbox> {
    const { clock, mark, mostDeadLetters = 1_000_000, publisher, readModel, store, vault } = parts;
    const letters = await LetterBook.open({ most: mostDeadLetters, store, vault });
    const chain = await OutboxChain.open(store, mark.read());
    const frozen = await FrozenBatches.open(store);
    frozen.noteSeq(await readModel.lastSeq(publisher));
    const taken = new RowRanges(frozen.list().flatMap(({ rows }) => rows));
    const records = new OwnRecords(store);
    const picker = new RowPicker(chain, taken, records, readModel, publisher);
    const outbox = new Outbox(parts, chain, frozen, picker, taken, records, letters, await Arrivals.open(store, clock), store.get(restoredKey) !== undefined);
    await outbox.checkMark();
    if (outbox.restored) await outbox.noteRejoined();
    return outbox;
  }

  /** Acknowledged rows that are gone, as it was found at opening. */
  public get lost(): readonly Hole[] {
    return this.chain.holes;
  }

  /** Whether the end is where it was acknowledged to be; if not, nothing is accepted until `acceptLoss`. */
  public get isWhole(): boolean {
    return this.chain.holes.length === 0 && !this.markMissing;
  }

  /** The operator has seen what is lost: it stays on record, and the outbox accepts rows again. */
  public async acceptLoss(): Promise<void> {
    await this.mutex.run(async () => {
      await this.chain.acceptHoles(this.parts.clock.now());
      await this.parts.mark.write(this.chain.end);
      this.markMissing = false;
    });
  }

  /** Whether this is a backup that was put back and has not seen yet what the ledger holds: until then nothing is accepted. */
  public get isRestoring(): boolean {
    return this.restored;
  }

  /**
   * A folder that was put back may hold rows that stand on the ledger in batches it does not know of. They are settled, and
   * a row whose version has other content there becomes a dead letter. To be called once the read model stands where the
   * ledger stood at the start, before anything is sent.
   */
  public async rejoin(): Promise<void> {
    await this.mutex.run(async () => {
      if (this.frozen.hasUnknown) await this.settlePublished();
      if (this.toldUnknown) await this.noteRejoined();
      if (this.restored) await this.parts.store.write([{ key: restoredKey, remove: true }]);
      this.restored = false;
    });
    this.changed();
  }

  /** The next group of rows. Its write must reach the disk before another is drafted. @throws OUTBOX_TAIL_LOST */
  public draft(headers: readonly Header[]): GroupDraft {
    const [hole] = this.chain.holes;
    if (hole !== undefined) throw tailLost(hole);
    if (this.markMissing) throw new ProtocolError('OUTBOX_TAIL_LOST', { reason: 'mark-missing' });
    return this.chain.draft(headers);
  }

  /** Nothing of the draft was written: the chain goes on where it stood before it. */
  public abandon(draft: GroupDraft): void {
    this.chain.abandon(draft);
  }

  /** A write on the way into the outbox failed: what is on disk is unknown until everything is opened again. */
  public storageFailed(error: ProtocolError): void {
    this.parts.onAlarm(error);
  }

  /** Header of a row that is not settled yet; undefined once it is. */
  public pendingHeader(row: number): Header | undefined {
    return this.chain.isPending(row) ? this.chain.header(row) : undefined;
  }

  /** The draft is on disk: its rows count from now on, whatever goes wrong before they are acknowledged. */
  public written(draft: GroupDraft): void {
    this.chain.stored(draft);
    this.changed();
  }

  /** Resolves when the high-water mark covers a written draft too: only then may it be acknowledged. */
  public async covered(draft: GroupDraft): Promise<void> {
    await passStep('P5');
    await this.raiseMark(draft);
  }

  public async status(): Promise<OutboxStatus> {
    const pending = this.chain.pendingCount;
    return { pending, inFlight: this.frozen.list().length, settled: this.chain.end.to - pending, deadLettered: this.letters.count };
  }

  /** What came in on a day in Beijing. */
  public arrivedOn(day: string, kind: string): DayArrived {
    const { accepted, unlisted } = this.arrivals.of(day, kind);
    const refused = unlisted + this.letters.refusedOn(day, kind);
    return { received: accepted + refused, refused, published: accepted };
  }

  /** First row that is not known to be settled, and the last one; the first is beyond the last where none waits. */
  public get span(): { readonly first: number; readonly last: number } {
    return { first: this.chain.start, last: this.chain.end.to };
  }

  /** Rows that wait for a batch and were not looked at yet. */
  public get fresh(): number {
    return this.picker.fresh;
  }

  /** Frozen batches, oldest first. */
  public batches(): readonly FrozenBatch[] {
    return this.frozen.list();
  }

  public isFrozen(batch: FrozenBatch): boolean {
    return this.frozen.get(batch.seq) !== undefined;
  }

  /** Calls back whenever rows came or batches changed. Answers the way to stop. */
  public onChange(listener: () => void): () => void {
    this.changes.add(listener);
    return () => this.changes.delete(listener);
  }

  /** Resolves once nothing is pending. */
  public async whenDrained(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const stop = this.onChange(() => {
        if (this.chain.pendingCount > 0) return;
        stop();
        resolve();
      });
      signal.addEventListener('abort', () => { stop(); reject(new ProtocolError('OUTCOME_UNKNOWN', { pending: this.chain.pendingCount })); }, { once: true });
      this.changed();
    });
  }

  /** Runs with nothing frozen, refused or settled in between. */
  public async undisturbed<T>(task: () => Promise<T>): Promise<T> {
    return await this.mutex.run(task);
  }

  /** Whether a row is in no batch yet, and so can still be withdrawn. */
  public isWaiting(row: number): boolean {
    return this.chain.isPending(row) && !this.taken.has(row);
  }

  /** Takes rows that wait out of the outbox for good, with a dead letter each. Only within `undisturbed`; counts once `done` is called. */
  public withdraw(rows: readonly number[], code: ErrorCode): { readonly writes: readonly StoreWrite[]; done(): void } {
    const { clock, publisher, vault } = this.parts;
    const at = Math.floor(clock.now() / 1000);
    const letters = rows.flatMap((row) => {
      const { kind, localId, version } = this.chain.header(row);
      return this.letters.addAccepted({ at, code, recordId: recordId(publisher, kind, localId), version });
    });
    const settlement = this.chain.settle(toRanges([...rows].sort((left, right) => left - right)));
    return {
      writes: [...settlement.writes, ...rows.map((row) => vault.forget(row)), ...letters],
      done: () => {
        settlement.commit();
        this.changed();
      },
    };
  }

  /** Freezes the next batch on disk; undefined where no row can be sent now. */
  public async freeze(): Promise<FrozenBatch | undefined> {
    return await this.mutex.run(async () => {
      const { orphans, rows } = this.picker.pick({ headers: this.parts.maxHeaders, superseding: limits.batchSuperseding });
      for (const row of orphans) await this.buryRow(row, 'VERSION_ORDER');
      return rows.length === 0 ? undefined : await this.freezeRows(rows);
    });
  }

  /**
   * The ledger refuses a frozen batch for what is in it: its halves go on under new seqs, a single row becomes a dead
   * letter.
   */
  public async refuse(batch: FrozenBatch, code: ErrorCode): Promise<readonly FrozenBatch[]> {
    return await this.mutex.run(async () => {
      if (!this.isFrozen(batch)) return [];
      if (batch.count === 1) {
        const [row] = rowsOf(batch.rows);
        await this.buryRow(row as number, code, batch);
        return [];
      }
      return await this.split(batch);
    });
  }

  /** @inheritdoc Own batches are settled; a batch of this publisher that the outbox does not know of is an alarm. */
  public async settle(batches: readonly IndexedBatch[], write: (writes: readonly StoreWrite[]) => Promise<void>): Promise<void> {
    const own = batches.filter(({ publisher }) => publisher === this.parts.publisher);
    if (own.length === 0) {
      await write([]);
      return;
    }
    await this.mutex.run(async () => {
      await passStep('P9');
      const settled = own.flatMap((indexed) => this.settledBy(indexed) ?? []);
      const rows: Ranges = settled.flatMap((batch) => batch.rows);
      const settlement = this.chain.settle(rows);
      await write([...settled.flatMap((batch) => this.frozen.removal(batch)), ...settlement.writes, ...this.frozen.unknownWrites()]);
      await passStep('P10');
      settlement.commit();
      for (const batch of settled) this.release(batch);
      reachStep('P12');
    });
    this.changed();
  }

  /** Whether the ledger shows batches of this publisher that this outbox never sent: data was lost or restored. */
  public get hasUnknownBatches(): boolean {
    return this.frozen.hasUnknown;
  }

  /** Settles a frozen batch that the read model shows already: the ledger had it before the outbox asked. */
  public async settleIndexed(batch: FrozenBatch): Promise<boolean> {
    const { publisher, readModel, store } = this.parts;
    const indexed = readModel.batch(publisher, batch.seq);
    if (indexed === undefined) return false;
    await this.settle([{ publisher, root: indexed.root, seq: batch.seq, transactionId: indexed.transactionId }], async (writes) => {
      await store.write(writes);
    });
    return true;
  }

  private settledBy({ root, seq, transactionId }: IndexedBatch): FrozenBatch | undefined {
    const batch = this.frozen.get(seq);
    if (batch?.root === root) return batch;
    const unknown = batch === undefined && seq > this.frozen.lastSeq;
    if (batch !== undefined) this.parts.onAlarm(new ProtocolError('BATCH_EXISTS', { seq, root, ownRoot: batch.root }));
    else if (unknown && !this.toldUnknown && !this.restored) {
      this.toldUnknown = true;
      this.parts.onAlarm(new ProtocolError('OUTBOX_TAIL_LOST', { reason: 'unknown-own-batch', seq, transactionId }));
    }
    if (unknown) this.frozen.noteUnknown();
    this.frozen.noteSeq(seq);
    return undefined;
  }

  private async noteRejoined(): Promise<void> {
    await this.parts.store.write([{ key: rejoinedKey, value: canonicalBytes(this.openedAt) }]);
  }

  private async settlePublished(): Promise<void> {
    const { publisher, readModel, store } = this.parts;
    const [published, displaced]: [number[], number[]] = [[], []];
    for (const row of this.chain.pendingRows()) {
      const { digest, kind, localId, version } = this.chain.header(row);
      const shown = readModel.recordVersion(recordId(publisher, kind, localId), version);
      if (shown !== undefined) (shown.header.digest === digest ? published : displaced).push(row);
    }
    const gone = new Set([...published, ...displaced]);
    // A batch of which a part stands elsewhere would never be taken: what is left of it goes on in another.
    const broken = this.frozen.list().filter(({ rows }) => [...rowsOf(rows)].some((row) => gone.has(row)));
    const settlement = this.chain.settle(toRanges(published));
    await store.write([...broken.flatMap((batch) => this.frozen.removal(batch)), ...settlement.writes]);
    settlement.commit();
    for (const batch of broken) {
      this.release(batch);
      this.picker.putBack([...rowsOf(batch.rows)].filter((row) => !gone.has(row)));
    }
    for (const row of displaced) if (this.chain.isPending(row)) await this.buryRow(row, 'VERSION_ORDER');
  }

  private async freezeRows(rows: readonly PickedRow[]): Promise<FrozenBatch> {
    try {
      const batch = this.build(rows);
      await this.parts.store.write(this.frozen.writes(batch));
      this.take(batch);
      return batch;
    } catch (error) {
      const tooLarge = error instanceof ProtocolError && (error.code === 'BATCH_TOO_LARGE' || error.code === 'BATCH_TOO_MANY');
      this.picker.putBack((tooLarge ? rows.slice(rows.length >> 1) : rows).map(({ row }) => row));
      if (tooLarge && rows.length > 1) return await this.freezeRows(rows.slice(0, rows.length >> 1));
      throw error;
    }
  }

  private build(rows: readonly PickedRow[]): FrozenBatch {
    const previous = rows.flatMap((row) => row.previous ?? []);
    return this.frozen.build(this.parts.publisher, toRanges(rows.map(({ row }) => row)), rows.map(({ header }) => header), previous);
  }

  private async split(batch: FrozenBatch): Promise<readonly FrozenBatch[]> {
    const { headers, previous } = decodeBatchArgument(batch.argument);
    const before = new Map(previous.map((placed) => [placed.header.localId, placed]));
    const rows = [...rowsOf(batch.rows)].map((row, index): PickedRow => {
      const header = headers[index] as Header;
      const placed = before.get(header.localId);
      return { row, header, ...(placed === undefined ? {} : { previous: placed }) };
    });
    const halves = [this.build(rows.slice(0, rows.length >> 1)), this.build(rows.slice(rows.length >> 1))];
    await this.parts.store.write([...this.frozen.removal(batch), ...halves.flatMap((half) => this.frozen.writes(half))]);
    this.release(batch);
    for (const half of halves) this.take(half);
    return halves;
  }

  /** A row that will never be published, and the later versions that stand on it. */
  private async buryRow(row: number, code: ErrorCode, batch?: FrozenBatch): Promise<void> {
    const { clock, publisher, store, vault } = this.parts;
    const header = this.chain.header(row);
    const id = recordId(publisher, header.kind, header.localId);
    const own = this.records.read(id);
    const dead = (own?.versions ?? []).filter(([version, at]) => version >= header.version && this.chain.isPending(at)).map(([, at]) => at);
    const rows = [...new Set([row, ...dead])].sort((left, right) => left - right);
    const letter = { at: Math.floor(clock.now() / 1000), code, recordId: id, version: header.version };
    const settlement = this.chain.settle(toRanges(rows));
    await store.write([
      ...(batch === undefined ? [] : this.frozen.removal(batch)),
      ...settlement.writes,
      ...rows.map((one) => vault.forget(one)),
      ...this.letters.addAccepted(letter),
      this.recordWithout(id, header.version),
    ]);
    settlement.commit();
    if (batch !== undefined) this.release(batch);
    this.changed();
  }

  /** The record as it was before a version that was refused; its data is not known any more, so the next row is a change. */
  private recordWithout(id: string, version: number): StoreWrite {
    const own = this.records.read(id);
    const versions = (own?.versions ?? []).filter(([entry]) => entry < version);
    return own === undefined || versions.length === 0 ? this.records.remove(id) : this.records.put(id, { ...own, data: '', status: 'active', versions });
  }

  private take(batch: FrozenBatch): void {
    for (const [first, last] of batch.rows) this.taken.add(first, last);
    this.frozen.add(batch);
    this.changed();
  }

  private release(batch: FrozenBatch): void {
    for (const [first, last] of batch.rows) this.taken.remove(first, last);
    this.frozen.drop(batch);
  }

  private changed(): void {
    for (const listener of this.changes) listener();
  }

  /** One write of the mark at a time, each as high as the chain stands then. */
  private async raiseMark({ head, to }: Mark): Promise<void> {
    const { mark } = this.parts;
    while ((mark.read()?.to ?? 0) < to) {
      this.writingMark ??= mark.write(this.chain.durableEnd ?? { head, to }).finally(() => {
        this.writingMark = undefined;
      });
      await this.writingMark;
    }
  }

  private async checkMark(): Promise<void> {
    const { mark, onAlarm } = this.parts;
    if (mark.read() === undefined && this.chain.isEmpty) await mark.write(this.chain.end);
    this.markMissing = mark.read() === undefined;
    if (this.markMissing) onAlarm(new ProtocolError('OUTBOX_TAIL_LOST', { reason: 'mark-missing', to: this.chain.end.to }));
    for (const hole of this.chain.holes) onAlarm(tailLost(hole));
  }
}

function tailLost({ from, to }: Hole): ProtocolError {
  return new ProtocolError('OUTBOX_TAIL_LOST', { from, to });
}
