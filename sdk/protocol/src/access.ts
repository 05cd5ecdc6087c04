import { placedHeaderShape, readPlacedHeader } from './batch.js';
import { fromHex } from './bytes.js';
import { canonicalBytes, utf8, type JsonObject } from './canonical.js';
import { ProtocolError } from './errors.js';
import { askedPurposeShape, grantEnvelopeShape, readGrantEnvelope, readPurpose, referenceOf, purposeNames, type Grant } from './grant.js';
import { sha256Hex } from './hash.js';
import { bytes32Shape, claimNameShape, digestShape, jwkThumbprint, memberIdShape, requestIdShape, saltShape, thumbprintShape, ticketIdShape, timeShape } from './ids.js';
import { checkJwsHeader, parseJws, signJws, verifyEs256, x25519KeyShape, type Es256Key, type Es256Sign, type Es256Verify } from './jws.js';
import { limits } from './limits.js';
import { boolean, integer, list, object, oneOf, optional, sortedSet, text, type Read, type Shape } from './shape.js';

/** Access: the reader's request, the publisher's offer, the committed ticket, the release and the reader's receipt. */

const purposeShape = { schema: { enum: purposeNames }, read: readPurpose };
export const recordIdShape: Shape<string> = text(/[a-z][a-z0-9-]{1,30}[a-z0-9]\/[a-z][a-z0-9-]{1,30}[a-z0-9]\/[a-z2-7]{25}[aeimquy4]/, 92);
export const jwsShape: Shape<string> = text(/[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}/, limits.openBytes);

/** What the request leans on: a grant by its EIP-712 digest, or a publisher's policy by its document digest. */
export const requestBasisShape = object({ kind: oneOf('grant', 'policy'), digest: text(/(?:0x)?[0-9a-f]{64}/, 66) });

/** Payload of the access request (compact JWS, header {alg, kid: reader's member id, typ: huilian-request+jwt}). */
export const accessRequestShape = object({
  basis: requestBasisShape,
  /** Claim names, ascending; every record named must have them (as `kind/claim` they must be in the grant). */
  claims: sortedSet(claimNameShape, 1, limits.requestClaims),
  /** RFC 7638 thumbprint of the reader's registered X25519 key. */
  encryptionKey: thumbprintShape,
  /** Headers with their places, all of one publisher and one owner (or one policy). */
  headers: list(placedHeaderShape, 1, limits.requestRecords),
  issuedAt: timeShape,
  publisher: memberIdShape,
  purpose: purposeShape,
  reader: memberIdShape,
  /**
   * For an own copy alone: the owner's key that the release is encrypted to in place of the reader's, and the salt under
   * which the grant's reference commits to its thumbprint (`referenceOf`). The reader passes on what it cannot read.
   */
  recipient: optional(object({ key: x25519KeyShape, salt: saltShape })),
  requestId: requestIdShape,
  /** Salt of the consortium's EIP-712 domain: a request for one channel is worthless on another. */
  salt: bytes32Shape,
});
export type AccessRequest = Read<typeof accessRequestShape>;

export interface SignedRequest {
  readonly request: AccessRequest;
  /** SHA-256 of the request's canonical payload: identity of the request, whatever its signature bytes. */
  readonly digest: string;
  readonly jws: string;
}

export async function signRequest(request: AccessRequest, sign: Es256Sign): Promise<SignedRequest> {
  const jws = await signJws({ alg: 'ES256', kid: request.reader, typ: 'huilian-request+jwt' }, request, sign);
  return { request, digest: sha256Hex(canonicalBytes(request)), jws };
}

