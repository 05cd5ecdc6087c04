import path from 'node:path';
import { bundledKinds, isJsonObject, kindDefinition, ProtocolError, referenceOf, toHex, type GrantEnvelope, type Purpose, type Trail } from '@huilian/protocol';
import { verifyEvidence, type Consortium, type FoundRecord, type MemberClient, type OpenedAccess, type ReadRecord } from '@huilian/sdk';
import { describeSync } from '../../adapters/cli/sync-command.js';
import { kindOfFile, syncFiles } from '../../adapters/cli/sync-files.js';
import { FilesSource } from '../../adapters/sources/file-source.js';
import type { LocalConsortium } from './local-consortium.js';
import type { Report } from './report.js';
import { SampleCa } from './sample-ca.js';
import { SampleOwner } from './sample-owners.js';
import { whenPublished } from './sync-centres.js';

export interface OwnRowsSummary {
  readonly rows: number;
  readonly accepted: number;
  readonly unchanged: number;
  readonly refused: number;
  /** What of the rows was read at other centres, in fields. */
  readonly fieldsRead: number;
  readonly evidenceVerified: boolean;
}

const centre = 'guangzhou';
const yearSeconds = 365 * 86_400;
const purposes: Readonly<Record<string, Purpose>> = { credit: 'credit-check', performance: 'performance-check', qualification: 'qualification-check' };

/**
 * The walk-through on a newcomer's own rows: judged, published by one centre, found and read at another with the owner's
 * grant, revoked, proved. The owner's key is made here and certified by the invented sample CA; nothing leaves the machine.
 */
export class OwnRows {
  private consortium!: Consortium;

  public constructor(
    private readonly local: LocalConsortium,
    private readonly report: Report,
    private readonly files: readonly { readonly file: string; readonly kind: string }[],
  ) {}

  public async run(): Promise<OwnRowsSummary> {
    this.report.heading('您自己的数据：只在本机', 'your own rows: nothing leaves this machine');
    this.consortium = await this.local.consortium();
    const { counts, recordIds } = await this.sync();
    const bank = await this.local.client('sample-bank');
    const found = await this.find(bank, recordIds);
    const owned = found.find(({ header }) => header.owner !== undefined);
    const openly = found.find(({ header }) => header.rights === 'public');
    const shown = openly === undefined ? 0 : await this.readPublic(bank, openly);
    const granted = owned === undefined ? { evidenceVerified: false, fields: 0 } : await this.readOwned(bank, owned);
    if (owned === undefined && openly === undefined) this.report.step('这些记录由发布方开放，需要其策略', "these records are their publisher's, whose policy would open them");
    return { ...counts, evidenceVerified: granted.evidenceVerified, fieldsRead: shown + granted.fields };
  }

  /** @throws BAD_FIELD where not one row can be taken */
  private async sync(): Promise<{ readonly counts: Omit<OwnRowsSummary, 'evidenceVerified' | 'fieldsRead'>; readonly recordIds: readonly string[] }> {
    const recordIds: string[] = [];
    const { failure, report } = await syncFiles(this.local.api(centre), new FilesSource(this.files), { onRecord: (id) => recordIds.push(id) });
    this.report.step('您的文件已逐行检查并入库', 'your files were judged row by row and taken in');
    this.report.detail(describeSync(report));
    if (failure !== undefined) throw failure;
    if (recordIds.length === 0) throw new ProtocolError('BAD_FIELD', { path: '--with', reason: 'not one row can be taken: see why above, or try the rows with huilian sync --dry-run / 没有可接收的行，原因见上' });
    await whenPublished(this.local);
    this.report.step('已上链，三个中心均已索引', 'they are on the ledger, and every centre has indexed them');
    const { accepted, refusedRows: refused, rows, unchanged } = report;
    return { counts: { accepted, refused, rows, unchanged }, recordIds };
  }

  private async find(bank: MemberClient, recordIds: readonly string[]): Promise<readonly FoundRecord[]> {
    const own = new Set(recordIds);
    const found: FoundRecord[] = [];
    for await (const record of bank.query({ publisher: centre })) if (own.has(record.recordId)) found.push(record);
    this.report.step('北京的银行可找到这些记录的记录头，看不到内容', 'a bank at Beijing finds their headers, and none of their content');
    this.report.detail(`${String(found.length)} records 条记录`);
    return found;
  }

