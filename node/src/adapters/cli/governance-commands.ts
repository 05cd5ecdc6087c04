import { existsSync, renameSync } from 'node:fs';
import { Command, Option, SubCommand } from './declared-commands.js';
import { documentDigest, proposalActions, ProtocolError, readCharter, rejectionReasons, rejectionReasonShape, type Domain, type MemberState, type ProposalAction, type RejectionReason } from '@huilian/protocol';
import { readJsonFile, readMemberKeys, writeJsonFile } from './command-files.js';
import { given, nodeUrl, parsePositive, StateCommand, stateFolder, type CommandResult, type NodeOptions, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { ProcessActions } from './process-actions.js';
import { parseMoment, proposalContent, type ProposalOptions } from './proposal-content.js';

interface Answer {
  readonly transactionId: string;
  readonly response: Readonly<Record<string, unknown>>;
}

interface FoundOptions extends StateOptions {
  readonly charter?: string;
}

@SubCommand({
  name: 'found',
  description: 'sign the charter for this centre; the last founder completes it / 签署章程，成立联盟。Example: huilian governance found --state ./state --charter charter.json',
})
export class FoundCommand extends StateCommand<FoundOptions> {
  protected async act(_args: readonly string[], options: FoundOptions): Promise<CommandResult> {
    const charter = readCharter(readJsonFile(given(options.charter, '--charter')));
    const answer = (await NodeApi.open(stateFolder(options)).post('/v1/governance/found', { charter })) as Answer;
    const missing = answer.response['missing'];
    const waiting = Array.isArray(missing) && missing.length > 0 ? `waiting for 尚待 ${missing.join(', ')}` : 'the consortium is founded / 联盟已成立';
    return { json: { ...answer, fingerprint: documentDigest(charter) }, text: `${waiting}\nfingerprint 章程指纹 ${documentDigest(charter)}` };
  }

  @Option({ flags: '--charter <file>', description: 'the charter, JSON, the same at every founder / 章程文件' })
  public parseCharter(value: string): string {
    return value;
  }
}

interface ProposeOptions extends StateOptions, ProposalOptions {
  readonly round?: number;
}

@SubCommand({
  name: 'propose',
  arguments: '<action> <content>',
  argsDescription: {
    action: `${proposalActions.join(', ')}; schema is publish-schema / 事项`,
    content:
      'schema, migration: its document; admit: member document; trust-ca: PEM file; suspend: member id; code-set, rule-set: content file, or the document with --name; retire: schema/KIND/VERSION, code-set/NAME/VERSION, rule-set/NAME/VERSION or ca/FINGERPRINT / 内容',
  },
  description:
    'propose something to the centres / 发起提案。Example: huilian governance propose schema forest-right.json --effective 2027-01-01; huilian governance propose retire schema/forest-right/1 --retires 2027-07-01; huilian governance propose migration forest-right-1-to-2.json; huilian governance propose code-set regions.json --name region --version-number 1; huilian governance propose rule-set rules.json --name completeness; huilian governance propose admit bank/member.json; huilian governance propose suspend sample-bank; huilian governance propose trust-ca ca.pem --name-zh 示例 --name-en Sample --uscc-oid 1.2.156.10260.4.1.4',
})
export class ProposeCommand extends StateCommand<ProposeOptions> {
  protected async act([name = '', content = '']: readonly string[], options: ProposeOptions): Promise<CommandResult> {
    const action = actionOf(name);
    const body = { action, content: proposalContent(action, content, options), round: options.round ?? 1 };
    return describeDecision((await NodeApi.open(stateFolder(options)).post('/v1/governance/propose', body)) as Answer);
  }

  @Option({ flags: '--round <n>', description: 'propose the same content again after a rejection (default 1) / 第几轮' })
  public parseRound(value: string): number {
    return parsePositive(value, '--round');
  }

  @Option({ flags: '--ca <file>', description: 'admit, centres only: PEM of the CA of its peers / 中心 CA 证书' })
  public parseCa(value: string): string {
    return value;
  }

  @Option({ flags: '--effective <day>', description: 'schema, code-set, rule-set, trust-ca: in force from this day on (Beijing); at once without it / 生效日期' })
  public parseEffective(value: string): number {
    return parseMoment(value, '--effective');
  }

  @Option({ flags: '--retires <day>', description: 'the day on which it ends / 停用日期' })
  public parseRetires(value: string): number {
    return parseMoment(value, '--retires');
  }

  @Option({ flags: '--name <name>', description: 'code-set, rule-set: name, where the file is the document alone / 名称' })
  public parseName(value: string): string {
    return value;
  }

  @Option({ flags: '--version-number <n>', description: 'with --name: its version (default 1) / 版本' })
  public parseVersion(value: string): number {
    return parsePositive(value, '--version-number');
  }

  @Option({ flags: '--name-zh <name>', description: 'trust-ca: Chinese name / 中文名称' })
  public parseNameZh(value: string): string {
    return value;
  }

  @Option({ flags: '--name-en <name>', description: 'trust-ca: English name / 英文名称' })
  public parseNameEn(value: string): string {
    return value;
  }

  @Option({ flags: '--uscc-oid <oid>', description: 'trust-ca: extension that carries the USCC, repeat for each / 统一社会信用代码扩展项' })
  public parseUsccOid(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }
}

@SubCommand({ name: 'approve', arguments: '<proposal>', description: 'vote for a proposal / 赞成提案。Example: huilian governance approve 5f0c…' })
export class ApproveCommand extends StateCommand<StateOptions> {
  protected async act([proposal = '']: readonly string[], options: StateOptions): Promise<CommandResult> {
    return describeDecision((await NodeApi.open(stateFolder(options)).post('/v1/governance/approve', { proposal })) as Answer);
  }
}

interface RejectOptions extends StateOptions {
  readonly reason?: RejectionReason;
}

@SubCommand({ name: 'reject', arguments: '<proposal>', description: 'vote against a proposal, with why / 反对提案。Example: huilian governance reject 5f0c… --reason documents-incomplete' })
export class RejectCommand extends StateCommand<RejectOptions> {
  protected async act([proposal = '']: readonly string[], options: RejectOptions): Promise<CommandResult> {
    const { reason } = options;
    const body = { proposal, ...(reason === undefined ? {} : { reason }) };
    return describeDecision((await NodeApi.open(stateFolder(options)).post('/v1/governance/reject', body)) as Answer);
  }

  @Option({ flags: '--reason <code>', description: `${Object.keys(rejectionReasons).join(', ')} / 理由` })
  public parseReason(value: string): RejectionReason {
    return rejectionReasonShape.read(value, '--reason');
  }
}

interface Proposal {
  readonly action: string;
  readonly approvals: readonly string[];
  readonly id: string;
  readonly proposer: string;
  readonly reasons?: Readonly<Record<string, RejectionReason>>;
  readonly rejections: readonly string[];
  readonly status: string;
}

@SubCommand({ name: 'list', description: 'all proposals and their votes / 提案列表。Example: huilian governance list --json' })
export class ProposalsCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const items = (await NodeApi.open(stateFolder(options)).all('/v1/governance/proposals')) as readonly Proposal[];
    const lines = items.map(
      ({ action, approvals, id, proposer, reasons = {}, rejections, status }) =>
        `${id}  ${statusWords[status] ?? status}  ${action}  by 提案 ${proposer}  for 赞成 ${approvals.join(',') || '-'}  against 反对 ${rejections.map((centre) => withReason(centre, reasons[centre])).join(',') || '-'}`,
    );
    return { json: { items }, text: lines.length === 0 ? 'no proposals / 暂无提案' : lines.join('\n') };
  }
}

