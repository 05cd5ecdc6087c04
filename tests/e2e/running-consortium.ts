import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError, toHex, type Grant, type GrantEnvelope } from '@huilian/protocol';
import { es256Signer, MemberClient, memoryPin, OwnerWallet, referenceOf, type Consortium, type MemberKeys } from '@huilian/sdk';
import { Wallet } from 'ethers';
import { expect } from 'vitest';
import { GatewayLedger } from '../../node/src/adapters/fabric/gateway-ledger.js';
import { NodeApi } from '../../node/src/adapters/cli/node-api.js';
import type { BlockTransaction } from '../../node/src/core/ports.js';
import { centreIds, huilian, readJson, root, saidByCommands, stateFolder } from './main-job.js';
import { endProcess, ledgerArguments, startProcess } from './open-state.js';
import { HeardAnswers } from './privacy/heard-answers.js';
import { PersonalScan, type Planted } from './privacy/personal-scan.js';
import { plantedValues } from './privacy/planted-values.js';
import { scanDoors, scanState } from './privacy/scan-state.js';
import { walkedThrough } from './walked-through.js';

export type Centre = (typeof centreIds)[number];

/** What a node answers, whatever it is. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

interface NodeStatus {
  readonly height: number;
  readonly outbox: { readonly pending: number; readonly inFlight: number };
}

const levelMilliseconds = 60_000;
const sampleBidders = readJson<{ main: { uscc: string }; others: { uscc: string }[] }>(path.join(root, 'network-config', 'local', 'data', 'bidders.json'));

/** What the consortium's ledger runs on, and how it is started again on the state folder. */
export interface LedgerHost {
  /** Options of `huilian local up`. */
  readonly options: readonly string[];
  start(dir: string): Promise<void>;
  stop(): Promise<void>;
}

/** The local consortium as the walk-through left it: its ledger and its nodes run again as processes, and their doors are open. */
export class RunningConsortium {
  public readonly owner = `org:${sampleBidders.main.uscc}`;
  /** A registered owner that owns none of the first one's records. */
  public readonly stranger = `org:${sampleBidders.others[0]?.uscc ?? ''}`;
  private readonly state = stateFolder();
  private readonly running = new Map<string, ChildProcess>();
  private readonly tokens = new Map<string, string>();
  private readonly heard = new HeardAnswers();

  /** Without a host the ledger is the embedded one, a process like the nodes. */
  public constructor(private readonly host?: LedgerHost) {}

  public get dir(): string {
    return this.state.dir;
  }

  public async start(): Promise<void> {
    if (this.host === undefined) {
      await walkedThrough(this.dir);
      await this.startLedger();
    } else {
      const run = await huilian(['local', 'up', '--once', ...this.host.options, '--state', this.dir]);
      expect(run.code, run.stderr).toBe(0);
      await this.host.start(this.dir);
    }
    this.heard.listen();
    for (const id of centreIds) this.configure(id);
    await Promise.all(centreIds.map(async (id) => { await this.startNode(id); }));
    await this.whenLevel();
  }

  /** Ends all, and looks for personal data in everything that was written: any hit fails the file. */
  public async stop(): Promise<void> {
    const scan = await this.scan();
    this.state.remove();
    expect(scan.hits, 'personal data where none may be').toEqual([]);
  }

  /** Ends all, and looks for the planted values in what the consortium and its commands wrote. */
  public async scan(more: readonly Planted[] = []): Promise<PersonalScan> {
    const scan = new PersonalScan([...plantedValues(), ...more]);
    try {
      if (this.running.size === centreIds.length + (this.host === undefined ? 1 : 0)) await scanDoors(scan, this);
    } finally {
      for (const name of [...this.running.keys()].reverse()) await this.end(name);
      await this.host?.stop();
    }
    await scanState(scan, this.dir, this.host === undefined);
    for (const text of this.heard.stop()) scan.text('answers', text);
    for (const text of saidByCommands) scan.text('commands', text);
    return scan;
  }

  private log(name: string): string {
    return path.join(this.dir, 'logs', `${name}.log`);
  }

  /** The process of a node, to be waited for or killed. */
  public processOf(name: string): ChildProcess {
    const child = this.running.get(name);
    if (child === undefined) throw new Error(`${name} does not run`);
    return child;
  }

