import { connect } from 'node:net';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { lpStream } from '@libp2p/utils';
import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { ProtocolError, utf8, fromUtf8, type MemberDocument } from '@huilian/protocol';
import { framesOf, type FrameType } from '../src/adapters/libp2p/exchange-frame.js';
import { exchangeLimits } from '../src/adapters/libp2p/exchange-limits.js';
import { Libp2pTransport } from '../src/adapters/libp2p/libp2p-transport.js';

interface Party {
  readonly transport: Libp2pTransport;
  readonly document: MemberDocument;
  readonly privateKey: Uint8Array;
}

/** Without its length, which ends with the first byte below 128. */
function firstFrame(type: FrameType, id: number, message: Uint8Array): Uint8Array {
  const [frame = new Uint8Array()] = framesOf(type, id, message);
  return frame.subarray(frame.findIndex((byte) => byte < 128) + 1);
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

  describe('a registered peer that means ill', () => {
    /** A peer whose key is registered, with streams of its own making. */
    async function attacker(victim: Party): Promise<{ readonly open: () => Promise<Stream>; readonly connect: () => Promise<Connection> }> {
      const key = await generateKeyPair('Ed25519');
      const document = { id: 'mallory', kind: 'centre', peerId: peerIdFromPrivateKey(key).toString(), addresses: [] } as unknown as MemberDocument;
      victim.transport.allow([document]);
      const nodes: Libp2p[] = [];
      onTestFinished(async () => { await Promise.all(nodes.map(async (node) => { await node.stop(); })); });
      const connect = async (): Promise<Connection> => {
        const node = await createLibp2p({ privateKey: key, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] });
        nodes.push(node);
        return await node.dial(multiaddr(`${victim.document.addresses[0] ?? ''}/p2p/${victim.document.peerId ?? ''}`));
      };
      let connection: Promise<Connection> | undefined;
      return { connect, open: async () => await (await (connection ??= connect())).newStream(exchangeLimits.protocol) };
    }

    const ended = async (stream: Stream): Promise<void> => { await expect.poll(() => stream.status, { timeout: 10_000 }).not.toBe('open'); };

    it.each([
      ['a length of 2^53', Uint8Array.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f])],
      ['a length of 2^63', Uint8Array.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01])],
      ['a length of 2^31', Uint8Array.from([0x80, 0x80, 0x80, 0x80, 0x08])],
      ['a length that never ends', new Uint8Array(100_000).fill(0x80)],
      ['a frame of no type', Uint8Array.from([6, 9, 1, 0, 0, 0, 1])],
    ])('%s ends the stream', async (_name, bytes) => {
      const victim = await party('bravo');
      const stream = await (await attacker(victim)).open();
      stream.send(bytes);
      await ended(stream);
    });

    it('messages that are begun and never ended are held up to a bound, whatever their number', async () => {
      const victim = await party('bravo');
      const stream = await (await attacker(victim)).open();
      const frames = lpStream(stream, { maxDataLength: exchangeLimits.frameBytes });
      let sent = 0;
      for (let id = 1; stream.status === 'open' && id <= 200; id += 1) {
        await frames.write(firstFrame('request', id, new Uint8Array(2 * exchangeLimits.frameBytes))).then(() => { sent += 1; }, () => undefined);
      }
      await ended(stream);
      expect(sent).toBeGreaterThan(50);
      // What the transport has in its own buffers comes on top.
      expect(sent).toBeLessThan(100);
    }, 30_000);

    it('answers that nobody asked for are dropped', async () => {
      const victim = await party('bravo');
      victim.transport.serve((_from, _method, body) => Promise.resolve(body));
      const stream = await (await attacker(victim)).open();
      const frames = lpStream(stream, { maxDataLength: exchangeLimits.frameBytes });
      for (let id = 1; id <= 100; id += 1) await frames.write(firstFrame('answer', id, new Uint8Array(2 * exchangeLimits.frameBytes)));
      await frames.write(firstFrame('request', 7, utf8('health\0still here')));
      expect(fromUtf8((await frames.read()).subarray().subarray(6))).toBe('still here');
    }, 30_000);

    it('10,000 streams and many connections: a few are taken', async () => {
      const victim = await party('bravo');
      const { connect, open } = await attacker(victim);
      const streams = (await Promise.allSettled(Array.from({ length: 10_000 }, async () => await open()))).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      await expect.poll(() => streams.filter(({ status }) => status === 'open').length, { timeout: 20_000 }).toBeLessThanOrEqual(2);
      const connections = (await Promise.allSettled(Array.from({ length: 8 }, async () => await connect()))).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      await expect.poll(() => connections.filter(({ status }) => status === 'open').length, { timeout: 20_000 }).toBeLessThan(exchangeLimits.connectionsOfPeer);
    }, 60_000);
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
