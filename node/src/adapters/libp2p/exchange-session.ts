import type { Stream } from '@libp2p/interface';
import { canonicalBytes, concatBytes, errorBody, fromUtf8, isErrorCode, parseCanonicalObject, ProtocolError, utf8, type ErrorDetails } from '@huilian/protocol';
import type { ExchangeMethod } from '../../core/ports.js';
import { FrameGatherer, framesOf, readFrame, type Frame } from './exchange-frame.js';
import { exchangeLimits } from './exchange-limits.js';

export type AnswerRequest = (method: ExchangeMethod, body: Uint8Array) => Promise<Uint8Array>;

interface Waiting {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: ProtocolError) => void;
}

const methods: readonly ExchangeMethod[] = ['offer', 'release', 'receipt', 'public-record', 'refusals', 'health', 'joins'];

/** One long-lived stream between two nodes; both ask and answer on it, many requests at a time. */
export class ExchangeSession {
  private readonly gathering = new FrameGatherer();
  private readonly waiting = new Map<number, Waiting>();
  private readonly assembling = new Map<string, { pieces: Uint8Array[]; bytes: number }>();
  private writing: Promise<void> | undefined;
  private nextId = 1;
  private answering = 0;
  /** Bytes of messages that are not whole yet, and of requests that are not answered. */
  private held = 0;
  private ended = false;

  public constructor(
    private readonly raw: Stream,
    private readonly answer: AnswerRequest,
    onEnd: () => void,
  ) {
    raw.addEventListener('message', ({ data }) => {
      this.read(data.subarray());
    });
    const end = (): void => {
      this.end();
      onEnd();
    };
    // The other side says no more, or the stream is gone: whoever waits is told.
    raw.addEventListener('remoteCloseWrite', end, { once: true });
    raw.addEventListener('close', end, { once: true });
  }

  public get open(): boolean {
    return !this.ended;
  }

  /** @throws EXCHANGE_FAILED, or the ProtocolError the other side answered with */
  public async request(method: ExchangeMethod, body: Uint8Array): Promise<Uint8Array> {
    if (this.ended) throw new ProtocolError('EXCHANGE_FAILED', { reason: 'closed' });
    if (this.waiting.size >= exchangeLimits.outboundRequests) throw new ProtocolError('RATE_LIMITED', { reason: 'exchange' });
    const id = this.nextId;
    this.nextId = (this.nextId % 0xffff_fffe) + 1;
    const answered = new Promise<Uint8Array>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    const timer = setTimeout(() => {
      this.settle(id, new ProtocolError('EXCHANGE_FAILED', { reason: 'timeout' }));
    }, exchangeLimits.requestMilliseconds);
    try {
      // The answer may fail while the request is still being written; it is awaited either way.
      answered.catch(() => undefined);
      await this.write(framesOf('request', id, utf8(`${method}\u0000`), body));
      return await answered;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
      for (const type of ['answer', 'error']) this.forget(`${type}/${String(id)}`);
    }
  }

  public async close(): Promise<void> {
    await this.raw.close().catch(() => {
      this.raw.abort(new Error('closed'));
    });
    this.end();
  }

  private end(): void {
    this.ended = true;
    for (const id of [...this.waiting.keys()]) this.settle(id, new ProtocolError('EXCHANGE_FAILED', { reason: 'connection-lost' }));
  }

