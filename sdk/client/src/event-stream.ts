import { ProtocolError, type ConsortiumEvent, type EventFilter } from '@huilian/protocol';
import { errorOf, wait, type HttpDoor } from './http-door.js';
import { textLines } from './publish-stream.js';

/** Which events a stream has, where it begins, and what ends it. */
export interface SubscribeOptions extends EventFilter {
  /** Begin behind this event id or cursor; `now` for what comes from now on. The whole feed where absent. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

/** Without a word for so long (the node says something every 15 seconds) a connection is taken for dead. */
const silenceMilliseconds = 60_000;
const firstPauseMilliseconds = 200;
const mostPauseMilliseconds = 15_000;
/** What ends a stream and lets the next one begin behind it. */
const passing: readonly string[] = ['CONSUMER_TOO_SLOW', 'EXCHANGE_FAILED', 'INTERNAL', 'TOKEN_INVALID', 'TOO_MANY_SUBSCRIBERS'];

/** Query parameters of `GET /v1/events`. */
export function eventParameters({ kind, owner, publisher, subject, types }: EventFilter, after?: string, limit?: number): string {
  const given = Object.entries({ after, kind, limit: limit?.toString(), owner, publisher, subject, type: types?.join(',') });
  return new URLSearchParams(given.filter((entry): entry is [string, string] => entry[1] !== undefined)).toString();
}

/**
 * Events as they come, each once and in order, over as many connections as it takes: after a break it goes on behind the
 * last one. Reading slowly is safe, for the stream is then cut and taken up again.
 */
export async function* eventStream(door: HttpDoor, { after, signal, ...filter }: SubscribeOptions): AsyncGenerator<ConsortiumEvent> {
  let place = after === 'now' ? await currentPlace(door, signal) : after;
  let failures = 0;
  while (!isOver(signal)) {
    try {
      for await (const { event, id } of messages(door, filter, place, signal)) {
        failures = 0;
        place = id;
        if (event !== undefined) yield event;
      }
    } catch (error) {
      if (isOver(signal)) return;
      // A refused sign-in is renewed by the door; refused again, it stays so (a member that was suspended).
      const lasting = !(error instanceof ProtocolError) || !passing.includes(error.code) || (error.code === 'TOKEN_INVALID' && failures > 0);
      if (lasting) throw error;
    }
    failures += 1;
    const pause = Math.min(mostPauseMilliseconds, firstPauseMilliseconds * 2 ** failures) * (0.5 + Math.random() / 2);
    await wait(pause, signal).catch(() => undefined);
  }
}

function isOver(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** `now` is settled once: a connection that breaks before the first event must not move it. */
async function currentPlace(door: HttpDoor, signal?: AbortSignal): Promise<string> {
  const options = signal === undefined ? {} : { signal };
  return (await door.get<{ cursor: string }>(`/v1/events?${eventParameters({}, 'now', 1)}`, options)).cursor;
}

interface Message {
  readonly id: string;
  readonly event?: ConsortiumEvent;
}

/** The messages of one connection. @throws the error that the node ended it with, EXCHANGE_FAILED where it broke off */
async function* messages(door: HttpDoor, filter: EventFilter, after: string | undefined, signal?: AbortSignal): AsyncGenerator<Message> {
  const silence = new AbortController();
  let timer = setTimeout(() => { silence.abort(); }, silenceMilliseconds);
  const ended = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]);
  try {
    const response = await door.send(`/v1/events?${eventParameters(filter, after)}`, { method: 'GET', accept: 'text/event-stream', endless: true, signal: ended });
    let fields: Record<string, string> = {};
    for await (const line of textLines(response, door.url, true)) {
      clearTimeout(timer);
      if (line !== '') fields = { ...fields, ...fieldOf(line) };
      else {
        if (fields['event'] === 'end') throw endOf(fields['data']);
        const { data, id } = fields;
        if (id !== undefined) yield data === undefined ? { id } : { id, event: JSON.parse(data) as ConsortiumEvent };
        fields = {};
      }
      // Runs only while a line is waited for: a consumer that takes its time is not a silent node.
      timer = setTimeout(() => { silence.abort(); }, silenceMilliseconds);
    }
  } finally {
    clearTimeout(timer);
    silence.abort();
  }
}

/** A field of a message; a comment, which starts with a colon, is none (WHATWG HTML §9.2.6). */
function fieldOf(line: string): Record<string, string> {
  const [, name = '', value = ''] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
  return name === '' ? {} : { [name]: value };
}

function endOf(data = 'null'): ProtocolError {
  return errorOf(JSON.parse(data)) ?? new ProtocolError('EXCHANGE_FAILED', { reason: 'answer' });
}
