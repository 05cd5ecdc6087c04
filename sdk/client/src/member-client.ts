import { SignJWT, importJWK } from 'jose';
import {
  bundledKinds,
  jweDigest,
  kindDefinition,
  kindsOfFieldMap,
  placeOfRecord,
  prefill,
  ProtocolError,
  readFieldMap,
  signReceipt,
  verifyPresentation,
  type AdoptedReference,
  type Attestation,
  type ConsortiumEvent,
  type Es256Sign,
  type EventFilter,
  type KindDefinition,
  type GrantEnvelope,
  type Header,
  type MemberState,
  type OwnerState,
  type PlacedHeader,
  type PrefilledForm,
  type RevocationEnvelope,
  type SignedStatement,
  type Stated,
  type Ticket,
  type TrailRequestEnvelope,
  type Trail,
  type ViewRecord,
} from '@huilian/protocol';
import { catalogueKinds } from './adopted-kinds.js';
import { checkAnswer, type Ask, type AskTerms } from './check-grant.js';
import { checkConsortium, type Consortium } from './consortium.js';
import type { Evidence } from './evidence-file.js';
import { eventParameters, eventStream, type SubscribeOptions } from './event-stream.js';
import { HttpDoor, wait } from './http-door.js';
import { es256Signer, publicKeysOf, signMemberRotation, type MemberKeys } from './member-keys.js';
import { buildRequest, checkTicket, type OpenedAccess, type OpenTerms } from './open-request.js';
import { viewOf, type OwnerView } from './owner-view.js';
import { answersDown, linesTogether, linesUp, type PublishAnswer, type SubmittedRecord } from './publish-stream.js';
import { readRelease, type ReadRecord } from './read-release.js';
import { RememberedSignatures } from './remembered-signatures.js';

/** A record as the ledger knows it. */
export interface FoundRecord {
  readonly recordId: string;
  readonly header: Header;
  /** Two digests were published for this version: not to be used. */
  readonly contested: boolean;
  /** Unix seconds of its transaction. */
  readonly publishedAt: number;
}

/** A record with the proof that it was published: its header's Merkle path, and the root that the ledger holds. */
export interface PlacedRecord {
  readonly record: FoundRecord;
  readonly placed: PlacedHeader;
  /** As the ledger holds it: number of headers, Merkle root (hex), block, transaction and its time in Unix seconds. */
  readonly batch: { readonly block: number; readonly count: number; readonly root: string; readonly time: number; readonly transactionId: string };
}

/** What `examples/java-reader` reads. */
export interface ReleaseFile extends OpenedAccess {
  /** For each record of the ticket, in its order. */
  readonly proofs: readonly { readonly placed: PlacedHeader; /** Hex. */ readonly root: string }[];
}

/** Filters of a search; all that are given must match. */
export interface RecordQuery {
  readonly subject?: string;
  readonly owner?: string;
  readonly kind?: string;
  readonly publisher?: string;
  readonly status?: 'active' | 'contested' | 'revoked';
  /** Records per page, 1-500; 100 where absent. */
  readonly limit?: number;
}

/** One page of an answer to a query. */
export interface RecordPage {
  readonly items: readonly FoundRecord[];
  /** Present while there may be more. */
  readonly cursor?: string;
}

/** A page of the event feed, in the order of the ledger; `cursor` is where the next one begins. */
export interface EventPage {
  readonly items: readonly ConsortiumEvent[];
  readonly cursor: string;
  /** Nothing more is indexed for now. */
  readonly complete: boolean;
}

/** What a webhook is asked for with. */
export interface WebhookTerms {
  /** Public https address without credentials. */
  readonly url: string;
  readonly filter?: EventFilter;
  /** Up to 100 events in one call. */
  readonly batch?: boolean;
  /** Begin behind this event id or cursor, `start` for the whole feed; from now on where absent. */
  readonly after?: string;
}

/** A webhook as its subscriber sees it; never its secret. */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly filter: EventFilter;
  readonly batch: boolean;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly state: 'active' | 'failing' | 'paused';
  /** Everything up to here was taken, or left out by the filter. */
  readonly position: string;
  readonly deliveredAt?: number;
  readonly failing?: { readonly since: number; readonly attempts: number; readonly at: number; readonly code: string; readonly reason: string; readonly status?: number };
  readonly paused?: { readonly at: number; readonly code: string; readonly reason: string };
}

