import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { answerStream } from '../src/composition/answer-stream.js';
import { openSource } from '../src/composition/open-source.js';
import { systemClock as clock } from '../src/adapters/system/system-clock.js';
import { systemRandom as random } from '../src/adapters/system/system-random.js';
import { readSources, type SourceConfig } from '../src/config/source-config.js';
import { DeadLetters } from '../src/core/outbox/dead-letters.js';
import type { Clock } from '../src/core/ports.js';
import type { Source } from '../src/core/sync/source.js';
import { SyncJobs, type JobSettings, type RunRecord } from '../src/core/sync/sync-jobs.js';
import type { RowDoor } from '../src/core/sync/sync-run.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { qualificationCells, qualificationColumns, qualificationRow, qualificationTable } from './qualification-table.js';
import { temporaryFolder } from './temporary-folder.js';

let consortium: Consortium;
let node: PublishingNode;
let folder: string;
let files = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-sync-jobs-'));
  consortium = await startConsortium(folder);
  node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  node.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
});

afterAll(async () => {
  await node.close();
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

const door: RowDoor = (lines, admission) => answerStream(node.intake, lines, admission, () => undefined);

interface Opened {
  readonly jobs: SyncJobs;
  readonly name: string;
  readonly ended: RunRecord[];
  /** Runs the source once and answers what it did. */
  run(order?: { readonly dryRun?: boolean; readonly fromStart?: boolean }): Promise<RunRecord>;
}

/** Jobs of one source over the node's own store; `rows` may be wrapped. */
async function open(source: Source | object, { name = `source-${String((files += 1))}`, ...settings }: Partial<JobSettings> = {}, through: RowDoor = door, time: Clock = clock): Promise<Opened> {
  const ended: RunRecord[] = [];
  const isSource = (value: object): value is Source => 'parts' in value;
  const jobs = new SyncJobs({
    clock: time, door: through, random, store: node.store,
    onFault: (_name, error) => { throw error; },
    onRun: (run) => { ended.push(run); },
    open: () => (isSource(source) ? source : openSource(name, readSources({ [name]: source }, folder)[name] as SourceConfig, () => ['qualification', 'supervision'])),
    settings: [{ everyMinutes: 0, kind: 'qualification', mostRefused: 50, name, type: 'file', ...settings }],
  });
  await jobs.start();
  onTestFinished(async () => { await jobs.stop(); });
  const run: Opened['run'] = async (order = {}) => {
    const { run: number } = jobs.run(name, order);
    return await expect.poll(() => ended.find((each) => each.run === number), { timeout: 20_000 }).toBeDefined().then(() => ended.find((each) => each.run === number) as RunRecord);
  };
  return { ended, jobs, name, run };
}

/** A file of invented qualifications, numbers from..to; each test has its own. */
function fileOf(content: string): { readonly file: string; readonly source: object } {
  const file = path.join(temporaryFolder(), `qualification-${String((files += 1))}.csv`);
  writeFileSync(file, content);
  return { file, source: { path: file, type: 'file' } };
}

const counts = ({ accepted, refused, rows, unchanged }: RunRecord): object => ({ accepted, refused, rows, unchanged });
const letters = async (file: string): Promise<number[]> => (await new DeadLetters(node.store).list()).filter((letter) => letter.file === path.basename(file)).map(({ line }) => line ?? 0);

describe('a run', () => {
  test('takes rows in once: what did not change is known, and what was read whole is not read again', async () => {
    const { file, source } = fileOf(qualificationTable(0, 300));
    const { run } = await open(source);
    expect(counts(await run())).toEqual({ accepted: 300, refused: 0, rows: 300, unchanged: 0 });
    expect(counts(await run())).toEqual({ accepted: 0, refused: 0, rows: 0, unchanged: 0 });
    writeFileSync(file, qualificationTable(0, 301, { 5: { level: '02' } }));
    expect(counts(await run())).toEqual({ accepted: 2, refused: 0, rows: 301, unchanged: 299 });
    expect(counts(await run({ fromStart: true }))).toEqual({ accepted: 0, refused: 0, rows: 301, unchanged: 301 });
  });

  test('a dry run says what would be, and keeps nothing', async () => {
    const { file, source } = fileOf(`${qualificationTable(1000, 1010)}${qualificationRow(1010, { uscc: '91440105MA6NNHC07D' })}\n${qualificationRow(1003, { level: '02' })}\n${qualificationRow(1004)}\n`);
    const { jobs, name, run } = await open(source);
    const dry = await run({ dryRun: true });
    expect(counts(dry)).toEqual({ accepted: 10, refused: 2, rows: 13, unchanged: 1 });
    expect(dry.refusedRows.map(({ code, line }) => `${String(line)} ${code}`)).toEqual(['12 RECORD_INVALID', '13 DUPLICATE_IN_FILE']);
    expect(await letters(file)).toEqual([]);
    expect(await jobs.runs(name)).toEqual([]);
    expect(counts(await run())).toEqual({ accepted: 10, refused: 2, rows: 13, unchanged: 1 });
    expect(await letters(file)).toEqual([12, 13]);
    expect(counts(await run({ dryRun: true, fromStart: true }))).toEqual({ accepted: 0, refused: 2, rows: 13, unchanged: 11 });
  });

  test('stops before the list of refused rows is flooded, and begins anew when it is mended', async () => {
    const bad = Array.from({ length: 5000 }, (_, index) => qualificationRow(2000 + index, { uscc: 'none' })).join('\n');
    const { file, source } = fileOf(`${qualificationTable(0, 0)}${bad}\n`);
    const { run } = await open(source);
    const stopped = await run();
    expect(stopped).toMatchObject({ error: { code: 'SYNC_STOPPED', details: { mostShare: '50%' } }, state: 'failed' });
    expect(stopped.rows).toBeLessThanOrEqual(200);
    expect((await letters(file)).length).toBeLessThanOrEqual(200);
    writeFileSync(file, qualificationTable(2000, 2300));
    expect(counts(await run())).toEqual({ accepted: 300, refused: 0, rows: 300, unchanged: 0 });
    expect(await letters(file)).toEqual([]);
  });

  test('with the bound off takes what there is', async () => {
    const bad = Array.from({ length: 300 }, (_, index) => qualificationRow(3000 + index, { uscc: 'none' })).join('\n');
    const { source } = fileOf(`${qualificationTable(3500, 3501)}${bad}\n`);
    const { run } = await open(source, { mostRefused: 100 });
    expect(counts(await run())).toEqual({ accepted: 1, refused: 300, rows: 301, unchanged: 0 });
  });

  test('one bad row in the middle, too long or not to be read, is refused by its line and stays on the list', async () => {
    const { file, source } = fileOf(`${qualificationTable(4000, 4002)}${'x'.repeat(10_000_000)}\na,b\n${qualificationRow(4002)}\n`);
    const { run } = await open(source);
    const ended = await run();
    expect(counts(ended)).toEqual({ accepted: 3, refused: 2, rows: 5, unchanged: 0 });
    expect(ended.refusedRows.map(({ code, line }) => `${String(line)} ${code}`)).toEqual(['4 ROW_TOO_LONG', '5 ROW_UNREADABLE']);
    expect(await letters(file)).toEqual([4, 5]);
  });
});

describe('a run that ended in the middle', () => {
  /** Rows of a source that ends the run by an error after so many. */
  const endingAfter = (rows: number, error: Error): RowDoor => async function* ending(lines, admission) {
    let sent = 0;
    yield* door((async function* some() {
      for await (const chunk of lines) {
        sent += Buffer.from(chunk).toString().split('\n').length - 1;
        yield chunk;
        if (sent >= rows) throw error;
      }
    })(), admission);
  };

  test('goes on behind the last acknowledged row, and still knows which records were in the file before', async () => {
    // Row 2 again at the very end, with other content: it contradicts, though it was read in another run.
    const { file, source } = fileOf(`${qualificationTable(5000, 5900)}${qualificationRow(5000, { level: '02' })}\n`);
    const name = 'cut-off';
    const first = await open(source, { name }, endingAfter(500, new Error('the machine is gone')));
    const cut = await first.run();
    expect(cut).toMatchObject({ error: { code: 'STREAM_TRUNCATED' }, state: 'failed' });
    expect(cut.accepted).toBeGreaterThanOrEqual(500);
    expect(cut.accepted).toBeLessThan(900);
    await first.jobs.stop();
    const second = await open(source, { name });
    const rest = await second.run();
    expect(rest.accepted + cut.accepted).toBe(900);
    expect(rest.unchanged).toBe(0);
    expect(rest.refusedRows.map(({ code, line }) => `${String(line)} ${code}`)).toEqual(['902 DUPLICATE_IN_FILE']);
    expect(await letters(file)).toEqual([902]);
    expect(counts(await second.run({ fromStart: true }))).toEqual({ accepted: 0, refused: 1, rows: 901, unchanged: 900 });
  });

  test('what was refused before it stays on the list', async () => {
    const { file, source } = fileOf(`${qualificationTable(6000, 6010)}${qualificationRow(6010, { uscc: 'none' })}\n${qualificationTable(6011, 6700).split('\n').slice(1).join('\n')}`);
    const name = 'cut-off-again';
    const first = await open(source, { name }, endingAfter(400, new Error('gone')));
    await first.run();
    await first.jobs.stop();
    expect(await letters(file)).toEqual([12]);
    const second = await open(source, { name });
    expect((await second.run()).refused).toBe(0);
    expect(await letters(file)).toEqual([12]);
  });

  test('stopped by the operator, it goes on at the next run; by the end of the node, by itself', async () => {
    const { source } = fileOf(qualificationTable(7000, 9000));
    const name = 'slow';
    const slowly: RowDoor = (lines, admission) => door((async function* slow() {
      for await (const chunk of lines) {
        yield chunk;
        await clock.sleep(20);
      }
    })(), admission);
    const first = await open(source, { name }, slowly);
    first.jobs.run(name, {});
    await expect.poll(() => first.jobs.find(name).current?.accepted ?? 0).toBeGreaterThan(0);
    expect(() => first.jobs.run(name, {})).toThrow(expect.objectContaining({ code: 'SYNC_RUNNING' }) as Error);
    const stopped = await first.jobs.stopRun(name);
    expect(stopped.state).toBe('stopped');
    expect(stopped.accepted).toBeLessThan(2000);
    await expect(first.jobs.stopRun(name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    first.jobs.run(name, {});
    await expect.poll(() => first.jobs.find(name).current?.accepted ?? 0).toBeGreaterThan(0);
    await first.jobs.stop();
    const interrupted = first.ended.at(-1);
    expect(interrupted?.state).toBe('interrupted');
    const second = await open(source, { name });
    await expect.poll(() => second.ended.length, { timeout: 20_000 }).toBe(1);
    expect(stopped.accepted + (interrupted?.accepted ?? 0) + (second.ended[0]?.accepted ?? 0)).toBe(2000);
    expect(second.ended[0]).toMatchObject({ state: 'done', unchanged: 0 });
    expect((await second.jobs.runs(name)).map(({ state }) => state)).toEqual(['done', 'interrupted', 'stopped']);
  });
});

test('a file that is replaced while it is read: told, then read from its beginning by itself, each row once', async () => {
  const { file, source } = fileOf(qualificationTable(14_000, 15_200));
  let isReplaced = false;
  const replacing: RowDoor = (lines, admission) => door((async function* some() {
    for await (const chunk of lines) {
      yield chunk;
      if (isReplaced) continue;
      isReplaced = true;
      writeFileSync(`${file}.new`, qualificationTable(14_000, 15_300));
      renameSync(`${file}.new`, file);
    }
  })(), admission);
  const hurried: Clock = { now: () => clock.now(), sleep: async (milliseconds, signal) => { await clock.sleep(Math.min(milliseconds, 20), signal); } };
  const { ended, jobs, name } = await open(source, {}, replacing, hurried);
  jobs.run(name, {});
  await expect.poll(() => ended.length, { timeout: 20_000 }).toBe(2);
  const taken = ended[0]?.accepted ?? 0;
  expect(ended[0]).toMatchObject({ error: { code: 'SOURCE_CHANGED', details: { file: path.basename(file), reason: 'replaced-while-read' } }, state: 'failed' });
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(1200);
  expect(counts(ended[1] as RunRecord)).toEqual({ accepted: 1300 - taken, refused: 0, rows: 1300, unchanged: taken });
});

test('a folder sets aside what cannot be read, and takes the files behind it', async () => {
  const place = temporaryFolder();
  writeFileSync(path.join(place, 'qualification-a.csv'), 'A,A\n1,2\n');
  writeFileSync(path.join(place, 'qualification-b.csv'), qualificationTable(10_000, 10_003));
  writeFileSync(path.join(place, 'rows.csv'), qualificationTable(10_003, 10_004));
  const { ended } = await open({ lookSeconds: 1, path: place, settleSeconds: 0, type: 'folder' }, { kind: undefined } as never);
  await expect.poll(() => ended.length, { timeout: 20_000 }).toBe(1);
  expect(ended[0]).toMatchObject({ accepted: 3, error: { code: 'SOURCE_UNREADABLE', details: { file: 'qualification-a.csv', reason: 'column-twice' } }, rows: 3, state: 'failed' });
  // Put right, it is read; the others are not read again.
  writeFileSync(path.join(place, 'qualification-a.csv'), qualificationTable(10_010, 10_012));
  await expect.poll(() => ended.length, { timeout: 30_000 }).toBe(2);
  expect(ended[1]).toMatchObject({ accepted: 2, rows: 2, state: 'done' });
}, 60_000);

describe('when', () => {
  test('by the clock, and soon again where the source was away', async () => {
    let [shift, calls] = [0, 0];
    const server = createServer((_request, response) => {
      calls += 1;
      if (calls === 1) response.writeHead(503).end();
      else response.end(JSON.stringify([Object.fromEntries(qualificationCells(12_000 + calls).map((cell, at) => [qualificationColumns[at] ?? '', cell]))]));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => { server.closeAllConnections(); server.close(); });
    const source = { kind: 'qualification', type: 'http', url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/` };
    // An hour is as long as the test says.
    const shifted: Clock = { now: () => clock.now() + shift, sleep: async (milliseconds, signal) => { await clock.sleep(Math.min(milliseconds, 20), signal); } };
    const { ended, jobs, name } = await open(source, { everyMinutes: 60 }, door, shifted);
    await expect.poll(() => ended.length).toBe(2);
    expect(ended[0]).toMatchObject({ error: { code: 'SOURCE_UNAVAILABLE', details: { status: 503 } }, rows: 0, state: 'failed' });
    expect(ended[1]).toMatchObject({ accepted: 1, state: 'done' });
    expect(jobs.find(name).next).toBe((ended[1]?.started ?? 0) + 3600);
    shift += 3_599_000;
    await clock.sleep(200);
    expect(ended).toHaveLength(2);
    shift += 2000;
    await expect.poll(() => ended.length).toBe(3);
    expect(ended[2]).toMatchObject({ accepted: 1, state: 'done' });
  });

  test('settings that changed begin anew, those that are gone end', async () => {
    const [one, two] = [fileOf(qualificationTable(13_000, 13_002)), fileOf(qualificationTable(13_002, 13_005))];
    const settings = (name: string, fingerprint: string): JobSettings => ({ everyMinutes: 0, fingerprint, kind: 'qualification', mostRefused: 50, name, type: 'file' });
    let wanted = [settings('kept', '1'), settings('gone', '1')];
    let read = one;
    const jobs = new SyncJobs({
      clock, door, random, store: node.store, onFault: () => undefined, onRun: () => undefined, settings: wanted,
      open: (name) => openSource(name, readSources({ [name]: read.source }, folder)[name] as SourceConfig, () => ['qualification']),
      reload: () => wanted,
    });
    await jobs.start();
    onTestFinished(async () => { await jobs.stop(); });
    const run = async (): Promise<number> => {
      const { run: number } = jobs.run('kept', {});
      await expect.poll(() => jobs.find('kept').last?.run).toBe(number);
      return jobs.find('kept').last?.accepted ?? 0;
    };
    expect(await run()).toBe(2);
    [read, wanted] = [two, [settings('kept', '1')]];
    await jobs.reload();
    expect(() => jobs.find('gone')).toThrow(expect.objectContaining({ code: 'SOURCE_UNKNOWN' }) as Error);
    // Nothing of it changed, so it goes on with the file that it has.
    expect(await run()).toBe(0);
    wanted = [settings('kept', '2'), settings('new', '1')];
    await jobs.reload();
    expect(jobs.list().map(({ name }) => name)).toEqual(['kept', 'new']);
    expect(await run()).toBe(3);
  });
});

test('positions and runs hold no value of a row', async () => {
  const { source } = fileOf(`${qualificationTable(11_000, 11_001)}${qualificationRow(11_001, { uscc: '91440105MA6NNHC07D' })}\n`);
  const { run } = await open(source);
  await run();
  const kept: string[] = [];
  for await (const [key, value] of node.store.entries({ gte: 'sync/', lt: 'sync/~' })) kept.push(`${key} ${Buffer.from(value).toString('utf8')}`);
  expect(kept.length).toBeGreaterThan(3);
  for (const value of ['91440105MA6NNHC07', '溪午', 'D4401050']) expect(kept.join('\n')).not.toContain(value);
});

test('no source of that name', async () => {
  const { jobs } = await open(fileOf('A\n').source);
  expect(() => jobs.find('other')).toThrow(expect.objectContaining({ code: 'SOURCE_UNKNOWN' }) as Error);
});
