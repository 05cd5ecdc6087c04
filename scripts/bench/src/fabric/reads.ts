import { splitOf, processorTime, timeSince, total, type ProcessorTime } from '../processor-time.js';
import { inPairs, median, percentile, rounded, spread } from '../statistics.js';
import type { Measure } from '../measure.js';
import { BenchReader } from '../reader.js';
import { scanLedger } from './ledger-scan.js';
import { conditionsOf, type Measurer } from '../world.js';
import { baselineAlone, sweep, type FabricWorld } from './world.js';

const readsAPair = 8;
const readers = 250;
const access = { kind: 'access', perTransaction: 1 } as const;

/** P6: a read with a new ticket against one bare access transaction; P6b: many readers at once against many bare ones. */
export const measureReads: Measurer<FabricWorld> = async (world) => {
  const { consortium, progress } = world;
  const reader = await BenchReader.open(consortium, 100_000);
  const from = await consortium.height();
  for (let warm = 0; warm < 3; warm++) await reader.read();
  const bulk = await againstBareSubmit(world, reader, 'bulk');
  const packed = await packedReads(world, reader);
  progress.step('the channel is changed to low latency / 切换低延迟出块');
  await consortium.batching('low-latency');
  const lowLatency = await againstBareSubmit(world, reader, 'low-latency');
  await consortium.batching('bulk');
  const scan = await scanLedger(consortium, from, (await consortium.height()) - 1);
  const facts = { transactions: scan.transactions, invalidated: scan.invalid };
  return [
    {
      id: 'P6', what: 'read with a new ticket, verified, against one bare access transaction, p50 on the bulk profile', unit: 'x', value: rounded(bulk.ratio.median), range: [rounded(bulk.ratio.min), rounded(bulk.ratio.max)],
      goal: { at: 'most', value: 1.1 }, baseline: { what: 'bare submit, three reads and a write', p50Milliseconds: Math.round(bulk.bare) },
      conditions: conditionsOf(world, { ...facts, readP50Milliseconds: Math.round(bulk.read), readsAPair, lowLatency: { ratio: rounded(lowLatency.ratio.median), readP50Milliseconds: Math.round(lowLatency.read), bareP50Milliseconds: Math.round(lowLatency.bare) } }),
      profile: `processor time of a read: ${splitOf(bulk.processor)}`,
    },
    { ...packed, conditions: { ...packed.conditions, ...facts } },
  ];
};

interface AgainstBare {
  readonly ratio: { readonly median: number; readonly min: number; readonly max: number };
  readonly read: number;
  readonly bare: number;
  readonly processor: ProcessorTime;
}

/** One caller each, in turns. */
async function againstBareSubmit(world: FabricWorld, reader: BenchReader, profile: string): Promise<AgainstBare> {
  const { baseline, consortium, progress, scale } = world;
  const ids = { ...consortium.ledgerProcesses(), ...consortium.nodeProcesses(), client: process.pid };
  let processor: ProcessorTime = {};
  const pairs = await inPairs(scale.pairs, async (pair) => {
    progress.step(`P6 ${profile}: reads, pair ${String(pair + 1)} / 授权读取`);
    const before = processorTime(ids);
    const latencies: number[] = [];
    for (let read = 0; read < readsAPair; read++) {
      const started = performance.now();
      await reader.read();
      latencies.push(performance.now() - started);
    }
    processor = timeSince(before, ids);
    return percentile(latencies, 0.5);
  }, async () => (await baseline.run({ ...access, concurrency: 1, warmMilliseconds: 0, milliseconds: 60_000, most: readsAPair })).p50);
  return { ratio: spread(pairs.map(([read, bare]) => read / bare)), read: median(pairs.map(([read]) => read)), bare: median(pairs.map(([, bare]) => bare)), processor };
}

async function packedReads(world: FabricWorld, reader: BenchReader): Promise<Measure> {
  const { consortium, progress, scale } = world;
  const order = { ...access, warmMilliseconds: scale.warm, milliseconds: scale.window };
  const swept = await sweep(world, order, [64, 128, 256, 450]);
  const ids = { ...consortium.ledgerProcesses(), ...consortium.nodeProcesses(), client: process.pid };
  let processor: ProcessorTime = {};
  const costs: number[] = [];
  const pairs = await inPairs(scale.pairs, async (pair) => {
    progress.step(`P6b: ${String(readers)} readers at once, pair ${String(pair + 1)} / 并发读取`);
    const before = processorTime(ids);
    const { rate, reads } = await readAtOnce(world, reader);
    processor = timeSince(before, ids);
    costs.push(total(processor) / reads);
    return rate;
  }, async () => (await baselineAlone(world, { ...order, concurrency: swept.best })).perSecond);
  const ratios = spread(pairs.map(([mine, bare]) => mine / bare));
  return {
    id: 'P6b', what: 'reads a second of many readers at once against bare access transactions a second, best of a sweep', unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)],
    goal: { at: 'least', value: 20 }, baseline: { transactionsPerSecond: Math.round(median(pairs.map(([, bare]) => bare))), concurrency: swept.best, sweep: swept.byConcurrency },
    conditions: conditionsOf(world, { readers, readsPerSecond: Math.round(median(pairs.map(([mine]) => mine))), processorMillisecondsPerRead: rounded(median(costs)) }),
    profile: `processor time of packed reads: ${splitOf(processor)}`,
  };
}

/**
 * Closed loop: every reader starts its next read when its last was decrypted and verified. Whole reads over the whole
 * time: packed reads end together, so that a window would count a pack or miss it.
 */
async function readAtOnce({ scale }: FabricWorld, reader: BenchReader): Promise<{ readonly rate: number; readonly reads: number }> {
  const started = performance.now();
  const until = started + scale.warm + scale.window;
  let reads = 0;
  const caller = async (): Promise<void> => {
    do {
      await reader.read();
      reads += 1;
    } while (performance.now() < until);
  };
  await Promise.all(Array.from({ length: readers }, caller));
  return { rate: reads / ((performance.now() - started) / 1000), reads };
}
