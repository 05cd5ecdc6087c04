import 'reflect-metadata';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { fastifyRateLimit } from '@fastify/rate-limit';
import type { Server as TlsServer } from 'node:tls';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { limits, ProtocolError } from '@huilian/protocol';
import { AccountsController } from './accounts-controller.js';
import { AuditLogController } from './audit-log-controller.js';
import { Audited } from './audited.js';
import { CallerGuard } from './caller.js';
import { Callers } from './callers.js';
import { AggregatesController } from './aggregates-controller.js';
import { BackupsController } from './backups-controller.js';
import { CompletenessController } from './completeness-controller.js';
import { CatalogueController, MigrationsController } from './catalogue-controller.js';
import { AllowedMethods } from './allowed-methods.js';
import { AccessController, OpenController, OperatorController, OwnersController, RecordsController } from './controllers.js';
import { ConsoleController, ConsoleFiles, pageOfConsole } from './console-controller.js';
import { allowOrigins } from './cross-origin.js';
import { Cursors } from './cursors.js';
import { DeadLettersController } from './dead-letters-controller.js';
import { DeclaredGuard } from './declared-guard.js';
import type { RouteDeclaration } from './declare-route.js';
import { DirectoryController, FlowCookie } from './directory-controller.js';
import { errorAnswer } from './error-answer.js';
import { EventStreams, type StreamLimits } from './event-streams.js';
import { ErasuresController } from './erasures-controller.js';
import { ExportController } from './export-controller.js';
import { EventsController, WebhooksController } from './events-controller.js';
import { ErrorFilter } from './error-filter.js';
import { Idempotency } from './idempotency.js';
import { JoinsController } from './joins-controller.js';
import { KeyChangesController } from './key-changes-controller.js';
import { MappingsController } from './mappings-controller.js';
import { MirrorController } from './mirror-controller.js';
import { countAnswers, MetricsController } from './metrics-controller.js';
import { NodeServices } from './node-services.js';
import { declaredRoutes, openApi } from './open-api.js';
import { OperationsController } from './operations-controller.js';
import { OverviewController } from './overview-controller.js';
import { OwnerViewController } from './owner-view-controller.js';
import { ApiDocument, PagesController } from './pages-controller.js';
import { readBodies } from './read-bodies.js';
import { RolesController, RolesTable } from './roles-controller.js';
import { rolesTable } from './route-callers.js';
import { SessionCookie, sessionCookieName } from './session-cookie.js';
import { SessionsController } from './sessions-controller.js';
import { SignIn } from './sign-in.js';
import { SourcesController } from './sources-controller.js';

export interface TlsFiles {
  /** PEM: the certificate with its chain, and its key. */
  readonly cert: string;
  readonly key: string;
}

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  /** Address that members use; the audience of their assertions is `<publicUrl>/v1/token`. */
  readonly publicUrl: string;
  readonly operatorToken: string;
  /** Opens /metrics and nothing else. */
  readonly metricsToken: string;
  /** Folder of the built console; without it /console/ says that there is none. */
  readonly consoleFolder?: string;
  /** Origins whose pages may call this node; none where absent. */
  readonly allowedOrigins?: readonly string[];
  /** The door's own TLS; without it a proxy before the node has it. */
  readonly tls?: TlsFiles;
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed; none where absent. */
  readonly trustedProxies?: readonly string[];
  /** Calls of one member, or of one address that has not signed in, per minute; the operator's are not counted. */
  readonly callsPerMinute?: number;
  /** Calls that cost a signature check before the caller is known, per address and minute. */
  readonly signaturesPerMinute?: number;
  /** How long a head, and a body that is no stream, may take to arrive. */
  readonly arrivalMilliseconds?: number;
  /** Bounds of event streams, where they differ from the defaults. */
  readonly streams?: Partial<StreamLimits>;
}

export interface HttpDoor {
  readonly url: string;
  /** Takes a renewed certificate without ending a connection; only where the door has TLS. */
  renewTls(files: TlsFiles): void;
  close(): Promise<void>;
}

const streamLimits: StreamLimits = { perCaller: 10, inAll: 500, heartbeatMilliseconds: 15_000, patienceMilliseconds: 30_000 };
const longAnswer = 16 * 1024;
const defaultCalls = 60_000;
const defaultSignatures = 600;
/** Connections at a time; a further one is closed at once. */
const mostConnections = 2000;
const defaultArrival = 8000;
/** All of the door, in the order of their description. */
export const controllers: Type[] = [OpenController, RecordsController, AggregatesController, ExportController, MappingsController, DeadLettersController, AccessController, OwnersController, KeyChangesController, OwnerViewController, CatalogueController, MigrationsController, JoinsController, CompletenessController, OperatorController, OperationsController, OverviewController, BackupsController, ErasuresController, MirrorController, SourcesController, EventsController, WebhooksController, MetricsController, SessionsController, DirectoryController, AccountsController, AuditLogController, RolesController, ConsoleController, PagesController];

