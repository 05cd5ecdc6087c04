import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JsonObject } from '@huilian/protocol';
import { NodeApi } from '../../node/src/adapters/cli/node-api.js';
import { freePorts } from '../../node/src/composition/local/free-ports.js';
import { readJson, root } from '../e2e/main-job.js';
import { endProcess } from '../e2e/open-state.js';

/** What the node told its operator as an alarm. */
export interface Alarm {
  readonly code: string;
  readonly details: JsonObject;
}

interface NodeStatus {
  readonly height: number;
  readonly ledger: { readonly state: string; readonly problem?: string };
  readonly outbox: { readonly pending: number; readonly inFlight: number };
}

const endMilliseconds = 5000;
const [sample] = readJson<{ cases: { input: JsonObject & { item: JsonObject } }[] }>(path.join(root, 'tests', 'vectors', 'valid', 'kind-supervision.json')).cases;

/** One centre's node as a process whose words to its operator are kept. */
export class WatchedNode {
  /** Every record id that was acknowledged, of every sync. */
  public readonly acknowledged: string[] = [];
  private child: ChildProcess | undefined;
  private said = '';
  private syncs = 0;

  private constructor(
    public readonly state: string,
    private readonly config: object,
  ) {}

  /** A node on a state folder that holds its member's keys already. */
  public static async prepare(state: string, memberId: string): Promise<WatchedNode> {
    const [port = 0, exchange = 0] = await freePorts(2);
    return new WatchedNode(state, { exchange: { listen: [`/ip4/127.0.0.1/tcp/${String(exchange)}`] }, http: { port }, memberId });
  }

  /** Everything it wrote to standard error since it was first started. */
  public get log(): string {
    return this.said;
  }

  /** Alarms after this many characters of the log. */
  public alarms(after = 0): Alarm[] {
    const lines = this.said.slice(after).split('\n').slice(0, -1).filter((line) => line.startsWith('{'));
    const entries = lines.map((line) => JSON.parse(line) as { message: string; code: string; details: string });
    return entries.filter(({ message }) => message === 'alarm').map(({ code, details }) => ({ code, details: JSON.parse(details) as JsonObject }));
  }

  /** Starts it on a connection file, with a clock that is wrong or not; resolves when it serves, or with its exit code when it ends before. */
  public async start(connection: string, clockAheadSeconds = 0): Promise<number | null | 'serves'> {
    writeFileSync(path.join(this.state, 'huilian.json'), JSON.stringify({ ...this.config, ledger: { connection } }));
    const child = spawn(process.execPath, [path.join(root, 'node', 'bin', 'huilian.js'), 'start', '--state', this.state], {
      env: { ...process.env, ...(clockAheadSeconds === 0 ? {} : { NODE_OPTIONS: `--import=${wrongClock(clockAheadSeconds)}` }) },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    return await new Promise((resolve, reject) => {
      child.once('message', () => { resolve('serves'); });
      child.once('exit', resolve);
      child.once('error', reject);
    });
  }

  /** Its exit code, once it has ended by itself. */
  public async ended(): Promise<number | null> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    return await new Promise((resolve) => child.once('exit', resolve));
  }

  /** Whether it has ended, or does in the moment after its door has closed. */
  private async endsSoon(): Promise<boolean> {
    return await Promise.race([this.ended().then(() => true), delay(endMilliseconds, false, { ref: false })]);
  }

  public async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.child !== undefined) await endProcess(this.child, signal);
  }

  public api(): NodeApi {
    return NodeApi.open(this.state);
  }

  public async status(): Promise<NodeStatus> {
    return (await this.api().get('/v1/status')) as NodeStatus;
  }

  /** Publishes invented supervision records; answers those that were acknowledged, also when the stream breaks in between. */
  public async sync(rows: number): Promise<string[]> {
    const run = (this.syncs += 1);
    const acknowledged: string[] = [];
    let open: string[] = [];
    async function* lines(): AsyncGenerator<string> {
      for (let row = 0; row < rows; row += 1) {
        yield JSON.stringify({ data: { ...sample?.input, item: { ...sample?.input.item, code: `SV-FAULT-${String(run)}-${String(row)}` } }, kind: 'supervision' });
        if (row % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    try {
      for await (const answer of this.api().stream('/v1/records', lines())) {
        if ('refused' in answer) throw new Error(JSON.stringify(answer));
        if (typeof answer['recordId'] === 'string') open.push(answer['recordId']);
        if (typeof answer['acknowledged'] !== 'string') continue;
        acknowledged.push(...open);
        open = [];
      }
    } catch (error) {
      // A node that ended: only what was acknowledged counts.
      if (!(await this.endsSoon())) throw error;
    }
    this.acknowledged.push(...acknowledged);
    return acknowledged;
  }
}

/** A module that sets the process's own clock ahead; timers are not touched. */
function wrongClock(seconds: number): string {
  const script = `const { now } = Date; const ahead = ${String(seconds * 1000)};
globalThis.Date = class extends Date { constructor(...given) { super(...(given.length === 0 ? [now() + ahead] : given)); } static now() { return now() + ahead; } };`;
  return `data:text/javascript;base64,${Buffer.from(script).toString('base64')}`;
}
