// Accesses and days as the console shows them, over blocks that a test writes by hand: filters, cursors, ends of pages, times.
import { expect, test } from 'vitest';
import { type AccessPage, type ReadModel } from '../src/core/indexing/read-model.js';
import { DayCounts } from '../src/core/overview/day-counts.js';
import type { Clock } from '../src/core/ports.js';
import { batch, member, now, owners, World } from './block-world.js';

const daySeconds = 86_400;

const timesOf = ({ items }: AccessPage): number[] => items.map(({ transactionTime }) => transactionTime - now);

async function accesses(): Promise<World> {
  const world = new World();
  await world.block({ time: now - 30 * daySeconds, writes: [member('river', 'centre'), member('hill', 'centre'), member('bank', 'institution')] });
  await world.block(world.opening(now - 9000, {}, { owner: owners[1] }));
  await world.block(world.opening(now - 8000, { publisher: 'hill', purpose: 'credit-check' }));
  await world.block(world.opening(now - 7000, { reader: 'platform' }), { time: now - 7000, writes: [] });
  await world.block(world.opening(now - 6000, { publisher: 'hill', owner: owners[1], records: [{ digest: '11'.repeat(32), recordId: `hill/credit/${'b'.repeat(26)}`, version: 2 }] }));
  return world;
}

test('accesses of all publishers come newest first, and each once over pages of any size', async () => {
  const { readModel } = await accesses();
  const whole = timesOf(await readModel.accesses({ limit: 100 }));
  expect(whole).toEqual([-6000, -7000, -8000, -9000, -9000]);
  for (const limit of [1, 2, 3]) {
    const found: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await readModel.accesses({ limit, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...timesOf(page));
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(found).toEqual(whole);
  }
});

test.each<readonly [string, Parameters<ReadModel['accesses']>[0], readonly number[]]>([
  ['publisher', { publisher: 'river' }, [-7000, -9000, -9000]],
  ['owner', { owner: owners[1] }, [-6000, -9000]],
  ['owner and publisher', { owner: owners[1], publisher: 'hill' }, [-6000]],
  ['reader', { reader: 'platform' }, [-7000]],
  ['purpose', { purpose: 'credit-check' }, [-8000]],
  ['record', { record: `hill/credit/${'b'.repeat(26)}` }, [-6000]],
  ['times, both included', { since: now - 8000, until: now - 7000 }, [-7000, -8000]],
  ['a reader that never read', { reader: 'nobody' }, []],
])('accesses are found by %s', async (_name, filter, times) => {
  const { readModel } = await accesses();
  expect(timesOf(await readModel.accesses(filter))).toEqual(times);
});

test('a page of accesses ends after so many tickets were looked at, and its cursor goes on to the one that fits', async () => {
  const world = new World();
  await world.block({ time: now, writes: [member('river', 'centre')] });
  await world.block(world.opening(now - 10, { purpose: 'credit-check' }));
  for (let block = 0; block < 9; block += 1) await world.block(world.opening(now, ...Array.from({ length: 250 }, () => ({}))));
  const first = await world.readModel.accesses({ purpose: 'credit-check' });
  expect(first.items).toEqual([]);
  const second = await world.readModel.accesses({ purpose: 'credit-check', cursor: first.cursor ?? '' });
  expect([timesOf(second), second.cursor]).toEqual([[-10], undefined]);
});

test('a foreign cursor of accesses is refused', async () => {
  const { readModel } = await accesses();
  await expect(readModel.accesses({ cursor: '../member' })).rejects.toMatchObject({ code: 'BAD_FIELD' });
});

test('days are counted in Beijing time, own and others apart, once whatever was counted before', async () => {
  const world = new World();
  let time = now;
  const clock: Clock = { now: () => time * 1000, sleep: () => Promise.resolve() };
  const days = new DayCounts(world.readModel, 'river', clock);
  await world.block(batch('river', 1, 5, now - 40 * daySeconds));
  await world.block({ time: now - 40 * daySeconds, writes: [member('river', 'centre'), member('hill', 'centre')] });
  // 00:30 in Beijing is the evening before in Greenwich.
  await world.block(batch('river', 2, 3, now - 15.5 * 3600));
  await world.block(batch('hill', 1, 2, now - 17 * 3600), world.opening(now, { publisher: 'hill' }));
  const before = await days.lastDays(2);
  expect(before).toEqual([
    { day: '2027-01-14', publishedHere: 0, publishedElsewhere: 2, readHere: 0, readElsewhere: 0 },
    { day: '2027-01-15', publishedHere: 3, publishedElsewhere: 0, readHere: 0, readElsewhere: 1 },
  ]);
  expect(await days.lastDays(2)).toEqual(before);
  await world.block(world.opening(now, {}, {}), batch('river', 3, 1, now));
  expect((await days.lastDays(1))[0]).toEqual({ day: '2027-01-15', publishedHere: 4, publishedElsewhere: 0, readHere: 2, readElsewhere: 1 });
  time += daySeconds;
  expect((await days.lastDays(2)).map(({ day, publishedHere }) => [day, publishedHere])).toEqual([['2027-01-15', 4], ['2027-01-16', 0]]);
});

test('of a long ledger only the days of the window are read', async () => {
  const world = new World();
  for (let day = 60; day >= 0; day -= 1) await world.block(batch('river', 61 - day, 1, now - day * daySeconds));
  let rows = 0;
  const read = world.readModel.eventTransactions.bind(world.readModel);
  world.readModel.eventTransactions = async (...asked) => {
    const answer = await read(...asked);
    rows += answer.transactions.length;
    return answer;
  };
  const days = new DayCounts(world.readModel, 'river', { now: () => now * 1000, sleep: () => Promise.resolve() });
  expect((await days.lastDays(30)).map(({ publishedHere }) => publishedHere)).toEqual(Array.from({ length: 30 }, () => 1));
  // The window, and a few reads to find where it begins.
  expect(rows).toBeLessThan(31 + 10);
});
