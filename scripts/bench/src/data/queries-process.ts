import pg from 'pg';
import { LevelStore } from '../../../../node/dist/adapters/level/level-store.js';
import { openKeys } from '../../../../node/dist/adapters/keys/node-keys.js';
import { systemClock as clock } from '../../../../node/dist/adapters/system/system-clock.js';
import { systemRandom as random } from '../../../../node/dist/adapters/system/system-random.js';
import { TemporaryRows } from '../../../../node/dist/adapters/rows/temporary-rows.js';
import { CountRecords } from '../../../../node/dist/core/columns/count-records.js';
import type { AggregateQuery } from '../../../../node/dist/core/columns/aggregate.js';
import { headerRowBytes } from '../../../../node/dist/core/columns/header-rows.js';
import { ReadModel } from '../../../../node/dist/core/indexing/read-model.js';
import { Vault } from '../../../../node/dist/core/vault/vault.js';
import { median } from '../statistics.js';
import { aggregations, pageSql, pointSql, queryTable } from './query-set.js';

/**
 * The same questions to a node's read model and to PostgreSQL, in one process: node queries-process.js FOLDER CONNECTION. Answers are held
 * against each other before anything is timed. Each message asks for one round of a measure.
 */
export interface RoundAsked {
  readonly what: 'aggregate' | 'page' | 'point';
  /** How often each side is asked. */
  readonly times: number;
}

/** Microseconds of one answer at the middle, by side; of aggregates by name too. */
export interface RoundTimes {
  readonly node: number;
  readonly postgresql: number;
  readonly each?: Readonly<Record<string, readonly [node: number, postgresql: number]>>;
}

export interface QueriesReady {
  readonly records: number;
  readonly owners: number;
  /** Of the columns, arrays and all. */
  readonly columnMebibytes: number;
  readonly buildSeconds: number;
}

const [folder = '', connectionString = ''] = process.argv.slice(2);
const pageSize = 20;
const keys = await openKeys(folder);
const store = await LevelStore.open(`${folder}/data`, { diskFloorBytes: 0 });
const readModel = new ReadModel(store);
const vault = new Vault(store, keys.vaultKeys, random, keys.memberId);
const counting = new CountRecords({ clock, file: TemporaryRows.open(`${folder}/headers.tmp`, headerRowBytes), memberId: keys.memberId, readModel, startAfter: 0, store, vault });
const client = new pg.Client({ connectionString });
await client.connect();

const before = process.memoryUsage();
const began = performance.now();
counting.start((error) => { throw error; });
const whole: AggregateQuery = { by: [], digits: 6, filter: {}, limit: 10_000, order: 'key' };
for (;;) {
  const { complete } = await counting.count(whole);
  if (complete.headers && complete.payloads) break;
  await new Promise((resolve) => setTimeout(resolve, 20));
}
const buildSeconds = (performance.now() - began) / 1000;
const columnMebibytes = (process.memoryUsage().arrayBuffers - before.arrayBuffers) / 2 ** 20;

for (const statement of queryTable) await client.query(statement);
const ids = (await client.query<{ record_id: string }>('SELECT record_id FROM records ORDER BY md5(record_id) LIMIT 20000')).rows.map(({ record_id }) => record_id);
const owners = (await client.query<{ owner: string }>('SELECT owner FROM records WHERE owner IS NOT NULL GROUP BY owner HAVING count(*) >= $1 ORDER BY md5(owner) LIMIT 2000', [pageSize])).rows.map(({ owner }) => owner);
const [{ project = '' } = {}] = (await client.query<{ project: string }>("SELECT project FROM records WHERE project <> '' ORDER BY md5(record_id) LIMIT 1")).rows;

const filled = aggregations.map((one) => ({
  ...one,
  values: one.values.map((value) => (value === '$project' ? project : value)),
  query: { ...whole, ...one.query, filter: Object.fromEntries(Object.entries(one.query.filter).map(([name, value]) => [name, value === '$project' ? project : value])) } as AggregateQuery,
}));

async function point(id: string): Promise<string> {
  return (await client.query<{ digest: string }>({ name: 'point', text: pointSql, values: [id] })).rows[0]?.digest ?? '';
}

async function page(owner: string): Promise<readonly string[]> {
  return (await client.query<{ digest: string }>({ name: 'page', text: pageSql, values: [owner] })).rows.map(({ digest }) => digest);
}

/** @throws where the two do not answer the same */
async function compare(): Promise<void> {
  for (const id of ids.slice(0, 200)) if (readModel.record(id)?.header.digest !== (await point(id))) throw new Error(`${id}: the two sides differ`);
  for (const owner of owners.slice(0, 50)) {
    const digests = (await readModel.records({ owner, limit: pageSize })).items.map(({ header }) => header.digest);
    if (digests.join() !== (await page(owner)).join()) throw new Error(`the page of ${owner}: the two sides differ`);
  }
  for (const { name, query, sql, values } of filled) {
    const mine = (await counting.count(query)).groups.map(({ key, records, sum }) => [records, ...Object.values(key), ...(sum === undefined ? [] : [sum])].join());
    const theirs = (await client.query<{ n: string }>({ text: sql, values: [...values] })).rows.map((row) => Object.values(row).join());
    if (mine.sort().join('\n') !== theirs.sort().join('\n')) throw new Error(`${name}: the two sides differ\n${mine.slice(0, 5).join('\n')}\n-\n${theirs.slice(0, 5).join('\n')}`);
  }
}

/** Microseconds of each call. */
async function timed(times: number, call: (turn: number) => unknown): Promise<number> {
  const found: number[] = [];
  for (let turn = 0; turn < times; turn += 1) {
    const started = performance.now();
    const answer = call(turn);
    if (answer instanceof Promise) await answer;
    found.push((performance.now() - started) * 1000);
  }
  return median(found);
}

let drawn = 0;
const next = <T>(from: readonly T[]): T => from[(drawn++ * 7919) % from.length] as T;

const rounds: Readonly<Record<RoundAsked['what'], (times: number) => Promise<RoundTimes>>> = {
  point: async (times) => ({ node: await timed(times, () => readModel.record(next(ids))), postgresql: await timed(times, async () => await point(next(ids))) }),
  page: async (times) => ({ node: await timed(times, async () => await readModel.records({ owner: next(owners), limit: pageSize })), postgresql: await timed(times, async () => await page(next(owners))) }),
  aggregate: async (times) => {
    const each: Record<string, readonly [number, number]> = {};
    for (const { name, query, sql, values } of filled) {
      const mine = await timed(times * 5, async () => await counting.count(query));
      each[name] = [mine, await timed(times, async () => await client.query({ name, text: sql, values: [...values] }))];
    }
    const pairs = Object.values(each);
    return { node: median(pairs.map(([mine]) => mine)), postgresql: median(pairs.map(([, theirs]) => theirs)), each };
  },
};

await compare();
process.on('message', ({ times, what }: RoundAsked) => {
  void rounds[what](times).then((result) => process.send?.(result));
});
process.on('disconnect', () => { process.exit(0); });
process.send?.({ buildSeconds, columnMebibytes, owners: owners.length, records: (await counting.count(whole)).groups[0]?.records ?? 0 } satisfies QueriesReady);
