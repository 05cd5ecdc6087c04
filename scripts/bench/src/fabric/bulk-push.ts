import { splitOf, processorTime, timeSince, total, type ProcessorTime } from '../processor-time.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import type { Measure } from '../measure.js';
import type { BaselineOrder, BaselineResult } from './baseline.js';
import { scanLedger } from './ledger-scan.js';
import { push, verifyPushed, type PushResult } from '../push.js';
import { conditionsOf, type Measurer } from '../world.js';
import { baselineAlone, sweep, type FabricWorld } from './world.js';

interface Costed extends BaselineResult {
  readonly processor: ProcessorTime;
  readonly blockBytes: number;
}

const keysPerTransaction = 500;

/** P1 and P4: bulk push against one JSON record a transaction. */
export const measureBulkPush: Measurer<FabricWorld> = async (world) => {
  const { consortium, scale } = world;
  const order = { kind: 'one', perTransaction: 1, warmMilliseconds: scale.warm, milliseconds: scale.window } as const;
  const swept = await sweep(world, order, [64, 128, 256, 450]);
  const from = await consortium.height();
  const { measure, runs, plain } = await compare(world, { ...order, concurrency: swept.best }, { id: 'P1', goal: 100, what: 'push end to end against one JSON record a transaction, times faster', swept: swept.byConcurrency });
  const scan = await scanLedger(consortium, from, (await consortium.height()) - 1);
  if (scan.invalid > 0) throw new Error(`${String(scan.invalid)} transactions were invalidated: the run does not count`);
  const verified = await verifyPushed(consortium, 'zhuhai', 'guangzhou', runs.flatMap(({ recordIds }) => recordIds), scan.headers);
  const superseding = await supersede(world, runs);
  const bytes = runs.reduce((sum, run) => sum + run.blockBytes, 0) / runs.reduce((sum, run) => sum + run.records, 0);
  const checked = { verified, transactions: scan.transactions, invalid: scan.invalid, recordsPerTransaction: Math.round(scan.headers.size / scan.publishTransactions) };
  return [
    { ...measure, conditions: { ...measure.conditions, ...checked, superseding } },
    {
      id: 'P4', what: 'ledger bytes a record with full headers, from block files, mean of the peers', unit: 'B', value: rounded(bytes, 4), goal: { at: 'most', value: 120 },
      baseline: { what: 'one JSON record a transaction', bytesPerRecord: Math.round(plain.reduce((sum, run) => sum + run.blockBytes, 0) / plain.reduce((sum, run) => sum + run.all, 0)) },
      conditions: conditionsOf(world, checked), profile: `${String(checked.recordsPerTransaction)} records a transaction`,
    },
  ];
};

/** P1b: bulk push against many keys a transaction. */
export const measureAgainstManyKeys: Measurer<FabricWorld> = async (world) => {
  const { scale } = world;
  const order = { kind: 'many', perTransaction: keysPerTransaction, warmMilliseconds: scale.warm, milliseconds: scale.window } as const;
  const swept = await sweep(world, order, [4, 8, 16, 32]);
  const { measure } = await compare(world, { ...order, concurrency: swept.best }, { id: 'P1b', goal: 5, what: `push end to end against one key a record, ${String(keysPerTransaction)} a transaction, times faster`, swept: swept.byConcurrency });
  return [measure];
};

/** New versions of records of the last push: apart from new records, for the ledger checks each against the one before. */
async function supersede(world: FabricWorld, runs: readonly MeasuredPush[]): Promise<Record<string, number>> {
  const { consortium, progress } = world;
  const lines = (runs.at(-1)?.lines ?? []).flatMap((line) => {
    const { data, kind } = JSON.parse(line) as { kind: string; data: { completion?: object } };
    return kind === 'performance' ? [JSON.stringify({ data: { ...data, completion: { ...data.completion, evaluation: '复核合格' } }, kind, supersede: true })] : [];
  });
  progress.step(`P1: ${String(lines.length)} superseding records / 更新记录`);
  const from = await consortium.height();
  const { blockBytes, perSecond, recordIds, records } = await push(consortium, 'guangzhou', lines);
  await consortium.whenLevel();
  const scan = await scanLedger(consortium, from, (await consortium.height()) - 1);
  if (scan.invalid > 0) throw new Error('a superseding transaction was invalidated: the run does not count');
  await verifyPushed(consortium, 'zhuhai', 'guangzhou', recordIds, scan.headers);
  return { records, recordsPerSecond: Math.round(perSecond), bytesPerRecord: Math.round(blockBytes / records) };
}

interface MeasuredPush extends PushResult {
  readonly lines: readonly string[];
}

interface Compared {
  readonly measure: Measure;
  readonly runs: readonly MeasuredPush[];
  readonly plain: readonly Costed[];
}

async function compare(world: FabricWorld, order: Omit<BaselineOrder, 'tag'>, about: { id: string; goal: number; what: string; swept: Readonly<Record<string, number>> }): Promise<Compared> {
  const { consortium, progress, scale } = world;
  progress.step(`${about.id}: a push that warms / 预热`);
  await push(consortium, 'guangzhou', await world.lines(Math.ceil(scale.records / 5)));
  await consortium.whenLevel();
  const pairs = await inPairs(scale.pairs, async (pair) => {
    const lines = await world.lines(scale.records);
    progress.step(`${about.id}: push ${String(lines.length)} records, pair ${String(pair + 1)} / 推送`);
    const pushed = await push(consortium, 'guangzhou', lines);
    await consortium.whenLevel();
    return { ...pushed, lines };
  }, async (pair) => {
    progress.step(`${about.id}: plain client, pair ${String(pair + 1)} / 对照`);
    return await costed(world, order);
  });
  const ratios = spread(pairs.map(([mine, plain]) => mine.perSecond / plain.perSecond));
  const [runs, plain] = [pairs.map(([mine]) => mine), pairs.map(([, other]) => other)];
  const measure: Measure = {
    id: about.id, what: about.what, unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'least', value: about.goal },
    baseline: {
      concurrency: order.concurrency, recordsPerSecond: Math.round(median(plain.map(({ perSecond }) => perSecond))), p50Milliseconds: Math.round(median(plain.map(({ p50 }) => p50))),
      processorMillisecondsPerRecord: rounded(median(plain.map((run) => total(run.processor) / run.all))), sweep: about.swept,
    },
    conditions: conditionsOf(world, {
      records: scale.records, recordsPerSecond: Math.round(median(runs.map(({ perSecond }) => perSecond))),
      acknowledgedPerSecond: Math.round(median(runs.map(({ acknowledgedAfter, records }) => records / acknowledgedAfter))),
      processorMicrosecondsPerRecord: Math.round(median(runs.map((run) => (1000 * total(run.processor)) / run.records))),
    }),
    profile: `processor time of a push: ${splitOf(runs.at(-1)?.processor ?? {})}`,
  };
  return { measure, runs, plain };
}

async function costed(world: FabricWorld, order: Omit<BaselineOrder, 'tag'>): Promise<Costed> {
  const { baseline, consortium } = world;
  const ids = { ...consortium.ledgerProcesses(), client: baseline.pid };
  const [before, blockBytes] = [processorTime(ids), consortium.blockBytes()];
  const result = await baselineAlone(world, order);
  return { ...result, processor: timeSince(before, ids), blockBytes: consortium.blockBytes() - blockBytes };
}
