import { ProtocolError, type ErrorCode } from '@huilian/protocol';
import { Backoff } from '../backoff.js';
import { Wakeup } from '../wakeup.js';
import type { Source } from './source.js';
import type { JobSettings, RunOrder, RunRecord, RunState, SourceView, SyncJobsParts } from './sync-jobs.js';
import type { SyncRows } from './sync-rows.js';
import { refusalBound, SyncRun } from './sync-run.js';

/** What time may mend: the run is tried again soon, whatever the schedule says. */
const passing: ReadonlySet<ErrorCode> = new Set(['DISK_NEARLY_FULL', 'EXCHANGE_FAILED', 'KEY_COPY_FAILED', 'RESTORE_UNFINISHED', 'SOURCE_CHANGED', 'SOURCE_UNAVAILABLE', 'STORAGE_FAILED', 'STREAM_TRUNCATED']);
/** What makes the rest of a part worth nothing: it is read from its beginning next time. */
const spoiling: ReadonlySet<ErrorCode> = new Set(['SOURCE_CHANGED', 'SOURCE_UNREADABLE', 'SYNC_STOPPED']);
const retries = { firstMilliseconds: 5000, mostMilliseconds: 300_000 };
const listedRefusals = 100;
const minute = 60_000;

interface CurrentRun {
  readonly run: SyncRun;
  readonly stop: AbortController;
  readonly began: RunRecord;
  readonly asked: boolean;
  readonly fromStart: boolean;
  isNoted: boolean;
  share: number | undefined;
  ended: Promise<RunRecord>;
}

/** One configured source: when it is read, and how far. */
export class SyncJob {
  private readonly closing = new AbortController();
  private readonly wakeup = new Wakeup();
  private readonly retry: Backoff;
  private source: Source | undefined;
  private loop: Promise<void> = Promise.resolve();
  private current: CurrentRun | undefined;
  private last: RunRecord | undefined;
  private nextRun = 1;
  /** When the last scheduled look began, Unix milliseconds; undefined where it is to look at once. */
  private looked: number | undefined;
  private hasToRetry = false;
  private hasChanged = false;

  public constructor(
    private readonly parts: SyncJobsParts,
    private readonly settings: JobSettings,
    private readonly rows: SyncRows,
  ) {
    this.retry = new Backoff(parts.clock, parts.random, retries);
  }

  public async start(): Promise<void> {
    const [last] = await this.rows.runs();
    this.nextRun = (last?.run ?? 0) + 1;
    this.last = last;
    if (last?.state === 'running') {
      // The node ended in the middle of it, without a word.
      this.last = { ...last, state: 'interrupted' };
      await this.rows.putRun(this.last);
    }
    const isFirst = last === undefined && this.settings.everyMinutes > 0;
    this.looked = isFirst || this.last?.state === 'interrupted' ? undefined : (last?.started ?? 0) * 1000;
    this.loop = this.work();
  }

  public async end(): Promise<void> {
    this.closing.abort();
    this.wakeup.wake();
    this.current?.stop.abort();
    await this.loop;
    await this.current?.ended;
  }

  public view(): SourceView {
    const { everyMinutes, kind, name, type } = this.settings;
    const next = this.due();
    return {
      name, type, everyMinutes,
      ...(kind === undefined ? {} : { kind }),
      ...(this.current === undefined ? {} : { current: this.recordOf(this.current, 'running') }),
      ...(this.current !== undefined || next === undefined ? {} : { next: Math.floor(next / 1000) }),
      ...(this.last === undefined ? {} : { last: this.last }),
    };
  }

  public async runs(): Promise<readonly RunRecord[]> {
    const kept = await this.rows.runs();
    if (this.current === undefined) return kept;
    return [this.recordOf(this.current, 'running'), ...kept.filter(({ run }) => run !== this.current?.began.run)];
  }

  /** @param asked by a person, who looks for it among the runs */
  public begin({ dryRun = false, fromStart = false }: RunOrder, asked: boolean): RunRecord {
    if (this.current !== undefined || this.closing.signal.aborted) throw new ProtocolError('SYNC_RUNNING', { source: this.settings.name });
    const current = this.open(dryRun, fromStart, asked);
    this.current = current;
    current.ended = this.follow(current).finally(() => {
      this.current = undefined;
      this.wakeup.wake();
    });
    return current.began;
  }

  public async stopRun(): Promise<RunRecord> {
    if (this.current === undefined) throw new ProtocolError('NOT_FOUND');
    this.current.stop.abort();
    return await this.current.ended;
  }

