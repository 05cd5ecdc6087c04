import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { textAnswer } from './answer-schemas.js';
import { Declare, everyRole, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';

/** What Prometheus asks for. */
@Controller()
export class MetricsController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({ id: 'metrics', en: 'metrics for Prometheus; by the token in metrics-token, which opens nothing else', zh: '监控指标', who: 'monitor', roles: everyRole, answer: textAnswer, answerType: 'text/plain', curl: `curl -s ${tokenHeader} $NODE/metrics` })
  @Get('metrics')
  public async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { contentType, text } = await this.services.metrics();
    void reply.header('content-type', contentType);
    return text;
  }
}

/** Counts every answer by its route. */
export function countAnswers(fastify: FastifyInstance, services: NodeServices): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    services.answered(request.method, request.routeOptions.url ?? 'none', reply.statusCode, reply.elapsedTime / 1000);
    done();
  });
}
