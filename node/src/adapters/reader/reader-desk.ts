import { BoundedMap, errorBody, ProtocolError, readGrantEnvelope, readPurpose, referenceOf, toHex, type ErrorBody, type GrantEnvelope, type Purpose, type Read } from '@huilian/protocol';
import { checkConsortium, HttpDoor, verifyEvidence, type Ask, type Consortium, type Evidence, type EvidenceReport, type MemberClient, type OpenedAccess, type PrefilledForm, type ReadRecord, type RecordPage, type RecordQuery, type ReleaseFile } from '@huilian/sdk';
import type { askBodyShape, prefillBodyShape, readBodyShape, ticketBodyShape, verifyBodyShape } from './reader-shapes.js';

/** Encrypted releases that were opened and not read yet; what was decrypted is never kept. */
const releasesHeld = 1000;
const daySeconds = 86_400;

export interface AskAnswer {
  readonly ask: Omit<Ask, 'grant'>;
  readonly status: 'expired' | 'granted' | 'waiting';
  readonly grant?: GrantEnvelope;
  /** Where the reference was made here from a `project`: the salt that proves it, hex. Keep it. */
  readonly referenceSalt?: string;
}

type ReceiptAnswer = { readonly digest: string } | { readonly error: ErrorBody };

export interface ReadAnswer {
  readonly ticket: string;
  readonly records: readonly ReadRecord[];
  /** Absent where the caller wants to send it later. */
  readonly receipt?: ReceiptAnswer;
}

/** What an institution's own systems ask of the sidecar, done with the institution's keys at its host centre's node. */
export class ReaderDesk {
  private readonly unread = new BoundedMap<string, OpenedAccess>(releasesHeld);
  private readonly unreceipted = new BoundedMap<string, OpenedAccess>(releasesHeld);

  public constructor(
    private readonly client: MemberClient,
    private readonly nodeUrl: string,
    private readonly fingerprint: string,
  ) {}

  /** Asks the node anew each time. @throws EXCHANGE_FAILED where it does not answer, CHARTER_MISMATCH for another consortium */
  public async consortium(): Promise<Consortium> {
    return checkConsortium(await new HttpDoor(this.nodeUrl, { patienceSeconds: 0 }).get('/v1/consortium'), this.fingerprint);
  }

  public async status(): Promise<object> {
    const { fingerprint, height, node } = await this.consortium();
    return { reader: this.client.memberId, node, fingerprint, height };
  }

  public async records(query: RecordQuery & { readonly cursor?: string }): Promise<RecordPage> {
    const { cursor, ...filter } = query;
    return await this.client.page(filter, cursor);
  }

  /** @throws GRANT_REQUIRED for a record that is not public, RECORD_UNKNOWN, RECORD_REVOKED, RECORD_CONTESTED */
  public async publicRecord(recordId: string): Promise<ReadRecord> {
    return await this.client.readPublic(recordId);
  }

  /** @throws BAD_FIELD, PURPOSE_UNKNOWN */
  public async ask(body: Read<typeof askBodyShape>): Promise<AskAnswer> {
    const { claims, expires, maxUses = 1, notBefore, note, owner, project, purpose, reference, validDays = 7 } = body;
    if ((project === undefined) === (reference === undefined)) throw new ProtocolError('BAD_FIELD', { path: '/reference', reason: 'give either project or reference' });
    const now = Math.floor(Date.now() / 1000);
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const ask = await this.client.ask({
      owner,
      claims,
      purpose: readPurpose(purpose),
      reference: reference ?? referenceOf(salt, project ?? ''),
      notBefore: notBefore ?? now,
      expires: expires ?? now + validDays * daySeconds,
      maxUses,
      ...(note === undefined ? {} : { note }),
    });
    return { ...answerOf(ask), ...(project === undefined ? {} : { referenceSalt: toHex(salt) }) };
  }

