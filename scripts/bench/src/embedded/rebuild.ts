import { execute, nodeProgram } from '../consortium.js';
import { push } from '../push.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { EmbeddedWorld } from './world.js';

/** P15: records a second when the read model is rebuilt from the ledger, against the push rate of the same run. */
export const measureRebuild: Measurer<EmbeddedWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  const pairs = await inPairs(scale.pairs, async (pair) => {
    const lines = await world.lines(scale.records);
    progress.step(`P15: push ${String(lines.length)} records, pair ${String(pair + 1)} / 推送`);
    const pushed = await push(consortium, 'guangzhou', lines);
    await consortium.whenLevel();
    return pushed.perSecond;
  }, async (pair) => {
    progress.step(`P15: the read model is rebuilt, pair ${String(pair + 1)} / 重建索引`);
    const versions = await consortium.recordVersions();
    await consortium.stopNode('guangzhou');
    const started = performance.now();
    await execute(process.execPath, [nodeProgram, 'reindex', '--state', consortium.nodeFolder('guangzhou'), '--json']);
    const seconds = (performance.now() - started) / 1000;
    await consortium.startNode('guangzhou');
    return { perSecond: versions / seconds, versions };
  });
  const ratios = spread(pairs.map(([pushed, rebuilt]) => rebuilt.perSecond / pushed));
  return [{
    id: 'P15', what: 'records a second when a read model is rebuilt from the ledger, against the push rate', unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'least', value: 2 },
    baseline: { what: 'push, end to end', recordsPerSecond: Math.round(median(pairs.map(([pushed]) => pushed))) },
    conditions: conditionsOf(world, { records: pairs.at(-1)?.[1].versions ?? 0, recordsPerSecond: Math.round(median(pairs.map(([, { perSecond }]) => perSecond))), counted: 'huilian reindex from its start to its end, all centres\' records' }),
  }];
};
