import {
  BoundedMap,
  canonicalBytes,
  fromUtf8,
  limits,
  ProtocolError,
  readGrantEnvelope,
  readReceipt,
  readRequest,
  recordId,
  utf8,
  verifyReceipt,
  verifyRelease,
  verifyRequest,
  type Es256Key,
  type GrantEnvelope,
  type MemberState,
  type ReleaseEnvelope,
  type SignedRequest,
  type Ticket,
} from '@huilian/protocol';
import { passStep } from '../failpoints.js';
import type { OfferRequest, OfferRecords } from '../exchange/offer-records.js';
import type { KeepReceipts } from '../exchange/keep-receipts.js';
import { offerAnswerShape, readAnswer, receiptAnswerShape, releaseAnswerShape } from '../exchange/read-answer.js';
import type { RefusalLog } from '../exchange/refusal-log.js';
import type { ReleaseRecords } from '../exchange/release-records.js';
import { withoutCiphertext } from '../exchange/sent-releases.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { Keys, Store, StoreWrite, Transport } from '../ports.js';
import type { OpenTickets } from './open-tickets.js';

/** What a reader gets: the ticket, its state and the encrypted release. */
export interface RelayedAccess {
  readonly ticket: string;
  readonly state: Ticket;
  readonly release: ReleaseEnvelope;
  readonly publisherKey: Es256Key;
}

/** What this node keeps of an access it relayed: the parts of later evidence. The release stays encrypted to the reader. */
export interface AccessFile {
  readonly request: string;
  readonly grant?: GrantEnvelope;
  readonly release?: ReleaseEnvelope;
  readonly receipt?: string;
}

/** More grants than readers have requests under way. */
const grantsRemembered = 10_000;
const fileKey = (ticketId: string): string => `access/file/${ticketId}`;

function fileAt(store: Store, ticketId: string): AccessFile | undefined {
  const bytes = store.get(fileKey(ticketId));
  return bytes && (JSON.parse(fromUtf8(bytes)) as AccessFile);
}

function fileWrite(ticketId: string, file: AccessFile): StoreWrite {
  return { key: fileKey(ticketId), value: utf8(JSON.stringify(file)) };
}

/** What this node relayed of records that were erased goes from its files too; the signed word stays, for evidence. */
export function dropRelayedRelease(store: Store, ticketId: string): StoreWrite[] {
  const file = fileAt(store, ticketId);
  return file?.release === undefined || file.release.jwe === '' ? [] : [fileWrite(ticketId, { ...file, release: withoutCiphertext(file.release) })];
}

/** The reader's side of an access: checks what its reader brings, fetches the offer, opens the ticket, fetches the release. */
export class RelayRequest {
  /** By grant: uses that requests under way hold, and where the search for the next one goes on. */
  private readonly slots = new BoundedMap<string, { readonly held: Set<number>; next: number }>(grantsRemembered);

  public constructor(
    private readonly readModel: ReadModel,
    private readonly store: Store,
    private readonly keys: Keys,
    private readonly transport: Transport,
    private readonly tickets: OpenTickets,
    private readonly own: { readonly offers: OfferRecords; readonly releases: ReleaseRecords; readonly receipts: KeepReceipts },
    private readonly refusals: RefusalLog,
  ) {}

  /** @throws every code by which a request is refused; refusals are in this node's log before they are answered */
  public async relay(reader: string, requestJws: string, grant: unknown): Promise<RelayedAccess> {
    const opened = await this.openTicket(reader, requestJws, grant);
    const release = await this.fetchRelease(opened.signed.request.publisher, opened.ticket);
    return await this.deliver(opened.ticket, opened.signed.request.publisher, release);
  }

  /** Sends a live ticket's release again, byte-equal. @throws TICKET_UNKNOWN, TICKET_OTHER_READER, TICKET_ENDED */
  public async resend(reader: string, ticketId: string): Promise<RelayedAccess> {
    const state = this.ownTicket(reader, ticketId);
    const release = await this.logged(async () => await this.fetchRelease(state.publisher, ticketId), reader, {
      owner: state.owner,
      recordIds: state.records.map((record) => record.recordId),
      request: state.request,
    });
    return await this.deliver(ticketId, state.publisher, release);
  }

  /** Passes a reader's receipt to the publisher. @throws TICKET_UNKNOWN, TICKET_OTHER_READER, RECEIPT_* */
  public async receipt(reader: string, jws: string): Promise<{ readonly digest: string }> {
    const { ticket: ticketId } = readReceipt(jws);
    const state = this.ownTicket(reader, ticketId);
    verifyReceipt(jws, { ticket: ticketId, reader, key: this.member(reader).document.signingKey });
    const file = this.accessFile(ticketId);
    if (file !== undefined && file.receipt === undefined) await this.saveFile(ticketId, { ...file, receipt: jws });
    if (state.publisher === this.keys.memberId) return await this.own.receipts.keep(jws);
    const answer = await this.transport.request(state.publisher, 'receipt', canonicalBytes({ receipt: jws }));
    return readAnswer(state.publisher, receiptAnswerShape, answer);
  }

  public accessFile(ticketId: string): AccessFile | undefined {
    return fileAt(this.store, ticketId);
  }

  /** @throws TICKET_UNKNOWN, TICKET_OTHER_READER */
  public ownTicket(reader: string, ticketId: string): Ticket {
    const found = this.readModel.ticket(ticketId);
    if (found === undefined) throw new ProtocolError('TICKET_UNKNOWN', { ticket: ticketId });
    if (found.ticket.reader !== reader) throw new ProtocolError('TICKET_OTHER_READER', { ticket: ticketId });
    return found.ticket;
  }