/** Reads a request without checking its signature. @throws REQUEST_MALFORMED, BAD_FIELD, UNKNOWN_FIELD, BAD_ID, PURPOSE_UNKNOWN, HEADER_INVALID, REQUEST_MIXED */
export function readRequest(jws: string): SignedRequest {
  const parsed = parseJws(jws, 'REQUEST_MALFORMED');
  const kid = checkJwsHeader(parsed, 'huilian-request+jwt', 'REQUEST_MALFORMED');
  const request = accessRequestShape.read(parsed.payload);
  if (kid !== request.reader) throw new ProtocolError('REQUEST_MALFORMED', { reason: 'kid' });
  request.headers.forEach((placed, index) => readPlacedHeader(placed, `/headers/${String(index)}`));
  const owners = new Set(request.headers.map(({ header }) => header.owner ?? ''));
  const records = new Set(request.headers.map(({ header }) => header.localId));
  if (owners.size !== 1 || records.size !== request.headers.length) throw new ProtocolError('REQUEST_MIXED');
  return { request, digest: sha256Hex(canonicalBytes(request)), jws };
}

/** Checks the reader's signature. @throws REQUEST_BAD_SIGNATURE */
export function verifyRequest(signed: SignedRequest, key: Es256Key): void {
  const { signingInput, signature } = parseJws(signed.jws, 'REQUEST_MALFORMED');
  if (!verifyEs256(key, signingInput, signature)) throw new ProtocolError('REQUEST_BAD_SIGNATURE');
}

/**
 * The release goes to the reader's registered key; of an own copy to the recipient that the request names, and only of one.
 * Whether the owner meant that recipient is its grant's to say (`checkRecipient`). @throws ENCRYPTION_KEY_MISMATCH
 */
export function checkEncryptionKey({ encryptionKey, purpose, recipient }: AccessRequest, registered: unknown): void {
  const isOwnCopy = purpose === 'own-copy';
  const fits = isOwnCopy === (recipient !== undefined) && encryptionKey === jwkThumbprint(recipient?.key ?? registered);
  if (!fits) throw new ProtocolError('ENCRYPTION_KEY_MISMATCH', isOwnCopy ? { reason: 'recipient' } : {});
}

/** An own copy goes to the key that the owner's grant commits to. @throws ENCRYPTION_KEY_MISMATCH */
export function checkRecipient({ encryptionKey, recipient }: AccessRequest, { reference }: Grant): void {
  if (recipient !== undefined && referenceOf(fromHex(recipient.salt, 16), encryptionKey) !== reference) throw new ProtocolError('ENCRYPTION_KEY_MISMATCH', { reason: 'reference' });
}

/** The publisher's word that it holds the records and will release them (JWS, kid = publisher, typ huilian-offer+jwt). */
export const offerShape = object({ expires: timeShape, publisher: memberIdShape, records: list(digestShape, 1, limits.requestRecords), request: digestShape });
export type Offer = Read<typeof offerShape>;

export async function signOffer(offer: Offer, sign: Es256Sign): Promise<string> {
  return await signJws({ alg: 'ES256', kid: offer.publisher, typ: 'huilian-offer+jwt' }, offer, sign);
}

/** Verifies an offer against the request it answers. Its expiry is the caller's to compare. @throws OFFER_MISMATCH, OFFER_BAD_SIGNATURE, BAD_FIELD, UNKNOWN_FIELD */
export function verifyOffer(jws: string, signed: SignedRequest, key: Es256Key): Offer {
  const parsed = parseJws(jws, 'OFFER_MISMATCH');
  const kid = checkJwsHeader(parsed, 'huilian-offer+jwt', 'OFFER_MISMATCH');
  const offer = offerShape.read(parsed.payload);
  if (!verifyEs256(key, parsed.signingInput, parsed.signature)) throw new ProtocolError('OFFER_BAD_SIGNATURE');
  const wanted = signed.request.headers.map(({ header }) => header.digest);
  const answers = kid === offer.publisher && offer.publisher === signed.request.publisher && offer.request === signed.digest;
  if (!answers || offer.records.join() !== wanted.join()) throw new ProtocolError('OFFER_MISMATCH');
  return offer;
}

/** One entry of `access.open`: grant or policy basis, request, offer, and the slot the calling node proposes (grants only). */
export const openEntryShape = object({ grant: optional(grantEnvelopeShape), offer: jwsShape, request: jwsShape, slot: optional(integer(1, limits.grantMaxUses)) });
export type OpenEntry = Read<typeof openEntryShape>;
export const openArgumentShape = object({ entries: list(openEntryShape, 1, limits.openRequests) });
export type OpenArgument = Read<typeof openArgumentShape>;

