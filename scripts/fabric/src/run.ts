import { spawn } from 'node:child_process';
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

/**
 * Runs one command to its end.
 * @throws FabricError COMMAND_FAILED with the last lines the command wrote
 */
export async function run(stage: string, command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const child = spawn(command, args, { cwd: options.cwd, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: options.timeoutMs ?? 120_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => {
      resolve(exit ?? -1);
    });
  }).catch((error: unknown) => {
    throw failed(stage, command, args, String(error));
  });
  if (code !== 0 && options.anyCode !== true) throw failed(stage, command, args, lastLines(stderr || stdout));
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
