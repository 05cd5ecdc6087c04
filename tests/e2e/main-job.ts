import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const centreIds = ['guangzhou', 'zhuhai', 'beijing'] as const;

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What all commands of this test file wrote on standard error, and on standard output where they failed. */
export const saidByCommands: string[] = [];

/** Runs the built command line to its end. */
export async function huilian(args: readonly string[], onOutput: (text: string) => void = () => undefined): Promise<Run> {
  const child = spawn(process.execPath, [path.join(root, 'node', 'bin', 'huilian.js'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onOutput(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  saidByCommands.push(stderr, code === 0 ? '' : stdout);
  return { code, stdout, stderr };
}

/** Runs a command with --json; answers what it printed, or its error. */
export async function command<T = Record<string, unknown>>(...args: readonly string[]): Promise<{ readonly code: number | null; readonly answer: T; readonly error: { code?: string; details?: Record<string, unknown> } }> {
  const { code, stderr, stdout } = await huilian([...args, '--json']);
  const parse = (text: string): unknown => { try { return JSON.parse(text) as unknown; } catch { return {}; } };
  return { code, answer: parse(stdout) as T, error: ((parse(stderr.trimEnd().split('\n').at(-1) ?? '') as { error?: object }).error ?? {}) };
}

export function stateFolder(): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(path.join(tmpdir(), 'huilian-e2e-'));
  return { dir, remove: () => { rmSync(dir, { recursive: true, force: true }); } };
}

export interface Summary {
  readonly published: number;
  readonly deadLettered: number;
  readonly refusedWithoutGrant: number;
  readonly fieldsReused: number;
  readonly fieldsReadByBank: number;
  readonly refusedAfterCount: number;
  readonly refusedAfterRevocation: number;
  readonly refusedReplay: number;
  readonly trailEntries: number;
  readonly evidenceVerified: boolean;
  readonly tamperedRefused: boolean;
  readonly seconds: number;
}

/** The JSON object that must be the last line of standard output. */
export function summaryOf(run: Run): Summary {
  return JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '') as Summary;
}

export function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

export function jsonFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => path.join(folder, name));
}
