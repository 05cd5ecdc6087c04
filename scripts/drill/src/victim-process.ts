import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Another program that runs this one, with its arguments. */
  readonly under?: readonly string[];
}

const startMilliseconds = 60_000;

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that a drill starts, orders about over IPC, and ends by its own id. */
export class VictimProcess {
  private constructor(
    public readonly name: string,
    private readonly child: ChildProcess,
    public readonly ended: Promise<Ending>,
  ) {}

  /** Resolves when the process says that it is ready. @throws when it ends before */
  public static async start(name: string, program: readonly string[], logFile: string, { env = {}, under = [] }: ProcessOptions = {}): Promise<VictimProcess> {
    const log = openSync(logFile, 'a');
    const [command = '', ...args] = [...under, process.execPath, ...program];
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    const ended = new Promise<Ending>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => { resolve({ code, signal }); });
    });
    const victim = new VictimProcess(name, child, ended);
    await victim.said(() => true, startMilliseconds).catch(async (error: unknown) => {
      await victim.letGo(1000);
      throw error;
    });
    return victim;
  }

  public get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Lets go of the channel: what runs inside another program ends, and that program after it. */
  public async letGo(patienceMilliseconds = 20_000): Promise<Ending> {
    if (this.child.connected) this.child.disconnect();
    const late = setTimeout(() => { this.child.kill('SIGKILL'); }, patienceMilliseconds);
    return await this.ended.finally(() => { clearTimeout(late); });
  }

  public get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  public signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends the process and waits for its end. */
  public async end(signal: NodeJS.Signals): Promise<Ending> {
    if (this.isAlive) this.child.kill(signal);
    return await this.ended;
  }

  /** Arms one order of the drill door (`P7:kill@2`), or none. Resolves when the process has it. */
  public async arm(order: string): Promise<void> {
    const armed = this.said((message) => message['armed'] === order, startMilliseconds);
    this.child.send({ fail: order });
    await armed;
  }

  /** The next message that fits. @throws when the process ends first or nothing comes in time */
  public async said(fits: (message: Readonly<Record<string, unknown>>) => boolean, milliseconds: number): Promise<Readonly<Record<string, unknown>>> {
    return await new Promise((resolve, reject) => {
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        this.child.off('message', listen);
        this.child.off('exit', gone);
        settle();
      };
      const listen = (message: unknown): void => {
        const known = message as Readonly<Record<string, unknown>>;
        if (fits(known)) done(() => { resolve(known); });
      };
      const gone = (code: number | null, signal: string | null): void => { done(() => { reject(new Error(`${this.name} ended with ${String(code ?? signal)}`)); }); };
      const timer = setTimeout(() => { done(() => { reject(new Error(`${this.name} said nothing in ${String(milliseconds)} ms`)); }); }, milliseconds);
      this.child.on('message', listen);
      this.child.once('exit', gone);
    });
  }
}
