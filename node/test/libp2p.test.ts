import { connect } from 'node:net';
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { afterEach, describe, expect, it } from 'vitest';
import { ProtocolError, utf8, fromUtf8, type MemberDocument } from '@huilian/protocol';
import { Libp2pTransport } from '../src/adapters/libp2p/libp2p-transport.js';

interface Party {
  readonly transport: Libp2pTransport;
  readonly document: MemberDocument;
  readonly privateKey: Uint8Array;
}

const running: Libp2pTransport[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (transport) => {
    await transport.close();
  }));
});

async function party(id: string, privateKey?: Uint8Array, listen = '/ip4/127.0.0.1/tcp/0'): Promise<Party> {
  const key = await generateKeyPair('Ed25519');
  const bytes = privateKey ?? privateKeyToProtobuf(key);
  const transport = await Libp2pTransport.start({ memberId: id, privateKey: bytes, listen: [listen] });
  running.push(transport);
  const document = { id, kind: 'centre', peerId: peerIdFromPrivateKey(key).toString(), addresses: transport.addresses() } as unknown as MemberDocument;
  return { transport, document, privateKey: bytes };
}

async function pair(): Promise<[Party, Party]> {
  const [a, b] = [await party('alpha'), await party('bravo')];
  a.transport.allow([a.document, b.document]);
  b.transport.allow([a.document, b.document]);
  return [a, b];
}

describe('exchange over libp2p', () => {
  it('carries many requests at once, both ways, with the asker’s member id', async () => {
    const [a, b] = await pair();
    for (const { transport } of [a, b]) transport.serve((from, method, body) => Promise.resolve(utf8(`${from} ${method} ${fromUtf8(body)}`)));
    const answers = await Promise.all(Array.from({ length: 200 }, async (_, index) => {
      const [from, to] = index % 2 === 0 ? [a, b] : [b, a];
      return fromUtf8(await from.transport.request(to.document.id, 'offer', utf8(String(index))));
    }));
    expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => `${index % 2 === 0 ? 'alpha' : 'bravo'} offer ${String(index)}`));
  });

  it('carries a message of several frames unchanged', async () => {
    const [a, b] = await pair();
    b.transport.serve((_from, _method, body) => Promise.resolve(body));
    const body = new Uint8Array(5_000_000).map((_, index) => index % 251);
    expect(Buffer.from(await a.transport.request('bravo', 'release', body)).equals(Buffer.from(body))).toBe(true);
  });

  it('carries the other side’s coded error, and says INTERNAL for what is none', async () => {
    const [a, b] = await pair();
    b.transport.serve((_from, method) => Promise.reject(method === 'offer' ? new ProtocolError('GRANT_EXPIRED', { at: 7 }) : new TypeError('secret text')));
    await expect(a.transport.request('bravo', 'offer', new Uint8Array())).rejects.toMatchObject({ code: 'GRANT_EXPIRED', details: { at: 7 } });
    await expect(a.transport.request('bravo', 'release', new Uint8Array())).rejects.toMatchObject({ code: 'INTERNAL', details: {} });
  });

  it('refuses a peer that the ledger does not know', async () => {
    const [a, b] = await pair();
    b.transport.serve((_from, _method, body) => Promise.resolve(body));
    const stranger = await party('charlie');
    stranger.transport.allow([b.document]);
    await expect(stranger.transport.request('bravo', 'offer', new Uint8Array())).rejects.toMatchObject({ code: 'PUBLISHER_UNAVAILABLE' });
    await expect(a.transport.request('charlie', 'offer', new Uint8Array())).rejects.toMatchObject({ code: 'PEER_UNKNOWN' });
  });

  it('ends the connection of a peer that is no longer registered', async () => {
    const [a, b] = await pair();
    b.transport.serve((_from, _method, body) => Promise.resolve(body));
    await a.transport.request('bravo', 'offer', new Uint8Array());
    b.transport.allow([]);
    await expect.poll(async () => await a.transport.request('bravo', 'offer', new Uint8Array()).then(() => 'answered', (error: unknown) => (error as ProtocolError).code), { timeout: 10_000 }).toBe('PUBLISHER_UNAVAILABLE');
  });

  it('survives raw garbage on its port', async () => {
    const [a, b] = await pair();
    b.transport.serve((_from, _method, body) => Promise.resolve(body));
    const port = Number(b.document.addresses[0]?.split('/').at(-1));
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.alloc(100_000, 0xff)));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        resolve();
      });
    });
    expect(fromUtf8(await a.transport.request('bravo', 'offer', utf8('still here')))).toBe('still here');
  });

  it('finds the other side again after its restart', async () => {
    const [a, b] = await pair();
    b.transport.serve((_from, _method, body) => Promise.resolve(body));
    await a.transport.request('bravo', 'offer', new Uint8Array());
    await b.transport.close();
    running.splice(running.indexOf(b.transport), 1);
    await expect(a.transport.request('bravo', 'offer', new Uint8Array())).rejects.toMatchObject({ code: 'PUBLISHER_UNAVAILABLE' });
    const again = await party('bravo', b.privateKey, b.document.addresses[0]);
    again.transport.allow([a.document]);
    again.transport.serve((_from, _method, body) => Promise.resolve(body));
    expect(fromUtf8(await a.transport.request('bravo', 'offer', utf8('back')))).toBe('back');
  });
});