interface RotateKeysOptions extends StateOptions, NodeOptions {
  readonly memberKeys?: string;
}

@SubCommand({
  name: 'rotate-keys',
  description:
    "change a member's signing and encryption keys, signed by the old one, without a vote / 更换成员密钥。Example: huilian governance rotate-keys --state ./state; huilian governance rotate-keys --member-keys member-keys.json --node https://node.example.org",
})
export class RotateKeysCommand extends StateCommand<RotateKeysOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(_args: readonly string[], options: RotateKeysOptions): Promise<CommandResult> {
    const { kept, member } = options.memberKeys === undefined ? await this.rotateNode(stateFolder(options)) : await rotateHosted(options.memberKeys, options);
    const restart = options.memberKeys === undefined ? '\nstart the node again at once: until then it signs with the old key / 请立即重启节点，重启前仍以旧密钥签名' : '';
    return { json: { member, kept, restart: restart !== '' }, text: `${member}: keys changed / 密钥已更换\nold keys kept in 旧密钥留存于 ${kept}${restart}` };
  }

  private async rotateNode(state: string): Promise<Rotated> {
    const api = NodeApi.open(state);
    const { domain, node } = (await api.get('/v1/consortium')) as { domain: Domain; node: string };
    const { document } = (await api.get(`/v1/members/${node}`)) as MemberState;
    const rotation = await this.actions.prepareKeys(state, domain.salt, document.signingKey);
    // Absent where an earlier try reached the ledger and ended before the files were changed.
    if (rotation !== undefined) await api.post('/v1/member-keys/rotate', { rotation });
    return { member: node, kept: await this.actions.adoptKeys(state) };
  }

  @Option({ flags: '--member-keys <file>', description: 'keys of a member without a node, at --node; the file is replaced / 成员密钥文件' })
  public parseMemberKeys(value: string): string {
    return value;
  }

  @Option({ flags: '--node <url>', description: 'with --member-keys: address of its host (default: $HUILIAN_NODE) / 节点地址' })
  public parseNode(value: string): string {
    return value;
  }
}

