import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { canonicalBytes, parseCanonicalObject, proposalId, type LedgerFunction } from '@huilian/protocol';
import { generateMemberKeys, MemberClient, publicKeysOf, verifyWebhook, type ConsortiumEvent, type MemberKeys } from '@huilian/sdk';
import { GatewayLedger } from '../src/adapters/fabric/gateway-ledger.js';
import type { StreamLimits } from '../src/adapters/http/event-streams.js';
import { startHttp } from '../src/adapters/http/start-http.js';
import { freePorts } from '../src/composition/local/free-ports.js';
import { startNode, type RunningNode } from '../src/composition/start-node.js';
import type { NodeConfig } from '../src/config/config.js';
import type { Logger } from '../src/observability/logger.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { publishLines } from './sample-lines.js';

export const operatorToken = 'an-invented-token-of-the-operator';

/** Webhooks as a test wants them: quick, and to this machine only. */
const quickWebhooks: NodeConfig['webhooks'] = {
  allowPrivate: ['127.0.0.0/8'],
  allowHttp: true,
  timeoutMilliseconds: 2000,
  firstRetryMilliseconds: 20,
  mostRetryMilliseconds: 200,
  pauseAfterSeconds: 3600,
  mostPerSubscriber: 5,
  mostInAll: 8,
};

export interface Door {
  readonly node: RunningNode;
  readonly url: string;
  readonly logged: readonly string[];
  close(): Promise<void>;
}

/** An invented consortium on a real ledger, with two platforms that the centre `river` hosts. */
export class EventWorld {
  private constructor(
    public readonly consortium: Consortium,
    private readonly platforms: ReadonlyMap<string, MemberKeys>,
    private readonly port: number,
  ) {}

  public static async start(folder: string): Promise<EventWorld> {
    const consortium = await startConsortium(folder, ['qualification']);
    const [port = 0] = await freePorts(1);
    const world = new EventWorld(consortium, new Map(await Promise.all(['east-platform', 'west-platform'].map(async (id) => [id, await generateMemberKeys(id)] as const))), port);
    for (const keys of world.platforms.values()) await world.vote('admit', { member: memberDocument(keys) });
    return world;
  }

  /** Proposed by one centre, approved by the other. */
  public async vote(action: 'admit' | 'suspend', content: object, round = 1): Promise<void> {
    const proposal = { action, content, round } as const;
    await this.submit('river', 'propose', proposal);
    await this.submit('hill', 'approve', { proposal: proposalId(parseCanonicalObject(canonicalBytes(proposal)) as never) });
  }

  public async suspend(member: string): Promise<void> {
    await this.vote('suspend', { member });
  }

  public get config(): NodeConfig {
    return {
      memberId: 'river',
      http: { host: '127.0.0.1', port: this.port, publicUrl: `http://127.0.0.1:${String(this.port)}`, allowedOrigins: [], trustedProxies: [], callsPerMinute: 60_000, signaturesPerMinute: 600 },
      catalogue: { warnDays: 30 },
      accounts: { idleMinutes: 30, sessionHours: 12 },
      deadLetters: { most: 1000 },
      sources: {},
      backups: { everyHours: 0, keep: 1 },
      exchange: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      ledger: { client: 'gateway', connection: this.consortium.connectionFile('river'), chaincode: 'huilian' },
      outbox: { maxHeaders: 100, maxWaitMilliseconds: 10, inFlight: 4 },
      intake: { threads: 0 },
      webhooks: quickWebhooks,
      log: { level: 'error' },
      diskFloorBytes: 0,
    };
  }

