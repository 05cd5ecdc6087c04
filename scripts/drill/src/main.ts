import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { AcknowledgementLog } from './acknowledged.js';
import { runAwayDrill } from './away-drill.js';
import { DrillWorld } from './drill-world.js';
import type { DrillScale, RunDrill } from './drill.js';
import { runFailpointDrill } from './failpoint-drill.js';
import { InventedRows } from './invented-rows.js';
import { runKillDrill } from './kill-drill.js';
import { plants } from './plants.js';
import { DrillProgress } from './progress.js';
import { runRaceDrill } from './race-drill.js';
import { table, Tally, type DrillResult } from './result.js';
import { runSourceDrill } from './source-drill.js';
import { runStorageDrill, runSyncDrill } from './storage-drill.js';
import { sweepStore } from './storage-sweep.js';
import { Subscribers } from './subscribers.js';
import { runWebhookDrill } from './webhook-drill.js';

const drills: Readonly<Record<string, RunDrill>> = {
  kills: runKillDrill,
  push: async (drill) => await runFailpointDrill(drill, ['push']),
  read: async (drill) => await runFailpointDrill(drill, ['read']),
  events: async (drill) => await runFailpointDrill(drill, ['events']),
  failpoints: async (drill) => await runFailpointDrill(drill, ['push', 'read', 'events']),
  storage: runStorageDrill,
  syncs: runSyncDrill,
  sweep: async (drill) => await sweepStore(drill),
  away: runAwayDrill,
  races: runRaceDrill,
  sources: runSourceDrill,
  webhooks: runWebhookDrill,
};
const whole = ['kills', 'failpoints', 'storage', 'away', 'races', 'webhooks', 'sources'];

const usage = `npm run drill -- [--kills 50] [--seed 7] [--only ${Object.keys(drills).join('|')}] [--json]

  Makes a local consortium of real processes, kills, breaks and races it, and judges what is left by huilian audit, by the
  acknowledgements that clients got, and by reading back. Ends with 1 when anything does not hold. See docs/reliability.md.
  在本机联盟上反复终止、破坏、竞争，再以审计、确认回执与回读判定；任何一项不成立即返回 1。

  --seed            moments and victims are drawn from it (7) / 随机种子
  --kills           kill -9 in the middle of a sync; at least 10 of node, ledger and command line each from 30 on (50)
  --kills-per-step  kills at each failpoint (5) / 每步终止次数
  --races           revocations against reads under way (1000) / 撤销竞争次数
  --pause           seconds of SIGSTOP (30) / 暂停秒数
  --syncs           failed fdatasync, a start of the node each (12) / 写盘失败次数
  --stride          damages of the sweep: each (1), or one of so many / 截断与翻转的步长
  --only            drills, with commas between / 只做所列演练
  --plant           a bug on purpose, to see that it is found: ${Object.keys(plants).join(', ')} / 植入错误
  --dir             where the consortium lives and stays; else a temporary folder / 工作目录
  --json            one line of JSON in place of the table; progress goes to stderr / 输出 JSON
`;

class UsageError extends Error {}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d{1,7}$/.test(text) ? Number(text) : -1;
  if (number < least || number > most) throw new UsageError(`--${name} is a whole number from ${String(least)} to ${String(most)} / --${name} 应为整数`);
  return number;
}

interface Order {
  readonly help: boolean;
  readonly json: boolean;
  readonly dir: string | undefined;
  readonly chosen: readonly string[];
  readonly plant: string | undefined;
  readonly scale: DrillScale;
}

function readArguments(): Order {
  const text = { type: 'string' } as const;
  const { values } = (() => {
    try {
      return parseArgs({
        options: {
          seed: { ...text, default: '7' }, kills: { ...text, default: '50' }, 'kills-per-step': { ...text, default: '5' }, races: { ...text, default: '1000' },
          pause: { ...text, default: '30' }, syncs: { ...text, default: '12' }, stride: { ...text, default: '1' }, only: text, plant: text, dir: text,
          json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false },
        },
      });
    } catch (error) {
      throw new UsageError(`${(error as Error).message} / 参数有误`);
    }
  })();
  const chosen = values.only?.split(',') ?? whole;
  const unknown = chosen.filter((name) => drills[name] === undefined);
  if (unknown.length > 0) throw new UsageError(`no such drill: ${unknown.join(', ')} (there are ${Object.keys(drills).join(', ')}) / 没有该演练`);
  if (values.plant !== undefined && plants[values.plant] === undefined) throw new UsageError(`no such bug to plant: ${values.plant} (there are ${Object.keys(plants).join(', ')}) / 没有该错误`);
  return {
    help: values.help, json: values.json, dir: values.dir, chosen, plant: values.plant,
    scale: {
      seed: wholeNumber('seed', values.seed, 0, 9_999_999), kills: wholeNumber('kills', values.kills, 0, 10_000), killsPerStep: wholeNumber('kills-per-step', values['kills-per-step'], 0, 1000),
      races: wholeNumber('races', values.races, 0, 1_000_000), pauseSeconds: wholeNumber('pause', values.pause, 1, 600), syncFaults: wholeNumber('syncs', values.syncs, 0, 1000), storageStride: wholeNumber('stride', values.stride, 1, 100_000),
    },
  };
}

async function run({ chosen, dir: chosenDir, plant, scale }: Order): Promise<readonly DrillResult[]> {
  const dir = chosenDir === undefined ? mkdtempSync(path.join(tmpdir(), 'huilian-drill-')) : path.resolve(chosenDir);
  // Processes start often; what they compiled once they find again. Set before the first of them.
  process.env['NODE_COMPILE_CACHE'] = path.join(dir, 'compiled');
  const progress = new DrillProgress();
  progress.step('the consortium is made');
  // As a URL: NODE_OPTIONS end at a space, and a path may hold one.
  const preload = new URL('../preload/plant-bug.mjs', import.meta.url).href;
  const env: Readonly<Record<string, string>> = plant === undefined ? {} : { DRILL_PLANT: JSON.stringify(plants[plant]), NODE_OPTIONS: `--import=${preload}` };
  const world = await DrillWorld.build(dir, env);
  const results: DrillResult[] = [];
  const acknowledged = new AcknowledgementLog();
  const rows = new InventedRows(String(scale.seed));
  const subscribers = await Subscribers.open(world);
  try {
    for (const name of chosen) {
      const tally = new Tally(name, 'broke off / 中断');
      const done = await drills[name]?.({ world, scale, acknowledged, subscribers, rows, progress }).catch((error: unknown) => {
        tally.violation(error instanceof Error ? error.message : String(error));
        return [tally.result()];
      });
      results.push(...(done ?? []));
    }
  } finally {
    await subscribers.close();
    await world.stop();
  }
  const failed = results.some(({ violations }) => violations.length > 0);
  if (failed && plant === undefined) process.stderr.write(`the consortium stays for those who look for the cause / 现场保留: ${dir}\n`);
  else if (chosenDir === undefined) rmSync(dir, { recursive: true, force: true });
  return results;
}

async function main(): Promise<number> {
  try {
    const order = readArguments();
    if (order.help) {
      process.stdout.write(usage);
      return 0;
    }
    const results = await run(order);
    const { seed } = order.scale;
    process.stdout.write(order.json ? `${JSON.stringify({ seed, ...(order.plant === undefined ? {} : { plant: order.plant }), results })}\n` : `${table(results)}, seed ${String(seed)}\n`);
    return results.every(({ violations }) => violations.length === 0) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nnpm run drill -- --help\n`);
    return 2;
  }
}

process.exitCode = await main();
