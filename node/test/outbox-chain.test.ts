import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Header, ProtocolError } from '@huilian/protocol';
import { LevelStore } from '../src/adapters/level/level-store.js';
import { MarkFile } from '../src/adapters/level/mark-file.js';
import { MemoryMark } from '../src/adapters/memory/memory-mark.js';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { systemClock as clock } from '../src/adapters/system/system-clock.js';
import { systemRandom as random } from '../src/adapters/system/system-random.js';
import { ReadModel } from '../src/core/indexing/read-model.js';
import type { HighWaterMark } from '../src/core/outbox/high-water-mark.js';
import { Outbox } from '../src/core/outbox/outbox.js';
import { RowRanges, toRanges } from '../src/core/outbox/row-ranges.js';
import type { Store } from '../src/core/ports.js';
import { Vault } from '../src/core/vault/vault.js';
import { temporaryFolder } from './temporary-folder.js';

const letters = 'abcdefghijklmnopqrstuvwxyz';

function headers(count: number, from = 0): Header[] {
  return Array.from({ length: count }, (_, index) => {
    const at = from + index;
    const localId = `${letters[at % 26] ?? ''}${letters[Math.floor(at / 26) % 26] ?? ''}${'a'.repeat(23)}a`;
    return { digest: '11'.repeat(32), kind: 'supervision', localId, rights: 'publisher', schema: 1, status: 'active', subject: '', version: 1 };
  });
}

interface Opened {
  readonly outbox: Outbox;
  readonly alarms: ProtocolError[];
}

async function openOutbox(store: Store, mark: HighWaterMark): Promise<Opened> {
  const alarms: ProtocolError[] = [];
  const vaultKeys = { find: () => undefined, names: () => [], ensure: () => Promise.resolve(), erasures: () => [], end: () => Promise.resolve() };
  const vault = new Vault(store, vaultKeys, random, 'river');
  const outbox = await Outbox.open({ store, mark, vault, clock, maxHeaders: 10, publisher: 'river', readModel: new ReadModel(store), onAlarm: (error) => { alarms.push(error); } });
  return { outbox, alarms };
}

async function addGroup(outbox: Outbox, store: Store, group: readonly Header[]): Promise<void> {
  const draft = outbox.draft(group);
  await store.write([draft.write]);
  outbox.written(draft);
  await outbox.covered(draft);
}

/** Five groups of 10 rows on disk, acknowledged. */
async function fiveGroups(folder: string): Promise<string> {
  const store = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
  const mark = await MarkFile.open(path.join(folder, 'outbox.hwm'));
  const { alarms, outbox } = await openOutbox(store, mark);
  for (let at = 0; at < 5; at += 1) await addGroup(outbox, store, headers(10, at * 10));
  expect(alarms).toEqual([]);
  await store.close();
  await mark.close();
  const log = readdirSync(path.join(folder, 'data')).find((name) => name.endsWith('.log'));
  return path.join(folder, 'data', log ?? '');
}

async function reopen(folder: string): Promise<Opened & { store: LevelStore }> {
  const store = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
  const mark = await MarkFile.open(path.join(folder, 'outbox.hwm'));
  onTestFinished(async () => {
    await store.close();
    await mark.close();
  });
  return { store, ...(await openOutbox(store, mark)) };
}

test('an outbox that was closed in order opens without a word', async () => {
  const folder = temporaryFolder();
  await fiveGroups(folder);
  const { alarms, outbox } = await reopen(folder);
  expect(alarms).toEqual([]);
  expect(await outbox.status()).toMatchObject({ pending: 50 });
});

