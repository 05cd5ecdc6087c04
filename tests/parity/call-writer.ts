import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { Wallet } from 'ethers';
import {
  codeExtension,
  charter,
  derOf,
  domainOf,
  grantDigestOf,
  header,
  hostedDocument,
  id32,
  issue,
  jws,
  keyOf,
  kindDocument,
  makeSigner,
  place,
  registration,
  sealedHeader,
  signed,
  signerOf,
  thumbprint,
  type Issued,
  type Signer,
} from '../../chaincode/test/consortium.js';
import { digestOf, sha256, sortedJson, type Json, type JsonRecord } from '../../chaincode/test/plain-json.js';
import type { CentreId, Intent } from './schedule.js';

/** A call as it is sent: bytes, the same for both engines. */
export interface Call {
  readonly chaincode: string;
  readonly function: string;
  readonly args: readonly Uint8Array[];
  readonly transient: Readonly<Record<string, Uint8Array>>;
}

/** What all schedules of a run share, made by the founding. */
export interface Consortium {
  readonly domain: ReturnType<typeof domainOf>;
  readonly ca: Issued;
  readonly stranger: Issued;
}

interface Batch {
  readonly publisher: CentreId;
  readonly seq: number;
  readonly headers: readonly JsonRecord[];
}

interface Published {
  readonly name: string;
  readonly batch: Batch;
  readonly index: number;
  readonly owner: number;
}

interface Ticket {
  readonly id: string;
  readonly publisher: CentreId;
}

type Of<O extends Intent['op']> = Extract<Intent, { op: O }>;

const now = (): number => Math.floor(Date.now() / 1000);
const bytes = (value: Json): Uint8Array => Buffer.from(sortedJson(value));
const hex = (words: string): string => createHash('sha256').update(words).digest('hex');
const reader = 'bank';
/** Grants from this number on are for own copies. */
const ownCopies = 10;
const ownCopySalt = '7b'.repeat(16);
const nobody: JsonRecord = { header: header('nothing'), index: 0, path: [], seq: 999_999, size: 1 };

/** A synthetic unified social credit code with both check characters (GB 32100-2015, GB 11714-1997). */
function syntheticCode(seed: string): string {
  const digits = [...hex(seed)].map((digit) => Number.parseInt(digit, 16) % 10);
  const body = digits.slice(0, 8);
  const weighed = body.reduce((sum, digit, index) => sum + digit * ([3, 7, 9, 10, 5, 8, 4, 2][index] ?? 0), 0);
  const check = 11 - (weighed % 11);
  const code = `91440101${body.join('')}${check === 10 ? 'X' : String(check % 11)}`;
  const characters = '0123456789ABCDEFGHJKLMNPQRTUWXY';
  const total = [...code].reduce((sum, character, index) => sum + characters.indexOf(character) * (3 ** index % 31), 0);
  return `${code}${characters[(31 - (total % 31)) % 31] ?? ''}`;
}

/** Makes the founding's calls and contents: a voted CA, kinds, a reader. */
export async function openConsortium(): Promise<Omit<Consortium, 'domain'>> {
  const validity = { from: now() - 3600, until: now() + 86_400 };
  const ca = await issue({ subject: 'CN=Business CA of the parity run (invented)', ca: true, ...validity });
  const stranger = await issue({ subject: 'CN=Stranger CA (invented)', ca: true, ...validity });
  return { ca, stranger };
}

export const foundingCharter: JsonRecord = charter;
export const kinds = {
  credit: kindDocument('credit', ['owner']),
  notice: kindDocument('notice', ['publisher', 'public']),
  bid: kindDocument('bid', ['owner'], { sealed: true }),
};
export const foundingMember = { member: hostedDocument(reader, 'institution', 'beijing') };

function call(name: string, argument: Json | Uint8Array, transient: Readonly<Record<string, Json>> = {}): Call {
  return {
    chaincode: 'huilian',
    function: name,
    args: [argument instanceof Uint8Array ? argument : bytes(argument)],
    transient: Object.fromEntries(Object.entries(transient).map(([field, value]) => [field, bytes(value)])),
  };
}

