import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Postgresql } from '@huilian/local-postgresql';
import { decodeBatchArgument, ledgerFunctions, recordId } from '@huilian/protocol';
import { systemClock as clock } from '../src/adapters/system/system-clock.js';
import { systemRandom as random } from '../src/adapters/system/system-random.js';
import { answerStream } from '../src/composition/answer-stream.js';
import { openSource } from '../src/composition/open-source.js';
import { readSources, type SourceConfig } from '../src/config/source-config.js';
import { SyncJobs, type RunRecord } from '../src/core/sync/sync-jobs.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { makeWorkbook } from './make-workbook.js';
import { postgresqlTest } from './postgresql.js';
import { PublishingNode } from './publishing-node.js';
import { qualificationCells, qualificationColumns, qualificationTable } from './qualification-table.js';

/** Kills of each kind of source; `HUILIAN_SYNC_KILLS=20` for the whole of it. */
const kills = Number(process.env['HUILIAN_SYNC_KILLS'] ?? 1);
/** So that a run has a checkpoint every 700 ms or so, and few runs come to the end. */
const rows = 1600 * kills + 500;
const pauseMilliseconds = 40;
const mostMilliseconds = 1500;
/** From so many kills on some were behind a checkpoint, whatever was drawn. */
const enoughKills = 10;
const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'sync-until-killed.mjs');

let folder: string;
let consortium: Consortium;
let first = 0;
let seed = Number(process.env['HUILIAN_SYNC_SEED'] ?? 7);

/** The same moments for the same seed (mulberry32). */
function drawn(most: number): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * most);
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-sync-kill-'));
  consortium = await startConsortium(folder, ['qualification']);
});

