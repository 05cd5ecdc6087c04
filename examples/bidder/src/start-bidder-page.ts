import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { errorBody, ProtocolError } from '@huilian/sdk';
import { AnswerAsks } from './answer-asks.js';
import { openWallet } from './wallet-file.js';

export interface BidderPageOptions {
  /** HTTP address of any node of the consortium. */
  readonly nodeUrl: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly walletFile: string;
  /** Of the keystore; not needed for a test key. */
  readonly password?: string;
}

export interface BidderPage {
  readonly url: string;
  close(): Promise<void>;
}

const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/style.css': ['style.css', 'text/css; charset=utf-8'],
};
const headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;
const bodyBytes = 16 * 1024;

/** Serves the bidder's page on this machine alone. The key never leaves the process; the page holds words and digests. */
export async function startBidderPage(options: BidderPageOptions): Promise<BidderPage> {
  const asks = new AnswerAsks(options.nodeUrl, await openWallet(options.walletFile, options.password));
  const server = createServer((request, response) => {
    void answer(asks, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(asks: AnswerAsks, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    checkHost(request);
    const url = new URL(request.url ?? '/', 'http://page');
    const file = request.method === 'GET' ? files[url.pathname] : undefined;
    if (file !== undefined) send(response, 200, file[1], await readFile(new URL(`../public/${file[0]}`, import.meta.url)));
    else sendJson(response, 200, await call(asks, request, url));
  } catch (error) {
    const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL');
    sendJson(response, known.entry.http, errorBody(known));
  }
}

async function call(asks: AnswerAsks, request: IncomingMessage, url: URL): Promise<object> {
  checkOrigin(request);
  switch (`${request.method ?? ''} ${url.pathname}`) {
    case 'GET /api/owner':
      return { owner: asks.owner };
    case 'GET /api/ask':
      return await asks.show(url.searchParams.get('id') ?? '');
    case 'GET /api/trail':
      return await asks.trail();
    case 'POST /api/sign': {
      const { id, shown } = await readBody(request, 'id', 'shown');
      return await asks.sign(id, shown);
    }
    case 'POST /api/revoke': {
      const { grant } = await readBody(request, 'grant');
      return await asks.revoke(grant);
    }
    default:
      throw new ProtocolError('NOT_FOUND');
  }
}

/** A page elsewhere that lets its own name point at this machine sends that name: refused. */
function checkHost({ headers: { host }, socket }: IncomingMessage): void {
  const port = String(socket.localPort);
  if (host !== `127.0.0.1:${port}` && host !== `localhost:${port}`) throw new ProtocolError('FORBIDDEN', { reason: 'host' });
}

/** Other sites can make a browser call this door, but neither with this header nor under this origin. */
function checkOrigin({ headers: { host, origin, ...others } }: IncomingMessage): void {
  const sameOrigin = origin === undefined || origin === `http://${host ?? ''}`;
  const site = others['sec-fetch-site'];
  const sameSite = site === undefined || site === 'same-origin';
  if (!sameOrigin || !sameSite || others['x-huilian-page'] !== '1') throw new ProtocolError('FORBIDDEN', { reason: 'origin' });
}

async function readBody<Name extends string>(request: IncomingMessage, ...names: readonly Name[]): Promise<Record<Name, string>> {
  if (request.headers['content-type'] !== 'application/json') throw new ProtocolError('BAD_FIELD', { path: '/content-type' });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyBytes) throw new ProtocolError('BODY_TOO_LARGE');
    chunks.push(chunk);
  }
  const body = parseObject(Buffer.concat(chunks).toString('utf8'));
  for (const name of names) if (typeof body[name] !== 'string') throw new ProtocolError('BAD_FIELD', { path: `/${name}` });
  return body as Record<Name, string>;
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Answered below, as any body that is no object.
  }
  throw new ProtocolError('CANONICAL_INVALID', { reason: 'body' });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(body));
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { ...headers, 'content-type': type }).end(body);
}
