import { createPrivateKey, generateKeyPairSync, randomBytes, sign, webcrypto, type JsonWebKey, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { es256KeyShape, flatOfDer, memberIdShape, ProtocolError, x25519KeyShape, type Es256Key, type Es256Sign, type JsonObject, type X25519Key } from '@huilian/protocol';
import type { Keys } from '../../core/ports.js';
import { makeSecretFolder, readSecret, readSecretJson, writeSecret } from './key-files.js';
import { VaultKeyFile } from './vault-key-file.js';

/** What a member states of its node when it is admitted: public keys only. */
export interface NodeIdentity {
  readonly memberId: string;
  readonly signingKey: Es256Key;
  readonly encryptionKey: X25519Key;
  /** libp2p peer id of the exchange key. */
  readonly peerId: string;
}

/** The node's keys, opened. What needs a private key in another technology's form gets it from here at composition. */
export interface NodeKeys extends Keys, NodeIdentity {
  readonly vaultKeys: VaultKeyFile;
  /** libp2p private key (Ed25519) in libp2p's protobuf form. */
  readonly exchangeKey: Uint8Array;
  /** Private X25519 JWK that opens releases to this centre as a reader. */
  readonly decryptionKey: JsonObject;
  close(): Promise<void>;
}

/** Names under `<state>/keys`. */
export const keyFiles = {
  identity: 'identity.json',
  signing: 'signing-key.json',
  encryption: 'encryption-key.json',
  exchange: 'exchange-key',
  localId: 'local-id-key',
  certificate: 'certificate.der',
} as const;
const certificateYears = 10;

/**
 * Makes all keys of a new node under `<state>/keys` and `<state>/vault-keys`, files of mode 0600.
 * @throws CONFIG_INVALID {reason: 'keys-exist'}, BAD_FIELD for a bad member id
 */
export async function createKeys(stateDir: string, memberId: string): Promise<NodeIdentity> {
  memberIdShape.read(memberId, '/memberId');
  const folder = path.join(stateDir, 'keys');
  // The identity is written last: without it an earlier attempt did not finish and may be made again.
  if (existsSync(path.join(folder, keyFiles.identity))) throw new ProtocolError('CONFIG_INVALID', { path: folder, reason: 'keys-exist' });
  await makeSecretFolder(folder);
  const made = await makeMemberKeys(memberId);
  const exchange = await makeExchangeKey();
  const identity: NodeIdentity = {
    memberId,
    signingKey: made.signingKey,
    encryptionKey: made.encryptionKey,
    peerId: exchange.peerId,
  };
  const save = async (name: keyof typeof keyFiles, content: string | Uint8Array): Promise<void> => {
    await writeSecret(path.join(folder, keyFiles[name]), content);
  };
  await save('signing', made.files.signing);
  await save('encryption', made.files.encryption);
  await save('exchange', exchange.bytes);
  await save('localId', randomBytes(32));
  await save('certificate', made.files.certificate);
  await VaultKeyFile.create(path.join(stateDir, 'vault-keys'));
  await save('identity', json(identity));
  return identity;
}

/** @param vaultKeyCopy file of the vault keys' one copy. @throws KEYS_MISSING {file}, KEY_COPY_DIFFERS */
export async function openKeys(stateDir: string, vaultKeyCopy?: string): Promise<NodeKeys> {
  const folder = path.join(stateDir, 'keys');
  const at = (name: keyof typeof keyFiles): string => path.join(folder, keyFiles[name]);
  const identity = (await readSecretJson(at('identity'))) as unknown as NodeIdentity;
  const signingKey = createPrivateKey({ key: (await readSecretJson(at('signing'))) as JsonWebKey, format: 'jwk' });
  const vaultKeys = await VaultKeyFile.open(path.join(stateDir, 'vault-keys'), vaultKeyCopy);
  return {
    ...identity,
    sign: es256Sign(signingKey),
    certificateChain: [(await readSecret(at('certificate'))).toString('base64')],
    localIdKey: new Uint8Array(await readSecret(at('localId'))),
    exchangeKey: new Uint8Array(await readSecret(at('exchange'))),
    decryptionKey: await readSecretJson(at('encryption')),
    vaultKeys,
    close: async () => {
      await vaultKeys.close();
    },
  };
}

export interface MadeKeys {
  readonly signingKey: Es256Key;
  readonly encryptionKey: X25519Key;
  /** What goes into the files of these names. */
  readonly files: Readonly<Record<'certificate' | 'encryption' | 'signing', string | Uint8Array>>;
}

/** New keys that the ledger registers for a member, and the certificate of the signing key. */
export async function makeMemberKeys(memberId: string): Promise<MadeKeys> {
  const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encryption = generateKeyPairSync('x25519');
  return {
    signingKey: es256KeyShape.read(publicJwk(signing.publicKey)),
    encryptionKey: x25519KeyShape.read(publicJwk(encryption.publicKey)),
    files: {
      signing: json(signing.privateKey.export({ format: 'jwk' })),
      encryption: json(encryption.privateKey.export({ format: 'jwk' })),
      certificate: await selfSign(memberId, signing.privateKey, signing.publicKey),
    },
  };
}

/** ES256 by a private key of this process. */
export function es256Sign(key: KeyObject): Es256Sign {
  return (input) => flatOfDer(sign('sha256', input, key));
}

function publicJwk(key: KeyObject): unknown {
  return key.export({ format: 'jwk' });
}

/** As the key files spell it. */
export function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

async function makeExchangeKey(): Promise<{ bytes: Uint8Array; peerId: string }> {
  // Only `init` makes keys; other commands need not load these.
  const [{ generateKeyPair, privateKeyToProtobuf }, { peerIdFromPrivateKey }] = await Promise.all([import('@libp2p/crypto/keys'), import('@libp2p/peer-id')]);
  const key = await generateKeyPair('Ed25519');
  return { bytes: privateKeyToProtobuf(key), peerId: peerIdFromPrivateKey(key).toString() };
}

/** The certificate that `x5c` of a payload names: the trust lies in the key registered on the ledger, so it signs itself. */
async function selfSign(memberId: string, privateKey: KeyObject, publicKey: KeyObject): Promise<Uint8Array> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const load = async (key: KeyObject, usage: 'sign' | 'verify'): Promise<webcrypto.CryptoKey> =>
    await webcrypto.subtle.importKey('jwk', key.export({ format: 'jwk' }) as webcrypto.JsonWebKey, algorithm, true, [usage]);
  const notBefore = new Date(Date.now() - 3_600_000);
  const notAfter = new Date(notBefore);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + certificateYears);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: randomBytes(16).toString('hex').replace(/^./, '1'),
      name: [{ CN: [memberId] }],
      notBefore,
      notAfter,
      keys: { privateKey: await load(privateKey, 'sign'), publicKey: await load(publicKey, 'verify') },
      signingAlgorithm: algorithm,
      extensions: [new x509.BasicConstraintsExtension(false, undefined, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true)],
    },
    webcrypto as never,
  );
  return new Uint8Array(certificate.rawData);
}
