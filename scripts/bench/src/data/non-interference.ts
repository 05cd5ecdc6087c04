import type { Postgresql } from '@huilian/local-postgresql';
import { programOf } from '@huilian/local-postgresql';
import { execute } from '../consortium.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { DataWorld } from './world.js';

/** Clients of pgbench, and the size of its tables in its own units. */
const [clients, size] = [4, 5];
const source = 'platform';
/** Rows a second that a source reads at most where nothing else is set; the table has twice as many for each second of the runs. */
const rowsPerSecond = 500;

/** non-interference: transactions a second of pgbench on a platform's database while the node reads a table of it, against the same without. */
export const measureNonInterference: Measurer<DataWorld> = async (world) => {
  const { consortium, database, progress, scale } = world;
  const seconds = Math.max(2, Math.round(scale.window / 1000));
  const rows = 2 * rowsPerSecond * (seconds + 2) * scale.pairs;
  progress.step(`non-interference: a platform's table of ${String(rows)} rows, and pgbench's own / 准备数据库`);
  await preparePlatform(database, rows);
  consortium.reconfigure('guangzhou', {
    mirror: undefined,
    sources: { [source]: { type: 'postgresql', host: database.folder, database: 'postgres', user: 'reader', table: 'platform.qualification', key: ['资质证书编号'], kind: 'qualification' } },
  });
  await consortium.stopNode('guangzhou');
  await consortium.startNode('guangzhou');
  let read = 0;
  const pairs = await inPairs(scale.pairs, async (pair) => {
    progress.step(`non-interference: pgbench alone, pair ${String(pair + 1)} / 仅业务负载`);
    await consortium.whenLevel();
    return await transactionsPerSecond(database, seconds);
  }, async (pair) => {
    progress.step(`non-interference: pgbench while the node reads, pair ${String(pair + 1)} / 同步期间的业务负载`);
    await consortium.call('guangzhou', 'POST', `/v1/sources/${source}/runs`, {});
    const rate = await transactionsPerSecond(database, seconds);
    // Refused where the run has ended: then it did not last as long as the transactions, and the measure does not count.
    const run = (await consortium.call('guangzhou', 'DELETE', `/v1/sources/${source}/runs/current`)) as { readonly accepted: number; readonly refused: number };
    if (run.refused > 0) throw new Error(`${String(run.refused)} rows were refused`);
    read += run.accepted;
    return rate;
  });
  const ratios = spread(pairs.map(([alone, meanwhile]) => meanwhile / alone));
  return [{
    id: 'non-interference', what: "transactions a second of a platform's database while the node reads it, against those without", unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'least', value: 0.95 },
    baseline: { what: `pgbench, ${String(clients)} clients, scale ${String(size)}, ${String(seconds)} s`, transactionsPerSecond: Math.round(median(pairs.map(([alone]) => alone))) },
    conditions: conditionsOf(world, { transactionsPerSecond: Math.round(median(pairs.map(([, meanwhile]) => meanwhile))), rows: read, rowsPerSecondRead: Math.round(read / (seconds * scale.pairs)), limits: 'the defaults of a PostgreSQL source' }),
  }];
};

async function preparePlatform(database: Postgresql, rows: number): Promise<void> {
  await execute(programOf('pgbench'), ['-i', '-q', '-s', String(size), ...connectionOf(database)]);
  await database.query(`CREATE SCHEMA platform;
    CREATE TABLE platform.qualification AS SELECT '91440105MA6NNHC07C' AS "统一社会信用代码", '广州溪午示例园林有限公司' AS "法人名称", '机电工程施工总承包' AS "资质名称", 'A10102' AS "资质序列行业和专业类别",
      '03' AS "资质等级", 'D45' || lpad(n::text, 11, '0') AS "资质证书编号", '20200702' AS "发证日期", '20280626' AS "资质证书有效期截止日期", '示例住房和城乡建设部门' AS "发证机关" FROM generate_series(1, ${String(rows)}) AS n;
    ALTER TABLE platform.qualification ADD PRIMARY KEY ("资质证书编号");
    CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA platform TO reader; GRANT SELECT ON platform.qualification TO reader`);
  await database.query('VACUUM ANALYZE platform.qualification');
}

async function transactionsPerSecond(database: Postgresql, seconds: number): Promise<number> {
  const { stdout } = await execute(programOf('pgbench'), ['-n', '-c', String(clients), '-T', String(seconds), ...connectionOf(database)]);
  const found = /^tps = ([0-9.]+)/m.exec(stdout);
  if (found === null) throw new Error(`pgbench said no rate: ${stdout.slice(0, 300)}`);
  return Number(found[1]);
}

function connectionOf({ folder }: Postgresql): readonly string[] {
  return ['-h', folder, '-U', 'owner', 'postgres'];
}
