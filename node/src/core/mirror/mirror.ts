import { ProtocolError, type ErrorCode } from '@huilian/protocol';
import { Backoff } from '../backoff.js';
import type { Clock, Random } from '../ports.js';
import { Wakeup } from '../wakeup.js';
import { advanceGeneration, type FollowParts } from './follow-generation.js';
import type { MirrorDatabase, MirrorGeneration, MirrorSession } from './ports.js';

export interface MirrorParts extends FollowParts {
  readonly clock: Clock;
  readonly database: MirrorDatabase;
  readonly random: Random;
  /** Once per trouble, not at every try. */
  readonly onProblem: (error: ProtocolError) => void;
}

/** `away`: the database does not answer and is tried again. `halted`: only a rebuild, or a repair by hand and a new start, helps. */
export type MirrorState = 'away' | 'following' | 'halted' | 'starting' | 'stopped';

export interface MirrorStatus {
  readonly state: MirrorState;
  /** Last block in the tables, and how many the read model is ahead. */
  readonly block: number;
  readonly blocksBehind: number;
  /** Erasures that the tables do not show yet. */
  readonly erasuresWaiting: number;
  readonly generation: number;
  readonly rebuilding?: { readonly generation: number; readonly block: number; readonly of: number };
  /** What ended the following: `cause` is a SQLSTATE or an error code of the connection, `since` Unix seconds. */
  readonly problem?: { readonly code: ErrorCode; readonly reason: string; readonly cause: string; readonly since: number };
}

/** Reasons that pass by themselves. */
const passing: ReadonlySet<unknown> = new Set(['away', 'denied', 'other-writer']);

/**
 * Follows the read model into the centre's own database, on a loop of its own: nothing of the node waits for it. After any end of
 * node or database it goes on behind the checkpoint that the database holds.
 */
export class Mirror {
  private readonly stopping = new AbortController();
  private readonly wakeup = new Wakeup();
  private running: Promise<void> = Promise.resolve();
  private stopListening: () => void = () => undefined;
  private state: MirrorState = 'stopped';
  private problem: MirrorStatus['problem'];
  private rebuildWanted = false;
  /** The one that is shown, and the one that a rebuild makes. */
  private serving: MirrorGeneration | undefined;
  private next: MirrorGeneration | undefined;

  public constructor(private readonly parts: MirrorParts) {}

  public start(): void {
    this.state = 'starting';
    this.stopListening = this.parts.readModel.onBlock(() => { this.wakeup.wake(); });
    this.running = this.follow(this.stopping.signal);
  }

  public async stop(): Promise<void> {
    this.stopListening();
    this.stopping.abort();
    await this.running;
    this.state = 'stopped';
  }

  /** Something beside blocks is to be followed: an erasure. */
  public wake(): void {
    this.wakeup.wake();
  }

  /** Makes all tables again, beside those that are shown until then. Answers at once; the status tells how far it is. */
  public rebuild(): MirrorStatus {
    this.rebuildWanted = true;
    this.wakeup.wake();
    return this.status();
  }

