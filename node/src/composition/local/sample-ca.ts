import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as x509 from '@peculiar/x509';

/**
 * The invented sample CA of the local consortium: it certifies fictional bidders so that they can register keys. Its key
 * lies in the state folder; nobody outside this machine trusts it.
 */

/** Extension that carries the unified social credit code, as several public CAs use it. */
export const usccOid = '1.2.156.10260.4.1.4';
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const validDays = 3650;

export interface CertifiedKey {
  /** Base64 DER. */
  readonly certificate: string;
  readonly privateKey: webcrypto.CryptoKey;
}

export class SampleCa {
  private constructor(
    private readonly certificate: x509.X509Certificate,
    private readonly privateKey: webcrypto.CryptoKey,
  ) {}

  /** Opens the CA of a folder, making it first where there is none. */
  public static async open(folder: string): Promise<SampleCa> {
    x509.cryptoProvider.set(webcrypto as never);
    const certificateFile = path.join(folder, 'ca.pem');
    const keyFile = path.join(folder, 'ca-key.jwk.json');
    if (!existsSync(certificateFile)) await makeCa(folder, certificateFile, keyFile);
    const jwk = JSON.parse(readFileSync(keyFile, 'utf8')) as webcrypto.JsonWebKey;
    const privateKey = await webcrypto.subtle.importKey('jwk', jwk, algorithm, true, ['sign']);
    return new SampleCa(new x509.X509Certificate(readFileSync(certificateFile, 'utf8')), privateKey);
  }

  /** PEM with one trailing newline, as proposals carry it. */
  public get pem(): string {
    return `${this.certificate.toString('pem')}\n`;
  }

  /** Base64 DER, as certificate chains carry it. */
  public get base64(): string {
    return Buffer.from(this.certificate.rawData).toString('base64');
  }

  /** Certifies a fresh key for a fictional entity. */
  public async certify(uscc: string, name: string): Promise<CertifiedKey> {
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString('hex'),
      subject: [{ CN: [name] }, { O: ['Fictional entity of the Huilian sample'] }],
      issuer: this.certificate.subject,
      ...validity(),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.privateKey,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.nonRepudiation, true),
        new x509.Extension(usccOid, false, printableString(uscc)),
      ],
    });
    return { certificate: Buffer.from(certificate.rawData).toString('base64'), privateKey: keys.privateKey };
  }
}

async function makeCa(folder: string, certificateFile: string, keyFile: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['Huilian sample CA (invented)'] }],
    ...validity(),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  writeFileSync(keyFile, JSON.stringify(await webcrypto.subtle.exportKey('jwk', keys.privateKey)), { mode: 0o600 });
  writeFileSync(certificateFile, `${certificate.toString('pem')}\n`);
}

function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + validDays * 86_400_000) };
}

/** DER PrintableString (ASN.1 tag 0x13) of a short ASCII text. */
function printableString(value: string): ArrayBuffer {
  const bytes = Buffer.concat([Buffer.from([0x13, value.length]), Buffer.from(value, 'ascii')]);
  return new Uint8Array(bytes).buffer;
}
