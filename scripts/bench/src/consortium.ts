import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ProcessIds } from './processor-time.js';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const nodeProgram = path.join(root, 'node', 'bin', 'huilian.js');
const sampleProgram = path.join(root, 'scripts', 'sample-data.mjs');
export const centreIds = ['guangzhou', 'zhuhai', 'beijing'] as const;
export type CentreId = (typeof centreIds)[number];
const deadlineMilliseconds = 120_000;

export const execute = promisify(execFile);

/** How the nodes send batches in a run. */
export interface OutboxSettings {
  readonly maxHeaders: number;
  readonly inFlight: number;
}

interface NodeStatus {
  readonly height: number;
  readonly outbox: { readonly pending: number; readonly inFlight: number; readonly settled: number; readonly deadLettered: number };
}

/** What `huilian audit` answers, as far as it is used here. */
export interface AuditAnswer {
  readonly transactions: number;
  readonly records: number;
  readonly tickets: number;
  readonly ownVersions: number;
  readonly findingCount: number;
  readonly findings: readonly unknown[];
}

/**
 * The consortium of the walk-through, whatever ledger it stands on. Its nodes are children of this process, so that each
 * can be paused, restarted and looked at.
 */
export abstract class BenchConsortium {
  /** Ids of every record that Guangzhou's node acknowledged to this benchmark. */
  public readonly acknowledged = new Set<string>();
  private readonly nodes = new Map<CentreId, ChildProcess>();
  private paused = false;

  protected constructor(
    public readonly folder: string,
    private readonly profileNode: boolean,
  ) {
    mkdirSync(this.state, { recursive: true, mode: 0o700 });
  }

  /** Blocks of the channel now. */
  public abstract height(): Promise<number>;
  /** Processes of the ledger, by name. */
  public abstract ledgerProcesses(): ProcessIds;
  /** Bytes of one copy of the blocks. */
  public abstract blockBytes(): number;
  protected abstract stopLedger(keep: boolean): Promise<void>;

  public get state(): string {
    return path.join(this.folder, 'state');
  }

  /** Where a node, or the embedded ledger, leaves its processor profile when it ends. */
  public profiles(process: CentreId | 'ledger'): string {
    return path.join(this.folder, 'profiles', process);
  }

  /** Options of Node.js by which a process writes its profile; none where nobody asked for one. */
  protected profiled(process: CentreId | 'ledger'): readonly string[] {
    return this.profileNode ? ['--cpu-prof', `--cpu-prof-dir=${this.profiles(process)}`] : [];
  }

  public url(centre: CentreId): string {
    const { http } = this.config(centre) as { http: { host: string; port: number } };
    return `http://${http.host}:${String(http.port)}`;
  }

  public token(centre: CentreId): string {
    return readFileSync(path.join(this.nodeFolder(centre), 'operator-token'), 'utf8').trim();
  }

