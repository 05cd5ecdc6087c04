import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { BatchArgument } from '@huilian/protocol';
import { armFailpoints } from '../src/core/failpoints.js';
import { DeadLetters } from '../src/core/outbox/dead-letters.js';
import type { Ledger } from '../src/core/ports.js';
import { FaultyLedger, type Fault } from './faulty-ledger.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { publishLines, qualification, stream } from './sample-lines.js';

let folder: string;
let consortium: Consortium;
let series = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-outbox-'));
  consortium = await startConsortium(folder);
});

afterAll(async () => {
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Opened {
  readonly node: PublishingNode;
  readonly faulty: FaultyLedger;
}

/** The one node of the centre, with a ledger that fails as told. */
async function open(faultOf: (batch: BatchArgument, attempt: number) => Fault | undefined = () => undefined, stateDir = consortium.stateDir('river'), maxWaitMilliseconds = 20): Promise<Opened> {
  let faulty: FaultyLedger | undefined;
  const wrapLedger = (ledger: Ledger): Ledger => (faulty = new FaultyLedger(ledger, faultOf));
  const node = await PublishingNode.open({ stateDir, connectionFile: consortium.connectionFile('river'), maxHeaders: 8, maxWaitMilliseconds, wrapLedger });
  onTestFinished(async () => {
    await node.close();
  });
  node.follower.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  return { node, faulty: faulty as FaultyLedger };
}

/** Fresh records, apart from those of other tests. */
function fresh(count: number): object[] {
  series += 1000;
  return publishLines(series, series + count);
}

function recordIds(answers: readonly object[]): string[] {
  return answers.flatMap((answer) => ('recordId' in answer ? [answer.recordId as string] : []));
}

test('the same bytes go out again until the ledger takes them', async () => {
  const { faulty, node } = await open((_batch, attempt) => (attempt <= 3 ? { what: 'unavailable' } : undefined));
  node.sender.start();
  const ids = recordIds(await node.publish(stream(...fresh(5))));
  await node.drained();
  const bySeq = Map.groupBy(faulty.sent, ({ batch }) => batch.seq);
  for (const calls of bySeq.values()) {
    expect(calls).toHaveLength(4);
    expect(new Set(calls.map(({ argument }) => argument)).size).toBe(1);
  }
  for (const id of ids) expect(node.readModel.record(id)).toMatchObject({ versions: 1, contested: false });
  expect(node.alarms.map(({ code }) => code)).toContain('LEDGER_UNAVAILABLE');
});

test('while the ledger takes nothing, each reason is told once, also one that comes after another', async () => {
  const reasons = [undefined, undefined, 'endorsements-differ', undefined, 'endorsements-differ'];
  const { node } = await open((_batch, attempt) => {
    if (attempt > reasons.length) return undefined;
    const reason = reasons[attempt - 1];
    return reason === undefined ? { what: 'unavailable' } : { what: 'unavailable', reason };
  });
  node.sender.start();
  await node.publish(stream(...fresh(1)));
  await node.drained();
  expect(node.alarms.map(({ code, details }) => [code, details['reason']])).toEqual([['LEDGER_UNAVAILABLE', undefined], ['LEDGER_UNAVAILABLE', 'endorsements-differ']]);
});

test('while a batch is under way rows gather for the next one; once nothing is, they go without waiting longer', async () => {
  const held = Promise.withResolvers<undefined>();
  const seqs: number[] = [];
  const { faulty, node } = await open(({ seq }) => {
    if (!seqs.includes(seq)) seqs.push(seq);
    return seq === seqs[0] ? { what: 'held', until: held.promise } : undefined;
  }, undefined, 30_000);
  const sizes = (): number[] => faulty.sent.map(({ batch }) => batch.headers.length);
  node.sender.start();
  await node.publish(stream(...fresh(8)));
  await node.publish(stream(...fresh(3)));
  await node.publish(stream(...fresh(5)));
  await expect.poll(sizes, { timeout: 10_000 }).toEqual([8, 8]);
  const last = recordIds(await node.publish(stream(...fresh(2))));
  held.resolve(undefined);
  await node.drained();
  expect(sizes()).toEqual([8, 8, 2]);
  for (const id of last) expect(node.readModel.record(id)).toMatchObject({ versions: 1 });
});

test('a lost answer settles by the block, and the batch is not published again', async () => {
  const { faulty, node } = await open((_batch, attempt) => (attempt === 1 ? { what: 'answer-lost' } : undefined));
  node.sender.start();
  const ids = recordIds(await node.publish(stream(...fresh(5))));
  await node.drained();
  for (const id of ids) expect(node.readModel.record(id)).toMatchObject({ versions: 1 });
  expect(node.alarms).toEqual([]);
  expect(new Set(faulty.sent.map(({ batch }) => batch.seq)).size).toBe(new Set(faulty.sent.map(({ argument }) => argument)).size);
});

test('a transaction lost in ordering is sent again', async () => {
  const { faulty, node } = await open((_batch, attempt) => (attempt === 1 ? { what: 'lost' } : undefined));
  node.sender.start();
  const ids = recordIds(await node.publish(stream(...fresh(3))));
  await node.drained();
  for (const id of ids) expect(node.readModel.record(id)).toMatchObject({ versions: 1 });
  for (const calls of Map.groupBy(faulty.sent, ({ batch }) => batch.seq).values()) expect(calls.length).toBeGreaterThan(1);
});

test('a poison record is found by halving, becomes a dead letter, and holds nobody up', async () => {
  const lines = fresh(20);
  const poison = { local: '' };
  const { faulty, node } = await open(({ headers }) => (headers.some(({ localId }) => localId === poison.local) ? { what: 'refused', code: 'RIGHTS_NOT_ALLOWED' } : undefined));
  const ids = recordIds(await node.publish(stream(...lines)));
  const bad = ids[7] as string;
  poison.local = bad.split('/')[2] as string;
  node.sender.start();
  await node.drained();
  for (const id of ids) expect(node.readModel.record(id) === undefined).toBe(id === bad);
  const letters = await new DeadLetters(node.store).list();
  expect(letters).toMatchObject([{ recordId: bad, version: 1, code: 'RIGHTS_NOT_ALLOWED' }]);
  expect(node.vault.has(bad, 1)).toBe(false);
  expect(new Set(faulty.sent.map(({ batch }) => batch.seq)).size).toBeGreaterThan(3);
  // Corrected, the same record is taken as a new one.
  poison.local = '';
  const [again] = await node.publish(stream(lines[7] as object));
  expect(again).toMatchObject({ recordId: bad, version: 1 });
  await node.drained();
  expect(node.readModel.record(bad)).toMatchObject({ versions: 1 });
});

test('later versions of a refused one are refused with it, and the record goes on from what the ledger has', async () => {
  const [line] = fresh(1) as [object];
  const refuse = { version: 0 };
  const { node } = await open(({ headers }) => (headers.some(({ version }) => version === refuse.version) ? { what: 'refused', code: 'RIGHTS_NOT_ALLOWED' } : undefined));
  node.sender.start();
  const change = (level: string): object => ({ kind: 'qualification', supersede: true, data: qualification(series, { level }) });
  const [id] = recordIds(await node.publish(stream(line)));
  await node.drained();
  refuse.version = 2;
  await node.publish(stream(change('01'), change('02')));
  await node.drained();
  expect(node.readModel.record(id as string)).toMatchObject({ versions: 1 });
  refuse.version = 0;
  expect(await node.publish(stream(change('02')))).toMatchObject([{ version: 2 }, {}]);
  await node.drained();
  expect(node.readModel.record(id as string)).toMatchObject({ versions: 2 });
});

test('what is frozen when the node stops is sent at the next start, as the same bytes', async () => {
  const first = await open(() => ({ what: 'unavailable' }));
  first.node.sender.start();
  const ids = recordIds(await first.node.publish(stream(...fresh(4))));
  await expect.poll(() => first.faulty.sent.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await first.node.close();
  const second = await open();
  second.node.sender.start();
  await second.node.drained();
  for (const id of ids) expect(second.node.readModel.record(id)).toMatchObject({ versions: 1 });
  const before = new Set(first.faulty.sent.map(({ argument }) => argument));
  expect(second.faulty.sent.filter(({ argument }) => before.has(argument)).length).toBeGreaterThan(0);
});

test('data restored from an old copy: known batches settle, a batch it does not know of is an alarm', async () => {
  const copy = path.join(folder, 'copy');
  const first = await open(() => ({ what: 'unavailable' }));
  const ids = recordIds(await first.node.publish(stream(...fresh(4))));
  first.node.sender.start();
  await expect.poll(() => first.faulty.sent.length, { timeout: 10_000 }).toBeGreaterThan(0);
  await first.node.close();
  cpSync(consortium.stateDir('river'), copy, { recursive: true });
  const second = await open();
  second.node.sender.start();
  await second.node.drained();
  await second.node.publish(stream(...fresh(2)));
  await second.node.drained();
  await second.node.close();
  const restored = await open(() => undefined, copy);
  expect(restored.node.alarms.map(({ code, details }) => [code, details['reason']])).toEqual([['OUTBOX_TAIL_LOST', 'unknown-own-batch']]);
  restored.node.sender.start();
  await restored.node.drained();
  for (const id of ids) expect(restored.node.readModel.record(id)).toMatchObject({ versions: 1, contested: false });
  // A record whose data the copy lacks goes on as its next version: no second version 1.
  expect(await restored.node.publish(stream({ kind: 'qualification', data: qualification(series) }))).toMatchObject([{ version: 2 }, {}]);
  await restored.node.drained();
});

test('a folder put back sends nothing of what the ledger has by now, whatever batch brought it there', async () => {
  const copy = path.join(folder, 'rolled-back');
  const first = await open();
  const ids = recordIds(await first.node.publish(stream(...fresh(20))));
  await first.node.close();
  cpSync(consortium.stateDir('river'), copy, { recursive: true });
  const second = await open();
  second.node.sender.start();
  const later = recordIds(await second.node.publish(stream(...fresh(3))));
  await second.node.drained();
  await second.node.close();
  // Put back: the rows wait here, frozen in no batch, and stand on the ledger.
  const restored = await open(() => undefined, copy);
  expect((await restored.node.outbox.status()).pending).toBe(20);
  restored.node.sender.start();
  await restored.node.drained();
  expect(restored.faulty.sent).toEqual([]);
  for (const id of [...ids, ...later]) expect(restored.node.readModel.record(id)).toMatchObject({ versions: 1, contested: false });
  expect(await restored.node.publish(stream(...publishLines(series, series + 1, { level: '02' })))).toMatchObject([{ version: 2 }, {}]);
  await restored.node.drained();
});

test('a row that a folder put back took, of a record that is on the ledger with other content, becomes a dead letter, and its next import follows the ledger', async () => {
  const copy = path.join(folder, 'displaced');
  const before = await open();
  await before.node.close();
  cpSync(consortium.stateDir('river'), copy, { recursive: true });
  const first = await open();
  first.node.sender.start();
  const [line] = fresh(1);
  const [id = ''] = recordIds(await first.node.publish(stream(line as object)));
  await first.node.drained();
  await first.node.close();
  // The copy takes the same record before it sees the ledger, as it would while the ledger is away.
  const blind = await PublishingNode.open({ stateDir: copy, connectionFile: consortium.connectionFile('river'), maxHeaders: 8 });
  onTestFinished(async () => { await blind.close(); });
  expect(await blind.publish(stream(line as object))).toMatchObject([{ version: 1 }, {}]);
  blind.start();
  await blind.drained();
  expect((await new DeadLetters(blind.store).list()).filter(({ recordId }) => recordId === id)).toMatchObject([{ code: 'VERSION_ORDER', version: 1 }]);
  expect(blind.readModel.record(id)).toMatchObject({ versions: 1, contested: false });
  expect(await blind.publish(stream(line as object))).toMatchObject([{ version: 2 }, {}]);
  await blind.drained();
  expect(blind.readModel.record(id)).toMatchObject({ versions: 2, contested: false });
});

test('the ledger away and back: rows are taken all the while, then all come to the ledger', async () => {
  const { node } = await open();
  node.sender.start();
  await consortium.ledger.close();
  const ids = recordIds(await node.publish(stream(...fresh(30))));
  expect(ids).toHaveLength(30);
  await expect.poll(() => node.follower.state, { timeout: 10_000 }).toBe('waiting');
  await consortium.restart();
  await node.drained(30_000);
  for (const id of ids) expect(node.readModel.record(id)).toMatchObject({ versions: 1 });
  expect(node.follower.state).toBe('following');
});

test('a group on disk counts although its acknowledgement failed: it comes to the ledger without a new start', async () => {
  const { node } = await open();
  node.sender.start();
  let failures = 0;
  armFailpoints((step) => {
    if (step === 'P4' && (failures += 1) === 1) throw new Error('between the write and its acknowledgement');
    return undefined;
  });
  onTestFinished(() => { armFailpoints(undefined); });
  const before = (await node.readModel.records({ limit: 500 })).items.length;
  await expect(node.publish(stream(...fresh(3)))).rejects.toMatchObject({ code: 'INTERNAL' });
  await node.publish(stream(...fresh(2)));
  await node.drained();
  expect((await node.readModel.records({ limit: 500 })).items.length - before).toBeGreaterThanOrEqual(3);
  expect(node.alarms).toEqual([]);
});

test('a batch that the ledger lost goes again soon after the stream of blocks broke', async () => {
  const { faulty, node } = await open((_batch, attempt) => (attempt === 1 ? { what: 'vanished' } : undefined));
  node.sender.start();
  const ids = recordIds(await node.publish(stream(...fresh(2))));
  await faulty.whenSent(1);
  node.sender.ledgerBroke();
  await node.drained();
  for (const id of ids) expect(node.readModel.record(id)).toBeDefined();
});