  /** Waits up to `seconds` for the owner's answer, and checks it. @throws NOT_FOUND, GRANT_BAD_SIGNATURE */
  public async findAsk(id: string, seconds: number): Promise<AskAnswer> {
    const ask = await this.client.findAsk(id);
    if (ask.grant === undefined && seconds === 0) return answerOf(ask);
    try {
      return answerOf({ ...ask, grant: await this.client.whenGranted(ask, { seconds }) });
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'GRANT_REQUIRED') return answerOf(ask);
      throw error;
    }
  }

  /** @throws the coded refusal; GRANT_REQUIRED for an ask that was not answered yet */
  public async open(body: Read<typeof ticketBodyShape>): Promise<object> {
    const { ask, claims, grant: given, policy, purpose, recordIds } = body;
    if ([ask, given, policy].filter((basis) => basis !== undefined).length > 1) throw new ProtocolError('BAD_FIELD', { path: '/grant', reason: 'give one of ask, grant, policy' });
    const grant = given === undefined ? ask === undefined ? undefined : await this.grantOf(ask) : readGrantEnvelope(given, '/grant');
    const access = await this.client.open({ recordIds, claims, purpose: readPurpose(purpose) as Purpose, ...(grant === undefined ? {} : { grant }), ...(policy === undefined ? {} : { policy }) });
    this.unread.set(access.ticket, access);
    return { ticket: access.ticket, state: access.state };
  }

  /**
   * Decrypts and verifies the release of a ticket; its receipt leaves with it unless the caller keeps it back. Content is
   * answered even where the receipt cannot be sent: the use is spent. @throws TICKET_*, RELEASE_*, PAYLOAD_*, DISCLOSURE_INVALID
   */
  public async read(ticket: string, { receipt = true }: Read<typeof readBodyShape>): Promise<ReadAnswer> {
    const fresh = this.takeUnread(ticket);
    const access = fresh ?? (await this.client.resend(ticket));
    const records = await this.client.read(access);
    if (fresh !== undefined) this.unreceipted.set(ticket, access);
    if (!receipt) return { ticket, records };
    return { ticket, records, receipt: await this.receipt(ticket, access).catch((error: unknown) => ({ error: errorBody(asProtocolError(error)) })) };
  }

  /**
   * Reads live tickets, receipts included, and fills a form from them by its field map: every value with the record, centre and time
   * behind it, and a report of the reuse. @throws BAD_FIELD for what is no field map, and as read
   */
  public async prefill({ map, owner, tickets }: Read<typeof prefillBodyShape>): Promise<PrefilledForm> {
    await this.client.checkFieldMap(map);
    const reads = await Promise.all(tickets.map(async (ticket) => await this.read(ticket, {})));
    return await this.client.prefill(owner, reads.flatMap(({ records }) => records), map);
  }

  /** Sends the receipt of a ticket that was read. @throws TICKET_* */
  public async receipt(ticket: string, read?: OpenedAccess): Promise<{ readonly digest: string }> {
    const first = this.unreceipted.get(ticket);
    const access = first ?? read ?? (await this.client.resend(ticket));
    // A receipt speaks for what was verified, whoever asks for it.
    if (first === undefined && read === undefined) await this.client.read(access);
    const { digest } = await this.client.receipt(access, first === undefined);
    this.unreceipted.delete(ticket);
    return { digest };
  }

  /** The release itself, encrypted, with its Merkle proofs: for a reader that decrypts with its own code. @throws TICKET_* */
  public async release(ticket: string): Promise<ReleaseFile> {
    return await this.client.releaseFile(this.unread.get(ticket) ?? (await this.client.resend(ticket)));
  }

  /** @throws TICKET_UNKNOWN, TICKET_OTHER_READER, NOT_FOUND before the receipt */
  public async evidence(ticket: string): Promise<Evidence> {
    return await this.client.evidence(ticket);
  }

  /** Offline: no node is asked. @throws EVIDENCE_MALFORMED */
  public async verify({ charter, evidence, presentations }: Read<typeof verifyBodyShape>): Promise<EvidenceReport> {
    return await verifyEvidence(evidence, { charterFingerprint: charter ?? this.fingerprint, ...(presentations === undefined ? {} : { presentations }) });
  }

  /** The release that came with the ticket serves one read while the ticket lives; any later one is the publisher's to permit. */
  private takeUnread(ticket: string): OpenedAccess | undefined {
    const access = this.unread.get(ticket);
    this.unread.delete(ticket);
    return access !== undefined && access.state.expires > Date.now() / 1000 ? access : undefined;
  }

  private async grantOf(id: string): Promise<GrantEnvelope> {
    const { grant } = await this.findAsk(id, 0);
    if (grant === undefined) throw new ProtocolError('GRANT_REQUIRED', { ask: id });
    return grant;
  }
}

function answerOf({ grant, ...ask }: Ask): AskAnswer {
  if (grant !== undefined) return { ask, status: 'granted', grant };
  return { ask, status: ask.expires <= Date.now() / 1000 ? 'expired' : 'waiting' };
}

/** What is no refusal of ours is told as an internal error, without its text. */
export function asProtocolError(error: unknown): ProtocolError {
  return error instanceof ProtocolError ? error : new ProtocolError('INTERNAL');
}
