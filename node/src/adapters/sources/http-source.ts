import { Agent, fetch, type Response } from 'undici';
import { ProtocolError } from '@huilian/protocol';
import type { Position, Reading, Source, SourcePart, SourceRow } from '../../core/sync/source.js';
import { parseJsonText, rowOfJson } from './json-rows.js';
import { Pace } from './pace.js';
import { readSecret } from './postgresql-session.js';

export interface HttpSettings {
  /** Name of the source, by which its rows are told. */
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secret?: { readonly header: string; readonly prefix: string; readonly file: string };
  readonly caFile?: string;
  readonly items: string;
  readonly next?: { readonly by: 'cursor' | 'link' | 'page'; readonly parameter: string; readonly pointer?: string; readonly first: number };
  readonly since?: { readonly parameter: string; readonly overlapSeconds: number };
  readonly rowsPerSecond: number;
  readonly timeoutMilliseconds: number;
  readonly mostPages: number;
}

/** How far an API was read. */
interface ApiPosition {
  /** Address of the page that comes next or is under way, and how many of its rows are taken. */
  readonly page?: string;
  readonly taken: number;
  readonly pages: number;
  readonly count: number;
  /** When the pass began, and since when it asks: Unix milliseconds. */
  readonly began: number;
  readonly since?: number;
}

interface Page {
  readonly rows: readonly unknown[];
  readonly next: string | undefined;
}

const mostBytes = 32 * 1024 * 1024;

/** Pulls rows from a JSON API, page by page, at a bounded rate; each pass asks for all, or for what changed since the last. */
export class HttpSource implements Source {
  public constructor(
    private readonly settings: HttpSettings,
    private readonly now: () => number = Date.now,
  ) {}

  public async *parts(from: Position | undefined, reading: Reading): AsyncGenerator<SourcePart> {
    const { caFile } = this.settings;
    const dispatcher = new Agent(caFile === undefined ? {} : { connect: { ca: readSecret(caFile, 'caFile') } });
    try {
      yield await Promise.resolve(this.part(from as unknown as ApiPosition | undefined, reading, dispatcher));
    } finally {
      await dispatcher.destroy();
    }
  }

  private part(position: ApiPosition | undefined, reading: Reading, dispatcher: Agent): SourcePart {
    const { name } = this.settings;
    const begun = position?.page === undefined ? undefined : position;
    const start = begun ?? this.began(position);
    const pace = new Pace(this.settings.rowsPerSecond);
    const page = async (address: string): Promise<Page> => await this.page(address, dispatcher, reading.signal);
    const { mostPages } = this.settings;
    let at: ApiPosition = start;
    const take = (row: unknown): SourceRow => {
      at = { ...at, count: at.count + 1, taken: at.taken + 1 };
      const cells = rowOfJson(row);
      return { place: { file: name, line: at.count, run: String(at.began) }, position: at as unknown as Position, ...(cells === undefined ? { fault: 'ROW_UNREADABLE' as const } : { row: cells }) };
    };
    return {
      name,
      end: () => ({ began: at.began, count: 0, pages: 0, taken: 0 }),
      rows: async function* rows(): AsyncGenerator<readonly SourceRow[]> {
        for (let address = at.page; address !== undefined && !reading.signal.aborted; address = at.page) {
          if (at.pages >= mostPages) throw new ProtocolError('SOURCE_UNREADABLE', { reason: `more than ${String(mostPages)} pages: does the paging end?` });
          const { next, rows: found } = await page(address);
          const given = found.slice(at.taken).map(take);
          if (given.length > 0) yield given;
          const { page: _done, ...rest } = at;
          at = { ...rest, pages: at.pages + 1, taken: 0, ...(next === undefined ? {} : { page: next }) };
          await pace.took(found.length, reading.signal);
        }
      },
    };
  }

  private began(before: ApiPosition | undefined): ApiPosition {
    const { next, since: asked, url } = this.settings;
    const address = new URL(url);
    if (next?.by === 'page') address.searchParams.set(next.parameter, String(next.first));
    const since = asked === undefined || before === undefined ? undefined : before.began - asked.overlapSeconds * 1000;
    if (asked !== undefined && since !== undefined) address.searchParams.set(asked.parameter, new Date(since).toISOString());
    return { began: this.now(), count: 0, page: address.href, pages: 0, taken: 0, ...(since === undefined ? {} : { since }) };
  }