  public async get<T>(centre: CentreId, route: string): Promise<T> {
    const response = await fetch(`${this.url(centre)}${route}`, { headers: { authorization: `Bearer ${this.token(centre)}` } });
    if (!response.ok) throw new Error(`${route}: ${String(response.status)} ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Answers what the route answers; a body goes as JSON. */
  public async call(centre: CentreId, method: 'DELETE' | 'POST', route: string, body?: object): Promise<unknown> {
    const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${this.url(centre)}${route}`, { method, ...json, headers: { authorization: `Bearer ${this.token(centre)}`, ...json.headers } });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${route}: ${String(response.status)} ${answer}`);
    return answer === '' ? undefined : (JSON.parse(answer) as unknown);
  }

  public async status(centre: CentreId): Promise<NodeStatus> {
    return await this.get(centre, '/v1/status');
  }

  public async startNodes(): Promise<void> {
    await Promise.all(centreIds.map(async (centre) => {
      await this.startNode(centre);
    }));
  }

  /** Answers the seconds until it served. */
  public async startNode(centre: CentreId): Promise<number> {
    const started = performance.now();
    const child = spawn(process.execPath, [...this.profiled(centre), nodeProgram, 'start', '--state', this.nodeFolder(centre)], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const log = createWriteStream(path.join(this.state, 'logs', `bench-${centre}.log`), { flags: 'a' });
    child.stdout?.pipe(log);
    child.stderr?.pipe(log);
    this.nodes.set(centre, child);
    await whenServing(child, `the node of ${centre}`);
    await until(async () => (await fetch(`${this.url(centre)}/readyz`)).ok);
    return (performance.now() - started) / 1000;
  }

  public async stopNode(centre: CentreId): Promise<void> {
    const child = this.nodes.get(centre);
    this.nodes.delete(centre);
    if (child !== undefined) await ended(child);
  }

  /** The baseline has the machine to itself: the nodes would follow its blocks. */
  public pauseNodes(): void {
    this.paused = true;
    for (const child of this.nodes.values()) child.kill('SIGSTOP');
  }

  /** They go on, and have caught up when this returns. */
  public async resumeNodes(): Promise<void> {
    if (!this.paused) return;
    this.paused = false;
    for (const child of this.nodes.values()) child.kill('SIGCONT');
    await this.whenLevel();
  }

  /** Waits until every node has indexed every block that the ledger holds. */
  public async whenLevel(): Promise<void> {
    // A node tells the number of its last block, a ledger how many it holds.
    const last = (await this.height()) - 1;
    for (const centre of centreIds) await until(async () => (await this.status(centre)).height >= last);
  }

  public nodeProcesses(): ProcessIds {
    return Object.fromEntries([...this.nodes].map(([centre, child]) => [`node.${centre}`, child.pid ?? 0]));
  }

  /** Stops Guangzhou's node, then holds the blocks against the rules and its data against the blocks, each acknowledged record included. */
  public async audit(): Promise<AuditAnswer> {
    await this.stopNode('guangzhou');
    const acknowledged = path.join(this.folder, 'acknowledged.txt');
    writeFileSync(acknowledged, `${[...this.acknowledged].join('\n')}\n`);
    const args = [nodeProgram, 'audit', '--state', this.nodeFolder('guangzhou'), '--acknowledged', acknowledged, '--json'];
    const { stdout } = await execute(process.execPath, args, { maxBuffer: 2 ** 26 }).catch((error: unknown) => error as { stdout: string });
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as AuditAnswer;
  }

  public async stop(keep: boolean): Promise<void> {
    for (const child of this.nodes.values()) child.kill('SIGCONT');
    await Promise.all(centreIds.map(async (centre) => {
      await this.stopNode(centre);
    }));
    await this.stopLedger(keep);
  }

  public nodeFolder(centre: CentreId): string {
    return path.join(this.state, 'nodes', centre);
  }

  protected configure(centre: CentreId, outbox: OutboxSettings): void {
    this.reconfigure(centre, { outbox, log: { level: 'warn' } });
  }

  /** Other settings, for the next start of a node. */
  public reconfigure(centre: CentreId, settings: Readonly<Record<string, unknown>>): void {
    const config = { ...this.config(centre), ...settings };
    writeFileSync(path.join(this.nodeFolder(centre), 'huilian.json'), `${JSON.stringify(config, null, 2)}\n`);
  }

  private config(centre: CentreId): Record<string, unknown> {
    return JSON.parse(readFileSync(path.join(this.nodeFolder(centre), 'huilian.json'), 'utf8')) as Record<string, unknown>;
  }
}

/** Until a program says over its channel that it serves. @throws where it ends instead */
export async function whenServing(child: ChildProcess, name: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => { resolve(); });
    child.once('error', reject);
    child.once('exit', (code) => { reject(new Error(`${name} ended with ${String(code)}`)); });
  });
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await end;
}

/** Bounded polling. A foreign process gives no event for what is waited for. */
export async function until(holds: () => Promise<boolean>, pauseMilliseconds = 20, longestMilliseconds = deadlineMilliseconds): Promise<void> {
  const deadline = performance.now() + longestMilliseconds;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > deadline) throw new Error('what was waited for did not come in time');
    await delay(pauseMilliseconds);
  }
}

/** Invented records as NDJSON lines, other ones for each seed. */
export async function sampleLines(folder: string, records: number, seed: number): Promise<readonly string[]> {
  const out = path.join(folder, `sample-${String(seed)}`);
  await execute(process.execPath, [sampleProgram, '--records', String(Math.max(records, 100)), '--seed', String(seed), '--out', out, '--json'], { maxBuffer: 2 ** 24 });
  const lines = globSync('*/*.ndjson', { cwd: out }).sort().flatMap((file) => readFileSync(path.join(out, file), 'utf8').trimEnd().split('\n'));
  return mixed(lines).slice(0, records);
}

/** Kinds and centres in turns, as they would come in: a fixed stride through the list. */
function mixed(lines: readonly string[]): string[] {
  const stride = [7919, 7907, 7901].find((prime) => lines.length % prime !== 0) ?? 1;
  return lines.map((_line, index) => lines[(index * stride) % lines.length] ?? '');
}
