import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import { Agent, request } from 'undici';
import { ProtocolError } from '@huilian/protocol';
import type { WebhookSender } from '../../core/ports.js';
import { literalOf, readTarget, requireAllowed, requireRanges, type TargetRules } from './target-rules.js';

export interface GuardedOptions extends TargetRules {
  /** For a whole call: connecting, sending, the answer's status. */
  readonly timeoutMilliseconds: number;
  /** Addresses of a name; the system's resolver where absent. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
  /** PEM of authorities that targets' certificates may chain to beside the public ones. */
  readonly ca?: string;
}

const answerBytes = 16 * 1024;
const idleMilliseconds = 10_000;

/**
 * Sends webhooks to public addresses only. Names are resolved here, each address is judged, and the connection is made to
 * what was judged: a name that changes its mind between check and call gains nothing.
 */
export class GuardedSender implements WebhookSender {
  private readonly agent: Agent;
  private readonly resolve: (name: string) => Promise<readonly string[]>;

  /** @throws CONFIG_INVALID for a range that is none */
  public constructor(private readonly options: GuardedOptions) {
    const { ca, resolve, timeoutMilliseconds } = options;
    requireRanges(options.allowPrivate);
    this.resolve = resolve ?? (async (name) => (await systemLookup(name, { all: true })).map(({ address }) => address));
    this.agent = new Agent({
      connect: { lookup: this.lookup(), timeout: timeoutMilliseconds, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) },
      // One call at a time per subscription; another subscription of the same host has a connection of its own.
      pipelining: 1,
      keepAliveTimeout: idleMilliseconds,
      keepAliveMaxTimeout: idleMilliseconds,
      headersTimeout: timeoutMilliseconds,
      bodyTimeout: timeoutMilliseconds,
      maxHeaderSize: answerBytes,
    });
  }

  public async check(url: string): Promise<void> {
    const target = readTarget(url, this.options);
    if (literalOf(target) === undefined) await this.addresses(target.hostname);
  }

  public async post(url: string, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<void> {
    const target = readTarget(url, this.options);
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.options.timeoutMilliseconds)]);
    const status = await this.send(target, headers, body, limit).catch((error: unknown) => {
      throw failureOf(error, limit);
    });
    // Followed, a redirect would lead to an address that nobody checked.
    if (status >= 300 && status < 400) throw new ProtocolError('WEBHOOK_TARGET_FORBIDDEN', { reason: 'redirect', status });
    if (status < 200 || status >= 300) throw new ProtocolError('WEBHOOK_TARGET_FAILED', { reason: 'status', status });
  }

  public async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async send(target: URL, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<number> {
    const answer = await request(target, {
      method: 'POST',
      dispatcher: this.agent,
      headers: { ...headers, 'user-agent': 'huilian-webhooks/1' },
      body,
      signal,
    });
    // What the target says is nothing to this node; a short answer is read so that the connection can be used again.
    await answer.body.dump({ limit: answerBytes, signal }).catch(() => undefined);
    return answer.statusCode;
  }

  /** @throws WEBHOOK_TARGET_FORBIDDEN, WEBHOOK_TARGET_FAILED {reason: 'name'} */
  private async addresses(name: string): Promise<readonly string[]> {
    const found = await this.resolve(name).catch(() => []);
    if (found.length === 0) throw new ProtocolError('WEBHOOK_TARGET_FAILED', { reason: 'name' });
    requireAllowed(found, this.options);
    return found;
  }

  /** What the socket asks for the address it connects to: the judged ones, or none. */
  private lookup(): LookupFunction {
    return (name, { all }, done) => {
      this.addresses(name).then(
        (found) => {
          const list = found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
          const [first] = list;
          if (all === true) done(null, list);
          else done(null, first?.address ?? '', first?.family ?? 4);
        },
        (error: unknown) => { done(error as NodeJS.ErrnoException, '', 4); },
      );
    };
  }
}

/** Closed words only: what a target or a resolver says goes into no answer and no log. */
function failureOf(error: unknown, limit: AbortSignal): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const { cause, code } = error as { cause?: unknown; code?: string };
  if (cause instanceof ProtocolError) return cause;
  const late = limit.aborted || code?.endsWith('_TIMEOUT') === true;
  const refused = code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'UND_ERR_SOCKET';
  return new ProtocolError('WEBHOOK_TARGET_FAILED', { reason: late ? 'timeout' : refused ? 'connection' : 'unreachable' });
}
