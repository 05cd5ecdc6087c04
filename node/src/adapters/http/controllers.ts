import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  anyObject,
  digestShape,
  errorBody,
  integer,
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
  recordId,
  text,
  type JsonObject,
} from '@huilian/protocol';
import { CallingMember, Operator, SignedIn } from './caller.js';
import { NodeServices } from './node-services.js';
import { SignIn, type Caller } from './sign-in.js';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const tokenShape = object({ client_assertion: text(/[A-Za-z0-9_.-]+/, 4096), client_assertion_type: oneOf(assertionType), grant_type: oneOf('client_credentials') });
const accessShape = object({ grant: optional(anyObject()), request: jwsShape });
const receiptBodyShape = object({ receipt: jwsShape });
const ownerBodyShape = object({ chain: list(text(/[A-Za-z0-9+/=]+/, 16_384), 1, 5), statement: anyObject() });
const charterBodyShape = object({ charter: anyObject() });
const voteBodyShape = object({ proposal: digestShape });
const pageShape = integer(1, 500);

/** What anyone may know: health, the consortium, its members. */
@Controller()
export class OpenController {
  public constructor(
    private readonly services: NodeServices,
    private readonly signIn: SignIn,
  ) {}

  @Get('healthz')
  public health(): object {
    return { status: 'up' };
  }

  @Get('readyz')
  public ready(@Res({ passthrough: true }) reply: FastifyReply): object {
    const reasons = this.services.notReady();
    if (reasons.length > 0) void reply.status(503);
    return { ready: reasons.length === 0, reasons };
  }

  @Post('v1/token')
  @HttpCode(200)
  public async token(@Body() body: unknown): Promise<object> {
    return await this.signIn.exchange(tokenShape.read(body).client_assertion);
  }

  @Get('v1/consortium')
  public consortium(): object {
    const charter = this.services.readModel.charter();
    if (charter === undefined) throw new ProtocolError('NOT_FOUNDED');
    const { chaincode, channel, digest, document, domain, founding } = charter;
    return { chaincode, channel, charter: document, domain, fingerprint: digest, founding, height: this.services.readModel.height(), node: this.services.memberId };
  }

  @Get('v1/members')
  public async members(): Promise<object> {
    return { items: await this.services.readModel.members() };
  }

  @Get('v1/members/:id')
  public member(@Param('id') id: string): object {
    const member = this.services.readModel.member(memberIdShape.read(id));
    if (member === undefined) throw new ProtocolError('MEMBER_UNKNOWN');
    return member;
  }
}

/** Records: publishing by the centre and its platforms, searching by members. */
@Controller('v1')
export class RecordsController {
  public constructor(private readonly services: NodeServices) {}

  @Post('records')
  public publish(@SignedIn() caller: Caller, @Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.requirePublisher(caller);
    const answers = this.services.intake(request.body as AsyncIterable<Uint8Array>);
    void reply.status(200).header('content-type', 'application/x-ndjson').send(Readable.from(this.lines(answers)));
  }

  @Get('records')
  public async search(@SignedIn() _caller: Caller, @Query() query: Record<string, string>): Promise<object> {
    const { cursor, kind, limit, owner, publisher, status, subject, ...unknown } = query;
    if (Object.keys(unknown).length > 0) throw new ProtocolError('UNKNOWN_FIELD', { path: '/query' });
    for (const value of Object.values(query)) if (typeof value !== 'string') throw new ProtocolError('BAD_FIELD', { path: '/query', reason: 'repeated' });
    const given = Object.entries({ cursor, kind, owner, publisher, status, subject }).filter(([, value]) => value !== undefined);
    return await this.services.readModel.records({ ...Object.fromEntries(given), limit: limit === undefined ? 100 : pageShape.read(Number(limit), '/limit') });
  }

  @Get('records/:publisher/:kind/:localId')
  public record(@SignedIn() _caller: Caller, @Param() place: Record<string, string>, @Query('version') version?: string): object {
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

  @Get('records/:publisher/:kind/:localId/public')
  public async publicRecord(@SignedIn() _caller: Caller, @Param() place: Record<string, string>): Promise<object> {
    return { presentation: await this.services.publicRecord(recordIdOf(place)) };
  }

  @Get('dead-letters')
  public async deadLetters(@Operator() _operator: Caller): Promise<object> {
    return { items: await this.services.deadLetters() };
  }

