import { isErrorCode, limits, ProtocolError, type ErrorCode, type ErrorDetails } from '@huilian/protocol';
import { Wakeup } from '../wakeup.js';
import type { Position, Reading, Source, SourcePart, SourceRow } from './source.js';
import { Tally, type SyncReport } from './sync-report.js';

/** How the rows of a part are put to the intake. */
interface Admission {
  /** Nothing is kept; the answers say what would be. */
  readonly dryRun: boolean;
  /** Local ids of the rows of this part that were taken before, 26 characters each, many in a text. */
  readonly seen?: AsyncIterable<string>;
}

/** Where rows go: the node's intake, or its HTTP door. Answers come in the order of the lines, groups of them together. */
export type RowDoor = (lines: AsyncIterable<Uint8Array>, admission: Admission) => AsyncIterable<readonly object[]>;

/** When a run is given up because nearly nothing of it can be accepted: before the list of refused rows is flooded. */
export interface RefusalBound {
  /** Rows that are judged before any more are sent. */
  readonly trialRows: number;
  /** Share of refused rows that ends the run; 1 never does. */
  readonly mostShare: number;
}

/** How far a run came: where to go on, and the part's records so far. */
export interface SyncCheckpoint {
  readonly position: Position;
  /** The part is done with it, and what comes next is another. */
  readonly whole: boolean;
  /** Local ids taken since the last checkpoint. */
  readonly taken: readonly string[];
  /** By what the part is known again, where it is done. */
  readonly marks?: readonly string[];
}

export interface SyncOrder {
  readonly source: Source;
  /** Kind of the rows; where absent, each part says its own. */
  readonly kind?: string;
  /** Schema version of the rows; the newest where absent. */
  readonly schema?: number;
  readonly rights?: string;
  /** Name of the mapping that the node applies to the rows. */
  readonly mapping?: string;
  readonly door: RowDoor;
  readonly dryRun: boolean;
  readonly bound: RefusalBound;
  readonly signal: AbortSignal;
  /** Where to begin, asked when the run begins; with it the local ids of the part that is under way there. */
  from?(): { readonly position: Position; readonly seen?: AsyncIterable<string> } | undefined;
  /** Whether a part with this mark was done before. */
  remembers?(mark: string): boolean;
  /** Told after the acknowledgement of all rows up to the position. It is on disk when this resolves. */
  checkpoint?(checkpoint: SyncCheckpoint): Promise<void>;
  onProgress?(share: number | undefined): void;
  now(): number;
}

/** Rows that are under way to the intake at most. */
const mostAhead = 4096;
/** Rows in one chunk: a thread takes a chunk at a time. */
const rowsPerChunk = 128;
const checkpointMilliseconds = 1000;
const checkpointRows = 2000;

/** Defaults of the bound on refused rows. */
export const refusalBound: RefusalBound = { trialRows: 200, mostShare: 0.5 };

/** Reads a source to its end, or until told to stop, and has its rows taken in. */
export class SyncRun {
  public readonly tally = new Tally();

  public constructor(private readonly order: SyncOrder) {}

  /**
   * Resolves when the source has no more, or the signal came. Whatever ends it, rows that were sent are answered and
   * counted first, and the last checkpoint covers them.
   * @throws SYNC_STOPPED {rows, refused}; what the source met; what the intake met (then the outcome of unanswered rows is unknown)
   */
  public async run(): Promise<SyncReport> {
    const { onProgress, signal, source } = this.order;
    const from = this.order.from?.();
    const reading: Reading = { signal, progress: (share) => onProgress?.(share), remembers: (mark) => this.order.remembers?.(mark) ?? false, warn: (warning) => { this.tally.warn(warning); } };
    let seen = from?.seen;
    let setAside: unknown;
    for await (const part of source.parts(from?.position, reading)) {
      const failure = await new PartRun(this.order, part, this.tally, seen).run();
      if (failure !== undefined && !canGoOn(part, failure)) throw failure;
      setAside ??= failure;
      seen = undefined;
      if (signal.aborted) break;
    }
    // The parts behind it were read; that one of them was not is what the run ends with.
    if (setAside !== undefined) throw setAside;
    return this.tally.report;
  }
}

/** What is wrong with a part itself, and not with the world around it. */
const ownFaults: ReadonlySet<ErrorCode> = new Set(['SOURCE_CHANGED', 'SOURCE_UNREADABLE', 'SYNC_STOPPED']);

function canGoOn(part: SourcePart, failure: unknown): boolean {
  return part.canBeSetAside === true && failure instanceof ProtocolError && ownFaults.has(failure.code);
}

/** One part on its way: a feed of lines, and their answers. */
class PartRun {
  private readonly waiting: SourceRow[] = [];
  private readonly answered = new Wakeup();
  private readonly ended = new AbortController();
  private readonly stop: AbortSignal;
  /** Rows of this part that were judged. */
  private readonly own = { refused: 0, rows: 0 };
  private failure: unknown;
  private complete = false;
  private sinceCheckpoint: { position: Position | undefined; rows: number; at: number; taken: string[] };

  public constructor(
    private readonly order: SyncOrder,
    private readonly part: SourcePart,
    private readonly tally: Tally,
    private readonly seen: AsyncIterable<string> | undefined,
  ) {
    this.sinceCheckpoint = { at: order.now(), position: undefined, rows: 0, taken: [] };
    this.stop = AbortSignal.any([order.signal, this.ended.signal]);
  }

