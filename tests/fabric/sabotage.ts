import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { encodeBatchArgument } from '@huilian/protocol';
import type { FabricNetwork } from '@huilian/fabric-network';
import { readJson, root } from '../e2e/main-job.js';

/** A batch of one invented record of Guangzhou's. */
export function publishArgument(): Uint8Array {
  const localId = [...randomBytes(25)].map((byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte & 31]).join('') + 'a';
  const header = { digest: randomBytes(32).toString('hex'), kind: 'supervision', localId, rights: 'publisher', schema: 1, status: 'active', subject: '', version: 1 } as const;
  return encodeBatchArgument({ headers: [header], previous: [], publisher: 'guangzhou', seq: 1_000_000 + randomBytes(4).readUInt32BE() });
}

/** Runs, in the place of a centre's chaincode service, one whose answer to a publication says a word more. Answers the way back. */
export async function otherChaincode(network: FabricNetwork, service: string, dir: string): Promise<() => Promise<void>> {
  const chaincode = path.join(root, 'chaincode');
  mkdirSync(dir, { recursive: true });
  cpSync(path.join(chaincode, 'dist'), path.join(dir, 'dist'), { recursive: true });
  cpSync(path.join(chaincode, 'package.json'), path.join(dir, 'package.json'));
  symlinkSync(path.join(root, 'node_modules'), path.join(dir, 'node_modules'));
  const rule = path.join(dir, 'dist', 'rules', 'publish-batch.js');
  const before = readFileSync(rule, 'utf8');
  const after = before.replace('response: payload', "response: { ...payload, other: 'yes' }");
  if (after === before) throw new Error('nothing to change in the rule');
  writeFileSync(rule, after);
  const [command = '', ...args] = readFileSync(`/proc/${String(network.processes.pid(service))}/cmdline`, 'utf8').split('\0').slice(0, -1);
  await network.processes.stop(service, 'SIGKILL');
  const port = Number(args[args.indexOf('--chaincode-address') + 1]?.split(':')[1]);
  await network.processes.start({ args, command, cwd: dir, env: {}, name: service, ports: [port] });
  return async () => {
    await network.restart(service);
  };
}

/** A connection file whose certificate, by the same authority for the same key, ended yesterday. */
export async function withExpiredCertificate(connection: string, dir: string): Promise<string> {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const content = readJson<{ certPath: string; keyPath: string; mspId: string }>(connection);
  const near = (file: string): string => path.resolve(path.dirname(connection), file);
  const current = new x509.X509Certificate(readFileSync(near(content.certPath)));
  const authority = near(content.certPath).replace(/\/users\/.*$/, '/ca');
  const [keyFile = ''] = readdirSync(authority).filter((file) => file.endsWith('_sk'));
  const [caFile = ''] = readdirSync(authority).filter((file) => file.endsWith('.pem'));
  const ca = new x509.X509Certificate(readFileSync(path.join(authority, caFile)));
  const pkcs8 = createPrivateKey(readFileSync(path.join(authority, keyFile))).export({ format: 'der', type: 'pkcs8' });
  const algorithm = { hash: 'SHA-256', name: 'ECDSA', namedCurve: 'P-256' };
  const day = 86_400_000;
  const expired = await x509.X509CertificateGenerator.create({
    extensions: current.extensions.filter(({ type }) => type !== '2.5.29.14'),
    issuer: ca.subject,
    notAfter: new Date(Date.now() - day),
    notBefore: new Date(Math.max(ca.notBefore.getTime(), Date.now() - 30 * day)),
    publicKey: current.publicKey,
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    subject: current.subject,
  });
  const certificate = path.join(dir, 'expired.pem');
  writeFileSync(certificate, expired.toString('pem'));
  const file = path.join(path.dirname(connection), `${content.mspId}-expired.json`);
  writeFileSync(file, JSON.stringify({ ...content, certPath: certificate }));
  return file;
}
