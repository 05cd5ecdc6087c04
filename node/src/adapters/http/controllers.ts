import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  anyOwnerShape,
  approveArgumentShape,
  charterShape,
  errorBody,
  grantEnvelopeShape,
  integer,
  kindShape,
  jwsShape,
  list,
  memberIdShape,
  object,
  oneOf,
  optional,
  ownerIdShape,
  parseRecordId,
  ProtocolError,
  proposeArgumentShape,
  rejectArgumentShape,
  revocationEnvelopeShape,
  signedStatementShape,
  trailRequestEnvelopeShape,
  recordId,
  text,
  type ErrorCode,
  type JsonObject,
  type Read,
} from '@huilian/protocol';
import { askShape } from '../../core/access/asks.js';
import { inBody, proposed } from './act-objects.js';
import { answers, anyAnswer, pageQuery } from './answer-schemas.js';
import { CallingMember, Operator, SignedIn } from './caller.js';
import { Cursors, listQuery, readPage } from './cursors.js';
import { readQuery } from './declared-guard.js';
import { administrators, daily, Declare, everyRole, jsonHeader, ledgerCodes, readLater, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import { streamType } from './read-bodies.js';
import { SignIn, type Caller, type SignedInCaller } from './sign-in.js';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const tokenShape = object({ client_assertion: text(/[A-Za-z0-9_.-]+/, 4096), client_assertion_type: oneOf(assertionType), grant_type: oneOf('client_credentials') });
const accessShape = object({ grant: optional(readLater(grantEnvelopeShape)), request: jwsShape });
const receiptBodyShape = object({ receipt: jwsShape });
const ownerBodyShape = object({ chain: list(text(/[A-Za-z0-9+/=]+/, 16_384), 1, 5), statement: readLater(signedStatementShape) });
const charterBodyShape = object({ charter: readLater(charterShape) });
const recordQuery = object({
  ...pageQuery,
  kind: optional(kindShape),
  owner: optional(anyOwnerShape),
  publisher: optional(memberIdShape),
  status: optional(oneOf('active', 'revoked', 'contested')),
  subject: optional(ownerIdShape),
});
const publishQuery = object({ dryRun: optional(oneOf('true', 'false')) });
const versionQuery = object({ version: optional(integer(1)) });
const recordLines: JsonObject = { type: 'string', description: 'one JSON object per line: {kind, data} or {kind, row, mapping, source}; see docs/protocol/kinds.md' };

const governanceCodes: readonly ErrorCode[] = ['NOT_FOUNDED', 'NOT_A_CENTRE', 'PROPOSAL_INVALID', 'SCHEMA_INVALID', 'PROPOSAL_EXISTS', 'PROPOSAL_UNKNOWN', 'PROPOSAL_CLOSED', 'ALREADY_VOTED', ...ledgerCodes];
const accessCodes: readonly ErrorCode[] = ['REQUEST_MALFORMED', 'REQUEST_BAD_SIGNATURE', 'REQUEST_WRONG_DOMAIN', 'REQUEST_MIXED', 'REQUEST_EXPIRED', 'REQUEST_ID_REUSED', 'REQUEST_NOT_READER', 'GRANT_REQUIRED', 'GRANT_NOT_OWNER', 'GRANT_EXPIRED', 'GRANT_EXHAUSTED', 'GRANT_REVOKED', 'RECORD_UNKNOWN', 'RECORD_REVOKED', 'RECORD_STALE', 'MERKLE_PATH_INVALID', 'PUBLISHER_UNAVAILABLE', 'EXCHANGE_FAILED', 'ERASED', ...ledgerCodes];

/** What anyone may know: health, the consortium, its members. */
@Controller()
export class OpenController {
  public constructor(
    private readonly services: NodeServices,
    private readonly signIn: SignIn,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'health', en: 'the process is up', zh: '进程存活', who: 'anyone', answer: answers.health, curl: 'curl -s $NODE/healthz' })
  @Get('healthz')
  public health(): object {
    return { status: 'up' };
  }

  @Declare({ id: 'ready', en: 'ready to serve, with reasons where it is not', zh: '是否就绪及原因', who: 'anyone', answer: answers.ready, also: [503], curl: 'curl -s $NODE/readyz' })
  @Get('readyz')
  public ready(@Res({ passthrough: true }) reply: FastifyReply): object {
    const reasons = this.services.notReady();
    if (reasons.length > 0) void reply.status(503);
    return { ready: reasons.length === 0, reasons };
  }

  @Declare({ id: 'signIn', en: 'sign in by private-key JWT (RFC 7523)', zh: '以私钥 JWT 登录', who: 'anyone', body: tokenShape, form: true, bodyBytes: 16_384, counted: true, answer: answers.token, codes: ['REPLAYED'], curl: `curl -s ${jsonHeader} -d "{\\"grant_type\\":\\"client_credentials\\",\\"client_assertion_type\\":\\"${assertionType}\\",\\"client_assertion\\":\\"$ASSERTION\\"}" $NODE/v1/token` })
  @Post('v1/token')
  @HttpCode(200)
  public async token(@Body() body: unknown): Promise<object> {
    return await this.signIn.exchange(tokenShape.read(body).client_assertion);
  }

  @Declare({ id: 'signInMetadata', en: 'where and how to sign in (RFC 8414)', zh: '登录服务元数据', who: 'anyone', answer: anyAnswer, curl: 'curl -s $NODE/.well-known/oauth-authorization-server' })
  @Get('.well-known/oauth-authorization-server')
  public signInMetadata(): object {
    return this.signIn.metadata();
  }

  @Declare({ id: 'consortium', en: 'charter, fingerprint, domain, height', zh: '章程、指纹、域与高度', who: 'anyone', answer: answers.consortium, codes: ['NOT_FOUNDED'], curl: 'curl -s $NODE/v1/consortium' })
  @Get('v1/consortium')
  public consortium(): object {
    const charter = this.services.readModel.charter();
    if (charter === undefined) throw new ProtocolError('NOT_FOUNDED');
    const { chaincode, channel, digest, document, domain, founding } = charter;
    return { chaincode, channel, charter: document, domain, fingerprint: digest, founding, height: this.services.readModel.height(), node: this.services.memberId };
  }

  @Declare({ id: 'members', en: 'members', zh: '成员列表', who: 'anyone', query: listQuery, answer: answers.members, curl: 'curl -s "$NODE/v1/members?limit=2"' })
  @Get('v1/members')
  public async members(@Query() query: Record<string, string>): Promise<object> {
    return this.cursors.page('members', await this.services.readModel.members(), readPage(query));
  }

  @Declare({ id: 'member', en: 'one member', zh: '单个成员', who: 'anyone', answer: answers.member, codes: ['MEMBER_UNKNOWN'], curl: 'curl -s $NODE/v1/members/$MEMBER' })
  @Get('v1/members/:member')
  public member(@Param('member') id: string): object {
    const member = this.services.readModel.member(memberIdShape.read(id));
    if (member === undefined) throw new ProtocolError('MEMBER_UNKNOWN');
    return member;
  }
}

