import path from 'node:path';
import { Command, Option, SubCommand } from './declared-commands.js';
import { documentDigest, ProtocolError, readMemberDocument, rejectionReasons, rejectionReasonShape, toHex, type Domain, type RejectionReason } from '@huilian/protocol';
import type { JoinView } from '../../core/governance/joins.js';
import { readJsonFile, readText } from './command-files.js';
import { NodeCommand, nodeUrl, StateCommand, stateFolder, type CommandResult, type NodeOptions, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { ProcessActions } from './process-actions.js';

/** A request is taken in for so long; what became of it can be asked for long after. */
const requestSeconds = 3600;

interface RequestOptions extends StateOptions, NodeOptions {
  readonly ca?: string;
}

@SubCommand({
  name: 'request',
  description:
    "ask a centre's node to join, with the document that huilian init wrote, signed by its key / 申请加入联盟。Example: huilian join request --state ./bank --node https://node.example.org; huilian join request --state ./shenzhen --ca ca.pem --node https://node.example.org",
})
export class RequestJoinCommand extends StateCommand<RequestOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(_args: readonly string[], options: RequestOptions): Promise<CommandResult> {
    const { HttpDoor } = await import('@huilian/sdk');
    const door = new HttpDoor(nodeUrl(options));
    const document = readMemberDocument(readJsonFile(path.join(stateFolder(options), 'member.json')));
    const { domain } = await door.get<{ domain: Domain }>('/v1/consortium');
    const nonce = `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
    const ca = options.ca === undefined ? {} : { caCertificate: readText(options.ca) };
    const request = await this.actions.signJoin(stateFolder(options), { document, expires: Math.floor(Date.now() / 1000) + requestSeconds, nonce, salt: domain.salt, ...ca });
    const join = await door.post<JoinView>('/v1/joins', { request });
    return { json: join, text: `${describe(join)}\nfingerprint of the document, for the centres to compare 文件指纹 ${documentDigest(document)}\nask for the outcome 查询结果: huilian join status ${join.id} --node ${nodeUrl(options)}` };
  }

  @Option({ flags: '--node <url>', description: 'address of the node of the centre that is asked (default: $HUILIAN_NODE) / 节点地址' })
  public parseNode(value: string): string {
    return value;
  }

  @Option({ flags: '--ca <file>', description: 'centres only: PEM of the CA of its peers / 中心 CA 证书' })
  public parseCa(value: string): string {
    return value;
  }
}

@SubCommand({ name: 'status', arguments: '<id>', description: 'what became of a request to join, and why it was refused / 查询加入申请的结果与理由。Example: huilian join status 5f0c… --node https://node.example.org' })
export class JoinStatusCommand extends NodeCommand<NodeOptions> {
  protected async act([id = '']: readonly string[], options: NodeOptions): Promise<CommandResult> {
    const { HttpDoor } = await import('@huilian/sdk');
    const join = await new HttpDoor(nodeUrl(options)).get<JoinView>(`/v1/joins/${encodeURIComponent(id)}`);
    return { json: join, text: describe(join), failed: join.status === 'refused' || join.status === 'turned-away' };
  }
}

@SubCommand({ name: 'list', description: 'requests to join, at every centre / 加入申请列表。Example: huilian join list --state ./state' })
export class JoinListCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const found = (await NodeApi.open(stateFolder(options)).get('/v1/joins')) as { readonly items: readonly JoinView[]; readonly missing: readonly string[] };
    const lines = found.items.map(describe);
    const missing = found.missing.length === 0 ? [] : [`no answer from 未应答: ${found.missing.join(', ')}`];
    return { json: found, text: [...(lines.length === 0 ? ['no requests / 暂无申请'] : lines), ...missing].join('\n') };
  }
}

@SubCommand({ name: 'propose', arguments: '<id>', description: 'propose the admission that a request asks for / 据加入申请发起接纳提案。Example: huilian join propose 5f0c… --state ./state' })
export class ProposeJoinCommand extends StateCommand<StateOptions> {
  protected async act([id = '']: readonly string[], options: StateOptions): Promise<CommandResult> {
    const answer = (await NodeApi.open(stateFolder(options)).post(`/v1/joins/${encodeURIComponent(id)}/propose`, {})) as { readonly response: Readonly<Record<string, unknown>> };
    return { json: answer, text: `proposal 提案 ${String(answer.response['proposal'])}\n${String(answer.response['status'])}` };
  }
}

interface AnswerOptions extends StateOptions {
  readonly reason?: RejectionReason;
  readonly note?: string;
}

@SubCommand({
  name: 'answer',
  arguments: '<id>',
  description: "tell an applicant something, off the ledger; with a reason the request is turned away / 答复申请人。Example: huilian join answer 5f0c… --reason documents-incomplete --note 'the page of contact does not open'",
})
export class AnswerJoinCommand extends StateCommand<AnswerOptions> {
  protected async act([id = '']: readonly string[], options: AnswerOptions): Promise<CommandResult> {
    const { note, reason } = options;
    if (note === undefined && reason === undefined) throw new ProtocolError('BAD_FIELD', { path: '--note', reason: 'is needed, or --reason' });
    const body = { ...(note === undefined ? {} : { note }), ...(reason === undefined ? {} : { reason }) };
    const join = (await NodeApi.open(stateFolder(options)).post(`/v1/joins/${encodeURIComponent(id)}/answer`, body)) as JoinView;
    return { json: join, text: describe(join) };
  }

  @Option({ flags: '--reason <code>', description: `${Object.keys(rejectionReasons).join(', ')} / 理由` })
  public parseReason(value: string): RejectionReason {
    return rejectionReasonShape.read(value, '--reason');
  }

  @Option({ flags: '--note <text>', description: 'words for the applicant, no personal data / 说明' })
  public parseNote(value: string): string {
    return value;
  }
}

@Command({
  name: 'join',
  description: 'ask to join the consortium; see, propose and answer such requests / 加入联盟的申请与处理。Example: huilian join request --state ./bank --node https://node.example.org',
  subCommands: [RequestJoinCommand, JoinStatusCommand, JoinListCommand, ProposeJoinCommand, AnswerJoinCommand],
})
export class JoinCommand extends StateCommand<StateOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: '<command>', reason: 'one of request, status, list, propose, answer' }));
  }
}

const statusWords = { admitted: 'admitted 已加入', received: 'received 已收到', refused: 'refused 未通过', 'turned-away': 'turned away 未受理', voting: 'voting 表决中' } as const;

function describe({ answer, approvals = [], centre, document, id, reasons = {}, rejections = [], status }: JoinView): string {
  const why = rejections.map((by) => `${by} ${wordsOf(reasons[by])}`);
  return [
    `${id}  ${statusWords[status]}  ${document.kind} ${document.id}  ${document.name.zh} ${document.name.en}  at 受理 ${centre}`,
    ...(approvals.length > 0 ? [`  for 赞成 ${approvals.join(', ')}`] : []),
    ...(why.length > 0 ? [`  against 反对 ${why.join('; ')}`] : []),
    ...(answer === undefined ? [] : [`  ${centre}: ${[answer.reason === undefined ? '' : wordsOf(answer.reason), answer.note ?? ''].filter((part) => part !== '').join(' ')}`]),
  ].join('\n');
}

function wordsOf(reason: RejectionReason | undefined): string {
  if (reason === undefined || !Object.hasOwn(rejectionReasons, reason)) return '(no reason given 未说明理由)';
  const { en, zh } = rejectionReasons[reason];
  return `${reason}: ${en} / ${zh}`;
}
