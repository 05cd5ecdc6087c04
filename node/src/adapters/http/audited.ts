import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { from, lastValueFrom, type Observable } from 'rxjs';
import type { Actor } from '../../core/audit-log/audit-log.js';
import type { CalledRequest } from './caller.js';
import { declarationOf, type RouteDeclaration } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

/** The centre's side as the audit log names it; undefined for everybody else. */
export function actorOf(caller: Caller | undefined): Actor | undefined {
  if (caller?.role !== 'operator') return undefined;
  return caller.session === undefined ? { role: 'machine', who: 'machine' } : { role: caller.session.role, who: caller.session.account };
}

/** Id of what a call is about, as its route finds it. */
export function objectOf({ object }: RouteDeclaration, request: CalledRequest, answer?: unknown): string | undefined {
  try {
    return object?.({ answer, body: request.body, params: request.params as Readonly<Record<string, string>> });
  } catch {
    // Nothing that the route would take: it has no object.
    return undefined;
  }
}

/** Writes what the centre's side does to the audit log, before it is done and before its answer leaves. */
@Injectable()
export class Audited implements NestInterceptor {
  public constructor(private readonly services: NodeServices) {}

  public intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const declared = declarationOf(context.getHandler());
    const request = context.switchToHttp().getRequest<CalledRequest>();
    const actor = actorOf(request.caller);
    if (declared?.act === undefined || actor === undefined) return next.handle();
    const run = async (): Promise<unknown> => await lastValueFrom(next.handle() as Observable<unknown>, { defaultValue: undefined });
    return from(this.services.audit.around(actor, declared.act, (answer) => objectOf(declared, request, answer), run));
  }
}
