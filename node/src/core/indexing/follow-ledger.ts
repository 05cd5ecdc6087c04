import { ProtocolError } from '@huilian/protocol';
import { Backoff } from '../backoff.js';
import type { Clock, Ledger, Random } from '../ports.js';
import type { LedgerIndex } from './ledger-index.js';
import type { ReadModel } from './read-model.js';

export interface FollowerParts {
  readonly ledger: Ledger;
  readonly index: LedgerIndex;
  readonly readModel: ReadModel;
  readonly clock: Clock;
  readonly random: Random;
  /** Something an operator must look at: BLOCK_FORK and what else ends the following; and, once per outage, LEDGER_UNAVAILABLE. */
  readonly onAlarm: (error: ProtocolError) => void;
  /** The stream of blocks broke: what was handed in before may never come. */
  readonly onBroken?: () => void;
}

export type FollowerState = 'stopped' | 'following' | 'waiting' | 'halted';

/**
 * Keeps the read model up with the ledger: from the checkpoint's next block on, again after every break. A fork or a
 * damaged block halts it for good: nothing is released on a doubtful view of the ledger.
 */
export class LedgerFollower {
  private stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  private current: FollowerState = 'stopped';

  public constructor(private readonly parts: FollowerParts) {}

  public get state(): FollowerState {
    return this.current;
  }

  public start(): void {
    if (this.current !== 'stopped') return;
    this.stopping = new AbortController();
    this.current = 'following';
    this.running = this.follow(this.stopping.signal);
  }

  public async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    this.current = 'stopped';
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.parts.clock, this.parts.random);
    while (!signal.aborted) {
      const before = this.parts.readModel.height();
      try {
        await this.readBlocks(signal);
      } catch (error) {
        if (this.report(error)) return;
      }
      if (!signal.aborted) this.parts.onBroken?.();
      if (this.parts.readModel.height() > before) backoff.reset();
      await backoff.wait(signal);
    }
  }

  /** Reads until the stream breaks or leaves a gap, which is fetched again. */
  private async readBlocks(signal: AbortSignal): Promise<void> {
    const { index, ledger, readModel } = this.parts;
    for await (const block of ledger.blocks(readModel.height() + 1, signal)) {
      const outcome = await index.apply(block);
      this.current = 'following';
      if (outcome === 'gap' || signal.aborted) return;
    }
  }

  /** Answers whether the following ends. What passes by itself is reported once, not at every try. */
  private report(error: unknown): boolean {
    const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', { reason: 'indexing' });
    const passing = known.code === 'LEDGER_UNAVAILABLE' || known.code === 'DISK_NEARLY_FULL';
    const repeated = passing && this.current === 'waiting';
    this.current = passing ? 'waiting' : 'halted';
    if (!repeated) this.parts.onAlarm(known);
    return !passing;
  }
}