/** Records: publishing by the centre and its platforms, searching by members. */
@Controller('v1')
export class RecordsController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'publish', en: 'publish records: NDJSON up, answers and signed acknowledgements down; with dryRun=true nothing is kept', zh: '发布记录（NDJSON 流）；dryRun=true 只检查', who: 'publisher', roles: daily, act: 'records.publish', query: publishQuery, stream: { type: streamType, schema: recordLines }, answer: recordLines, answerType: streamType, codes: ['CANONICAL_INVALID', 'DISK_NEARLY_FULL', 'OUTBOX_TAIL_LOST'], curl: `curl -s ${tokenHeader} -H 'content-type: application/x-ndjson' --data-binary @$FILE $NODE/v1/records` })
  @Post('records')
  public async publish(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Query() { dryRun }: Record<string, string>): Promise<void> {
    const upload = request.body as Readable;
    // What is not read of a refused stream is let go by; ending it would end the connection before the answer is out.
    reply.raw.once('finish', () => upload.resume());
    const answers = this.services.intake(upload.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>, { dryRun: dryRun === 'true' })[Symbol.asyncIterator]();
    // Until the first answer there is a status to give: a node that takes nothing says so by it.
    const first = await answers.next();
    void reply.status(200).header('content-type', streamType).send(Readable.from(this.lines(from(first, answers))));
  }

  @Declare({ id: 'records', en: 'records on the ledger, newest first', zh: '查询账本记录', who: 'signed-in', roles: everyRole, query: recordQuery, answer: answers.records, codes: ['BAD_ID'], curl: `curl -s ${tokenHeader} "$NODE/v1/records?kind=credit&limit=5"` })
  @Get('records')
  public async search(@SignedIn() _caller: SignedInCaller, @Query() query: Record<string, string>): Promise<object> {
    const { cursor, limit = 100, ...filter } = readQuery({ query: recordQuery }, query) as Read<typeof recordQuery>;
    const from = cursor === undefined ? {} : { cursor: this.cursors.open('records', filter, cursor) };
    const { cursor: place, items } = await this.services.readModel.records({ ...filter, ...from, limit });
    return { items, ...(place === undefined ? {} : { cursor: this.cursors.seal('records', filter, place) }) };
  }

  @Declare({ id: 'record', en: 'one record, its place and its batch', zh: '单条记录及其位置', who: 'signed-in', roles: everyRole, query: versionQuery, answer: answers.record, codes: ['BAD_ID', 'RECORD_UNKNOWN'], curl: `curl -s ${tokenHeader} $NODE/v1/records/$RECORD` })
  @Get('records/:publisher/:kind/:localId')
  public record(@SignedIn() _caller: SignedInCaller, @Param() place: Record<string, string>, @Query('version') version?: string): object {
    const id = recordIdOf(place);
    const { readModel } = this.services;
    const number = version === undefined ? undefined : integer(1).read(Number(version), '/version');
    const record = number === undefined ? readModel.record(id) : readModel.recordVersion(id, number);
    const placed = readModel.placedHeader(id, number);
    const batch = placed === undefined ? undefined : readModel.batch(place['publisher'] ?? '', placed.seq);
    if (record === undefined || placed === undefined || batch === undefined) throw new ProtocolError('RECORD_UNKNOWN', { record: id });
    const { block, count, root, time, transactionId } = batch;
    return { record, placed, batch: { block, count, root, time, transactionId } };
  }

  @Declare({ id: 'publicRecord', en: 'presentation of a public record', zh: '公开记录内容', who: 'signed-in', roles: everyRole, answer: answers.presentation, codes: ['BAD_ID', 'RECORD_UNKNOWN', 'GRANT_REQUIRED', 'RECORD_REVOKED', 'PUBLISHER_UNAVAILABLE', 'EXCHANGE_FAILED', 'ERASED'], curl: `curl -s ${tokenHeader} $NODE/v1/records/$PUBLIC/public` })
  @Get('records/:publisher/:kind/:localId/public')
  public async publicRecord(@SignedIn() _caller: SignedInCaller, @Param() place: Record<string, string>): Promise<object> {
    return { presentation: await this.services.publicRecord(recordIdOf(place)) };
  }

  private async *lines(groups: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
    try {
      for await (const answers of groups) yield answers.map((answer) => `${JSON.stringify(answer)}\n`).join('');
    } catch (error) {
      // The status line has left already, so the error comes as the last line.
      if (!(error instanceof ProtocolError)) this.services.reportFault(error);
      yield `${JSON.stringify({ error: errorBody(error instanceof ProtocolError ? error : new ProtocolError('INTERNAL')) })}\n`;
    }
  }
}

