import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { comparePositions, readPosition, type ConsortiumEvent, type EventFilter } from '@huilian/protocol';
import { arrivalOf, checkArrivals, type Arrival } from './arrivals.js';
import { centres, within, type Centre, type DrillWorld } from './drill-world.js';
import { ClientReader, RoamingReader, type StreamReader } from './event-stream.js';
import type { Tally } from './result.js';
import type { Manner, Target, TargetOrder } from './target-process.js';

const script = fileURLToPath(new URL('./target-process.js', import.meta.url));
const reachMilliseconds = 30_000;
const tryMilliseconds = 15_000;
const eventsPerPage = 500;

/** One webhook of a node. */
interface Subscription {
  readonly name: string;
  readonly centre: Centre;
  readonly filter: EventFilter;
  readonly batch: boolean;
  readonly manner: Manner;
  readonly id: string;
}

interface WebhookView {
  readonly position: string;
  readonly state: 'active' | 'failing' | 'paused';
  readonly failing?: { readonly code: string; readonly reason: string };
}

/** Targets that take what they are sent, one event at a call, many at a call, or chosen ones; and the dead ones of the busiest node. */
const wanted: readonly Omit<Subscription, 'id'>[] = [
  { name: 'one-by-one', centre: 'guangzhou', filter: {}, batch: false, manner: 'takes' },
  { name: 'in-batches', centre: 'guangzhou', filter: {}, batch: true, manner: 'takes' },
  { name: 'tickets', centre: 'zhuhai', filter: { types: ['huilian.grant.revoked', 'huilian.ticket.confirmed', 'huilian.ticket.opened'] }, batch: false, manner: 'takes' },
  { name: 'at-zhuhai', centre: 'zhuhai', filter: {}, batch: true, manner: 'takes' },
  { name: 'at-beijing', centre: 'beijing', filter: {}, batch: true, manner: 'takes' },
  { name: 'hangs', centre: 'guangzhou', filter: {}, batch: true, manner: 'hangs' },
  { name: 'redirects', centre: 'guangzhou', filter: {}, batch: true, manner: 'redirects' },
  { name: 'fails', centre: 'guangzhou', filter: {}, batch: true, manner: 'fails' },
];
const failureOf: Readonly<Record<Exclude<Manner, 'takes'>, string>> = {
  hangs: 'WEBHOOK_TARGET_FAILED timeout', redirects: 'WEBHOOK_TARGET_FORBIDDEN redirect', fails: 'WEBHOOK_TARGET_FAILED status',
};

interface Told {
  readonly event: ConsortiumEvent;
  readonly arrival: Arrival;
}

/**
 * Those whom the consortium tells of its events while it is killed and broken: webhook targets in a process of their own, and
 * readers of the stream. The judge holds what they heard against the feed (invariant I10).
 */
export class Subscribers {
  private subscriptions: readonly Subscription[] = [];
  private targets: Record<string, Target> = {};
  private process: ChildProcess | undefined;
  private port = 0;
  private readonly streams: StreamReader[] = [];
  /** The feed from its beginning, as far as it was read. */
  private readonly feed: Told[] = [];
  private healed = false;
  /** Events of the feed that were compared among the nodes. */
  private compared = 0;

  private constructor(
    private readonly world: DrillWorld,
    private readonly start: string,
    private readonly folder: string,
  ) {}

  /** Subscribes at every node, from now on. */
  public static async open(world: DrillWorld): Promise<Subscribers> {
    const { cursor } = await world.get<{ cursor: string }>('beijing', '/v1/events?after=now&limit=1');
    const folder = path.join(world.logs, 'webhooks');
    mkdirSync(folder, { recursive: true });
    const subscribers = new Subscribers(world, cursor, folder);
    await subscribers.startTargets();
    subscribers.subscriptions = await Promise.all(wanted.map(async (one) => await subscribers.subscribe(one)));
    await subscribers.startTargets();
    subscribers.streams.push(new RoamingReader(world, cursor).begin(), new ClientReader(async () => await world.client('zhuhai-platform', 'zhuhai'), cursor).begin());
    return subscribers;
  }

  /** Events that some subscriber was told so far. */
  public get told(): number {
    return this.streams[0]?.arrivals.length ?? 0;
  }

  /** kill -9 of the process of all targets, and another one in its place. */
  public async killTargets(): Promise<void> {
    const ended = new Promise((resolve) => this.process?.once('exit', resolve));
    this.process?.kill('SIGKILL');
    await ended;
    this.process = undefined;
    await this.startTargets();
  }

