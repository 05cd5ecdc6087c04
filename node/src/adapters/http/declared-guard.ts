import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { isJsonObject, ProtocolError, type JsonObject } from '@huilian/protocol';
import type { CalledRequest } from './caller.js';
import { declarationOf, type RouteCaller, type RouteDeclaration } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

/** Holds each call against its route's declaration: who calls, the query, the body. A route without one serves nobody. */
@Injectable()
export class DeclaredGuard implements CanActivate {
  public constructor(private readonly services: NodeServices) {}

  public canActivate(context: ExecutionContext): boolean {
    const declared = declarationOf(context.getHandler());
    if (declared === undefined) throw new ProtocolError('NOT_FOUND');
    const request = context.switchToHttp().getRequest<CalledRequest>();
    this.requireCaller(declared.who, request.caller);
    readQuery(declared, request.query as Readonly<Record<string, unknown>>);
    if (declared.body !== undefined) declared.body.read(request.body);
    if (declared.stream !== undefined && !mediaTypeIs(request, declared.stream.type)) throw new ProtocolError('CANONICAL_INVALID', { reason: 'content-type' });
    return true;
  }

  private requireCaller(who: RouteCaller, caller: Caller | undefined): void {
    if (who === 'anyone') return;
    if (caller === undefined) throw new ProtocolError('TOKEN_INVALID', { reason: 'sign-in-needed' });
    if (!this.allows(who, caller)) throw new ProtocolError('FORBIDDEN', { needs: who === 'publisher' ? 'platform' : who });
  }

  private allows(who: RouteCaller, caller: Caller): boolean {
    if (caller.role === 'monitor' || who === 'monitor') return who === 'monitor' && caller.role !== 'member';
    if (who === 'signed-in') return true;
    if (caller.role === 'operator') return who !== 'member';
    if (who !== 'publisher') return who === 'member';
    const kind = this.services.readModel.member(caller.member)?.document.kind;
    return kind === 'platform' || kind === 'centre';
  }
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
