import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { utf8 } from '@huilian/protocol';
import { BackupFolder, readBackupFile, writeBackupFile } from '../src/adapters/backups/backup-files.js';
import { LevelStore } from '../src/adapters/level/level-store.js';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { systemClock } from '../src/adapters/system/system-clock.js';
import { openStore } from '../src/composition/open-store.js';
import type { NodeConfig } from '../src/config/config.js';
import { decodeBackup, encodeBackup, type BackupHeader } from '../src/core/backup/backup-file.js';
import { KeepBackups } from '../src/core/backup/keep-backups.js';
import { bringUpToDate, storeFormat, storeFormatOf } from '../src/core/backup/store-format.js';
import type { ProtocolError } from '@huilian/protocol';
import type { StoreWrite } from '../src/core/ports.js';
import { OwnRecords } from '../src/core/vault/own-records.js';
import { temporaryFolder } from './temporary-folder.js';

const header: BackupHeader = { kind: 'huilian-backup', format: 1, storeFormat, memberId: 'river', at: '2026-01-02T03:04:05.000Z', height: 7, mark: { to: 3, head: 'ab'.repeat(32) }, files: { 'huilian.json': '{}\n' } };
const rows: readonly (readonly [string, Uint8Array])[] = [['a', utf8('one')], ['b/ü', new Uint8Array()], ['vault/row/000000000001', new Uint8Array(300).fill(9)]];

async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  await Promise.resolve();
  yield* items;
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

interface Decoded {
  readonly header: BackupHeader | undefined;
  readonly writes: readonly StoreWrite[];
}

async function decoded(bytes: Uint8Array, chunk = bytes.length): Promise<Decoded> {
  let found: BackupHeader | undefined;
  const writes: StoreWrite[] = [];
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, index) => bytes.subarray(index * chunk, (index + 1) * chunk));
  await decodeBackup(each(chunks), { header: (one) => { found = one; }, rows: async (some) => { await Promise.resolve(); writes.push(...some); } });
  return { header: found, writes };
}

describe('the file of a backup', () => {
  const whole = async (): Promise<Buffer> => await bytesOf(encodeBackup(header, each(rows)));

  test.each([1, 7, 100_000])('comes back as it was written, in chunks of %i bytes', async (chunk) => {
    const { header: found, writes } = await decoded(await whole(), chunk);
    expect(found).toEqual(header);
    expect(writes.map((write) => ['value' in write ? [write.key, [...write.value]] : write.key])).toEqual(rows.map(([key, value]) => [[key, [...value]]]));
  });

  test('no byte of it may change, and none may be missing or follow', async () => {
    const bytes = await whole();
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expect(decoded(changed), `byte ${String(at)}`).rejects.toMatchObject({ code: expect.stringMatching(/^BACKUP_(DAMAGED|NEWER)$/) as string });
    }
    for (let length = 0; length < bytes.length; length += 1) await expect(decoded(bytes.subarray(0, length)), `${String(length)} bytes`).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    await expect(decoded(Buffer.concat([bytes, Buffer.of(0)]))).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
  });

  test('of a later format it is refused as such', async () => {
    await expect(decoded(await bytesOf(encodeBackup({ ...header, format: 2 }, each(rows))))).rejects.toMatchObject({ code: 'BACKUP_NEWER', details: { found: '2', known: 1 } });
  });

  test('takes its name when it is whole, and never another\'s place', async () => {
    const folder = temporaryFolder();
    const file = path.join(folder, 'one.backup');
    await writeBackupFile(file, encodeBackup(header, each(rows)));
    expect(await readBackupFile(file, { header: () => undefined })).toBe(rows.length);
    const before = readFileSync(file);
    await expect(writeBackupFile(file, encodeBackup(header, each(rows)))).rejects.toMatchObject({ code: 'BAD_FIELD' });
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield before.subarray(0, 40);
      await Promise.resolve();
      throw Object.assign(new Error('the disk is gone'), { code: 'EIO' });
    }
    await expect(writeBackupFile(path.join(folder, 'two.backup'), broken())).rejects.toMatchObject({ code: 'BACKUP_FAILED', details: { cause: 'EIO' } });
    await expect(writeBackupFile(path.join(folder, 'three.backup'), each([before.subarray(0, 40)]))).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
    await expect(writeBackupFile(path.join(folder, 'not-there', 'four.backup'), each([before]))).rejects.toMatchObject({ code: 'BACKUP_FAILED', details: { cause: 'ENOENT' } });
    expect(readdirSync(folder)).toEqual(['one.backup']);
    expect(readFileSync(file).equals(before)).toBe(true);
  });
});

