import { fromUtf8, utf8 } from '@huilian/protocol';
import type { Store, StoreWrite } from '../ports.js';
import type { Position } from './source.js';
import type { SyncCheckpoint } from './sync-run.js';
import type { RunRecord } from './sync-jobs.js';

/** All that is kept of sources lies under this. A position may hold the key of a row, never its other values. */
const prefix = 'sync/';
const keptRuns = 50;

interface PositionRow {
  readonly position: Position;
  /** The part is done; what comes next is another. */
  readonly whole: boolean;
  /** Where the part that is under way began; absent at the very beginning. */
  readonly before?: Position;
}

/** Where each source was read to, and what its last runs did. */
export class SyncRows {
  public constructor(
    private readonly store: Store,
    private readonly source: string,
  ) {}

  /** Where to go on, with the records of the part that is under way there. */
  public from(): { readonly position: Position; readonly seen?: AsyncIterable<string> } | undefined {
    const row = this.row();
    return row && { position: row.position, ...(row.whole ? {} : { seen: this.seen() }) };
  }

  /** A part is under way that has not been read to its end. */
  public get isUnderWay(): boolean {
    return this.row()?.whole === false;
  }

  /** On disk when it resolves. */
  public async save({ marks = [], position, taken, whole }: SyncCheckpoint): Promise<void> {
    const last = this.row();
    const before = last === undefined || last.whole ? last?.position : last.before;
    const row: PositionRow = { position, whole, ...(before === undefined || whole ? {} : { before }) };
    const seen = whole ? await this.forgetSeen() : taken.length === 0 ? [] : [await this.addSeen(taken)];
    const done = marks.map((mark) => ({ key: this.doneKey(mark), value: utf8('1') }));
    await this.store.write([{ key: this.positionKey, value: bytesOf(row) }, ...seen, ...done]);
  }

  /** Whether a part with this mark was done. */
  public remembers(mark: string): boolean {
    return this.store.get(this.doneKey(mark)) !== undefined;
  }

  /** The part that is under way is read from its beginning next time. */
  public async restartPart(): Promise<void> {
    const row = this.row();
    if (row === undefined || row.whole) return;
    const back: StoreWrite = row.before === undefined ? { key: this.positionKey, remove: true } : { key: this.positionKey, value: bytesOf({ position: row.before, whole: true }) };
    await this.store.write([back, ...(await this.forgetSeen())]);
  }

  /** All is read again. */
  public async forget(): Promise<void> {
    await this.store.write([{ key: this.positionKey, remove: true }, ...(await this.forgetSeen()), ...(await this.removals(this.doneKey('')))]);
  }

  public async putRun(run: RunRecord): Promise<void> {
    const old: StoreWrite[] = [];
    for await (const [key] of this.store.entries({ gte: this.runPrefix, lt: this.runKey(run.run - keptRuns) })) old.push({ key, remove: true });
    await this.store.write([{ key: this.runKey(run.run), value: utf8(JSON.stringify(run)) }, ...old]);
  }

  /** Newest first. */
  public async runs(): Promise<readonly RunRecord[]> {
    const found: RunRecord[] = [];
    for await (const [, value] of this.store.entries({ gte: this.runPrefix, lt: `${this.runPrefix}~`, reverse: true })) found.push(JSON.parse(fromUtf8(value)) as RunRecord);
    return found;
  }

  private row(): PositionRow | undefined {
    const value = this.store.get(this.positionKey);
    return value && (JSON.parse(fromUtf8(value)) as PositionRow);
  }

  private async *seen(): AsyncGenerator<string> {
    for await (const [, value] of this.store.entries({ gte: this.seenPrefix, lt: `${this.seenPrefix}~` })) yield fromUtf8(value);
  }

  private async addSeen(taken: readonly string[]): Promise<StoreWrite> {
    let next = 0;
    for await (const [key] of this.store.entries({ gte: this.seenPrefix, lt: `${this.seenPrefix}~`, reverse: true, limit: 1 })) next = Number(key.slice(this.seenPrefix.length)) + 1;
    return { key: `${this.seenPrefix}${String(next).padStart(10, '0')}`, value: utf8(taken.join('')) };
  }

  private async forgetSeen(): Promise<StoreWrite[]> {
    return await this.removals(this.seenPrefix);
  }

  private async removals(under: string): Promise<StoreWrite[]> {
    const removals: StoreWrite[] = [];
    for await (const [key] of this.store.entries({ gte: under, lt: `${under}~` })) removals.push({ key, remove: true });
    return removals;
  }

  private doneKey(mark: string): string {
    return `${prefix}done/${this.source}/${mark}`;
  }

  private get positionKey(): string {
    return `${prefix}position/${this.source}`;
  }

  private get seenPrefix(): string {
    return `${prefix}seen/${this.source}/`;
  }

  private get runPrefix(): string {
    return `${prefix}run/${this.source}/`;
  }

  private runKey(run: number): string {
    return `${this.runPrefix}${String(Math.max(0, run)).padStart(10, '0')}`;
  }
}

/** A position is the source's own text, not of the protocol: keys of rows are in it as the source spells them. */
function bytesOf(row: PositionRow): Uint8Array {
  return utf8(JSON.stringify(row));
}
