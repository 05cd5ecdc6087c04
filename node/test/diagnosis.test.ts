// Where a record stands when its way is stopped at each stage, on a real ledger, store and sender.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EventFeed } from '../src/core/events/event-feed.js';
import { followRecord, type RecordCourse } from '../src/core/diagnosis/follow-record.js';
import { DeadLetters } from '../src/core/outbox/dead-letters.js';
import type { Keys } from '../src/core/ports.js';
import { FaultyLedger, type Fault } from './faulty-ledger.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { publishLines, stream } from './sample-lines.js';

let folder: string;
let consortium: Consortium;
let node: PublishingNode | undefined;
let series = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-diagnosis-'));
  consortium = await startConsortium(folder);
});
afterEach(async () => {
  await node?.close();
  node = undefined;
});
afterAll(async () => {
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Of a publisher to whom nobody subscribed; webhooks are followed in events.test.ts. */
const noSubscribers = { reached: () => ({ past: 0, before: [] }) };

/** A record on its way, at a ledger that fails as told. */
async function record(fault: Fault | undefined, start: boolean): Promise<{ readonly recordId: string; readonly follow: () => Promise<RecordCourse>; readonly opened: PublishingNode }> {
  let ledger: FaultyLedger | undefined;
  const opened = (node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river'), wrapLedger: (real) => (ledger = new FaultyLedger(real, () => fault)) }));
  opened.follower.start();
  await opened.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  if (start) opened.sender.start();
  series += 1000;
  const [answer] = await opened.publish(stream(...publishLines(series, series + 1)));
  const recordId = (answer as { recordId: string }).recordId;
  if (start) await ledger?.whenSent(1);
  const keys = { memberId: 'river' } as Keys;
  const { outbox, readModel, sender, store } = opened;
  return { recordId, opened, follow: async () => await followRecord({ deadLetters: new DeadLetters(store), keys, ledger: opened.ledger, outbox, readModel, sender, store, feed: new EventFeed(readModel), webhooks: noSubscribers }, recordId) };
}

const passed = ({ steps }: RecordCourse): string[] => steps.map(({ check, level }) => `${check} ${level}`);

test('accepted, and in no batch yet', async () => {
  const { follow, opened } = await record(undefined, false);
  const course = await follow();
  expect(passed(course)).toEqual(['accepted ok', 'outbox warn']);
  expect(course.stoppedAt).toBe('outbox');
  opened.sender.start();
  await opened.drained();
  expect(passed(await follow())).toEqual(['accepted ok', 'index ok', 'subscribers ok']);
});

test('in a batch that nobody endorses', async () => {
  const { follow } = await record({ what: 'held', until: new Promise<void>(() => undefined) }, true);
  expect(passed(await follow())).toEqual(['accepted ok', 'outbox ok', 'endorsement warn']);
});

test('ordered, and lost on the way into a block', async () => {
  const { follow } = await record({ what: 'vanished' }, true);
  await expect.poll(async () => (await follow()).stoppedAt, { timeout: 10_000 }).toBe('ordering');
  expect(passed(await follow())).toEqual(['accepted ok', 'outbox ok', 'endorsement ok', 'ordering warn']);
});

test('committed, and not indexed here', async () => {
  const { follow, opened } = await record(undefined, false);
  await opened.follower.stop();
  opened.sender.start();
  await expect.poll(async () => (await follow()).stoppedAt, { timeout: 10_000 }).toBe('index');
  expect(passed(await follow())).toEqual(['accepted ok', 'outbox ok', 'endorsement ok', 'ordering ok', 'commit ok', 'index warn']);
});

test('refused by the ledger for what it is', async () => {
  const { follow, opened } = await record({ what: 'refused', code: 'SCHEMA_UNKNOWN' }, true);
  await opened.drained();
  const course = await follow();
  expect(course.stoppedAt).toBe('dead-letter');
  expect(course.steps.at(-1)?.en).toContain('SCHEMA_UNKNOWN');
  expect(course.steps.at(-1)?.next?.zh).toMatch(/\p{Script=Han}/u);
});
