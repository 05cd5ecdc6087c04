import { Controller, HttpCode, Post } from '@nestjs/common';
import { Operator } from './caller.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

/** What only the operator of this node may ask of it. */
@Controller('v1')
export class OperationsController {
  public constructor(private readonly services: NodeServices) {}

  /** After OUTBOX_TAIL_LOST: nothing is accepted until the operator has seen what is lost. */
  @Post('outbox/accept-loss')
  @HttpCode(200)
  public async acceptLoss(@Operator() _operator: Caller): Promise<object> {
    return await this.services.acceptLoss();
  }
}
