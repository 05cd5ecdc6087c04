import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { ProtocolError } from '@huilian/protocol';

/** A child of this program that says over IPC when it is ready and is ended by its own process id. */
export class ManagedProcess {
  private constructor(
    public readonly name: string,
    private readonly child: ChildProcess,
    /** What the child said when it was ready. */
    public readonly ready: Readonly<Record<string, string>>,
  ) {}

  /** Starts a command of the same program; its logs go to a file. @throws INTERNAL when it ends before it is ready */
  public static async start(name: string, args: readonly string[], logFile: string, main = process.argv[1]): Promise<ManagedProcess> {
    const log = createWriteStream(logFile, { flags: 'a' });
    if (main === undefined) throw new ProtocolError('INTERNAL', { reason: 'no-main' });
    const child = spawn(process.execPath, [...process.execArgv, main, ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    child.stdout?.pipe(log);
    child.stderr?.pipe(log);
    const ready = await new Promise<Record<string, string>>((resolve, reject) => {
      child.once('message', (message) => {
        resolve(message as Record<string, string>);
      });
      child.once('error', reject);
      child.once('exit', (code) => {
        reject(new ProtocolError('INTERNAL', { process: name, exit: code ?? -1, log: logFile }));
      });
    });
    return new ManagedProcess(name, child, ready);
  }

  /** What the child says after it was ready. */
  public onMessage(listener: (message: unknown) => void): void {
    this.child.on('message', listener);
  }

  public get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Asks the process to stop and waits for its end. */
  public async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => {
      this.child.once('exit', () => {
        resolve();
      });
    });
    this.child.kill(signal);
    await ended;
  }
}

/** Tells the parent, where there is one, that this process is ready. */
export function announceReady(facts: Readonly<Record<string, string>>): void {
  process.send?.(facts);
}