function declare({ centre, record }: Of<'declare'>): Call {
  const day = record > 3 ? '2099-01-01' : `2026-01-0${String(record + 1)}`;
  return call('records:declare', { days: [{ day, expected: record, kind: record === 3 ? 'nothing' : 'credit' }], publisher: centre });
}

/**
 * Makes the bytes of a schedule's calls. Documents carry fresh signatures and today's times, so they are made once and
 * sent to every engine.
 */
export class CallWriter {
  private readonly batches: Batch[] = [];
  private readonly records: Published[] = [];
  private readonly tickets: Ticket[] = [];
  private readonly grants = new Map<number, JsonRecord>();
  private readonly policies = new Map<string, JsonRecord>();
  private readonly requests = new Map<number, JsonRecord>();
  private readonly certificates = new Map<string, Issued>();
  private readonly keys = new Map<number, Wallet>();
  private readonly memberKeys = new Map<string, Signer>();

  public constructor(
    private readonly consortium: Consortium,
    private readonly seed: number,
  ) {}

  /** Tickets that an endorsed opening gave, for the calls that follow. */
  public noteTickets(response: string, publisher: CentreId): void {
    const entries = JSON.parse(response) as { readonly ticket?: string }[];
    for (const { ticket } of entries) if (ticket !== undefined) this.tickets.push({ id: ticket, publisher });
  }

  public async write(intent: Intent, by: CentreId): Promise<Call> {
    switch (intent.op) {
      case 'publish': return this.publish(intent);
      case 'supersede': return this.supersede(intent);
      case 'contradict': return this.contradict(intent);
      case 'expose': return this.expose(intent);
      case 'attest': return this.attest(intent);
      case 'open': return await this.open(intent);
      case 'acknowledge': return this.acknowledge(intent, by);
      case 'declare': return declare(intent);
      default: return (await this.writeEntity(intent)) ?? this.writeRest(intent, by);
    }
  }

  private async writeEntity(intent: Intent): Promise<Call | undefined> {
    switch (intent.op) {
      case 'register': return await this.register(intent);
      case 'recover': return await this.recover(intent);
      case 'rotateKey': return await this.rotateKey(intent);
      case 'objectRecovery': return await this.objectRecovery(intent);
      case 'revokeGrant': return await this.revokeGrant(intent);
      case 'state': return await this.state(intent);
      default: return undefined;
    }
  }

  private writeRest(intent: Intent, by: CentreId): Call {
    switch (intent.op) {
      case 'confirm': return this.confirm(intent);
      case 'refuse': return call('access:refuse', { code: intent.fault === undefined ? 'RELEASE_TOO_LATE' : 'BECAUSE', ticket: this.ticket(intent.ticket).id });
      case 'dispute': return call('access:dispute', { dispute: jws('huilian-dispute+jwt', reader, this.disputed(intent.ticket), signerOf(reader)) });
      case 'setPolicy': return call('access:setPolicy', this.policy(intent.policy, intent.centre, intent.fault));
      case 'propose': return call('governance:propose', this.proposal(intent.proposal, intent.action));
      case 'vote': return call(`governance:${intent.approve ? 'approve' : 'reject'}`, { proposal: this.proposed.get(intent.proposal) ?? hex('no proposal') });
      case 'rotateMemberKeys': return this.rotateMemberKeys(intent);
      case 'found': return call('governance:found', { charter: foundingCharter, founder: by });
      case 'bad': return badCall(intent.what);
      case 'probe': return probeCall(intent, `s${String(this.seed)}-`);
      default: throw new Error(`no call for ${intent.op}`);
    }
  }

  private acknowledge({ proposal }: Of<'acknowledge'>, by: CentreId): Call {
    const id = `s${String(this.seed)}-${String(proposal)}`;
    return call('governance:acknowledge', { member: by, documents: [{ digest: digestOf({ '440100': '广州市' }), id, of: 'code-set', version: 1 }] });
  }

  // --- Records -------------------------------------------------------------------------------------------------------

  private ownerId(owner: number): string {
    return `org:${syntheticCode(`owner ${String(this.seed)} ${String(owner)}`)}`;
  }

