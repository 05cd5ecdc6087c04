import { SignJWT, importJWK } from 'jose';
import {
  grantDigest,
  jweDigest,
  jwkThumbprint,
  ProtocolError,
  signReceipt,
  signRequest,
  toBase32,
  type Charter,
  type Domain,
  type Es256Key,
  type Es256Sign,
  type GrantEnvelope,
  type Header,
  type MemberState,
  type PlacedHeader,
  type Purpose,
  type ReleaseEnvelope,
  type Ticket,
} from '@huilian/protocol';
import type { Evidence } from './evidence-file.js';
import { HttpDoor } from './http-door.js';
import { es256Signer, publicKeysOf, type MemberKeys } from './member-keys.js';
import { readRelease, type ReadRecord } from './read-release.js';

export interface Consortium {
  readonly charter: Charter;
  readonly fingerprint: string;
  readonly domain: Domain;
  readonly founding: string;
  readonly channel: string;
  readonly chaincode: string;
  readonly node: string;
  readonly height: number;
}

/** A record as the ledger knows it. */
export interface FoundRecord {
  readonly recordId: string;
  readonly header: Header;
  readonly contested: boolean;
}

export interface RecordQuery {
  readonly subject?: string;
  readonly owner?: string;
  readonly kind?: string;
  readonly publisher?: string;
  readonly status?: 'active' | 'revoked';
}

/** What a reader asks an owner to grant. Claims are `kind/claim`; times Unix seconds. */
export interface AskTerms {
  readonly owner: string;
  readonly claims: readonly string[];
  readonly purpose: Purpose;
  readonly reference: string;
  readonly notBefore: number;
  readonly expires: number;
  readonly maxUses: number;
  readonly note?: string;
}
export interface Ask extends AskTerms {
  readonly id: string;
  readonly grantee: string;
  readonly askedAt: number;
  readonly grant?: GrantEnvelope;
}

/** An open ticket with its encrypted release. */
export interface OpenedAccess {
  readonly ticket: string;
  readonly state: Ticket;
  readonly release: ReleaseEnvelope;
  readonly publisherKey: Es256Key;
}

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

const renewBeforeSeconds = 60;

/** A member's client: platforms, banks, supervisors and centres, in Node and browsers. */
export class MemberClient {
  private readonly door: HttpDoor;
  private token: { readonly value: string; readonly expires: number } | undefined;
  private known: Promise<Consortium> | undefined;

  private constructor(
    url: string,
    private readonly keys: MemberKeys,
    private readonly sign: Es256Sign,
  ) {
    this.door = new HttpDoor(url, async () => await this.accessToken());
  }

  public static async connect(url: string, keys: MemberKeys): Promise<MemberClient> {
    return new MemberClient(url, keys, await es256Signer(keys.signingKey));
  }

  public get memberId(): string {
    return this.keys.memberId;
  }

  public async consortium(): Promise<Consortium> {
    this.known ??= new HttpDoor(this.door.url).get<Consortium>('/v1/consortium');
    return await this.known;
  }

  public async member(id: string): Promise<MemberState> {
    return await this.door.get<MemberState>(`/v1/members/${encodeURIComponent(id)}`);
  }

