import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FabricError } from './fabric-error.js';
import { isFree } from './free-ports.js';
import type { NetworkFolder } from './plan.js';

/** A process of the network, by its id and the moment it was started: ids are used again, the pair is not. */
interface ProcessRecord {
  readonly pid: number;
  readonly started: string;
}

export interface ProcessSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Ports it listens on; they must be free before it starts. */
  readonly ports: readonly number[];
}

const killAfterMs = 10_000;

/** The processes of one network: detached from the command that starts them, found again by their records. */
export class Processes {
  public constructor(private readonly folder: NetworkFolder) {}

  public names(): string[] {
    const directory = this.folder.at('run');
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
  }

  /** Process id while it lives. */
  public pid(name: string): number | undefined {
    const file = this.recordFile(name);
    if (!existsSync(file)) return undefined;
    const { pid, started } = JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord;
    return startOf(pid) === started ? pid : undefined;
  }

  /**
   * Starts a process unless it runs. Its output goes to its log.
   * @throws FabricError PORT_IN_USE, PROCESS_ENDED
   */
  public async start(spec: ProcessSpec): Promise<'started' | 'running'> {
    if (this.pid(spec.name) !== undefined) return 'running';
    for (const port of spec.ports) await this.refusePortInUse(spec.name, port);
    mkdirSync(path.dirname(this.folder.log(spec.name)), { recursive: true, mode: 0o700 });
    const log = openSync(this.folder.log(spec.name), 'a');
    const child = spawn(spec.command, spec.args, { cwd: spec.cwd, env: { ...cleanEnvironment(), ...spec.env }, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        reject(this.ended(spec.name, error.message));
      });
    });
    child.unref();
    const pid = child.pid ?? 0;
    this.folder.writeJson(this.recordFile(spec.name), { pid, started: startOf(pid) ?? '' });
    return 'started';
  }

  /** Waits until a condition holds while the process lives. @throws FabricError PROCESS_ENDED, NOT_READY */
  public async whenReady(name: string, ready: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!(await ready().catch(() => false))) {
      if (this.pid(name) === undefined) throw this.ended(name, this.lastLogLines(name));
      if (performance.now() > deadline) throw notReady(name, this.folder.log(name));
      await delay(100);
    }
  }

  /** Ends a process by its id: asked first, killed after ten seconds. */
  public async stop(name: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const pid = this.pid(name);
    if (pid !== undefined) {
      process.kill(pid, signal);
      const deadline = performance.now() + killAfterMs;
      while (this.pid(name) !== undefined) {
        if (performance.now() > deadline) process.kill(pid, 'SIGKILL');
        await delay(20);
      }
    }
    rmSync(this.recordFile(name), { force: true });
  }

  private recordFile(name: string): string {
    return this.folder.at('run', `${name}.json`);
  }

  private async refusePortInUse(name: string, port: number): Promise<void> {
    // A process that was just ended may hold its port for a moment.
    for (const deadline = performance.now() + 2000; performance.now() < deadline; await delay(50)) if (await isFree(port)) return;
    throw new FabricError('PORT_IN_USE', `start ${name}`, `port ${String(port)} of 127.0.0.1 is taken by another program`, {
      en: `end the program that listens there (ss -ltnp 'sport = :${String(port)}'), or bring a new network up in another --dir: it picks free ports`,
      zh: `请结束占用该端口的程序（ss -ltnp 'sport = :${String(port)}'），或用另一个 --dir 启动新网络（会自动选择空闲端口）`,
    });
  }

  private ended(name: string, why: string): FabricError {
    return new FabricError('PROCESS_ENDED', `start ${name}`, why, {
      en: `read ${this.folder.log(name)}, mend the cause and run the same command again`,
      zh: `请查看 ${this.folder.log(name)}，排除原因后重新运行同一命令`,
    });
  }

  private lastLogLines(name: string): string {
    const file = this.folder.log(name);
    if (!existsSync(file) || statSync(file).size === 0) return 'it ended and wrote nothing';
    return readFileSync(file, 'utf8').trim().split('\n').slice(-3).join(' | ').slice(-1000);
  }
}

function notReady(name: string, log: string): FabricError {
  return new FabricError('NOT_READY', `start ${name}`, 'it runs but does not answer', {
    en: `read ${log}; on a slow machine run the same command again`,
    zh: `请查看 ${log}；若机器较慢，可再次运行同一命令`,
  });
}

/** Start time of a live process in clock ticks since boot; undefined when there is none, or it has ended and only waits to be collected. */
function startOf(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Settings of the caller's own Fabric tools must not leak into the network's processes. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CORE_|ORDERER_|FABRIC_CFG_PATH$|FABRIC_LOGGING_SPEC$)/.test(name)));
}
