import { ProtocolError, type ErrorCode } from '@huilian/protocol';
import { Backoff } from '../backoff.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Ledger, Random } from '../ports.js';
import { untilAborted } from '../until-aborted.js';
import { Wakeup } from '../wakeup.js';
import type { FrozenBatch } from './frozen-batches.js';
import type { Outbox } from './outbox.js';

export interface SenderParts {
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly readModel: ReadModel;
  readonly clock: Clock;
  readonly random: Random;
  readonly maxHeaders: number;
  /** How long rows that fill no batch wait for more while nothing is under way; else longer, but not beyond the last of it. */
  readonly maxWaitMilliseconds: number;
  readonly inFlight: number;
  /** Something an operator must look at; while the ledger takes nothing, once for each reason. */
  readonly onAlarm: (error: ProtocolError) => void;
}

/** A transaction that was handed in shows up in a block within this time, or its batch is sent again. */
const blockWaitMilliseconds = 60_000;
/** Once the stream of blocks broke, the ledger may have lost what it had not ordered: the same bytes go again after this. */
const brokenWaitMilliseconds = 3000;
/** Refusals that depend on the ledger's state may come from a peer that lags behind, so they must repeat. */
const refusalsThatCount = 4;
/** While batches are under way their block is awaited anyway: more time to fill the next one costs nobody much. */
const waitFactorUnderWay = 6;
const stateCodes: ReadonlySet<ErrorCode> = new Set([
  'SCHEMA_UNKNOWN', 'VERSION_ORDER', 'PREVIOUS_MISMATCH', 'RECORD_REVOKED', 'RECORD_UNKNOWN', 'MERKLE_PATH_INVALID',
]);
const contentCodes: ReadonlySet<ErrorCode> = new Set([
  'RIGHTS_NOT_ALLOWED', 'SUPERSEDE_CHANGES_OWNER', 'SEALED_OPENING_INVALID', 'ARG_MALFORMED', 'ARG_TOO_LARGE',
]);

/** Sends frozen batches, several at a time, the same bytes until the ledger has them: for days, if need be. */
export class BatchSender {
  private stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private readonly deliveries = new Map<number, Promise<void>>();
  private readonly wakeup = new Wakeup();
  private linger: AbortController | undefined;
  private problem: ErrorCode | undefined;
  /** What the operator was told since the ledger last took a batch. */
  private readonly told = new Set<string>();
  private unsubscribe: (() => void) | undefined;
  private halted = false;
  private readonly hurries = new Set<() => void>();
  private breaks = 0;
  /** Transactions that were endorsed and handed in, by the batch's seq. */
  private readonly ordered = new Map<number, string>();

  public constructor(private readonly parts: SenderParts) {}

  /** Why the ledger does not take batches now; undefined while it does. */
  public get lastProblem(): ErrorCode | undefined {
    return this.problem;
  }

  /** Transaction of a batch that is under way: endorsed and handed to ordering; undefined before that. */
  public orderedAs(seq: number): string | undefined {
    return this.ordered.get(seq);
  }

  public get isHalted(): boolean {
    return this.halted;
  }

  public start(): void {
    this.stopping = new AbortController();
    this.unsubscribe = this.parts.outbox.onChange(() => {
      if (this.parts.outbox.fresh >= this.parts.maxHeaders) this.linger?.abort();
      this.wakeup.wake();
    });
    this.running = this.run(this.stopping.signal);
  }

  /** The ledger's stream of blocks broke; a batch that is awaited is sent again soon, for that is always safe. */
  public ledgerBroke(): void {
    this.breaks += 1;
    for (const hurry of this.hurries) hurry();
  }

  /** What is frozen stays frozen and is sent at the next start. */
  public async stop(): Promise<void> {
    this.stopping.abort();
    this.unsubscribe?.();
    await this.running;
    await Promise.all(this.deliveries.values());
  }

  private async run(signal: AbortSignal): Promise<void> {
    const { inFlight, outbox } = this.parts;
    await this.catchUp(signal);
    for (const batch of outbox.batches()) this.launch(batch, signal);
    const backoff = new Backoff(this.parts.clock, this.parts.random);
    while (!signal.aborted && !this.halted) {
      if (this.deliveries.size >= inFlight) {
        await this.wakeup.wait(signal);
        continue;
      }
      await this.lingerForMore(signal);
      if (signal.aborted) return;
      try {
        const batch = await outbox.freeze();
        backoff.reset();
        if (batch === undefined) await this.wakeup.wait(signal);
        else this.launch(batch, signal);
      } catch (error) {
        this.report(error);
        await backoff.wait(signal);
      }
    }
  }