describe('backups in their place', () => {
  function kept(folder: string | undefined, keep: number, everyHours = 0): { readonly backups: KeepBackups; readonly alarms: ProtocolError[] } {
    const alarms: ProtocolError[] = [];
    const place = folder === undefined ? {} : { place: new BackupFolder(folder, 'river') };
    return { alarms, backups: new KeepBackups({ clock: systemClock, memberId: 'river', ...place, everyHours, keep, onAlarm: (error) => { alarms.push(error); }, stream: () => encodeBackup(header, each(rows)) }) };
  }

  test('as many are kept as was said, and files of others are left alone', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'hill-20260101T000000000Z.backup'), 'of another node');
    const { backups } = kept(folder, 2);
    const names: string[] = [];
    for (let made = 0; made < 4; made += 1) {
      names.push((await backups.make()).name);
      await expect.poll(() => Date.now()).toBeGreaterThan(backups.last?.at ?? Infinity);
    }
    expect(readdirSync(folder).sort()).toEqual(['hill-20260101T000000000Z.backup', ...names.slice(2)].sort());
    expect(backups.list.map(({ name }) => name)).toEqual(names.slice(2));
  });

  test('one is made at a start where the newest is too old, none where it is not', async () => {
    const folder = temporaryFolder();
    const [first, second] = [kept(folder, 5, 1), kept(folder, 5, 1)];
    first.backups.start();
    await expect.poll(() => readdirSync(folder).length).toBe(1);
    await first.backups.stop();
    second.backups.start();
    await expect.poll(() => second.backups.list.length).toBe(1);
    await second.backups.stop();
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('a place that is away is an alarm, and no place is said when one is asked for', async () => {
    const gone = kept(path.join(temporaryFolder(), 'not-mounted'), 5, 1);
    gone.backups.start();
    await expect.poll(() => gone.alarms.map(({ code }) => code)).toEqual(['BACKUP_FAILED']);
    await gone.backups.stop();
    await expect(kept(undefined, 5).backups.make()).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { path: '/backups/folder' } });
  });
});

describe('the format of the store', () => {
  const record = { data: 'ab', rights: 'public', schema: 1, status: 'active', subject: 'org:x', versions: [[1, 1]] } as const;

  /** A store as the first format had it: no number, rows of own records without their check. */
  async function firstFormat(store: LevelStore | MemoryStore, count: number): Promise<void> {
    const records = new OwnRecords(store);
    const bare = Array.from({ length: count }, (_, index): StoreWrite => {
      const { key, value } = records.put(`river/entity/${String(index)}`, record) as { key: string; value: Uint8Array };
      return { key, value: index % 2 === 0 ? value.subarray(0, -8) : value };
    });
    await store.write([...bare, { key: 'outbox/seq', value: utf8('1') }]);
  }

  const configOf = (folder: string): NodeConfig => ({ memberId: 'river', diskFloorBytes: 0, backups: { everyHours: 0, keep: 1 }, folder }) as unknown as NodeConfig;

  test('an empty store gets this software\'s number', async () => {
    const store = new MemoryStore();
    expect(await bringUpToDate(store, () => Promise.reject(new Error('nothing to back up')))).toBe(storeFormat);
    expect(storeFormatOf(store)).toBe(storeFormat);
  });

  test('older data is backed up as it is, and then every row carries its check', async () => {
    const folder = temporaryFolder();
    const old = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
    await firstFormat(old, 2500);
    await old.close();
    let backup = '';
    const store = await openStore(folder, configOf(folder), { onConverted: (file) => { backup = file; } });
    expect(storeFormatOf(store)).toBe(storeFormat);
    const ids: string[] = [];
    for await (const [id, found] of new OwnRecords(store).all()) {
      ids.push(id);
      expect(found).toEqual(record);
    }
    expect(ids).toHaveLength(2500);
    await store.close();
    let found: BackupHeader | undefined;
    const kept: StoreWrite[] = [];
    await readBackupFile(backup, { header: (one) => { found = one; }, rows: async (some) => { await Promise.resolve(); kept.push(...some); } });
    expect(found?.storeFormat).toBe(1);
    expect(kept.filter((write) => 'value' in write && Buffer.from(write.value).toString().endsWith('}'))).toHaveLength(1250);
    // The second time there is nothing to convert, so nothing is backed up either.
    backup = '';
    await (await openStore(folder, configOf(folder), { onConverted: (file) => { backup = file; } })).close();
    expect(backup).toBe('');
  });

  test('without its backup nothing is converted', async () => {
    const folder = temporaryFolder();
    const old = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
    await firstFormat(old, 10);
    await old.close();
    const config = { ...configOf(folder), backups: { folder: path.join(folder, 'not-mounted'), everyHours: 0, keep: 1 } } as NodeConfig;
    await expect(openStore(folder, config)).rejects.toMatchObject({ code: 'BACKUP_FAILED' });
    const after = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
    expect(storeFormatOf(after)).toBe(1);
    await after.close();
  });

  test('newer data is not opened, whatever its number looks like', async () => {
    for (const number of [String(storeFormat + 1), '99', 'x', '']) {
      const store = new MemoryStore();
      await store.write([{ key: 'store/format', value: utf8(number === '' ? '"' : number) }]);
      await expect(bringUpToDate(store, () => Promise.resolve()), number).rejects.toMatchObject({ code: 'STORE_NEWER' });
    }
  });

  test('killed while it converts, it ends the conversion at the next start', async () => {
    const folder = temporaryFolder();
    const old = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
    await firstFormat(old, 20_000);
    await old.close();
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'convert-store.mjs'), folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(child, 'exit');
    // It says when it has its backup; then it converts.
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await gone;
    const store = await openStore(folder, configOf(folder));
    expect(storeFormatOf(store)).toBe(storeFormat);
    let whole = 0;
    for await (const _ of new OwnRecords(store).all()) whole += 1;
    expect(whole).toBe(20_000);
    await store.close();
    expect(existsSync(path.join(folder, 'outbox.hwm'))).toBe(true);
  });
});
