import { Readable } from 'node:stream';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { canonicalBytes, fromUtf8, ProtocolError, sha256Hex, utf8 } from '@huilian/protocol';
import type { CalledRequest } from './caller.js';
import { declarationOf } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

interface Kept {
  /** Unix milliseconds. */
  readonly at: number;
  readonly body: string;
  /** Absent where it must not be kept: the call runs again. */
  readonly answer?: unknown;
}

interface Running {
  readonly body: string;
  readonly answer: Promise<unknown>;
}

const prefix = 'idempotency/';
const keptMilliseconds = 24 * 3_600_000;

/**
 * `Idempotency-Key` on POST: the same key with the same body gets the same answer, durably; another body is refused; kept for 24 hours. A
 * stream of records has no need of it, for each line is known by its content.
 */
@Injectable()
export class Idempotency implements NestInterceptor {
  /** Calls under way: the same call again waits for the first instead of running beside it. */
  private readonly running = new Map<string, Running>();
  private pruned = 0;

  public constructor(private readonly services: NodeServices) {}

  public intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<CalledRequest>();
    const key = request.headers['idempotency-key'];
    const isSecret = declarationOf(context.getHandler())?.secret === true;
    if (request.method !== 'POST' || key === undefined || isSecret || request.body instanceof Readable) return next.handle();
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,100}$/.test(key)) throw new ProtocolError('BAD_FIELD', { path: '/idempotency-key', reason: 'pattern' });
    return from(this.once(request, key, async () => await lastValueFrom(next.handle() as Observable<unknown>)));
  }

  private async once(request: CalledRequest, key: string, run: () => Promise<unknown>): Promise<unknown> {
    const caller = callerName(request.caller);
    const place = `${prefix}${caller}/${sha256Hex(utf8(`${request.url} ${key}`))}`;
    const body = sha256Hex(canonicalBytes(request.body ?? {}));
    const before: Kept | Running | undefined = this.running.get(place) ?? this.kept(place);
    if (before !== undefined && before.body !== body) throw new ProtocolError('IDEMPOTENCY_MISMATCH');
    if (before !== undefined && 'answer' in before) return await before.answer;
    const answer = this.runAndKeep(place, body, run).finally(() => this.running.delete(place));
    this.running.set(place, { body, answer });
    return await answer;
  }

  private kept(place: string): Kept | undefined {
    const bytes = this.services.store.get(place);
    const kept = bytes && (JSON.parse(fromUtf8(bytes)) as Kept);
    return kept !== undefined && kept.at + keptMilliseconds > this.services.clock.now() ? kept : undefined;
  }

  private async runAndKeep(place: string, body: string, run: () => Promise<unknown>): Promise<unknown> {
    const answer = await run();
    await this.services.store.write([{ key: place, value: utf8(JSON.stringify({ at: this.services.clock.now(), body, ...keepable(answer) } satisfies Kept)) }]);
    await this.prune();
    return answer;
  }

  /** Once an hour, by whoever calls then. */
  private async prune(): Promise<void> {
    const now = this.services.clock.now();
    if (now < this.pruned + 3_600_000) return;
    this.pruned = now;
    const removals: { key: string; remove: true }[] = [];
    for await (const [key, bytes] of this.services.store.entries({ gte: prefix, lt: `${prefix}~` })) {
      const { at } = JSON.parse(fromUtf8(bytes)) as Partial<Kept>;
      if (at === undefined || at + keptMilliseconds <= now) removals.push({ key, remove: true });
    }
    if (removals.length > 0) await this.services.store.write(removals);
  }
}

/** No two callers share a name: members have no `.`, people of the centre have one before their account. */
function callerName(caller: Caller | undefined): string {
  if (caller?.role === 'member') return caller.member;
  return caller?.role === 'operator' && caller.session !== undefined ? `account.${caller.session.account}` : (caller?.role ?? 'anyone');
}

/**
 * A secret is shown once and kept nowhere: the same call again is answered without it. A release is not kept here either, for a
 * grant may be revoked and a record erased before the call comes again: an access that is asked for again is the same one by its request.
 */
function keepable(answer: unknown): Pick<Kept, 'answer'> {
  if (typeof answer !== 'object' || answer === null) return { answer };
  if ('release' in answer) return {};
  if (!('secret' in answer)) return { answer };
  const { secret: _secret, ...kept } = answer;
  return { answer: kept };
}
