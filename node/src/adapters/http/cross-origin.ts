import type { FastifyInstance } from 'fastify';

const allowedMethods = 'GET, POST';
const allowedHeaders = 'authorization, content-type, idempotency-key, last-event-id';
const exposedHeaders = 'retry-after';
const preflightSeconds = '600';

/**
 * Lets pages of the named origins call this node (Fetch standard, CORS protocol): exactly those, never with cookies. Where
 * none is named the node says nothing of origins, and a browser keeps every page away.
 */
export function allowOrigins(server: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  server.addHook('onRequest', (request, reply, done) => {
    // Caches must not give one origin's answer to another.
    void reply.header('vary', 'origin');
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) {
      done();
      return;
    }
    for (const [name, value] of [['access-control-allow-origin', origin], ['access-control-expose-headers', exposedHeaders]] as const) void reply.header(name, value);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      done();
      return;
    }
    void reply
      .headers({ 'access-control-allow-headers': allowedHeaders, 'access-control-allow-methods': allowedMethods, 'access-control-max-age': preflightSeconds })
      .status(204)
      .send();
  });
}
