import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Drill } from './drill.js';
import { Tally, type DrillResult } from './result.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** As `npm test` runs it with one kill of each. */
const testFile = 'test/sync-kill.test.ts';
const killsOfEach = 20;

interface Reported {
  readonly testResults: readonly { readonly assertionResults: readonly { readonly title: string; readonly status: string; readonly failureMessages: readonly string[] }[] }[];
}

/** kill -9 in the middle of each kind of sync, 20 times each: by the test's own nodes, ledger, database and judge. */
export async function runSourceDrill({ progress, scale, world }: Drill): Promise<readonly DrillResult[]> {
  progress.step(`${String(killsOfEach)} kills of each kind of source`);
  const tally = new Tally('sources', 'kill -9 in each kind of sync: no row lost, none doubled / 各类数据源同步中终止');
  const kinds = (await runTest(scale.seed, world.env)).testResults.flatMap(({ assertionResults }) => assertionResults);
  tally.expect(kinds.length > 0, 'the test told of no kind of source');
  const skipped: DrillResult[] = [];
  for (const { failureMessages, status, title } of kinds) {
    if (status === 'skipped' || status === 'pending') skipped.push(new Tally(`sources: ${title}`, 'of the same').result("PostgreSQL's programs are not on PG_BIN or PATH / 未找到 PostgreSQL"));
    else if (status === 'passed') tally.kills += killsOfEach;
    else tally.violation(`${title}: ${status} ${failureMessages.join(' ').slice(0, 500)}`);
    tally.count(status);
  }
  return [tally.result(), ...skipped];
}

/** @throws where the test left no report */
async function runTest(seed: number, env: Readonly<Record<string, string>>): Promise<Reported> {
  const folder = mkdtempSync(path.join(tmpdir(), 'huilian-source-drill-'));
  try {
    const report = path.join(folder, 'report.json');
    const child = spawn(process.execPath, [path.join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'node', testFile, '--reporter', 'json', '--outputFile', report], {
      cwd: root,
      env: { ...process.env, ...env, HUILIAN_SYNC_KILLS: String(killsOfEach), HUILIAN_SYNC_SEED: String(seed) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await new Promise((resolve) => child.once('close', resolve));
    return JSON.parse(readFileSync(report, 'utf8')) as Reported;
  } finally {
    rmSync(folder, { force: true, recursive: true });
  }
}