/** Asks, tickets, releases, receipts, evidence: a reader's calls. */
@Controller('v1')
export class AccessController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({ id: 'ask', en: 'a wish for a grant, for the owner to answer', zh: '发起授权请求', who: 'member', body: askShape, answer: answers.ask, status: 201, codes: ['PURPOSE_UNKNOWN'], curl: `curl -s ${tokenHeader} ${jsonHeader} -d @$ASK $NODE/v1/asks` })
  @Post('asks')
  public async ask(@CallingMember() member: string, @Body() body: unknown): Promise<object> {
    return await this.services.asks.ask(member, body);
  }

  @Declare({ id: 'findAsk', en: 'a wish and its answer, for who knows its id', zh: '查看授权请求', who: 'anyone', answer: answers.ask, codes: ['NOT_FOUND'], curl: 'curl -s $NODE/v1/asks/$ASK_ID' })
  @Get('asks/:ask')
  public findAsk(@Param('ask') id: string): object {
    return this.services.asks.find(id);
  }

  @Declare({ id: 'answerAsk', en: "the owner's grant for a wish", zh: '权属人答复授权', who: 'anyone', body: readLater(grantEnvelopeShape), counted: true, answer: answers.ask, codes: ['NOT_FOUND', 'OWNER_UNKNOWN', 'NOT_FOUNDED', 'PURPOSE_UNKNOWN', 'GRANT_BAD_SIGNATURE', 'GRANT_NONCANONICAL_SIG', 'GRANT_WRONG_DOMAIN', 'GRANT_SUITE_UNSUPPORTED'], curl: `curl -s ${jsonHeader} -d @$GRANT $NODE/v1/asks/$ASK_ID/grant` })
  @Post('asks/:ask/grant')
  @HttpCode(200)
  public async answerAsk(@Param('ask') id: string, @Body() body: unknown): Promise<object> {
    return await this.services.asks.answer(id, body);
  }

  @Declare({ id: 'openAccess', en: "a reader's signed request: ticket and encrypted release", zh: '访问请求：取得凭证与密文', who: 'member', body: accessShape, answer: answers.access, also: [202], codes: accessCodes, curl: `curl -s ${tokenHeader} ${jsonHeader} -d @$REQUEST $NODE/v1/access-requests` })
  @Post('access-requests')
  @HttpCode(200)
  public async request(@CallingMember() member: string, @Body() body: unknown): Promise<object> {
    const { grant, request } = accessShape.read(body);
    return await this.services.relay.relay(member, request, grant);
  }

  @Declare({ id: 'ticket', en: 'a ticket of the caller', zh: '查看凭证', who: 'member', answer: answers.ticket, codes: ['TICKET_UNKNOWN', 'TICKET_OTHER_READER'], curl: `curl -s ${tokenHeader} $NODE/v1/tickets/$TICKET` })
  @Get('tickets/:transaction/:index')
  public ticket(@CallingMember() member: string, @Param('transaction') transaction: string, @Param('index') index: string): object {
    const id = `${transaction}/${index}`;
    return { ticket: id, state: this.services.relay.ownTicket(member, id) };
  }

  @Declare({ id: 'release', en: "a live ticket's release again", zh: '再次取得密文', who: 'member', answer: answers.access, codes: ['TICKET_UNKNOWN', 'TICKET_OTHER_READER', 'TICKET_ENDED', 'TICKET_REFUSED', 'PUBLISHER_UNAVAILABLE', 'EXCHANGE_FAILED', 'ERASED'], curl: `curl -s ${tokenHeader} $NODE/v1/tickets/$TICKET/release` })
  @Get('tickets/:transaction/:index/release')
  public async release(@CallingMember() member: string, @Param('transaction') transaction: string, @Param('index') index: string): Promise<object> {
    return await this.services.relay.resend(member, `${transaction}/${index}`);
  }

  @Declare({ id: 'receipt', en: "the reader's signed receipt", zh: '提交回执', who: 'member', body: receiptBodyShape, answer: answers.receipt, status: 202, codes: ['RECEIPT_BAD_SIGNATURE', 'RECEIPT_MISMATCH', 'TICKET_UNKNOWN', 'TICKET_OTHER_READER', 'PUBLISHER_UNAVAILABLE', 'EXCHANGE_FAILED'], curl: `curl -s ${tokenHeader} ${jsonHeader} -d "{\\"receipt\\":\\"$RECEIPT\\"}" $NODE/v1/receipts` })
  @Post('receipts')
  @HttpCode(202)
  public async receipt(@CallingMember() member: string, @Body() body: unknown): Promise<object> {
    return await this.services.relay.receipt(member, receiptBodyShape.read(body).receipt);
  }

  @Declare({ id: 'evidence', en: 'evidence of an access', zh: '导出证据包', who: 'signed-in', roles: everyRole, answer: answers.evidence, codes: ['TICKET_UNKNOWN', 'TICKET_OTHER_READER', 'NOT_FOUND', 'LEDGER_UNAVAILABLE'], curl: `curl -s ${tokenHeader} $NODE/v1/evidence/$TICKET` })
  @Get('evidence/:transaction/:index')
  public async evidence(@SignedIn() caller: SignedInCaller, @Param('transaction') transaction: string, @Param('index') index: string): Promise<object> {
    const id = `${transaction}/${index}`;
    if (caller.role === 'member') this.services.relay.ownTicket(caller.member, id);
    return await this.services.evidence.build(id);
  }
}

