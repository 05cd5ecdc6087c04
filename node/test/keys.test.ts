import { X509Certificate } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { utf8, verifyEs256 } from '@huilian/protocol';
import { createKeys, openKeys } from '../src/adapters/keys/node-keys.js';
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
  await third.remove(['b']);
  await third.ensure(['f']);
  await third.close();
  expect(readFileSync(file, 'utf8').split('\n').map((line) => line.split(' ')[1])).toEqual(['a', 'c', 'd', 'e', 'f', undefined]);
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/^(\S+ c )./m, '$1!'));
  await expect(VaultKeyFile.open(folder)).rejects.toMatchObject({ code: 'KEYS_MISSING', details: { reason: 'damaged', line: 2 } });
});
