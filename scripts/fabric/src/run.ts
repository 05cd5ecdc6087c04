import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { FabricError } from './fabric-error.js';

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Exit codes other than 0 are an answer, not a failure. */
  readonly anyCode?: boolean;
  readonly timeoutMs?: number;
}

/** What an orderer answers while a leader is being elected: nothing was ordered, and it passes within seconds. */
const noLeader = /SERVICE_UNAVAILABLE|no Raft leader/;
const leaderWaitMs = 30_000;

/**
 * Runs one command to its end; again while the ordering service has no leader.
 * @throws FabricError COMMAND_FAILED with the last lines the command wrote
 */
export async function run(stage: string, command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const deadline = performance.now() + leaderWaitMs;
  for (;;) {
    const output = await runOnce(command, args, options).catch((error: unknown) => {
      throw failed(stage, command, args, String(error));
    });
    if (output.code === 0) return output;
    if (noLeader.test(output.stderr) && performance.now() < deadline) {
      await delay(500);
      continue;
    }
    if (options.anyCode === true) return output;
    throw failed(stage, command, args, lastLines(output.stderr || output.stdout));
  }
}

async function runOnce(command: string, args: readonly string[], options: RunOptions): Promise<Output> {
  const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: options.timeoutMs ?? 120_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => {
      resolve(exit ?? -1);
    });
  });
  return { stdout, stderr, code };
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-4).join(' | ').slice(-1200);
}

function failed(stage: string, command: string, args: readonly string[], why: string): FabricError {
  return new FabricError('COMMAND_FAILED', stage, `${command.split('/').at(-1) ?? command} ${args.slice(0, 3).join(' ')}: ${why}`, {
    en: 'mend the cause and run the same command again: what is done already is kept (`npm run fabric -- logs` shows the logs)',
    zh: '排除原因后重新运行同一命令，已完成的步骤会保留（`npm run fabric -- logs` 查看日志）',
  });
}
