import type { Header } from '@huilian/protocol';
import type { RecordWatcher } from '../indexing/fold-step.js';
import { indexKeys, pastPrefix, splitPlace } from '../indexing/index-keys.js';
import { currentPlace, decodeRow, highestVersion, type BatchRow, type Checkpoint, type RecordRow } from '../indexing/index-rows.js';
import { currentGeneration } from '../indexing/read-model.js';
import type { Store, StoreSnapshot } from '../ports.js';
import { CurrentHeaders } from './current-headers.js';
import { WaitingHeaders, type RowFile } from './header-rows.js';
import { monthOf, RecordColumns, rowFlags, type CodedHeader } from './record-columns.js';

/** What a block does to the columns, until its rows are durable. */
class PendingBlock {
  public readonly batches: { readonly place: string; readonly publisher: string; readonly month: number; readonly headers: CodedHeader[] }[] = [];
  public readonly replaced: { readonly recordId: string; readonly place: string }[] = [];
  public readonly contested: string[] = [];
}

/** Headers that are written to the file at once while they are read. */
const headersAtOnce = 1000;

/** How far the columns are: reading headers, marking which of them are current, or as whole as the read model. */
export type ColumnState = 'reading' | 'marking' | 'complete';

/**
 * Keeps the columns up with the read model: built from its rows once, beside everything else that goes on, and then block by
 * block. Nothing of it is stored: it is a view of what is.
 */
export class ColumnIndex implements RecordWatcher {
  public readonly columns = new RecordColumns();
  /** Present where there is a file for them. */
  public readonly headers: CurrentHeaders | undefined;
  private pending = new PendingBlock();
  /** Headers of the pending block. */
  private readonly waiting = new WaitingHeaders();
  private current: ColumnState = 'reading';
  /** Records that got another current version while the marking goes on, whose rows as they were say nothing any more. */
  private readonly touched = new Set<string>();

  public constructor(
    private readonly store: Store,
    file?: RowFile,
  ) {
    this.headers = file === undefined ? undefined : new CurrentHeaders(this.columns, file);
  }

  public get state(): ColumnState {
    return this.current;
  }

  // --- block by block ------------------------------------------------------------------------------------------------------

  public begin(): void {
    this.pending = new PendingBlock();
    this.waiting.clear();
  }

  public batch(place: string, publisher: string, time: number): void {
    this.pending.batches.push({ place, publisher, month: monthOf(time), headers: [] });
  }

  public header(recordId: string, header: Header, isCurrent: boolean, replaced: string | undefined): void {
    const coded = this.columns.code(header);
    if (this.headers !== undefined) this.waiting.add(header, coded.kind);
    this.pending.batches.at(-1)?.headers.push(isCurrent ? { ...coded, flags: coded.flags | rowFlags.current } : coded);
    if (isCurrent && replaced !== undefined) this.pending.replaced.push({ recordId, place: replaced });
  }

  public contested(place: string): void {
    this.pending.contested.push(place);
  }

  /** The block's rows are durable. While headers are read they are found there. */
  public commit(): void {
    const { batches, contested, replaced } = this.pending;
    this.pending = new PendingBlock();
    if (this.current === 'reading') return;
    this.headers?.append(this.waiting, this.columns.rows);
    for (const { publisher, headers, month, place } of batches) {
      this.columns.addBatch(place);
      const code = this.columns.publishers.codeOf(publisher);
      for (const header of headers) this.columns.addRow(header, code, month);
    }
    for (const { place, recordId } of replaced) {
      if (this.current === 'marking') this.touched.add(recordId);
      this.mark(place, rowFlags.current, false);
    }
    for (const place of contested) this.mark(place, rowFlags.contested, true);
  }

  // --- from the rows of the read model -------------------------------------------------------------------------------------

  /** @param height of the read model, which the columns must have reached before blocks are added as they come */
  public async build(height: () => number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const snapshot = this.store.snapshot();
      let reached: number;
      try {
        reached = await this.readHeaders(snapshot, signal);
      } finally {
        await snapshot.close();
      }
      // From here to the assignment nothing else runs.
      if (reached !== height()) continue;
      this.current = 'marking';
      await this.markRows(signal);
      if (signal.aborted) return;
      this.touched.clear();
      this.current = 'complete';
      this.headers?.becomesComplete();
      return;
    }
  }

  /** Reads the headers that the columns lack. Answers the height they were read at. */
  private async readHeaders(snapshot: StoreSnapshot, signal: AbortSignal): Promise<number> {
    const keys = indexKeys(currentGeneration(this.store));
    const after = this.columns.lastBatch;
    const batches = snapshot.entries({ gt: keys.batchAt(after), lt: pastPrefix(keys.batchAt('')) })[Symbol.asyncIterator]();
    let [batchKey, publisher, month] = ['', 0, 0];
    const read = new WaitingHeaders();
    let first = this.columns.rows;
    const append = (): void => {
      this.headers?.append(read, first);
      first = this.columns.rows;
    };
    // Headers of a batch sort behind its place, and before the next place.
    const from = after === '' ? keys.header('') : pastPrefix(keys.header(`${after}.`));
    for await (const [key, value] of snapshot.entries({ gt: from, lt: pastPrefix(keys.header('')) })) {
      if (signal.aborted) break;
      const place = splitPlace(key.slice(keys.header('').length)).transaction;
      while (batchKey < keys.batchAt(place)) {
        const next = await batches.next();
        if (next.done === true) break;
        const row = decodeRow<BatchRow>(next.value[1]);
        [batchKey] = next.value;
        [publisher, month] = [this.columns.publishers.codeOf(row.publisher), monthOf(row.time)];
        this.columns.addBatch(batchKey.slice(keys.batchAt('').length));
      }
      const header = decodeRow<Header>(value);
      const coded = this.columns.code(header);
      this.columns.addRow(coded, publisher, month);
      if (this.headers !== undefined) read.add(header, coded.kind);
      if (read.hashes.length === headersAtOnce) append();
    }
    append();
    await batches.return?.();
    for await (const [, value] of snapshot.entries({ gte: keys.checkpoint, lte: keys.checkpoint })) return decodeRow<Checkpoint>(value).height;
    return -1;
  }

  /** Marks the current version of each record, and those that are contested. */
  private async markRows(signal: AbortSignal): Promise<void> {
    const keys = indexKeys(currentGeneration(this.store));
    for await (const [key, value] of this.store.entries({ gte: keys.record(''), lt: pastPrefix(keys.record('')) })) {
      if (signal.aborted) return;
      if (this.touched.has(key.slice(keys.record('').length))) continue;
      this.mark(currentPlace(decodeRow<RecordRow>(value)) ?? '', rowFlags.current, true);
    }
    for await (const [key, value] of this.store.entries({ gte: keys.contested(''), lt: pastPrefix(keys.contested('')) })) {
      const row = decodeRow<RecordRow>(this.store.get(keys.record(key.slice(keys.contested('').length)))) ?? [];
      if (highestVersion(row) <= decodeRow<{ version: number }>(value).version) this.mark(currentPlace(row) ?? '', rowFlags.contested, true);
    }
  }

  /** A place that the columns do not have yet comes with its block. */
  private mark(place: string, flag: number, on: boolean): void {
    const row = this.columns.rowAt(place);
    if (row !== undefined) this.columns.setFlag(row, flag, on);
  }
}