  private settle(id: number, outcome: Uint8Array | ProtocolError): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (outcome instanceof ProtocolError) waiting?.reject(outcome);
    else waiting?.resolve(outcome);
  }

  /** Frames of one message stay together in order; messages of different requests may interleave. */
  private async write(frames: readonly Uint8Array[]): Promise<void> {
    for (const frame of frames) {
      try {
        // Most of the time there is room, and nobody writes: no turn to wait for.
        if (this.writing === undefined && this.raw.send(frame)) continue;
      } catch {
        throw new ProtocolError('EXCHANGE_FAILED', { reason: 'connection-lost' });
      }
      await this.writeInTurn(this.writing === undefined ? undefined : frame);
    }
  }

  /** Behind what others write; without a frame, until there is room again. */
  private async writeInTurn(frame: Uint8Array | undefined): Promise<void> {
    const turn = (this.writing ?? Promise.resolve()).then(async () => {
      if (frame === undefined || !this.raw.send(frame)) await this.raw.onDrain();
    });
    const settled = turn.catch(() => undefined).then(() => {
      if (this.writing === settled) this.writing = undefined;
    });
    this.writing = settled;
    await turn.catch(() => {
      throw new ProtocolError('EXCHANGE_FAILED', { reason: 'connection-lost' });
    });
  }

  private read(bytes: Uint8Array): void {
    try {
      for (const piece of this.gathering.take(bytes)) {
        const frame = readFrame(piece);
        if (frame === undefined || !this.take(frame)) throw new TypeError('malformed frame');
      }
    } catch {
      // Not our protocol, or beyond its limits: the stream is of no use any more.
      this.raw.abort(new Error('malformed frame'));
    }
  }

  private take(frame: Frame): boolean {
    // Nobody waits for it: it came too late, or nobody ever asked.
    if (frame.type !== 'request' && !this.waiting.has(frame.id)) return true;
    const key = `${frame.type}/${String(frame.id)}`;
    const message = this.assembling.get(key) ?? { pieces: [], bytes: 0 };
    message.pieces.push(frame.piece);
    message.bytes += frame.piece.length;
    this.held += frame.piece.length;
    if (message.bytes > exchangeLimits.messageBytes || this.held > exchangeLimits.heldBytes || this.assembling.size > exchangeLimits.inboundRequests + exchangeLimits.outboundRequests) return false;
    if (!frame.last) {
      this.assembling.set(key, message);
      return true;
    }
    this.assembling.delete(key);
    this.complete(frame, message.pieces.length === 1 ? frame.piece : concatBytes(...message.pieces));
    return true;
  }

  /** What came of a message of which nobody wants the rest. */
  private forget(key: string): void {
    this.held -= this.assembling.get(key)?.bytes ?? 0;
    this.assembling.delete(key);
  }

  private complete({ id, type }: Frame, message: Uint8Array): void {
    if (type === 'request') {
      void this.respond(id, message).finally(() => { this.held -= message.length; });
      return;
    }
    this.held -= message.length;
    this.settle(id, type === 'answer' ? message : readError(message));
  }

  private async respond(id: number, message: Uint8Array): Promise<void> {
    this.answering += 1;
    try {
      await this.write(framesOf('answer', id, await this.answerMessage(message)));
    } catch (error) {
      const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL');
      const { code, details } = errorBody(known);
      await this.write(framesOf('error', id, canonicalBytes({ code, details }))).catch(() => undefined);
    } finally {
      this.answering -= 1;
    }
  }

  private async answerMessage(message: Uint8Array): Promise<Uint8Array> {
    if (this.answering > exchangeLimits.inboundRequests) throw new ProtocolError('RATE_LIMITED', { reason: 'exchange' });
    const end = message.indexOf(0);
    const name = end < 0 || end > 40 ? '' : fromUtf8(message.subarray(0, end));
    const method = methods.find((known) => known === name);
    if (method === undefined) throw new ProtocolError('BAD_FIELD', { path: 'method', reason: 'unknown' });
    return await this.answer(method, message.subarray(end + 1));
  }
}

function readError(message: Uint8Array): ProtocolError {
  try {
    const { code, details } = parseCanonicalObject(message);
    if (typeof code === 'string' && isErrorCode(code)) return new ProtocolError(code, details as ErrorDetails);
  } catch {
    // Falls through: an error that cannot be read is still an error.
  }
  return new ProtocolError('EXCHANGE_FAILED', { reason: 'unreadable-error' });
}
