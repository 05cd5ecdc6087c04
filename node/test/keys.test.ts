import { X509Certificate } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { utf8, verifyEs256 } from '@huilian/protocol';
import { createKeys, openKeys } from '../src/adapters/keys/node-keys.js';
import type { Erasure } from '../src/core/ports.js';
import { VaultKeyFile } from '../src/adapters/keys/vault-key-file.js';
import { temporaryFolder } from './temporary-folder.js';

test('keys are made once, read by their owner alone, and open as they were made', async () => {
  const folder = temporaryFolder();
  const identity = await createKeys(folder, 'river');
  const keys = await openKeys(folder);
  expect(keys).toMatchObject(identity);
  const message = utf8('message');
  expect(verifyEs256(identity.signingKey, message, await keys.sign(message))).toBe(true);
  expect(keys.localIdKey).toHaveLength(32);
  for (const name of readdirSync(path.join(folder, 'keys'))) expect(statSync(path.join(folder, 'keys', name)).mode & 0o777).toBe(0o600);
  await keys.close();
  await expect(createKeys(folder, 'river')).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { reason: 'keys-exist' } });
  await expect(openKeys(temporaryFolder())).rejects.toMatchObject({ code: 'KEYS_MISSING' });
});

test('the certificate is of the signing key and signs itself', async () => {
  const folder = temporaryFolder();
  const { signingKey } = await createKeys(folder, 'river');
  const keys = await openKeys(folder);
  const certificate = new X509Certificate(Buffer.from(keys.certificateChain[0] ?? '', 'base64'));
  expect(certificate.publicKey.export({ format: 'jwk' })).toEqual(signingKey);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.subject).toBe('CN=river');
  expect(certificate.ca).toBe(false);
  await keys.close();
});

test('vault keys survive a torn last line, which nothing was sealed under, and damage is said', async () => {
  const folder = temporaryFolder();
  await VaultKeyFile.create(folder);
  const first = await VaultKeyFile.open(folder);
  await first.ensure(['a', 'b', 'a']);
  await Promise.all([first.ensure(['c']), first.ensure(['c', 'd'])]);
  const found = ['a', 'b', 'c', 'd'].map((name) => first.find(name));
  expect(new Set(found.map((key) => Buffer.from(key ?? []).toString('hex'))).size).toBe(4);
  await first.close();
  const file = path.join(folder, 'keys');
  appendFileSync(file, '0123456789abcdef torn');
  const second = await VaultKeyFile.open(folder);
  await second.ensure(['e']);
  await second.close();
  const third = await VaultKeyFile.open(folder);
  expect(['a', 'b', 'c', 'd'].map((name) => third.find(name))).toEqual(found);
  expect(third.find('e')).toHaveLength(32);
  await third.end({ at: 1, generation: 1, holder: 'b', records: [['river/credit/x', 2]], scope: 'records' });
  await third.ensure(['f']);
  await third.close();
  expect(readFileSync(file, 'utf8').split('\n').map((line) => line.split(' ')[1])).toEqual(['erased', 'a', 'c', 'd', 'e', 'f', undefined]);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/^(\S+ c )./m, '$1!'));
  await expect(VaultKeyFile.open(folder)).rejects.toMatchObject({ code: 'KEYS_MISSING', details: { reason: 'damaged', line: 3 } });
});

test('the one copy of the vault keys is replaced whole with every change, before a new key is used and before a removed one is gone', async () => {
  const [folder, place] = [temporaryFolder(), temporaryFolder()];
  const [file, copy] = [path.join(folder, 'keys'), path.join(place, 'vault-keys')];
  await VaultKeyFile.create(folder);
  const first = await VaultKeyFile.open(folder, copy);
  expect(readFileSync(copy, 'utf8')).toBe('');
  await first.ensure(['a', 'b']);
  expect(readFileSync(copy, 'utf8')).toBe(readFileSync(file, 'utf8'));
  const inode = statSync(copy).ino;
  await first.end({ at: 1, generation: 1, holder: 'a', records: [], scope: 'owner' });
  await first.ensure(['c']);
  expect(readFileSync(copy, 'utf8')).toBe(readFileSync(file, 'utf8'));
  expect(readFileSync(copy, 'utf8').split('\n').map((line) => line.split(' ')[1])).toEqual(['erased', 'b', 'c', undefined]);
  expect(statSync(copy)).toMatchObject({ mode: 0o100600 });
  expect(statSync(copy).ino).not.toBe(inode);
  await first.close();
  // A crash between the two writes of a new key, or of a removal, leaves the file with more: the copy follows it. Drafts go.
  const before = readFileSync(file, 'utf8');
  writeFileSync(copy, before.split('\n').slice(0, 2).join('\n') + '\n');
  for (const left of [file, copy]) writeFileSync(`${left}.0123456789ab`, before);
  const second = await VaultKeyFile.open(folder, copy);
  expect(readFileSync(copy, 'utf8')).toBe(before);
  expect([...readdirSync(folder), ...readdirSync(place)]).toEqual(['keys', 'vault-keys']);
  expect(second.copyState).toBe('kept');
  await second.close();
});

