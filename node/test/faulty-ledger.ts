import { decodeBatchArgument, ProtocolError, type BatchArgument, type ErrorCode, type LedgerFunction } from '@huilian/protocol';
import type { Ledger, LedgerBlock, Submission } from '../src/core/ports.js';

/** What happens to one `publish` call: it passes, or it fails in one of the ways a ledger fails. */
export type Fault =
  | { readonly what: 'unavailable'; readonly reason?: string }
  /** The contract refuses, nothing is ordered. */
  | { readonly what: 'refused'; readonly code: ErrorCode }
  /** The transaction is ordered, and the answer is lost. */
  | { readonly what: 'answer-lost' }
  /** Taken, but not before the promise resolves. */
  | { readonly what: 'held'; readonly until: Promise<void> }
  /** Taken by a ledger that dies with it: nothing says so. */
  | { readonly what: 'vanished' }
  /** Handed to ordering, and lost there. */
  | { readonly what: 'lost' };

/** A real ledger whose `publish` fails as told. */
export class FaultyLedger implements Ledger {
  public readonly sent: { readonly argument: string; readonly batch: BatchArgument }[] = [];

  private readonly waiting: (() => void)[] = [];

  public constructor(
    private readonly ledger: Ledger,
    private readonly faultOf: (batch: BatchArgument, attempt: number) => Fault | undefined,
  ) {}

  /** Resolves once so many calls were made. */
  public async whenSent(calls: number): Promise<void> {
    while (this.sent.length < calls) await new Promise<void>((resolve) => { this.waiting.push(resolve); });
  }

  public async submit(name: LedgerFunction, argument: Uint8Array, transient?: Readonly<Record<string, Uint8Array>>): Promise<Submission> {
    if (name !== 'publish') return await this.ledger.submit(name, argument, transient);
    const batch = decodeBatchArgument(argument);
    const text = Buffer.from(argument).toString('base64');
    this.sent.push({ argument: text, batch });
    for (const waiter of this.waiting.splice(0)) waiter();
    const attempt = this.sent.filter((call) => call.batch.seq === batch.seq).length;
    const fault = this.faultOf(batch, attempt);
    switch (fault?.what) {
      case undefined:
        return await this.ledger.submit(name, argument);
      case 'unavailable':
        throw new ProtocolError('LEDGER_UNAVAILABLE', fault.reason === undefined ? {} : { reason: fault.reason });
      case 'refused':
        throw new ProtocolError(fault.code);
      case 'answer-lost': {
        const { transactionId } = await this.ledger.submit(name, argument);
        throw new ProtocolError('OUTCOME_UNKNOWN', { transactionId });
      }
      case 'held':
        await fault.until;
        return await this.ledger.submit(name, argument);
      case 'vanished':
        return { transactionId: '0'.repeat(64), response: new Uint8Array(), committed: async () => await new Promise(() => undefined) };
      case 'lost':
        throw new ProtocolError('OUTCOME_UNKNOWN', { transactionId: '0'.repeat(64) });
    }
  }

  public blocks(from: number, signal: AbortSignal): AsyncIterable<LedgerBlock> {
    return this.ledger.blocks(from, signal);
  }

  public async transactionCode(transactionId: string): Promise<string | undefined> {
    return await this.ledger.transactionCode(transactionId);
  }

  public async height(): Promise<number> {
    return await this.ledger.height();
  }

  public async close(): Promise<void> {
    await this.ledger.close();
  }
}
