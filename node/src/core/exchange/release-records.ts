import { CompactEncrypt, importJWK } from 'jose';
import {
  BoundedMap,
  canonicalBytes,
  equalBytes,
  fromBase64url,
  fromUtf8,
  jweDigest,
  jwkThumbprint,
  limits,
  ownerKeyInForce,
  parseCanonicalObject,
  presentPayload,
  ProtocolError,
  signPayload,
  signRelease,
  ticketApv,
  utf8,
  type Domain,
  type Es256Key,
  type GrantEnvelope,
  type RecoverPublicKey,
  type ReleaseEnvelope,
  type Ticket,
  VerifiedGrants,
  type VerifiedTriple,
  type X25519Key,
  x25519KeyShape,
} from '@huilian/protocol';
import { passStep } from '../failpoints.js';
import type { ReadModel } from '../indexing/read-model.js';
import { unknownUntil } from '../outbox/outbox.js';
import type { Clock, Keys, Ledger, Store, StoreWrite } from '../ports.js';
import type { Vault } from '../vault/vault.js';
import { offeredGrantKey, recipientKey } from './offer-records.js';
import { dropSentRelease, releaseWrite, sentRelease } from './sent-releases.js';
import type { SleepWatch } from './sleep-watch.js';

const jwtKey = (recordId: string, version: number): string => `exchange/jwt/${recordId}/${String(version)}`;
/** The signed credentials that are kept of the versions of a record. */
export function dropCredentials(recordId: string, upTo: number): StoreWrite[] {
  return Array.from({ length: upTo }, (_, index) => ({ key: jwtKey(recordId, index + 1), remove: true as const }));
}

const indexWaitMilliseconds = 20_000;
/** Grants of tickets that are read again and again; others are verified by what `VerifiedGrants` remembers. */
const grantsAtHand = 256;

/**
 * Sends the granted claims, encrypted to the reader, only after this node's own index holds the ticket as VALID, its own
 * clock is inside the term and the block did not come too late. Re-sends are byte-equal.
 */
export class ReleaseRecords {
  private readonly running = new Map<string, Promise<ReleaseEnvelope>>();
  private readonly grants: VerifiedGrants;
  /** By request: the bytes of the grant kept for it, the domain it was verified for. */
  private readonly verified = new BoundedMap<string, { readonly domain: Domain; readonly stored: Uint8Array; readonly triple: VerifiedTriple }>(grantsAtHand);
  /** Of keys in rows that the read model holds. */
  private readonly thumbprints = new WeakMap<object, string>();

  public constructor(
    private readonly readModel: ReadModel,
    private readonly vault: Vault,
    private readonly store: Store,
    private readonly ledger: Ledger,
    private readonly keys: Keys,
    private readonly clock: Clock,
    recover: RecoverPublicKey,
    private readonly sleep?: SleepWatch,
  ) {
    this.grants = new VerifiedGrants(recover);
  }

  /** @throws TICKET_UNKNOWN, TICKET_ENDED, RELEASE_TOO_LATE, VAULT_CORRUPT, ERASED */
  public async release(ticketId: string): Promise<ReleaseEnvelope> {
    const ticket = await this.indexedTicket(ticketId);
    await passStep('R4');
    await this.sleep?.awake();
    const sent = sentRelease(this.store, ticketId);
    // A ticket has one release: what was sent for it before this node was put back is not known here.
    if (sent === undefined && ticket.openedAt <= unknownUntil(this.store)) throw new ProtocolError('TICKET_ENDED', { ticket: ticketId, reason: 'publisher-restored' });
    this.checkLive(ticketId, ticket);
    this.checkErased(ticketId, ticket);
    if (sent !== undefined) return sent;
    // Two askers at the same moment get the same bytes.
    let first = this.running.get(ticketId);
    if (first === undefined) {
      first = this.releaseFirst(ticketId, ticket).finally(() => this.running.delete(ticketId));
      this.running.set(ticketId, first);
    }
    return await first;
  }