  /** @throws CONFIG_INVALID where its settings name what is not there */
  private open(dryRun: boolean, fromStart: boolean, asked: boolean): CurrentRun {
    const { clock, door } = this.parts;
    const { kind, mapping, mostRefused, name, rights, schema } = this.settings;
    this.source ??= this.parts.open(name);
    const stop = new AbortController();
    const began: RunRecord = { source: name, run: this.nextRun, state: 'running', dryRun, started: Math.floor(clock.now() / 1000), rows: 0, accepted: 0, unchanged: 0, refused: 0, warned: 0, warnings: [], refusedRows: [] };
    this.nextRun += 1;
    const run = new SyncRun({
      source: this.source, door, dryRun, signal: stop.signal,
      bound: { ...refusalBound, mostShare: mostRefused / 100 },
      checkpoint: async (checkpoint) => {
        await this.note(current);
        await this.rows.save(checkpoint);
      },
      from: () => (fromStart ? undefined : this.rows.from()),
      now: () => clock.now(),
      remembers: (mark) => !fromStart && this.rows.remembers(mark),
      onProgress: (share) => { current.share = share; },
      ...(kind === undefined ? {} : { kind }), ...(schema === undefined ? {} : { schema }), ...(rights === undefined ? {} : { rights }), ...(mapping === undefined ? {} : { mapping }),
    });
    const current: CurrentRun = { asked, began, ended: Promise.resolve(began), fromStart, isNoted: dryRun, run, share: undefined, stop };
    return current;
  }

  /** That it runs is on disk before anything of it is: so that it goes on if the node ends in the middle. */
  private async note(current: CurrentRun): Promise<void> {
    if (current.isNoted) return;
    current.isNoted = true;
    await this.rows.putRun(current.began);
  }

  private async follow(current: CurrentRun): Promise<RunRecord> {
    const { asked, began, fromStart, run, stop } = current;
    let error: ProtocolError | undefined;
    try {
      if (asked) await this.note(current);
      if (fromStart && !began.dryRun) await this.rows.forget();
      await run.run();
    } catch (failure) {
      error = failure instanceof ProtocolError ? failure : new ProtocolError('INTERNAL', { reason: 'sync' });
    }
    const state = this.closing.signal.aborted ? 'interrupted' : error !== undefined ? 'failed' : stop.signal.aborted ? 'stopped' : 'done';
    const ended: RunRecord = { ...this.recordOf(current, state), ended: Math.floor(this.parts.clock.now() / 1000), ...(error === undefined ? {} : { error: { code: error.code, details: error.details } }) };
    if (!began.dryRun) await this.close(current, ended).catch(() => undefined);
    this.last = ended;
    this.parts.onRun(ended);
    return ended;
  }

  private async close({ asked, isNoted }: CurrentRun, ended: RunRecord): Promise<void> {
    const { error } = ended;
    this.hasToRetry = error !== undefined && passing.has(error.code);
    if (error === undefined) this.retry.reset();
    if (error !== undefined && spoiling.has(error.code)) await this.rows.restartPart();
    // Looking and finding nothing, or failing the same way once more, would push out what tells something.
    const tells = asked || isNoted || ended.rows > 0 || (error === undefined ? ended.state !== 'done' : error.code !== this.last?.error?.code);
    if (tells) await this.rows.putRun(ended);
  }

  private recordOf({ began, run, share }: CurrentRun, state: RunState): RunRecord {
    const { refused, refusedRows: _count, warnings } = run.tally.report;
    return { ...began, ...run.tally.current, ...(share === undefined ? {} : { share }), state, warnings, refusedRows: refused.slice(0, listedRefusals) };
  }

  /** When the clock starts it next, Unix milliseconds. */
  private due(): number | undefined {
    const { everyMinutes } = this.settings;
    if (this.looked === undefined) return this.parts.clock.now();
    return everyMinutes === 0 ? undefined : this.looked + everyMinutes * minute;
  }

  private async work(): Promise<void> {
    const { signal } = this.closing;
    const watching = this.watch();
    while (!signal.aborted) {
      if (this.current === undefined && this.isDue()) {
        this.looked = this.parts.clock.now();
        this.hasChanged = false;
        this.beginUnasked();
      }
      await this.current?.ended;
      if (signal.aborted) break;
      if (this.hasToRetry) {
        await this.retry.wait(signal);
        this.hasToRetry = false;
        this.looked = undefined;
      } else await this.rest();
    }
    await watching;
  }

  private beginUnasked(): void {
    try {
      this.begin({}, false);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      if (error.code !== 'SYNC_RUNNING') this.parts.onFault(this.settings.name, error);
    }
  }

  private isDue(): boolean {
    const due = this.due();
    return this.hasChanged || (due !== undefined && due <= this.parts.clock.now());
  }

  /** Until it is due, or something happens. */
  private async rest(): Promise<void> {
    const { clock } = this.parts;
    const due = this.due();
    const woken = new AbortController();
    const waits = [this.wakeup.wait(AbortSignal.any([this.closing.signal, woken.signal]))];
    // No longer than an hour at a time: the clock may be set.
    if (due !== undefined) waits.push(clock.sleep(Math.min(Math.max(0, due - clock.now()), 60 * minute), AbortSignal.any([this.closing.signal, woken.signal])));
    await Promise.race(waits);
    woken.abort();
  }

  /** Sources that say when something came. */
  private async watch(): Promise<void> {
    const { signal } = this.closing;
    const retry = new Backoff(this.parts.clock, this.parts.random, retries);
    while (!signal.aborted) {
      try {
        this.source ??= this.parts.open(this.settings.name);
        if (this.source.changes === undefined) return;
        for await (const _change of this.source.changes(signal)) {
          retry.reset();
          this.hasChanged = true;
          this.wakeup.wake();
        }
      } catch {
        // The next run says what is wrong; until then it is tried again.
      }
      await retry.wait(signal);
    }
  }
}
