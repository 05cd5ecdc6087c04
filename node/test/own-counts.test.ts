import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AggregateQuery } from '../src/core/columns/aggregate.js';
import type { CountedRecords } from '../src/core/columns/count-records.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { performance as performanceRow, qualification, stream } from './sample-lines.js';

/** Amounts in fen: sums go beyond what a plain number holds. */
const amounts = Array.from({ length: 30 }, (_, index) => BigInt(index) * 33_333_333_333_333_333n + 7n);
const inDollars = 13;
const asked: AggregateQuery = { by: ['place'], digits: 6, filter: { kind: 'performance' }, limit: 100, order: 'key', sum: 'contract.amount' };

let folder: string;
let consortium: Consortium;
let node: PublishingNode;

async function openNode(): Promise<PublishingNode> {
  const opened = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  opened.counting.start((error) => { throw error; });
  opened.start();
  await opened.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  return opened;
}

async function publish(...lines: readonly object[]): Promise<string[]> {
  const answers = await node.publish(stream(...lines));
  await node.drained();
  expect(answers.filter((answer) => 'refused' in answer)).toEqual([]);
  return answers.flatMap((answer) => ('recordId' in answer ? [answer.recordId] : []));
}

async function complete(query: AggregateQuery): Promise<CountedRecords> {
  const until = Date.now() + 20_000;
  for (;;) {
    const counted = await node.counting.count(query);
    if ((counted.complete.headers && counted.complete.payloads) || Date.now() > until) return counted;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const line = (index: number, amount = amounts[index] ?? 0n): object => ({ kind: 'performance', data: performanceRow(index, { amount: String(amount), ...(index === inDollars ? { currency: 'USD' } : {}) }) });
const county = (index: number): string => ['440105', '440106', '440402'][index % 3] ?? '';

/** The sums that there must be. */
function expected(of: ReadonlyMap<number, bigint>): object[] {
  return ['440105', '440106', '440402'].map((place) => {
    const indexes = [...of.keys()].filter((index) => county(index) === place);
    const summed = indexes.filter((index) => index !== inDollars);
    return { key: { place }, records: indexes.length, sum: String(summed.reduce((sum, index) => sum + (of.get(index) ?? 0n), 0n)), amounts: summed.length, foreign: indexes.length - summed.length };
  });
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-counts-'));
  consortium = await startConsortium(folder, ['performance', 'qualification']);
  node = await openNode();
});

afterAll(async () => {
  await node.close();
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('sums over own payloads follow what is published, superseded, revoked and erased, and a restart', async () => {
  const held = new Map(amounts.map((amount, index) => [index, amount]));
  const ids = await publish(...amounts.map((_, index) => line(index)), { kind: 'qualification', data: qualification(1) });
  expect((await complete(asked)).groups).toEqual(expected(held));

  await publish(line(3, 5n), { kind: 'performance', recordId: ids[4], revoke: true });
  held.set(3, 5n).delete(4);
  expect((await complete(asked)).groups).toEqual(expected(held));

  await node.erasing.erase({ recordIds: [ids[6] ?? ''] });
  held.delete(6);
  expect((await complete(asked)).groups).toEqual(expected(held));

  await node.close();
  node = await openNode();
  expect((await complete(asked)).groups).toEqual(expected(held));
  const whole = await complete({ ...asked, by: [] });
  expect(whole.groups).toMatchObject([{ key: {}, records: held.size, sum: String([...held].filter(([index]) => index !== inDollars).reduce((sum, [, amount]) => sum + amount, 0n)) }]);
});

test('projects are groups, the largest first where that is asked, and a filter', async () => {
  const all = await complete({ ...asked, by: ['project'], order: 'sum', limit: 4 });
  expect(all.groupCount).toBe(15);
  expect(all.groups).toHaveLength(4);
  const sums = all.groups.map(({ sum = '' }) => BigInt(sum));
  expect(sums).toEqual(sums.toSorted((left, right) => (left < right ? 1 : -1)));
  const [{ key: { project = '' }, records, sum } = { key: {}, records: 0, sum: '' }] = all.groups;
  expect(project).toMatch(/^E440[0-9]{13}$/);
  expect((await complete({ ...asked, by: ['kind'], filter: { project } })).groups).toMatchObject([{ key: { kind: 'performance' }, records, sum }]);
  expect((await complete({ ...asked, by: ['project', 'month', 'kind'], filter: { place: '4404' } })).groups.every(({ key }) => key.project?.startsWith('E4404') === true)).toBe(true);
});

test('an amount that no kind has is refused', async () => {
  await expect(node.counting.count({ ...asked, sum: 'contract.signedAt' })).rejects.toMatchObject({ code: 'BAD_FIELD', details: { path: '/sum' } });
});
