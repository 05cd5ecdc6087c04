import { execute, nodeProgram } from '../consortium.js';
import type { Measure } from '../measure.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import { whenMirrored } from './mirror.js';
import type { DataWorld } from './world.js';

/** P15: records a second when the read model, and when the mirror, is made again, against the push rate of the same run. */
export const measureRebuilds: Measurer<DataWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  const { pushes, records } = await world.filled();
  const pushed = median(pushes.map(({ perSecond }) => perSecond));
  await whenMirrored(world);
  const versions = await consortium.recordVersions();
  const pairs = await inPairs(scale.pairs, async (pair) => {
    progress.step(`P15: the read model is rebuilt, pair ${String(pair + 1)} / 重建索引`);
    await consortium.stopNode('guangzhou');
    const started = performance.now();
    await execute(process.execPath, [nodeProgram, 'reindex', '--state', consortium.nodeFolder('guangzhou'), '--json']);
    const seconds = (performance.now() - started) / 1000;
    await consortium.startNode('guangzhou');
    await consortium.whenLevel();
    return versions / seconds;
  }, async (pair) => {
    progress.step(`P15: the mirror is rebuilt, pair ${String(pair + 1)} / 重建镜像`);
    const started = performance.now();
    await consortium.call('guangzhou', 'POST', '/v1/mirror/rebuilds');
    await whenMirrored(world);
    return versions / ((performance.now() - started) / 1000);
  });
  const measure = (id: string, what: string, rates: readonly number[], counted: string): Measure => {
    const ratios = spread(rates.map((rate) => rate / pushed));
    return {
      id, what, unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'least', value: 2 },
      baseline: { what: 'push, end to end', recordsPerSecond: Math.round(pushed) },
      conditions: conditionsOf(world, { records, versions, recordsPerSecond: Math.round(median(rates)), counted }),
    };
  };
  return [
    measure('P15', 'records a second when a read model is rebuilt from the ledger, against the push rate', pairs.map(([rate]) => rate), "huilian reindex from its start to its end, all centres' records"),
    measure('P15-mirror', "records a second when the mirror in PostgreSQL is rebuilt, against the push rate", pairs.map(([, rate]) => rate), "from the order to the new tables in place of the old, all centres' records, own payloads opened"),
  ];
};
