import { spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { ProtocolError } from '@huilian/protocol';
import { LevelStore } from '../src/adapters/level/level-store.js';
import { MarkFile } from '../src/adapters/level/mark-file.js';
import { temporaryFolder } from './temporary-folder.js';

function valueAt(store: LevelStore, key: string): number[] | undefined {
  const value = store.get(key);
  return value && [...value];
}

const noFloor = { diskFloorBytes: 0 };

test('says that another process holds the folder', async () => {
  const folder = temporaryFolder();
  const store = await LevelStore.open(folder, noFloor);
  onTestFinished(async () => {
    await store.close();
  });
  await expect(LevelStore.open(folder, noFloor)).rejects.toMatchObject({ code: 'STORAGE_FAILED', details: { reason: 'locked' } });
});

test('keeps everything over closing and opening again', async () => {
  const folder = temporaryFolder();
  const first = await LevelStore.open(folder, noFloor);
  await first.write([{ key: 'a', value: Uint8Array.of(7) }]);
  await first.close();
  const second = await LevelStore.open(folder, noFloor);
  onTestFinished(async () => {
    await second.close();
  });
  expect(valueAt(second, 'a')).toEqual([7]);
});

test('refuses writes below the floor of free space and goes on reading', async () => {
  const folder = temporaryFolder();
  const first = await LevelStore.open(folder, noFloor);
  await first.write([{ key: 'a', value: Uint8Array.of(7) }]);
  await first.close();
  const store = await LevelStore.open(folder, { diskFloorBytes: Number.MAX_SAFE_INTEGER });
  onTestFinished(async () => {
    await store.close();
  });
  await expect(store.write([{ key: 'b', value: Uint8Array.of(1) }])).rejects.toMatchObject({ code: 'DISK_NEARLY_FULL' });
  expect(store.get('b')).toBeUndefined();
  expect(valueAt(store, 'a')).toEqual([7]);
});

test('after a write the disk refused, refuses all writes until it is opened again, and loses nothing it answered for', async () => {
  const folder = temporaryFolder();
  // A limit on file size makes the kernel refuse a write in the middle of a run, as a full disk does.
  const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'fill-store.mjs');
  const run = spawnSync('bash', ['-c', 'ulimit -f 64; exec "$@"', 'bash', process.execPath, program, folder], { encoding: 'utf8' });
  const outcome = JSON.parse(run.stdout) as { answered: number; first: string; second: string; failures: number };
  expect(outcome).toMatchObject({ first: 'STORAGE_FAILED', second: 'STORAGE_FAILED', failures: 1 });
  expect(outcome.answered).toBeGreaterThan(0);
  const store = await LevelStore.open(folder, noFloor);
  onTestFinished(async () => {
    await store.close();
  });
  for (let at = 0; at < outcome.answered; at += 1) expect(store.get(`k${String(at)}`)?.length).toBe(1000);
});

test('the high-water mark outlives a torn write and reports damage', async () => {
  const file = path.join(temporaryFolder(), 'outbox.hwm');
  const head = (byte: string): string => byte.repeat(64);
  const first = await MarkFile.open(file);
  expect(first.read()).toBeUndefined();
  await first.write({ to: 5, head: head('a') });
  await first.write({ to: 9, head: head('b') });
  await first.close();
  const whole = readFileSync(file);
  // The newer mark was written to the slot at the start of the file.
  writeFileSync(file, Buffer.concat([Buffer.from('torn'), whole.subarray(4)]));
  const second = await MarkFile.open(file);
  expect(second.read()).toEqual({ to: 5, head: head('a') });
  await second.close();
  writeFileSync(file, Buffer.alloc(whole.length, 0x21));
  await expect(MarkFile.open(file)).rejects.toBeInstanceOf(ProtocolError);
  truncateSync(file, 0);
  const empty = await MarkFile.open(file);
  expect(empty.read()).toBeUndefined();
  await empty.close();
});

test('a mark whose sync failed is not synced again: the next success would say nothing of what the first one lost', async () => {
  const file = path.join(temporaryFolder(), 'outbox.hwm');
  const mark = await MarkFile.open(file);
  onTestFinished(async () => { await mark.close(); });
  const head = 'a'.repeat(64);
  await mark.write({ to: 5, head });
  const other = await open(file);
  const handles = Object.getPrototypeOf(other) as { datasync: () => Promise<void> };
  await other.close();
  const { datasync } = handles;
  let syncs = 0;
  onTestFinished(() => { handles.datasync = datasync; });
  handles.datasync = async function (this: unknown): Promise<void> {
    if ((syncs += 1) === 1) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    await datasync.call(this);
  };
  await expect(mark.write({ to: 6, head })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  await expect(mark.write({ to: 7, head })).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
  expect(syncs).toBe(1);
  expect(mark.read()).toEqual({ to: 5, head });
});
