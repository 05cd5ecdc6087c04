import { concatBytes, fromBase64url, parseCanonicalObject, ProtocolError, type Charter, type JsonObject } from '@huilian/protocol';
import type { EndorsedTransaction } from './evidence-file.js';
import { provedPeer } from './peer-certificate.js';
import { ProtobufMessage } from './protobuf-reader.js';
import type { ProvedBefore } from './proved-before.js';

/** What a transaction wrote by key; a value is parsed once. */
export class EndorsedWrites {
  private readonly parsed = new Map<string, JsonObject>();

  public constructor(private readonly bytes: ReadonlyMap<string, Uint8Array>) {}

  /** Undefined where nothing was written under the key. @throws CANONICAL_INVALID */
  public value(key: string): JsonObject | undefined {
    const bytes = this.bytes.get(key);
    const parsed = this.parsed.get(key) ?? (bytes && parseCanonicalObject(bytes));
    if (parsed !== undefined) this.parsed.set(key, parsed);
    return parsed;
  }
}

/**
 * What a majority of the charter's centres endorsed: the writes of one transaction in the charter's chaincode. Each
 * endorsement is an ECDSA P-256 signature over proposal response payload ‖ serialised identity, by a peer whose
 * certificate the centre's CA of the charter issued. Every endorsement must verify, not only enough of them.
 * Certificates proved before are not parsed again.
 * @throws EVIDENCE_INVALID {reason}
 */
export async function endorsedWrites(transaction: EndorsedTransaction, charter: Charter, before: ProvedBefore): Promise<EndorsedWrites> {
  const payload = fromBase64url(transaction.proposalResponse);
  const organisations = new Set<string>();
  for (const { identity, signature } of transaction.endorsements) {
    organisations.add(await endorser(fromBase64url(identity), fromBase64url(signature), payload, charter, before));
  }
  if (organisations.size * 2 <= charter.founders.length) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'no-majority', endorsers: organisations.size });
  return new EndorsedWrites(writesOf(payload, transaction.transactionId, charter.chaincode));
}

/** SerializedIdentity {mspid 1, id_bytes 2: PEM}; answers the organisation. */
async function endorser(identity: Uint8Array, signature: Uint8Array, payload: Uint8Array, charter: Charter, before: ProvedBefore): Promise<string> {
  const serialised = new ProtobufMessage(identity);
  const organisation = serialised.text(1);
  const founder = charter.founders.find(({ member }) => member.organisation === organisation);
  if (founder === undefined) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'endorser-organisation' });
  const pem = serialised.text(2);
  const isSignedBy = await before.get(['peer', pem, founder.caCertificate], async () => await provedPeer(pem, founder.caCertificate));
  if (!isSignedBy(concatBytes(payload, identity), signature)) throw new ProtocolError('EVIDENCE_INVALID', { reason: 'endorsement-signature' });
  return organisation;
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
