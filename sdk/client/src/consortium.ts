import { canonicalize, documentDigest, domainOf, isJsonObject, ProtocolError, readCharter, type Charter, type Domain } from '@huilian/protocol';

/** A consortium as a node serves it, open to anyone. */
export interface Consortium {
  readonly charter: Charter;
  /** SHA-256 of the charter's canonical bytes, hex. */
  readonly fingerprint: string;
  readonly domain: Domain;
  /** Id of the transaction that completed the founding. */
  readonly founding: string;
  readonly channel: string;
  readonly chaincode: string;
  /** Member id of the node that answers. */
  readonly node: string;
  /** Last block this node has indexed. */
  readonly height: number;
}

/**
 * Checks that a consortium's parts belong together: the fingerprint is the charter's, the domain follows from it. With a
 * fingerprint learnt elsewhere, that it is this consortium and no other. @throws CHARTER_MISMATCH, BAD_FIELD, UNKNOWN_FIELD
 */
export function checkConsortium(value: unknown, fingerprint?: string): Consortium {
  const facts = (isJsonObject(value) ? value : {}) as unknown as Consortium;
  const charter = readCharter(facts.charter);
  const { chaincode, channel } = charter;
  const digest = documentDigest(charter);
  if (facts.fingerprint !== digest) throw new ProtocolError('CHARTER_MISMATCH', { reason: 'fingerprint' });
  const domain = domainOf({ chaincode, channel, charter: digest, founding: facts.founding });
  if (canonicalize(facts.domain) !== canonicalize(domain)) throw new ProtocolError('CHARTER_MISMATCH', { reason: 'domain' });
  if (fingerprint !== undefined && fingerprint !== digest) throw new ProtocolError('CHARTER_MISMATCH', { reason: 'other-consortium' });
  return facts;
}
