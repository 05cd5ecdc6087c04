import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { areKeysUnexported, exportKeys, importKeys, listKeys } from '../src/adapters/keys/key-export.js';
import { writeSecret } from '../src/adapters/keys/key-files.js';
import { createKeys, openKeys } from '../src/adapters/keys/node-keys.js';
import { VaultKeyFile } from '../src/adapters/keys/vault-key-file.js';
import { temporaryFolder } from './temporary-folder.js';

const passphrase = 'invented passphrase';
const now = new Date('2026-03-01T00:00:00.000Z');

async function exported(member = 'river'): Promise<{ readonly from: string; readonly file: string }> {
  const from = temporaryFolder();
  await createKeys(from, member);
  const file = path.join(temporaryFolder(), 'keys.json');
  await exportKeys(from, file, passphrase, now);
  return { from, file };
}

test('keys come back as they were, and sign and name records as before', async () => {
  const { file, from } = await exported();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const to = path.join(temporaryFolder(), 'new');
  await importKeys(to, file, passphrase);
  const made = (name: string): Buffer => readFileSync(path.join(to, 'keys', name));
  const names = readdirSync(path.join(from, 'keys')).filter((name) => name !== 'exported.json');
  expect(names.length).toBeGreaterThan(4);
  for (const name of names) {
    expect(made(name)).toEqual(readFileSync(path.join(from, 'keys', name)));
    expect(statSync(path.join(to, 'keys', name)).mode & 0o777).toBe(0o600);
  }
  await VaultKeyFile.create(path.join(to, 'vault-keys'));
  const [before, after] = [await openKeys(from), await openKeys(to)];
  expect(after.localIdKey).toEqual(before.localIdKey);
  expect(after.signingKey).toEqual(before.signingKey);
  await Promise.all([before.close(), after.close()]);
});

test('the file holds no key in the open, and no vault key at all', async () => {
  const { file, from } = await exported();
  const text = readFileSync(file, 'utf8');
  const localId = readFileSync(path.join(from, 'keys', 'local-id-key'));
  const { d } = JSON.parse(readFileSync(path.join(from, 'keys', 'signing-key.json'), 'utf8')) as { d: string };
  for (const secret of [d, localId.toString('base64url'), localId.toString('hex'), 'river']) expect(text).not.toContain(secret);
});

test('an export is known until a key changes', async () => {
  const from = temporaryFolder();
  await createKeys(from, 'river');
  expect(await areKeysUnexported(from)).toBe(true);
  await exportKeys(from, path.join(temporaryFolder(), 'keys.json'), passphrase, now);
  expect(await listKeys(from)).toMatchObject({ exportedAt: now.toISOString(), memberId: 'river' });
  await writeSecret(path.join(from, 'keys', 'certificate.der'), 'another');
  expect(await areKeysUnexported(from)).toBe(true);
});

test('a wrong passphrase and every changed character are refused alike', async () => {
  const { file } = await exported();
  const to = temporaryFolder();
  await expect(importKeys(to, file, 'another passphrase')).rejects.toMatchObject({ code: 'KEY_FILE_UNREADABLE', details: { file } });
  const sealed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  for (const member of Object.keys(sealed)) {
    const value = sealed[member] ?? '';
    const at = Math.floor(value.length / 2);
    writeFileSync(file, JSON.stringify({ ...sealed, [member]: `${value.slice(0, at)}${value[at] === 'A' ? 'B' : 'A'}${value.slice(at + 1)}` }));
    await expect(importKeys(to, file, passphrase), member).rejects.toMatchObject({ code: 'KEY_FILE_UNREADABLE', details: { file } });
  }
  for (const text of ['', '{}', 'null', '{"protected":"', JSON.stringify(sealed).slice(0, -40)]) {
    writeFileSync(file, text);
    await expect(importKeys(to, file, passphrase), text).rejects.toMatchObject({ code: 'KEY_FILE_UNREADABLE' });
  }
  expect(readdirSync(to)).toEqual([]);
});

test('a file of newer software says so before any passphrase is tried', async () => {
  const { file } = await exported();
  const sealed = JSON.parse(readFileSync(file, 'utf8')) as { protected: string };
  const header = JSON.parse(Buffer.from(sealed.protected, 'base64url').toString()) as { format: number };
  writeFileSync(file, JSON.stringify({ ...sealed, protected: Buffer.from(JSON.stringify({ ...header, format: header.format + 1 })).toString('base64url') }));
  await expect(importKeys(temporaryFolder(), file, passphrase)).rejects.toMatchObject({ code: 'KEY_FILE_NEWER', details: { format: header.format + 1 } });
});

test('nothing is overwritten, and no other member\'s folder is taken', async () => {
  const { file, from } = await exported();
  await expect(exportKeys(from, file, passphrase, now)).rejects.toMatchObject({ code: 'BAD_FIELD', details: { path: file } });
  await expect(exportKeys(from, `${file}.2`, 'short', now)).rejects.toMatchObject({ code: 'BAD_FIELD', details: { path: 'passphrase' } });
  await expect(importKeys(from, file, passphrase)).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { reason: 'keys-exist' } });
  const others = temporaryFolder();
  writeFileSync(path.join(others, 'huilian.json'), JSON.stringify({ memberId: 'lake' }));
  await expect(importKeys(others, file, passphrase)).rejects.toMatchObject({ code: 'KEY_FILE_OTHER_MEMBER', details: { file: 'river', folder: 'lake' } });
  expect(readdirSync(others)).toEqual(['huilian.json']);
});