  private async openTicket(reader: string, requestJws: string, grant: unknown): Promise<{ ticket: string; signed: SignedRequest }> {
    const known = { owner: '', recordIds: [] as string[], request: '' };
    return await this.logged(async () => {
      const signed = readRequest(requestJws);
      const { headers, publisher } = signed.request;
      known.owner = headers[0]?.header.owner ?? '';
      known.recordIds = headers.map(({ header }) => recordId(publisher, header.kind, header.localId));
      known.request = signed.digest;
      this.checkReader(reader, signed);
      await passStep('R0');
      const envelope = grant === undefined ? undefined : readGrantEnvelope(grant);
      if (known.owner !== '' && envelope === undefined) throw new ProtocolError('GRANT_REQUIRED');
      const ticket = await this.tickets.open({
        request: requestJws,
        ...(envelope === undefined ? {} : { grant: envelope }),
        offer: async () => await this.fetchOffer(publisher, { request: requestJws, ...(envelope === undefined ? {} : { grant: envelope }) }),
        takeSlot: () => (envelope === undefined ? undefined : this.takeSlot(signed, envelope)),
        releaseSlot: (slot) => {
          this.releaseSlot(signed.request.basis.digest, slot);
        },
      });
      await this.saveFile(ticket, { ...(envelope === undefined ? {} : { grant: envelope }), ...this.accessFile(ticket), request: requestJws });
      return { ticket, signed };
    }, reader, known);
  }

  /** Runs a step and writes its refusal to the log before it is answered; troubles (a node or ledger away) are no refusals. */
  private async logged<T>(step: () => Promise<T>, reader: string, known: { readonly owner: string; readonly recordIds: readonly string[]; readonly request: string }): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof ProtocolError && error.entry.http < 500 && error.entry.http !== 202) await this.refusals.append({ code: error.code, reader, ...known });
      throw error;
    }
  }

  private member(id: string): MemberState {
    const member = this.readModel.member(id);
    if (member === undefined) throw new ProtocolError('MEMBER_UNKNOWN', { member: id });
    if (member.status !== 'active') throw new ProtocolError('MEMBER_SUSPENDED', { member: id });
    return member;
  }

  private checkReader(reader: string, signed: SignedRequest): void {
    if (signed.request.reader !== reader) throw new ProtocolError('REQUEST_NOT_READER', { reader });
    verifyRequest(signed, this.member(reader).document.signingKey);
    if (signed.request.salt !== this.readModel.domain().salt) throw new ProtocolError('REQUEST_WRONG_DOMAIN');
  }

  private async fetchOffer(publisher: string, asked: OfferRequest): Promise<string> {
    if (publisher === this.keys.memberId) return await this.own.offers.offer(asked);
    const answer = await this.transport.request(publisher, 'offer', utf8(JSON.stringify(asked)));
    return readAnswer(publisher, offerAnswerShape, answer).offer;
  }

  private async fetchRelease(publisher: string, ticketId: string): Promise<ReleaseEnvelope> {
    if (publisher === this.keys.memberId) return await this.own.releases.release(ticketId);
    const answer = await this.transport.request(publisher, 'release', canonicalBytes({ ticket: ticketId }));
    return readAnswer(publisher, releaseAnswerShape, answer);
  }

  private async deliver(ticketId: string, publisher: string, release: ReleaseEnvelope): Promise<RelayedAccess> {
    const publisherKey = this.member(publisher).document.signingKey;
    const file = this.accessFile(ticketId);
    // What was changed on the way is caught here already; the reader checks it again for itself. A release kept was checked before it was.
    const isKept = file?.release?.jwe === release.jwe && file.release.release === release.release;
    if (!isKept) verifyRelease(release, { ticket: ticketId, publisher, key: publisherKey });
    if (file !== undefined && file.release === undefined) await this.saveFile(ticketId, { ...file, release });
    const state = await this.indexedTicket(ticketId);
    if (state === undefined) throw new ProtocolError('TICKET_UNKNOWN', { ticket: ticketId });
    return { ticket: ticketId, state, release, publisherKey };
  }

  private async indexedTicket(ticketId: string): Promise<Ticket | undefined> {
    const known = this.readModel.ticket(ticketId);
    if (known !== undefined) return known.ticket;
    await this.readModel.whenIndexed(ticketId.split('/')[0] ?? '', AbortSignal.timeout(20_000));
    return this.readModel.ticket(ticketId)?.ticket;
  }

  /**
   * A use that neither the ledger nor a request under way holds; one past the count where none is left, which the contract
   * refuses. The search goes on where the last one ended, so that the thousandth use costs what the first did; only at the
   * end does it begin anew, for uses that were given back.
   */
  private takeSlot(signed: SignedRequest, { grant }: GrantEnvelope): number {
    const { digest } = signed.request.basis;
    const state = this.slots.get(digest) ?? { held: new Set<number>(), next: 1 };
    const isFree = (slot: number): boolean => !state.held.has(slot) && !this.readModel.isSlotUsed(grant.owner, digest, slot);
    for (const from of new Set([state.next, 1])) {
      for (let slot = from; slot <= grant.maxUses; slot += 1) {
        if (!isFree(slot)) continue;
        state.held.add(slot);
        state.next = slot + 1;
        this.slots.set(digest, state);
        return slot;
      }
    }
    if (grant.maxUses >= limits.grantMaxUses) throw new ProtocolError('GRANT_EXHAUSTED', { maxUses: grant.maxUses });
    return grant.maxUses + 1;
  }

  private releaseSlot(grant: string, slot: number): void {
    this.slots.get(grant)?.held.delete(slot);
  }

  private async saveFile(ticketId: string, file: AccessFile): Promise<void> {
    await this.store.write([fileWrite(ticketId, file)]);
  }
}
