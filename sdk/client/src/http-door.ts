import { isErrorCode, isJsonObject, ProtocolError, type ErrorDetails } from '@huilian/protocol';
import { nativeCall, type HttpAnswer } from './native-http.js';

/** Gives the bearer token of a call; `refused` is the one that the node has just refused. */
export type Authorise = (refused: string | undefined) => Promise<string | undefined>;

/**
 * When a call may be sent again after its answer was lost: `by-key` lets the node recognise it (Idempotency-Key),
 * `by-content` is for calls that the node recognises by themselves, `never` for the rest.
 */
export type Repeat = 'by-content' | 'by-key' | 'never';

/** How one call may be repeated and stopped. */
export interface CallOptions {
  readonly repeat?: Repeat;
  readonly signal?: AbortSignal;
}

/** Who calls, and how long a call may wait. */
export interface DoorOptions {
  readonly authorise?: Authorise;
  /** Headers of every call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds that one call may spend waiting for a node that asks to be tried again later. */
  readonly patienceSeconds?: number;
}

/** One call as it goes out; a streamed body can be sent only once. */
export interface Call extends CallOptions {
  readonly method: 'DELETE' | 'GET' | 'POST' | 'PUT';
  readonly accept?: string;
  /** The answer goes on until somebody ends it. */
  readonly endless?: boolean;
  readonly body?: string | ReadableStream<Uint8Array>;
  readonly contentType?: string;
}

const defaultPatienceSeconds = 15;
const answerSeconds = 90;
const firstPauseMilliseconds = 200;

/**
 * One node's HTTP door: JSON in, JSON out, every refusal a ProtocolError with the node's own code. It tries again where
 * the node says when (Retry-After), and where an answer was lost that may be asked for again.
 */
export class HttpDoor {
  /** Address without a slash at its end. */
  public readonly url: string;
  private readonly authorise: Authorise;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly patience: number;
  private refusedToken: string | undefined;

  public constructor(url: string, options: Authorise | DoorOptions = {}) {
    const { authorise = () => Promise.resolve(undefined), headers = {}, patienceSeconds = defaultPatienceSeconds } = typeof options === 'function' ? { authorise: options } : options;
    this.url = url.replace(/(?<!\/)\/+$/, '');
    this.authorise = authorise;
    this.headers = headers;
    this.patience = patienceSeconds * 1000;
  }

  /** @throws ProtocolError of the node, or EXCHANGE_FAILED where it does not answer */
  public async get<T>(route: string, options: CallOptions = {}): Promise<T> {
    return await this.json<T>(route, { method: 'GET', repeat: 'by-content', ...options });
  }

  /** @throws ProtocolError of the node, or EXCHANGE_FAILED where it does not answer */
  public async post<T>(route: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return await this.json<T>(route, { method: 'POST', body: JSON.stringify(body), contentType: 'application/json', ...options });
  }

  /** @throws ProtocolError of the node, or EXCHANGE_FAILED where it does not answer */
  public async delete(route: string, options: CallOptions = {}): Promise<void> {
    await this.send(route, { method: 'DELETE', ...options });
  }

  /** The answer's headers as soon as they come; a body that still goes up goes on. @throws as above */
  public async send(route: string, call: Call): Promise<Response> {
    return await this.persist(call, async (attempt) => {
      const response = await this.once(route, call, attempt);
      if (!response.ok) throw await refusalOf(response);
      return response;
    });
  }

  private async json<T>(route: string, call: Call): Promise<T> {
    return await this.persist(call, async (attempt) => {
      const response = (await this.nativeOnce(route, call, attempt)) ?? (await this.once(route, call, attempt));
      if (!response.ok) throw await refusalOf(response);
      const answer: unknown = await response.json().catch(() => {
        throw new NoAnswer(this.url, 'answer');
      });
      const unsettled = errorOf(answer);
      // 202: the node still finds out what became of the transaction.
      if (unsettled !== undefined) throw new Refusal(unsettled, 1000);
      return answer as T;
    });
  }

  /** Runs a call, again where that is right, until patience ends. */
  private async persist<T>(call: Call, run: (attempt: Attempt) => Promise<T>): Promise<T> {
    const deadline = Date.now() + this.patience;
    const key = call.repeat === 'by-key' ? crypto.randomUUID() : undefined;
    let renewed = false;
    for (let tries = 0; ; tries += 1) {
      const token = await this.authorise(this.refusedToken);
      try {
        return await run({ key, token });
      } catch (error) {
        const pause = pauseAfter(error, call, tries, renewed || token === undefined);
        // Remembered beyond this call: a stream is not sent again, but the next one must not meet the same refusal.
        if (isTokenRefused(error)) this.refusedToken = token;
        if (pause === undefined || (pause > 0 && Date.now() + pause > deadline)) throw error instanceof Refusal ? error.cause : error;
        renewed = isTokenRefused(error);
        await wait(pause, call.signal);
      }
    }
  }

