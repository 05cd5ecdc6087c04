import { canonicalBytes, isErrorCode, limits, parseCanonical, ProtocolError, type ErrorDetails, type GrantEnvelope, type OpenEntry, type OpenResult } from '@huilian/protocol';
import type { Clock, Ledger, Random } from '../ports.js';

/** What becomes one entry of access.open. Slot and offer are fetched for each try, for both may run out. */
export interface Opening {
  readonly request: string;
  readonly grant?: GrantEnvelope;
  /** A fresh offer of the publisher. */
  offer(): Promise<string>;
  /** A use of the grant, held until released; undefined without a grant. */
  takeSlot(): number | undefined;
  releaseSlot(slot: number): void;
}

interface Waiting {
  readonly opening: Opening;
  /** What the publisher offered first; a later try asks again. */
  readonly offer: string;
  readonly resolve: (ticketId: string) => void;
  readonly reject: (error: unknown) => void;
  tries: number;
}

interface Tried {
  readonly waiting: Waiting;
  readonly entry: OpenEntry;
  /** Size in the argument, at most. */
  readonly bytes: number;
}

const mostTries = 8;
const packBytes = limits.openBytes - 64;
const slotBytes = ',"slot":100000,'.length;

/**
 * Packs concurrent requests into one access.open: while one pack is under way the next gathers, so that all reads of a
 * block interval share one transaction. Conflicting packs are split and tried again with jitter and fresh offers.
 */
export class OpenTickets {
  private queue: Waiting[] = [];
  private flushing = false;

  public constructor(
    private readonly ledger: Ledger,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly gatherMilliseconds = 5,
  ) {}

  /** The committed ticket's id. @throws the contract's refusal, LEDGER_UNAVAILABLE, OUTCOME_UNKNOWN */
  public async open(opening: Opening): Promise<string> {
    // Asked before it joins a pack: a publisher that is slow to answer keeps nobody else waiting.
    const offer = await opening.offer();
    return await new Promise<string>((resolve, reject) => {
      this.queue.push({ opening, offer, resolve, reject, tries: 0 });
      if (!this.flushing) void this.flush();
    });
  }

  private async flush(): Promise<void> {
    this.flushing = true;
    await this.clock.sleep(this.gatherMilliseconds);
    while (this.queue.length > 0) {
      const pack = this.queue.splice(0, limits.openRequests);
      await this.submitAll(await this.prepare(pack));
    }
    this.flushing = false;
  }

  private async prepare(pack: readonly Waiting[]): Promise<Tried[]> {
    const tried = await Promise.all(pack.map(async (waiting): Promise<Tried | undefined> => {
      try {
        const { grant, request } = waiting.opening;
        const offer = waiting.tries === 0 ? waiting.offer : await waiting.opening.offer();
        const entry = { ...(grant === undefined ? {} : { grant }), offer, request };
        // Before a use is taken: what cannot be written is refused here, alone.
        const bytes = canonicalBytes(entry).length + slotBytes;
        const slot = grant === undefined ? undefined : waiting.opening.takeSlot();
        return { waiting, bytes, entry: { ...entry, ...(slot === undefined ? {} : { slot }) } };
      } catch (error) {
        waiting.reject(error);
        return undefined;
      }
    }));
    return tried.filter((entry) => entry !== undefined);
  }

  /** Cuts by bytes, then submits each part; parts are rare, since an entry is a few kilobytes. */
  private async submitAll(tried: readonly Tried[]): Promise<void> {
    let part: Tried[] = [];
    let bytes = 0;
    for (const one of tried) {
      if (part.length > 0 && bytes + one.bytes > packBytes) {
        await this.submit(part);
        part = [];
        bytes = 0;
      }
      part.push(one);
      bytes += one.bytes;
    }
    if (part.length > 0) await this.submit(part);
  }

  private async submit(part: readonly Tried[]): Promise<void> {
    try {
      const submission = await this.ledger.submit('open', canonicalBytes({ entries: part.map(({ entry }) => entry) }));
      const results = parseCanonical(submission.response) as unknown as OpenResult[];
      // A pack of refusals wrote nothing: nothing is worth waiting for, and it must not look like an access.
      if (results.some(({ ticket }) => ticket !== undefined)) await submission.committed();
      part.forEach((one, index) => {
        this.settle(one, results[index] ?? {});
      });
    } catch (error) {
      await this.submitFailed(part, error);
    } finally {
      for (const { entry, waiting } of part) if (entry.slot !== undefined) waiting.opening.releaseSlot(entry.slot);
    }
  }

  private settle({ waiting }: Tried, result: OpenResult): void {
    if (result.ticket !== undefined) waiting.resolve(result.ticket);
    else if (result.code === 'SLOT_TAKEN' || result.code === 'OFFER_EXPIRED') this.again(waiting, refusalOf(result));
    else waiting.reject(refusalOf(result));
  }

  private async submitFailed(part: readonly Tried[], error: unknown): Promise<void> {
    if (!(error instanceof ProtocolError) || error.code !== 'LEDGER_CONFLICT') {
      for (const { waiting } of part) waiting.reject(error);
      return;
    }
    const jitter = (this.random.bytes(1)[0] ?? 0) / 256;
    await this.clock.sleep(10 + 40 * jitter);
    if (part.length === 1) {
      for (const { waiting } of part) this.again(waiting, error);
      return;
    }
    const half = Math.ceil(part.length / 2);
    for (const piece of [part.slice(0, half), part.slice(half)]) {
      const again = piece.map(({ waiting }) => waiting).filter((waiting) => this.mayTryAgain(waiting, error));
      await this.submitAll(await this.prepare(again));
    }
  }

  private again(waiting: Waiting, error: ProtocolError): void {
    if (this.mayTryAgain(waiting, error)) this.queue.push(waiting);
  }

  private mayTryAgain(waiting: Waiting, error: ProtocolError): boolean {
    waiting.tries += 1;
    if (waiting.tries < mostTries) return true;
    waiting.reject(error);
    return false;
  }
}

function refusalOf({ code, details }: OpenResult): ProtocolError {
  if (code === undefined || !isErrorCode(code)) return new ProtocolError('LEDGER_REJECTED', { reason: 'unreadable-result' });
  return new ProtocolError(code, JSON.parse(details ?? '{}') as ErrorDetails);
}
