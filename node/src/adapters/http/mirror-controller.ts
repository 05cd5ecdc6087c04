import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ProtocolError } from '@huilian/protocol';
import { answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { administrators, Declare, everyRole, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { OperatorCaller } from './sign-in.js';

/** How far the centre's own database is. */
@Controller('v1/mirror')
export class MirrorController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({ id: 'mirror', en: "how far the mirror in the centre's own database is", zh: '本中心数据库镜像状态', who: 'operator', roles: everyRole, answer: answers.mirror, curl: `curl -s ${tokenHeader} $NODE/v1/mirror` })
  @Get()
  public status(@Operator() _operator: OperatorCaller): object {
    const { mirror } = this.services;
    return mirror === undefined ? { configured: false } : { configured: true, ...mirror.status() };
  }

  @Declare({
    id: 'rebuildMirror', en: 'makes the mirror again beside the one that is shown, which it then replaces; the status tells how far it is', zh: '重建镜像', who: 'operator', roles: administrators, act: 'mirror.rebuild',
    status: 202, answer: answers.mirror, codes: ['CONFIG_INVALID'], curl: `curl -s -X POST ${tokenHeader} $NODE/v1/mirror/rebuilds`,
  })
  @Post('rebuilds')
  @HttpCode(202)
  public rebuild(@Operator() _operator: OperatorCaller): object {
    const { mirror } = this.services;
    if (mirror === undefined) throw new ProtocolError('CONFIG_INVALID', { path: '/mirror', reason: 'no database is configured' });
    return { configured: true, ...mirror.rebuild() };
  }
}