  /** Answers what it failed by; rows that were sent are answered then all the same. */
  public async run(): Promise<unknown> {
    const { door, dryRun } = this.order;
    if (this.order.kind === undefined && this.part.kind === undefined) this.failure = new ProtocolError('SOURCE_UNREADABLE', { file: this.part.name, reason: 'name it after a kind, or name the kind in the settings' });
    try {
      for await (const group of door(this.lines(), { dryRun, ...(this.seen === undefined ? {} : { seen: this.seen }) })) {
        for (const answer of group) this.take(answer as Readonly<Record<string, unknown>>);
        this.judge();
        this.answered.wake();
        if (this.isCheckpointDue()) await this.checkpoint(false);
      }
    } catch (error) {
      // A door that broke because the feed did is not the news.
      this.failure ??= error;
    } finally {
      this.ended.abort();
    }
    if (this.failure === undefined && this.waiting.length > 0) this.failure = new ProtocolError('EXCHANGE_FAILED', { reason: 'rows were not answered' });
    const isDone = this.complete && this.failure === undefined;
    await this.checkpoint(isDone || canGoOn(this.part, this.failure));
    return this.failure;
  }

  /** The part as lines for the intake. It ends in good order whatever the source meets, so that every row sent is answered. */
  private async *lines(): AsyncGenerator<Uint8Array> {
    try {
      for await (const rows of this.failure === undefined ? this.part.rows() : []) {
        for (let at = 0; at < rows.length; ) {
          const room = await this.room();
          if (room === 0) return;
          const chunk = rows.slice(at, at + Math.min(room, rowsPerChunk));
          at += chunk.length;
          yield Buffer.from(chunk.map((row) => this.lineOf(row)).join(''), 'utf8');
        }
        if (this.order.signal.aborted) return;
      }
      this.complete = !this.order.signal.aborted;
    } catch (error) {
      this.failure ??= error;
    }
  }

  /** How many rows may be sent now; 0 where no more shall be. */
  private async room(): Promise<number> {
    const { bound } = this.order;
    for (;;) {
      if (this.stop.aborted || this.failure !== undefined) return 0;
      const { rows } = this.own;
      // Until the first rows were judged no more follow them: if none is any good, few are on the list.
      const most = bound.mostShare < 1 && rows < bound.trialRows ? Math.max(1, bound.trialRows - rows) : mostAhead;
      if (this.waiting.length < most) return most - this.waiting.length;
      await this.answered.wait(this.stop);
    }
  }

  private lineOf(source: SourceRow): string {
    this.waiting.push(source);
    const { kind = this.part.kind, mapping, rights, schema } = this.order;
    const { fault, place, row } = source;
    const given = { kind, ...(schema === undefined ? {} : { schema }), ...(rights === undefined ? {} : { rights }), source: place };
    const read = { ...given, ...(mapping === undefined ? {} : { mapping }), row };
    const line = JSON.stringify(fault === undefined ? read : { ...given, unreadable: fault });
    // Longer than a line may be, it would be refused without its place.
    return `${Buffer.byteLength(line) > limits.recordBytes ? JSON.stringify({ ...given, unreadable: 'ROW_TOO_LONG' }) : line}\n`;
  }

  private take(answer: Readonly<Record<string, unknown>>): void {
    if (isFailure(answer)) {
      const { code, details } = answer.error;
      this.failure ??= new ProtocolError(isErrorCode(code) ? code : 'EXCHANGE_FAILED', details);
      return;
    }
    if (typeof answer['line'] !== 'number') return;
    const row = this.waiting.shift();
    if (row === undefined) return;
    this.tally.take(row.place, answer);
    this.own.rows += 1;
    if (Array.isArray(answer['refused'])) this.own.refused += 1;
    this.sinceCheckpoint.position = row.position;
    this.sinceCheckpoint.rows += 1;
    if (this.hasCheckpoints && typeof answer['recordId'] === 'string') this.sinceCheckpoint.taken.push(answer['recordId'].slice(answer['recordId'].lastIndexOf('/') + 1));
  }

  /** Whether going on is any use. */
  private judge(): void {
    const { bound, dryRun } = this.order;
    const { refused, rows } = this.own;
    if (dryRun || bound.mostShare >= 1 || rows < bound.trialRows || refused <= rows * bound.mostShare) return;
    this.failure ??= new ProtocolError('SYNC_STOPPED', { rows, refused, mostShare: `${String(Math.round(bound.mostShare * 100))}%` });
  }

  /** Where nothing is kept of how far it came, nothing piles up for it either. */
  private get hasCheckpoints(): boolean {
    return this.order.checkpoint !== undefined && !this.order.dryRun;
  }

  private isCheckpointDue(): boolean {
    const { at, rows } = this.sinceCheckpoint;
    return this.hasCheckpoints && (rows >= checkpointRows || (rows > 0 && this.order.now() - at >= checkpointMilliseconds));
  }

  private async checkpoint(whole: boolean): Promise<void> {
    const { position, taken } = this.sinceCheckpoint;
    if (this.order.checkpoint === undefined || !this.hasCheckpoints) return;
    const reached = whole ? this.part.end() : position;
    if (reached === undefined) return;
    this.sinceCheckpoint = { at: this.order.now(), position: undefined, rows: 0, taken: [] };
    const { marks } = this.part;
    await this.order.checkpoint({ position: reached, taken, whole, ...(whole && marks !== undefined ? { marks } : {}) });
  }
}

function isFailure(answer: Readonly<Record<string, unknown>>): answer is { readonly error: { readonly code: string; readonly details?: ErrorDetails } } {
  return typeof answer['error'] === 'object' && answer['error'] !== null;
}