  /** Undefined where `fetch` is to make the call. @throws NoAnswer */
  private async nativeOnce(route: string, call: Call, attempt: Attempt): Promise<HttpAnswer | undefined> {
    const { body, method, signal } = call;
    if (body instanceof ReadableStream) return undefined;
    signal?.throwIfAborted();
    const sent = { method, headers: { ...this.headers, ...headersOf(call, attempt) }, milliseconds: answerSeconds * 1000, ...(body === undefined ? {} : { body }), ...(signal === undefined ? {} : { signal }) };
    return await nativeCall(`${this.url}${route}`, sent).catch(() => {
      signal?.throwIfAborted();
      throw new NoAnswer(this.url, 'no-answer');
    });
  }

  private async once(route: string, call: Call, attempt: Attempt): Promise<Response> {
    const headers = { ...this.headers, ...headersOf(call, attempt) };
    const streamed = call.body instanceof ReadableStream;
    const limit = streamed || call.endless === true ? [] : [AbortSignal.timeout(answerSeconds * 1000)];
    const init: RequestInit & { duplex?: 'half' } = {
      method: call.method,
      headers,
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(streamed ? { duplex: 'half' } : {}),
      signal: AbortSignal.any([...limit, ...(call.signal === undefined ? [] : [call.signal])]),
    };
    return await fetch(`${this.url}${route}`, init).catch(() => {
      call.signal?.throwIfAborted();
      throw new NoAnswer(this.url, 'no-answer');
    });
  }
}

interface Attempt {
  readonly key: string | undefined;
  readonly token: string | undefined;
}

function headersOf({ accept, contentType }: Call, { key, token }: Attempt): Record<string, string> {
  return {
    ...(accept === undefined ? {} : { accept }),
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}

/** A coded answer, and after how many milliseconds the node wants to be asked again. */
class Refusal extends Error {
  public constructor(
    public override readonly cause: ProtocolError,
    public readonly retryAfter: number | undefined,
  ) {
    super(cause.message);
  }
}

/** Nothing came back: what happened at the node is unknown. */
class NoAnswer extends ProtocolError {
  public constructor(node: string, reason: string) {
    super('EXCHANGE_FAILED', { node, reason });
  }
}

function isTokenRefused(error: unknown): boolean {
  return error instanceof Refusal && error.cause.code === 'TOKEN_INVALID';
}

/** Milliseconds until a call may be sent again; undefined where it may not. */
function pauseAfter(error: unknown, { body, repeat = 'never' }: Call, tries: number, renewed: boolean): number | undefined {
  if (body instanceof ReadableStream) return undefined;
  if (isTokenRefused(error)) return renewed ? undefined : 0;
  if (error instanceof Refusal) return error.cause.code === 'OUTCOME_UNKNOWN' && repeat === 'never' ? undefined : error.retryAfter;
  if (error instanceof NoAnswer && repeat !== 'never') return firstPauseMilliseconds * 2 ** tries * (1 + Math.random() / 2);
  return undefined;
}

async function refusalOf(response: HttpAnswer): Promise<Refusal> {
  const error = errorOf(await response.json().catch(() => undefined)) ?? new ProtocolError('EXCHANGE_FAILED', { status: response.status });
  return new Refusal(error, retryAfter(response));
}

/** Retry-After in milliseconds: seconds or a date (RFC 9110 §10.2.3). */
function retryAfter(response: HttpAnswer): number | undefined {
  const value = response.headers.get('retry-after');
  if (value === null) return undefined;
  const milliseconds = /^\d{1,6}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}

/** The error in a body as `errorBody` writes it; undefined where it is none. */
export function errorOf(body: unknown): ProtocolError | undefined {
  if (!isJsonObject(body)) return undefined;
  const { code, details, stage } = body;
  if (typeof code !== 'string' || typeof stage !== 'string' || !isErrorCode(code)) return undefined;
  return new ProtocolError(code, isJsonObject(details) ? (details as ErrorDetails) : {});
}

/** @throws the signal's reason */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
