import { readFileSync } from 'node:fs';
import { push } from '../push.js';
import { BenchReader } from '../reader.js';
import { rounded } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { EmbeddedWorld } from './world.js';

const readsPerTenRecords = 0.1;
const readersAtOnce = 8;

/** P13: peak resident memory of the publishing node over ten pushes' worth of records and a hundredth as many reads. */
export const measureMemory: Measurer<EmbeddedWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  const records = scale.records * 10;
  const reads = Math.round((records / 10) * readsPerTenRecords);
  // A peak is of a process: this one begins here.
  await consortium.stopNode('guangzhou');
  await consortium.startNode('guangzhou');
  const pid = consortium.nodeProcesses()['node.guangzhou'] ?? 0;
  const atRest = peakMebibytes(pid);
  const levels: number[] = [];
  for (let pushed = 0; pushed < records; pushed += scale.records) {
    progress.step(`P13: ${String(pushed)} of ${String(records)} records pushed / 推送`);
    await push(consortium, 'guangzhou', await world.lines(scale.records));
    await consortium.whenLevel();
    levels.push(peakMebibytes(pid));
  }
  progress.step(`P13: ${String(reads)} reads / 读取`);
  const reader = await BenchReader.open(consortium, reads);
  let left = reads;
  await Promise.all(Array.from({ length: readersAtOnce }, async () => {
    while (left-- > 0) await reader.read();
  }));
  const peak = peakMebibytes(pid);
  return [{
    id: 'P13', what: `peak resident memory of the publishing node over ${String(records)} records and ${String(reads)} reads`, unit: 'MiB', value: rounded(peak), goal: { at: 'most', value: 256 },
    baseline: { what: 'the same node started and at rest', mebibytes: rounded(atRest) }, conditions: conditionsOf(world, { records, reads, readersAtOnce, peakAfterEachPush: levels.map((level) => Math.round(level)) }),
    profile: `at rest ${String(Math.round(atRest))} MiB, after the first push ${String(Math.round(levels[0] ?? 0))}, after the last ${String(Math.round(levels.at(-1) ?? 0))}, after the reads ${String(Math.round(peak))}`,
  }];
};

/** VmHWM of /proc. */
export function peakMebibytes(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  return Number(found?.[1] ?? 0) / 1024;
}