  /**
   * Nothing leaves before this node has seen all that the ledger held when it started: a folder that was put back would send
   * what stands there already, under numbers that are taken.
   */
  private async catchUp(signal: AbortSignal): Promise<void> {
    const { clock, ledger, outbox, random, readModel } = this.parts;
    const backoff = new Backoff(clock, random);
    while (!signal.aborted) {
      try {
        const height = await untilAborted(ledger.height(), signal);
        if (height === undefined) return;
        await readModel.whenHeight(height, signal);
        await outbox.rejoin();
        this.problem = undefined;
        return;
      } catch (error) {
        // Who follows the ledger tells the operator that it is away.
        if (error instanceof ProtocolError && error.code === 'LEDGER_UNAVAILABLE') this.problem = error.code;
        else this.report(error);
        await backoff.wait(signal);
      }
    }
  }

  /** Few rows wait a little for more: a batch costs the ledger about the same whatever its size. */
  private async lingerForMore(signal: AbortSignal): Promise<void> {
    const { clock, maxHeaders, maxWaitMilliseconds, outbox } = this.parts;
    if (outbox.fresh === 0 || outbox.fresh >= maxHeaders || maxWaitMilliseconds === 0) return;
    this.linger = new AbortController();
    const wait = this.deliveries.size === 0 ? maxWaitMilliseconds : maxWaitMilliseconds * waitFactorUnderWay;
    await clock.sleep(wait, AbortSignal.any([signal, this.linger.signal]));
    this.linger = undefined;
  }

  private launch(batch: FrozenBatch, signal: AbortSignal): void {
    const delivery = this.deliver(batch, signal).finally(() => {
      this.deliveries.delete(batch.seq);
      this.ordered.delete(batch.seq);
      if (this.deliveries.size === 0) this.linger?.abort();
      this.wakeup.wake();
    });
    this.deliveries.set(batch.seq, delivery);
  }

  private async deliver(batch: FrozenBatch, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.parts.clock, this.parts.random);
    let refusals = 0;
    while (!signal.aborted && !this.halted && this.parts.outbox.isFrozen(batch)) {
      const error = await this.attempt(batch, signal);
      if (error === undefined) {
        this.problem = undefined;
        this.told.clear();
        continue;
      }
      refusals = stateCodes.has(error.code) ? refusals + 1 : 0;
      if (isContent(error, refusals)) {
        await this.refuse(batch, error.code, signal);
        return;
      }
      if (error.code === 'BATCH_EXISTS') await this.settleExisting(batch, error);
      else this.report(error);
      await backoff.wait(signal);
    }
  }

  /** One try; undefined when the batch is settled or its transaction's outcome was seen. */
  private async attempt(batch: FrozenBatch, signal: AbortSignal): Promise<ProtocolError | undefined> {
    const { ledger, readModel } = this.parts;
    const { breaks } = this;
    try {
      const submission = await untilAborted(ledger.submit('publish', batch.argument), signal);
      if (submission === undefined) return undefined;
      this.ordered.set(batch.seq, submission.transactionId);
      await this.untilBlock(signal, async (deadline) => {
        await readModel.whenIndexed(submission.transactionId, deadline);
      }, breaks);
      return undefined;
    } catch (error) {
      return error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', { reason: 'sending' });
    }
  }

  /** @param breaks how often the stream of blocks had broken when the batch left */
  private async untilBlock(signal: AbortSignal, task: (deadline: AbortSignal) => Promise<void>, breaks = this.breaks): Promise<void> {
    const deadline = new AbortController();
    const finished = new AbortController();
    const endAfter = (milliseconds: number): void => {
      void this.parts.clock.sleep(milliseconds, finished.signal).then(() => { deadline.abort(); });
    };
    const hurry = (): void => { endAfter(brokenWaitMilliseconds); };
    endAfter(blockWaitMilliseconds);
    this.hurries.add(hurry);
    if (breaks !== this.breaks) hurry();
    await task(AbortSignal.any([signal, deadline.signal])).finally(() => {
      this.hurries.delete(hurry);
      finished.abort();
    });
  }

  /** The ledger has a batch of this seq. The same root: it is this one, of an earlier try. Another: never go on blindly. */
  private async settleExisting(batch: FrozenBatch, error: ProtocolError): Promise<void> {
    if (error.details['root'] === batch.root) {
      await this.parts.outbox.settleIndexed(batch);
      return;
    }
    this.halted = true;
    this.report(new ProtocolError('BATCH_EXISTS', { ...error.details, ownRoot: batch.root }));
  }

  private async refuse(batch: FrozenBatch, code: ErrorCode, signal: AbortSignal): Promise<void> {
    for (const half of await this.parts.outbox.refuse(batch, code)) this.launch(half, signal);
  }

  private report(error: unknown): void {
    const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', { reason: 'sending' });
    if (known.code === 'OUTCOME_UNKNOWN' || known.code === 'LEDGER_CONFLICT') return;
    const cause = `${known.code} ${String(known.details['reason'] ?? '')}`;
    if (!this.told.has(cause)) this.parts.onAlarm(known);
    this.told.add(cause);
    this.problem = known.code;
  }
}

/** Whether a refusal is for what the batch contains, so that sending it again would never help. */
function isContent({ code, entry }: ProtocolError, refusals: number): boolean {
  if (stateCodes.has(code)) return refusals >= refusalsThatCount;
  return contentCodes.has(code) || entry.stage === 'protocol';
}
