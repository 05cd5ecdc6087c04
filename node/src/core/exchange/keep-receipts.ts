import { canonicalBytes, documentDigest, fromUtf8, limits, ProtocolError, readReceipt, utf8, verifyReceipt } from '@huilian/protocol';
import { passStep } from '../failpoints.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Keys, Ledger, Store } from '../ports.js';
import { sentDigest, sentRelease } from './sent-releases.js';

const pending = 'exchange/receipt-pending/';
const kept = (ticketId: string): string => `exchange/receipt/${ticketId}`;
const waitMilliseconds = 200;
const retryMilliseconds = 2000;

/** Keeps the receipts that readers signed and anchors them on the ledger in batches. */
export class KeepReceipts {
  private readonly stopping = new AbortController();
  private loop: Promise<void> = Promise.resolve();
  private wake: () => void = () => undefined;

  public constructor(
    private readonly readModel: ReadModel,
    private readonly store: Store,
    private readonly ledger: Ledger,
    private readonly keys: Keys,
    private readonly clock: Clock,
    private readonly onTrouble: (error: unknown) => void,
  ) {}

  /** Verifies and stores a receipt; durable when it resolves. @throws TICKET_UNKNOWN, RECEIPT_MISMATCH, RECEIPT_BAD_SIGNATURE */
  public async keep(jws: string): Promise<{ readonly digest: string }> {
    const { ticket: ticketId } = readReceipt(jws);
    const indexed = this.readModel.ticket(ticketId);
    if (indexed?.ticket.publisher !== this.keys.memberId) throw new ProtocolError('TICKET_UNKNOWN', { ticket: ticketId });
    const reader = this.readModel.member(indexed.ticket.reader);
    if (reader === undefined) throw new ProtocolError('MEMBER_UNKNOWN', { member: indexed.ticket.reader });
    const receipt = verifyReceipt(jws, { ticket: ticketId, reader: indexed.ticket.reader, key: reader.document.signingKey });
    const sent = sentRelease(this.store, ticketId);
    // The first receipt on the ledger stands for good: one that names other bytes may not take the true one's place.
    if (sent !== undefined && sentDigest(sent) !== receipt.jwe) throw new ProtocolError('RECEIPT_MISMATCH', { reason: 'other-release', ticket: ticketId });
    if (this.store.get(kept(ticketId)) === undefined) {
      await this.store.write([{ key: kept(ticketId), value: utf8(jws) }, { key: `${pending}${ticketId}`, value: utf8(jws) }]);
      await passStep('R7');
      this.wake();
    }
    return { digest: documentDigest(receipt) };
  }

  public start(): void {
    this.loop = this.run();
  }

  public async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const sent = await this.anchorSome().catch((error: unknown) => {
        this.onTrouble(error);
        return undefined;
      });
      if (sent === undefined) await this.clock.sleep(retryMilliseconds, signal);
      else if (sent === 0) await this.nextReceipt(signal);
      else await this.clock.sleep(waitMilliseconds, signal);
    }
  }

  private async nextReceipt(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      // A receipt may have come between the look into the store and here; it is found at the latest then.
      void this.clock.sleep(retryMilliseconds, signal).then(resolve);
    });
    this.wake = (): void => undefined;
  }

  private async anchorSome(): Promise<number> {
    const found: { key: string; jws: string }[] = [];
    for await (const [key, value] of this.store.entries({ gte: pending, lt: `${pending}~`, limit: limits.confirmReceipts })) found.push({ key, jws: fromUtf8(value) });
    const open = found.filter(({ key }) => this.readModel.ticket(key.slice(pending.length))?.confirmed === undefined);
    if (open.length > 0) {
      const submission = await this.ledger.submit('confirm', canonicalBytes({ receipts: open.map(({ jws }) => jws) }));
      await submission.committed();
      await passStep('R8');
    }
    if (found.length > 0) await this.store.write(found.map(({ key }) => ({ key, remove: true as const })));
    return found.length;
  }
}