  /** Publishes records through the centre that hosts this platform; answers come while lines still go up. */
  public async *publish(lines: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<Record<string, unknown>> {
    const body: string[] = [];
    for await (const line of lines) body.push(`${JSON.stringify(line)}\n`);
    const response = await this.door.send('/v1/records', { method: 'POST', body: body.join(''), headers: { 'content-type': 'application/x-ndjson' } });
    for (const line of (await response.text()).split('\n')) if (line !== '') yield JSON.parse(line) as Record<string, unknown>;
  }

  /** All records that match, page by page. */
  public async *query(query: RecordQuery): AsyncGenerator<FoundRecord> {
    let cursor: string | undefined;
    do {
      const parameters = new URLSearchParams({ ...query, ...(cursor === undefined ? {} : { cursor }) } as Record<string, string>);
      const page = await this.door.get<{ items: FoundRecord[]; cursor?: string }>(`/v1/records?${parameters.toString()}`);
      yield* page.items;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  public async record(recordId: string): Promise<{ readonly record: FoundRecord; readonly placed: PlacedHeader }> {
    return await this.door.get(`/v1/records/${recordId}`);
  }

  public async ask(terms: AskTerms): Promise<Ask> {
    return await this.door.post<Ask>('/v1/asks', { ...terms, claims: [...terms.claims].sort() });
  }

  public async findAsk(id: string): Promise<Ask> {
    return await this.door.get<Ask>(`/v1/asks/${id}`);
  }

  /** Builds, signs and sends an access request. @throws the coded refusal */
  public async open(terms: OpenTerms): Promise<OpenedAccess> {
    return await this.send(await this.prepare(terms), terms.grant);
  }

  /** The signed request, for those who want to keep or show it before it is sent. */
  public async prepare(terms: OpenTerms): Promise<string> {
    const { domain } = await this.consortium();
    const headers = await Promise.all(terms.recordIds.map(async (id) => (await this.record(id)).placed));
    const publishers = new Set(terms.recordIds.map((id) => id.split('/')[0] ?? ''));
    const [publisher = ''] = publishers;
    if (publishers.size !== 1) throw new ProtocolError('REQUEST_MIXED');
    const basis = terms.grant === undefined ? { kind: 'policy' as const, digest: terms.policy ?? '0'.repeat(64) } : { kind: 'grant' as const, digest: grantDigest(domain, terms.grant.grant) };
    const signed = await signRequest(
      {
        basis,
        claims: [...terms.claims].sort(),
        encryptionKey: jwkThumbprint(publicKeysOf(this.keys).encryptionKey),
        headers,
        issuedAt: now(),
        publisher,
        purpose: terms.purpose,
        reader: this.keys.memberId,
        requestId: toBase32(crypto.getRandomValues(new Uint8Array(16))),
        salt: domain.salt,
      },
      this.sign,
    );
    return signed.jws;
  }

  /** Sends a request that was prepared before. */
  public async send(request: string, grant?: GrantEnvelope): Promise<OpenedAccess> {
    return await this.door.post<OpenedAccess>('/v1/access-requests', { request, ...(grant === undefined ? {} : { grant }) });
  }

  /** The release of a live ticket again, byte-equal. */
  public async resend(ticket: string): Promise<OpenedAccess> {
    return await this.door.get<OpenedAccess>(`/v1/tickets/${ticket}/release`);
  }

  /** Decrypts and verifies what came. @throws RELEASE_*, PAYLOAD_*, DISCLOSURE_INVALID */
  public async read(access: OpenedAccess): Promise<readonly ReadRecord[]> {
    return await readRelease(access, this.keys.encryptionKey);
  }

  /** Signs and sends the receipt for what was read. */
  public async receipt(access: OpenedAccess, resend = false): Promise<{ readonly digest: string }> {
    const receipt = await signReceipt({ jwe: jweDigest(access.release.jwe), reader: this.keys.memberId, receivedAt: now(), resend, ticket: access.ticket }, this.sign);
    return await this.door.post('/v1/receipts', { receipt });
  }

  /** Evidence of an access, once its receipt was sent. */
  public async evidence(ticket: string): Promise<Evidence> {
    return await this.door.get<Evidence>(`/v1/evidence/${ticket}`);
  }

  /** A presentation of a record of class `public`: no grant, no ticket. */
  public async publicRecord(recordId: string): Promise<string> {
    return (await this.door.get<{ presentation: string }>(`/v1/records/${recordId}/public`)).presentation;
  }

  private async accessToken(): Promise<string> {
    if (this.token === undefined || this.token.expires - renewBeforeSeconds < now()) {
      const answer = await new HttpDoor(this.door.url).post<{ access_token: string; expires_in: number }>('/v1/token', {
        client_assertion: await this.assertion(),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        grant_type: 'client_credentials',
      });
      this.token = { value: answer.access_token, expires: now() + answer.expires_in };
    }
    return this.token.value;
  }

  private async assertion(): Promise<string> {
    const key = await importJWK(this.keys.signingKey as Record<string, string>, 'ES256');
    return await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(this.keys.memberId)
      .setSubject(this.keys.memberId)
      .setAudience(`${this.door.url.replace(/\/$/, '')}/v1/token`)
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(key);
  }
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}