test('a log cut short anywhere in its last group is announced, never silent', async () => {
  const probe = temporaryFolder();
  const log = await fiveGroups(probe);
  const length = statSync(log).size;
  const group = Math.floor(length / 5);
  for (let cut = 1; cut < group; cut += 131) {
    const folder = temporaryFolder();
    const file = await fiveGroups(folder);
    truncateSync(file, length - cut);
    const { alarms, outbox } = await reopen(folder);
    expect(alarms, `cut ${String(cut)}`).toMatchObject([{ code: 'OUTBOX_TAIL_LOST', details: { from: 41, to: 50 } }]);
    expect(() => outbox.draft(headers(1))).toThrow(expect.objectContaining({ code: 'OUTBOX_TAIL_LOST' }) as Error);
    expect(await outbox.status()).toMatchObject({ pending: 40 });
  }
});

test('a changed byte anywhere in the log is announced or harmless', async () => {
  const folder = temporaryFolder();
  const file = await fiveGroups(folder);
  const whole = readFileSync(file);
  const intact = await pendingHeaders(folder);
  const changed = temporaryFolder();
  let announced = 0;
  for (let at = 0; at < whole.length; at += 61) {
    rmSync(changed, { recursive: true, force: true });
    cpSync(folder, changed, { recursive: true });
    const bytes = Uint8Array.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    writeFileSync(path.join(changed, 'data', path.basename(file)), bytes);
    const found = await pendingHeaders(changed);
    if (found === 'announced') announced += 1;
    else expect(found, `byte ${String(at)}`).toBe(intact);
  }
  expect(announced).toBeGreaterThan(100);
});

/** All rows as text, or that damage was announced. */
async function pendingHeaders(folder: string): Promise<string> {
  const copy = temporaryFolder();
  cpSync(folder, copy, { recursive: true });
  try {
    const { alarms, outbox, store } = await reopen(copy);
    if (alarms.some(({ code }) => code === 'OUTBOX_TAIL_LOST')) return 'announced';
    const rows = Array.from({ length: 50 }, (_, index) => JSON.stringify(outbox.pendingHeader(index + 1)));
    await store.close();
    return rows.join();
  } catch (error) {
    if ((error as ProtocolError).code === 'STORAGE_FAILED' || (error as ProtocolError).code === 'OUTBOX_TAIL_LOST') return 'announced';
    throw error;
  }
}

test('a group that is gone from the middle, and one whose bytes changed, are announced; the others stay', async () => {
  for (const damage of ['gone', 'changed'] as const) {
    const folder = temporaryFolder();
    await fiveGroups(folder);
    const first = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
    const key = 'outbox/group/00000000000021';
    const value = Buffer.from(first.get(key) as Uint8Array).toString().replace('"digest":"11', '"digest":"12');
    await first.write([damage === 'gone' ? { key, remove: true } : { key, value: Buffer.from(value) }]);
    await first.close();
    const { alarms, outbox } = await reopen(folder);
    expect(alarms, damage).toMatchObject([{ code: 'OUTBOX_TAIL_LOST', details: { from: 21, to: 30 } }]);
    expect(await outbox.status()).toMatchObject({ pending: 40 });
  }
});

test('once the operator accepts the loss, rows are taken again and the chain reads as whole', async () => {
  const folder = temporaryFolder();
  const log = await fiveGroups(folder);
  truncateSync(log, statSync(log).size - 10);
  const { outbox, store } = await reopen(folder);
  await outbox.acceptLoss();
  await addGroup(outbox, store, headers(3, 60));
  await store.close();
  const again = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
  const mark = await MarkFile.open(path.join(folder, 'outbox.hwm'));
  const { alarms, outbox: reopened } = await openOutbox(again, mark);
  expect(alarms).toEqual([]);
  expect(await reopened.status()).toMatchObject({ pending: 43 });
  expect(reopened.draft(headers(1, 70))).toMatchObject({ from: 54 });
  await again.close();
  await mark.close();
});

test('a missing high-water mark is announced', async () => {
  const store = new MemoryStore();
  const first = await openOutbox(store, new MemoryMark());
  await addGroup(first.outbox, store, headers(3));
  const { alarms, outbox } = await openOutbox(store, new MemoryMark());
  expect(alarms).toMatchObject([{ code: 'OUTBOX_TAIL_LOST', details: { reason: 'mark-missing' } }]);
  expect(outbox.isWhole).toBe(false);
  expect(() => outbox.draft(headers(1))).toThrow(expect.objectContaining({ code: 'OUTBOX_TAIL_LOST' }) as Error);
  await outbox.acceptLoss();
  await addGroup(outbox, store, headers(1, 3));
  expect(outbox.isWhole).toBe(true);
});

