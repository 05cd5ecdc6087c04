import { createHash, timingSafeEqual } from 'node:crypto';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { errorBody, limits, parseStrict, ProtocolError } from '@huilian/protocol';
import { asProtocolError, type ReaderDesk } from './reader-desk.js';
import { readerOpenApi } from './reader-openapi.js';
import { readerRoutes, type ReaderRoute } from './reader-routes.js';

export interface ReaderOptions {
  /** A loopback address. */
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly token: string;
  /** Told of each call: method, route as declared, status, code and duration; never a path's values, a body, or a header. */
  readonly onServed: (call: { readonly method: string; readonly route: string; readonly status: number; readonly milliseconds: number; readonly code?: string }) => void;
}

/** Evidence with the presentations of a full ticket. */
const bodyBytes = 16 * limits.recordBytes;
const openRoutes = new Set(['/healthz', '/readyz', '/openapi.json']);

/** Opens the sidecar's HTTP door on loopback. Every call is refused unless it is addressed to this very door and carries the token. */
export async function startReader(desk: ReaderDesk, options: ReaderOptions): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = fastify({ bodyLimit: bodyBytes, connectionTimeout: 120_000, requestTimeout: 30_000, keepAliveTimeout: 60_000, forceCloseConnections: true, routerOptions: { maxParamLength: 200 }, frameworkErrors: (_error, request, reply) => { send(request, reply, new ProtocolError('NOT_FOUND')); } });
  let own = '';
  const failed = new WeakMap<FastifyRequest, string>();
  const send = (request: FastifyRequest, reply: FastifyReply, error: ProtocolError): void => {
    failed.set(request, error.code);
    if (error.entry.http === 503) void reply.header('retry-after', '5');
    void reply.status(error.entry.http).send(errorBody(error));
  };
  server.addHook('onRequest', (request, reply, done) => {
    void reply.header('cache-control', 'no-store');
    try {
      checkAddressed(request, own);
      if (!openRoutes.has(request.routeOptions.url ?? '')) checkToken(request.headers.authorization, options.token);
      done();
    } catch (error) {
      send(request, reply, asProtocolError(error));
    }
  });
  server.addHook('onResponse', (request, reply, done) => {
    const code = failed.get(request);
    options.onServed({ method: request.method, route: request.routeOptions.url ?? 'unknown', status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime), ...(code === undefined ? {} : { code }) });
    done();
  });
  server.setErrorHandler((error, request, reply) => { send(request, reply, known(error)); });
  server.setNotFoundHandler((request, reply) => { send(request, reply, new ProtocolError('NOT_FOUND')); });
  readJsonStrictly(server);
  server.get('/healthz', async () => await Promise.resolve({ status: 'up' }));
  server.get('/readyz', async (_request, reply) => {
    const reasons = await desk.consortium().then(() => [], (error: unknown) => [asProtocolError(error).code]);
    return await reply.status(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons });
  });
  server.get('/openapi.json', async () => await Promise.resolve(readerOpenApi(own)));
  for (const route of readerRoutes) {
    server.route({
      method: route.method,
      url: route.path.replace(/\{(\w+)\}/g, ':$1'),
      handler: async ({ body, params, query }) => await route.serve(desk, { body, parameters: params as Record<string, string>, query: readQuery(route, query as Record<string, unknown>) }),
    });
  }
  own = await server.listen({ host: options.host, port: options.port }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw new ProtocolError('BAD_FIELD', { path: '--port', port: options.port, reason: 'is in use: take another' });
    throw error;
  });
  return {
    url: own,
    close: async () => {
      await server.close();
    },
  };
}

/**
 * A name that points at this machine from elsewhere (DNS rebinding) stands in the Host header, and a page in a browser has
 * an Origin: neither is a program of this machine's own. @throws FORBIDDEN
 */
function checkAddressed({ headers }: FastifyRequest, own: string): void {
  const { host, port } = new URL(own);
  if (headers.host !== host && headers.host !== `localhost${port === '' ? '' : `:${port}`}`) throw new ProtocolError('FORBIDDEN', { reason: 'host' });
  if (headers.origin !== undefined) throw new ProtocolError('FORBIDDEN', { reason: 'origin' });
}

/** @throws TOKEN_INVALID */
function checkToken(authorization: string | undefined, token: string): void {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${token}`))) throw new ProtocolError('TOKEN_INVALID', { reason: 'reader-token' });
}

/** Only what the route declares, each once. @throws UNKNOWN_FIELD, BAD_FIELD */
function readQuery(route: ReaderRoute, query: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(query)) {
    if (!Object.hasOwn(route.query ?? {}, name)) throw new ProtocolError('UNKNOWN_FIELD', { path: '/query' });
    if (typeof value !== 'string') throw new ProtocolError('BAD_FIELD', { path: '/query', reason: 'repeated' });
  }
  return query as Readonly<Record<string, string>>;
}

/** No key twice, no number that others would read differently: what cannot be said in one way only is refused. */
function readJsonStrictly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, body.length === 0 ? undefined : parseStrict(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** What a route ran into. A sign-in that the node refused is no fault of the caller's own token. */
function known(error: unknown): ProtocolError {
  if (error instanceof ProtocolError && error.code === 'TOKEN_INVALID') return new ProtocolError('EXCHANGE_FAILED', { reason: 'sign-in', refused: error.code });
  const status = (error as { statusCode?: number } | undefined)?.statusCode;
  if (error instanceof ProtocolError || status === undefined) return asProtocolError(error);
  if (status === 413) return new ProtocolError('BODY_TOO_LARGE');
  return status < 500 ? new ProtocolError('CANONICAL_INVALID', { reason: 'body' }) : new ProtocolError('INTERNAL');
}
