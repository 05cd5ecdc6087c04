import { compactDecrypt, importJWK } from 'jose';
import { openJwe, nativeCrypto, type OpenedJwe } from './open-jwe.js';
import { canonicalize, fromUtf8, parseCanonical, ProtocolError, releaseContentShape, ticketApv, toBase64url, verifyEs256, verifyPresentation, verifyRelease, type Es256Key, type Es256Verify, type JsonObject, type ReleaseContent, type ReleaseEnvelope, type Ticket } from '@huilian/protocol';

/** One record version as it was released: only the granted claims. */
export interface ReadRecord {
  readonly recordId: string;
  readonly version: number;
  readonly claims: JsonObject;
  /** The SD-JWT VC presentation itself, which verifies without us. */
  readonly presentation: string;
}

/** What `readRelease` needs: a ticket's state and release, and the publisher's registered key. */
export interface Released {
  readonly ticket: string;
  readonly state: Ticket;
  readonly release: ReleaseEnvelope;
  readonly publisherKey: Es256Key;
}

/**
 * Decrypts a release with the reader's private X25519 key and verifies every byte of it: the publisher's word, the
 * ciphertext's digest, the ticket it is bound to, each payload's digest as on the ledger, its signature and disclosures.
 * `verify` may remember signatures that held.
 * @throws RELEASE_BAD_SIGNATURE, RELEASE_HASH_MISMATCH, PAYLOAD_DECRYPT_FAILED, PAYLOAD_*, DISCLOSURE_INVALID
 */
export async function readRelease(released: Released, privateKey: JsonWebKey, verify: Es256Verify = verifyEs256): Promise<readonly ReadRecord[]> {
  const { publisherKey, release, state, ticket } = released;
  verifyRelease(release, { ticket, publisher: state.publisher, key: publisherKey }, verify);
  const content = await decrypt(release.jwe, ticket, privateKey);
  const wanted = canonicalize(state.records.map(({ recordId }) => recordId));
  if (content.ticket !== ticket || canonicalize(content.presentations.map(({ recordId }) => recordId)) !== wanted) {
    throw new ProtocolError('RELEASE_HASH_MISMATCH', { reason: 'content' });
  }
  return state.records.map((record, index) => readRecord(record, content.presentations[index]?.presentation ?? '', state, publisherKey, verify));
}

function readRecord(record: Ticket['records'][number], presentation: string, ticket: Ticket, publisherKey: Es256Key, verify: Es256Verify): ReadRecord {
  const verified = verifyPresentation(presentation, { digest: record.digest, signingKey: publisherKey }, verify);
  if (verified.recordId !== record.recordId || verified.version !== record.version) throw new ProtocolError('PAYLOAD_DIGEST_MISMATCH', { reason: 'record' });
  const surplus = Object.keys(verified.claims).filter((name) => !ticket.claims.includes(name));
  if (surplus.length > 0) throw new ProtocolError('DISCLOSURE_INVALID', { reason: 'not-granted' });
  return { recordId: record.recordId, version: record.version, claims: verified.claims, presentation };
}

async function decrypt(jwe: string, ticket: string, privateKey: JsonWebKey): Promise<ReleaseContent> {
  try {
    const { apv, plaintext } = nativeCrypto === undefined ? await portableOpen(jwe, privateKey) : openJwe(nativeCrypto, jwe, privateKey);
    // `apv` binds the ciphertext to its ticket: a release of another ticket does not pass for this one.
    if (apv === toBase64url(ticketApv(ticket))) return releaseContentShape.read(parseCanonical(fromUtf8(plaintext)));
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
  }
  throw new ProtocolError('PAYLOAD_DECRYPT_FAILED');
}

async function portableOpen(jwe: string, privateKey: JsonWebKey): Promise<OpenedJwe> {
  const key = await importJWK(privateKey as Record<string, string>, 'ECDH-ES');
  const { plaintext, protectedHeader } = await compactDecrypt(jwe, key, { keyManagementAlgorithms: ['ECDH-ES'], contentEncryptionAlgorithms: ['A256GCM'] });
  return { apv: protectedHeader.apv, plaintext };
}
