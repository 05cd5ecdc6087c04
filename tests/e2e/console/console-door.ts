import { existsSync, readFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { root } from '../main-job.js';

/** The console's built pages and a node behind one address, as a proxy before the node has it. */
export interface ConsoleDoor {
  readonly url: string;
  close(): Promise<void>;
}

const pages = path.join(root, 'node', 'console', 'dist');
const types: Readonly<Record<string, string>> = { '.css': 'text/css', '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
/** Files of the door's own address alone, no script or style written into the page. */
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export async function openConsole(node: string): Promise<ConsoleDoor> {
  const server = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url ?? '/', 'http://console.invalid');
    if (pathname.startsWith('/console/')) givePage(pathname.slice('/console/'.length), answer);
    else pass(node, asked, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/console/`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function givePage(name: string, answer: ServerResponse): void {
  const file = path.join(pages, name === '' ? 'index.html' : path.normalize(`/${name}`));
  if (!existsSync(file)) {
    answer.writeHead(404).end();
    return;
  }
  answer.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream', 'content-security-policy': policy }).end(readFileSync(file));
}

function pass(node: string, asked: IncomingMessage, answer: ServerResponse): void {
  const to = new URL(asked.url ?? '/', node);
  const call = request(to, { method: asked.method, headers: { ...asked.headers, host: to.host } }, (came) => {
    answer.writeHead(came.statusCode ?? 502, came.headers);
    came.pipe(answer);
  });
  call.on('error', () => { answer.writeHead(502).end(); });
  asked.pipe(call);
}
