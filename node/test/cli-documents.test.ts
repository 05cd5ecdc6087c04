import 'reflect-metadata';
import { createPrivateKey, verify, webcrypto, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import * as x509 from '@peculiar/x509';
import { proposalContents, signedStatementShape } from '@huilian/protocol';
import { registrationBytes } from '@huilian/sdk';
import { describe, expect, test } from 'vitest';
import { certificateChain, certificateKey, signStatement } from '../src/adapters/cli/certified-statement.js';
import { proposalContent } from '../src/adapters/cli/proposal-content.js';
import { temporaryFolder } from './temporary-folder.js';

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) } as const;
const statement = { expires: 2_000_000_000, key: `0x${'1'.repeat(40)}`, owner: 'org:91440105MA6NNHC07C', salt: `0x${'2'.repeat(64)}` };

interface Issued {
  readonly pem: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** A certificate by an invented issuer, or by itself. */
async function issue(name: string, algorithm: typeof ecdsa | typeof rsa, issuer?: Issued): Promise<Issued> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '01',
    subject: `CN=${name}`,
    issuer: issuer === undefined ? `CN=${name}` : new x509.X509Certificate(issuer.pem).subject,
    notBefore: new Date('2026-01-01'),
    notAfter: new Date('2036-01-01'),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: ecdsa,
    extensions: [new x509.BasicConstraintsExtension(issuer === undefined)],
  });
  return { pem: certificate.toString('pem'), keys };
}

async function keyFile({ keys }: Issued): Promise<string> {
  const file = path.join(temporaryFolder(), 'key.pem');
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  writeFileSync(file, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }));
  return file;
}

function textFile(content: string): string {
  const file = path.join(temporaryFolder(), 'file');
  writeFileSync(file, content);
  return file;
}

describe('registration of an owner', () => {
  test.each([['ecdsa-sha256', ecdsa], ['rsa-sha256', rsa]] as const)('the leaf signs with %s, and the chain goes leaf first whatever the order of the file', async (algorithm, keyAlgorithm) => {
    const ca = await issue('Invented CA', ecdsa);
    const leaf = await issue('Invented bidder', keyAlgorithm, ca);
    const stranger = await issue('Invented stranger', ecdsa);
    const key = certificateKey(await keyFile(leaf));
    const chain = certificateChain(textFile(`${ca.pem}\r\n${stranger.pem}\n${leaf.pem}\n`), key);
    expect(chain.map((der) => new X509Certificate(Buffer.from(der, 'base64')).subject)).toEqual(['CN=Invented bidder', 'CN=Invented CA']);
    const signed = signedStatementShape.read(signStatement(statement, key));
    expect(signed.algorithm).toBe(algorithm);
    const publicKey = new X509Certificate(leaf.pem).publicKey;
    expect(verify('sha256', registrationBytes(signed.statement), publicKey, Buffer.from(signed.signature, 'base64url'))).toBe(true);
  });

  test('a key of no certificate in the file is refused', async () => {
    const [one, other] = [await issue('Invented one', ecdsa), await issue('Invented other', ecdsa)];
    const key = certificateKey(await keyFile(other));
    expect(() => certificateChain(textFile(one.pem), key)).toThrow(/CERTIFICATE_INVALID/);
    expect(() => certificateKey(textFile('no key'))).toThrow(/BAD_FIELD/);
  });
});

describe('content of a proposal', () => {
  test('a CA certificate takes the plain form of the ledger, whatever its file looks like', async () => {
    const { pem } = await issue('Invented CA', ecdsa);
    const file = textFile(`remark: an invented CA\r\n${pem.replaceAll('\n', '\r\n')}\r\n`);
    const content = proposalContent('trust-ca', file, { nameEn: 'Invented', nameZh: '虚构', usccOid: ['1.2.3.4'] });
    const { certificate } = proposalContents['trust-ca'].read(content);
    expect(new X509Certificate(certificate).fingerprint256).toBe(new X509Certificate(pem).fingerprint256);
    expect(() => proposalContent('trust-ca', file, {})).toThrow(/needs --name-zh --name-en --uscc-oid/);
  });

  test('a schema document may be bare or wrapped, and a member to suspend is named', () => {
    const document = { title: 'x' };
    expect(proposalContent('publish-schema', textFile(JSON.stringify(document)), {})).toEqual({ document });
    expect(proposalContent('publish-schema', textFile(JSON.stringify({ document })), {})).toEqual({ document });
    expect(proposalContent('suspend', 'sample-bank', {})).toEqual({ member: 'sample-bank' });
    expect(() => proposalContent('suspend', 'Not A Member', {})).toThrow(/BAD_/);
    expect(() => proposalContent('code-set', textFile('[]'), {})).toThrow(/not a JSON object/);
  });
});