  /** The dead targets live again and are resumed: they are owed all that came meanwhile. */
  public async heal(): Promise<void> {
    this.healed = true;
    this.targets = Object.fromEntries(Object.entries(this.targets).map(([name, { secret }]) => [name, { manner: 'takes', secret }]));
    await this.startTargets();
    for (const { centre, id, manner } of this.subscriptions) {
      if (manner === 'takes') continue;
      const { ok, status } = await this.world.call(centre, 'POST', `/v1/webhooks/${id}/resume`);
      if (!ok) throw new Error(`${centre} answers ${String(status)} to the resuming of a webhook`);
    }
  }

  /** Events of the feed as far as it was read. */
  public get events(): number {
    return this.feed.length;
  }

  /** Whether, in time, everybody who takes anything was told of all that the feed holds now. */
  public async reached(milliseconds: number): Promise<boolean> {
    await this.readFeed('beijing');
    const end = readPosition(this.feed.at(-1)?.event.id ?? 'start');
    return await within(milliseconds, async () => {
      const places = await Promise.all(this.taking().map(async (one) => readPosition((await this.view(one)).position)));
      const heard = this.streams.map(({ arrivals }) => readPosition(arrivals.at(-1)?.id ?? this.start));
      return [...places, ...heard].every((place) => comparePositions(place, end) >= 0);
    });
  }

  /**
   * I10: the feed is the same at every node and holds each record version once; every subscriber was told of each event behind
   * its start, in order, without a gap; dead targets were tried, and nothing passed them over.
   */
  public async judge(tally: Tally, versions: number): Promise<void> {
    if (!(await this.reached(reachMilliseconds))) tally.violation(`I10: not everybody was told of all events ${String(reachMilliseconds / 1000)} s after the last fault: ${await this.places()}`);
    await this.compareFeeds(tally);
    const recordEvents = this.feed.filter(({ event: { type } }) => type.startsWith('huilian.record.') && type !== 'huilian.record.contested').length;
    tally.expect(recordEvents === versions, `I10: the feed tells of ${String(recordEvents)} record versions, there are ${String(versions)}`);
    for (const one of this.subscriptions) this.judgeTarget(one, tally);
    for (const { arrivals, breaks, name } of this.streams) {
      this.judgeArrivals(name, this.behindStart({}), arrivals, true, tally);
      tally.count('stream breaks', breaks);
    }
    tally.expect(!existsSync(this.logOf('elsewhere')), 'a redirect was followed');
    if (!this.healed) await this.judgeDead(tally);
    tally.figures['events'] = this.feed.length;
  }

  public async close(): Promise<void> {
    await Promise.all(this.streams.map(async (stream) => { await stream.close(); }));
    this.process?.disconnect();
  }

  private async subscribe(one: Omit<Subscription, 'id'>): Promise<Subscription> {
    const { batch, centre, filter, manner, name } = one;
    const response = await this.world.call(centre, 'POST', '/v1/webhooks', JSON.stringify({ url: `http://127.0.0.1:${String(this.port)}/${name}`, filter, batch, after: this.start }));
    if (!response.ok) throw new Error(`${centre} answers ${String(response.status)} to a subscription: ${await response.text()}`);
    const { id, secret } = (await response.json()) as { id: string; secret: string };
    this.targets[name] = { manner, secret };
    return { ...one, id };
  }

