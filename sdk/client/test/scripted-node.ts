import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorBody, ProtocolError, type ErrorCode } from '@huilian/protocol';

/** One request as it came in. */
interface Seen {
  readonly route: string;
  readonly body: string;
  readonly at: number;
  readonly authorization: string | undefined;
  readonly key: string | undefined;
}

type Answer = (seen: Seen, response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

/**
 * A door that answers as a test says: what a real node does only when a network or a ledger fails. Answers of a route are
 * taken one after the other, the last for ever; sign-in works unless a test says otherwise.
 */
export interface ScriptedNode {
  readonly url: string;
  readonly seen: Seen[];
  on(route: string, ...answers: readonly Answer[]): void;
  of(route: string): Seen[];
  close(): Promise<void>;
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Answer => (_seen, response) => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
export const refusal = (code: ErrorCode, headers: Record<string, string> = {}): Answer => {
  const error = new ProtocolError(code);
  return json(errorBody(error), error.entry.http, headers);
};
/** The request came in; its answer never gets back. */
export const lost: Answer = (_seen, response) => {
  response.destroy();
};

export async function startScriptedNode(): Promise<ScriptedNode> {
  const seen: Seen[] = [];
  const answers = new Map<string, Answer[]>();
  let tokens = 0;
  answers.set('POST /v1/token', [(_seen, response) => {
    tokens += 1;
    response.end(JSON.stringify({ access_token: `token-${String(tokens)}`, token_type: 'Bearer', expires_in: 900 }));
  }]);
  const server = createServer((request, response) => {
    void serve(request, response);
  });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = `${request.method ?? ''} ${(request.url ?? '').split('?')[0] ?? ''}`;
    const streamed = request.headers['content-type'] === 'application/x-ndjson';
    const one: Seen = {
      route: `${request.method ?? ''} ${request.url ?? ''}`,
      body: streamed ? '' : await text(request),
      at: performance.now(),
      authorization: request.headers.authorization,
      key: request.headers['idempotency-key'] as string | undefined,
    };
    seen.push(one);
    const list = answers.get(route) ?? [refusal('NOT_FOUND')];
    const answer = list.length > 1 ? list.shift() : list[0];
    await answer?.(one, response, request);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    seen,
    on: (route, ...list) => {
      answers.set(route, [...list]);
    },
    of: (route) => seen.filter((one) => one.route.split('?')[0] === route),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
