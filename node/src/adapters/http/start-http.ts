import 'reflect-metadata';
import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, limits, ProtocolError } from '@huilian/protocol';
import { CallerGuard } from './caller.js';
import { AccessController, OpenController, OperatorController, OwnersController, RecordsController } from './controllers.js';
import { allowOrigins } from './cross-origin.js';
import { ErrorFilter } from './error-filter.js';
import { Idempotency } from './idempotency.js';
import { KeyChangesController } from './key-changes-controller.js';
import { NodeServices } from './node-services.js';
import { OperationsController } from './operations-controller.js';
import { SignIn } from './sign-in.js';

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  /** Address that members use; the audience of their assertions is `<publicUrl>/v1/token`. */
  readonly publicUrl: string;
  readonly operatorToken: string;
  /** Origins whose pages may call this node; none where absent. */
  readonly allowedOrigins?: readonly string[];
}

const longAnswer = 16 * 1024;

@Module({})
class HttpModule {
  public static of(services: NodeServices, options: HttpOptions): DynamicModule {
    const audience = `${options.publicUrl}/v1/token`;
    const signIn = new SignIn(services.readModel, services.memberId, audience, options.operatorToken, services.clock, services.random);
    return {
      module: HttpModule,
      controllers: [OpenController, RecordsController, AccessController, OwnersController, KeyChangesController, OperatorController, OperationsController],
      providers: [
        { provide: NodeServices, useValue: services },
        { provide: SignIn, useValue: signIn },
        { provide: APP_GUARD, useClass: CallerGuard },
        { provide: APP_FILTER, useClass: ErrorFilter },
        { provide: APP_INTERCEPTOR, useClass: Idempotency },
      ],
    };
  }
}

/** Opens the node's HTTP door. Fastify's defaults have no timeouts, so they are set here. */
export async function startHttp(services: NodeServices, options: HttpOptions): Promise<{ readonly url: string; close(): Promise<void> }> {
  const adapter = new FastifyAdapter({
    bodyLimit: 4 * limits.recordBytes,
    // A publishing stream may last; a request that sends nothing may not.
    connectionTimeout: 120_000,
    requestTimeout: 0,
    keepAliveTimeout: 60_000,
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: true,
    // Addresses that the router cannot read never reach the error filter.
    frameworkErrors: (_error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      const unreadable = new ProtocolError('NOT_FOUND');
      void reply.status(unreadable.entry.http).send(errorBody(unreadable));
    },
  });
  const app = await NestFactory.create<NestFastifyApplication>(HttpModule.of(services, options), adapter, { logger: false, abortOnError: false });
  const fastify = app.getHttpAdapter().getInstance();
  allowOrigins(fastify, options.allowedOrigins ?? []);
  // A long text as bytes: Node.js writes a string of megabytes to a socket several times slower.
  fastify.addHook('onSend', (_request, _reply, payload, done) => {
    done(null, typeof payload === 'string' && payload.length > longAnswer ? Buffer.from(payload, 'utf8') : payload);
  });
  // The stream itself is the body: lines are taken as they come.
  fastify.addContentTypeParser('application/x-ndjson', (_request, payload, done) => {
    done(null, payload);
  });
  await app.listen(options.port, options.host);
  return {
    url: await app.getUrl(),
    close: async () => {
      await app.close();
    },
  };
}
