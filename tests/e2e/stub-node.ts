// The few answers of a node that the bidder's page needs, held in memory: what it was given, it keeps for the test to see.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { errorBody, ProtocolError, type Domain, type GrantEnvelope, type RevocationEnvelope, type TrailRequestEnvelope } from '@huilian/protocol';
import type { Ask } from '@huilian/sdk';

export interface StubNode {
  readonly url: string;
  readonly asks: Map<string, Ask>;
  readonly grants: GrantEnvelope[];
  readonly revocations: RevocationEnvelope[];
  readonly trailRequests: TrailRequestEnvelope[];
  trail: object;
  close(): Promise<void>;
}

interface StubFacts {
  readonly domain: Domain;
  readonly members: readonly { readonly document: { readonly id: string; readonly kind: string; readonly name: { readonly zh: string; readonly en: string } } }[];
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

export async function startStubNode({ domain, members }: StubFacts): Promise<StubNode> {
  const state = { asks: new Map<string, Ask>(), grants: [] as GrantEnvelope[], revocations: [] as RevocationEnvelope[], trailRequests: [] as TrailRequestEnvelope[], trail: { entries: [], refusals: [], missing: [] } as object };
  const ask = (id: string): Ask => {
    const found = state.asks.get(id);
    if (found === undefined) throw new ProtocolError('NOT_FOUND');
    return found;
  };
  const member = (id: string): object => {
    const found = members.find(({ document }) => document.id === id);
    if (found === undefined) throw new ProtocolError('MEMBER_UNKNOWN');
    return found;
  };
  const routes: Readonly<Record<string, (id: string, request: IncomingMessage) => object | Promise<object>>> = {
    'GET consortium': () => ({ domain }),
    'GET members': (id) => (id === '' ? { items: members } : member(id)),
    'GET asks': ask,
    'POST asks/grant': async (id, request) => {
      const grant = (await bodyOf(request)) as GrantEnvelope;
      state.grants.push(grant);
      state.asks.set(id, { ...ask(id), grant });
      return ask(id);
    },
    'POST revocations': async (_id, request) => {
      state.revocations.push((await bodyOf(request)) as RevocationEnvelope);
      return { transactionId: '0'.repeat(64), response: {} };
    },
    'POST trails': async (_id, request) => {
      state.trailRequests.push((await bodyOf(request)) as TrailRequestEnvelope);
      return stub.trail;
    },
  };
  const answer = async (request: IncomingMessage): Promise<object> => {
    const [, , room = '', id = '', verb = ''] = (request.url ?? '').split('/');
    const route = routes[`${request.method ?? ''} ${room}${verb === '' ? '' : `/${verb}`}`];
    if (route === undefined) throw new ProtocolError('NOT_FOUND');
    return await route(id, request);
  };
  const server = createServer((request, response) => {
    const send = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    answer(request).then((body) => { send(200, body); }, (error: unknown) => {
      const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL');
      send(known.entry.http, errorBody(known));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const stub: StubNode = Object.assign(state, { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, close });
  return stub;
}
