import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { eventFilterShape, feedStart, integer, kindShape, memberIdShape, object, optional, ownerIdShape, positionText, readPosition, text, webhookShape, type ErrorCode, type EventFilter, type EventPosition } from '@huilian/protocol';
import type { Subscriber } from '../../core/events/webhook-rows.js';
import { inAnswer, parameter } from './act-objects.js';
import { answers } from './answer-schemas.js';
import { SignedIn } from './caller.js';
import { Callers } from './callers.js';
import { Cursors, listQuery, readPage } from './cursors.js';
import { administrators, Declare, everyRole, jsonHeader, tokenHeader } from './declare-route.js';
import { EventStreams } from './event-streams.js';
import { NodeServices } from './node-services.js';
import type { SignedInCaller } from './sign-in.js';

const defaultPage = 100;
const queryShape = object({
  /** An event's id, a cursor, `start` or `now`; read by what it is. */
  after: optional(text(/[a-z0-9/]+/, 64)),
  kind: optional(kindShape),
  limit: optional(integer(1, 500)),
  owner: optional(ownerIdShape),
  publisher: optional(memberIdShape),
  subject: optional(ownerIdShape),
  /** Several are separated by commas. */
  type: optional(text(/[a-z.,-]+/, 1000)),
});
const targetCodes: readonly ErrorCode[] = ['WEBHOOK_TARGET_FORBIDDEN', 'WEBHOOK_TARGET_FAILED'];
/** A webhook is the centre's, not of the person that made it. */
const subscriber = (caller: SignedInCaller): Subscriber => (caller.role === 'member' ? caller : { role: 'operator' });
const ofWebhook = (call: string): string => `curl -s ${tokenHeader} ${call}`;

/** The consortium's events: a page at a time, or as they come. */
@Controller('v1')
export class EventsController {
  public constructor(
    private readonly services: NodeServices,
    private readonly callers: Callers,
    private readonly streams: EventStreams,
  ) {}

  @Declare({ id: 'events', en: 'events of the ledger, a page at a time; as a stream with Accept: text/event-stream', zh: '账本事件，可分页或以事件流读取', who: 'signed-in', roles: everyRole, query: queryShape, answer: answers.events, codes: ['TOO_MANY_SUBSCRIBERS'], curl: `curl -s ${tokenHeader} "$NODE/v1/events?after=start&limit=10"` })
  @Get('events')
  public async events(
    @SignedIn() caller: SignedInCaller,
    @Query() query: Record<string, string>,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { after, filter, limit } = this.readQuery(query, lastEventId);
    if (request.headers.accept?.includes('text/event-stream') === true) {
      this.stream(caller, { after, filter }, request, reply);
      return;
    }
    const { complete, events, position } = await this.services.feed.page(after, filter, limit);
    await reply.send({ items: events, cursor: positionText(position), complete });
  }

  private stream(caller: SignedInCaller, wanted: { readonly after: EventPosition; readonly filter: EventFilter }, request: FastifyRequest, reply: FastifyReply): void {
    const name = caller.role === 'member' ? caller.member : `operator.${caller.session?.account ?? ''}`;
    const leave = this.streams.admit(name);
    reply.hijack();
    const response = reply.raw;
    response.once('close', leave);
    // A proxy that gathers before it passes on would hold events back.
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
    response.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers });
    response.flushHeaders();
    void this.streams.serve(response, { ...wanted, requireAllowed: () => { this.callers.require(request); } });
  }

  /** What a browser remembers by itself counts more than the address it began with. */
  private readQuery(query: Record<string, string>, lastEventId: string | undefined): { after: EventPosition; filter: EventFilter; limit: number } {
    const { after, limit, type, ...filter } = query;
    const types = type === undefined ? {} : { types: [...new Set(type.split(','))].sort() };
    return {
      after: this.start(lastEventId === undefined || lastEventId === '' ? after : lastEventId),
      filter: eventFilterShape.read({ ...filter, ...types }),
      limit: limit === undefined ? defaultPage : Number(limit),
    };
  }

  /** The whole feed where nothing is said: who wants to miss what was says `now`. */
  private start(after: string | undefined): EventPosition {
    if (after === 'now') return this.services.feed.now();
    return after === undefined ? feedStart : readPosition(after, '/after');
  }
}