/** What a client trusts and how patient it is. */
export interface ClientOptions {
  /** Fingerprint of the charter, learnt from a source other than the node: another consortium is refused. */
  readonly charterFingerprint?: string;
  /** Seconds that one call may spend waiting for a node that asks to be tried again later; 15 where absent. */
  readonly patienceSeconds?: number;
}

/** How long to wait for an owner, and what ends the waiting. */
export interface WaitOptions {
  /** 600 where absent. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
}

const renewBeforeSeconds = 60;
const grantPollMilliseconds = { first: 250, most: 5000 } as const;

/**
 * A member's client: platforms, banks, supervisors and centres, in Node and browsers. Signs in with the member's key,
 * renews by itself, tries again where the node asks for it; every refusal is a ProtocolError with the node's code.
 */
export class MemberClient {
  private readonly door: HttpDoor;
  private readonly openDoor: HttpDoor;
  private signIn: Promise<Token | undefined> = Promise.resolve(undefined);
  private known: Consortium | undefined;
  private readonly signatures = new RememberedSignatures();

  private constructor(
    url: string,
    private readonly keys: MemberKeys,
    private readonly sign: Es256Sign,
    private readonly options: ClientOptions,
  ) {
    const patience = options.patienceSeconds === undefined ? {} : { patienceSeconds: options.patienceSeconds };
    this.openDoor = new HttpDoor(url, patience);
    this.door = new HttpDoor(url, { ...patience, authorise: async (refused) => await this.accessToken(refused) });
  }

  /** Reads the keys; asks nothing of the node yet. `url` is the node that hosts the member, without a path. @throws DOMException for keys that are none */
  public static async connect(url: string, keys: MemberKeys, options: ClientOptions = {}): Promise<MemberClient> {
    return new MemberClient(url, keys, await es256Signer(keys.signingKey), options);
  }

  /** The member whose keys these are. */
  public get memberId(): string {
    return this.keys.memberId;
  }

  /** The consortium, checked and then remembered (its height is that of the first asking). @throws CHARTER_MISMATCH */
  public async consortium(): Promise<Consortium> {
    this.known ??= checkConsortium(await this.openDoor.get('/v1/consortium'), this.options.charterFingerprint);
    return this.known;
  }

  /** Every member of the consortium, suspended ones included. */
  public async members(): Promise<readonly MemberState[]> {
    const members: MemberState[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.openDoor.get<{ items: readonly MemberState[]; cursor?: string }>(`/v1/members${cursor === undefined ? '' : `?cursor=${cursor}`}`);
      members.push(...page.items);
      ({ cursor } = page);
    } while (cursor !== undefined);
    return members;
  }

  /** @throws MEMBER_UNKNOWN, BAD_FIELD */
  public async member(id: string): Promise<MemberState> {
    return await this.openDoor.get<MemberState>(`/v1/members/${encodeURIComponent(id)}`);
  }

  /** @throws OWNER_UNKNOWN */
  public async owner(id: string): Promise<OwnerState> {
    return await this.door.get<OwnerState>(`/v1/owners/${encodeURIComponent(id)}`);
  }

  /**
   * Publishes records through the centre that hosts this platform; answers come while lines still go up (a browser sends
   * all lines first). A stream is never sent twice by itself: after an error, go on behind what was acknowledged;
   * lines published before are answered as unchanged.
   * @throws STREAM_TRUNCATED, STORAGE_FAILED, DISK_NEARLY_FULL, FORBIDDEN, EXCHANGE_FAILED
   */
  public async *publish(lines: Iterable<SubmittedRecord> | AsyncIterable<SubmittedRecord>, signal?: AbortSignal): AsyncGenerator<PublishAnswer> {
    const inPage = 'document' in globalThis;
    const body = inPage ? await linesTogether(lines) : linesUp(lines);
    const response = await this.door.send('/v1/records', { method: 'POST', body, contentType: 'application/x-ndjson', ...withSignal(signal) });
    yield* answersDown(response, this.door.url);
  }