  private batchOf(publisher: CentreId, headers: readonly JsonRecord[], owner: number, names: readonly string[]): Batch {
    const batch = { publisher, seq: this.seed * 1000 + this.batches.length + 1, headers };
    this.batches.push(batch);
    for (const [index, name] of names.entries()) this.records.push({ name, batch, index, owner });
    return batch;
  }

  private publish({ centre, count, fault, kind, owner }: Of<'publish'>): Call {
    const names = Array.from({ length: count }, (_none, index) => `s${String(this.seed)}-r${String(this.records.length + index)}`);
    const id = this.ownerId(owner);
    const headers = names.map((name, index) => {
      if (kind === 'bid') return sealedHeader(name, hex(name).slice(0, 32), id);
      return kind === 'credit' ? header(name, { owner: id }) : header(name, { kind, rights: index % 2 === 0 ? 'publisher' : 'public', owner: id });
    });
    const faulty = fault === undefined ? undefined : this.faultyBatch(fault, centre, headers);
    if (faulty !== undefined) return call('records:publish', faulty);
    const { seq } = this.batchOf(centre, headers, owner, names);
    return call('records:publish', deflated({ headers, previous: [], publisher: centre, seq }));
  }

  private faultyBatch(fault: NonNullable<Of<'publish'>['fault']>, centre: CentreId, headers: readonly JsonRecord[]): Uint8Array {
    const first = headers[0] ?? {};
    const body: JsonRecord = { headers, previous: [], publisher: centre, seq: this.seed * 1000 + 900 };
    const bad: Readonly<Record<typeof fault, () => Uint8Array>> = {
      truncated: () => deflated(body).subarray(0, -3),
      'trailing byte': () => Buffer.concat([deflated(body), Buffer.from([0])]),
      'not canonical': () => deflateRawSync(Buffer.from(JSON.stringify(body, undefined, 1))),
      'kind unknown': () => deflated({ ...body, headers: [{ ...first, kind: 'guarantee' }] }),
      'rights not allowed': () => deflated({ ...body, headers: [{ ...header('rights', { rights: 'public' }) }] }),
      'owner of no code': () => deflated({ ...body, headers: [{ ...header('owner'), owner: 'org:91440101MA5CK8T02B' }] }),
      'unknown field': () => deflated({ ...body, headers: [{ ...first, note: 'x' }] }),
      'no headers': () => deflated({ ...body, headers: [] }),
      'same seq': () => deflated({ ...body, seq: this.batches.at(-1)?.seq ?? 1, publisher: this.batches.at(-1)?.publisher ?? centre }),
      'for another centre': () => deflated({ ...body, publisher: centre === 'zhuhai' ? 'beijing' : 'zhuhai' }),
      'record twice': () => deflated({ ...body, headers: [first, first] }),
    };
    return bad[fault]();
  }

  private record(number: number): Published | undefined {
    return this.records.length === 0 ? undefined : this.records[number % this.records.length];
  }

  private placed({ batch, index }: Published): JsonRecord {
    return place(batch.headers, index, batch.seq);
  }

  private supersede({ fault, record: number, status }: Of<'supersede'>): Call {
    const record = this.record(number);
    if (record === undefined) return call('records:publish', deflated({ headers: [header('nothing', { version: 2 })], previous: [nobody], publisher: 'guangzhou', seq: this.seed * 1000 + 901 }));
    const before = record.batch.headers[record.index] ?? {};
    const version = Number(before['version']) + (fault === 'version skipped' ? 2 : 1);
    const next = { ...before, digest: sha256(`${record.name} version ${String(version)} ${status}`), status, version };
    const changed = fault === 'another owner' ? { ...next, owner: this.ownerId(7), subject: this.ownerId(7) } : next;
    const previous = this.placed(record);
    const wrong: Readonly<Record<string, JsonRecord>> = {
      'wrong path': { ...previous, path: ['00'.repeat(32)] },
      'batch unknown': { ...previous, seq: this.seed * 1000 + 950 },
      'another record': { ...previous, header: { ...before, localId: id32('another') } },
    };
    const { seq } = fault === undefined ? this.batchOf(record.batch.publisher, [changed], record.owner, [record.name]) : { seq: this.seed * 1000 + 902 };
    return call('records:publish', deflated({ headers: [changed], previous: [wrong[fault ?? ''] ?? previous], publisher: record.batch.publisher, seq }));
  }

