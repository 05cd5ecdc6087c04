/** An answer, as far as a call for JSON looks at it; a `Response` is one too. */
export interface HttpAnswer {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  json(): Promise<unknown>;
}

/** A call whose body is text, and whose answer is wanted whole. */
interface HttpCall {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal;
  readonly milliseconds: number;
}

interface IncomingMessage {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  on(event: 'data', listener: (chunk: Uint8Array) => void): void;
  on(event: 'end', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}
interface ClientRequest {
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'response', listener: (response: IncomingMessage) => void): void;
  end(body?: string): void;
  destroy(error: Error): void;
}
interface NativeHttp {
  readonly Agent: new (options: { keepAlive: true }) => object;
  request(url: string, options: { method: string; headers: Readonly<Record<string, string>>; agent: object; signal?: AbortSignal }): ClientRequest;
}

const host = (globalThis as { process?: { getBuiltinModule?(name: string): unknown } }).process;
const fetchAtStart: unknown = globalThis.fetch;
const doors = new Map<string, { readonly http: NativeHttp; readonly agent: object }>();

function doorOf(url: string): { readonly http: NativeHttp; readonly agent: object } | undefined {
  const protocol = url.slice(0, url.indexOf(':'));
  if (protocol !== 'http' && protocol !== 'https') return undefined;
  let door = doors.get(protocol);
  if (door === undefined) {
    const http = host?.getBuiltinModule?.(`node:${protocol}`) as NativeHttp | undefined;
    if (http === undefined) return undefined;
    door = { http, agent: new http.Agent({ keepAlive: true }) };
    doors.set(protocol, door);
  }
  return door;
}

/**
 * The same call as `fetch` makes, by Node's own client, which spends a fraction of the time on it. Undefined where there is none
 * (a page), where somebody put another `fetch` in place to hear or steer the calls, and where the answer sends elsewhere: `fetch` follows.
 * @throws Error where no whole answer came
 */
export async function nativeCall(url: string, call: HttpCall): Promise<HttpAnswer | undefined> {
  const door = globalThis.fetch === fetchAtStart ? doorOf(url) : undefined;
  if (door === undefined) return undefined;
  const answer = await exchange(door, url, call);
  return answer.status >= 300 && answer.status < 400 ? undefined : answer;
}

async function exchange({ agent, http }: { readonly http: NativeHttp; readonly agent: object }, url: string, { body, headers, method, milliseconds, signal }: HttpCall): Promise<HttpAnswer> {
  return await new Promise<HttpAnswer>((resolve, reject) => {
    const length: Readonly<Record<string, string>> = body === undefined ? {} : { 'content-length': String(new TextEncoder().encode(body).length) };
    const request = http.request(url, { method, headers: { ...headers, ...length }, agent, ...(signal === undefined ? {} : { signal }) });
    const timer = setTimeout(() => { request.destroy(new Error('no answer in time')); }, milliseconds);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Uint8Array[] = [];
      response.on('data', (chunk) => { chunks.push(chunk); });
      response.on('error', fail);
      response.on('end', () => {
        clearTimeout(timer);
        resolve(answerOf(response, chunks));
      });
    });
    request.end(body);
  });
}

const decoder = new TextDecoder();

function answerOf({ headers, statusCode = 0 }: IncomingMessage, chunks: readonly Uint8Array[]): HttpAnswer {
  return {
    ok: statusCode >= 200 && statusCode < 300,
    status: statusCode,
    headers: { get: (name) => headers[name.toLowerCase()]?.toString() ?? null },
    json: () => new Promise((resolve) => { resolve(JSON.parse(textOf(chunks))); }),
  };
}

function textOf(chunks: readonly Uint8Array[]): string {
  const [first = new Uint8Array(), ...others] = chunks;
  if (others.length === 0) return decoder.decode(first);
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return decoder.decode(whole);
}
