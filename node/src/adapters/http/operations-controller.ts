import { Controller, HttpCode, Post } from '@nestjs/common';
import { answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { Declare, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

/** What only the operator of this node may ask of it. */
@Controller('v1')
export class OperationsController {
  public constructor(private readonly services: NodeServices) {}

  /** After OUTBOX_TAIL_LOST: nothing is accepted until the operator has seen what is lost. */
  @Declare({ id: 'acceptLoss', en: 'after OUTBOX_TAIL_LOST: records are taken again', zh: '确认发件箱丢失并恢复接收', who: 'operator', answer: answers.lost, curl: `curl -s -X POST ${tokenHeader} $NODE/v1/outbox/accept-loss` })
  @Post('outbox/accept-loss')
  @HttpCode(200)
  public async acceptLoss(@Operator() _operator: Caller): Promise<object> {
    return await this.services.acceptLoss();
  }
}