test('the mark stands at or above every row that was acknowledged', async () => {
  const store = new MemoryStore();
  const mark = new MemoryMark();
  const { outbox } = await openOutbox(store, mark);
  const waits: Promise<void>[] = [];
  for (let at = 0; at < 5; at += 1) {
    const draft = outbox.draft(headers(10, at * 10));
    await store.write([draft.write]);
    outbox.written(draft);
    waits.push(outbox.covered(draft).then(() => { expect(mark.read()?.to).toBeGreaterThanOrEqual(draft.to); }));
  }
  await Promise.all(waits);
  expect(mark.read()?.to).toBe(50);
});

test('batches settled out of turn leave an outbox that opens as it was', async () => {
  const store = new MemoryStore();
  const mark = new MemoryMark();
  const { outbox } = await openOutbox(store, mark);
  for (const [at, count] of [7, 20, 5, 8].entries()) await addGroup(outbox, store, headers(count, at * 20));
  const batches = [];
  for (let batch = await outbox.freeze(); batch !== undefined; batch = await outbox.freeze()) batches.push(batch);
  expect(batches.map(({ count }) => count)).toEqual([10, 10, 10, 10]);
  for (const [at, left] of [[2, 30], [0, 20], [3, 10], [1, 0]] as const) {
    const { root, seq } = batches[at] as { root: string; seq: number };
    await outbox.settle([{ publisher: 'river', root, seq, transactionId: 'x' }], async (writes) => { await store.write(writes); });
    expect(await outbox.status()).toMatchObject({ pending: left });
    const { alarms, outbox: reopened } = await openOutbox(store, mark);
    expect(alarms).toEqual([]);
    expect(await reopened.status()).toMatchObject({ pending: left, inFlight: left / 10 });
    expect(await reopened.freeze()).toBeUndefined();
  }
  const rest: string[] = [];
  for await (const [key] of store.entries({ gte: 'outbox/', lt: 'outbox/~' })) rest.push(key);
  expect(rest).toEqual(['outbox/base', 'outbox/seq']);
});

test('another root under an own seq is an alarm and settles nothing', async () => {
  const store = new MemoryStore();
  const { alarms, outbox } = await openOutbox(store, new MemoryMark());
  await addGroup(outbox, store, headers(3));
  const batch = await outbox.freeze();
  await outbox.settle([{ publisher: 'river', root: '00'.repeat(32), seq: batch?.seq ?? 0, transactionId: 'x' }], async (writes) => { await store.write(writes); });
  expect(alarms).toMatchObject([{ code: 'BATCH_EXISTS' }]);
  expect(await outbox.status()).toMatchObject({ pending: 3, inFlight: 1 });
});

test('row ranges behave as a set of rows', () => {
  let seed = 7;
  const next = (most: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % most;
  const ranges = new RowRanges();
  const model = new Set<number>();
  for (let step = 0; step < 2000; step += 1) {
    const first = next(60);
    const last = first + next(8);
    const adds = next(2) === 0;
    for (let row = first; row <= last; row += 1) if (adds) model.add(row); else model.delete(row);
    if (adds) ranges.add(first, last);
    else ranges.remove(first, last);
    expect(ranges.list()).toEqual(toRanges([...model].sort((left, right) => left - right)));
    expect(ranges.count).toBe(model.size);
    const row = next(70);
    expect(ranges.has(row)).toBe(model.has(row));
  }
});

test('the mark file stays two slots of 256 bytes, however many groups are acknowledged', async () => {
  const folder = temporaryFolder();
  await fiveGroups(folder);
  expect(statSync(path.join(folder, 'outbox.hwm')).size).toBe(512);
});
