import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Measure } from '../measure.js';
import { median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import { whenMirrored } from './mirror.js';
import type { QueriesReady, RoundAsked, RoundTimes } from './queries-process.js';
import type { DataWorld } from './world.js';

/** How often each side is asked in a round. */
const times = { aggregate: 5, page: 300, point: 2000 } as const;

/** P8: the same questions to the read model and columns of a node, and to PostgreSQL on a unix socket, in one process, in turns. */
export const measureQueries: Measurer<DataWorld> = async (world) => {
  const { consortium, database, progress, scale } = world;
  await world.filled();
  progress.step("P8: the database has what the node has / 数据库追上节点");
  await whenMirrored(world);
  // A store has one process.
  await consortium.stopNode('guangzhou');
  const child = fork(fileURLToPath(new URL('./queries-process.js', import.meta.url)), [consortium.nodeFolder('guangzhou'), database.connectionString()], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  try {
    progress.step('P8: columns are built, answers are compared / 构建列存并比对结果');
    const ready = (await told(child)) as QueriesReady;
    const rounds: Record<RoundAsked['what'], RoundTimes[]> = { point: [], page: [], aggregate: [] };
    for (let pair = 0; pair <= scale.pairs; pair += 1) {
      if (pair > 0) progress.step(`P8: asked in turns, round ${String(pair)} / 轮流查询`);
      for (const what of ['point', 'page', 'aggregate'] as const) {
        child.send({ what, times: times[what] } satisfies RoundAsked);
        const result = (await told(child)) as RoundTimes;
        // The first warms both sides.
        if (pair > 0) rounds[what].push(result);
      }
    }
    return [
      measure(world, 'P8-point', 'reads of one record by its id, times faster than PostgreSQL 15', 5, rounds.point, ready),
      measure(world, 'P8-page', "newest 20 records of an owner, times faster than PostgreSQL 15", 2, rounds.page, ready),
      aggregates(world, rounds.aggregate, ready),
    ];
  } finally {
    child.disconnect();
    await consortium.startNode('guangzhou');
  }
};

const baseline = 'PostgreSQL 15, prepared statements, unix socket, the same records in one table with the same indexes';
const counted = 'in the process that asks, so without HTTP; PostgreSQL by its client in the same process';

function measure(world: DataWorld, id: string, what: string, least: number, rounds: readonly RoundTimes[], { owners, records }: QueriesReady): Measure {
  const ratios = spread(rounds.map(({ node, postgresql }) => postgresql / node));
  return {
    id, what, unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'least', value: least },
    baseline: { what: baseline, microseconds: rounded(median(rounds.map(({ postgresql }) => postgresql))) },
    conditions: conditionsOf(world, { records, owners, microseconds: rounded(median(rounds.map(({ node }) => node))), counted }),
  };
}

/** The slowest of the set counts: none may be slower than its goal. */
function aggregates(world: DataWorld, rounds: readonly RoundTimes[], { buildSeconds, columnMebibytes, records }: QueriesReady): Measure {
  const names = Object.keys(rounds[0]?.each ?? {});
  const of = (name: string, side: 0 | 1): number => median(rounds.map(({ each = {} }) => each[name]?.[side] ?? Number.NaN));
  const ratios = Object.fromEntries(names.map((name) => [name, of(name, 1) / of(name, 0)]));
  const all = Object.values(ratios);
  return {
    id: 'P8-aggregate', what: 'aggregates, the middle of the set, times faster than PostgreSQL 15', unit: 'x', value: rounded(median(all)), range: [rounded(Math.min(...all)), rounded(Math.max(...all))], goal: { at: 'least', value: 50 },
    baseline: { what: baseline, microseconds: Object.fromEntries(names.map((name) => [name, rounded(of(name, 1))])) },
    conditions: conditionsOf(world, {
      records, columnMebibytes: rounded(columnMebibytes), buildSeconds: rounded(buildSeconds), microseconds: Object.fromEntries(names.map((name) => [name, rounded(of(name, 0))])), counted,
      timesFaster: Object.fromEntries(names.map((name) => [name, rounded(ratios[name] ?? Number.NaN)])),
    }),
  };
}

async function told(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  try {
    const [message] = (await Promise.race([
      once(child, 'message', { signal: ended.signal }),
      once(child, 'exit', { signal: ended.signal }).then(() => { throw new Error('the process that asks has ended'); }),
    ])) as [unknown];
    return message;
  } finally {
    ended.abort();
  }
}
