import 'reflect-metadata';
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { canonicalBytes, checkUscc, fromBase64url, ProtocolError, type LedgerState, type SignedStatement } from '@huilian/protocol';

/**
 * The only place where contracts parse certificates, with one pinned parser: an adopted CA, and the certificate that
 * registers an owner's key. Signatures are checked over the raw TBS bytes.
 */
type TrustedCa = LedgerState['ca'];

const certificates = new Map<string, x509.X509Certificate>();

function parse(der: string): x509.X509Certificate {
  const known = certificates.get(der);
  if (known !== undefined) return known;
  try {
    const parsed = new x509.X509Certificate(der);
    if (certificates.size > 200) certificates.clear();
    certificates.set(der, parsed);
    return parsed;
  } catch {
    throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'der' });
  }
}

function fingerprintOf(certificate: x509.X509Certificate): string {
  return createHash('sha256').update(Buffer.from(certificate.rawData)).digest('hex');
}

function publicKeyOf(certificate: x509.X509Certificate): KeyObject {
  return createPublicKey({ key: Buffer.from(certificate.publicKey.rawData), format: 'der', type: 'spki' });
}

/** Reads the certificate of a CA that is proposed for trust. @throws CERTIFICATE_INVALID {reason} */
export function readCaCertificate(pem: string): { readonly fingerprint: string } {
  const certificate = parse(pem);
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== true) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'not-a-ca' });
  return { fingerprint: fingerprintOf(certificate) };
}

/** Whether `issuer` signed `certificate`. */
function signedBy(certificate: x509.X509Certificate, issuer: x509.X509Certificate): boolean {
  if (certificate.issuer !== issuer.subject) return false;
  const { signatureAlgorithm } = certificate;
  const hash = (signatureAlgorithm.hash as { name?: string } | undefined)?.name?.toLowerCase().replace('-', '') ?? '';
  if (!['sha256', 'sha384', 'sha512'].includes(hash)) return false;
  const tbs = tbsOf(certificate);
  return tbs !== undefined && verify(hash, tbs, publicKeyOf(issuer), Buffer.from(certificate.signature));
}

/** The signed part of a certificate: the first element of its outer DER sequence. */
function tbsOf(certificate: x509.X509Certificate): Buffer | undefined {
  const der = Buffer.from(certificate.rawData);
  const outer = derHeader(der, 0);
  const inner = outer && derHeader(der, outer.start);
  return inner && der.subarray(outer.start, inner.start + inner.length);
}

function derHeader(der: Buffer, at: number): { start: number; length: number } | undefined {
  const first = der[at + 1];
  if (der[at] !== 0x30 || first === undefined) return undefined;
  if (first < 0x80) return { start: at + 2, length: first };
  const count = first & 0x7f;
  return count < 1 || count > 3 ? undefined : { start: at + 2 + count, length: der.readUIntBE(at + 2, count) };
}

export interface CertifiedStatement {
  /** Fingerprints (SHA-256 of the DER, hex) of the voted CA and of the certificate. */
  readonly ca: string;
  readonly certificate: string;
}

/**
 * Checks that a statement was signed by the key of a certificate that chains to a voted CA, is valid at a time and names
 * the owner's USCC. The chain runs from that certificate to the voted CA's own, which the state is asked for.
 * @throws CERTIFICATE_INVALID, CERTIFICATE_EXPIRED, CA_UNKNOWN, CERTIFICATE_OTHER_ENTITY, STATEMENT_BAD_SIGNATURE
 */
export async function checkCertifiedStatement(
  signed: SignedStatement,
  chain: readonly string[],
  time: number,
  findCa: (fingerprint: string) => Promise<TrustedCa | undefined>,
): Promise<CertifiedStatement> {
  if (chain.length < 2 || chain.length > 5) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'chain-length' });
  const parsed = chain.map(parse);
  const [leaf, root] = [parsed[0] as x509.X509Certificate, parsed.at(-1) as x509.X509Certificate];
  const ca = await findCa(fingerprintOf(root));
  if (ca === undefined) throw new ProtocolError('CA_UNKNOWN');
  checkChain(parsed, time * 1000);
  if (entityOf(leaf, ca.usccOids) !== signed.statement.owner.slice('org:'.length)) throw new ProtocolError('CERTIFICATE_OTHER_ENTITY');
  if (!statementSignedBy(signed, leaf)) throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  return { ca: ca.fingerprint, certificate: fingerprintOf(leaf) };
}

function checkChain(chain: readonly x509.X509Certificate[], at: number): void {
  chain.forEach((certificate, index) => {
    const issuer = chain[index + 1];
    if (issuer !== undefined && !signedBy(certificate, issuer)) throw new ProtocolError('CA_UNKNOWN', { reason: 'chain' });
    if (index > 0 && certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== true) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'issuer-not-a-ca' });
    if (certificate.notBefore.getTime() > at || certificate.notAfter.getTime() < at) throw new ProtocolError('CERTIFICATE_EXPIRED');
  });
}

/** The USCC a certificate names: the CA's extensions in order, then OU, serialNumber and CN of the subject. */
function entityOf(certificate: x509.X509Certificate, usccOids: readonly string[]): string | undefined {
  for (const oid of usccOids) {
    const extension = certificate.getExtension(oid);
    if (extension !== null) return usccIn(Buffer.from(extension.value));
  }
  const names = ['OU', '2.5.4.5', 'CN'].flatMap((field) => certificate.subjectName.getField(field));
  return names.map((name) => name.trim()).find((name) => checkUscc(name).ok);
}

/** PrintableString, UTF8String or IA5String around the code, or the raw text: CAs differ. */
function usccIn(value: Buffer): string | undefined {
  const wrapped = [0x13, 0x0c, 0x16].includes(value[0] ?? 0) && value[1] === value.length - 2;
  const text = (wrapped ? value.subarray(2) : value).toString('utf8').trim();
  return checkUscc(text).ok ? text : undefined;
}

function statementSignedBy({ algorithm, signature, statement }: SignedStatement, certificate: x509.X509Certificate): boolean {
  const key = publicKeyOf(certificate);
  const strong = algorithm === 'ecdsa-sha256' ? isP256(key) : (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;
  if (!strong || key.asymmetricKeyType !== (algorithm === 'ecdsa-sha256' ? 'ec' : 'rsa')) return false;
  try {
    return verify('sha256', canonicalBytes(statement), key, fromBase64url(signature));
  } catch {
    return false;
  }
}

function isP256(key: KeyObject): boolean {
  return key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
}