  /** The centre's own operator, or a platform that this node hosts. */
  private requirePublisher(caller: Caller): void {
    if (caller.role === 'operator') return;
    const kind = this.services.readModel.member(caller.member)?.document.kind;
    if (kind !== 'platform' && kind !== 'centre') throw new ProtocolError('FORBIDDEN', { needs: 'platform' });
  }

  private async *lines(answers: AsyncIterable<object>): AsyncGenerator<string> {
    try {
      for await (const answer of answers) yield `${JSON.stringify(answer)}\n`;
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

  @Post('asks')
  public async ask(@CallingMember() member: string, @Body() body: unknown): Promise<object> {
    return await this.services.asks.ask(member, body);
  }

  @Get('asks/:id')
  public findAsk(@Param('id') id: string): object {
    return this.services.asks.find(id);
  }

  @Post('asks/:id/grant')
  @HttpCode(200)
  public async answerAsk(@Param('id') id: string, @Body() body: unknown): Promise<object> {
    return await this.services.asks.answer(id, body);
  }

  @Post('access-requests')
  @HttpCode(200)
  public async request(@CallingMember() member: string, @Body() body: unknown): Promise<object> {
    const { grant, request } = accessShape.read(body);
    return await this.services.relay.relay(member, request, grant);
  }

  @Get('tickets/:transaction/:index')
  public ticket(@CallingMember() member: string, @Param('transaction') transaction: string, @Param('index') index: string): object {
    const id = `${transaction}/${index}`;
    return { ticket: id, state: this.services.relay.ownTicket(member, id) };
  }

  @Get('tickets/:transaction/:index/release')
  public async release(@CallingMember() member: string, @Param('transaction') transaction: string, @Param('index') index: string): Promise<object> {
    return await this.services.relay.resend(member, `${transaction}/${index}`);
  }

  @Post('receipts')
  @HttpCode(202)
  public async receipt(@CallingMember() member: string, @Body() body: unknown): Promise<object> {
    return await this.services.relay.receipt(member, receiptBodyShape.read(body).receipt);
  }

  @Get('evidence/:transaction/:index')
  public async evidence(@SignedIn() caller: Caller, @Param('transaction') transaction: string, @Param('index') index: string): Promise<object> {
    const id = `${transaction}/${index}`;
    if (caller.role === 'member') this.services.relay.ownTicket(caller.member, id);
    return await this.services.evidence.build(id);
  }
}

/** Owners: registration through a member, revocation and trail by the owner's own signature. */
@Controller('v1')
export class OwnersController {
  public constructor(private readonly services: NodeServices) {}

  @Get('owners/:owner')
  public owner(@Param('owner') id: string): object {
    const owner = this.services.readModel.owner(ownerIdShape.read(id));
    if (owner === undefined) throw new ProtocolError('OWNER_UNKNOWN');
    return owner;
  }

  @Post('owners')
  public async register(@SignedIn() _caller: Caller, @Body() body: unknown): Promise<object> {
    const { chain, statement } = ownerBodyShape.read(body);
    return await this.services.registerOwner(statement, chain);
  }

  @Post('revocations')
  @HttpCode(200)
  public async revoke(@Body() body: unknown): Promise<object> {
    return await this.services.revokeGrant(body);
  }

  @Post('trails')
  @HttpCode(200)
  public async trail(@Body() body: unknown): Promise<object> {
    return await this.services.trail.join(body);
  }
}

/** The operator's part in governing, and the state of the node. */
@Controller('v1')
export class OperatorController {
  public constructor(private readonly services: NodeServices) {}

  @Get('status')
  public async status(@Operator() _operator: Caller): Promise<object> {
    return await this.services.status();
  }

  @Get('governance/proposals')
  public async proposals(@Operator() _operator: Caller): Promise<object> {
    return { items: await this.services.readModel.proposals() };
  }

  @Post('governance/found')
  @HttpCode(200)
  public async found(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    return await this.services.found(charterBodyShape.read(body).charter);
  }

  @Post('governance/propose')
  @HttpCode(200)
  public async propose(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    const { action, content, round } = proposeArgumentShape.read(body);
    return await this.services.propose(action, content as JsonObject, round);
  }

  @Post('governance/approve')
  @HttpCode(200)
  public async approve(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    return await this.services.vote('approve', voteBodyShape.read(body).proposal);
  }

  @Post('governance/reject')
  @HttpCode(200)
  public async reject(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    return await this.services.vote('reject', voteBodyShape.read(body).proposal);
  }
}

function recordIdOf({ kind = '', localId = '', publisher = '' }: Record<string, string>): string {
  const id = recordId(publisher, kind, localId);
  parseRecordId(id);
  return id;
}
