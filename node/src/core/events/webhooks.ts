import {
  comparePositions,
  positionText,
  ProtocolError,
  readPosition,
  toBase32,
  webhookShape,
  webhookTestType,
  type ConsortiumEvent,
  type EventFilter,
  type EventPosition,
} from '@huilian/protocol';
import { Backoff } from '../backoff.js';
import { matches } from './event-feed.js';
import { Mutex } from '../mutex.js';
import type { ReadModel } from '../indexing/read-model.js';
import { pastPrefix } from '../indexing/index-keys.js';
import { webhookCall, WebhookDelivery, type DeliveryParts, type Pause } from './deliver-webhook.js';
import { decodeWebhookRow, encodeWebhookRow, progressKey, subscriptionKey, subscriptionPrefix, type ProgressRow, type Subscriber, type SubscriptionRow } from './webhook-rows.js';

export interface WebhookParts extends DeliveryParts {
  readonly readModel: ReadModel;
  /** The member whose node this is. */
  readonly memberId: string;
  readonly mostPerSubscriber: number;
  readonly mostInAll: number;
  /** WEBHOOK_PAUSED {webhook, code, reason}: somebody should look at a target. */
  readonly onAlarm: (error: ProtocolError) => void;
}

/** A subscription as its subscriber and the operator see it; never its secret. */
export interface WebhookView {
  readonly id: string;
  readonly subscriber: Subscriber;
  readonly url: string;
  readonly filter: EventFilter;
  readonly batch: boolean;
  readonly createdAt: number;
  readonly state: 'active' | 'failing' | 'paused';
  /** Everything up to here was taken by the target or left out by the filter. */
  readonly position: string;
  readonly deliveredAt?: number;
  readonly failing?: ProgressRow['failing'];
  readonly paused?: SubscriptionRow['paused'];
}

interface Running {
  row: SubscriptionRow;
  delivery: WebhookDelivery;
  stopping: AbortController;
  done: Promise<void>;
}

const testTransaction = '0'.repeat(64);

/** The webhooks of a node: each subscription is delivered by a loop of its own. */
export class Webhooks {
  private readonly running = new Map<string, Running>();
  /** What changes a subscription runs one after another. */
  private readonly changes = new Mutex();
  private stopped = false;

  public constructor(private readonly parts: WebhookParts) {}

  public async start(): Promise<void> {
    for await (const [, value] of this.parts.store.entries({ gte: subscriptionPrefix, lt: pastPrefix(subscriptionPrefix) })) {
      this.run(decodeWebhookRow<SubscriptionRow>(value));
    }
  }