test('a copy with keys that the file lacks is written over by nothing: the file may be an old one', async () => {
  const [folder, place] = [temporaryFolder(), temporaryFolder()];
  const [file, copy] = [path.join(folder, 'keys'), path.join(place, 'vault-keys')];
  await VaultKeyFile.create(folder);
  const keys = await VaultKeyFile.open(folder, copy);
  await keys.ensure(['a']);
  const old = readFileSync(file);
  await keys.ensure(['b']);
  await keys.close();
  const newest = readFileSync(copy, 'utf8');
  for (const other of [old, Buffer.from('')]) {
    writeFileSync(file, other);
    await expect(VaultKeyFile.open(folder, copy)).rejects.toMatchObject({ code: 'KEY_COPY_DIFFERS', details: { file, copy } });
    expect(readFileSync(copy, 'utf8')).toBe(newest);
  }
  writeFileSync(file, newest);
  const again = await VaultKeyFile.open(folder, copy);
  expect([again.find('a'), again.find('b')].map((key) => key?.length)).toEqual([32, 32]);
  await again.close();
});

test('an erasure that broke off between copy and file is finished when the keys are opened', async () => {
  const [folder, place] = [temporaryFolder(), temporaryFolder()];
  const [file, copy] = [path.join(folder, 'keys'), path.join(place, 'vault-keys')];
  const erasure: Erasure = { at: 7, generation: 1, holder: 'org:a', records: [['river/credit/one', 2], ['river/credit/two', 0]], scope: 'owner' };
  await VaultKeyFile.create(folder);
  const first = await VaultKeyFile.open(folder, copy);
  await first.ensure(['org:a', 'org:b']);
  await first.ensure(['org:a#2']);
  const before = readFileSync(file);
  await first.end(erasure);
  await first.close();
  writeFileSync(file, before);
  const second = await VaultKeyFile.open(folder, copy);
  expect([...second.names()]).toEqual(['org:b', 'org:a#2']);
  expect(second.erasures()).toEqual([erasure]);
  expect(readFileSync(file, 'utf8')).toBe(readFileSync(copy, 'utf8'));
  await second.close();
});

test('while the second place is away no key is made or removed, what has its key goes on, and the place may come back', async () => {
  const [folder, place] = [temporaryFolder(), temporaryFolder()];
  const medium = path.join(place, 'medium');
  const copy = path.join(medium, 'vault-keys');
  mkdirSync(medium);
  await VaultKeyFile.create(folder);
  const first = await VaultKeyFile.open(folder, copy);
  await first.ensure(['a']);
  renameSync(medium, `${medium}-away`);
  await expect(first.ensure(['a', 'b'])).rejects.toMatchObject({ code: 'KEY_COPY_FAILED', details: { cause: 'ENOENT' } });
  await expect(first.ensure(['b'])).rejects.toMatchObject({ code: 'KEY_COPY_FAILED' });
  await expect(first.end({ at: 1, generation: 1, holder: 'a', records: [], scope: 'owner' })).rejects.toMatchObject({ code: 'KEY_COPY_FAILED' });
  await first.ensure(['a']);
  expect([first.find('a')?.length, first.copyState]).toEqual([32, 'unreachable']);
  await first.close();
  const second = await VaultKeyFile.open(folder, copy);
  expect(second.copyState).toBe('unreachable');
  renameSync(`${medium}-away`, medium);
  await second.ensure(['c']);
  expect(second.copyState).toBe('kept');
  expect(readFileSync(copy, 'utf8')).toBe(readFileSync(path.join(folder, 'keys'), 'utf8'));
  await second.close();
});
