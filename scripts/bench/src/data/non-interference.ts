import { programOf, type Postgresql } from '@huilian/local-postgresql';
import { execute, until } from '../consortium.js';
import { processorTime, splitOf, timeSince, total, type ProcessorTime } from '../processor-time.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import { CoresApart } from './cores-apart.js';
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
  const processes = { ...consortium.ledgerProcesses(), ...consortium.nodeProcesses() };
  const apart = await CoresApart.between({ database: database.pid ?? 0 }, processes);
  const reading = { rows: 0, processor: 0 };
  const spent: ProcessorTime[] = [];
  const pairs = await inPairs(scale.pairs, async (pair) => {
    progress.step(`non-interference: pgbench alone, pair ${String(pair + 1)} / 仅业务负载`);
    // What came in before still goes to the ledger, and must not meet the transactions without it.
    await until(async () => (await consortium.status('guangzhou')).outbox.pending === 0, 50, 600_000);
    await consortium.whenLevel();
    return await transactionsPerSecond(database, seconds, apart);
  }, async (pair) => {
    progress.step(`non-interference: pgbench while the node reads, pair ${String(pair + 1)} / 同步期间的业务负载`);
    await consortium.call('guangzhou', 'POST', `/v1/sources/${source}/runs`, {});
    const before = processorTime(processes);
    const rate = await transactionsPerSecond(database, seconds, apart);
    spent.push(timeSince(before, processes));
    reading.processor += await processorOfReading(database);
    // Refused where the run has ended: then it did not last as long as the transactions, and the measure does not count.
    const run = (await consortium.call('guangzhou', 'DELETE', `/v1/sources/${source}/runs/current`)) as { readonly accepted: number; readonly refused: number };
    if (run.refused > 0) throw new Error(`${String(run.refused)} rows were refused`);
    reading.rows += run.accepted;
    return rate;
  }).finally(async () => { await apart.end(); });
  const aSecond = (milliseconds: number): string => `${String(rounded(milliseconds / (seconds * scale.pairs)))} ms a second`;
  const ratios = spread(pairs.map(([alone, meanwhile]) => meanwhile / alone));
  return [{
    id: 'non-interference', what: "transactions a second of a platform's database while the node reads it, against those without", unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'least', value: 0.95 },
    baseline: { what: `pgbench, ${String(clients)} clients, scale ${String(size)}, ${String(seconds)} s`, transactionsPerSecond: Math.round(median(pairs.map(([alone]) => alone))) },
    conditions: conditionsOf(world, {
      transactionsPerSecond: Math.round(median(pairs.map(([, meanwhile]) => meanwhile))), rows: reading.rows, rowsPerSecondRead: Math.round(reading.rows / (seconds * scale.pairs)), limits: 'the defaults of a PostgreSQL source',
      processorOfReading: { database: aSecond(reading.processor), consortium: aSecond(spent.reduce((sum, time) => sum + total(time), 0)) }, placement: apart.words,
    }),
    profile: `processor time of the consortium while reading: ${splitOf(byProcess(spent))}`,
  }];
};

/** Each process by itself: which of the nodes it was tells more than that it was one. */
function byProcess(spent: readonly ProcessorTime[]): ProcessorTime {
  const names = Object.keys(spent[0] ?? {});
  return Object.fromEntries(names.map((name) => [name.replace('node.', ''), spent.reduce((sum, time) => sum + (time[name] ?? 0), 0)]));
}

async function preparePlatform(database: Postgresql, rows: number): Promise<void> {
  await execute(programOf('pgbench'), ['-i', '-q', '-s', String(size), ...connectionOf(database)]);
  await database.query(`CREATE SCHEMA platform;
    CREATE TABLE platform.qualification AS SELECT '91440105MA6NNHC07C' AS "统一社会信用代码", '广州溪午示例园林有限公司' AS "法人名称", '机电工程施工总承包' AS "资质名称", 'A10102' AS "资质序列行业和专业类别",
      '03' AS "资质等级", 'D45' || lpad(n::text, 11, '0') AS "资质证书编号", '20200702' AS "发证日期", '20280626' AS "资质证书有效期截止日期", '示例住房和城乡建设部门' AS "发证机关" FROM generate_series(1, ${String(rows)}) AS n;
    ALTER TABLE platform.qualification ADD PRIMARY KEY ("资质证书编号");
    CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA platform TO reader; GRANT SELECT ON platform.qualification TO reader`);
  await database.query('VACUUM ANALYZE platform.qualification');
}

/** Its own tables are put in order before each run, as pgbench does where nobody forbids it. */
async function transactionsPerSecond(database: Postgresql, seconds: number, apart: CoresApart): Promise<number> {
  const [command = '', ...args] = apart.besideTheFirst([programOf('pgbench'), '-c', String(clients), '-T', String(seconds), ...connectionOf(database)]);
  const { stdout } = await execute(command, args);
  const found = /^tps = ([0-9.]+)/m.exec(stdout);
  if (found === null) throw new Error(`pgbench said no rate: ${stdout.slice(0, 300)}`);
  return Number(found[1]);
}

/** Milliseconds of processor time that the run under way cost the database. */
async function processorOfReading(database: Postgresql): Promise<number> {
  const sessions = await database.query<{ readonly pid: number }>("SELECT pid FROM pg_stat_activity WHERE application_name = 'huilian'");
  return total(processorTime(Object.fromEntries(sessions.map(({ pid }) => [String(pid), pid]))));
}

function connectionOf({ folder }: Postgresql): readonly string[] {
  return ['-h', folder, '-U', 'owner', 'postgres'];
}