  /** Starts the process of the targets where there is none, and tells it who they are. */
  private async startTargets(): Promise<void> {
    const child = (this.process ??= fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    const answered = new Promise<{ port: number }>((resolve, reject) => {
      const gone = (code: number | null): void => { reject(new Error(`the webhook targets ended with ${String(code)}`)); };
      child.once('exit', gone);
      child.once('message', (message) => {
        child.off('exit', gone);
        resolve(message as { port: number });
      });
    });
    const order: TargetOrder = { folder: this.folder, port: this.port, targets: this.targets };
    child.send(order);
    this.port = (await answered).port;
  }

  private taking(): readonly Subscription[] {
    return this.subscriptions.filter(({ manner }) => this.healed || manner === 'takes');
  }

  private async view({ centre, id }: Subscription): Promise<WebhookView> {
    return await this.world.get<WebhookView>(centre, `/v1/webhooks/${id}`);
  }

  private async places(): Promise<string> {
    const end = this.feed.at(-1)?.event.id ?? 'start';
    const places = await Promise.all(this.taking().map(async (one) => `${one.name} ${JSON.stringify(await this.view(one).catch(() => 'no answer'))}`));
    return [`the feed ends at ${end}`, ...places, ...this.streams.map(({ arrivals, name }) => `${name} ${arrivals.at(-1)?.id ?? 'nothing'}`)].join('; ');
  }

  /** Reads on what one node's feed holds behind that which is known. */
  private async readFeed(centre: Centre, known: Told[] = this.feed): Promise<void> {
    for (;;) {
      const after = known.at(-1)?.event.id ?? 'start';
      const { complete, items } = await this.world.get<{ items: ConsortiumEvent[]; complete: boolean }>(centre, `/v1/events?after=${after}&limit=${String(eventsPerPage)}`);
      known.push(...items.map((event) => ({ event, arrival: arrivalOf(event) })));
      if (complete) return;
    }
  }

  /** What was added since the last time, at each node. */
  private async compareFeeds(tally: Tally): Promise<void> {
    await this.readFeed('beijing');
    const before = this.feed.slice(0, this.compared);
    for (const centre of centres) {
      const theirs = [...before];
      await this.readFeed(centre, theirs);
      const differs = this.feed.findIndex(({ arrival }, at) => theirs[at]?.arrival.digest !== arrival.digest || theirs[at].arrival.id !== arrival.id);
      tally.expect(differs === -1, `I10: the feed of ${centre} differs from that of beijing at ${this.feed[differs]?.event.id ?? ''}`);
    }
    const unordered = this.feed.findIndex(({ event }, at) => at > 0 && comparePositions(readPosition(event.id), readPosition(this.feed[at - 1]?.event.id ?? '')) <= 0);
    tally.expect(unordered === -1, `I10: the feed is not in order at ${this.feed[unordered]?.event.id ?? ''}`);
    this.compared = this.feed.length;
  }

  private behindStart({ types }: EventFilter): readonly Arrival[] {
    const start = readPosition(this.start);
    return this.feed.filter(({ event }) => comparePositions(readPosition(event.id), start) > 0 && (types as readonly string[] | undefined)?.includes(event.type) !== false).map(({ arrival }) => arrival);
  }

  private logOf(name: string): string {
    return path.join(this.folder, `${name}.log`);
  }

  private judgeTarget({ filter, manner, name }: Subscription, tally: Tally): void {
    const file = this.logOf(name);
    // Half a line is of a call that was not taken: the process was killed while it wrote.
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter((line) => /[\]"]\}$/.test(line)).map((line) => JSON.parse(line) as { arrivals?: readonly Arrival[]; refused?: string }) : [];
    for (const { refused } of lines) if (refused !== undefined && refused !== 'timestamp') tally.violation(`webhook ${name}: a call was refused: ${refused}`);
    const arrivals = lines.flatMap((line) => line.arrivals ?? []);
    if (manner === 'takes' || this.healed) this.judgeArrivals(`webhook ${name}`, this.behindStart(filter), arrivals, false, tally);
    else tally.expect(arrivals.length === 0, `webhook ${name} wrote down ${String(arrivals.length)} events although it takes none`);
  }

  private judgeArrivals(name: string, feed: readonly Arrival[], arrivals: readonly Arrival[], once: boolean, tally: Tally): void {
    // What came since the feed was read is looked at the next time.
    const end = readPosition(this.feed.at(-1)?.event.id ?? 'start');
    const { complete, repeats, wrong } = checkArrivals(feed, arrivals.filter(({ id }) => comparePositions(readPosition(id), end) <= 0), once);
    for (const text of wrong.slice(0, 5)) tally.violation(`I10: ${name}: ${text}`);
    if (wrong.length > 5) tally.violation(`I10: ${name}: ${String(wrong.length - 5)} more`);
    tally.expect(complete, `I10: ${name} was not told of all ${String(feed.length)} events`);
    tally.count('repeated deliveries', repeats);
  }

  /** F37: they were tried, their trouble is told, and their position stands where it stood. */
  private async judgeDead(tally: Tally): Promise<void> {
    for (const one of this.subscriptions) {
      if (one.manner === 'takes') continue;
      const expected = failureOf[one.manner];
      // Just after its process was killed, a target's trouble is that nobody is there.
      const tried = await within(tryMilliseconds, async () => {
        const { failing } = await this.view(one);
        return `${failing?.code ?? ''} ${failing?.reason ?? ''}` === expected;
      });
      const { failing, position, state } = await this.view(one);
      tally.expect(tried && state !== 'active', `F37: webhook ${one.name} is ${state}: ${JSON.stringify(failing)}`);
      const first = this.behindStart({})[0]?.id;
      tally.expect(first === undefined || comparePositions(readPosition(position), readPosition(first)) < 0, `I10: webhook ${one.name} took nothing since ${this.start} and stands at ${position}`);
    }
  }
}
