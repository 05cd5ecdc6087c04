import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { isJsonObject, ProtocolError, type JsonObject } from '@huilian/protocol';
import { actorOf, objectOf } from './audited.js';
import type { CalledRequest } from './caller.js';
import { declarationOf, type RouteDeclaration } from './declare-route.js';
import { NodeServices } from './node-services.js';
import { mayCall, type CallerKind } from './route-callers.js';
import type { Caller } from './sign-in.js';

/** Holds each call against its route's declaration: who calls, the query, the body. A route without one serves nobody. */
@Injectable()
export class DeclaredGuard implements CanActivate {
  public constructor(private readonly services: NodeServices) {}

  public async canActivate(context: ExecutionContext): Promise<boolean> {
    const declared = declarationOf(context.getHandler());
    if (declared === undefined) throw new ProtocolError('NOT_FOUND');
    const request = context.switchToHttp().getRequest<CalledRequest>();
    await this.requireCaller(declared, request);
    readQuery(declared, request.query as Readonly<Record<string, unknown>>);
    if (declared.body !== undefined) declared.body.read(request.body);
    if (declared.stream !== undefined && !mediaTypeIs(request, declared.stream.type)) throw new ProtocolError('CANONICAL_INVALID', { reason: 'content-type' });
    return true;
  }

  /** @throws TOKEN_INVALID, SESSION_ENDED, FORBIDDEN {needs}; of the centre's people who may not, it is in the audit log */
  private async requireCaller(declared: RouteDeclaration, request: CalledRequest): Promise<void> {
    const { caller } = request;
    if (declared.who === 'anyone') return;
    if (caller === undefined) throw request.sessionEnded === true ? new ProtocolError('SESSION_ENDED') : new ProtocolError('TOKEN_INVALID', { reason: 'sign-in-needed' });
    if (mayCall(declared, this.kindOf(caller))) return;
    const actor = actorOf(caller);
    if (actor !== undefined && declared.act !== undefined) await this.services.audit.append(actor, declared.act, 'FORBIDDEN', { object: objectOf(declared, request) });
    throw new ProtocolError('FORBIDDEN', { needs: neededFor(declared, caller) });
  }

  private kindOf(caller: Caller): CallerKind {
    if (caller.role === 'operator') return caller.session?.role ?? 'machine';
    if (caller.role === 'monitor') return 'monitoring';
    const kind = this.services.readModel.member(caller.member)?.document.kind;
    return kind === 'platform' || kind === 'centre' ? 'publisher' : 'member';
  }
}

function neededFor({ roles = [], who }: RouteDeclaration, caller: Caller): string {
  if (caller.role === 'operator' && who !== 'member') return roles.join(' ') || 'machine';
  return who === 'publisher' ? 'platform' : who;
}

/** Query as the declared shape reads it: each parameter once, integers as integers. @throws UNKNOWN_FIELD, BAD_FIELD, BAD_ID */
export function readQuery({ query: shape }: Pick<RouteDeclaration, 'query'>, query: Readonly<Record<string, unknown>>): unknown {
  for (const value of Object.values(query)) if (typeof value !== 'string') throw new ProtocolError('BAD_FIELD', { path: '/query', reason: 'repeated' });
  if (shape === undefined) {
    if (Object.keys(query).length > 0) throw new ProtocolError('UNKNOWN_FIELD', { path: '/query' });
    return {};
  }
  const { properties = {} } = shape.schema as { properties?: Readonly<Record<string, JsonObject>> };
  const typed = Object.entries(query).map(([name, value]) => [name, integerOf(Object.hasOwn(properties, name) ? properties[name] : undefined, value as string)]);
  return shape.read(Object.fromEntries(typed));
}

function integerOf(schema: JsonObject | undefined, value: string): string | number {
  return isJsonObject(schema) && schema['type'] === 'integer' && /^(?:0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
}

function mediaTypeIs({ headers }: CalledRequest, type: string): boolean {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase() === type;
}
