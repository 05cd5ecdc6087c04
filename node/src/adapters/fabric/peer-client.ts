import * as grpc from '@grpc/grpc-js';

/** Where a peer is reached. */
export interface PeerEndpoint {
  /** host:port */
  readonly address: string;
  /** PEM; absent on a loopback connection without TLS. */
  readonly tlsCaCert?: Buffer;
}

/** gRPC's own default of 4 MiB stops at the first big block. */
const messageBytes = 110 * 1024 * 1024;

/** A client that connects when it is first used and finds its peer again by itself, however long it was away. */
export function makePeerClient({ address, tlsCaCert }: PeerEndpoint): grpc.Client {
  const credentials = tlsCaCert === undefined ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(tlsCaCert);
  return new grpc.Client(address, credentials, {
    'grpc.max_receive_message_length': messageBytes,
    'grpc.max_send_message_length': messageBytes,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 5000,
  });
}

/** Nothing answers at that address (or the peer is shutting down). */
function isUnreachable(error: unknown): boolean {
  return (error as { code?: number }).code === grpc.status.UNAVAILABLE;
}

/** One of several, moved on when the present one does not answer. */
export class PeerRing<T> {
  private at = 0;

  public constructor(private readonly peers: readonly [T, ...T[]]) {}

  public get current(): T {
    return this.peers[this.at % this.peers.length] ?? this.peers[0];
  }

  /** Leaves a peer that failed; a failure of one that was left already moves nothing. */
  public leave(peer: T): void {
    if (this.current === peer) this.at += 1;
  }

  /** Runs an operation on the present peer, and on each other one while they cannot be reached. */
  public async run<R>(operation: (peer: T) => Promise<R>): Promise<R> {
    for (let tries = 1; ; tries += 1) {
      const peer = this.current;
      try {
        return await operation(peer);
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        this.leave(peer);
        if (tries === this.peers.length) throw error;
      }
    }
  }
}
