import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isJsonObject, ProtocolError, referenceOf, toHex, type GrantEnvelope, type Purpose, type Trail } from '@huilian/protocol';
import { fillForm, renderGrant, verifyEvidence, type Ask, type Consortium, type FormMap, type FoundRecord, type MemberClient, type OpenedAccess, type ReadRecord } from '@huilian/sdk';
import type { NodeApi } from '../../adapters/cli/node-api.js';
import type { LocalConsortium } from './local-consortium.js';
import { sampleData, centres } from './layout.js';
import type { Report } from './report.js';
import { sabotagePayload } from './sabotage-payload.js';
import { SampleCa } from './sample-ca.js';
import { SampleOwner, type SampleBidder } from './sample-owners.js';

export type Sabotage = 'grant' | 'payload' | 'revocation';

/** What the walk-through counted; the last line of standard output. */
export interface WalkSummary {
  readonly refusedWithoutGrant: number;
  readonly fieldsReused: number;
  readonly fieldsReadByBank: number;
  readonly refusedAfterCount: number;
  readonly refusedAfterRevocation: number;
  readonly refusedReplay: number;
  readonly trailEntries: number;
  readonly evidenceVerified: boolean;
  readonly tamperedRefused: boolean;
}

/** The registration form of Zhuhai's platform, and where each field comes from. */
const registrationForm: FormMap = {
  企业名称: 'entity/identity.name',
  统一社会信用代码: 'entity/identity.uscc',
  所在地区: 'entity/identity.region',
  注册资本: 'entity/registration.capital',
  执照有效期: 'entity/registration.licenceEnd',
  法定代表人: 'entity/representative.name',
  联系人: 'entity/contact.person',
  联系电话: 'entity/contact.phone',
  资质名称: 'qualification/qualification.name',
  资质等级: 'qualification/qualification.level',
  证书编号: 'qualification/certificate.number',
  证书有效期: 'qualification/certificate.end',
};

const platformClaims = ['entity/contact', 'entity/identity', 'entity/registration', 'entity/representative', 'qualification/certificate', 'qualification/qualification'];
const bankClaims = ['credit/entry', 'credit/score', 'performance/contract', 'performance/section'];
const yearSeconds = 365 * 86_400;
const receiptMilliseconds = 20_000;

/** A wrong outcome of a step: the walk-through stops and the process ends non-zero. */
class StepFailed extends Error {}

function mustBe(holds: boolean, what: string): void {
  if (!holds) throw new StepFailed(what);
}

/** The main job, step by step, with the SDK that a platform, an owner and a bank would use. */
export class WalkThrough {
  private consortiumFacts!: Consortium;
  private owner!: SampleOwner;
  private platform!: MemberClient;
  private bank!: MemberClient;
  /** Tickets whose receipt was sent. */
  private readonly receipted = new Set<string>();

  public constructor(
    private readonly local: LocalConsortium,
    private readonly report: Report,
    private readonly sabotage: Sabotage | undefined,
  ) {}

  /** Registers the sample bidders' keys; part of bringing the consortium up. */
  public async registerOwners(): Promise<void> {
    this.consortiumFacts = await this.local.consortium();
    const { main, others } = JSON.parse(readFileSync(path.join(sampleData, 'bidders.json'), 'utf8')) as { main: SampleBidder; others: SampleBidder[] };
    const ca = await SampleCa.open(this.local.layout.sampleCa);
    for (const bidder of [main, ...others]) {
      const owner = SampleOwner.open(bidder, this.local.layout.owners);
      await owner.register(this.local.api('guangzhou'), this.consortiumFacts.domain, ca);
      if (bidder === main) this.owner = owner;
    }
    await this.local.whenEveryNode(async (api) => {
      await api.get(`/v1/owners/${this.owner.id}`);
      return true;
    });
    this.report.step('投标人凭证书登记密钥', 'the sample bidders registered their keys with certificates');
  }

  public async run(): Promise<WalkSummary> {
    this.platform = await this.local.client('zhuhai-platform');
    this.bank = await this.local.client('sample-bank');
    const records = await this.find();
    const refusedWithoutGrant = await this.askWithoutGrant(records);
    const platformGrant = await this.grant(this.platform, platformClaims, 'registration', 5);
    const { access: platformAccess, fields: fieldsReused } = await this.fillRegistration(records, platformGrant);
    const bankGrant = await this.grant(this.bank, bankClaims, 'credit-check', 2);
    const bankRead = await this.readAsBank(records, bankGrant);
    const refusedReplay = await this.replayBank(records, bankGrant);
    const refusedAfterRevocation = await this.revoke(records, platformGrant, platformAccess);
    const evidence = await this.evidence(bankRead.access.ticket);
    const trailEntries = await this.trail();
    return { refusedWithoutGrant, fieldsReused, fieldsReadByBank: bankRead.fields, refusedAfterCount: bankRead.refusedAfterCount, refusedAfterRevocation, refusedReplay, trailEntries, ...evidence };
  }