  /** The same record and version once more, under another digest. */
  private contradict({ record: number }: Of<'contradict'>): Call {
    const record = this.record(number);
    const before = record?.batch.headers[record.index] ?? header(`s${String(this.seed)}-contradicted`);
    const first = { ...before, digest: sha256(`${String(record?.name)} contradicted`), version: 1 };
    const publisher = record?.batch.publisher ?? 'guangzhou';
    const { seq } = this.batchOf(publisher, [first], record?.owner ?? 0, [record?.name ?? `s${String(this.seed)}-contradicted`]);
    return call('records:publish', deflated({ headers: [first], previous: [], publisher, seq }));
  }

  private expose({ honest, record: number }: Of<'expose'>): Call {
    const record = this.record(number);
    const again = [...this.records].reverse().find((other) => other.name === record?.name && other !== record);
    const first = record === undefined ? nobody : this.placed(record);
    const second = again === undefined ? nobody : this.placed(again);
    return call('records:expose', { first, publisher: record?.batch.publisher ?? 'guangzhou', second: honest ? second : first });
  }

  private attest({ fault, outcome, record: number }: Of<'attest'>): Call {
    const record = this.record(number);
    const placed = record === undefined ? nobody : this.placed(record);
    const publisher = record?.batch.publisher ?? 'guangzhou';
    const compared = outcome === 'withdrawn' || fault === 'nothing compared' ? [] : ['contract', 'site'];
    return call('records:attest', {
      compared,
      outcome: fault === 'unknown outcome' ? 'perhaps' : outcome,
      placed: fault === 'wrong path' ? { ...placed, path: ['00'.repeat(32)] } : placed,
      publisher: fault === 'own record' ? 'beijing' : publisher,
    });
  }

  /** Of what the record's owner says; `minute` is when it was signed, so that an older word can come after a newer one. */
  private async state({ fault, minute, record: number, verdict }: Of<'state'>): Promise<Call> {
    const record = this.record(number);
    const placed = record === undefined ? nobody : this.placed(record);
    const stated = (placed['header'] ?? {}) as JsonRecord;
    const owner = record?.owner ?? 0;
    const kind = fault === 'another record' ? 'entity' : String(stated['kind']);
    const reasons = { confirm: 'checked', dispute: 'outdated', withdraw: 'mistaken' } as const;
    const message = {
      claims: ['detail'], digest: `0x${String(stated['digest'])}`, issuedAt: now() - (fault === 'of yesterday' ? 100_000 : 0) - 600 + minute * 60, owner: this.ownerId(owner),
      reason: fault === 'reason of another verdict' ? 'corrected' : reasons[verdict], record: `${record?.batch.publisher ?? 'guangzhou'}/${kind}/${String(stated['localId'])}`, verdict, version: Number(stated['version']),
    };
    const envelope = await signed('RecordStatement', 'statement', message, this.wallet(fault === 'signed by another' ? 9 : owner), this.consortium.domain);
    return call('records:state', { envelope: fault === 'high s' ? { ...envelope, signature: highS(String(envelope['signature'])) } : envelope, placed });
  }

  // --- Access --------------------------------------------------------------------------------------------------------

  private grant(number: number): JsonRecord {
    const known = this.grants.get(number);
    if (known !== undefined) return known;
    const terms = {
      owner: this.ownerId(number % 2),
      grantee: reader,
      claims: ['credit/detail'],
      purpose: 'credit-check',
      reference: `0x${hex(`reference ${String(number)}`)}`,
      notBefore: now() - 60,
      expires: now() + 3600,
      maxUses: 2,
      nonce: `0x${hex(`nonce ${String(this.seed)} ${String(number)}`)}`,
    };
    const ownCopy = number < ownCopies ? {} : { purpose: 'own-copy', reference: `0x${createHash('sha256').update(Buffer.from(ownCopySalt, 'hex')).update(thumbprint(signerOf('own copy').encryptionKey)).digest('hex')}` };
    const made = { ...terms, ...ownCopy };
    this.grants.set(number, made);
    return made;
  }