@Module({})
class HttpModule {
  public static of(services: NodeServices, options: HttpOptions): DynamicModule {
    const audience = `${options.publicUrl}/v1/token`;
    const signIn = new SignIn(services.readModel, services.memberId, audience, options, services.clock, services.random, services.store);
    const cookie = new SessionCookie(options.publicUrl, sessionCookieName);
    return {
      module: HttpModule,
      controllers,
      providers: [
        { provide: NodeServices, useValue: services },
        { provide: SignIn, useValue: signIn },
        { provide: SessionCookie, useValue: cookie },
        { provide: FlowCookie, useValue: new FlowCookie(options.publicUrl) },
        { provide: Callers, useValue: new Callers(signIn, services.staff, services.sessions, cookie) },
        { provide: Cursors, useValue: new Cursors(options.operatorToken) },
        { provide: AllowedMethods, useValue: new AllowedMethods(declaredRoutes(controllers)) },
        { provide: ConsoleFiles, useValue: new ConsoleFiles(options.consoleFolder) },
        { provide: RolesTable, useValue: new RolesTable(rolesTable(declaredRoutes(controllers))) },
        { provide: ApiDocument, useValue: new ApiDocument(openApi(declaredRoutes(controllers), options.publicUrl)) },
        { provide: EventStreams, useValue: new EventStreams(services.feed, { ...streamLimits, ...options.streams }) },
        { provide: APP_GUARD, useClass: CallerGuard },
        { provide: APP_GUARD, useClass: DeclaredGuard },
        { provide: APP_FILTER, useClass: ErrorFilter },
        { provide: APP_INTERCEPTOR, useClass: Idempotency },
        { provide: APP_INTERCEPTOR, useClass: Audited },
      ],
    };
  }
}

/** Opens the node's HTTP door. Fastify's defaults have no timeouts, so they are set here. */
export async function startHttp(services: NodeServices, options: HttpOptions): Promise<HttpDoor> {
  const arrival = arrivalOf(options);
  const server = { headersTimeout: arrival, connectionsCheckingInterval: Math.min(1000, arrival) };
  const adapter = new FastifyAdapter({
    bodyLimit: 4 * limits.recordBytes,
    // A publishing stream may last; a request that sends nothing may not.
    connectionTimeout: 120_000,
    requestTimeout: 0,
    keepAliveTimeout: 60_000,
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: true,
    rewriteUrl: pageOfConsole,
    trustProxy: options.trustedProxies === undefined || options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    // Addresses that the router cannot read never reach the error filter.
    frameworkErrors: (_error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      const unreadable = new ProtocolError('NOT_FOUND');
      void reply.status(unreadable.entry.http).send(errorAnswer(unreadable));
    },
    ...(options.tls === undefined ? { http: server } : { https: { ...server, ...options.tls, minVersion: 'TLSv1.2' as const } }),
  });
  const app = await NestFactory.create<NestFastifyApplication>(HttpModule.of(services, options), adapter, { logger: false, abortOnError: false, bodyParser: false });
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  countAnswers(fastify, services);
  allowOrigins(fastify, options.allowedOrigins ?? []);
  await boundRoutes(fastify, app.get(Callers), options);
  // A long text as bytes: Node.js writes a string of megabytes to a socket several times slower.
  fastify.addHook('onSend', (_request, _reply, payload, done) => {
    done(null, typeof payload === 'string' && payload.length > longAnswer ? Buffer.from(payload, 'utf8') : payload);
  });
  fastify.server.maxConnections = mostConnections;
  await app.listen(options.port, options.host).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw new ProtocolError('CONFIG_INVALID', { path: '/http/port', port: options.port, reason: 'in use: stop what listens there, or take another port' });
    throw error;
  });
  return {
    url: (await app.getUrl()),
    renewTls: (files) => {
      (fastify.server as unknown as TlsServer).setSecureContext(files);
    },
    close: async () => {
      await app.close();
    },
  };
}

function arrivalOf({ arrivalMilliseconds }: HttpOptions): number {
  return arrivalMilliseconds ?? defaultArrival;
}

/** Gives each route the bounds that it declares: bytes of a body, how it is read, how often it is called before a caller is known. */
async function boundRoutes(fastify: FastifyInstance, callers: Callers, options: HttpOptions): Promise<void> {
  const byAddress = new Map<string, RouteDeclaration>(declaredRoutes(controllers).map((route) => [`${route.method} ${route.path.replace(/\{(\w+)\}/g, ':$1')}`, route]));
  readBodies(fastify, (request) => byAddress.get(`${request.method} ${request.routeOptions.url ?? ''}`)?.form === true, arrivalOf(options));
  const byAddressAlone = { keyGenerator: ({ ip }: FastifyRequest) => ip, max: options.signaturesPerMinute ?? defaultSignatures, timeWindow: 60_000 };
  fastify.addHook('onRoute', (route) => {
    if (route.method === 'HEAD') return;
    const declared = byAddress.get(`${String(route.method)} ${route.url}`);
    if (declared === undefined) throw new TypeError(`a route that no controller declares: ${String(route.method)} ${route.url}`);
    if (declared.bodyBytes !== undefined) route.bodyLimit = declared.bodyBytes;
    if (declared.counted === true) route.config = { ...route.config, rateLimit: byAddressAlone };
  });
  const caller = (request: FastifyRequest): string => callerKey(callers, request);
  await fastify.register(fastifyRateLimit, { global: true, max: options.callsPerMinute ?? defaultCalls, timeWindow: 60_000, keyGenerator: caller, allowList: (_request, key) => key === operatorKey, errorResponseBuilder: () => new ProtocolError('RATE_LIMITED') });
}

const operatorKey = 'operator';

/** By whom a call is counted. A token that is none counts for its address; that it is none is said later. */
function callerKey(callers: Callers, request: FastifyRequest): string {
  try {
    const caller = callers.of(request);
    if (caller?.role === 'member') return `member ${caller.member}`;
    if (caller?.role === 'operator' && caller.session !== undefined) return `account ${caller.session.account}`;
    if (caller !== undefined) return caller.role;
  } catch {
    // Falls through to the address.
  }
  return request.ip;
}
