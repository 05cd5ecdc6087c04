import { privateKeyFromProtobuf } from '@libp2p/crypto/keys';
import { peerIdFromString } from '@libp2p/peer-id';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import type { Connection, PeerId, Stream } from '@libp2p/interface';
import { createLibp2p, type Libp2p } from 'libp2p';
import { ProtocolError, type MemberDocument } from '@huilian/protocol';
import type { ExchangeMethod, Transport } from '../../core/ports.js';
import { ExchangeSession } from './exchange-session.js';
import { exchangeLimits } from './exchange-limits.js';
import { leanNoise } from './lean-noise.js';
import { tellWindowByHalves } from './window-updates.js';

type Answer = (from: string, method: ExchangeMethod, body: Uint8Array) => Promise<Uint8Array>;

/** The nodes of other centres over libp2p (TCP, Noise, Yamux). Who is not registered on the ledger gets no connection. */
export class Libp2pTransport implements Transport {
  private readonly centres = new Map<string, MemberDocument>();
  private readonly memberOfPeer = new Map<string, string>();
  private readonly sessions = new Map<string, ExchangeSession>();
  private readonly dialling = new Map<string, Promise<ExchangeSession>>();
  private node!: Libp2p;
  private answer: Answer = () => Promise.reject(new ProtocolError('EXCHANGE_FAILED', { reason: 'not-serving' }));

  private constructor(private readonly ownMember: string) {}

  /** Listens on multiaddrs with the exchange key (libp2p protobuf form). */
  public static async start(options: { readonly memberId: string; readonly privateKey: Uint8Array; readonly listen: readonly string[] }): Promise<Libp2pTransport> {
    const transport = new Libp2pTransport(options.memberId);
    const unregistered = (peer: PeerId): boolean => !transport.memberOfPeer.has(peer.toString());
    transport.node = await createLibp2p({
      privateKey: privateKeyFromProtobuf(options.privateKey),
      addresses: { listen: [...options.listen] },
      transports: [tcp()],
      connectionEncrypters: [leanNoise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialPeer: unregistered, denyInboundEncryptedConnection: (peer) => unregistered(peer) || transport.hasEnough(peer) },
      connectionManager: { maxConnections: 256, inboundConnectionThreshold: 20 },
    });
    await transport.node.handle(
      exchangeLimits.protocol,
      (stream, connection) => {
        transport.accept(stream, connection);
      },
      { maxInboundStreams: 2, maxOutboundStreams: 2 },
    );
    return transport;
  }

  public addresses(): readonly string[] {
    return this.node.getMultiaddrs().map((address) => address.toString().replace(/\/p2p\/.*$/, ''));
  }

  public serve(answer: Answer): void {
    this.answer = answer;
  }

  public allow(centres: readonly MemberDocument[]): void {
    this.centres.clear();
    this.memberOfPeer.clear();
    for (const centre of centres) {
      if (centre.peerId === undefined || centre.id === this.ownMember) continue;
      this.centres.set(centre.id, centre);
      this.memberOfPeer.set(centre.peerId, centre.id);
    }
    for (const connection of this.node.getConnections()) {
      if (!this.memberOfPeer.has(connection.remotePeer.toString())) void connection.close().catch(() => undefined);
    }
  }

  public async request(centre: string, method: ExchangeMethod, body: Uint8Array): Promise<Uint8Array> {
    const session = await this.session(centre);
    return await session.request(method, body).catch((error: unknown) => {
      const lost = error instanceof ProtocolError && error.code === 'EXCHANGE_FAILED' && error.details['reason'] !== 'timeout';
      throw lost ? new ProtocolError('PUBLISHER_UNAVAILABLE', { centre, ...error.details }) : error;
    });
  }

  public async close(): Promise<void> {
    await Promise.all([...this.sessions.values()].map(async (session) => {
      await session.close();
    }));
    await this.node.stop();
  }

  private async session(centre: string): Promise<ExchangeSession> {
    const open = this.sessions.get(centre);
    if (open?.open === true) return open;
    let dial = this.dialling.get(centre);
    if (dial === undefined) {
      dial = this.dial(centre).finally(() => this.dialling.delete(centre));
      this.dialling.set(centre, dial);
    }
    return await dial;
  }

  private async dial(centre: string): Promise<ExchangeSession> {
    const document = this.centres.get(centre);
    if (document?.peerId === undefined) throw new ProtocolError('PEER_UNKNOWN', { centre });
    try {
      const signal = AbortSignal.timeout(exchangeLimits.dialMilliseconds);
      return this.keep(centre, await this.openStream(document.addresses, document.peerId, signal));
    } catch {
      throw new ProtocolError('PUBLISHER_UNAVAILABLE', { centre });
    }
  }

  private async openStream(addresses: readonly string[], peerId: string, signal: AbortSignal): Promise<Stream> {
    const [known] = this.node.getConnections(peerIdFromString(peerId));
    // One that the other side is just closing gives no stream any more: it is dialled again then.
    const stream = await known?.newStream(exchangeLimits.protocol, { signal }).catch(() => undefined);
    if (stream !== undefined) return stream;
    const connection = await this.node.dial(addresses.map((address) => multiaddr(`${address}/p2p/${peerId}`)), { signal });
    return await connection.newStream(exchangeLimits.protocol, { signal });
  }

  private hasEnough(peer: PeerId): boolean {
    return this.node.getConnections(peer).length >= exchangeLimits.connectionsOfPeer;
  }

  private accept(stream: Stream, connection: Connection): void {
    const member = this.memberOfPeer.get(connection.remotePeer.toString());
    if (member === undefined) stream.abort(new Error('unknown peer'));
    else this.keep(member, stream);
  }

  private keep(member: string, stream: Stream): ExchangeSession {
    tellWindowByHalves(stream);
    const session: ExchangeSession = new ExchangeSession(
      stream,
      async (method, body) => await this.answer(member, method, body),
      () => {
        if (this.sessions.get(member) === session) this.sessions.delete(member);
      },
    );
    // Of two streams dialled at the same moment both work; the newer one serves further requests.
    this.sessions.set(member, session);
    return session;
  }
}
