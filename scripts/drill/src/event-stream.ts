import { setTimeout as delay } from 'node:timers/promises';
import type { ConsortiumEvent, MemberClient } from '@huilian/sdk';
import { arrivalOf, type Arrival } from './arrivals.js';
import { centres, type DrillWorld } from './drill-world.js';

const pauseMilliseconds = 100;

/** Somebody who reads events as they come, over as many connections as it takes. */
export interface StreamReader {
  readonly name: string;
  readonly arrivals: readonly Arrival[];
  /** How often it had to begin again. */
  readonly breaks: number;
  close(): Promise<void>;
}

abstract class Reading implements StreamReader {
  public readonly arrivals: Arrival[] = [];
  public breaks = 0;
  protected readonly closing = new AbortController();
  private running: Promise<void> = Promise.resolve();

  public constructor(public readonly name: string) {}

  public async close(): Promise<void> {
    this.closing.abort();
    await this.running;
  }

  public begin(): this {
    this.running = this.read();
    return this;
  }

  protected abstract connect(signal: AbortSignal): Promise<void>;

  private async read(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      // A node that died under the stream is what the drill is about.
      await this.connect(signal).catch(() => undefined);
      this.breaks += 1;
      await delay(pauseMilliseconds, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The stream as its bytes come, resumed by Last-Event-ID at the next node each time. */
export class RoamingReader extends Reading {
  private next = 0;

  public constructor(
    private readonly world: DrillWorld,
    private place: string,
  ) {
    super('stream over all nodes');
  }

  protected override async connect(signal: AbortSignal): Promise<void> {
    const centre = centres[this.next++ % centres.length] ?? 'guangzhou';
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${this.world.operatorToken(centre)}`, 'last-event-id': this.place };
    const response = await fetch(`${this.world.url(centre)}/v1/events`, { headers, signal });
    if (!response.ok) return;
    let rest = '';
    for await (const text of response.body?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>) ?? []) {
      const messages = (rest + text).split('\n\n');
      rest = messages.pop() ?? '';
      for (const message of messages) this.take(message);
    }
  }

  private take(message: string): void {
    const fields = new Map(message.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]));
    const [data, id] = [fields.get('data'), fields.get('id')];
    if (id === undefined) return;
    if (data !== undefined) this.arrivals.push(arrivalOf(JSON.parse(data) as ConsortiumEvent));
    this.place = id;
  }
}

/** A platform's stream through the SDK, which connects again by itself; where it gives up, the platform begins behind the last event. */
export class ClientReader extends Reading {
  public constructor(
    private readonly client: () => Promise<MemberClient>,
    private place: string,
  ) {
    super('stream of the SDK');
  }

  protected override async connect(signal: AbortSignal): Promise<void> {
    const client = await this.client();
    for await (const event of client.subscribe({ after: this.place, signal })) {
      this.arrivals.push(arrivalOf(event));
      this.place = event.id;
    }
  }
}