  public async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all([...this.running.values()].map(async (one) => { await this.end(one); }));
    await this.parts.sender.close();
  }

  /** @throws WEBHOOK_TARGET_FORBIDDEN, WEBHOOK_TARGET_FAILED {reason: 'name'}, TOO_MANY_SUBSCRIBERS, BAD_FIELD, UNKNOWN_FIELD */
  public async create(subscriber: Subscriber, wanted: unknown): Promise<WebhookView & { readonly secret: string }> {
    const { after, batch = false, filter = {}, url } = webhookShape.read(wanted);
    await this.parts.sender.check(url);
    return await this.changes.run(async () => await this.add(subscriber, { url, filter, batch }, after));
  }

  private async add(subscriber: Subscriber, wanted: Pick<SubscriptionRow, 'batch' | 'filter' | 'url'>, after: EventPosition | undefined): Promise<WebhookView & { readonly secret: string }> {
    const { clock, feed, mostInAll, mostPerSubscriber, random, secrets, store } = this.parts;
    if (this.running.size >= mostInAll || this.of(subscriber).length >= mostPerSubscriber) throw new ProtocolError('TOO_MANY_SUBSCRIBERS', { most: mostPerSubscriber });
    const row: SubscriptionRow = { id: toBase32(random.bytes(16)), subscriber, ...wanted, createdAt: Math.floor(clock.now() / 1000), generation: 1 };
    const progress: ProgressRow = { position: positionText(after ?? feed.now()) };
    await store.write([{ key: subscriptionKey(row.id), value: encodeWebhookRow(row) }, { key: progressKey(row.id), value: encodeWebhookRow(progress) }]);
    return { ...this.view(this.run(row)), secret: secrets.show(row) };
  }

  /** Own subscriptions, oldest first; all of them for the operator. */
  public list(subscriber: Subscriber): readonly WebhookView[] {
    const seen = subscriber.role === 'operator' ? [...this.running.values()] : this.of(subscriber);
    return seen.map((one) => this.view(one)).sort((left, right) => left.createdAt - right.createdAt || (left.id < right.id ? -1 : 1));
  }

  /** @throws NOT_FOUND, also where it is another member's */
  public find(subscriber: Subscriber, id: string): WebhookView {
    return this.view(this.required(subscriber, id));
  }

  /** @throws NOT_FOUND */
  public async remove(subscriber: Subscriber, id: string): Promise<void> {
    await this.changes.run(async () => {
      const one = this.required(subscriber, id);
      this.running.delete(id);
      await this.end(one);
      await this.parts.store.write([{ key: subscriptionKey(id), remove: true }, { key: progressKey(id), remove: true }]);
    });
  }

  /** A new secret, shown once; the one before signs too for a day. Only its own subscriber may. @throws NOT_FOUND */
  public async renewSecret(subscriber: Subscriber, id: string): Promise<{ readonly id: string; readonly secret: string }> {
    return await this.changes.run(async () => {
      const one = this.required(subscriber, id);
      if (!sameSubscriber(one.row.subscriber, subscriber)) throw new ProtocolError('NOT_FOUND');
      await this.end(one);
      const row = { ...one.row, generation: one.row.generation + 1, rotatedAt: Math.floor(this.parts.clock.now() / 1000) };
      await this.parts.store.write([{ key: subscriptionKey(id), value: encodeWebhookRow(row) }]);
      this.run(row);
      return { id, secret: this.parts.secrets.show(row) };
    });
  }

  /** Goes on where a paused subscription stood. @throws NOT_FOUND, WEBHOOK_TARGET_FORBIDDEN, WEBHOOK_TARGET_FAILED {reason: 'name'} */
  public async resume(subscriber: Subscriber, id: string): Promise<WebhookView> {
    await this.parts.sender.check(this.required(subscriber, id).row.url);
    return await this.changes.run(async () => {
      const one = this.required(subscriber, id);
      await this.end(one);
      const { paused: _paused, ...row } = one.row;
      const { failing: _failing, ...progress } = one.delivery.state;
      await this.parts.store.write([{ key: subscriptionKey(id), value: encodeWebhookRow(row) }, { key: progressKey(id), value: encodeWebhookRow(progress) }]);
      return this.view(this.run(row));
    });
  }

  /** Sends one trial event at once, beside the queue. @throws NOT_FOUND, WEBHOOK_TARGET_FORBIDDEN, WEBHOOK_TARGET_FAILED {reason, status?} */
  public async test(subscriber: Subscriber, id: string): Promise<{ readonly delivered: true; readonly event: string }> {
    const { row } = this.required(subscriber, id);
    const { clock, random, readModel, secrets, sender } = this.parts;
    const event: ConsortiumEvent = {
      specversion: '1.0',
      id: `test/${toBase32(random.bytes(16))}`,
      source: `urn:huilian:${readModel.charter()?.digest ?? ''}`,
      type: webhookTestType,
      time: new Date(clock.now()).toISOString(),
      subject: id,
      datacontenttype: 'application/json',
      data: { block: Math.max(0, readModel.height()), transactionId: testTransaction },
    };
    const { body, headers } = webhookCall(secrets, row, [event], Math.floor(clock.now() / 1000));
    await sender.post(row.url, headers, body, new AbortController().signal);
    return { delivered: true, event: event.id };
  }

  /** The subscriptions that an event is for: how many are past it, and which still have it before them. */
  public reached(event: ConsortiumEvent): { readonly past: number; readonly before: readonly WebhookView[] } {
    const at = readPosition(event.id);
    const wanted = this.list({ role: 'operator' }).filter(({ filter }) => matches({ type: event.type, ...event.data }, filter));
    const before = wanted.filter(({ position }) => comparePositions(readPosition(position), at) < 0);
    return { past: wanted.length - before.length, before };
  }

  /** Counts for the operator. */
  public counts(): { readonly active: number; readonly failing: number; readonly paused: number } {
    const states = [...this.running.values()].map((one) => this.view(one).state);
    const count = (state: WebhookView['state']): number => states.filter((one) => one === state).length;
    return { active: count('active'), failing: count('failing'), paused: count('paused') };
  }

  private of(subscriber: Subscriber): Running[] {
    return [...this.running.values()].filter(({ row }) => sameSubscriber(row.subscriber, subscriber));
  }

  private required(subscriber: Subscriber, id: string): Running {
    const one = this.running.get(id);
    const visible = one !== undefined && (subscriber.role === 'operator' || sameSubscriber(one.row.subscriber, subscriber));
    if (!visible) throw new ProtocolError('NOT_FOUND');
    return one;
  }

  private run(row: SubscriptionRow): Running {
    const delivery = new WebhookDelivery(this.parts, row, () => this.isServed(row.subscriber));
    const stopping = new AbortController();
    const one: Running = { row, delivery, stopping, done: Promise.resolve() };
    this.running.set(row.id, one);
    if (row.paused === undefined && !this.stopped) one.done = this.deliver(one);
    return one;
  }

  private async deliver(one: Running): Promise<void> {
    const { signal } = one.stopping;
    const backoff = new Backoff(this.parts.clock, this.parts.random);
    let troubled: string | undefined;
    while (!signal.aborted) {
      try {
        const pause = await one.delivery.run(signal);
        if (pause !== undefined && !signal.aborted) await this.pause(one, pause);
        return;
      } catch (error) {
        // A trouble of this node and not of the target, such as a disk nearly full: told once, and deliveries go on when it passes.
        const { position } = one.delivery.state;
        if (troubled !== position) this.parts.onAlarm(error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', { reason: 'webhook-delivery' }));
        troubled = position;
        await backoff.wait(signal);
      }
    }
  }

  private async pause(one: Running, { code, reason }: Pause): Promise<void> {
    one.row = { ...one.row, paused: { at: Math.floor(this.parts.clock.now() / 1000), code, reason } };
    await this.parts.store.write([{ key: subscriptionKey(one.row.id), value: encodeWebhookRow(one.row) }]);
    this.parts.onAlarm(new ProtocolError('WEBHOOK_PAUSED', { webhook: one.row.id, code, reason }));
  }

  private async end(one: Running): Promise<void> {
    one.stopping.abort();
    await one.done;
  }

  /** Active, and this node's own or hosted here: who may no longer sign in is told nothing more either. */
  private isServed(subscriber: Subscriber): boolean {
    if (subscriber.role === 'operator') return true;
    const member = this.parts.readModel.member(subscriber.member);
    return member?.status === 'active' && (subscriber.member === this.parts.memberId || member.document.host === this.parts.memberId);
  }

  private view({ delivery: { state }, row }: Running): WebhookView {
    const { batch, createdAt, filter, id, paused, subscriber, url } = row;
    const active = state.failing === undefined ? 'active' : 'failing';
    return { id, subscriber, url, filter, batch, createdAt, state: paused === undefined ? active : 'paused', ...state, ...(paused === undefined ? {} : { paused }) };
  }
}

function sameSubscriber(left: Subscriber, right: Subscriber): boolean {
  return left.role === 'member' && right.role === 'member' ? left.member === right.member : left.role === right.role;
}