  /** Terms of a request that names a recipient: for an own copy, for one to a key that the owner did not mean, or for something else. */
  private recipientOf({ fault }: Of<'open'>): JsonRecord {
    if (fault !== 'own copy' && fault !== 'own copy to another key' && fault !== 'recipient of no own copy') return {};
    const { encryptionKey: key } = signerOf(fault === 'own copy to another key' ? reader : 'own copy');
    return { encryptionKey: thumbprint(key), recipient: { key, salt: ownCopySalt }, ...(fault === 'recipient of no own copy' ? {} : { purpose: 'own-copy' }) };
  }

  /** The grant that an opening is under; own copies have grants of their own. */
  private grantOf({ fault, grant }: Of<'open'>): JsonRecord {
    return this.grant(fault === 'own copy' || fault === 'own copy to another key' ? grant + ownCopies : grant);
  }

  private policy(number: number, publisher: CentreId, fault?: Of<'setPolicy'>['fault']): JsonRecord {
    const key = `${publisher} ${String(number)}`;
    const known = this.policies.get(key) ?? { claims: ['detail', 'summary'], expires: now() + 600 + this.seed, granteeClasses: ['institution'], kind: 'notice', notBefore: now() - 60 - number, publisher, purposes: ['credit-check'] };
    this.policies.set(key, known);
    if (fault === 'ended') return { ...known, expires: now() - 30 };
    return fault === undefined ? known : { ...known, purposes: ['*'] };
  }

  private async open(intent: Of<'open'>): Promise<Call> {
    if (intent.fault === 'malformed') return call('access:open', { entries: [{ request: 'no.jws.here' }] });
    return call('access:open', { entries: [await this.entry(intent)] });
  }

  private requestOf(intent: Of<'open'>): JsonRecord {
    const known = this.requests.get(intent.request);
    if (known !== undefined && intent.fault === undefined && intent.records.length === 1) return known;
    const first = this.record(intent.records[0] ?? 0);
    const publisher = first?.batch.publisher ?? 'guangzhou';
    const basis = intent.basis === 'grant' ? { digest: grantDigestOf(this.grantOf(intent), this.consortium.domain), kind: 'grant' } : { digest: digestOf(this.policy(0, publisher)), kind: 'policy' };
    const body = {
      basis,
      claims: [intent.fault === 'claim not covered' ? 'summary' : 'detail'],
      encryptionKey: thumbprint(signerOf(reader).encryptionKey),
      headers: intent.records.map((number) => this.record(number)).map((record) => (record === undefined ? nobody : this.placed(record))),
      issuedAt: now() - (intent.fault === 'request expired' ? 900 : 5),
      publisher,
      purpose: intent.fault === 'purpose not covered' ? 'registration' : 'credit-check',
      reader: intent.fault === 'another reader' ? 'zhuhai' : reader,
      requestId: id32(`s${String(this.seed)} request ${String(intent.request)}`),
      salt: intent.fault === 'wrong domain' ? domainOf('00'.repeat(32)).salt : this.consortium.domain.salt,
      ...this.recipientOf(intent),
    };
    this.requests.set(intent.request, body);
    return body;
  }

  private async entry(intent: Of<'open'>): Promise<JsonRecord> {
    const body = this.requestOf(intent);
    const publisher = String(body['publisher']);
    const records = (body['headers'] as readonly { header: JsonRecord }[]).map((placed) => placed.header['digest'] ?? '');
    const offer = { expires: now() + (intent.fault === 'offer expired' ? -10 : 50), publisher, records, request: intent.fault === 'offer of another' ? hex('another') : digestOf(body) };
    const signer = intent.fault === 'signed by another' ? signerOf('zhuhai') : signerOf(reader);
    const common = { offer: jws('huilian-offer+jwt', publisher, offer, signerOf(publisher)), request: jws('huilian-request+jwt', String(body['reader']), body, signer) };
    if ((body['basis'] as { kind: string }).kind === 'policy') return common;
    const grant = await signed('Grant', 'grant', this.grantOf(intent), this.wallet(intent.fault === 'grant of another owner' ? 9 : intent.grant % 2), this.consortium.domain);
    return { ...common, grant, ...(intent.fault === 'slot missing' ? {} : { slot: intent.slot }) };
  }

