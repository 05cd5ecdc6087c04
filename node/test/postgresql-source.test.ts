import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { Postgresql } from '@huilian/local-postgresql';
import { PostgresqlSource, type PostgresqlSettings } from '../src/adapters/sources/postgresql-source.js';
import { postgresqlTest as test } from './postgresql.js';
import { readSource, type ReadSource } from './read-source.js';

describe('a table of a running PostgreSQL', () => {
  let server: Postgresql;

  beforeAll(async () => {
    server = await Postgresql.start();
    await server.query('CREATE ROLE reader LOGIN; CREATE SCHEMA platform; GRANT USAGE ON SCHEMA platform TO reader; ALTER DEFAULT PRIVILEGES IN SCHEMA platform GRANT SELECT ON TABLES TO reader');
  });

  afterAll(async () => { await server.stop(); });

  beforeEach(async () => {
    await server.query('DROP TABLE IF EXISTS platform.firm; CREATE TABLE platform.firm (id bigint PRIMARY KEY, "法人名称" text, capital numeric(24,4), founded date, changed timestamptz DEFAULT now())');
  });

  const settings = (more: Partial<PostgresqlSettings> = {}): PostgresqlSettings => ({
    columns: ['法人名称', 'capital', 'founded'], database: 'postgres', fullEveryHours: 0, host: server.folder, key: ['id'],
    lockMilliseconds: 2000, name: 'firms', pageRows: 3, port: 5432, rowsPerSecond: 1_000_000, statementMilliseconds: 10_000, table: 'platform.firm', user: 'reader', ...more,
  });
  const marked = (more: Partial<PostgresqlSettings> = {}): PostgresqlSettings => settings({ watermark: { column: 'changed', overlap: 60 }, ...more });
  const fill = async (from: number, to: number, changed = 'now()'): Promise<void> => {
    await server.query(`INSERT INTO platform.firm SELECT n, '示例' || n, 0.1 * n, date '2026-01-01' + n, ${changed} FROM generate_series(${String(from)}, ${String(to)}) n`);
  };
  const cells = (read: ReadSource): string[] => read.rows.map((row) => row.slice(row.indexOf(' ') + 1));
  const firm = (n: number): string => `示例${String(n)}|${(n / 10).toFixed(4)}|2026-01-${String(n + 1).padStart(2, '0')}`;

  test('gives all rows by key, exactly as they are, and goes on from any of them', async () => {
    await fill(1, 10);
    await server.query("INSERT INTO platform.firm VALUES (11, NULL, 90071992547409930.0001, '2026-02-03', NULL)");
    const source = new PostgresqlSource(settings());
    const whole = await readSource(source);
    expect(whole.failure).toBeUndefined();
    expect(cells(whole)).toEqual([...Array.from({ length: 10 }, (_, index) => firm(index + 1)), '|90071992547409930.0001|2026-02-03']);
    expect(whole.rows[10]?.startsWith('11: ')).toBe(true);
    for (const at of [0, 2, 5, 9]) expect((await readSource(new PostgresqlSource(settings()), { from: whole.positions[at] ?? {} })).rows).toEqual(whole.rows.slice(at + 1));
  });

  test('by watermark gives what changed since, and a late transaction within the overlap', async () => {
    await fill(1, 5, "now() - interval '1 hour'");
    const source = new PostgresqlSource(marked());
    const first = await readSource(source);
    expect(first.rows).toHaveLength(5);
    const [end = {}] = first.ends;
    expect(cells(await readSource(source, { from: end }))).toEqual([1, 2, 3, 4, 5].map(firm));
    await server.query("UPDATE platform.firm SET changed = now() - interval '1 day' WHERE id < 5");
    await fill(6, 9);
    const second = await readSource(source, { from: end });
    expect(cells(second)).toEqual([5, 6, 7, 8, 9].map(firm));
    // A row of a transaction that began before the last pass and was committed after it.
    await fill(10, 10, "now() - interval '30 seconds'");
    expect(cells(await readSource(source, { from: second.ends[0] ?? {} }))).toEqual([10, 6, 7, 8, 9].map(firm));
    // In the middle of a pass: behind the row, though others came meanwhile.
    expect(cells(await readSource(source, { from: second.positions[1] ?? {} }))).toEqual([7, 8, 9].map(firm));
  });

  test('by a number that grows', async () => {
    await fill(1, 4);
    const numbered = settings({ watermark: { column: 'id', overlap: 1 } });
    const { ends: [end = {}] } = await readSource(new PostgresqlSource(numbered));
    await fill(5, 6);
    expect(cells(await readSource(new PostgresqlSource(numbered), { from: end }))).toEqual([3, 4, 5, 6].map(firm));
  });

  test('an empty table that fills later', async () => {
    const source = new PostgresqlSource(marked());
    const { ends: [end = {}], rows } = await readSource(source);
    expect(rows).toEqual([]);
    await fill(1, 2, "timestamptz '2001-01-01'");
    expect(cells(await readSource(source, { from: end }))).toEqual([1, 2].map(firm));
  });

  test('a watermark ahead of the clock is told, and hides nothing that comes after it', async () => {
    await fill(1, 1);
    await fill(2, 2, "now() + interval '1 day'");
    const source = new PostgresqlSource(marked());
    const { ends: [end = {}] } = await readSource(source);
    await fill(3, 3);
    const second = await readSource(source, { from: end });
    expect(cells(second)).toEqual([1, 3, 2].map(firm));
    expect(second.warnings).toMatchObject([{ code: 'watermark-ahead-of-clock' }]);
  });

  test('a clock that was set is told, and reading goes back as far', async () => {
    await fill(1, 1, "now() - interval '2 hours'");
    let machine = Date.now();
    const source = new PostgresqlSource(marked(), () => machine);
    const { ends: [end = {}] } = await readSource(source);
    await fill(2, 2);
    const { ends: [later = {}] } = await readSource(source, { from: end });
    // As if the database's clock had been an hour ahead then: a row written since then seems to be older than the last pass.
    machine += 3_600_000;
    await fill(3, 3, "now() - interval '50 minutes'");
    const read = await readSource(source, { from: later });
    expect(cells(read)).toEqual([3, 2].map(firm));
    expect(read.warnings).toMatchObject([{ code: 'clock-jumped', details: { seconds: 3600 } }]);
  });

  test('all rows again after a while, for what no watermark told', async () => {
    await fill(1, 3, "now() - interval '1 day'");
    let machine = Date.now();
    const source = new PostgresqlSource(marked({ fullEveryHours: 1 }), () => machine);
    const { ends: [end = {}] } = await readSource(source);
    await server.query(`UPDATE platform.firm SET "法人名称" = 'unmarked' WHERE id = 1`);
    machine += 3_700_000;
    expect(cells(await readSource(source, { from: end }))[0]).toBe('unmarked|0.1000|2026-01-02');
  });

  test('a row of 10 MB is refused by its number and never comes here', async () => {
    await fill(1, 3);
    await server.query(`UPDATE platform.firm SET "法人名称" = repeat('长', 3400000) WHERE id = 2`);
    expect((await readSource(new PostgresqlSource(settings()))).rows).toEqual([`1: ${firm(1)}`, '2: ROW_TOO_LONG', `3: ${firm(3)}`]);
  });

  test('a column that is lost is named, and back it goes on', async () => {
    await fill(1, 5);
    const all = settings();
    const { columns: _all, ...every } = all;
    const { positions } = await readSource(new PostgresqlSource(every));
    await server.query('ALTER TABLE platform.firm RENAME COLUMN founded TO born');
    for (const lost of [all, every]) {
      expect((await readSource(new PostgresqlSource(lost), { from: positions[1] ?? {} })).failure).toEqual({ code: 'SOURCE_CHANGED', details: { column: 'founded', reason: 'column-missing' } });
    }
    await server.query('ALTER TABLE platform.firm RENAME COLUMN born TO founded');
    expect((await readSource(new PostgresqlSource(every), { from: positions[1] ?? {} })).rows).toHaveLength(3);
  });

  test.each<[string, Partial<PostgresqlSettings>, string, string]>([
    ['no such table', { table: 'platform.other' }, 'SOURCE_CHANGED', 'table-missing'],
    ['a table that the account may not read', { table: 'public.secret' }, 'SOURCE_UNREADABLE', 'no-right-to-read'],
    ['an account that there is not', { user: 'nobody-here' }, 'SOURCE_UNAVAILABLE', 'sign-in-refused'],
    ['a database that there is not', { database: 'other' }, 'SOURCE_UNAVAILABLE', 'no-such-database'],
    ['a name that would be SQL', { table: 'platform.firm"; DROP SCHEMA platform CASCADE; --' }, 'SOURCE_CHANGED', 'table-missing'],
  ])('%s', async (_name, more, code, reason) => {
    await server.query('CREATE TABLE IF NOT EXISTS secret (id bigint PRIMARY KEY, "法人名称" text, capital numeric, founded date)');
    expect((await readSource(new PostgresqlSource(settings(more)))).failure).toMatchObject({ code, details: { reason } });
  });

  test('an account that could write is told of', async () => {
    await fill(1, 1);
    expect((await readSource(new PostgresqlSource(settings({ user: 'owner' })))).warnings).toEqual([{ code: 'account-may-write', details: { source: 'firms' } }]);
    expect((await readSource(new PostgresqlSource(settings()))).warnings).toEqual([]);
  });

  test('takes no lock beyond ACCESS SHARE, holds none between pages, and gives way to who locks the table', async () => {
    await fill(1, 30);
    const source = new PostgresqlSource(settings({ rowsPerSecond: 30 }));
    const modes = new Set<string>();
    let isReading = true;
    const watching = (async () => {
      while (isReading) {
        const locks = await server.query<{ mode: string }>("SELECT l.mode FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.application_name = 'huilian' AND l.locktype = 'relation'");
        for (const { mode } of locks) modes.add(mode);
        const [open] = await server.query<{ count: string }>("SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'huilian' AND state = 'idle in transaction' AND xact_start < now() - interval '500 milliseconds'");
        expect(open?.count).toBe('0');
      }
    })();
    // A change of the table's form needs the strongest lock; it is not kept waiting.
    const altering = (async () => {
      for (let at = 0; at < 5; at += 1) await server.query('ALTER TABLE platform.firm ADD COLUMN more text; ALTER TABLE platform.firm DROP COLUMN more');
    })();
    const read = await readSource(source);
    isReading = false;
    await Promise.all([watching, altering]);
    expect(read.rows).toHaveLength(30);
    expect([...modes].filter((mode) => mode !== 'AccessShareLock')).toEqual([]);
  });

  test('waits for a locked table no longer than it may', async () => {
    await fill(1, 1);
    const locker = new pg.Client({ connectionString: server.connectionString() });
    await locker.connect();
    try {
      await locker.query('BEGIN; LOCK TABLE platform.firm IN ACCESS EXCLUSIVE MODE');
      expect((await readSource(new PostgresqlSource(settings({ lockMilliseconds: 100 })))).failure).toMatchObject({ code: 'SOURCE_UNAVAILABLE', details: { reason: 'lock-timeout' } });
    } finally {
      await locker.end();
    }
  });

  test('a database that restarts in the middle: the rows before it are taken, and reading goes on behind them', async () => {
    await fill(1, 30);
    const source = new PostgresqlSource(settings({ rowsPerSecond: 100 }));
    const reading = readSource(source);
    await server.down();
    const cut = await reading;
    await server.up();
    if (cut.failure === undefined) throw new Error('it read to its end before the database went');
    expect(cut.failure.code).toBe('SOURCE_UNAVAILABLE');
    const from = cut.positions.at(-1);
    const rest = await readSource(source, from === undefined ? {} : { from });
    expect([...cut.rows, ...rest.rows]).toHaveLength(30);
  });

  test('by notification alone: all rows once it listens, then those that are named; too many or unreadable names have all read again', async () => {
    await fill(1, 4);
    const stop = new AbortController();
    const source = new PostgresqlSource(settings({ notify: 'firm_changed' }));
    const changes = source.changes(stop.signal)[Symbol.asyncIterator]();
    await changes.next();
    const whole = await readSource(source);
    expect(whole.rows).toHaveLength(4);
    await server.query("UPDATE platform.firm SET capital = 7 WHERE id IN (2, 4); SELECT pg_notify('firm_changed', '2'), pg_notify('firm_changed', '[4]')");
    await changes.next();
    const named = await readSource(source, { from: whole.ends[0] ?? {} });
    expect(cells(named).sort()).toEqual(['示例2|7.0000|2026-01-03', '示例4|7.0000|2026-01-05']);
    // Told once, they are not read again.
    expect((await readSource(source, { from: named.ends[0] ?? {} })).rows).toEqual([]);
    await server.query("SELECT pg_notify('firm_changed', '[1, 2]')");
    await changes.next();
    expect((await readSource(source, { from: named.ends[0] ?? {} })).rows).toHaveLength(4);
    stop.abort();
    await changes.return?.(undefined);
  });
});
