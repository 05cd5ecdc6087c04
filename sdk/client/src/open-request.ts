import {
  canonicalize,
  grantDigest,
  jwkThumbprint,
  ProtocolError,
  readRequest,
  recordId,
  signRequest,
  toBase32,
  type Domain,
  type Es256Key,
  type Es256Sign,
  type GrantEnvelope,
  type PlacedHeader,
  type Purpose,
  type ReleaseEnvelope,
  type SignedRequest,
  type Ticket,
  type X25519Key,
} from '@huilian/protocol';

/** What a reader names when it opens records: all of one publisher and one owner. */
export interface OpenTerms {
  readonly recordIds: readonly string[];
  /** Claim names without the kind. */
  readonly claims: readonly string[];
  readonly purpose: Purpose;
  readonly grant?: GrantEnvelope;
  /** Digest of the publisher's policy, for publisher-owned kinds. */
  readonly policy?: string;
}

/** An open ticket with its encrypted release. */
export interface OpenedAccess {
  /** `<transaction id>/<index>`. */
  readonly ticket: string;
  readonly state: Ticket;
  readonly release: ReleaseEnvelope;
  readonly publisherKey: Es256Key;
}

/** Who signs a request, and the public key that the release is encrypted to. */
export interface RequestingReader {
  readonly memberId: string;
  readonly encryptionKey: X25519Key;
  readonly sign: Es256Sign;
}

/** No policy has this digest: a request without grant or policy is one that owners and publishers refuse. */
const noPolicy = '0'.repeat(64);

/** Builds and signs an access request over headers with their places on the ledger. @throws REQUEST_MIXED, BAD_FIELD */
export async function buildRequest(terms: OpenTerms, placed: readonly PlacedHeader[], domain: Domain, reader: RequestingReader): Promise<string> {
  const [publisher = '', ...others] = new Set(terms.recordIds.map((id) => id.split('/')[0] ?? ''));
  if (others.length > 0) throw new ProtocolError('REQUEST_MIXED');
  const { grant } = terms;
  const { jws } = await signRequest(
    {
      basis: grant === undefined ? { kind: 'policy', digest: terms.policy ?? noPolicy } : { kind: 'grant', digest: grantDigest(domain, grant.grant) },
      claims: [...new Set(terms.claims)].sort(),
      encryptionKey: jwkThumbprint(reader.encryptionKey),
      headers: placed,
      issuedAt: Math.floor(Date.now() / 1000),
      publisher,
      purpose: terms.purpose,
      reader: reader.memberId,
      requestId: toBase32(crypto.getRandomValues(new Uint8Array(16))),
      salt: domain.salt,
    },
    reader.sign,
  );
  // What a contract would refuse is refused here already, before it is sent.
  readRequest(jws);
  return jws;
}

/** Checks that a ticket answers exactly this request, whatever the node in between says. @throws EXCHANGE_FAILED {reason: ticket} */
export function checkTicket(requestJws: string, { state }: OpenedAccess): void {
  if (!isAnswerTo(readRequest(requestJws), state)) throw new ProtocolError('EXCHANGE_FAILED', { reason: 'ticket' });
}

/** A ticket states everything its request asked for, and nothing else. */
export function isAnswerTo({ digest, request }: SignedRequest, ticket: Ticket): boolean {
  const { basis, claims, encryptionKey, headers, publisher, purpose, reader, requestId } = request;
  const records = headers.map(({ header }) => ({ digest: header.digest, recordId: recordId(publisher, header.kind, header.localId), version: header.version }));
  const { owner = '' } = headers[0]?.header ?? {};
  const { expires: _expires, openedAt: _openedAt, readerKey: _readerKey, refused: _refused, slot: _slot, ...stated } = ticket;
  const asked = { basis, claims, encryptionKey, owner: basis.kind === 'policy' ? '' : owner, publisher, purpose, reader, records, request: digest, requestId };
  return canonicalize(stated) === canonicalize(asked);
}
