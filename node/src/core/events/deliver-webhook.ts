import { comparePositions, positionText, ProtocolError, readPosition, type ConsortiumEvent, type EventPosition } from '@huilian/protocol';
import { Backoff } from '../backoff.js';
import { passStep } from '../failpoints.js';
import type { Clock, Random, Store, WebhookSender } from '../ports.js';
import type { EventFeed } from './event-feed.js';
import { decodeWebhookRow, encodeWebhookRow, progressKey, type ProgressRow, type SubscriptionRow } from './webhook-rows.js';
import type { WebhookSecrets } from './webhook-secrets.js';

interface DeliveryLimits {
  readonly firstRetryMilliseconds: number;
  readonly mostRetryMilliseconds: number;
  /** A target that answered nothing good for so long is left alone until somebody resumes it. */
  readonly pauseAfterSeconds: number;
}

export interface DeliveryParts {
  readonly store: Store;
  readonly feed: EventFeed;
  readonly sender: WebhookSender;
  readonly secrets: WebhookSecrets;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: DeliveryLimits;
}

/** Why a delivery ended by itself. */
export interface Pause {
  readonly code: 'MEMBER_SUSPENDED' | 'WEBHOOK_TARGET_FAILED' | 'WEBHOOK_TARGET_FORBIDDEN';
  readonly reason: string;
}

const eventsPerPage = 50;
const eventsPerBatch = 100;
/** Progress is synced at least this often while events flow: so much comes again after a crash. */
const syncMilliseconds = 1000;
const gone = 410;

/**
 * One subscription's queue: the events behind its position, one call at a time, each until its target took it. Nothing of
 * it waits for another subscription.
 */
export class WebhookDelivery {
  private progress: ProgressRow;
  private synced = 0;
  private readonly backoff: Backoff;

  public constructor(
    private readonly parts: DeliveryParts,
    private readonly subscription: SubscriptionRow,
    private readonly isServed: () => boolean,
  ) {
    const { limits: { firstRetryMilliseconds, mostRetryMilliseconds }, clock, random, store } = parts;
    this.backoff = new Backoff(clock, random, { firstMilliseconds: firstRetryMilliseconds, mostMilliseconds: mostRetryMilliseconds });
    const row = store.get(progressKey(subscription.id));
    this.progress = row === undefined ? { position: positionText(parts.feed.now()) } : decodeWebhookRow<ProgressRow>(row);
  }

  public get state(): ProgressRow {
    return this.progress;
  }

  /** Delivers until the signal aborts, or until it has to pause. */
  public async run(signal: AbortSignal): Promise<Pause | undefined> {
    try {
      return await this.pages(signal);
    } finally {
      await this.sync();
    }
  }

  private async pages(signal: AbortSignal): Promise<Pause | undefined> {
    while (!signal.aborted) {
      if (!this.isServed()) return { code: 'MEMBER_SUSPENDED', reason: 'member-not-served' };
      const { batch, filter } = this.subscription;
      const page = await this.parts.feed.page(this.position(), filter, batch ? eventsPerBatch : eventsPerPage);
      for (const events of inCalls(page.events, batch)) {
        const pause = await this.deliver(events, signal);
        if (pause !== undefined || signal.aborted) return pause;
      }
      await this.moveTo(page.position, page.complete);
      if (page.complete) await this.parts.feed.whenMore(page.height, signal);
    }
    return undefined;
  }

  /** One call until it is taken. */
  private async deliver(events: readonly ConsortiumEvent[], signal: AbortSignal): Promise<Pause | undefined> {
    while (!signal.aborted) {
      // Also between tries: what a member may no longer see does not leave.
      if (!this.isServed()) return { code: 'MEMBER_SUSPENDED', reason: 'member-not-served' };
      const failure = await this.send(events, signal);
      if (failure === undefined) {
        await passStep('E4');
        this.backoff.reset();
        await this.delivered(events);
        return undefined;
      }
      if (signal.aborted) return undefined;
      const pause = await this.failed(failure);
      if (pause !== undefined) return pause;
      await this.backoff.wait(signal);
    }
    return undefined;
  }