  /** Whose ticket the next answer to an opening speaks of. */
  public publisherOf(intent: Of<'open'>): CentreId {
    return this.record(intent.records[0] ?? 0)?.batch.publisher ?? 'guangzhou';
  }

  private ticket(number: number): Ticket {
    return this.tickets[number % Math.max(this.tickets.length, 1)] ?? { id: `${hex('no ticket')}/0`, publisher: 'guangzhou' };
  }

  private confirm({ fault, jwe, ticket }: Of<'confirm'>): Call {
    const receipt = { jwe: hex(`release ${String(jwe)}`), reader, receivedAt: now() - 1, resend: false, ticket: this.ticket(ticket).id };
    return call('access:confirm', { receipts: [jws('huilian-receipt+jwt', reader, receipt, signerOf(fault === undefined ? reader : 'zhuhai'))] });
  }

  private disputed(number: number): JsonRecord {
    return { disputedAt: now() - 1, reader, ticket: this.ticket(number).id };
  }

  private async revokeGrant({ fault, grant: number }: Of<'revokeGrant'>): Promise<Call> {
    const grant = this.grant(number);
    const message = { grant: grantDigestOf(grant, this.consortium.domain), owner: grant['owner'] ?? '' };
    const revocation = await signed('Revocation', 'revocation', message, this.wallet(fault === 'signed by another' ? 9 : number % 2), this.consortium.domain);
    return call('access:revokeGrant', fault === 'high s' ? { ...revocation, signature: highS(String(revocation['signature'])) } : revocation);
  }

  // --- Owners --------------------------------------------------------------------------------------------------------

  private wallet(owner: number): Wallet {
    const wallet = this.keys.get(owner) ?? new Wallet(`0x${hex(`wallet ${String(this.seed)} ${String(owner)}`)}`);
    this.keys.set(owner, wallet);
    return wallet;
  }

  private async certificate(owner: number, issuer: Issued, from = now() - 3600, until = now() + 80_000): Promise<Issued> {
    const key = `${String(owner)} ${issuer.certificate.subject} ${until < now() ? 'ended' : ''}`;
    const known = this.certificates.get(key) ?? (await issue({ subject: 'CN=Invented Company, O=Invented', extensions: [codeExtension(this.ownerId(owner).slice(4))], from, until }, issuer));
    this.certificates.set(key, known);
    return known;
  }

  private async certificateFor({ fault, owner }: Of<'register'>): Promise<Issued> {
    const { ca, stranger } = this.consortium;
    if (fault === 'expired') return await this.certificate(owner, ca, now() - 7200, now() - 3600);
    return await this.certificate(fault === 'another company' ? 7 : owner, fault === 'stranger' ? stranger : ca);
  }

  private async register(intent: Of<'register'>): Promise<Call> {
    const { fault, owner } = intent;
    const certificate = await this.certificateFor(intent);
    const salt = fault === 'wrong domain' ? domainOf('00'.repeat(32)).salt : this.consortium.domain.salt;
    const statement = await registration({ expires: now() + 600, key: keyOf(this.wallet(owner)), owner: this.ownerId(owner), salt }, certificate);
    const chain: Readonly<Record<string, Json>> = { 'no certificate': {}, garbage: { certificate: [Buffer.from('no certificate').toString('base64')] } };
    const transient = chain[fault ?? ''] ?? { certificate: [derOf(certificate)] };
    return call('entities:register', statement, transient as Readonly<Record<string, Json>>);
  }

  private async recover({ owner }: Of<'recover'>): Promise<Call> {
    const certificate = await this.certificate(owner, this.consortium.ca);
    const statement = await registration({ expires: now() + 600, key: keyOf(this.wallet(owner + 20)), owner: this.ownerId(owner), salt: this.consortium.domain.salt }, certificate);
    return call('entities:recover', statement, { certificate: [derOf(certificate)] });
  }

