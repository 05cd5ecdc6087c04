import { createPrivateKey, type JsonWebKey } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ProtocolError, type Es256Key, type Es256Sign, type X25519Key } from '@huilian/protocol';
import { makeSecretFolder, readSecret, readSecretJson, writeSecret } from './key-files.js';
import { es256Sign, json, keyFiles, makeMemberKeys, type NodeIdentity } from './node-keys.js';

/**
 * The change of a node's registered keys. The next ones lie whole in `<state>/keys/next` before the ledger hears of them,
 * and take their places file by file after it did; either half can be done again after a crash.
 */

const changed = ['signing', 'encryption', 'certificate', 'identity'] as const;

interface NextKeys {
  readonly memberId: string;
  readonly next: { readonly signingKey: Es256Key; readonly encryptionKey: X25519Key };
  /** By the key in use. */
  readonly sign: Es256Sign;
}

/** The next keys, made where an earlier try did not. @throws KEYS_MISSING */
export async function nextKeys(stateDir: string): Promise<NextKeys> {
  const folder = path.join(stateDir, 'keys');
  const identity = (await readSecretJson(path.join(folder, keyFiles.identity))) as unknown as NodeIdentity;
  const signing = createPrivateKey({ key: (await readSecretJson(path.join(folder, keyFiles.signing))) as JsonWebKey, format: 'jwk' });
  const draft = path.join(folder, 'next', keyFiles.identity);
  if (!existsSync(draft)) await makeNext(path.join(folder, 'next'), identity);
  const { encryptionKey, signingKey } = (await readSecretJson(draft)) as unknown as NodeIdentity;
  return { memberId: identity.memberId, next: { encryptionKey, signingKey }, sign: es256Sign(signing) };
}

/** The identity is written last: without it the others are made anew. */
async function makeNext(folder: string, identity: NodeIdentity): Promise<void> {
  await makeSecretFolder(folder);
  const { encryptionKey, files, signingKey } = await makeMemberKeys(identity.memberId);
  for (const name of ['signing', 'encryption', 'certificate'] as const) await writeSecret(path.join(folder, keyFiles[name]), files[name]);
  await writeSecret(path.join(folder, keyFiles.identity), json({ ...identity, encryptionKey, signingKey }));
}

/** Puts the next keys in their places; answers the folder with the old ones. @throws KEYS_MISSING where there are no next keys */
export async function adoptNextKeys(stateDir: string): Promise<string> {
  const folder = path.join(stateDir, 'keys');
  const [before, next] = [path.join(folder, 'before'), path.join(folder, 'next')];
  if (!existsSync(path.join(next, keyFiles.identity))) throw new ProtocolError('KEYS_MISSING', { file: next });
  // A second try must not take new keys for the old ones.
  if (!existsSync(path.join(next, 'kept'))) {
    await makeSecretFolder(before);
    for (const name of changed) await copyFile(path.join(folder, keyFiles[name]), path.join(before, keyFiles[name]));
    await writeSecret(path.join(next, 'kept'), '');
  }
  for (const name of changed) await writeSecret(path.join(folder, keyFiles[name]), await readSecret(path.join(next, keyFiles[name])));
  const done = `${next}.done`;
  await rm(done, { recursive: true, force: true });
  await rename(next, done);
  await rm(done, { recursive: true });
  return before;
}