/** @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID, PURPOSE_UNKNOWN */
export function readOpenArgument(value: unknown): OpenArgument {
  const argument = openArgumentShape.read(value);
  argument.entries.forEach((entry, index) => {
    if (entry.grant !== undefined) readGrantEnvelope(entry.grant, `/entries/${String(index)}/grant`);
  });
  return argument;
}

/** Per entry of `access.open`: a ticket, or a coded refusal that wrote nothing. The contract's response is an array of these. */
export const openResultShape = object({ code: optional(text(/[A-Z][A-Z0-9_]{2,40}/, 42)), details: optional(text(/[^\u0000]*/, 400)), ticket: optional(ticketIdShape) });
export type OpenResult = Read<typeof openResultShape>;

/** One record version that a ticket covers. */
export const ticketRecordShape = object({ digest: digestShape, recordId: recordIdShape, version: integer(1) });

/** The committed decision, as state under key ticket. Times in Unix seconds of the transaction. */
export const ticketShape = object({
  basis: requestBasisShape,
  claims: sortedSet(claimNameShape, 1, limits.requestClaims),
  encryptionKey: thumbprintShape,
  expires: timeShape,
  openedAt: timeShape,
  /** Owner id, or empty where a policy is the basis. */
  owner: text(/|(?:org|per):[0-9A-Za-z]{18,32}/, 40),
  publisher: memberIdShape,
  purpose: purposeShape,
  reader: memberIdShape,
  /** Thumbprint of the reader's signing key in force when the ticket was opened. */
  readerKey: thumbprintShape,
  records: list(ticketRecordShape, 1, limits.requestRecords),
  /** Set by access.refuse; a refused ticket is dead. */
  refused: optional(text(/[A-Z][A-Z0-9_]{2,40}/, 42)),
  request: digestShape,
  requestId: requestIdShape,
  slot: optional(integer(1, limits.grantMaxUses)),
});
export type Ticket = Read<typeof ticketShape>;

/** `apv` of the JWE: binds the ciphertext to its ticket. */
export function ticketApv(ticketId: string): Uint8Array {
  return canonicalBytes({ ticket: ticketId });
}

/** The plaintext a release encrypts: one presentation per record of the ticket, in the ticket's order. */
export const releaseContentShape = object({
  presentations: list(object({ presentation: text(/[A-Za-z0-9_~.-]+/, 4 * limits.recordBytes), recordId: recordIdShape }), 1, limits.requestRecords),
  ticket: ticketIdShape,
});
export type ReleaseContent = Read<typeof releaseContentShape>;

/** The publisher's signed word on what it sent (JWS, kid = publisher, typ huilian-release+jwt). */
export const releaseShape = object({ jwe: digestShape, publisher: memberIdShape, releasedAt: timeShape, ticket: ticketIdShape });
export type Release = Read<typeof releaseShape>;

/** A release as it travels: the signed statement and the JWE it speaks of. */
export const releaseEnvelopeShape = object({ jwe: text(/[A-Za-z0-9_.-]+/, 64 * limits.recordBytes), release: jwsShape });
export type ReleaseEnvelope = Read<typeof releaseEnvelopeShape>;

export async function signRelease(release: Release, sign: Es256Sign): Promise<string> {
  return await signJws({ alg: 'ES256', kid: release.publisher, typ: 'huilian-release+jwt' }, release, sign);
}

/** SHA-256 over the ASCII of the compact JWE, hex. */
export function jweDigest(jwe: string): string {
  return sha256Hex(utf8(jwe));
}

