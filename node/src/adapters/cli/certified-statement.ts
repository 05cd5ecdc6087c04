import { createPrivateKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { ProtocolError, toBase64url, type RegistrationStatement, type SignedStatement } from '@huilian/protocol';
import { registrationBytes } from '@huilian/sdk';
import { readText } from './command-files.js';

const pemBlocks = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The certificate chain of a PEM file as base64 DER, leaf first, whatever order the file has: the leaf is the one whose
 * key signs, and each next one issued the one before. @throws CERTIFICATE_INVALID
 */
export function certificateChain(file: string, key: KeyObject): readonly string[] {
  const certificates = (readText(file).match(pemBlocks) ?? []).map((pem) => certificateOf(file, pem));
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf === undefined) throw new ProtocolError('CERTIFICATE_INVALID', { path: file, reason: 'no certificate in it belongs to the key' });
  const chain = [leaf];
  for (let issuer = issuerOf(leaf, certificates, chain); issuer !== undefined; issuer = issuerOf(issuer, certificates, chain)) chain.push(issuer);
  return chain.map(({ raw }) => raw.toString('base64'));
}

function issuerOf(certificate: X509Certificate, all: readonly X509Certificate[], taken: readonly X509Certificate[]): X509Certificate | undefined {
  return all.find((other) => !taken.includes(other) && certificate.checkIssued(other));
}

function certificateOf(file: string, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new ProtocolError('CERTIFICATE_INVALID', { path: file, reason: 'a certificate in it cannot be parsed' });
  }
}

/** The certificate's private key, PEM; an encrypted one opens with HUILIAN_CERTIFICATE_PASSWORD. @throws BAD_FIELD */
export function certificateKey(file: string): KeyObject {
  const passphrase = process.env['HUILIAN_CERTIFICATE_PASSWORD'];
  const key = readText(file);
  try {
    return createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    throw new ProtocolError('BAD_FIELD', { path: file, reason: 'no private key in PEM, or HUILIAN_CERTIFICATE_PASSWORD does not open it' });
  }
}

/** Signs the canonical statement as the contract verifies it: ECDSA P-256 in DER or RSA PKCS#1 v1.5, with SHA-256. @throws BAD_FIELD */
export function signStatement(statement: RegistrationStatement, key: KeyObject): SignedStatement {
  const algorithm = algorithmOf(key);
  return { algorithm, signature: toBase64url(sign('sha256', registrationBytes(statement), key)), statement };
}

function algorithmOf({ asymmetricKeyDetails, asymmetricKeyType }: KeyObject): SignedStatement['algorithm'] {
  if (asymmetricKeyType === 'rsa') return 'rsa-sha256';
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ecdsa-sha256';
  throw new ProtocolError('BAD_FIELD', { path: '--certificate-key', reason: 'an ECDSA P-256 or RSA key is needed' });
}