/** Webhooks of the caller; the operator sees everybody's. */
@Controller('v1/webhooks')
export class WebhooksController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'createWebhook', en: 'a webhook; its secret is shown this once', zh: '登记事件推送，密钥仅显示一次', who: 'signed-in', roles: administrators, act: 'webhook.create', object: inAnswer('id'), body: webhookShape, answer: answers.newWebhook, status: 201, codes: ['TOO_MANY_SUBSCRIBERS', ...targetCodes], curl: `curl -s ${tokenHeader} ${jsonHeader} -d @$WEBHOOK $NODE/v1/webhooks` })
  @Post()
  public async create(@SignedIn() caller: SignedInCaller, @Body() body: unknown): Promise<object> {
    return await this.services.webhooks.create(subscriber(caller), body);
  }

  @Declare({ id: 'webhooks', en: "the caller's webhooks; everybody's for the operator", zh: '事件推送列表', who: 'signed-in', roles: everyRole, query: listQuery, answer: answers.webhooks, curl: ofWebhook('$NODE/v1/webhooks') })
  @Get()
  public list(@SignedIn() caller: SignedInCaller, @Query() query: Record<string, string>): object {
    return this.cursors.page('webhooks', this.services.webhooks.list(subscriber(caller)), readPage(query));
  }

  @Declare({ id: 'webhook', en: 'how far one webhook is, and what stops it', zh: '查看事件推送', who: 'signed-in', roles: everyRole, answer: answers.webhook, codes: ['NOT_FOUND'], curl: ofWebhook('$NODE/v1/webhooks/$WEBHOOK_ID') })
  @Get(':id')
  public find(@SignedIn() caller: SignedInCaller, @Param('id') id: string): object {
    return this.services.webhooks.find(subscriber(caller), id);
  }

  @Declare({ id: 'removeWebhook', en: 'an end to a webhook', zh: '删除事件推送', who: 'signed-in', roles: administrators, act: 'webhook.remove', object: parameter('id'), status: 204, codes: ['NOT_FOUND'], curl: ofWebhook('-X DELETE $NODE/v1/webhooks/$WEBHOOK_ID') })
  @Delete(':id')
  @HttpCode(204)
  public async remove(@SignedIn() caller: SignedInCaller, @Param('id') id: string): Promise<void> {
    await this.services.webhooks.remove(subscriber(caller), id);
  }

  @Declare({ id: 'testWebhook', en: 'a trial event, sent at once', zh: '发送测试事件', who: 'signed-in', roles: administrators, act: 'webhook.test', object: parameter('id'), answer: answers.webhookTested, codes: ['NOT_FOUND', ...targetCodes], curl: ofWebhook('-X POST $NODE/v1/webhooks/$WEBHOOK_ID/test') })
  @Post(':id/test')
  @HttpCode(200)
  public async test(@SignedIn() caller: SignedInCaller, @Param('id') id: string): Promise<object> {
    return await this.services.webhooks.test(subscriber(caller), id);
  }

  @Declare({ id: 'resumeWebhook', en: 'a paused webhook goes on where it stood', zh: '恢复事件推送', who: 'signed-in', roles: administrators, act: 'webhook.resume', object: parameter('id'), answer: answers.webhook, codes: ['NOT_FOUND', ...targetCodes], curl: ofWebhook('-X POST $NODE/v1/webhooks/$WEBHOOK_ID/resume') })
  @Post(':id/resume')
  @HttpCode(200)
  public async resume(@SignedIn() caller: SignedInCaller, @Param('id') id: string): Promise<object> {
    return await this.services.webhooks.resume(subscriber(caller), id);
  }

  @Declare({ id: 'renewWebhookSecret', en: 'another secret for a webhook; the old one signs too for a day', zh: '更换推送密钥', who: 'signed-in', roles: administrators, act: 'webhook.secret', object: parameter('id'), answer: answers.webhookSecret, codes: ['NOT_FOUND'], curl: ofWebhook('-X POST $NODE/v1/webhooks/$WEBHOOK_ID/secret') })
  @Post(':id/secret')
  @HttpCode(200)
  public async renewSecret(@SignedIn() caller: SignedInCaller, @Param('id') id: string): Promise<object> {
    return await this.services.webhooks.renewSecret(subscriber(caller), id);
  }
}
