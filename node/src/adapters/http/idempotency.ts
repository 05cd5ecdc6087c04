import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { canonicalBytes, fromUtf8, ProtocolError, sha256Hex, utf8 } from '@huilian/protocol';
import type { CalledRequest } from './caller.js';
import { NodeServices } from './node-services.js';

interface Kept {
  readonly body: string;
  readonly answer: unknown;
}

/** `Idempotency-Key` on POST: the same key with the same body gets the same answer, durably; another body is refused. */
@Injectable()
export class Idempotency implements NestInterceptor {
  public constructor(private readonly services: NodeServices) {}

  public intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<CalledRequest>();
    const key = request.headers['idempotency-key'];
    if (request.method !== 'POST' || typeof key !== 'string' || !/^[\x21-\x7e]{1,100}$/.test(key)) return next.handle();
    return from(this.once(request, key, async () => await lastValueFrom(next.handle() as Observable<unknown>)));
  }

  private async once(request: CalledRequest, key: string, run: () => Promise<unknown>): Promise<unknown> {
    const { store } = this.services;
    const caller = request.caller?.role === 'member' ? request.caller.member : (request.caller?.role ?? 'anyone');
    const place = `idempotency/${caller}/${sha256Hex(utf8(`${request.url} ${key}`))}`;
    const body = sha256Hex(canonicalBytes(request.body ?? {}));
    const bytes = store.get(place);
    const kept = bytes && (JSON.parse(fromUtf8(bytes)) as Kept);
    if (kept !== undefined && kept.body !== body) throw new ProtocolError('IDEMPOTENCY_MISMATCH');
    if (kept !== undefined) return kept.answer;
    const answer = await run();
    await store.write([{ key: place, value: utf8(JSON.stringify({ body, answer } satisfies Kept)) }]);
    return answer;
  }
}
