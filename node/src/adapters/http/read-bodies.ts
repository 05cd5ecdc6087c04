import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fromUtf8, parseStrict, ProtocolError } from '@huilian/protocol';

/** Records come as a stream of JSON lines. */
export const streamType = 'application/x-ndjson';

/**
 * How bodies are read: JSON with no key twice and no number that others would read differently; forms only where a route
 * takes them; NDJSON as the stream it is, for lines are taken as they come.
 */
export function readBodies(server: FastifyInstance, takesForm: (request: FastifyRequest) => boolean, bodyMilliseconds: number): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    parse(() => parseStrict(body as Buffer), done);
  });
  server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (request, body, done) => {
    parse(() => {
      if (!takesForm(request)) throw new ProtocolError('CANONICAL_INVALID', { reason: 'content-type' });
      return formOf(fromUtf8(body as Buffer));
    }, done);
  });
  server.addContentTypeParser(streamType, (_request, payload, done) => {
    done(null, payload);
  });
  // Who sends a body byte by byte holds a connection; a publishing stream may, for it is told by what it brings.
  server.addHook('onRequest', (request, _reply, done) => {
    if (hasWholeBody(request)) hurry(request, bodyMilliseconds);
    done();
  });
}


function hasWholeBody({ headers }: FastifyRequest): boolean {
  const some = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  return some && headers['content-type']?.startsWith(streamType) !== true;
}

function hurry({ raw }: FastifyRequest, milliseconds: number): void {
  const timer = setTimeout(() => raw.destroy(), milliseconds);
  for (const event of ['end', 'close'] as const) raw.once(event, () => { clearTimeout(timer); });
}

function parse(read: () => unknown, done: (error: Error | null, body?: unknown) => void): void {
  try {
    done(null, read());
  } catch (error) {
    done(error as Error);
  }
}

function formOf(text: string): object {
  const fields = [...new URLSearchParams(text)];
  if (new Set(fields.map(([name]) => name)).size !== fields.length) throw new ProtocolError('CANONICAL_INVALID', { reason: 'duplicate-key' });
  return Object.fromEntries(fields);
}