/** Verifies statement, signer, ticket and ciphertext digest. @throws RELEASE_BAD_SIGNATURE, RELEASE_HASH_MISMATCH, BAD_FIELD, UNKNOWN_FIELD */
export function verifyRelease(envelope: ReleaseEnvelope, expected: { readonly ticket: string; readonly publisher: string; readonly key: Es256Key }, verify: Es256Verify = verifyEs256): Release {
  const parsed = parseJws(envelope.release, 'RELEASE_BAD_SIGNATURE');
  const kid = checkJwsHeader(parsed, 'huilian-release+jwt', 'RELEASE_BAD_SIGNATURE');
  const release = releaseShape.read(parsed.payload);
  const signed = verify(expected.key, parsed.signingInput, parsed.signature);
  if (!signed || kid !== expected.publisher || release.publisher !== expected.publisher) throw new ProtocolError('RELEASE_BAD_SIGNATURE');
  if (release.ticket !== expected.ticket || release.jwe !== jweDigest(envelope.jwe)) throw new ProtocolError('RELEASE_HASH_MISMATCH');
  return release;
}

/** The reader's word that it received and verified (JWS, kid = reader, typ huilian-receipt+jwt). */
export const receiptShape = object({ jwe: digestShape, reader: memberIdShape, receivedAt: timeShape, resend: boolean(), ticket: ticketIdShape });
export type Receipt = Read<typeof receiptShape>;

export async function signReceipt(receipt: Receipt, sign: Es256Sign): Promise<string> {
  return await signJws({ alg: 'ES256', kid: receipt.reader, typ: 'huilian-receipt+jwt' }, receipt, sign);
}

/** Reads a receipt without checking its signature. @throws RECEIPT_MISMATCH, BAD_FIELD, UNKNOWN_FIELD */
export function readReceipt(jws: string): Receipt {
  const parsed = parseJws(jws, 'RECEIPT_MISMATCH');
  const kid = checkJwsHeader(parsed, 'huilian-receipt+jwt', 'RECEIPT_MISMATCH');
  const receipt = receiptShape.read(parsed.payload);
  if (kid !== receipt.reader) throw new ProtocolError('RECEIPT_MISMATCH', { reason: 'kid' });
  return receipt;
}

/** Verifies a receipt for one ticket. @throws RECEIPT_MISMATCH, RECEIPT_BAD_SIGNATURE */
export function verifyReceipt(jws: string, expected: { readonly ticket: string; readonly reader: string; readonly key: Es256Key }): Receipt {
  const receipt = readReceipt(jws);
  if (receipt.ticket !== expected.ticket || receipt.reader !== expected.reader) throw new ProtocolError('RECEIPT_MISMATCH');
  const { signingInput, signature } = parseJws(jws, 'RECEIPT_MISMATCH');
  if (!verifyEs256(expected.key, signingInput, signature)) throw new ProtocolError('RECEIPT_BAD_SIGNATURE');
  return receipt;
}

/** Arguments of the other access functions. */
export const confirmArgumentShape = object({ receipts: list(jwsShape, 1, limits.confirmReceipts) });
export const refuseArgumentShape = object({ code: oneOf('RELEASE_TOO_LATE', 'GRANT_EXPIRED', 'GRANT_REVOKED', 'TICKET_ENDED', 'ERASED', 'VAULT_CORRUPT'), ticket: ticketIdShape });
/** JWS of the reader (typ huilian-dispute+jwt): the ticket was committed and nothing came. */
export const disputeShape = object({ disputedAt: timeShape, reader: memberIdShape, ticket: ticketIdShape });
export const disputeArgumentShape = object({ dispute: jwsShape });

/** A publisher's standing permission for publisher-owned kinds; requests name its digest (SHA-256 of the canonical document). */
export const policyShape = object({
  claims: sortedSet(claimNameShape, 1, limits.requestClaims),
  expires: timeShape,
  granteeClasses: sortedSet(oneOf('centre', 'institution', 'platform', 'supervisor'), 1, 4),
  kind: text(/[a-z][a-z0-9-]{1,30}[a-z0-9]/, 32),
  notBefore: timeShape,
  publisher: memberIdShape,
  purposes: sortedSet(askedPurposeShape, 1, purposeNames.length),
});
export type Policy = Read<typeof policyShape>;

export async function signDispute(dispute: Read<typeof disputeShape>, sign: Es256Sign): Promise<string> {
  return await signJws({ alg: 'ES256', kid: dispute.reader, typ: 'huilian-dispute+jwt' }, dispute as unknown as JsonObject, sign);
}