afterAll(async () => {
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a node on the source until a drawn moment, then kills it without warning. Answers the runs that ended before. */
async function runAndKill(name: string, source: object): Promise<RunRecord[]> {
  const child = spawn(process.execPath, [program, consortium.stateDir('river'), consortium.connectionFile('river'), name, JSON.stringify(source), String(pauseMilliseconds)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended: RunRecord[] = [];
  const gone = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as RunRecord | 'begun';
    if (said !== 'begun') ended.push(said);
    else setTimeout(() => child.kill('SIGKILL'), drawn(mostMilliseconds));
  }
  const [, signal] = (await gone) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return ended;
}

async function publishedTimes(node: PublishingNode): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  const stop = new AbortController();
  for await (const block of node.ledger.blocks(0, stop.signal)) {
    for (const transaction of block.transactions) {
      if (transaction.code !== 'VALID' || transaction.function !== ledgerFunctions.publish) continue;
      const batch = decodeBatchArgument(transaction.args[0] as Uint8Array);
      for (const header of batch.headers) {
        const id = recordId(batch.publisher, header.kind, header.localId);
        times.set(id, (times.get(id) ?? 0) + 1);
      }
    }
    if (block.number === node.readModel.height()) break;
  }
  stop.abort();
  return times;
}

/** Reads the source to its end in this process. */
async function finish(node: PublishingNode, name: string, source: object): Promise<RunRecord> {
  const ended: RunRecord[] = [];
  const config = readSources({ [name]: source }, folder)[name] as SourceConfig;
  const jobs = new SyncJobs({
    clock, random, store: node.store,
    door: (lines, admission) => answerStream(node.intake, lines, admission, () => undefined),
    onFault: (_name, error) => { throw error; },
    onRun: (run) => { ended.push(run); },
    open: () => openSource(name, config, () => ['qualification']),
    settings: [{ everyMinutes: 1, kind: 'qualification', mostRefused: 50, name, type: config.type }],
  });
  await jobs.start();
  try {
    jobs.run(name, {});
  } catch (error) {
    // What was cut off goes on by itself.
    expect(error).toMatchObject({ code: 'SYNC_RUNNING' });
  }
  await expect.poll(() => ended.at(-1)?.state, { timeout: 60_000 }).toBe('done');
  await jobs.stop();
  return ended.at(-1) as RunRecord;
}

/** Kills at drawn moments of one source's reading, again and again; then each of its rows is on the ledger once. */
async function killedAgainAndAgain(name: string, source: object, from: number, meanwhile: () => Promise<number> = () => Promise.resolve(rows)): Promise<void> {
  const begun = Date.now();
  let whole = 0;
  let expected = rows;
  for (let at = 0; at < kills; at += 1) {
    const ended = await runAndKill(name, source);
    whole += ended.filter(({ state }) => state === 'done').length;
    expect(ended.flatMap(({ error, refused }) => [error?.code, refused]).filter((found) => found !== undefined && found !== 0)).toEqual([]);
    expected = await meanwhile();
  }
  // Passes over what changes meanwhile come to their end, and read some rows again.
  const hasOneEnd = name !== 'by-watermark';
  // Most of the kills were in the middle of it.
  if (hasOneEnd) expect(whole).toBeLessThanOrEqual(Math.ceil(kills / 2));
  const node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  try {
    node.start();
    await node.readModel.whenHeight(await node.ledger.height(), AbortSignal.timeout(20_000));
    const last = await finish(node, name, source);
    // It went on behind what was acknowledged before.
    if (hasOneEnd && kills >= enoughKills) expect(last.rows).toBeLessThan(rows);
    await node.drained(60_000);
    const times = await publishedTimes(node);
    expect([...times].filter(([, count]) => count !== 1)).toEqual([]);
    // Those of the sources before it are on the ledger too.
    expect(times.size).toBe(from + expected);
    expect(node.alarms).toEqual([]);
    first = from + expected;
    process.stderr.write(`${name}: ${String(kills)} kills, ${String(expected)} rows, of which the last run read ${String(last.rows)}; ${String(Date.now() - begun)} ms\n`);
  } finally {
    await node.close();
  }
}

const settled = (file: string): void => { utimesSync(file, new Date(2026, 0, 1), new Date(2026, 0, 1)); };
const timeout = 60_000 + kills * 8000;

test('CSV', async () => {
  const file = path.join(folder, 'qualification.csv');
  writeFileSync(file, qualificationTable(first, first + rows));
  await killedAgainAndAgain('csv', { path: file, type: 'file' }, first);
}, timeout);

test('NDJSON', async () => {
  const file = path.join(folder, 'qualification.ndjson');
  writeFileSync(file, Array.from({ length: rows }, (_, index) => JSON.stringify(Object.fromEntries(qualificationCells(first + index).map((cell, at) => [qualificationColumns[at] ?? '', cell])))).join('\n'));
  await killedAgainAndAgain('ndjson', { path: file, type: 'file' }, first);
}, timeout);

test('XLSX', async () => {
  const file = path.join(folder, 'qualification.xlsx');
  await makeWorkbook(file, [qualificationColumns, ...Array.from({ length: rows }, (_, index) => qualificationCells(first + index))]);
  await killedAgainAndAgain('xlsx', { path: file, type: 'file' }, first);
}, timeout);

test('a folder of files', async () => {
  const place = path.join(folder, 'exports');
  mkdirSync(place);
  const each = Math.ceil(rows / 4);
  for (let at = 0; at < rows; at += each) {
    const file = path.join(place, `qualification-${String(at)}.csv`);
    writeFileSync(file, qualificationTable(first + at, first + Math.min(rows, at + each)));
    settled(file);
  }
  await killedAgainAndAgain('folder', { path: place, settleSeconds: 0, type: 'folder' }, first);
}, timeout);

test('an API', async () => {
  const from = first;
  const perPage = 90;
  const server = createServer((request, response) => {
    const page = Number(new URL(request.url ?? '', 'http://127.0.0.1').searchParams.get('page'));
    const numbers = Array.from({ length: Math.max(0, Math.min(perPage, rows - page * perPage)) }, (_, index) => from + page * perPage + index);
    response.end(JSON.stringify(numbers.map((number) => Object.fromEntries(qualificationCells(number).map((cell, at) => [qualificationColumns[at] ?? '', cell])))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => { server.closeAllConnections(); server.close(); });
  await killedAgainAndAgain('api', { kind: 'qualification', next: { by: 'page', first: 0 }, rowsPerSecond: 100_000, type: 'http', url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/` }, first);
}, timeout);

postgresqlTest.each(['by-watermark', 'by-notification'] as const)('PostgreSQL, %s, while the platform writes', async (how) => {
  const server = await Postgresql.start();
  onTestFinished(async () => { await server.stop(); });
  const columns = qualificationColumns.map((column) => `"${column}" text`).join(', ');
  await server.query(`CREATE ROLE reader LOGIN; CREATE TABLE firm (id bigint PRIMARY KEY, ${columns}, changed timestamptz NOT NULL DEFAULT clock_timestamp()); CREATE INDEX ON firm (changed, id); GRANT SELECT ON firm TO reader;
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_notify('firm_changed', NEW.id::text); RETURN NULL; END $$; CREATE TRIGGER told AFTER INSERT OR UPDATE ON firm FOR EACH ROW EXECUTE FUNCTION tell()`);
  const from = first;
  const insert = async (start: number, end: number): Promise<void> => {
    const cells = qualificationCells(0).map((cell, at) => (at === 5 ? "'D44010' || lpad((n)::text, 7, '0')" : `'${cell}'`)).join(', ');
    await server.query(`INSERT INTO firm SELECT n, ${cells} FROM generate_series(${String(start)}, ${String(end - 1)}) n`);
  };
  await insert(from, from + rows);
  let there = rows;
  // The platform goes on all the while: new rows, and old ones touched without a change of what they say.
  let isWriting = true;
  const writing = (async () => {
    while (isWriting) {
      await insert(from + there, from + there + 10);
      there += 10;
      await server.query(`UPDATE firm SET changed = clock_timestamp() WHERE id = ${String(from + drawn(there))}`);
      await delay(100);
    }
  })();
  const source = {
    columns: [...qualificationColumns], database: 'postgres', host: server.folder, key: ['id'], kind: 'qualification', pageRows: 100, rowsPerSecond: 100_000, table: 'public.firm', type: 'postgresql', user: 'reader',
    ...(how === 'by-watermark' ? { watermark: { column: 'changed', overlap: 5 } } : { notify: 'firm_changed' }),
  };
  let left = kills;
  await killedAgainAndAgain(how, source, from, async () => {
    left -= 1;
    if (left > 0) return there;
    isWriting = false;
    await writing;
    return there;
  });
}, timeout);
