import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { missingBinaries, NetworkFolder, takeDown } from '@huilian/fabric-network';
import { root, type Run } from '../e2e/main-job.js';

const missing = missingBinaries();

/** Whether Fabric's commands are at hand; said loudly, once a file, when they are not. */
export function fabricIsHere(): boolean {
  if (missing.length === 0) return true;
  const words = `SKIPPED: Hyperledger Fabric's commands are not on FABRIC_BIN or PATH (missing: ${missing.join(', ')}).
Install them as Fabric's documentation says (https://hyperledger-fabric.readthedocs.io) and set FABRIC_BIN to their folder.
已跳过：未找到 Hyperledger Fabric 命令（缺少：${missing.join('、')}），请按 Fabric 文档安装并设置 FABRIC_BIN。\n`;
  process.stderr.write(words);
  return false;
}

/** Runs any program to its end; its environment is this one's with `env` over it. */
export async function runProgram(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}

/** `npm run fabric -- …` as a person types it, without the build in front. */
export async function fabric(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return await runProgram(process.execPath, [path.join(root, 'scripts', 'fabric', 'dist', 'main.js'), ...args], env);
}

/** A folder for networks of one test file; afterwards whatever runs on it is ended by process id. */
export function networkFolder(): { readonly dir: string; at(name: string): string; remove(): Promise<void> } {
  const dir = mkdtempSync(path.join(tmpdir(), 'huilian-fabric-'));
  const used: string[] = [];
  return {
    dir,
    at: (name) => {
      const folder = path.join(dir, name);
      used.push(folder);
      return folder;
    },
    remove: async () => {
      for (const folder of used) await takeDown(new NetworkFolder(folder), true);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