  /** Targets of webhooks in tests are on this machine and have no certificate; a node's backups have a place. */
  private configure(centre: Centre): void {
    const file = path.join(this.dir, 'nodes', centre, 'huilian.json');
    const backups = path.join(this.dir, 'backups', centre);
    mkdirSync(backups, { recursive: true });
    const config = JSON.parse(readFileSync(file, 'utf8')) as object;
    const folder = path.join(this.dir, 'sources', centre);
    mkdirSync(folder, { recursive: true });
    const sources = { 'sample-file': { type: 'file', path: path.join(folder, 'qualification.csv') }, 'sample-folder': { type: 'folder', path: folder, lookSeconds: 3600 } };
    writeFileSync(file, JSON.stringify({ ...config, sources, backups: { folder: backups, everyHours: 0, keep: 2 }, webhooks: { allowPrivate: ['127.0.0.0/8'], allowHttp: true } }));
  }

  public async startNode(centre: Centre): Promise<void> {
    this.running.set(centre, await startProcess(['start', '--state', path.join(this.dir, 'nodes', centre)], this.log(centre)));
    this.tokens.clear();
  }

  /** The embedded ledger. */
  public async startLedger(): Promise<void> {
    this.running.set('ledger', await startProcess(ledgerArguments(this.dir), this.log('ledger')));
  }

  public async end(name: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.running.get(name);
    this.running.delete(name);
    if (child !== undefined) await endProcess(child, signal);
  }

  public api(centre: Centre): NodeApi {
    return NodeApi.open(path.join(this.dir, 'nodes', centre));
  }

  public keys(member: string): MemberKeys {
    return readJson<MemberKeys>(path.join(this.dir, 'members', member, 'member-keys.json'));
  }

  public hostOf(member: string): Centre {
    return member === 'sample-bank' ? 'beijing' : member === 'zhuhai-platform' ? 'zhuhai' : 'guangzhou';
  }

  public async client(member: string, keys: MemberKeys = this.keys(member)): Promise<MemberClient> {
    return await MemberClient.connect(this.api(this.hostOf(member)).url, keys, { patienceSeconds: 0 });
  }

  public async consortium(): Promise<Consortium> {
    return (await this.api('guangzhou').get('/v1/consortium')) as Consortium;
  }

  public ledgerOf(organisation: string): Promise<GatewayLedger> {
    return GatewayLedger.open(path.join(this.dir, 'ledger', 'connections', `${organisation}.json`), 'huilian');
  }

  /** Transactions of the blocks after a height, up to the height of now. */
  public async transactionsSince(height: number): Promise<readonly BlockTransaction[]> {
    const now = (await this.consortium()).height;
    const ledger = await this.ledgerOf('GuangzhouMSP');
    const stop = new AbortController();
    const transactions: BlockTransaction[] = [];
    try {
      if (now > height) {
        for await (const block of ledger.blocks(height + 1, stop.signal)) {
          transactions.push(...block.transactions);
          if (block.number >= now) break;
        }
      }
    } finally {
      stop.abort();
      await ledger.close();
    }
    return transactions;
  }

  /** Waits until all nodes have indexed the same block and nothing is on its way. */
  public async whenLevel(centres: readonly Centre[] = centreIds): Promise<void> {
    const deadline = performance.now() + levelMilliseconds;
    for (;;) {
      const states = await Promise.all(centres.map(async (id) => (await this.api(id).get('/v1/status')) as NodeStatus));
      const heights = new Set(states.map(({ height }) => height));
      if (heights.size === 1 && states.every(({ outbox }) => outbox.pending + outbox.inFlight === 0)) return;
      if (performance.now() > deadline) throw new Error(`the nodes are not level: ${JSON.stringify(states)}`);
      await delay(25);
    }
  }

