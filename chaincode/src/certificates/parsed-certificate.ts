import 'reflect-metadata';
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate } from '@peculiar/x509';
import { ProtocolError } from '@huilian/protocol';

/**
 * The only place where contracts parse certificates, with one pinned parser. What two endorsers might read differently is
 * refused: bytes after the certificate, algorithms outside the list, critical extensions nobody here understands.
 */
export interface ParsedCertificate {
  /** SHA-256 of the DER, hex. */
  readonly fingerprint: string;
  readonly key: KeyObject;
  readonly x509: X509Certificate;
  /** The signed part, as it stands in the DER. */
  readonly signed: Buffer;
}

function invalid(reason: string): never {
  throw new ProtocolError('CERTIFICATE_INVALID', { reason });
}

// RFC 5280 4.2: subject and issuer alternative names, key usages, basic constraints, policies, key identifiers, CRL places.
const knownExtensions = new Set(['2.5.29.14', '2.5.29.15', '2.5.29.17', '2.5.29.18', '2.5.29.19', '2.5.29.31', '2.5.29.32', '2.5.29.35', '2.5.29.37']);
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
const leastRsaBits = 2048;

/** @throws CERTIFICATE_INVALID {reason} */
export function parseCertificate(der: Buffer): ParsedCertificate {
  const x509 = readDer(der);
  const strange = x509.extensions.some(({ critical, type }) => critical && !knownExtensions.has(type));
  if (strange) invalid('critical-extension');
  return { fingerprint: createHash('sha256').update(der).digest('hex'), key: readKey(x509), x509, signed: signedPart(der) };
}

function readDer(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    return invalid('der');
  }
}

function readKey(x509: X509Certificate): KeyObject {
  const key = publicKey(x509);
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const strong = key.asymmetricKeyType === 'ec' ? curves.has(namedCurve ?? '') : key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) >= leastRsaBits;
  return strong ? key : invalid('key');
}

function publicKey(x509: X509Certificate): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(x509.publicKey.rawData), format: 'der', type: 'spki' });
  } catch {
    return invalid('key');
  }
}

/** First element of the outer sequence, header included. @throws CERTIFICATE_INVALID where bytes follow the certificate */
function signedPart(der: Buffer): Buffer {
  const outer = sequenceAt(der, 0);
  if (outer.end !== der.length) invalid('trailing-bytes');
  return der.subarray(outer.start, sequenceAt(der, outer.start).end);
}

/** Content range of a DER sequence (X.690 8.1.3: definite lengths of up to 3 bytes are enough for a certificate). */
function sequenceAt(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = der[at + 1];
  if (der[at] !== 0x30 || first === undefined) return invalid('der');
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const count = first & 0x7f;
  if (count < 1 || count > 3 || der.length < at + 2 + count) return invalid('der');
  const start = at + 2 + count;
  return { start, end: start + der.readUIntBE(at + 2, count) };
}

export function isCa({ x509 }: ParsedCertificate): boolean {
  return x509.getExtension(BasicConstraintsExtension)?.ca === true;
}

/** Whether the key may do what a set of RFC 5280 key usages says; a certificate without key usages sets no bounds. */
function mayBeUsed({ x509 }: ParsedCertificate, flags: number): boolean {
  const usages = x509.getExtension(KeyUsagesExtension)?.usages;
  return usages === undefined || (usages & flags) !== 0;
}

export function maySignStatements(certificate: ParsedCertificate): boolean {
  return mayBeUsed(certificate, KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation);
}

/** A CA that may have `below` intermediates under it. */
export function mayIssue(certificate: ParsedCertificate, below: number): boolean {
  const most = certificate.x509.getExtension(BasicConstraintsExtension)?.pathLength;
  return isCa(certificate) && mayBeUsed(certificate, KeyUsageFlags.keyCertSign) && (most === undefined || below <= most);
}

/** @throws CERTIFICATE_EXPIRED at a time (Unix seconds) outside the certificate's validity */
export function checkValidity({ x509 }: ParsedCertificate, time: number): void {
  if (time * 1000 < x509.notBefore.getTime() || time * 1000 > x509.notAfter.getTime()) throw new ProtocolError('CERTIFICATE_EXPIRED');
}

const hashes = new Set(['SHA-256', 'SHA-384', 'SHA-512']);
const schemes = new Map([['ECDSA', 'ec'], ['RSASSA-PKCS1-v1_5', 'rsa']]);

/** Whether `issuer` signed `certificate`: names agree and the signature over the raw bytes holds. */
export function isSignedBy(certificate: ParsedCertificate, issuer: ParsedCertificate): boolean {
  const { name, hash } = certificate.x509.signatureAlgorithm as { readonly name?: string; readonly hash?: { readonly name?: string } };
  if (certificate.x509.issuer !== issuer.x509.subject || !hashes.has(hash?.name ?? '')) return false;
  if (schemes.get(name ?? '') !== issuer.key.asymmetricKeyType) return false;
  return isSignature(issuer.key, hash?.name ?? '', certificate.signed, Buffer.from(certificate.x509.signature));
}

/** A signature that OpenSSL cannot read is no signature. */
export function isSignature(key: KeyObject, hash: string, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(hash, data, key, signature);
  } catch {
    return false;
  }
}