  private async send(events: readonly ConsortiumEvent[], signal: AbortSignal): Promise<ProtocolError | undefined> {
    const { clock, secrets, sender } = this.parts;
    const { headers, body } = webhookCall(secrets, this.subscription, events, Math.floor(clock.now() / 1000));
    try {
      await sender.post(this.subscription.url, headers, body, signal);
      return undefined;
    } catch (error) {
      return error instanceof ProtocolError ? error : new ProtocolError('WEBHOOK_TARGET_FAILED', { reason: 'internal' });
    }
  }

  private async delivered(events: readonly ConsortiumEvent[]): Promise<void> {
    const last = events.at(-1);
    const failed = this.progress.failing !== undefined;
    this.progress = { position: last?.id ?? this.progress.position, deliveredAt: this.now() };
    if (failed || this.parts.clock.now() - this.synced >= syncMilliseconds) await this.sync();
  }

  private async failed({ code, details }: ProtocolError): Promise<Pause | undefined> {
    const { attempts, since } = this.progress.failing ?? { attempts: 0, since: this.now() };
    const reason = String(details['reason'] ?? 'failed');
    const status = typeof details['status'] === 'number' ? { status: details['status'] } : {};
    this.progress = { ...this.progress, failing: { since, attempts: attempts + 1, at: this.now(), code, reason, ...status } };
    await this.sync();
    const pauseCode = code === 'WEBHOOK_TARGET_FORBIDDEN' ? code : 'WEBHOOK_TARGET_FAILED';
    if (status.status === gone) return { code: pauseCode, reason: 'gone' };
    return this.now() - since >= this.parts.limits.pauseAfterSeconds ? { code: pauseCode, reason } : undefined;
  }

  /** Moves over what the filter left out. */
  private async moveTo(position: EventPosition, complete: boolean): Promise<void> {
    const moved = comparePositions(position, this.position()) > 0;
    if (moved) this.progress = { ...this.progress, position: positionText(position) };
    if (complete || (moved && this.parts.clock.now() - this.synced >= syncMilliseconds)) await this.sync();
  }

  private position(): EventPosition {
    return readPosition(this.progress.position);
  }

  private async sync(): Promise<void> {
    const { clock, store } = this.parts;
    const value = encodeWebhookRow(this.progress);
    const key = progressKey(this.subscription.id);
    this.synced = clock.now();
    if (Buffer.compare(store.get(key) ?? new Uint8Array(), value) !== 0) await store.write([{ key, value }]);
  }

  private now(): number {
    return Math.floor(this.parts.clock.now() / 1000);
  }
}

function inCalls(events: readonly ConsortiumEvent[], batch: boolean): readonly (readonly ConsortiumEvent[])[] {
  if (!batch) return events.map((event) => [event]);
  return events.length === 0 ? [] : [events];
}

/** Body and headers of a call: CloudEvents 1.0 in structured JSON, or batched (HTTP binding §3.2, §3.3), signed. */
export function webhookCall(
  secrets: WebhookSecrets,
  subscription: SubscriptionRow,
  events: readonly ConsortiumEvent[],
  now: number,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const [first] = events;
  const last = events.at(-1);
  const body = JSON.stringify(subscription.batch ? events : first);
  // The same events have the same id on every try: a receiver knows by it what it took before.
  const id = first === last ? (first?.id ?? '') : `${first?.id ?? ''}~${last?.id ?? ''}`;
  const type = subscription.batch ? 'application/cloudevents-batch+json' : 'application/cloudevents+json';
  return { headers: { 'content-type': `${type}; charset=utf-8`, ...secrets.headers(subscription, id, body, now) }, body };
}
