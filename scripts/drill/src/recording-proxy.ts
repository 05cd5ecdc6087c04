import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { Transform, type TransformCallback } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { AnswerReader } from './acknowledged.js';

/** Stands between a client and a node: hands rows on at a pace, and keeps what was acknowledged to the client. */
export class RecordingProxy {
  private constructor(
    private readonly server: Server,
    public readonly url: string,
  ) {}

  public static async start(node: string, rowsPerStep: number, onAcknowledged: (ids: readonly string[]) => void): Promise<RecordingProxy> {
    const server = createServer((incoming, answer) => { relay(node, incoming, answer, rowsPerStep, onAcknowledged); });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new RecordingProxy(server, `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  }

  public async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const stepMilliseconds = 12;

/** Lets a few lines through at a time. */
class Pace extends Transform {
  /** A letter of several bytes may come in two pieces. */
  private readonly letters = new StringDecoder('utf8');
  private rest = '';
  private passed = 0;

  public constructor(private readonly lines: number) {
    super();
  }

  public override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const lines = (this.rest + this.letters.write(chunk)).split('\n');
    this.rest = lines.pop() ?? '';
    void this.handOn(lines).then(() => { done(); });
  }

  public override _flush(done: TransformCallback): void {
    done(null, this.rest + this.letters.end());
  }

  private async handOn(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      this.push(`${line}\n`);
      this.passed += 1;
      if (this.passed % this.lines === 0) await delay(stepMilliseconds);
    }
  }
}

function relay(node: string, incoming: IncomingMessage, answer: ServerResponse, rowsPerStep: number, onAcknowledged: (ids: readonly string[]) => void): void {
  const reader = new AnswerReader(onAcknowledged);
  const upstream = request(`${node}${incoming.url ?? ''}`, { method: incoming.method, headers: { ...incoming.headers, host: new URL(node).host } });
  const broken = (): void => { answer.destroy(); upstream.destroy(); };
  upstream.on('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, { ...response.headers, connection: 'close' });
    answer.flushHeaders();
    response.on('data', (chunk: Buffer) => {
      reader.take(chunk.toString('utf8'));
      answer.write(chunk);
    });
    response.on('end', () => answer.end());
    response.on('error', broken);
    response.on('aborted', broken);
  });
  upstream.on('error', broken);
  answer.on('error', broken);
  incoming.on('error', broken);
  answer.on('close', () => { upstream.destroy(); });
  incoming.pipe(new Pace(rowsPerStep)).pipe(upstream);
}
