import type { LedgerFunction } from '@huilian/protocol';
import { RelayRequest } from '../core/access/relay-request.js';
import type { Ledger, LedgerBlock, Submission, Transport } from '../core/ports.js';
import type { Outbox } from '../core/outbox/outbox.js';
import type { NodeMetrics } from '../observability/metrics.js';

/** The ledger port with its calls counted and timed. */
export function meteredLedger(ledger: Ledger, metrics: () => NodeMetrics): Ledger {
  return {
    submit: async (name: LedgerFunction, argument, transient) => {
      const submission = await metrics().submit(name, async () => await ledger.submit(name, argument, transient));
      return { ...submission, committed: async () => await metrics().commit(name, async () => await submission.committed()) } satisfies Submission;
    },
    blocks: (from: number, signal: AbortSignal): AsyncIterable<LedgerBlock> => ledger.blocks(from, signal),
    transactionCode: async (id) => await ledger.transactionCode(id),
    height: async () => await ledger.height(),
    close: async () => { await ledger.close(); },
  };
}

/** The transport port with what is asked of others counted; what is answered is counted where it is answered. */
export function meteredTransport(transport: Transport, metrics: () => NodeMetrics): Transport {
  return {
    request: async (centre, method, body) => await metrics().exchange('asked', method, async () => await transport.request(centre, method, body)),
    serve: (answer) => { transport.serve(async (from, method, body) => await metrics().exchange('answered', method, async () => await answer(from, method, body))); },
    allow: (centres) => { transport.allow(centres); },
    addresses: () => transport.addresses(),
    close: async () => { await transport.close(); },
  };
}

/** Readers' requests, counted by what came of each. */
export class MeteredRelay extends RelayRequest {
  public meter: NodeMetrics | undefined;

  public override async relay(...call: Parameters<RelayRequest['relay']>): ReturnType<RelayRequest['relay']> {
    const task = async (): ReturnType<RelayRequest['relay']> => await super.relay(...call);
    return this.meter === undefined ? await task() : await this.meter.read(task);
  }
}

const markMilliseconds = 1000;

/** How long the oldest row has waited: when rows came, to the second, since this process started. */
export class OutboxAge {
  private readonly marks: { to: number; readonly at: number }[] = [];

  public constructor(private readonly outbox: Outbox, private readonly now: () => number) {
    this.note();
    outbox.onChange(() => { this.note(); });
  }

  public get seconds(): number {
    this.note();
    const [oldest] = this.marks;
    return oldest === undefined ? 0 : (this.now() - oldest.at) / 1000;
  }

  private note(): void {
    const { first, last } = this.outbox.span;
    while (this.marks.length > 0 && (this.marks[0]?.to ?? 0) < first) this.marks.shift();
    const newest = this.marks.at(-1);
    const at = this.now();
    if (last < first || last <= (newest?.to ?? 0)) return;
    if (newest !== undefined && at - newest.at < markMilliseconds) newest.to = last;
    else this.marks.push({ to: last, at });
  }
}
