import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { jwsShape, object } from '@huilian/protocol';
import { joinAnswerShape } from '../../core/governance/joins.js';
import { inAnswer, parameter } from './act-objects.js';
import { answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { administrators, Declare, everyRole, jsonHeader, ledgerCodes, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const joinBodyShape = object({ request: jwsShape });

/** Requests to join: an applicant brings one, centres see it, one proposes the admission, the applicant asks what became of it. */
@Controller('v1/joins')
export class JoinsController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({ id: 'requestJoin', en: 'asks to join: the member document, signed by its own key', zh: '申请加入联盟', who: 'anyone', body: joinBodyShape, bodyBytes: 65_536, counted: true, answer: answers.join, status: 201, codes: ['NOT_FOUNDED', 'MEMBER_EXISTS', 'GRANT_WRONG_DOMAIN', 'STATEMENT_BAD_SIGNATURE', 'STATEMENT_EXPIRED', 'RATE_LIMITED'], curl: `curl -s ${jsonHeader} -d "{\\"request\\":\\"$JOIN_REQUEST\\"}" $NODE/v1/joins` })
  @Post()
  public async request(@Body() body: unknown): Promise<object> {
    return await this.services.joins.request(joinBodyShape.read(body).request);
  }

  @Declare({ id: 'joins', en: 'requests to join, at every centre', zh: '加入申请列表', who: 'operator', roles: everyRole, answer: answers.joins, curl: `curl -s ${tokenHeader} $NODE/v1/joins` })
  @Get()
  public async list(@Operator() _operator: Caller): Promise<object> {
    return await this.services.joins.everywhere();
  }

  @Declare({ id: 'join', en: 'what became of a request, for who knows its id', zh: '查看加入申请的结果', who: 'anyone', answer: answers.join, codes: ['JOIN_UNKNOWN'], curl: 'curl -s $NODE/v1/joins/$JOIN' })
  @Get(':join')
  public async find(@Param('join') id: string): Promise<object> {
    return await this.services.joins.find(id);
  }

  @Declare({ id: 'proposeJoin', en: 'proposes the admission that a request asks for', zh: '据加入申请发起接纳提案', who: 'operator', roles: administrators, act: 'governance.propose', object: inAnswer('response', 'proposal'), answer: answers.committed, also: [202], codes: ['JOIN_UNKNOWN', 'JOIN_CLOSED', 'NOT_A_CENTRE', 'PROPOSAL_INVALID', 'PROPOSAL_EXISTS', 'MEMBER_EXISTS', ...ledgerCodes], curl: `curl -s -X POST ${tokenHeader} $NODE/v1/joins/$JOIN/propose` })
  @Post(':join/propose')
  @HttpCode(200)
  public async propose(@Operator() _operator: Caller, @Param('join') id: string): Promise<object> {
    const { content, round } = await this.services.joins.proposalOf(id);
    return await this.services.propose('admit', content, round);
  }

  @Declare({ id: 'answerJoin', en: "this centre's word to an applicant, kept off the ledger; with a reason it turns the request away", zh: '答复加入申请', who: 'operator', roles: administrators, act: 'join.answer', object: parameter('join'), body: joinAnswerShape, answer: answers.join, codes: ['JOIN_UNKNOWN', 'JOIN_CLOSED'], curl: `curl -s ${tokenHeader} ${jsonHeader} -d '{"reason":"documents-incomplete","note":"the page of contact does not open"}' $NODE/v1/joins/$JOIN/answer` })
  @Post(':join/answer')
  @HttpCode(200)
  public async answer(@Operator() _operator: Caller, @Param('join') id: string, @Body() body: unknown): Promise<object> {
    return await this.services.joins.answer(id, body);
  }
}
