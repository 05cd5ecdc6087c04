import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ProtocolError } from '@huilian/protocol';
import { Callers } from './callers.js';
import type { Caller, OperatorCaller, SignedInCaller } from './sign-in.js';

export interface CalledRequest extends FastifyRequest {
  caller?: Caller;
  /** A cookie came whose session has ended. */
  sessionEnded?: boolean;
}

/** Finds out who calls. Routes say themselves whom they serve; a wrong token is refused on every route. */
@Injectable()
export class CallerGuard implements CanActivate {
  public constructor(private readonly callers: Callers) {}

  public canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<CalledRequest>();
    const caller = this.callers.calling(request);
    if (caller !== undefined) request.caller = caller;
    else request.sessionEnded = this.callers.hasEnded(request);
    return true;
  }
}

function callerOf(context: ExecutionContext): Caller {
  const { caller } = context.switchToHttp().getRequest<CalledRequest>();
  if (caller === undefined) throw new ProtocolError('TOKEN_INVALID', { reason: 'sign-in-needed' });
  return caller;
}

/** Any signed-in caller: a member or the centre's own side. */
export const SignedIn = createParamDecorator((_data: unknown, context: ExecutionContext): SignedInCaller => {
  const caller = callerOf(context);
  if (caller.role === 'monitor') throw new ProtocolError('FORBIDDEN', { needs: 'signed-in' });
  return caller;
});

/** The member that calls; its id. */
export const CallingMember = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const caller = callerOf(context);
  if (caller.role !== 'member') throw new ProtocolError('FORBIDDEN', { needs: 'member' });
  return caller.member;
});

/** The centre's own side: a person with a session, or the machine by the operator's token. */
export const Operator = createParamDecorator((_data: unknown, context: ExecutionContext): OperatorCaller => {
  const caller = callerOf(context);
  if (caller.role !== 'operator') throw new ProtocolError('FORBIDDEN', { needs: 'operator' });
  return caller;
});