  /** The node of `river` in this process, with its real door. */
  public async open(webhooks: Partial<NodeConfig['webhooks']> = {}, streams: Partial<StreamLimits> = {}, more: Partial<NodeConfig> = {}): Promise<Door> {
    const config = { ...this.config, ...more };
    const logged: string[] = [];
    const node = await startNode(this.consortium.stateDir('river'), { ...config, webhooks: { ...config.webhooks, ...webhooks } }, loggerInto(logged), (error) => { throw error; });
    await node.services.readModel.whenHeight(Number(this.consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
    const door = await startHttp(node.services, { host: config.http.host, port: config.http.port, publicUrl: config.http.publicUrl, metricsToken: 'an-invented-token-of-the-monitoring', operatorToken, streams });
    return {
      node,
      url: config.http.publicUrl,
      logged,
      close: async () => {
        await door.close();
        await node.close();
      },
    };
  }

  public async client(platform: 'east-platform' | 'west-platform'): Promise<MemberClient> {
    return await MemberClient.connect(this.config.http.publicUrl, this.keysOf(platform));
  }

  public keysOf(platform: 'east-platform' | 'west-platform'): MemberKeys {
    return this.platforms.get(platform) as MemberKeys;
  }

  private async submit(centre: 'hill' | 'river', name: LedgerFunction, argument: unknown): Promise<void> {
    const ledger = await GatewayLedger.open(this.consortium.connectionFile(centre), 'huilian');
    try {
      await (await ledger.submit(name, canonicalBytes(argument))).committed();
    } finally {
      await ledger.close();
    }
  }
}

/** A member that `river` hosts. */
export function memberDocument(keys: MemberKeys, kind: 'institution' | 'platform' = 'platform'): object {
  return {
    addresses: [],
    contact: 'https://platform.example.invalid',
    ...publicKeysOf(keys),
    host: 'river',
    id: keys.memberId,
    kind,
    name: { en: `${keys.memberId} (invented)`, zh: '虚构交易平台' },
    organisation: 'RiverMSP',
    region: '440100',
  };
}

function loggerInto(lines: string[]): Logger {
  const write = (message: string, fields: object = {}): void => { lines.push(`${message} ${JSON.stringify(fields)}`); };
  return { error: write, warn: write, info: write, debug: write };
}

/** Publishes invented qualifications by a platform's client. */
export async function publish(client: MemberClient, from: number, to: number): Promise<void> {
  let accepted = 0;
  for await (const answer of client.publish(publishLines(from, to) as never)) if ('recordId' in answer) accepted += 1;
  if (accepted !== to - from) throw new Error(`${String(accepted)} of ${String(to - from)} were accepted`);
}

type Answer = (response: ServerResponse, call: number) => void;

/** A receiver of webhooks, with the calls as they came. */
export interface Receiver {
  readonly url: string;
  readonly calls: { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: string }[];
  /** Events of calls that were answered with 2xx, by an address's path, once a secret is known. */
  events(path: string, secret: string): ConsortiumEvent[];
  answer(path: string, answer: Answer): void;
  /** Resolves once the calls so far satisfy a condition. */
  when(condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const calls: { path: string; headers: IncomingHttpHeaders; body: string; taken: boolean }[] = [];
  const answers = new Map<string, Answer>();
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      const call = { path, headers: request.headers, body: Buffer.concat(chunks).toString('utf8'), taken: false };
      calls.push(call);
      response.once('finish', () => {
        call.taken = response.statusCode >= 200 && response.statusCode < 300;
        for (const look of [...waiting]) look();
      });
      (answers.get(path) ?? ((one): void => { one.end(); }))(response, calls.filter((one) => one.path === path).length);
      for (const look of [...waiting]) look();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    calls,
    events: (path, secret) => calls.filter((call) => call.path === path && call.taken).flatMap(({ body, headers }) => verifyWebhook(secret, headers, body)),
    answer: (path, answer) => { answers.set(path, answer); },
    when: async (condition) => {
      if (condition()) return;
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => { reject(new Error(`the receiver waited in vain after ${String(calls.length)} calls`)); }, 20_000);
        const look = (): void => {
          if (!condition()) return;
          clearTimeout(timer);
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Takes so many events of a subscription. */
export async function take(events: AsyncGenerator<ConsortiumEvent>, count: number): Promise<ConsortiumEvent[]> {
  const taken: ConsortiumEvent[] = [];
  while (taken.length < count) {
    const next = await events.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

/** The whole feed of a node, page by page. */
export async function wholeFeed(client: MemberClient, limit = 37): Promise<ConsortiumEvent[]> {
  const all: ConsortiumEvent[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await client.events({}, cursor, limit);
    all.push(...page.items);
    if (page.complete) return all;
    cursor = page.cursor;
  }
}
