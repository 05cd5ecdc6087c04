import { canonicalBytes, fromBase64url, ProtocolError, termState, type LedgerState, type SignedStatement } from '@huilian/protocol';
import { checkValidity, isCa, isSignature, isSignedBy, mayIssue, maySignStatements, parseCertificate, type ParsedCertificate } from './parsed-certificate.js';
import { usccOf } from './uscc-of-certificate.js';

type TrustedCa = LedgerState['ca'];

/** Voted CAs are few and read again and again; owners' certificates are read once. */
const voted = new Map<string, ParsedCertificate>();
const mostVoted = 100;
const mostIntermediates = 3;

function readVoted({ certificate, fingerprint }: TrustedCa): ParsedCertificate {
  let parsed = voted.get(fingerprint);
  if (parsed === undefined) {
    parsed = parseCertificate(derOfPem(certificate));
    if (voted.size >= mostVoted) voted.clear();
    voted.set(fingerprint, parsed);
  }
  return parsed;
}

function derOfPem(pem: string): Buffer {
  return derOf(pem.replace(/-----(?:BEGIN|END) CERTIFICATE-----|\n/g, ''));
}

/** One spelling per byte string: base64 (RFC 4648 §4) with its padding. @throws CERTIFICATE_INVALID */
function derOf(base64: string): Buffer {
  const der = Buffer.from(base64, 'base64');
  if (der.length === 0 || der.toString('base64') !== base64) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'base64' });
  return der;
}

/** Reads the certificate of a CA that is proposed for trust: able to issue, and valid at a time. @throws CERTIFICATE_INVALID, CERTIFICATE_EXPIRED */
export function readCaCertificate(pem: string, time: number): { readonly fingerprint: string } {
  const certificate = parseCertificate(derOfPem(pem));
  if (!mayIssue(certificate, 0)) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'not-a-ca' });
  checkValidity(certificate, time);
  return { fingerprint: certificate.fingerprint };
}

/** Where voted CAs are found. Certificates name their issuer, not its fingerprint, so all may be asked for. */
export interface CaSource {
  byFingerprint(fingerprint: string): Promise<TrustedCa | undefined>;
  fingerprints(): Promise<readonly string[]>;
}

/** SHA-256 of the DER of the voted CA and of the certificate, hex: all that is written of them. */
export interface CertifiedBy {
  readonly ca: string;
  readonly certificate: string;
}

/**
 * Checks that a statement was signed by the key of a certificate that chains to a voted CA, is valid at a time and names
 * the owner's USCC. `chain` holds base64 DER: that certificate, then its intermediates upwards (at most 3), then the voted
 * CA's own or nothing.
 * @throws CERTIFICATE_INVALID, CA_UNKNOWN, CERTIFICATE_EXPIRED, CERTIFICATE_OTHER_ENTITY, STATEMENT_BAD_SIGNATURE
 */
export async function checkCertifiedStatement(signed: SignedStatement, chain: readonly string[], time: number, cas: CaSource): Promise<CertifiedBy> {
  if (chain.length < 1 || chain.length > mostIntermediates + 2) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'chain-length' });
  const given = chain.map((entry) => parseCertificate(derOf(entry)));
  const leaf = given[0] as ParsedCertificate;
  if (isCa(leaf) || !maySignStatements(leaf)) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'usage' });
  const { ca, path } = await pathToVoted(given, cas);
  if (termState(ca, time) !== 'in-force') throw new ProtocolError('CA_UNKNOWN', { reason: 'not-in-force' });
  checkPath(path, time);
  if (`org:${usccOf(leaf, ca.usccOids) ?? ''}` !== signed.statement.owner) throw new ProtocolError('CERTIFICATE_OTHER_ENTITY');
  if (!isStatementSigned(signed, leaf)) throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  return { ca: ca.fingerprint, certificate: leaf.fingerprint };
}

interface VotedPath {
  readonly ca: TrustedCa;
  /** From the leaf to the voted CA, both included. */
  readonly path: readonly ParsedCertificate[];
}

async function pathToVoted(given: readonly ParsedCertificate[], cas: CaSource): Promise<VotedPath> {
  const last = given.at(-1) as ParsedCertificate;
  const own = await cas.byFingerprint(last.fingerprint);
  if (own !== undefined) return { ca: own, path: given };
  for (const fingerprint of await cas.fingerprints()) {
    const ca = await cas.byFingerprint(fingerprint);
    const certificate = ca && readVoted(ca);
    if (ca !== undefined && certificate !== undefined && isSignedBy(last, certificate)) return { ca, path: [...given, certificate] };
  }
  throw new ProtocolError('CA_UNKNOWN');
}

function checkPath(path: readonly ParsedCertificate[], time: number): void {
  if (path.length > mostIntermediates + 2) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'chain-length' });
  path.forEach((certificate, index) => {
    const issuer = path[index + 1];
    if (issuer !== undefined && !isSignedBy(certificate, issuer)) throw new ProtocolError('CA_UNKNOWN', { reason: 'chain' });
    if (index > 0 && !mayIssue(certificate, index - 1)) throw new ProtocolError('CERTIFICATE_INVALID', { reason: 'issuer-not-a-ca' });
    checkValidity(certificate, time);
  });
}

/** ECDSA with P-256 in DER, or RSA PKCS#1 v1.5, over the statement's canonical bytes. */
function isStatementSigned({ algorithm, signature, statement }: SignedStatement, { key }: ParsedCertificate): boolean {
  const fits = algorithm === 'rsa-sha256' ? key.asymmetricKeyType === 'rsa' : key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return fits && isSignature(key, 'SHA-256', canonicalBytes(statement), signatureBytes(signature));
}

function signatureBytes(signature: string): Uint8Array {
  try {
    return fromBase64url(signature);
  } catch {
    throw new ProtocolError('STATEMENT_BAD_SIGNATURE', { reason: 'base64url' });
  }
}
