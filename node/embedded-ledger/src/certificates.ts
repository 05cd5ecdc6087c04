import { randomBytes } from 'node:crypto';

/** Fabric's NodeOUs roles, carried in the certificate subject's OU. */
export type Role = 'admin' | 'client' | 'peer' | 'orderer';

/** A certificate and its private key (PKCS#8), both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface Subject {
  readonly name: string;
  readonly organisation: string;
  readonly units: readonly string[];
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

type X509 = typeof import('@peculiar/x509');

/** Loaded on first use only: a ledger that starts on an existing folder issues nothing. */
async function loadX509(): Promise<X509> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

function pem(label: string, bytes: ArrayBuffer): string {
  const lines = Buffer.from(bytes).toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

function fromPem(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64'));
}

/** A positive number of 127 bits, hex. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

type Keys = Awaited<ReturnType<typeof crypto.subtle.generateKey>> & { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey };
type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

async function generateKeys(): Promise<Keys> {
  return (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as Keys;
}

async function keyPair(certificate: string, keys: Keys): Promise<KeyPair> {
  return { certificate: `${certificate}\n`, key: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)) };
}

function subjectName(subject: Subject): Record<string, string[]>[] {
  return [...subject.units.map((unit) => ({ OU: [unit] })), { O: [subject.organisation] }, { CN: [subject.name] }];
}

/** A self-signed authority of one organisation. */
export async function createAuthority(organisation: string, mspId: string, validity: Validity): Promise<KeyPair> {
  const x509 = await loadX509();
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: serialNumber(),
    name: [{ O: [organisation] }, { CN: [`ca.${mspId}`] }],
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return keyPair(certificate.toString('pem'), keys);
}

/** The key identifier as the authority's certificate states it (an authority made elsewhere may not count it by SHA-1), RFC 5280 4.2.1.1. */
async function authorityKeyIdentifier(x509: X509, issuer: InstanceType<X509['X509Certificate']>): Promise<InstanceType<X509['AuthorityKeyIdentifierExtension']>> {
  const stated = issuer.getExtension(x509.SubjectKeyIdentifierExtension);
  return stated ? new x509.AuthorityKeyIdentifierExtension(stated.keyId) : x509.AuthorityKeyIdentifierExtension.create(issuer);
}

/** A certificate for a new key, signed by the authority. The organisational units state the role. */
export async function issueCertificate(authority: KeyPair, subject: Subject, validity: Validity): Promise<KeyPair> {
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.certificate);
  const signingKey = await crypto.subtle.importKey('pkcs8', fromPem(authority.key), ALGORITHM, false, ['sign']);
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: serialNumber(),
    subject: subjectName(subject),
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      await authorityKeyIdentifier(x509, issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return keyPair(certificate.toString('pem'), keys);
}
