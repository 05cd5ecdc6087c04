import 'reflect-metadata';
import { BasicConstraintsExtension, X509Certificate } from '@peculiar/x509';
import { concatBytes, fromBase64url, ProtocolError, verifyP256Der, type Charter } from '@huilian/protocol';
import type { EndorsedTransaction } from './evidence-file.js';
import { ProtobufMessage } from './protobuf-reader.js';

/**
 * What a majority of the charter's centres endorsed: the writes of one transaction in the charter's chaincode. Each
 * endorsement is an ECDSA signature over proposal response payload ‖ serialised identity, by a peer whose certificate
 * the centre's CA of the charter issued.
 * @throws EVIDENCE_INVALID {reason}
 */
export async function endorsedWrites(transaction: EndorsedTransaction, charter: Charter): Promise<ReadonlyMap<string, Uint8Array>> {
  const payload = fromBase64url(transaction.proposalResponse);
  const organisations = new Set<string>();
  for (const { identity, signature } of transaction.endorsements) {
    organisations.add(await endorser(fromBase64url(identity), fromBase64url(signature), payload, charter));
  }
  if (organisations.size * 2 <= charter.founders.length) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'no-majority', endorsers: organisations.size });
  return writesOf(payload, charter.chaincode);
}

async function endorser(identity: Uint8Array, signature: Uint8Array, payload: Uint8Array, charter: Charter): Promise<string> {
  const serialised = new ProtobufMessage(identity);
  const organisation = serialised.text(1);
  const founder = charter.founders.find(({ member }) => member.organisation === organisation);
  if (founder === undefined) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'endorser-organisation' });
  const certificate = await peerCertificate(serialised.text(2), founder.caCertificate);
  const point = new Uint8Array(certificate.publicKey.rawData).subarray(-65);
  if (!verifyP256Der(point, concatBytes(payload, identity), signature)) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'endorsement-signature' });
  return organisation;
}

const verifiedPeers = new Map<string, X509Certificate>();

/** A peer's certificate, issued by the centre's CA; role by the organisational unit, as Fabric's NodeOUs have it. */
async function peerCertificate(pem: string, caPem: string): Promise<X509Certificate> {
  const known = verifiedPeers.get(pem + caPem);
  if (known !== undefined) return known;
  const [certificate, ca] = [new X509Certificate(pem), new X509Certificate(caPem)];
  const issued = certificate.issuer === ca.subject && (await certificate.verify({ publicKey: ca.publicKey, signatureOnly: true }));
  const isCa = ca.getExtension(BasicConstraintsExtension)?.ca === true;
  const isPeer = certificate.subjectName.getField('OU').includes('peer');
  if (!issued || !isCa || !isPeer) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'endorser-certificate' });
  if (verifiedPeers.size > 200) verifiedPeers.clear();
  verifiedPeers.set(pem + caPem, certificate);
  return certificate;
}

/** ProposalResponsePayload.extension(2) → ChaincodeAction.results(1) → TxReadWriteSet.ns_rwset(2) → KVRWSet.writes(3). */
function writesOf(payload: Uint8Array, chaincode: string): ReadonlyMap<string, Uint8Array> {
  const action = new ProtobufMessage(payload).message(2);
  if (action.message(3).text(2) !== '' && action.message(4).text(2) !== chaincode) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'chaincode' });
  const writes = new Map<string, Uint8Array>();
  for (const namespace of action.message(1).all(2).map((bytes) => new ProtobufMessage(bytes))) {
    if (namespace.text(1) !== chaincode) continue;
    for (const write of namespace.message(2).all(3).map((bytes) => new ProtobufMessage(bytes))) {
      if (!write.flag(2)) writes.set(write.text(1), write.bytes(3));
    }
  }
  return writes;
}