  private async indexedTicket(ticketId: string): Promise<Ticket> {
    const [transactionId = ''] = ticketId.split('/');
    let found = this.readModel.ticket(ticketId);
    if (found === undefined) {
      await this.readModel.whenIndexed(transactionId, AbortSignal.timeout(indexWaitMilliseconds)).catch(() => undefined);
      found = this.readModel.ticket(ticketId);
    }
    if (found === undefined || found.ticket.publisher !== this.keys.memberId) throw new ProtocolError('TICKET_UNKNOWN', { ticket: ticketId });
    return found.ticket;
  }

  /** A ticket lives until the earliest of its term, a refusal, a revocation, a newer version, exposure, a changed key, a suspension. */
  private checkLive(ticketId: string, ticket: Ticket): void {
    const reason = this.endOf(ticket);
    if (reason !== undefined) throw new ProtocolError('TICKET_ENDED', { ticket: ticketId, reason });
  }

  /** What was sent before is not sent again either. @throws ERASED */
  private checkErased(ticketId: string, { records }: Ticket): void {
    const erased = records.find(({ recordId, version }) => this.vault.isErased(recordId, version));
    if (erased !== undefined && sentRelease(this.store, ticketId) !== undefined) throw new ProtocolError('ERASED', { record: erased.recordId, ticket: ticketId });
  }

  private endOf(ticket: Ticket): string | undefined {
    if (ticket.refused !== undefined) return 'refused';
    if (Math.floor(this.clock.now() / 1000) >= ticket.expires) return 'expired';
    const reader = this.readModel.member(ticket.reader);
    if (reader?.status !== 'active') return 'reader-suspended';
    // An own copy goes to the owner's key: the reader only passes it on.
    const receives = ticket.purpose === 'own-copy' || this.thumbprint(reader.document.encryptionKey) === ticket.encryptionKey;
    if (!receives || this.thumbprint(reader.document.signingKey) !== ticket.readerKey) return 'reader-key-changed';
    return this.recordEnd(ticket) ?? (ticket.basis.kind === 'grant' ? this.grantEnd(ticket) : undefined);
  }

  private recordEnd({ records }: Ticket): string | undefined {
    for (const { digest, recordId, version } of records) {
      const current = this.readModel.record(recordId);
      if (current?.contested === true) return 'contested';
      if (current?.header.version !== version || current.header.digest !== digest) return 'superseded';
    }
    return undefined;
  }

  private grantEnd(ticket: Ticket): string | undefined {
    if (this.readModel.revocation(ticket.owner, ticket.basis.digest) !== undefined) return 'grant-revoked';
    const stored = this.store.get(offeredGrantKey(ticket.request));
    const owner = this.readModel.owner(ticket.owner);
    if (stored === undefined || owner === undefined) return 'grant-unknown';
    const { digest, key } = this.verifiedGrant(ticket.request, stored, this.readModel.domain());
    const stands = digest === ticket.basis.digest && key === ownerKeyInForce(owner, Math.floor(this.clock.now() / 1000));
    return stands ? undefined : 'owner-key-changed';
  }

  /** The key is in force or not by the ledger of now, which the caller asks; this says whose signature it is. */
  private verifiedGrant(request: string, stored: Uint8Array, domain: Domain): VerifiedTriple {
    const before = this.verified.get(request);
    if (before?.domain === domain && equalBytes(before.stored, stored)) return before.triple;
    const triple = this.grants.verify(parseCanonicalObject(stored) as unknown as GrantEnvelope, domain);
    this.verified.set(request, { domain, stored, triple });
    return triple;
  }

  private thumbprint(key: Es256Key | X25519Key): string {
    let found = this.thumbprints.get(key);
    if (found === undefined) {
      found = jwkThumbprint(key);
      this.thumbprints.set(key, found);
    }
    return found;
  }

  private async releaseFirst(ticketId: string, ticket: Ticket): Promise<ReleaseEnvelope> {
    if (Math.floor(this.clock.now() / 1000) - ticket.openedAt > limits.blockDelaySeconds) {
      await this.refund(ticketId, 'RELEASE_TOO_LATE');
      throw new ProtocolError('RELEASE_TOO_LATE', { ticket: ticketId });
    }
    const jwe = await this.encrypt(ticketId, ticket).catch(async (error: unknown) => {
      // What cannot be released any more gives its use back; nothing was sent under this ticket.
      if (error instanceof ProtocolError && (error.code === 'VAULT_CORRUPT' || error.code === 'ERASED')) await this.refund(ticketId, error.code);
      throw error;
    });
    await passStep('R5');
    const releasedAt = Math.floor(this.clock.now() / 1000);
    const release = await signRelease({ jwe: jweDigest(jwe), publisher: this.keys.memberId, releasedAt, ticket: ticketId }, this.keys.sign);
    const envelope: ReleaseEnvelope = { jwe, release };
    await this.store.write([releaseWrite(ticketId, envelope)]);
    await this.dropErasedMeanwhile(ticketId, ticket);
    await passStep('R6');
    return envelope;
  }