/** Owners: registration through a member, revocation and trail by the owner's own signature. */
@Controller('v1')
export class OwnersController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({ id: 'owner', en: "an owner's key in force", zh: '权属人密钥', who: 'anyone', answer: answers.owner, codes: ['BAD_ID', 'OWNER_UNKNOWN'], curl: 'curl -s $NODE/v1/owners/$OWNER' })
  @Get('owners/:owner')
  public owner(@Param('owner') id: string): object {
    const owner = this.services.readModel.owner(ownerIdShape.read(id));
    if (owner === undefined) throw new ProtocolError('OWNER_UNKNOWN');
    return owner;
  }

  @Declare({ id: 'registerOwner', en: "registers an owner's key by its certificate", zh: '登记权属人密钥', who: 'signed-in', roles: daily, act: 'owner.register', object: inBody('statement', 'statement', 'owner'), body: ownerBodyShape, answer: answers.committed, status: 201, also: [202], codes: ['OWNER_EXISTS', 'CA_UNKNOWN', 'CERTIFICATE_INVALID', 'CERTIFICATE_EXPIRED', 'CERTIFICATE_OTHER_ENTITY', 'STATEMENT_BAD_SIGNATURE', 'STATEMENT_EXPIRED', ...ledgerCodes], curl: `curl -s ${tokenHeader} ${jsonHeader} -d @$REGISTRATION $NODE/v1/owners` })
  @Post('owners')
  public async register(@SignedIn() _caller: SignedInCaller, @Body() body: unknown): Promise<object> {
    const { chain, statement } = ownerBodyShape.read(body);
    return await this.services.registerOwner(statement, chain);
  }

  @Declare({ id: 'revokeGrant', en: "the owner's signed revocation", zh: '撤销授权', who: 'anyone', body: readLater(revocationEnvelopeShape), counted: true, answer: answers.committed, also: [202], codes: ['OWNER_UNKNOWN', 'REVOCATION_BAD_SIGNATURE', 'GRANT_NONCANONICAL_SIG', 'GRANT_WRONG_DOMAIN', 'GRANT_SUITE_UNSUPPORTED', ...ledgerCodes], curl: `curl -s ${jsonHeader} -d @$REVOCATION $NODE/v1/revocations` })
  @Post('revocations')
  @HttpCode(200)
  public async revoke(@Body() body: unknown): Promise<object> {
    return await this.services.revokeGrant(body);
  }

  @Declare({ id: 'trail', en: "everything on an owner's data, for the owner's signature", zh: '查询足迹', who: 'anyone', body: readLater(trailRequestEnvelopeShape), counted: true, answer: answers.trail, codes: ['OWNER_UNKNOWN', 'REPLAYED', 'STATEMENT_BAD_SIGNATURE', 'STATEMENT_EXPIRED', 'GRANT_NONCANONICAL_SIG', 'GRANT_WRONG_DOMAIN', 'GRANT_SUITE_UNSUPPORTED', 'NOT_FOUNDED'], curl: `curl -s ${jsonHeader} -d @$TRAIL $NODE/v1/trails` })
  @Post('trails')
  @HttpCode(200)
  public async trail(@Body() body: unknown): Promise<object> {
    return await this.services.trail.join(body);
  }
}

