import 'reflect-metadata';
import { BasicConstraintsExtension, X509Certificate } from '@peculiar/x509';
import { concatBytes, equalBytes, fromBase64url, fromHex, ProtocolError, verifyP256Der, type Charter } from '@huilian/protocol';
import type { EndorsedTransaction } from './evidence-file.js';
import { ProtobufMessage } from './protobuf-reader.js';

/**
 * What a majority of the charter's centres endorsed: the writes of one transaction in the charter's chaincode. Each
 * endorsement is an ECDSA P-256 signature over proposal response payload ‖ serialised identity, by a peer whose
 * certificate the centre's CA of the charter issued. Every endorsement must verify, not only enough of them.
 * @throws EVIDENCE_INVALID {reason}
 */
export async function endorsedWrites(transaction: EndorsedTransaction, charter: Charter): Promise<ReadonlyMap<string, Uint8Array>> {
  const payload = fromBase64url(transaction.proposalResponse);
  const organisations = new Set<string>();
  for (const { identity, signature } of transaction.endorsements) {
    organisations.add(await endorser(fromBase64url(identity), fromBase64url(signature), payload, charter));
  }
  if (organisations.size * 2 <= charter.founders.length) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'no-majority', endorsers: organisations.size });
  return writesOf(payload, transaction.transactionId, charter.chaincode);
}

/** SerializedIdentity {mspid 1, id_bytes 2: PEM}; answers the organisation. */
async function endorser(identity: Uint8Array, signature: Uint8Array, payload: Uint8Array, charter: Charter): Promise<string> {
  const serialised = new ProtobufMessage(identity);
  const organisation = serialised.text(1);
  const founder = charter.founders.find(({ member }) => member.organisation === organisation);
  if (founder === undefined) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'endorser-organisation' });
  const point = await peerKey(serialised.text(2), founder.caCertificate);
  if (!verifyP256Der(point, concatBytes(payload, identity), signature)) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'endorsement-signature' });
  return organisation;
}

const rememberedPeers = 200;
const verifiedPeers = new Map<string, Uint8Array>();

/** The key of a peer's certificate, once its chain and role are proved. */
async function peerKey(pem: string, caPem: string): Promise<Uint8Array> {
  const id = `${pem}\n${caPem}`;
  const known = verifiedPeers.get(id);
  if (known !== undefined) return known;
  const [certificate, ca] = [new X509Certificate(pem), new X509Certificate(caPem)];
  const point = await isPeerOf(certificate, ca) ? p256Point(new Uint8Array(certificate.publicKey.rawData)) : undefined;
  if (point === undefined) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'endorser-certificate' });
  if (verifiedPeers.size >= rememberedPeers) verifiedPeers.clear();
  verifiedPeers.set(id, point);
  return point;
}

/**
 * Issued by the centre's CA; role by the organisational unit, as Fabric's NodeOUs have it. Certificates expire long
 * before evidence does, so the validity period is not compared with today.
 */
async function isPeerOf(certificate: X509Certificate, ca: X509Certificate): Promise<boolean> {
  const isCa = ca.getExtension(BasicConstraintsExtension)?.ca === true;
  const isPeer = certificate.subjectName.getField('OU').includes('peer') && certificate.getExtension(BasicConstraintsExtension)?.ca !== true;
  return isCa && isPeer && certificate.issuer === ca.subject && (await certificate.verify({ publicKey: ca.publicKey, signatureOnly: true }));
}

/** SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480), up to the point. */
const p256Prefix = fromHex('3059301306072a8648ce3d020106082a8648ce3d030107034200');

function p256Point(spki: Uint8Array): Uint8Array | undefined {
  const fits = spki.length === p256Prefix.length + 65 && equalBytes(spki.subarray(0, p256Prefix.length), p256Prefix);
  return fits ? spki.subarray(p256Prefix.length) : undefined;
}

const okStatus = 200;

/**
 * ProposalResponsePayload.extension(2) → ChaincodeAction {results 1, events 2, response 3, chaincode_id 4};
 * ChaincodeEvent {tx_id 2}, Response {status 1}, ChaincodeID {name 2}; results → TxReadWriteSet.ns_rwset(2) →
 * NsReadWriteSet {namespace 1, rwset 2} → KVRWSet.writes(3) → KVWrite {key 1, is_delete 2, value 3}.
 */
function writesOf(payload: Uint8Array, transactionId: string, chaincode: string): ReadonlyMap<string, Uint8Array> {
  const action = new ProtobufMessage(payload).message(2);
  if (action.message(4).text(2) !== chaincode || action.message(3).number(1) !== okStatus) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'chaincode' });
  // The peer puts its transaction's id into the event: so it is endorsed, and names one transaction for good.
  if (action.message(2).text(2) !== transactionId) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'transaction-id' });
  const writes = new Map<string, Uint8Array>();
  for (const namespace of action.message(1).all(2).map((bytes) => new ProtobufMessage(bytes))) {
    if (namespace.text(1) !== chaincode) continue;
    for (const write of namespace.message(2).all(3).map((bytes) => new ProtobufMessage(bytes))) {
      if (write.number(2) === 0) writes.set(write.text(1), write.bytes(3));
    }
  }
  return writes;
}
