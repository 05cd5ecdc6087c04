import { fork } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute, nodeProgram, until } from '../consortium.js';
import { peakMebibytes } from '../embedded/memory.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { DataWorld } from './world.js';
import { writeCsv } from './write-csv.js';

/**
 * intake: rows a second from a CSV file to their acknowledgement, by `huilian sync`, against reading and validating the same file alone.
 * memory: the peak of the node's process over all these rows.
 */
export const measureIntake: Measurer<DataWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  const rows = Math.max(100, Math.floor(scale.records / scale.pairs));
  // A peak is of a process: this one begins here, without what few nodes have.
  consortium.reconfigure('guangzhou', { mirror: undefined });
  await consortium.stopNode('guangzhou');
  await consortium.startNode('guangzhou');
  const pid = consortium.nodeProcesses()['node.guangzhou'] ?? 0;
  const atRest = peakMebibytes(pid);
  let numbered = 0;
  const file = path.join(consortium.folder, 'qualification-bench.csv');
  const pairs = await inPairs(scale.pairs, async (pair) => {
    progress.step(`intake: ${String(rows)} rows are read and validated alone, pair ${String(pair + 1)} / 仅读取校验`);
    writeCsv(file, numbered, rows);
    numbered += rows;
    const child = fork(fileURLToPath(new URL('./validate-process.js', import.meta.url)), [file]);
    const [alone] = (await once(child, 'message')) as [{ rows: number; seconds: number }];
    if (alone.rows !== rows) throw new Error(`${String(alone.rows)} of ${String(rows)} rows were read`);
    return rows / alone.seconds;
  }, async (pair) => {
    progress.step(`intake: ${String(rows)} rows come in by huilian sync, pair ${String(pair + 1)} / 同步入库`);
    const started = performance.now();
    const { stdout } = await execute(process.execPath, [nodeProgram, 'sync', file, '--state', consortium.nodeFolder('guangzhou'), '--json'], { maxBuffer: 2 ** 26 });
    const seconds = (performance.now() - started) / 1000;
    const { accepted } = JSON.parse(stdout) as { accepted: number };
    if (accepted !== rows) throw new Error(`${String(accepted)} of ${String(rows)} rows were accepted`);
    // What is acknowledged still goes to the ledger, and must not meet the next reading.
    await until(async () => (await consortium.status('guangzhou')).outbox.pending === 0, 50, 600_000);
    await consortium.whenLevel();
    return rows / seconds;
  });
  rmSync(file, { force: true });
  const ratios = spread(pairs.map(([alone, synced]) => synced / alone));
  const peak = peakMebibytes(pid);
  return [
    {
      id: 'intake', what: 'rows a second from a CSV file to their acknowledgement, against reading and validating them alone', unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'least', value: 0.2 },
      baseline: { what: 'csv-parse, import rules, validation, one process', rowsPerSecond: Math.round(median(pairs.map(([alone]) => alone))) },
      conditions: conditionsOf(world, { rows, rowsPerSecond: Math.round(median(pairs.map(([, synced]) => synced))), counted: 'huilian sync from its start to its end' }),
    },
    {
      id: 'memory', what: `peak resident memory of the node over ${String(rows * scale.pairs)} rows of CSV`, unit: 'MiB', value: rounded(peak), goal: { at: 'most', value: 256 },
      baseline: { what: 'the same node started, before the first row', mebibytes: rounded(atRest) }, conditions: conditionsOf(world, { rows: rows * scale.pairs, mirrored: false }),
    },
  ];
};
