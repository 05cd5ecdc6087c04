import 'reflect-metadata';
import { BasicConstraintsExtension, X509Certificate } from '@peculiar/x509';
import { equalBytes, fromHex, ProtocolError, toBase64url, verifyEs256Der, type Es256Key } from '@huilian/protocol';

/** Whether a DER signature over SHA-256 of a message is this peer's. */
export type PeerSignatureCheck = (message: Uint8Array, signature: Uint8Array) => boolean;

/**
 * The check of a peer's signatures, once its certificate is proved: issued by the centre's CA, the role by its organisational
 * unit, as Fabric's NodeOUs have it, the key on P-256. Certificates expire long before evidence does, so the validity period is
 * not compared with today.
 * @throws EVIDENCE_INVALID {reason: endorser-certificate}, and errors of the parser for what is no certificate
 */
export async function provedPeer(pem: string, caPem: string): Promise<PeerSignatureCheck> {
  const check = native === undefined ? await portablePeer(pem, caPem) : nativePeer(native, pem, caPem);
  if (check === undefined) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'endorser-certificate' });
  return check;
}

/** What is used of Node's own certificates, several times faster than portable code; looked up at run time, as in the protocol. */
interface NativeKey {
  readonly asymmetricKeyDetails?: { readonly namedCurve?: string };
}
interface NativeCertificate {
  readonly ca: boolean;
  readonly issuer: string;
  readonly publicKey: NativeKey;
  readonly subject: string;
  verify(publicKey: NativeKey): boolean;
}
interface NativeCertificates {
  readonly X509Certificate: new (pem: string) => NativeCertificate;
  verify(algorithm: 'sha256', message: Uint8Array, key: NativeKey, signature: Uint8Array): boolean;
}

const host = (globalThis as { process?: { getBuiltinModule?(name: string): unknown } }).process;
const native = host?.getBuiltinModule?.('node:crypto') as NativeCertificates | undefined;

function nativePeer({ X509Certificate: Certificate, verify }: NativeCertificates, pem: string, caPem: string): PeerSignatureCheck | undefined {
  const [certificate, ca] = [new Certificate(pem), new Certificate(caPem)];
  // A line a name part, several values of one part joined by " + "; both signs are escaped inside a value.
  const isPeer = certificate.subject.split(/\n| \+ /).includes('OU=peer') && !certificate.ca;
  if (!ca.ca || !isPeer || certificate.issuer !== ca.subject || !certificate.verify(ca.publicKey)) return undefined;
  const key = certificate.publicKey;
  return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? (message, signature): boolean => verify('sha256', message, key, signature) : undefined;
}

/** The same without Node, for browsers. */
export async function portablePeer(pem: string, caPem: string): Promise<PeerSignatureCheck | undefined> {
  const [certificate, ca] = [new X509Certificate(pem), new X509Certificate(caPem)];
  const isCa = ca.getExtension(BasicConstraintsExtension)?.ca === true;
  const isPeer = certificate.subjectName.getField('OU').includes('peer') && certificate.getExtension(BasicConstraintsExtension)?.ca !== true;
  const issued = isCa && isPeer && certificate.issuer === ca.subject && (await certificate.verify({ publicKey: ca.publicKey, signatureOnly: true }));
  const key = issued ? p256Key(new Uint8Array(certificate.publicKey.rawData)) : undefined;
  return key && ((message, signature): boolean => verifyEs256Der(key, message, signature));
}

/** SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480), up to its coordinates. */
const p256Prefix = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004');
const coordinateBytes = 32;

function p256Key(spki: Uint8Array): Es256Key | undefined {
  const [prefix, point] = [spki.subarray(0, p256Prefix.length), spki.subarray(p256Prefix.length)];
  if (point.length !== 2 * coordinateBytes || !equalBytes(prefix, p256Prefix)) return undefined;
  return { crv: 'P-256', kty: 'EC', x: toBase64url(point.subarray(0, coordinateBytes)), y: toBase64url(point.subarray(coordinateBytes)) };
}