  public status(): MirrorStatus {
    const { readModel, vault } = this.parts;
    const { serving } = this;
    const rebuilt = this.next === undefined ? {} : { rebuilding: { generation: this.next.number, block: this.next.block, of: readModel.height() } };
    const waits = this.rebuildWanted && this.next === undefined ? { rebuilding: { generation: (serving?.number ?? 0) + 1, block: -1, of: readModel.height() } } : rebuilt;
    return {
      state: this.state,
      block: serving?.block ?? -1,
      blocksBehind: Math.max(0, readModel.height() - (serving?.block ?? -1)),
      erasuresWaiting: Math.max(0, vault.erasures().length - (serving?.erasures ?? 0)),
      generation: serving?.number ?? 0,
      ...waits,
      ...(this.problem === undefined ? {} : { problem: this.problem }),
    };
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.parts.clock, this.parts.random);
    while (!signal.aborted) {
      let session: MirrorSession | undefined;
      try {
        session = await this.parts.database.connect();
        await this.work(session, backoff, signal);
      } catch (error) {
        this.report(error);
      } finally {
        await session?.close().catch(() => undefined);
      }
      if (signal.aborted) return;
      if (this.state === 'halted') await this.whenRebuildIsWanted(signal);
      else await backoff.wait(signal);
    }
  }

  private async whenRebuildIsWanted(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.rebuildWanted) await this.wakeup.wait(signal);
  }

  /** Works until something fails. */
  private async work(session: MirrorSession, backoff: Backoff, signal: AbortSignal): Promise<void> {
    this.parts.tables.forget();
    await this.load(session);
    while (!signal.aborted) {
      const height = this.parts.readModel.height();
      const moved = await this.step(session, height);
      backoff.reset();
      this.state = 'following';
      this.problem = undefined;
      if (!moved && height === this.parts.readModel.height()) await this.wakeup.wait(signal);
    }
  }

  private async load(session: MirrorSession): Promise<void> {
    const { settings } = this.parts.tables;
    const all = await session.generations();
    this.serving = all.find(({ serving }) => serving) ?? (await session.begin(1, true, settings));
    const next = all.filter(({ number, serving }) => !serving && number > (this.serving?.number ?? 0)).at(-1);
    this.next = next?.settings === settings ? next : undefined;
    if (this.next !== undefined || this.serving.settings !== settings) this.rebuildWanted = true;
  }

  /** Answers whether anything was done. */
  private async step(session: MirrorSession, height: number): Promise<boolean> {
    const begun = await this.beginNext(session);
    await this.prepare(session);
    // What cannot be followed any more is only replaced.
    const isBroken = this.rebuildWanted && this.serving !== undefined && this.faultOf(this.serving, height) !== undefined;
    const served = isBroken ? undefined : await this.advance(session, this.serving, height);
    this.serving = served ?? this.serving;
    const rebuilt = await this.advance(session, this.next, height);
    this.next = rebuilt ?? this.next;
    if (rebuilt === undefined && this.next !== undefined && (isBroken || this.next.block >= (this.serving?.block ?? 0))) {
      this.serving = await session.serve(this.next);
      this.next = undefined;
      this.rebuildWanted = false;
      return true;
    }
    return begun || served !== undefined || rebuilt !== undefined;
  }

  /** Answers whether a rebuild begins. */
  private async beginNext(session: MirrorSession): Promise<boolean> {
    if (!this.rebuildWanted || this.next !== undefined || this.serving === undefined) return false;
    this.next = await session.begin(this.serving.number + 1, false, this.parts.tables.settings);
    this.parts.tables.forget();
    return true;
  }

  private async prepare(session: MirrorSession): Promise<void> {
    const tables = await this.parts.tables.changed();
    if (tables === undefined) return;
    for (const generation of [this.serving, this.next]) if (generation !== undefined) await session.prepare(generation, tables);
  }

  private async advance(session: MirrorSession, generation: MirrorGeneration | undefined, height: number): Promise<MirrorGeneration | undefined> {
    if (generation === undefined || generation.block > height) return undefined;
    const fault = this.faultOf(generation, height);
    if (fault !== undefined) throw fault;
    return await advanceGeneration(this.parts, session, generation, height);
  }

  /** Its last block must be one of this ledger. */
  private faultOf({ block, hash }: MirrorGeneration, height: number): ProtocolError | undefined {
    if (block < 0 || block > height || this.parts.readModel.blockHash(block) === hash) return undefined;
    return new ProtocolError('MIRROR_FAILED', { reason: 'other-chain', block });
  }

  private report(error: unknown): void {
    const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', { reason: 'mirror', cause: error instanceof Error ? error.name : 'unknown' });
    const reason = String(known.details['reason'] ?? '');
    const isNew = this.problem?.code !== known.code || this.problem.reason !== reason;
    this.state = known.code === 'MIRROR_FAILED' && passing.has(reason) ? 'away' : 'halted';
    if (this.state === 'halted') this.rebuildWanted = false;
    if (!isNew) return;
    this.problem = { code: known.code, reason, cause: String(known.details['cause'] ?? known.details['block'] ?? ''), since: Math.floor(this.parts.clock.now() / 1000) };
    this.parts.onProblem(known);
  }
}