interface Rotated {
  readonly member: string;
  /** Where the old keys are. */
  readonly kept: string;
}

/** The new keys are on disk before the ledger hears of them; a second try goes on where the first one ended. */
async function rotateHosted(file: string, options: NodeOptions): Promise<Rotated> {
  const { generateMemberKeys, MemberClient, publicKeysOf } = await import('@huilian/sdk');
  const [draft, kept] = [`${file}.next`, `${file}.before`];
  const keys = readMemberKeys(file);
  const next = existsSync(draft) ? readMemberKeys(draft) : await generateMemberKeys(keys.memberId);
  if (!existsSync(draft)) writeJsonFile(draft, next);
  const client = await MemberClient.connect(nodeUrl(options), keys);
  const { signingKey } = (await client.member(keys.memberId)).document;
  if (signingKey.x !== publicKeysOf(next).signingKey.x) await client.rotateKeys(next);
  renameSync(file, kept);
  renameSync(draft, file);
  return { member: keys.memberId, kept };
}

@Command({
  name: 'governance',
  description:
    'found the consortium, propose and vote / 治理：成立、提案、表决。Example: huilian governance list --state ./state; huilian governance propose schema forest-right.json; huilian governance approve 5f0c…; huilian governance reject 5f0c… --reason content-wrong',
  subCommands: [FoundCommand, ProposeCommand, ApproveCommand, RejectCommand, ProposalsCommand, RotateKeysCommand],
})
export class GovernanceCommand extends StateCommand<StateOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: '<command>', reason: 'one of found, propose, approve, reject, list, rotate-keys' }));
  }
}

const statusWords: Readonly<Record<string, string>> = { adopted: 'adopted 已通过', open: 'open 表决中', rejected: 'rejected 已否决' };

function withReason(centre: string, reason: RejectionReason | undefined): string {
  return reason === undefined ? centre : `${centre} (${reason} ${rejectionReasons[reason].zh})`;
}

function actionOf(name: string): ProposalAction {
  const action = proposalActions.find((known) => known === name || known === `publish-${name}`);
  if (action === undefined) throw new ProtocolError('BAD_FIELD', { path: '<action>', reason: `one of ${proposalActions.join(', ')}` });
  return action;
}

function describeDecision(answer: Answer): CommandResult {
  const { proposal, status } = answer.response;
  return { json: answer, text: `proposal 提案 ${String(proposal)}\n${statusWords[String(status)] ?? String(status)}` };
}
