import { inPairs, median, percentile, rounded } from './statistics.js';
import { push } from './push.js';
import { conditionsOf, type Measurer, type World } from './world.js';

const pointReads = 300;
const pages = 100;
const repeats = 3;

/** What is looked at when the store holds so many records. */
interface Level {
  readonly held: number;
  readonly pushPerSecond: number;
  readonly readMilliseconds: number;
  readonly queryMilliseconds: number;
  readonly bytesPerRecord: number;
  readonly restartSeconds: number;
}

/** P11: the same things at N records and at ten times as many; the worst of their ratios. */
export const measureGrowth: Measurer<World> = async (world) => {
  const size = world.scale.records;
  const small = await levelAt(world, size);
  const large = await levelAt(world, size * 10);
  const growth = {
    push: small.pushPerSecond / large.pushPerSecond, read: large.readMilliseconds / small.readMilliseconds, query: large.queryMilliseconds / small.queryMilliseconds,
    bytes: large.bytesPerRecord / small.bytesPerRecord, restart: large.restartSeconds / small.restartSeconds,
  };
  const [worst = ''] = Object.entries(growth).sort(([, left], [, right]) => right - left)[0] ?? [];
  return [{
    id: 'P11', what: `growth from ${String(size)} to ${String(size * 10)} records: the worst of push, read, query, bytes, restart`, unit: 'x', value: rounded(Math.max(...Object.values(growth))),
    goal: { at: 'most', value: 1.15 }, baseline: { ...small }, conditions: conditionsOf(world, { ...large, growth: Object.fromEntries(Object.entries(growth).map(([name, ratio]) => [name, rounded(ratio)])) }),
    profile: `the worst is ${worst}`,
  }];
};

async function levelAt(world: World, held: number): Promise<Level> {
  const { consortium, progress } = world;
  progress.step(`P11: the store is filled to ${String(held)} / 数据量 ${String(held)}`);
  const sample = Math.max(1000, Math.min(Math.floor(world.scale.records / 2), 10_000));
  const have = (await consortium.status('guangzhou')).outbox.settled;
  // The pushes that are measured end about where the level is.
  for (let missing = held - have - 2 * sample; missing > 0; missing -= 20_000) await push(consortium, 'guangzhou', await world.lines(Math.min(missing, 20_000)));
  await consortium.whenLevel();
  progress.step(`P11: pushes, reads, queries, restarts at ${String(held)} / 测量`);
  const pushes = await inPairs(repeats, async () => {
    const pushed = await push(consortium, 'guangzhou', await world.lines(sample));
    await consortium.whenLevel();
    return pushed;
  }, async () => Promise.resolve());
  const ids = pushes.flatMap(([{ recordIds }]) => recordIds);
  const [readMilliseconds, queryMilliseconds] = [await pointRead(world, ids), await ownerPage(world)];
  const restarts: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    await consortium.stopNode('guangzhou');
    restarts.push(await consortium.startNode('guangzhou'));
  }
  return {
    held: (await consortium.status('guangzhou')).outbox.settled, readMilliseconds, queryMilliseconds,
    pushPerSecond: median(pushes.map(([{ perSecond }]) => perSecond)),
    bytesPerRecord: median(pushes.map(([{ blockBytes, records }]) => blockBytes / records)),
    restartSeconds: median(restarts),
  };
}

async function timed(times: number, call: (index: number) => Promise<unknown>): Promise<number> {
  const latencies: number[] = [];
  for (let index = 0; index < times; index++) {
    const started = performance.now();
    await call(index);
    latencies.push(performance.now() - started);
  }
  return percentile(latencies, 0.5);
}

/** Record and place of its header, by id. */
async function pointRead({ consortium }: World, ids: readonly string[]): Promise<number> {
  const at = (index: number): string => ids[(index * 7919) % ids.length] ?? '';
  return await timed(pointReads, async (index) => await consortium.get('guangzhou', `/v1/records/${at(index)}`));
}

/** A page of 20 of one kind, from the beginning. */
async function ownerPage({ consortium }: World): Promise<number> {
  const kinds = ['performance', 'personnel', 'qualification', 'credit'];
  return await timed(pages, async (index) => await consortium.get('guangzhou', `/v1/records?publisher=guangzhou&kind=${kinds[index % kinds.length] ?? ''}&limit=20`));
}