  private async rotateKey({ fault, owner }: Of<'rotateKey'>): Promise<Call> {
    const terms = { expires: now() + 600, newKey: keyOf(this.wallet(owner + 10)), owner: this.ownerId(owner) };
    return call('entities:rotateKey', await signed('KeyRotation', 'rotation', terms, this.wallet(fault === undefined ? owner : 9), this.consortium.domain));
  }

  private async objectRecovery({ owner }: Of<'objectRecovery'>): Promise<Call> {
    const terms = { newKey: keyOf(this.wallet(owner + 20)), owner: this.ownerId(owner) };
    return call('entities:objectRecovery', await signed('RecoveryObjection', 'objection', terms, this.wallet(owner), this.consortium.domain));
  }

  // --- Votes ---------------------------------------------------------------------------------------------------------

  private readonly proposed = new Map<number, string>();

  private memberId(number: number): string {
    return `insurer-${String(this.seed)}-${String(number)}`;
  }

  private proposal(number: number, action: Of<'propose'>['action']): JsonRecord {
    const name = `s${String(this.seed)}-${String(number)}`;
    const contents: Readonly<Record<typeof action, () => Json>> = {
      admit: () => ({ member: hostedDocument(this.memberId(number), 'institution', 'zhuhai') }),
      'code-set': () => ({ document: { '440100': '广州市' }, name, version: 1 }),
      migration: () => ({ document: { kind: 'credit', from: 1, to: 2, fields: { 'detail.code': { from: 'detail.code' } } } }),
      'next-code-set': () => ({ document: { codes: { '440100': '广州市' } }, name, version: 2, effective: now() - 1000 + number }),
      retire: () => ({ of: 'code-set', id: name, version: 1 + (number % 2), retires: now() + (number % 2 === 0 ? 600 : -600) }),
      // A CA that nobody trusts: the sample one must go on.
      'retire-ca': () => ({ of: 'ca', id: 'ab'.repeat(32), retires: now() }),
      'publish-schema': () => ({ document: kindDocument(`kind-${String(this.seed)}-${String(number)}`, ['owner']) }),
      suspend: () => ({ member: this.memberId(number) }),
      unknown: () => ({ anything: true }),
    };
    const proposal = { action: written[action] ?? action, content: contents[action](), round: 1 };
    this.proposed.set(number, digestOf(proposal));
    return proposal;
  }

  private rotateMemberKeys({ fault, proposal: number }: Of<'rotateMemberKeys'>): Call {
    const member = this.memberId(number);
    const next = this.memberKeys.get(member) ?? makeSigner();
    this.memberKeys.set(member, next);
    const rotation = { encryptionKey: next.encryptionKey, expires: now() + 600, member, salt: this.consortium.domain.salt, signingKey: next.signingKey };
    return call('governance:rotateMemberKeys', { rotation: jws('huilian-rotation+jwt', member, rotation, fault === undefined ? signerOf(member) : next) });
  }
}

/** Intents that are another way to say an action, or none. */
const written: Readonly<Partial<Record<Of<'propose'>['action'], string>>> = { 'next-code-set': 'code-set', 'retire-ca': 'retire', unknown: 'abolish' };