  /** Sends as it is, without the SDK's care. `as` is a member, `operator`, `monitoring`, or nobody. */
  public async call(centre: Centre, method: 'DELETE' | 'GET' | 'POST' | 'PUT', route: string, body?: unknown, as?: string): Promise<Answer> {
    const token = as === undefined ? undefined : await this.tokenOf(as, centre);
    const raw = typeof body === 'string';
    const response = await fetch(`${this.api(centre).url}${route}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': raw ? 'application/x-ndjson' : 'application/json' }), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? {} : raw && response.ok ? { lines: text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown) } : (JSON.parse(text) as Record<string, unknown>) };
  }

  public operatorToken(centre: Centre): string {
    return this.ownToken(centre, 'operator-token');
  }

  /** Opens /metrics and nothing else. */
  public metricsToken(centre: Centre): string {
    return this.ownToken(centre, 'metrics-token');
  }

  private ownToken(centre: Centre, name: string): string {
    return readFileSync(path.join(this.dir, 'nodes', centre, name), 'utf8').trim();
  }

  /** Claims of a good assertion, to be spoilt by tests. */
  public assertionClaims(member: string): Record<string, unknown> {
    const now = Math.floor(Date.now() / 1000);
    return { aud: `${this.api(this.hostOf(member)).url}/v1/token`, exp: now + 60, iat: now, iss: member, jti: crypto.randomUUID(), sub: member };
  }

  public async assertion(member: string, claims: Record<string, unknown> = this.assertionClaims(member)): Promise<string> {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${part({ alg: 'ES256' })}.${part(claims)}`;
    const sign = await es256Signer(this.keys(member).signingKey);
    return `${input}.${Buffer.from(await sign(Buffer.from(input))).toString('base64url')}`;
  }

  public async exchange(centre: Centre, assertion: string): Promise<Answer> {
    return await this.call(centre, 'POST', '/v1/token', { client_assertion: assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', grant_type: 'client_credentials' });
  }

  public signer(owner: string): Wallet {
    return new Wallet(readFileSync(path.join(this.dir, 'owners', owner.slice(4), 'key.txt'), 'utf8').trim());
  }

  public wallet(owner: string): OwnerWallet {
    return this.walletOf(this.signer(owner));
  }

  public walletOf(signer: Wallet | ReturnType<typeof Wallet.createRandom>): OwnerWallet {
    return new OwnerWallet(signer, memoryPin());
  }

  /** Token of the operator of a node, of its monitoring, or of a member. */
  public async tokenOf(as: string, centre: Centre): Promise<string> {
    if (as === 'operator') return this.operatorToken(centre);
    return as === 'monitoring' ? this.metricsToken(centre) : await this.token(as);
  }

  /** A good grant of the first owner, but for what a test changes; signed by the wallet named. */
  public async grant(terms: Partial<Grant>, signedBy = terms.owner ?? this.owner): Promise<GrantEnvelope> {
    const now = Math.floor(Date.now() / 1000);
    const good: Grant = {
      claims: ['entity/contact', 'entity/identity'],
      expires: now + 3600,
      grantee: 'zhuhai-platform',
      maxUses: 5,
      nonce: `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`,
      notBefore: now - 60,
      owner: this.owner,
      purpose: 'registration',
      reference: referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'sample project'),
    };
    return await this.wallet(signedBy).signGrant((await this.consortium()).domain, { ...good, ...terms });
  }

  /** Ids of an owner's records of a kind, by publisher. */
  public async records(kind: string, publisher: Centre, owner = this.owner): Promise<string[]> {
    const { items } = (await this.api(publisher).get(`/v1/records?owner=${owner}&kind=${kind}&publisher=${publisher}&status=active`)) as { items: { recordId: string }[] };
    return items.map(({ recordId }) => recordId).sort();
  }

  private async token(member: string): Promise<string> {
    const known = this.tokens.get(member);
    if (known !== undefined) return known;
    const { body, status } = await this.exchange(this.hostOf(member), await this.assertion(member));
    expect(status, JSON.stringify(body)).toBe(200);
    const token = String(body['access_token']);
    this.tokens.set(member, token);
    return token;
  }
}

/** An error as every door answers it: the stable code, and words for a person in Chinese and in English. */
export function expectRefusal(answer: Answer, code: string, status?: number): void {
  expect(answer.body, JSON.stringify(answer.body)).toMatchObject({
    code,
    message: { en: expect.stringMatching(/^[ -~]+$/) as string, zh: expect.stringMatching(/[\u4e00-\u9fff]/) as string },
    next: { en: expect.stringMatching(/^[ -~]+$/) as string, zh: expect.stringMatching(/[\u4e00-\u9fff]/) as string },
  });
  if (status !== undefined) expect(answer.status).toBe(status);
}

/** Code of a refusal; undefined where the call was answered. */
export async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}