/** The operator's part in governing, and the state of the node. */
@Controller('v1')
export class OperatorController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'status', en: 'state of the node', zh: '节点状态', who: 'operator', roles: everyRole, answer: answers.status, curl: `curl -s ${tokenHeader} $NODE/v1/status` })
  @Get('status')
  public async status(@Operator() _operator: Caller): Promise<object> {
    return await this.services.status();
  }

  @Declare({ id: 'proposals', en: 'proposals and votes', zh: '提案与表决', who: 'operator', roles: everyRole, query: listQuery, answer: answers.proposals, curl: `curl -s ${tokenHeader} $NODE/v1/governance/proposals` })
  @Get('governance/proposals')
  public async proposals(@Operator() _operator: Caller, @Query() query: Record<string, string>): Promise<object> {
    return this.cursors.page('proposals', await this.services.readModel.proposals(), readPage(query));
  }

  @Declare({ id: 'found', en: "this centre's call to found the consortium", zh: '成立联盟', who: 'operator', roles: administrators, act: 'governance.found', body: charterBodyShape, answer: answers.committed, also: [202], codes: ['ALREADY_FOUNDED', 'CHARTER_MISMATCH', 'NOT_A_FOUNDER', ...ledgerCodes], curl: `curl -s ${tokenHeader} ${jsonHeader} -d @$CHARTER $NODE/v1/governance/found` })
  @Post('governance/found')
  @HttpCode(200)
  public async found(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    return await this.services.found(charterBodyShape.read(body).charter);
  }

  @Declare({ id: 'propose', en: 'a proposal to the centres', zh: '发起提案', who: 'operator', roles: administrators, act: 'governance.propose', object: proposed, body: proposeArgumentShape, answer: answers.committed, also: [202], codes: governanceCodes, curl: `curl -s ${tokenHeader} ${jsonHeader} -d @$PROPOSAL $NODE/v1/governance/propose` })
  @Post('governance/propose')
  @HttpCode(200)
  public async propose(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    const { action, content, round } = proposeArgumentShape.read(body);
    return await this.services.propose(action, content as JsonObject, round);
  }

  @Declare({ id: 'approve', en: 'approves a proposal', zh: '赞成提案', who: 'operator', roles: administrators, act: 'governance.approve', object: inBody('proposal'), body: approveArgumentShape, answer: answers.committed, also: [202], codes: governanceCodes, curl: `curl -s ${tokenHeader} ${jsonHeader} -d "{\\"proposal\\":\\"$PROPOSAL_ID\\"}" $NODE/v1/governance/approve` })
  @Post('governance/approve')
  @HttpCode(200)
  public async approve(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    return await this.services.vote('approve', approveArgumentShape.read(body).proposal);
  }

  @Declare({ id: 'reject', en: 'rejects a proposal', zh: '反对提案', who: 'operator', roles: administrators, act: 'governance.reject', object: inBody('proposal'), body: rejectArgumentShape, answer: answers.committed, also: [202], codes: governanceCodes, curl: `curl -s ${tokenHeader} ${jsonHeader} -d "{\\"proposal\\":\\"$PROPOSAL_ID\\"}" $NODE/v1/governance/reject` })
  @Post('governance/reject')
  @HttpCode(200)
  public async reject(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    const { proposal, reason } = rejectArgumentShape.read(body);
    return await this.services.vote('reject', proposal, reason);
  }
}

async function* from<T>(first: IteratorResult<T, unknown>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
}

function recordIdOf({ kind = '', localId = '', publisher = '' }: Record<string, string>): string {
  const id = recordId(publisher, kind, localId);
  parseRecordId(id);
  return id;
}
