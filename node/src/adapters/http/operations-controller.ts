import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { kindShape, list, object, optional, ProtocolError, text } from '@huilian/protocol';
import { answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { administrators, Declare, everyRole, jsonHeader, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const followShape = object({ kind: optional(kindShape), naturalKey: optional(list(text(/[^\u0000-\u001f]*/u, 512), 1, 8)), recordId: optional(text(/[a-z0-9/-]+/, 128)) });

/** What only the operator of this node may ask of it. */
@Controller('v1')
export class OperationsController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({ id: 'examine', en: 'what an operator would look at, and what to do', zh: '诊断节点', who: 'operator', roles: everyRole, answer: answers.examined, curl: `curl -s ${tokenHeader} $NODE/v1/doctor` })
  @Get('doctor')
  public async examine(@Operator() _operator: Caller): Promise<object> {
    return { findings: await this.services.examine() };
  }

  /** In the body, for a natural key may be personal. */
  @Declare({ id: 'followRecord', en: 'where a record is on its way: by id, or an own one by kind and natural key', zh: '追踪一条记录', who: 'operator', roles: everyRole, body: followShape, answer: answers.course, codes: ['RECORD_UNKNOWN'], curl: `curl -s -X POST ${tokenHeader} ${jsonHeader} -d '{"recordId":"'$RECORD'"}' $NODE/v1/doctor/records` })
  @Post('doctor/records')
  @HttpCode(200)
  public async follow(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    const { kind, naturalKey, recordId } = followShape.read(body);
    if ((recordId === undefined) !== (kind !== undefined && naturalKey !== undefined)) throw new ProtocolError('BAD_FIELD', { path: '/recordId', reason: 'one-of-record-id-natural-key' });
    return await this.services.follow({ kind, naturalKey, recordId });
  }

  /** After OUTBOX_TAIL_LOST: nothing is accepted until the operator has seen what is lost. */
  @Declare({ id: 'acceptLoss', en: 'after OUTBOX_TAIL_LOST: records are taken again', zh: '确认发件箱丢失并恢复接收', who: 'operator', roles: administrators, act: 'outbox.accept-loss', answer: answers.lost, curl: `curl -s -X POST ${tokenHeader} $NODE/v1/outbox/accept-loss` })
  @Post('outbox/accept-loss')
  @HttpCode(200)
  public async acceptLoss(@Operator() _operator: Caller): Promise<object> {
    return await this.services.acceptLoss();
  }
}