  /** @throws SOURCE_UNAVAILABLE, SOURCE_UNREADABLE */
  private async page(address: string, dispatcher: Agent, signal: AbortSignal): Promise<Page> {
    const response = await this.fetch(address, dispatcher, signal);
    const body = await this.body(response);
    const rows = at(body, this.settings.items);
    if (!Array.isArray(rows)) throw new ProtocolError('SOURCE_UNREADABLE', { reason: `no list of rows at ${this.settings.items === '' ? 'the top' : this.settings.items} of the answer` });
    return { next: this.nextAddress(address, response, body, rows.length), rows };
  }

  private async fetch(address: string, dispatcher: Agent, signal: AbortSignal): Promise<Response> {
    const { headers, secret, timeoutMilliseconds } = this.settings;
    const own = secret === undefined ? {} : { [secret.header]: `${secret.prefix}${readSecret(secret.file, 'secret/file')}` };
    let response: Response;
    try {
      // A redirect would carry the secret to another place.
      response = await fetch(address, { dispatcher, headers: { accept: 'application/json', ...headers, ...own }, redirect: 'manual', signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)]) });
    } catch (error) {
      throw unreachable(error);
    }
    if (response.ok) return response;
    await response.body?.cancel();
    const passes = response.status === 429 || response.status >= 500;
    throw new ProtocolError(passes ? 'SOURCE_UNAVAILABLE' : 'SOURCE_UNREADABLE', { reason: 'answer', status: response.status });
  }

  private async body(response: Response): Promise<unknown> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of response.body ?? []) {
        size += (chunk as Uint8Array).length;
        if (size > mostBytes) throw new ProtocolError('SOURCE_UNREADABLE', { reason: `a page of more than ${String(mostBytes)} bytes: ask for smaller ones` });
        chunks.push(chunk as Uint8Array);
      }
    } catch (error) {
      throw error instanceof ProtocolError ? error : unreachable(error);
    }
    try {
      return parseJsonText(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
    } catch {
      throw new ProtocolError('SOURCE_UNREADABLE', { reason: 'the answer is no JSON in UTF-8' });
    }
  }

  private nextAddress(address: string, response: Response, body: unknown, rows: number): string | undefined {
    const { next } = this.settings;
    if (next === undefined || (next.by === 'page' && rows === 0)) return undefined;
    const following = new URL(address);
    if (next.by === 'page') {
      following.searchParams.set(next.parameter, String(Number(following.searchParams.get(next.parameter)) + 1));
      return following.href;
    }
    const told = next.by === 'link' && next.pointer === undefined ? linkOf(response) : at(body, next.pointer ?? '');
    if (typeof told !== 'string' || told === '') return undefined;
    if (next.by === 'cursor') {
      if (following.searchParams.get(next.parameter) === told) throw new ProtocolError('SOURCE_UNREADABLE', { reason: 'the cursor does not move' });
      following.searchParams.set(next.parameter, told);
      return following.href;
    }
    return sameOrigin(told, following);
  }
}

/** The secret goes to the place that was configured and to no other. @throws SOURCE_UNREADABLE */
function sameOrigin(told: string, from: URL): string {
  const address = URL.canParse(told, from.href) ? new URL(told, from.href) : undefined;
  if (address?.origin !== from.origin) throw new ProtocolError('SOURCE_UNREADABLE', { reason: 'the next page is on another server' });
  if (address.href === from.href) throw new ProtocolError('SOURCE_UNREADABLE', { reason: 'the next page is this page' });
  return address.href;
}

function linkOf({ headers }: Response): string | undefined {
  return /<([^<>]{1,2000})>\s*;[^,]*\brel="?next"?/.exec(headers.get('link') ?? '')?.[1];
}

/** The value at a JSON pointer (RFC 6901). */
function at(value: unknown, pointer: string): unknown {
  return pointer.split('/').slice(1).reduce<unknown>((inner, part) => {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name) ? (inner as Record<string, unknown>)[name] : undefined;
  }, value);
}

function unreachable(error: unknown): ProtocolError {
  const { cause, name } = error as { readonly cause?: NodeJS.ErrnoException; readonly name?: string };
  return new ProtocolError('SOURCE_UNAVAILABLE', { reason: cause?.code ?? (name === 'TimeoutError' ? 'no-answer-in-time' : 'connection') });
}
