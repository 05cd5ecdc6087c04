import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';

/** Where in a call something happens: before the peer hears of it, or once the peer has answered it. */
export type Moment = 'asked' | 'answered';

/** What becomes of the call then: it goes on as if nothing had been, or the caller hears nothing. */
export type Fate = 'go on' | 'cut';

interface Ambush {
  readonly path: string;
  readonly moment: Moment;
  readonly act: () => Promise<Fate>;
  readonly done: () => void;
}

export interface ProxyTarget {
  /** host:port of the peer. */
  readonly address: string;
  /** PEM files: what proves the peer, and a certificate of the same authority for the proxy itself. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** One message of a stream in, those that the caller gets instead out. */
export type Rewrite = (message: Buffer) => readonly Buffer[];

const hopHeaders: ReadonlySet<string> = new Set([':status', 'connection', 'transfer-encoding']);

/**
 * Stands between a node and its peer and understands as much of gRPC as it takes to know which call is which: calls can be
 * held, cut before or after the peer's answer, and the messages of a stream be dropped, doubled or changed.
 */
export class GatewayProxy {
  private readonly ambushes: Ambush[] = [];
  private readonly sessions = new Set<http2.ServerHttp2Session>();
  private rewriting: { readonly path: string; readonly rewrite: Rewrite } | undefined;
  private upstream: http2.ClientHttp2Session | undefined;

  private constructor(
    private readonly server: http2.Http2SecureServer,
    private readonly target: ProxyTarget,
  ) {}

  public static async start(target: ProxyTarget): Promise<GatewayProxy> {
    const server = http2.createSecureServer({ cert: readFileSync(target.certificate), key: readFileSync(target.key) });
    const proxy = new GatewayProxy(server, target);
    server.on('session', (session) => {
      proxy.sessions.add(session);
      session.once('close', () => proxy.sessions.delete(session));
      session.on('error', () => undefined);
    });
    server.on('stream', (stream, headers) => {
      void proxy.forward(stream, headers);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** host:port to name in a connection file. */
  public get address(): string {
    return `127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  /** Lies in wait for the next call of a method; resolves when it came and `act` has run. */
  public async next(method: string, moment: Moment, act: () => Promise<Fate> | Fate): Promise<void> {
    await new Promise<void>((done) => {
      this.ambushes.push({ act: async () => await act(), done, moment, path: `/gateway.Gateway/${method}` });
    });
  }

  /** Rewrites what the peer delivers as blocks; nothing takes that back. Streams that are open begin anew. */
  public rewriteBlocks(rewrite: Rewrite | undefined): void {
    this.rewriting = rewrite === undefined ? undefined : { path: '/protos.Deliver/Deliver', rewrite };
    this.cutAll();
  }

  /** Breaks every connection, as a network does; new ones are let through. */
  public cutAll(): void {
    for (const session of this.sessions) session.destroy();
  }

  public async close(): Promise<void> {
    this.cutAll();
    this.upstream?.destroy();
    await new Promise<void>((resolve) => this.server.close(() => { resolve(); }));
  }

  private session(): http2.ClientHttp2Session {
    if (this.upstream !== undefined && !this.upstream.closed && !this.upstream.destroyed) return this.upstream;
    const session = http2.connect(`https://${this.target.address}`, { ca: readFileSync(this.target.ca), servername: 'localhost', checkServerIdentity: () => undefined });
    session.on('error', () => undefined);
    this.upstream = session;
    return session;
  }

  private async ambush(path: string, moment: Moment): Promise<Fate> {
    const at = this.ambushes.findIndex((each) => each.path === path && each.moment === moment);
    const [found] = at < 0 ? [] : this.ambushes.splice(at, 1);
    if (found === undefined) return 'go on';
    const fate = await found.act();
    found.done();
    return fate;
  }

  private async forward(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => undefined);
    const path = headers[':path'] ?? '';
    // What arrives meanwhile waits in the stream.
    if ((await this.ambush(path, 'asked')) === 'cut') {
      stream.close(http2.constants.NGHTTP2_CANCEL);
      return;
    }
    const { ':authority': _authority, ...kept } = headers;
    const call = this.session().request({ ...kept, ':authority': this.target.address });
    call.on('error', () => { stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR); });
    stream.once('close', () => { call.close(http2.constants.NGHTTP2_CANCEL); });
    stream.pipe(call);
    this.answer(path, stream, call);
  }

  private answer(path: string, stream: http2.ServerHttp2Stream, call: http2.ClientHttp2Stream): void {
    let trailers: http2.IncomingHttpHeaders = {};
    const streaming = path.startsWith('/protos.Deliver');
    const split = new GrpcMessages();
    const held: Buffer[] = [];
    let [answered, whole] = [false, false];
    call.on('response', (head, flags) => {
      answered = true;
      if (stream.destroyed) return;
      const ended = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const shown = Object.fromEntries(Object.entries(head).filter(([name]) => !hopHeaders.has(name)));
      stream.respond({ ':status': head[':status'] ?? 200, ...shown }, { endStream: ended, waitForTrailers: !ended });
    });
    stream.on('wantTrailers', () => { stream.sendTrailers(trailers); });
    call.on('trailers', (found) => { trailers = found as http2.IncomingHttpHeaders; });
    call.on('data', (data: Buffer) => {
      // A short answer is held until it is whole: only then is it clear that the peer has answered.
      if (!streaming) held.push(data);
      else for (const message of split.take(data).flatMap((each) => this.rewritten(path, each))) if (!stream.destroyed) stream.write(message);
    });
    // A peer that died ends its streams without a word.
    call.once('close', () => {
      if (!whole) stream.close(http2.constants.NGHTTP2_CANCEL);
    });
    call.on('end', () => {
      whole = call.rstCode === http2.constants.NGHTTP2_NO_ERROR && answered;
      if (!whole) return;
      void this.ambush(path, 'answered').then((fate) => {
        if (stream.destroyed) return;
        if (fate === 'cut') stream.close(http2.constants.NGHTTP2_CANCEL);
        else stream.end(Buffer.concat(held));
      });
    });
  }

  private rewritten(path: string, message: Buffer): readonly Buffer[] {
    if (this.rewriting?.path !== path) return [frame(message)];
    return this.rewriting.rewrite(message).map(frame);
  }
}

function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Length-prefixed messages out of a byte stream. */
class GrpcMessages {
  private rest = Buffer.alloc(0);

  public take(data: Buffer): Buffer[] {
    this.rest = Buffer.concat([this.rest, data]);
    const messages: Buffer[] = [];
    while (this.rest.length >= 5 && this.rest.length >= 5 + this.rest.readUInt32BE(1)) {
      const end = 5 + this.rest.readUInt32BE(1);
      messages.push(this.rest.subarray(5, end));
      this.rest = this.rest.subarray(end);
    }
    return messages;
  }
}