  /** Says on the ledger, through the centre that hosts this member, that it holds adopted documents and can use them. @throws SCHEMA_UNKNOWN */
  public async acknowledge(documents: readonly AdoptedReference[]): Promise<void> {
    await this.door.post('/v1/acknowledgements', { documents });
  }

  /** All records that match, page by page. @throws as page */
  public async *query(query: RecordQuery): AsyncGenerator<FoundRecord> {
    let cursor: string | undefined;
    do {
      const page = await this.page(query, cursor);
      yield* page.items;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** One page of the records that match; `cursor` of one page asks for the next. @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID, TOKEN_INVALID */
  public async page(query: RecordQuery, cursor?: string): Promise<RecordPage> {
    const given = Object.entries({ ...query, cursor }).filter((entry): entry is [string, string | number] => entry[1] !== undefined);
    const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
    return await this.door.get<RecordPage>(`/v1/records?${parameters.toString()}`);
  }

  /** A record, the place of its header, and the batch it stands in; the current version where none is named. @throws RECORD_UNKNOWN, BAD_ID */
  public async record(recordId: string, version?: number): Promise<PlacedRecord> {
    return await this.door.get(`/v1/records/${recordId}${version === undefined ? '' : `?version=${String(version)}`}`);
  }

  /** One page of the event feed, oldest first; pass its cursor on as `after`. The whole feed where that is absent. @throws BAD_FIELD */
  public async events(filter: EventFilter = {}, after?: string, limit?: number): Promise<EventPage> {
    return await this.door.get<EventPage>(`/v1/events?${eventParameters(filter, after, limit)}`);
  }

  /**
   * Events as they come, each once and in the order of the ledger, until the signal aborts: breaks are mended by going on
   * behind the last event. To go on after a restart, keep the id of the last event you dealt with and give it as `after`.
   * @throws TOKEN_INVALID once the member is suspended, BAD_FIELD
   */
  public subscribe(options: SubscribeOptions = {}): AsyncGenerator<ConsortiumEvent> {
    return eventStream(this.door, options);
  }

  /** Has events sent to an address. The secret is shown this once. @throws WEBHOOK_TARGET_FORBIDDEN, WEBHOOK_TARGET_FAILED, TOO_MANY_SUBSCRIBERS */
  public async createWebhook(terms: WebhookTerms): Promise<Webhook & { readonly secret: string }> {
    return await this.door.post('/v1/webhooks', terms);
  }

  /** Own webhooks, oldest first. @throws TOKEN_INVALID */
  public async webhooks(): Promise<readonly Webhook[]> {
    return (await this.door.get<{ items: Webhook[] }>('/v1/webhooks')).items;
  }

  /** @throws NOT_FOUND */
  public async webhook(id: string): Promise<Webhook> {
    return await this.door.get<Webhook>(`/v1/webhooks/${encodeURIComponent(id)}`);
  }

  /** @throws NOT_FOUND */
  public async deleteWebhook(id: string): Promise<void> {
    await this.door.delete(`/v1/webhooks/${encodeURIComponent(id)}`);
  }

  /** Sends a trial event at once. @throws NOT_FOUND, WEBHOOK_TARGET_FORBIDDEN, WEBHOOK_TARGET_FAILED */
  public async testWebhook(id: string): Promise<{ readonly delivered: true; readonly event: string }> {
    return await this.door.post(`/v1/webhooks/${encodeURIComponent(id)}/test`, {});
  }

  /** Goes on where a paused webhook stood. @throws NOT_FOUND, WEBHOOK_TARGET_FORBIDDEN */
  public async resumeWebhook(id: string): Promise<Webhook> {
    return await this.door.post(`/v1/webhooks/${encodeURIComponent(id)}/resume`, {});
  }

  /** A new secret, shown this once; for a day calls are signed by the one before too. @throws NOT_FOUND */
  public async renewWebhookSecret(id: string): Promise<{ readonly id: string; readonly secret: string }> {
    return await this.door.post(`/v1/webhooks/${encodeURIComponent(id)}/secret`, {});
  }

  /** Puts an ask where its owner finds it; pass its id on to the owner. @throws BAD_FIELD, BAD_ID, PURPOSE_UNKNOWN */
  public async ask(terms: AskTerms): Promise<Ask> {
    return await this.door.post<Ask>('/v1/asks', { ...terms, claims: [...new Set(terms.claims)].sort() }, { repeat: 'by-key' });
  }

  /** @throws NOT_FOUND */
  public async findAsk(id: string): Promise<Ask> {
    return await this.door.get<Ask>(`/v1/asks/${encodeURIComponent(id)}`);
  }

  /**
   * Waits until the owner answered an ask, and checks the answer: the ask's terms, the owner's key in force.
   * @throws GRANT_REQUIRED {ask} where no answer came in time, NOT_FOUND, GRANT_BAD_SIGNATURE
   */
  public async whenGranted(ask: Ask, { seconds = 600, signal }: WaitOptions = {}): Promise<GrantEnvelope> {
    const deadline = Date.now() + seconds * 1000;
    for (let pause: number = grantPollMilliseconds.first; ; pause = Math.min(pause * 1.5, grantPollMilliseconds.most)) {
      const { grant } = await this.findAsk(ask.id);
      if (grant !== undefined) {
        const { domain } = await this.consortium();
        return checkAnswer({ ...ask, grant }, domain, await this.owner(ask.owner), now());
      }
      if (Date.now() + pause > deadline) throw new ProtocolError('GRANT_REQUIRED', { ask: ask.id });
      await wait(pause, signal);
    }
  }

  /** Builds, signs and sends an access request. @throws the coded refusal */
  public async open(terms: OpenTerms): Promise<OpenedAccess> {
    return await this.send(await this.prepare(terms), terms.grant);
  }

  /** The signed request, for those who want to keep or show it before it is sent. @throws REQUEST_MIXED, RECORD_UNKNOWN */
  public async prepare(terms: OpenTerms): Promise<string> {
    const { domain } = await this.consortium();
    const placed = await Promise.all(terms.recordIds.map(async (id) => (await this.record(id)).placed));
    const { encryptionKey } = publicKeysOf(this.keys);
    return await buildRequest(terms, placed, domain, { memberId: this.keys.memberId, encryptionKey, sign: this.sign });
  }

  /** Sends a request that was prepared before; the same request again is answered with its ticket. @throws the coded refusal */
  public async send(request: string, grant?: GrantEnvelope): Promise<OpenedAccess> {
    const body = { request, ...(grant === undefined ? {} : { grant }) };
    const access = await this.door.post<OpenedAccess>('/v1/access-requests', body, { repeat: 'by-content' });
    checkTicket(request, access);
    return access;
  }

  /** A ticket of this reader as the ledger has it, ended or not. @throws TICKET_UNKNOWN, TICKET_OTHER_READER */
  public async ticket(ticket: string): Promise<Ticket> {
    return (await this.door.get<{ state: Ticket }>(`/v1/tickets/${ticket}`)).state;
  }

  /** The release of a live ticket again, byte-equal. @throws TICKET_UNKNOWN, TICKET_OTHER_READER, TICKET_ENDED */
  public async resend(ticket: string): Promise<OpenedAccess> {
    return await this.door.get<OpenedAccess>(`/v1/tickets/${ticket}/release`);
  }

  /**
   * A release with what an independent reader needs to verify it by itself: each record's Merkle path and its batch's root.
   * Only the reader's private key is not in it. @throws RECORD_UNKNOWN
   */
  public async releaseFile(access: OpenedAccess): Promise<ReleaseFile> {
    const proofs = await Promise.all(access.state.records.map(async ({ recordId, version }) => {
      const { batch, placed } = await this.record(recordId, version);
      return { placed, root: batch.root };
    }));
    return { ...access, proofs };
  }

  /** Decrypts and verifies what came. @throws RELEASE_*, PAYLOAD_*, DISCLOSURE_INVALID */
  public async read(access: OpenedAccess): Promise<readonly ReadRecord[]> {
    return await readRelease(access, this.keys.encryptionKey, this.signatures.verify);
  }

  /** Signs and sends the receipt for what was read; `resend` where the release had come before. Repeating it changes nothing. @throws RECEIPT_MISMATCH, TICKET_UNKNOWN, PUBLISHER_UNAVAILABLE */
  public async receipt(access: OpenedAccess, resend = false): Promise<{ readonly digest: string }> {
    const receipt = await signReceipt({ jwe: jweDigest(access.release.jwe), reader: this.keys.memberId, receivedAt: now(), resend, ticket: access.ticket }, this.sign);
    return await this.door.post('/v1/receipts', { receipt }, { repeat: 'by-content' });
  }

  /** Evidence of an access, once its receipt was sent. @throws TICKET_UNKNOWN, TICKET_OTHER_READER, NOT_FOUND */
  public async evidence(ticket: string): Promise<Evidence> {
    return await this.door.get<Evidence>(`/v1/evidence/${ticket}`);
  }

  /** A presentation of a record of class `public`, as it came: no grant, no ticket. @throws RECORD_UNKNOWN, GRANT_REQUIRED, RECORD_REVOKED, RECORD_CONTESTED */
  public async publicRecord(recordId: string): Promise<string> {
    return (await this.door.get<{ presentation: string }>(`/v1/records/${recordId}/public`)).presentation;
  }

  /** The same, verified against its header on the ledger and its publisher's key. @throws PAYLOAD_*, DISCLOSURE_INVALID */
  public async readPublic(recordId: string): Promise<ReadRecord> {
    const { record } = await this.record(recordId);
    const [presentation, publisher] = await Promise.all([this.publicRecord(recordId), this.member(recordId.split('/')[0] ?? '')]);
    const { claims, recordId: id, version } = verifyPresentation(presentation, { digest: record.header.digest, signingKey: publisher.document.signingKey });
    if (id !== recordId || version !== record.header.version) throw new ProtocolError('PAYLOAD_DIGEST_MISMATCH', { reason: 'record' });
    return { claims, presentation, recordId, version };
  }

  /** What other centres attested and its owner stated on a record, of all its versions. @throws RECORD_UNKNOWN, BAD_ID */
  public async statements(recordId: string): Promise<{ readonly attestations: readonly Attestation[]; readonly statements: readonly Stated[] }> {
    return await this.door.get(`/v1/records/${recordId}/statements`);
  }

  /**
   * One view of an owner from the releases that this reader holds: merged claim by claim with what the ledger, other centres and
   * the owner say of each record; of the owner's other records the headers alone (`statements` says more of one). What was not
   * granted is not in it.
   * @throws BAD_ID, RECORD_UNKNOWN
   */
  public async ownerView(owner: string, reads: readonly ReadRecord[]): Promise<OwnerView> {
    const held = new Map(reads.map((read) => [read.recordId, Math.max(read.version, ...reads.filter(({ recordId }) => recordId === read.recordId).map(({ version }) => version))]));
    const others = new Map<string, FoundRecord>();
    for (const role of ['owner', 'subject'] as const) {
      for await (const record of this.query({ [role]: owner })) if (!held.has(record.recordId)) others.set(record.recordId, record);
    }
    const own = await Promise.all([...held].map(async ([recordId, version]) => await this.heldNote(recordId, version)));
    const notes = [...own, ...[...others.values()].map((record) => noteOf(record))];
    const lacking = notes.filter((note) => kindDefinition(placeOfRecord(note).kind, note.schema) === undefined);
    const kinds = lacking.length === 0 ? [] : await catalogueKinds(this.openDoor, lacking.map((note) => placeOfRecord(note).kind));
    return viewOf(owner, notes, reads, { kinds });
  }

  /**
   * Fills a platform's own form from the releases that this reader holds, by a declared field map, and reports the reuse: how many
   * fields came from where, which are missing, which disagree. @throws BAD_FIELD for what is no field map, and as ownerView
   */
  public async prefill(owner: string, reads: readonly ReadRecord[], fieldMap: unknown): Promise<PrefilledForm> {
    const kinds = await this.kindsFor(fieldMap);
    return prefill(await this.ownerView(owner, reads), fieldMap, kinds);
  }

  /** Whether `prefill` takes a field map, before anything is read for it. @throws BAD_FIELD, UNKNOWN_FIELD */
  public async checkFieldMap(fieldMap: unknown): Promise<void> {
    readFieldMap(fieldMap, await this.kindsFor(fieldMap));
  }

  private async kindsFor(fieldMap: unknown): Promise<readonly KindDefinition[]> {
    const bundled = bundledKinds();
    const lacking = kindsOfFieldMap(fieldMap).filter((name) => !bundled.some(({ kind }) => kind === name));
    return lacking.length === 0 ? bundled : [...bundled, ...(await catalogueKinds(this.openDoor, lacking))];
  }

  private async heldNote(recordId: string, version: number): Promise<ViewRecord> {
    const [read, current] = await Promise.all([this.record(recordId, version), this.record(recordId)]);
    const { attestations, statements } = await this.statements(recordId);
    const ofVersion = { attestations: attestations.filter((word) => word.version === version), statements: statements.filter(({ statement }) => statement.version === version) };
    const note = noteOf(read.record, ofVersion);
    return current.record.header.version > version ? { ...note, superseded: true } : note;
  }

  /** Registers an owner's key; `chain` is base64 DER, the certificate that signed the statement first. @throws OWNER_EXISTS, CA_UNKNOWN, CERTIFICATE_*, STATEMENT_* */
  public async registerOwner(statement: SignedStatement, chain: readonly string[]): Promise<{ readonly transactionId: string }> {
    return await this.door.post('/v1/owners', { statement, chain }, { repeat: 'by-key' });
  }

  /** Registers these keys in place of the client's, by a statement that the old key signs; from then on only a client with the new ones is let in. @throws BAD_FIELD where the signing key is the same, MEMBER_SUSPENDED */
  public async rotateKeys(next: MemberKeys): Promise<{ readonly transactionId: string }> {
    const { domain } = await this.consortium();
    const rotation = await signMemberRotation(this.memberId, publicKeysOf(next), domain.salt, this.sign);
    return await this.openDoor.post('/v1/member-keys/rotate', { rotation }, { repeat: 'by-key' });
  }

  /** Passes an owner's signed revocation on. @throws REVOCATION_BAD_SIGNATURE, OWNER_UNKNOWN */
  public async revoke(revocation: RevocationEnvelope): Promise<{ readonly transactionId: string }> {
    return await this.openDoor.post('/v1/revocations', revocation, { repeat: 'by-key' });
  }

  /** The owner's trail, for its signed request. @throws STATEMENT_BAD_SIGNATURE, STATEMENT_EXPIRED, REPLAYED */
  public async trail(request: TrailRequestEnvelope): Promise<Trail> {
    return await this.openDoor.post<Trail>('/v1/trails', request);
  }

  /** One sign-in serves all calls that wait for it. */
  private async accessToken(refused: string | undefined): Promise<string> {
    const good = (token: Token | undefined): token is Token => token !== undefined && token.value !== refused && token.expires - renewBeforeSeconds > now();
    this.signIn = this.signIn.catch(() => undefined).then(async (token) => (good(token) ? token : await this.fetchToken()));
    return ((await this.signIn) as Token).value;
  }

  private async fetchToken(): Promise<Token> {
    const answer = await this.openDoor.post<{ access_token: string; expires_in: number }>('/v1/token', {
      client_assertion: await this.assertion(),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      grant_type: 'client_credentials',
    });
    return { value: answer.access_token, expires: now() + answer.expires_in };
  }

  /** RFC 7523: audience is the node's token address, at most 60 seconds, used once. */
  private async assertion(): Promise<string> {
    const key = await importJWK(this.keys.signingKey as Record<string, string>, 'ES256');
    return await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(this.keys.memberId)
      .setSubject(this.keys.memberId)
      .setAudience(`${this.door.url}/v1/token`)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(key);
  }
}

/** What the ledger says of a record, and what others say of it. */
function noteOf({ contested, header, publishedAt, recordId }: FoundRecord, { attestations, statements }: Pick<ViewRecord, 'attestations' | 'statements'> = { attestations: [], statements: [] }): ViewRecord {
  const { digest, owner, rights, schema, status, subject, version } = header;
  return { attestations, contested, digest, ...(owner === undefined ? {} : { owner }), publishedAt, recordId, rights, schema, statements, status, subject, version };
}

interface Token {
  readonly value: string;
  /** Unix seconds. */
  readonly expires: number;
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
