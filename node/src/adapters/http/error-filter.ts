import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProtocolError } from '@huilian/protocol';
import { AllowedMethods } from './allowed-methods.js';
import { errorAnswer } from './error-answer.js';
import { NodeServices } from './node-services.js';

/** Every error leaves as {code, stage, message, next, details}; what is not ours becomes INTERNAL and is logged, without its text. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  public constructor(
    private readonly services: NodeServices,
    private readonly methods: AllowedMethods,
  ) {}

  public catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { method, url } = host.switchToHttp().getRequest<FastifyRequest>();
    const allowed = this.methods.of(url);
    const otherMethod = allowed.length > 0 && !allowed.includes(method);
    if (otherMethod) void reply.header('allow', allowed.join(', '));
    const known = otherMethod ? new ProtocolError('METHOD_NOT_ALLOWED') : this.known(error);
    const { http } = known.entry;
    if (http === 503) void reply.header('retry-after', '5');
    // A page's route has said text/html already, and an object is no text.
    void reply.header('content-type', 'application/json; charset=utf-8').status(http).send(errorAnswer(known));
  }

  private known(error: unknown): ProtocolError {
    if (error instanceof ProtocolError) return error;
    const status = statusOf(error);
    if (status === 404) return new ProtocolError('NOT_FOUND');
    if (status === 413) return new ProtocolError('BODY_TOO_LARGE');
    if (status === 415 || status === 400) return new ProtocolError('CANONICAL_INVALID', { reason: 'body' });
    this.services.reportFault(error);
    return new ProtocolError('INTERNAL');
  }
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  return (error as { statusCode?: number } | undefined)?.statusCode;
}
