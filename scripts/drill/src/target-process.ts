import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { verifyWebhook } from '@huilian/sdk';
import { arrivalOf, type Arrival } from './arrivals.js';

/**
 * The process of those who subscribed by webhook: each target checks a call's signature, writes down what came, and only then
 * takes it. Some do not take anything. Speaks with its parent over IPC; may be killed at any moment.
 */

/** How a target meets a call. */
export type Manner = 'takes' | 'hangs' | 'redirects' | 'fails';
export interface Target {
  readonly manner: Manner;
  readonly secret: string;
}
export interface TargetOrder {
  readonly folder: string;
  /** 0 for any. */
  readonly port: number;
  readonly targets: Readonly<Record<string, Target>>;
}

let order: TargetOrder = { folder: '', port: 0, targets: {} };

function note(name: string, line: { readonly arrivals: readonly Arrival[] } | { readonly refused: string }): void {
  // The line break comes first: what a kill cut off does not spoil the next line.
  appendFileSync(path.join(order.folder, `${name}.log`), `\n${JSON.stringify(line)}`);
}

async function answer(call: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = (call.url ?? '').slice(1);
  const target = order.targets[name];
  const parts: Buffer[] = [];
  for await (const part of call) parts.push(part as Buffer);
  if (target === undefined) {
    note('elsewhere', { refused: name });
    response.writeHead(404).end();
  } else if (target.manner === 'takes') take(name, target, call, Buffer.concat(parts), response);
  else if (target.manner === 'redirects') response.writeHead(302, { location: '/elsewhere' }).end();
  else if (target.manner === 'fails') response.writeHead(500).end();
}

function take(name: string, { secret }: Target, call: IncomingMessage, body: Uint8Array, response: ServerResponse): void {
  try {
    note(name, { arrivals: verifyWebhook(secret, call.headers, body).map(arrivalOf) });
    response.writeHead(204).end();
  } catch (error) {
    // A node whose clock is wrong signs with that time: its calls come again when the clock is right.
    const { details } = error as { details?: { reason?: string } };
    note(name, { refused: details?.reason ?? String(error) });
    response.writeHead(401).end();
  }
}

const server = createServer((call, response) => {
  // A call that breaks off has an end of its own: it was not taken.
  answer(call, response).catch(() => response.destroy());
});
process.on('message', (message: TargetOrder) => {
  order = message;
  if (server.listening) process.send?.({ port: order.port });
  else server.listen(order.port, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
});
process.on('disconnect', () => { process.exit(0); });
