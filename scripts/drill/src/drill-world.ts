import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MemberClient, memoryPin, OwnerWallet, type MemberKeys } from '@huilian/sdk';
import { Wallet } from 'ethers';
import { VictimProcess, type ProcessOptions } from './victim-process.js';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const centres = ['guangzhou', 'zhuhai', 'beijing'] as const;
export type Centre = (typeof centres)[number];
export type Victim = Centre | 'ledger';

const program = path.join(root, 'node', 'dist', 'main.js');
const outputBytes = 64 * 1024 * 1024;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NodeStatus {
  readonly height: number;
  readonly ledger: { readonly state: string };
  readonly outbox: { readonly pending: number; readonly inFlight: number; readonly settled: number; readonly deadLettered: number };
}

/** Runs the command line to its end. */
export async function runCommand(args: readonly string[]): Promise<CommandResult> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { maxBuffer: outputBytes }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr });
    });
  });
}

/** Polls until something holds; answers whether it did in time. A node that does not answer does not hold. */
export async function within(milliseconds: number, holds: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    if (await holds().catch(() => false)) return true;
    if (performance.now() > deadline) return false;
    await delay(25);
  }
}

/** The consortium of `huilian local up` as processes that a drill may kill and start again. */
export class DrillWorld {
  private readonly running = new Map<Victim, VictimProcess>();
  private readonly urls = new Map<Centre, string>();

  private constructor(
    public readonly dir: string,
    /** Of each of its processes. */
    public readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Builds the consortium in an empty folder and starts its processes. `env` goes to each of them. */
  public static async build(dir: string, env: Readonly<Record<string, string>> = {}): Promise<DrillWorld> {
    const made = await runCommand(['local', 'up', '--once', '--state', dir]);
    if (made.code !== 0) throw new Error(`the consortium could not be made: ${made.stderr}`);
    const world = new DrillWorld(dir, env);
    mkdirSync(world.logs, { recursive: true });
    for (const centre of centres) world.allowTargets(centre);
    await world.start('ledger');
    await Promise.all(centres.map(async (centre) => { await world.start(centre); }));
    return world;
  }

  public get logs(): string {
    return path.join(this.dir, 'drill-logs');
  }

  public logOf(victim: Victim): string {
    return path.join(this.logs, `${victim}.log`);
  }

  public stateOf(centre: Centre): string {
    return path.join(this.dir, 'nodes', centre);
  }

  public url(centre: Centre): string {
    let url = this.urls.get(centre);
    if (url === undefined) {
      const { http } = JSON.parse(readFileSync(path.join(this.stateOf(centre), 'huilian.json'), 'utf8')) as { http: { host?: string; port: number } };
      url = `http://${http.host ?? '127.0.0.1'}:${String(http.port)}`;
      this.urls.set(centre, url);
    }
    return url;
  }

  public operatorToken(centre: Centre): string {
    return readFileSync(path.join(this.stateOf(centre), 'operator-token'), 'utf8').trim();
  }

  public of(victim: Victim): VictimProcess {
    const found = this.running.get(victim);
    if (found === undefined) throw new Error(`${victim} does not run`);
    return found;
  }

  public isRunning(victim: Victim): boolean {
    return this.running.get(victim)?.isAlive === true;
  }

  public async start(victim: Victim, options: ProcessOptions = {}): Promise<void> {
    const args = victim === 'ledger' ? this.ledgerArguments() : ['start', '--state', this.stateOf(victim)];
    const env = { HUILIAN_FAIL: victim === 'ledger' ? '' : 'door', ...this.env, ...options.env };
    this.running.set(victim, await VictimProcess.start(victim, [program, ...args], this.logOf(victim), { ...options, env }));
  }

  public async end(victim: Victim, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.running.get(victim)?.end(signal);
    this.running.delete(victim);
  }

  /** Ends a node that runs inside another program, and that program. */
  public async endInner(victim: Victim): Promise<void> {
    await this.running.get(victim)?.letGo();
    this.running.delete(victim);
  }

  /** Starts what is not running. */
  public async revive(): Promise<void> {
    for (const victim of ['ledger', ...centres] as const) if (!this.isRunning(victim)) await this.start(victim);
  }

  public async stop(): Promise<void> {
    await Promise.all(centres.map(async (centre) => { await this.end(centre); }));
    await this.end('ledger');
  }

  public async call(centre: Centre, method: 'GET' | 'POST', route: string, body?: string, type = 'application/json'): Promise<Response> {
    const headers = { authorization: `Bearer ${this.operatorToken(centre)}`, ...(body === undefined ? {} : { 'content-type': type }) };
    const init: RequestInit & { duplex?: 'half' } = { method, headers, ...(body === undefined ? {} : { body, duplex: 'half' }) };
    return await fetch(`${this.url(centre)}${route}`, init);
  }

  public async get<T>(centre: Centre, route: string): Promise<T> {
    const response = await this.call(centre, 'GET', route);
    if (!response.ok) throw new Error(`${centre} answers ${String(response.status)} to ${route}`);
    return (await response.json()) as T;
  }

  public async status(centre: Centre): Promise<NodeStatus> {
    return await this.get<NodeStatus>(centre, '/v1/status');
  }

  public async isReady(centre: Centre): Promise<boolean> {
    return (await this.call(centre, 'GET', '/readyz')).ok;
  }

  /** Whether, in time, all nodes stand at the same block, are ready, and nothing is on its way (I21). */
  public async settles(milliseconds: number): Promise<boolean> {
    return await within(milliseconds, async () => {
      const states = await Promise.all(centres.map(async (centre) => await this.status(centre)));
      const ready = await Promise.all(centres.map(async (centre) => await this.isReady(centre)));
      return ready.every(Boolean) && new Set(states.map(({ height }) => height)).size === 1 && states.every(({ outbox }) => outbox.pending + outbox.inFlight === 0);
    });
  }

  public async client(member: 'zhuhai-platform' | 'sample-bank', centre: Centre): Promise<MemberClient> {
    const keys = JSON.parse(readFileSync(path.join(this.dir, 'members', member, 'member-keys.json'), 'utf8')) as MemberKeys;
    return await MemberClient.connect(this.url(centre), keys, { patienceSeconds: 0 });
  }

  /** The sample owner whose records are read. */
  public owner(): { readonly id: string; readonly wallet: OwnerWallet } {
    const { main } = JSON.parse(readFileSync(path.join(root, 'network-config', 'local', 'data', 'bidders.json'), 'utf8')) as { main: { uscc: string } };
    const key = readFileSync(path.join(this.dir, 'owners', main.uscc, 'key.txt'), 'utf8').trim();
    return { id: `org:${main.uscc}`, wallet: new OwnerWallet(new Wallet(key), memoryPin()) };
  }

  /** Webhooks may call this machine, and are tried again in seconds: a drill has no hours. */
  private allowTargets(centre: Centre): void {
    const file = path.join(this.stateOf(centre), 'huilian.json');
    const webhooks = { allowHttp: true, allowPrivate: ['127.0.0.0/8'], timeoutMilliseconds: 2000, firstRetryMilliseconds: 200, mostRetryMilliseconds: 5000 };
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), webhooks }));
  }

  private ledgerArguments(): string[] {
    const organisations = centres.flatMap((centre) => ['--org', `${centre.charAt(0).toUpperCase()}${centre.slice(1)}MSP`]);
    return ['ledger', 'start', '--dir', path.join(this.dir, 'ledger'), '--contract', path.join(root, 'chaincode', 'dist', 'index.js'), ...organisations];
  }
}