  /** The records may have been erased while the release was made: then nothing of it was sent. @throws ERASED */
  private async dropErasedMeanwhile(ticketId: string, ticket: Ticket): Promise<void> {
    const erased = ticket.records.filter(({ recordId, version }) => this.vault.isErased(recordId, version));
    const [first] = erased;
    if (first === undefined) return;
    await this.store.write([...dropSentRelease(this.store, ticketId), ...erased.flatMap(({ recordId, version }) => dropCredentials(recordId, version))]);
    throw new ProtocolError('ERASED', { record: first.recordId, ticket: ticketId });
  }

  private async encrypt(ticketId: string, ticket: Ticket): Promise<string> {
    const presentations: { presentation: string; recordId: string }[] = [];
    for (const { recordId, version } of ticket.records) {
      presentations.push({ presentation: await this.present(recordId, version, ticket.claims), recordId });
    }
    const key = this.receiverOf(ticketId, ticket);
    return await new CompactEncrypt(canonicalBytes({ presentations, ticket: ticketId }))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
      .setKeyManagementParameters({ apv: ticketApv(ticketId) })
      .encrypt(await importJWK({ ...key }, 'ECDH-ES'));
  }

  /** Whom the release is encrypted to: the reader, or of an own copy the owner, whose key came with the request. */
  private receiverOf(ticketId: string, { encryptionKey, purpose, reader: id, request }: Ticket): X25519Key {
    if (purpose === 'own-copy') {
      const kept = this.store.get(recipientKey(request));
      const key = kept && x25519KeyShape.read(parseCanonicalObject(kept));
      if (key === undefined || jwkThumbprint(key) !== encryptionKey) throw new ProtocolError('TICKET_ENDED', { ticket: ticketId, reason: 'recipient-unknown' });
      return key;
    }
    const reader = this.readModel.member(id);
    if (reader === undefined) throw new ProtocolError('MEMBER_UNKNOWN', { member: id });
    return reader.document.encryptionKey;
  }

  /** A presentation of one record version; all claims where none are named. The credential is signed at first release and kept. */
  public async present(recordId: string, version: number, claims?: readonly string[]): Promise<string> {
    const sealed = this.vault.open(recordId, version);
    const key = jwtKey(recordId, version);
    const kept = this.store.get(key);
    let jwt = kept && fromUtf8(kept);
    // Kept under keys that were changed since, it no longer verifies: the key in force signs the same payload again.
    if (jwt === undefined || !isSignedBy(jwt, this.keys.certificateChain)) {
      jwt = await signPayload(sealed.segment, this.keys.certificateChain, this.keys.sign);
      await this.store.write([{ key, value: utf8(jwt) }]);
      if (this.vault.isErased(recordId, version)) {
        await this.store.write([{ key, remove: true }]);
        throw new ProtocolError('ERASED', { record: recordId, version });
      }
    }
    const names = claims ?? Object.keys(sealed.disclosures).sort();
    return presentPayload(jwt, names.flatMap((name) => sealed.disclosures[name] ?? []));
  }

  /** Gives the slot back on the ledger; the ticket stays dead. */
  private async refund(ticketId: string, code: 'RELEASE_TOO_LATE' | 'VAULT_CORRUPT' | 'ERASED'): Promise<void> {
    const submission = await this.ledger.submit('refuse', canonicalBytes({ code, ticket: ticketId }));
    await submission.committed();
  }
}

function isSignedBy(jwt: string, certificateChain: readonly string[]): boolean {
  const [head = ''] = jwt.split('.');
  const { x5c } = JSON.parse(fromUtf8(fromBase64url(head))) as { x5c?: readonly string[] };
  return x5c?.[0] === certificateChain[0];
}
