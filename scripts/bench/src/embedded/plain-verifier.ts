import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { verifyTypedData } from 'ethers';
import { ledger, msp, peer } from '@hyperledger/fabric-protos';
import { canonicalize, checkPlacedHeader, stateKey, typedStructs, type Es256Key, type OwnerState, type Ticket } from '@huilian/protocol';
import type { EndorsedTransaction, Evidence } from '@huilian/sdk';

/**
 * An evidence file verified the plain way: the same proofs by the libraries at hand (Node's certificates, Fabric's own messages,
 * ethers), everything parsed each time. It takes the file's shape on trust, which the measured verifier does not.
 */
export function verifyPlainly(file: string, charterFingerprint: string): boolean {
  const evidence = JSON.parse(file) as Evidence;
  const { batches, charter, domain, grant, jweDigest, readerKey, receipt, records, registration, release, request, ticketId } = evidence;
  if (createHash('sha256').update(canonicalize(charter)).digest('hex') !== charterFingerprint) return false;
  const ticket = JSON.parse(writtenBy(evidence.ticket, evidence, stateKey('ticket', ticketId))) as Ticket;
  for (const batch of batches) {
    const { count, root } = JSON.parse(writtenBy(batch, evidence, stateKey('batch', ticket.publisher, batch.seq))) as { count: number; root: string };
    for (const placed of records.filter(({ seq }) => seq === batch.seq)) checkPlacedHeader(placed, { count, root });
  }
  if (registration === undefined || grant === undefined) return false;
  const owner = JSON.parse(writtenBy(registration, evidence, stateKey('owner', ticket.owner))) as OwnerState;
  const signer = verifyTypedData({ ...domain }, { Grant: [...typedStructs.Grant] }, { ...grant.grant }, grant.signature);
  const publisherKey = charter.founders.find(({ member }) => member.id === ticket.publisher)?.member.signingKey;
  if (signer.toLowerCase() !== owner.key.toLowerCase() || publisherKey === undefined) return false;
  const asked = signedBy(request, readerKey);
  const released = signedBy(release, publisherKey);
  const received = signedBy(receipt, readerKey);
  return canonicalize(asked['headers']) === canonicalize(records) && released['ticket'] === ticketId && released['jwe'] === jweDigest && received['ticket'] === ticketId && received['jwe'] === jweDigest;
}

/** What a transaction wrote under a key. @throws where fewer than a majority endorsed it, or one endorsement does not hold */
function writtenBy(transaction: EndorsedTransaction, { charter }: Evidence, key: string): string {
  const payload = Buffer.from(transaction.proposalResponse, 'base64url');
  const organisations = new Set<string>();
  for (const endorsement of transaction.endorsements) {
    const identity = Buffer.from(endorsement.identity, 'base64url');
    const serialised = msp.SerializedIdentity.deserializeBinary(identity);
    const certificate = new X509Certificate(Buffer.from(serialised.getIdBytes_asU8()));
    const ca = new X509Certificate(charter.founders.find(({ member }) => member.organisation === serialised.getMspid())?.caCertificate ?? '');
    if (!certificate.subject.split('\n').includes('OU=peer') || !certificate.verify(ca.publicKey)) throw new Error('no peer of the centre');
    if (!verify('sha256', Buffer.concat([payload, identity]), certificate.publicKey, Buffer.from(endorsement.signature, 'base64url'))) throw new Error('endorsement');
    organisations.add(serialised.getMspid());
  }
  if (organisations.size * 2 <= charter.founders.length) throw new Error('no majority');
  const action = peer.ChaincodeAction.deserializeBinary(peer.ProposalResponsePayload.deserializeBinary(payload).getExtension_asU8());
  if (peer.ChaincodeEvent.deserializeBinary(action.getEvents_asU8()).getTxId() !== transaction.transactionId) throw new Error('transaction id');
  for (const namespace of ledger.rwset.TxReadWriteSet.deserializeBinary(action.getResults_asU8()).getNsRwsetList()) {
    if (namespace.getNamespace() !== charter.chaincode) continue;
    const write = ledger.rwset.kvrwset.KVRWSet.deserializeBinary(namespace.getRwset_asU8()).getWritesList().find((one) => one.getKey() === key);
    if (write !== undefined) return Buffer.from(write.getValue_asU8()).toString('utf8');
  }
  throw new Error(`nothing was written under ${key}`);
}

/** The payload of a compact JWS. @throws where its signature is another's */
function signedBy(jws: string, key: Es256Key): Record<string, unknown> {
  const [head = '', payload = '', signature = ''] = jws.split('.');
  const publicKey = createPublicKey({ key: { ...key }, format: 'jwk' });
  if (!verify('sha256', Buffer.from(`${head}.${payload}`), { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))) throw new Error('signature');
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Record<string, unknown>;
}
