import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, get as httpGet, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import { fileURLToPath } from 'node:url';

/** Files in PEM. */
export interface ServerCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly ca: string;
}

/** What a delivery is compared with: the same number of bytes from a plain HTTPS server in a process of its own, connections kept. */
export class PlainServer {
  private readonly agent: Agent;

  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
    private readonly certificate: string,
    ca: Buffer,
  ) {
    this.agent = new Agent({ keepAlive: true, ca });
  }

  public static async start({ ca, certificate, key }: ServerCertificate, bytes: number): Promise<PlainServer> {
    const child = fork(fileURLToPath(new URL('./https-process.js', import.meta.url)), [certificate, key, String(bytes)]);
    const [port] = (await once(child, 'message')) as [number];
    return new PlainServer(child, port, ca, readFileSync(ca));
  }

  public async fetch(): Promise<number> {
    return await received((take) => get({ host: '127.0.0.1', port: this.port, agent: this.agent }, take));
  }

  /** A process that fetches from here what it is asked for. */
  public async relay(): Promise<PlainRelay> {
    return await PlainRelay.start(this.certificate, this.port);
  }

  public async stop(): Promise<void> {
    this.agent.destroy();
    const end = once(this.child, 'exit');
    this.child.disconnect();
    await end;
  }
}

/** The same bytes over two hops: HTTP to a relay, HTTPS from there to the server. */
export class PlainRelay {
  private readonly agent = new HttpAgent({ keepAlive: true });

  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {}

  public static async start(ca: string, target: number): Promise<PlainRelay> {
    const child = fork(fileURLToPath(new URL('./relay-process.js', import.meta.url)), [ca, String(target)]);
    const [port] = (await once(child, 'message')) as [number];
    return new PlainRelay(child, port);
  }

  public async fetch(): Promise<number> {
    return await received((take) => httpGet({ host: '127.0.0.1', port: this.port, agent: this.agent }, take));
  }

  public async stop(): Promise<void> {
    this.agent.destroy();
    const end = once(this.child, 'exit');
    this.child.disconnect();
    await end;
  }
}

async function received(ask: (take: (response: IncomingMessage) => void) => ClientRequest): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    ask((response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.once('end', () => { resolve(bytes); });
      response.once('error', reject);
    }).once('error', reject);
  });
}