  /** Registered once, in Guangzhou; found from Zhuhai and Beijing. */
  private async find(): Promise<readonly FoundRecord[]> {
    this.report.heading('一处登记，处处使用', 'registered once, used everywhere');
    const [inZhuhai, inBeijing] = await Promise.all([collect(this.platform.query({ subject: this.owner.id })), collect(this.bank.query({ subject: this.owner.id }))]);
    const registered = inZhuhai.filter(({ header }) => header.kind === 'entity');
    mustBe(registered.length === 1 && registered[0]?.recordId.startsWith('guangzhou/') === true, 'one registration, in Guangzhou');
    mustBe(inZhuhai.length === inBeijing.length, 'the same records in Zhuhai and Beijing');
    this.report.step(`${this.owner.bidder.name} 在珠海和北京均可找到`, 'the bidder registered in Guangzhou is found in Zhuhai and Beijing');
    this.report.detail(`${String(inZhuhai.length)} records 条记录`);
    return inZhuhai;
  }

  private async askWithoutGrant(records: readonly FoundRecord[]): Promise<number> {
    const [entity] = pick(records, 'entity', 'guangzhou');
    const refusal = await refusalOf(this.platform.open({ recordIds: [entity?.recordId ?? ''], claims: ['identity'], purpose: 'registration' }));
    mustBe(refusal === 'GRANT_REQUIRED', `without a grant: ${String(refusal)}`);
    this.report.step('珠海平台未获授权，被拒绝', `Zhuhai's platform asks without a grant and is refused: ${String(refusal)}`);
    return 1;
  }

