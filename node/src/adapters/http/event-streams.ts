import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { errorBody, positionText, ProtocolError, type EventFilter, type EventPosition } from '@huilian/protocol';
import type { EventFeed, FeedPage } from '../../core/events/event-feed.js';

export interface StreamLimits {
  /** Streams of one caller, and of all callers together. */
  readonly perCaller: number;
  readonly inAll: number;
  /** A quiet stream says so often that it lives. */
  readonly heartbeatMilliseconds: number;
  /** A consumer that took nothing for so long is cut off. */
  readonly patienceMilliseconds: number;
}

interface StreamRequest {
  readonly after: EventPosition;
  readonly filter: EventFilter;
  /** @throws TOKEN_INVALID once the caller may not see more */
  requireAllowed(): void;
}

const eventsPerPage = 100;
/** What was sent before a cut may still be read for so long. */
const graceMilliseconds = 10_000;

/**
 * Server-sent events (WHATWG HTML §9.2). A stream holds one page at most: it is read from the feed when the consumer took
 * the page before, so a slow one costs its own time and nobody's memory.
 */
export class EventStreams {
  private readonly open = new Map<string, number>();
  private all = 0;

  public constructor(
    private readonly feed: EventFeed,
    private readonly limits: StreamLimits,
  ) {}

  /** Takes a place before anything was answered; the answer gives it back. @throws TOO_MANY_SUBSCRIBERS */
  public admit(caller: string): () => void {
    const own = this.open.get(caller) ?? 0;
    if (own >= this.limits.perCaller || this.all >= this.limits.inAll) throw new ProtocolError('TOO_MANY_SUBSCRIBERS', { most: this.limits.perCaller });
    this.open.set(caller, own + 1);
    this.all += 1;
    return () => {
      const left = (this.open.get(caller) ?? 1) - 1;
      if (left === 0) this.open.delete(caller);
      else this.open.set(caller, left);
      this.all -= 1;
    };
  }

  /** Runs until the consumer goes, or is sent away: then the last message is `event: end` with the error. */
  public async serve(response: ServerResponse, request: StreamRequest): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => { gone.abort(); });
    try {
      await this.send(response, request, gone.signal);
    } catch (error) {
      const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL');
      response.end(`event: end\ndata: ${JSON.stringify(errorBody(known))}\n\n`);
      setTimeout(() => response.destroy(), graceMilliseconds).unref();
    }
  }

  private async send(response: ServerResponse, request: StreamRequest, gone: AbortSignal): Promise<void> {
    let position = request.after;
    while (!gone.aborted) {
      const page = await this.feed.page(position, request.filter, eventsPerPage);
      // After the page was read and before it leaves: the page may hold the block that suspends the caller.
      request.requireAllowed();
      await this.write(response, framesOf(page, position), gone);
      position = page.position;
      if (page.complete && !(await this.more(page.height, gone))) await this.write(response, ': heartbeat\n\n', gone);
    }
  }

  /** Whether a block came before it is time for a heartbeat. */
  private async more(height: number, gone: AbortSignal): Promise<boolean> {
    const heartbeat = AbortSignal.timeout(this.limits.heartbeatMilliseconds);
    await this.feed.whenMore(height, AbortSignal.any([gone, heartbeat]));
    return !heartbeat.aborted;
  }

  /** Resolves when the consumer has room for more. @throws CONSUMER_TOO_SLOW */
  private async write(response: ServerResponse, text: string, gone: AbortSignal): Promise<void> {
    if (text === '' || response.write(text)) return;
    const patience = AbortSignal.timeout(this.limits.patienceMilliseconds);
    await once(response, 'drain', { signal: AbortSignal.any([gone, patience]) }).catch(() => undefined);
    if (patience.aborted && response.writableNeedDrain) throw new ProtocolError('CONSUMER_TOO_SLOW');
  }
}

/** The id of a message is where to go on; after the last event of a page it may be further on than the event itself. */
function framesOf({ events, position }: FeedPage, before: EventPosition): string {
  const frames = events.map((event) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
  const end = positionText(position);
  // Without data it moves only the consumer's last event id.
  if ((events.at(-1)?.id ?? positionText(before)) !== end) frames.push(`id: ${end}\n\n`);
  return frames.join('');
}