function deflated(batch: JsonRecord): Uint8Array {
  return deflateRawSync(Buffer.from(sortedJson(batch)));
}

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The other signature of the same key over the same message, which only a canonical form refuses. */
function highS(signature: string): string {
  const s = order - BigInt(`0x${signature.slice(66, 130)}`);
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${signature.endsWith('1b') ? '1c' : '1b'}`;
}

function raw(name: string, ...args: readonly (string | Uint8Array)[]): Call {
  return { chaincode: 'huilian', function: name, args: args.map((arg) => Buffer.from(arg)), transient: {} };
}

function badCall(what: Of<'bad'>['what']): Call {
  const vote = `{"proposal":"${'ab'.repeat(32)}"}`;
  const calls: Readonly<Record<typeof what, () => Call>> = {
    'unknown contract': () => raw('nothing:approve', vote),
    'unknown function': () => raw('governance:abolish', vote),
    'hidden function': () => raw('access:runJson', vote),
    'no argument': () => raw('governance:approve'),
    'two arguments': () => raw('governance:approve', vote, vote),
    'no JSON': () => raw('governance:approve', '{"proposal"'),
    spaces: () => raw('governance:approve', vote.replace(':', ': ')),
    'duplicate key': () => raw('governance:approve', vote.replace('{', `{"proposal":"${'cd'.repeat(32)}",`)),
    'no object': () => raw('governance:approve', '[1]'),
    'too large': () => raw('governance:approve', Buffer.alloc(65 * 1024, 0x20)),
    'unknown field': () => raw('governance:approve', `{"note":1,${vote.slice(1)}`),
    empty: () => raw('governance:approve', ''),
    prototype: () => raw('access:__proto__', '{}'),
  };
  return calls[what]();
}

function probeCall({ key, other, what }: Of<'probe'>, prefix: string): Call {
  const first = `${prefix}${'abcde'[key] ?? 'a'}`;
  const second = `${prefix}${'abcde'[other] ?? 'b'}`;
  const [low, high] = first < second ? [first, second] : [second, first];
  // Written by calls that delete what may be absent: nobody reads these keys.
  const apart = `${prefix}z-${'abcde'[key] ?? 'a'}`;
  const target = `${prefix}count-${'abcde'[other] ?? 'b'}`;
  const end = `${prefix}f`;
  const last = prefix.slice(1, -1).padStart(9, '0');
  const words = '不在清单内：“x”\n— fin\u0000é🀄';
  const calls: Readonly<Record<typeof what, readonly string[]>> = {
    put: ['put', first, `value ${String(other)}`],
    'put empty': ['put', apart, ''],
    'put text': ['put', first, words],
    'put no key': ['put', '', 'x'],
    'put zero key': ['put', `\u0000${first}`, 'x'],
    putAndGet: ['putAndGet', first, `own ${String(other)}`],
    putTwice: ['putTwice', first, 'first', 'second'],
    putThenRemove: ['putThenRemove', apart, 'gone'],
    get: ['get', first],
    'get absent': ['get', `${prefix}absent`],
    getAgain: ['getAgain', first, target],
    remove: ['remove', first],
    add: ['add', first, String(other + 1)],
    count: ['count', low, `${high}~`, target],
    // Without an end: behind every key of earlier schedules.
    'count open': ['count', `~${last}`, '', `~${last}-${String(other)}`],
    'count backwards': ['count', high, low, target],
    countSome: ['countSome', prefix, end, '2', target],
    list: ['list', prefix, end],
    page: ['page', prefix, end, '2', ''],
    'page on': ['page', prefix, end, '3', second],
    pageThenPut: ['pageThenPut', prefix, end, target],
    putComposite: ['putComposite', 'pair', first, second, `of ${String(key)}`],
    'putComposite bad': ['putComposite', 'pa\u0000ir', first, second, 'x'],
    listComposite: ['listComposite', 'pair', first],
    countComposite: ['countComposite', 'pair', first, target],
    about: ['about', 'secret'],
    announce: ['announce', `event-${String(key)}`, words],
    'announce empty': ['announce', 'quiet', ''],
    'announce no name': ['announce', '', 'x'],
    announceTwice: ['announceTwice', first, 'early', 'late'],
    fail: ['fail', 'refused as asked'],
    'fail text': ['fail', words],
    failAfterPut: ['failAfterPut', first, 'refused after a write'],
    random: ['random', first],
    missing: ['missing', first],
    'few arguments': ['put', first],
    'many arguments': ['get', first, second, 'third'],
    metadata: ['org.hyperledger.fabric:GetMetadata'],
  };
  const [name = '', ...args] = calls[what];
  const full = name.includes(':') ? name : `probe:${name}`;
  return { chaincode: 'probe', function: full, args: args.map((arg) => Buffer.from(arg)), transient: what === 'about' ? { secret: Buffer.from('only to endorsers') } : {} };
}

/** Canonical JSON, as documents travel. */
export function rawJson(value: Json): Uint8Array {
  return bytes(value);
}