  /** A reader asks, the owner reads it in words and signs, the reader fetches the grant. */
  private async grant(reader: MemberClient, claims: readonly string[], purpose: Purpose, maxUses: number): Promise<GrantEnvelope> {
    const now = Math.floor(Date.now() / 1000);
    const reference = referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'sample project');
    const asked = await reader.ask({ owner: this.owner.id, claims, purpose, reference, notBefore: now - 60, expires: now + yearSeconds, maxUses });
    const words = renderGrant(grantOf(asked, `0x${'0'.repeat(64)}`));
    const nonce = `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
    const signed = await this.owner.wallet.signGrant(this.consortiumFacts.domain, grantOf(asked, nonce));
    const sent = this.sabotage === 'grant' ? { ...signed, grant: { ...signed.grant, maxUses: signed.grant.maxUses + 1 } } : signed;
    await this.apiOf(reader).post(`/v1/asks/${asked.id}/grant`, sent);
    const { grant } = await reader.findAsk(asked.id);
    if (grant === undefined) throw new StepFailed('the reader finds the grant');
    this.report.step('权属人阅读后签署授权', 'the owner reads it in words and signs');
    this.report.detail([...words.zh, ...words.en].join('\n'));
    return grant;
  }

  private async fillRegistration(records: readonly FoundRecord[], grant: GrantEnvelope): Promise<{ access: OpenedAccess; fields: number }> {
    if (this.sabotage === 'payload') await sabotagePayload(this.local, 'guangzhou');
    const entity = pick(records, 'entity', 'guangzhou').map(({ recordId }) => recordId);
    const qualifications = pick(records, 'qualification', 'guangzhou').map(({ recordId }) => recordId);
    const first = await this.readWith(this.platform, entity, ['contact', 'identity', 'registration', 'representative'], 'registration', grant);
    const second = await this.readWith(this.platform, qualifications, ['certificate', 'qualification'], 'registration', grant);
    const form = fillForm(registrationForm, [...first.records, ...second.records]);
    mustBe(form.missing.length === 0, `every field filled, missing ${form.missing.join()}`);
    this.keep('zhuhai-platform', 'registration-form.json', form);
    const fields = Object.keys(form.fields).length;
    this.report.step('珠海登记表由已核验数据填好，无一字段重新录入', "Zhuhai's registration form is filled with verified data, no field typed again");
    this.report.detail(`${String(fields)} fields 个字段`);
    return { access: first.access, fields };
  }

  /** The bank reads what it was granted, is refused what it was not, and is refused when the count has run out. */
  private async readAsBank(records: readonly FoundRecord[], grant: GrantEnvelope): Promise<{ access: OpenedAccess; fields: number; refusedAfterCount: number }> {
    const credit = pick(records, 'credit', 'guangzhou').filter(({ header }) => header.rights === 'owner').map(({ recordId }) => recordId);
    const performance = pick(records, 'performance', 'beijing').map(({ recordId }) => recordId);
    const first = await this.readWith(this.bank, credit, ['entry', 'score'], 'credit-check', grant);
    const notGranted = await refusalOf(this.bank.open({ recordIds: credit, claims: ['finding'], purpose: 'credit-check', grant }));
    mustBe(notGranted === 'GRANT_CLAIM_NOT_COVERED', `a claim that was not granted: ${String(notGranted)}`);
    const second = await this.readWith(this.bank, performance, ['contract', 'section'], 'credit-check', grant);
    const fields = countFields([...first.records, ...second.records]);
    this.report.step('银行只读到被授权的数据项', `the bank reads only the claims it was granted; another is refused: ${String(notGranted)}`);
    this.report.detail(`${String(fields)} fields 个字段`);
    const exhausted = await refusalOf(this.bank.open({ recordIds: credit, claims: ['entry'], purpose: 'credit-check', grant }));
    mustBe(exhausted === 'GRANT_EXHAUSTED', `after the last use: ${String(exhausted)}`);
    this.report.step('次数用尽后被拒绝', `the count has run out: ${String(exhausted)}`);
    return { access: first.access, fields, refusedAfterCount: 1 };
  }

  /** Another member sends the bank's own signed request with the bank's grant. */
  private async replayBank(records: readonly FoundRecord[], grant: GrantEnvelope): Promise<number> {
    const credit = pick(records, 'credit', 'guangzhou').filter(({ header }) => header.rights === 'owner').map(({ recordId }) => recordId);
    const request = await this.bank.prepare({ recordIds: credit, claims: ['entry'], purpose: 'credit-check', grant });
    const refusal = await refusalOf(this.platform.send(request, grant));
    mustBe(refusal === 'REQUEST_NOT_READER', `a replay by another member: ${String(refusal)}`);
    this.report.step('其他成员重放银行的请求，被拒绝', `another member replays the bank's request and is refused: ${String(refusal)}`);
    return 1;
  }

  private async revoke(records: readonly FoundRecord[], grant: GrantEnvelope, access: OpenedAccess): Promise<number> {
    const signer = this.sabotage === 'revocation' ? otherOwner(this.owner, this.local) : this.owner;
    const { basis } = access.state;
    const envelope = await signer.wallet.signRevocation(this.consortiumFacts.domain, { owner: this.owner.id, grant: basis.digest });
    const sent = this.local.api('zhuhai').post('/v1/revocations', envelope);
    // A sabotaged revocation is refused here; that it then ends nothing is for the next step to find.
    await (this.sabotage === 'revocation' ? sent.catch(() => undefined) : sent);
    await this.local.whenLevel();
    const [entity] = pick(records, 'entity', 'guangzhou');
    const next = await refusalOf(this.platform.open({ recordIds: [entity?.recordId ?? ''], claims: ['identity'], purpose: 'registration', grant }));
    mustBe(next === 'GRANT_REVOKED', `a new read after the revocation: ${String(next)}`);
    const again = await refusalOf(this.platform.resend(access.ticket));
    mustBe(again === 'TICKET_ENDED', `a live ticket after the revocation: ${String(again)}`);
    this.report.step('权属人撤销后，再次读取被拒绝', `the owner revokes; the next read and the live ticket are refused: ${String(next)}, ${String(again)}`);
    return 2;
  }

  private async evidence(ticket: string): Promise<{ evidenceVerified: boolean; tamperedRefused: boolean }> {
    const evidence = await this.bank.evidence(ticket);
    const text = JSON.stringify(evidence);
    this.keep('sample-bank', 'evidence.json', evidence);
    const report = await verifyEvidence(evidence, this.consortiumFacts.fingerprint);
    const tampered = await verifyTampered(text, this.consortiumFacts.fingerprint);
    mustBe(report.ok, `evidence: ${report.checks.filter(({ result }) => result === 'fails').map(({ id, why }) => `${id} ${String(why)}`).join('; ')}`);
    mustBe(tampered, 'a tampered copy is refused');
    this.report.step('证据包离线验证通过，改动一字节则不通过', 'the evidence verifies offline; a copy with one byte changed does not');
    for (const { en, result, zh } of report.checks) this.report.detail(`${result === 'holds' ? '✓' : '…'} ${zh} / ${en}${result === 'holds' ? '' : ` (${result})`}`);
    return { evidenceVerified: report.ok, tamperedRefused: tampered };
  }

  /** The owner's trail: the ledger's part and every centre's refusals. */
  private async trail(): Promise<number> {
    const { entries, missing, refusals } = await this.trailWithReceipts();
    mustBe(missing.length === 0, `every centre answers, missing ${missing.join()}`);
    const codes = new Set(refusals.flatMap((centre) => centre.refusals.map(({ code }) => code)));
    for (const code of ['GRANT_REQUIRED', 'GRANT_EXHAUSTED', 'GRANT_REVOKED', 'REQUEST_NOT_READER']) mustBe(codes.has(code), `the trail shows ${code}`);
    for (const what of ['registered', 'published', 'opened', 'confirmed', 'grant-revoked']) mustBe(entries.some((entry) => entry.what === what), `the trail shows ${what}`);
    const refused = refusals.reduce((sum, centre) => sum + centre.refusals.length, 0);
    this.report.step('足迹完整显示以上一切', 'the trail shows all of it');
    this.report.detail(`${String(entries.length)} on the ledger 链上 + ${String(refused)} refusals 拒绝, from ${String(centres.length)} centres`);
    return entries.length + refused;
  }

  /** Receipts are anchored in batches, a moment after they were sent: asks again until the trail shows every one of them. */
  private async trailWithReceipts(): Promise<Trail> {
    const deadline = performance.now() + receiptMilliseconds;
    for (;;) {
      const request = await this.owner.wallet.signTrailRequest(this.consortiumFacts.domain, this.owner.id);
      const trail = (await this.local.api('guangzhou').post('/v1/trails', request)) as Trail;
      const confirmed = new Set(trail.entries.flatMap(({ ticket, what }) => (what === 'confirmed' && ticket !== undefined ? [ticket] : [])));
      if ([...this.receipted].every((ticket) => confirmed.has(ticket))) return trail;
      mustBe(performance.now() < deadline, 'every receipt is anchored in time');
      await delay(100);
    }
  }

  private async readWith(reader: MemberClient, recordIds: readonly string[], claims: readonly string[], purpose: Purpose, grant: GrantEnvelope): Promise<{ access: OpenedAccess; records: readonly ReadRecord[] }> {
    const access = await reader.open({ recordIds, claims, purpose, grant });
    const records = await reader.read(access);
    await reader.receipt(access);
    this.receipted.add(access.ticket);
    this.keep(reader.memberId, `${access.ticket.replace('/', '-')}.json`, { ticket: access.ticket, records });
    return { access, records };
  }

  private apiOf(reader: MemberClient): NodeApi {
    return this.local.api(reader === this.bank ? 'beijing' : 'zhuhai');
  }

  private keep(reader: string, name: string, content: unknown): void {
    const folder = this.local.layout.reader(reader);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(path.join(folder, name), `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  }
}

function grantOf({ claims, expires, grantee, maxUses, notBefore, owner, purpose, reference }: Ask, nonce: string): object {
  return { claims, expires, grantee, maxUses, nonce, notBefore, owner, purpose, reference };
}

function pick(records: readonly FoundRecord[], kind: string, publisher: string): readonly FoundRecord[] {
  return records.filter(({ header, recordId }) => header.kind === kind && recordId.startsWith(`${publisher}/`));
}

function countFields(records: readonly ReadRecord[]): number {
  return records.flatMap(({ claims }) => Object.values(claims)).reduce<number>((sum, claim) => sum + (isJsonObject(claim) ? Object.keys(claim).length : 0), 0);
}

function otherOwner(owner: SampleOwner, local: LocalConsortium): SampleOwner {
  return SampleOwner.open({ ...owner.bidder, uscc: `not-${owner.bidder.uscc}` }, local.layout.owners);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Code of the refusal, or undefined where the call was answered. */
async function refusalOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}

/** Changes one hex digit of the ciphertext's digest: the file still reads, but nothing it says holds together. */
async function verifyTampered(text: string, fingerprint: string): Promise<boolean> {
  const at = text.indexOf('"jweDigest":"') + '"jweDigest":"'.length;
  const tampered = text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);
  try {
    return !(await verifyEvidence(JSON.parse(tampered), fingerprint)).ok;
  } catch (error) {
    if (error instanceof ProtocolError) return true;
    throw error;
  }
}
