import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import type { Header } from '@huilian/protocol';
import { VaultKeyFile } from '../src/adapters/keys/vault-key-file.js';
import { LevelStore } from '../src/adapters/level/level-store.js';
import type { Random } from '../src/core/ports.js';
import { OwnRecords, type OwnRecord } from '../src/core/vault/own-records.js';
import { Vault, type SealedRecord } from '../src/core/vault/vault.js';
import { temporaryFolder } from './temporary-folder.js';

const owners = ['org:91440105MA6NNHC07C', 'org:91440106MABAY5U732', undefined] as const;

class Place {
  public readonly drawn: string[] = [];
  private row = 0;

  private constructor(
    public readonly folder: string,
    public readonly store: LevelStore,
    public readonly keys: VaultKeyFile,
    public vault: Vault,
    private readonly records: OwnRecords,
  ) {}

  public static async make(folder: string = temporaryFolder()): Promise<Place> {
    mkdirSync(path.join(folder, 'vault-keys'), { recursive: true });
    if (!readdirSync(path.join(folder, 'vault-keys')).includes('keys')) await VaultKeyFile.create(path.join(folder, 'vault-keys'));
    const store = await LevelStore.open(path.join(folder, 'data'), { diskFloorBytes: 0 });
    const keys = await VaultKeyFile.open(path.join(folder, 'vault-keys'));
    const drawn: string[] = [];
    const random: Random = {
      bytes: (length) => {
        const bytes = new Uint8Array(randomBytes(length));
        drawn.push(Buffer.from(bytes).toString('hex'));
        return bytes;
      },
    };
    const place = new Place(folder, store, keys, new Vault(store, keys, random, 'river'), new OwnRecords(store));
    Object.assign(place, { drawn });
    onTestFinished(async () => {
      await store.close();
      await keys.close();
    });
    return place;
  }

  public async seal(recordId: string, owner: string | undefined): Promise<SealedRecord> {
    this.row += 1;
    const header: Header = {
      digest: '11'.repeat(32), kind: 'qualification', localId: recordId.slice(-26), rights: owner === undefined ? 'publisher' : 'owner', schema: 1, status: 'active', subject: '', version: 1,
      ...(owner === undefined ? {} : { owner }),
    };
    const record: SealedRecord = { segment: `segment of ${recordId}`, disclosures: { holder: `disclosure of ${recordId}` }, header };
    const row: OwnRecord = { data: '', rights: header.rights, schema: 1, status: 'active', subject: '', versions: [[1, this.row]], ...(owner === undefined ? {} : { owner }) };
    await this.vault.prepare([owner]);
    await this.store.write([this.vault.seal(this.row, recordId, record), this.records.put(recordId, row)]);
    return record;
  }

  public rowKey(): string {
    return `vault/row/${String(this.row).padStart(12, '0')}`;
  }
}

const idOf = (at: number): string => `river/qualification/${'a'.repeat(24)}${String.fromCharCode(97 + at)}a`;

test('opens what it sealed, also after it was closed, and nothing else', async () => {
  const folder = temporaryFolder();
  const first = await Place.make(folder);
  const record = await first.seal(idOf(0), owners[0]);
  expect(first.vault.open(idOf(0), 1)).toEqual(record);
  expect(first.vault.has(idOf(0), 1)).toBe(true);
  expect(first.vault.has(idOf(0), 2)).toBe(false);
  expect(() => first.vault.open(idOf(1), 1)).toThrow(expect.objectContaining({ code: 'PAYLOAD_MISSING' }) as Error);
  expect(() => first.vault.open(idOf(0), 2)).toThrow(expect.objectContaining({ code: 'PAYLOAD_MISSING' }) as Error);
});

test('no payload byte lies on disk in the clear', async () => {
  const place = await Place.make();
  await place.seal(idOf(0), owners[0]);
  for (const name of readdirSync(path.join(place.folder, 'data'))) {
    expect(readFileSync(path.join(place.folder, 'data', name)).includes('segment of')).toBe(false);
  }
});

test('every flipped byte of a sealed row is found', async () => {
  const place = await Place.make();
  await place.seal(idOf(0), owners[0]);
  const whole = Uint8Array.from(place.store.get(place.rowKey()) as Uint8Array);
  for (let at = 0; at < whole.length; at += 1) {
    const changed = Uint8Array.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x01;
    await place.store.write([{ key: place.rowKey(), value: changed }]);
    expect(() => place.vault.open(idOf(0), 1), `byte ${String(at)}`).toThrow(expect.objectContaining({ code: 'VAULT_CORRUPT' }) as Error);
  }
  for (const length of [1, 60, whole.length - 1]) {
    await place.store.write([{ key: place.rowKey(), value: whole.subarray(0, length) }]);
    expect(() => place.vault.open(idOf(0), 1)).toThrow(expect.objectContaining({ code: 'VAULT_CORRUPT' }) as Error);
  }
});

test('a row does not open in the place of another', async () => {
  const place = await Place.make();
  await place.seal(idOf(0), owners[0]);
  const first = Uint8Array.from(place.store.get(place.rowKey()) as Uint8Array);
  await place.seal(idOf(1), owners[0]);
  await place.store.write([{ key: place.rowKey(), value: first }]);
  expect(() => place.vault.open(idOf(1), 1)).toThrow(expect.objectContaining({ code: 'VAULT_CORRUPT' }) as Error);
});

test('no key and IV is used twice', async () => {
  const place = await Place.make();
  for (let at = 0; at < 20; at += 1) await place.seal(idOf(at), owners[at % 3]);
  // Per record a content key (32 bytes) and two IVs (12 bytes).
  expect(place.drawn.map((bytes) => bytes.length / 2).sort((left, right) => left - right)).toEqual([...Array.from({ length: 40 }, () => 12), ...Array.from({ length: 20 }, () => 32)]);
  expect(new Set(place.drawn).size).toBe(place.drawn.length);
});