  private async readPublic(bank: MemberClient, { recordId }: FoundRecord): Promise<number> {
    const fields = countFields([await bank.readPublic(recordId)]);
    this.report.step('公开记录可直接读取并验证', 'a public record is read and verified without a grant');
    this.report.detail(`${String(fields)} fields 个字段`);
    return fields;
  }

  /** Refused without a grant, read with it, refused once it is revoked, and proved. */
  private async readOwned(bank: MemberClient, { header, recordId }: FoundRecord): Promise<{ readonly fields: number; readonly evidenceVerified: boolean }> {
    const owner = await this.register(header.owner ?? '');
    const claims = Object.keys(kindDefinition(header.kind, header.schema)?.claims ?? {}).sort();
    const purpose = purposes[header.kind] ?? 'registration';
    const terms = { claims, purpose, recordIds: [recordId] };
    const without = await refusalOf(bank.open(terms));
    this.report.step('银行未获授权，被拒绝', `the bank asks without a grant and is refused: ${without}`);
    const grant = await this.grant(bank, owner, claims.map((claim) => `${header.kind}/${claim}`), purpose);
    const access = await bank.open({ ...terms, grant });
    const records = await bank.read(access);
    await bank.receipt(access);
    const fields = countFields(records);
    this.report.step('权属人签署授权后，银行读到并验证了内容', 'with the grant of its owner the bank reads and verifies it');
    this.report.detail(`${String(fields)} fields 个字段: ${records.flatMap((record) => Object.keys(record.claims)).join(', ')}`);
    await this.revoke(bank, owner, access, { ...terms, grant });
    const evidence = await verifyEvidence(await bank.evidence(access.ticket), this.consortium.fingerprint);
    const trail = (await this.local.api(centre).post('/v1/trails', await owner.wallet.signTrailRequest(this.consortium.domain, owner.id))) as Trail;
    this.report.step('证据包离线验证通过，足迹可查', 'the evidence verifies offline, and the owner sees its trail');
    this.report.detail(`${String(trail.entries.length)} entries on the ledger 链上记录`);
    return { evidenceVerified: evidence.ok, fields };
  }

  private async register(id: string): Promise<SampleOwner> {
    const uscc = id.slice('org:'.length);
    const owner = SampleOwner.open({ centre, name: uscc, uscc }, this.local.layout.owners);
    await owner.register(this.local.api(centre), this.consortium.domain, await SampleCa.open(this.local.layout.sampleCa));
    await this.local.whenEveryNode(async (api) => {
      await api.get(`/v1/owners/${owner.id}`);
      return true;
    });
    this.report.step('权属人在本机得到示例密钥并登记', 'its owner gets a sample key on this machine, and it is registered');
    return owner;
  }

  private async grant(bank: MemberClient, owner: SampleOwner, claims: readonly string[], purpose: Purpose): Promise<GrantEnvelope> {
    const now = Math.floor(Date.now() / 1000);
    const reference = referenceOf(crypto.getRandomValues(new Uint8Array(16)), 'sample project');
    const nonce = `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
    return await owner.wallet.signGrant(this.consortium.domain, { claims, expires: now + yearSeconds, grantee: bank.memberId, maxUses: 1, nonce, notBefore: now - 60, owner: owner.id, purpose, reference });
  }

  private async revoke(bank: MemberClient, owner: SampleOwner, access: OpenedAccess, terms: Parameters<MemberClient['open']>[0]): Promise<void> {
    const envelope = await owner.wallet.signRevocation(this.consortium.domain, { grant: access.state.basis.digest, owner: owner.id });
    await this.local.api(centre).post('/v1/revocations', envelope);
    await this.local.whenLevel();
    this.report.step('权属人撤销后，再次读取被拒绝', `its owner revokes; the next read is refused: ${await refusalOf(bank.open(terms))}`);
  }
}

/** What `--with` names: each of the kind that its name says, or of the one that is given. @throws CSV_INVALID */
export function ownFiles(files: readonly string[], kind: string | undefined): readonly { readonly file: string; readonly kind: string }[] {
  const kinds = [...new Set(bundledKinds().map((definition) => definition.kind))];
  return files.map((file) => ({ file: path.resolve(file), kind: kindOfFile(file, kinds, kind) }));
}

function countFields(records: readonly ReadRecord[]): number {
  return records.flatMap(({ claims }) => Object.values(claims)).reduce<number>((sum, claim) => sum + (isJsonObject(claim) ? Object.keys(claim).length : 0), 0);
}

/** @throws INTERNAL where the call was answered, which it must not be */
async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  throw new ProtocolError('INTERNAL', { reason: 'a read that must be refused was answered' });
}
