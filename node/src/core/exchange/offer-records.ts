import { canonicalBytes, grantDigest, limits, ProtocolError, readGrantEnvelope, readRequest, recordId, signOffer, verifyRequest, type GrantEnvelope, type SignedRequest } from '@huilian/protocol';
import { passStep } from '../failpoints.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Keys, Store, StoreWrite } from '../ports.js';
import type { Vault } from '../vault/vault.js';

export interface OfferRequest {
  readonly request: string;
  readonly grant?: unknown;
}

/** Where the publisher keeps the grant of a request until its ticket ends: the owner's key is compared again at release. */
export function offeredGrantKey(requestDigest: string): string {
  return `exchange/grant/${requestDigest}`;
}

/** Where the publisher keeps the key that an own copy is encrypted to; its thumbprint is in the ticket. */
export function recipientKey(requestDigest: string): string {
  return `exchange/recipient/${requestDigest}`;
}

/** The publisher's signed word that it holds the records of a request and will release them; without it no use is spent. */
export class OfferRecords {
  public constructor(
    private readonly readModel: ReadModel,
    private readonly vault: Vault,
    private readonly store: Store,
    private readonly keys: Keys,
    private readonly clock: Clock,
  ) {}

  /** @throws REQUEST_*, MEMBER_UNKNOWN, MEMBER_SUSPENDED, GRANT_REQUIRED, RECORD_* */
  public async offer(asked: OfferRequest): Promise<string> {
    const signed = readRequest(asked.request);
    this.checkReader(signed);
    const grant = this.checkGrant(signed, asked.grant);
    for (const placed of signed.request.headers) this.checkRecord(placed.header);
    if (grant !== undefined) await this.store.write([{ key: offeredGrantKey(signed.digest), value: canonicalBytes(grant) }, ...keptRecipient(signed)]);
    await passStep('R1');
    const charter = this.readModel.charter();
    const values = charter?.document['values'] as { offerSeconds: number } | undefined;
    const expires = Math.floor(this.clock.now() / 1000) + Math.min(values?.offerSeconds ?? limits.offerSeconds, limits.offerSeconds);
    const records = signed.request.headers.map(({ header }) => header.digest);
    return await signOffer({ expires, publisher: this.keys.memberId, records, request: signed.digest }, this.keys.sign);
  }

  private checkReader(signed: SignedRequest): void {
    const { publisher, reader: id } = signed.request;
    if (publisher !== this.keys.memberId) throw new ProtocolError('RECORD_UNKNOWN', { reason: 'other-publisher' });
    const reader = this.readModel.member(id);
    if (reader === undefined) throw new ProtocolError('MEMBER_UNKNOWN', { member: id });
    if (reader.status !== 'active') throw new ProtocolError('MEMBER_SUSPENDED', { member: id });
    verifyRequest(signed, reader.document.signingKey);
  }

  private checkGrant({ request }: SignedRequest, offered: unknown): GrantEnvelope | undefined {
    if (request.headers[0]?.header.owner === undefined) return undefined;
    if (offered === undefined) throw new ProtocolError('GRANT_REQUIRED');
    const envelope = readGrantEnvelope(offered);
    if (grantDigest(this.readModel.domain(), envelope.grant) !== request.basis.digest) throw new ProtocolError('REQUEST_MALFORMED', { reason: 'basis' });
    return envelope;
  }

  private checkRecord(header: SignedRequest['request']['headers'][number]['header']): void {
    const id = recordId(this.keys.memberId, header.kind, header.localId);
    if (header.kind === 'sealed') throw new ProtocolError('RECORD_SEALED', { record: id });
    const current = this.readModel.record(id);
    if (current === undefined) throw new ProtocolError('RECORD_UNKNOWN', { record: id });
    if (current.contested) throw new ProtocolError('RECORD_CONTESTED', { record: id });
    if (current.header.version !== header.version || current.header.digest !== header.digest) throw new ProtocolError('RECORD_STALE', { record: id });
    if (current.header.status === 'revoked') throw new ProtocolError('RECORD_REVOKED', { record: id });
    if (!this.vault.isKnown(id, header.version)) throw new ProtocolError('PAYLOAD_MISSING', { record: id });
    if (!this.vault.has(id, header.version)) throw new ProtocolError('ERASED', { record: id });
  }
}

function keptRecipient({ digest, request: { recipient } }: SignedRequest): StoreWrite[] {
  return recipient === undefined ? [] : [{ key: recipientKey(digest), value: canonicalBytes(recipient.key) }];
}
