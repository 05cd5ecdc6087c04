import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { eventFilterShape, feedStart, integer, positionText, ProtocolError, readPosition, type EventFilter, type EventPosition } from '@huilian/protocol';
import { SignedIn } from './caller.js';
import { EventStreams } from './event-streams.js';
import { NodeServices } from './node-services.js';
import { SignIn, type Caller } from './sign-in.js';

const pageShape = integer(1, 500);
const defaultPage = 100;

/** The consortium's events: a page at a time, or as they come. */
@Controller('v1')
export class EventsController {
  public constructor(
    private readonly services: NodeServices,
    private readonly signIn: SignIn,
    private readonly streams: EventStreams,
  ) {}

  @Get('events')
  public async events(
    @SignedIn() caller: Caller,
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

  private stream(caller: Caller, wanted: { readonly after: EventPosition; readonly filter: EventFilter }, request: FastifyRequest, reply: FastifyReply): void {
    const name = caller.role === 'member' ? caller.member : 'operator.';
    const leave = this.streams.admit(name);
    reply.hijack();
    const response = reply.raw;
    response.once('close', leave);
    // A proxy that gathers before it passes on would hold events back.
    const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
    response.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers });
    response.flushHeaders();
    const { authorization } = request.headers;
    void this.streams.serve(response, { ...wanted, requireAllowed: () => void this.signIn.caller(authorization) });
  }

  /** What a browser remembers by itself counts more than the address it began with. */
  private readQuery({ after, limit, type, ...filter }: Record<string, string>, lastEventId: string | undefined): { after: EventPosition; filter: EventFilter; limit: number } {
    for (const value of [after, limit, type, ...Object.values(filter)] as unknown[]) {
      if (value !== undefined && typeof value !== 'string') throw new ProtocolError('BAD_FIELD', { path: '/query', reason: 'repeated' });
    }
    const types = type === undefined ? {} : { types: [...new Set(type.split(','))].sort() };
    if (Object.hasOwn(filter, 'types')) throw new ProtocolError('UNKNOWN_FIELD', { path: '/types' });
    return {
      after: this.start(lastEventId === undefined || lastEventId === '' ? after : lastEventId),
      filter: eventFilterShape.read({ ...filter, ...types }),
      limit: limit === undefined ? defaultPage : pageShape.read(Number(limit), '/limit'),
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
  public constructor(private readonly services: NodeServices) {}

  @Post()
  public async create(@SignedIn() caller: Caller, @Body() body: unknown): Promise<object> {
    return await this.services.webhooks.create(caller, body);
  }

  @Get()
  public list(@SignedIn() caller: Caller): object {
    return { items: this.services.webhooks.list(caller) };
  }

  @Get(':id')
  public find(@SignedIn() caller: Caller, @Param('id') id: string): object {
    return this.services.webhooks.find(caller, id);
  }

  @Delete(':id')
  @HttpCode(204)
  public async remove(@SignedIn() caller: Caller, @Param('id') id: string): Promise<void> {
    await this.services.webhooks.remove(caller, id);
  }

  @Post(':id/test')
  @HttpCode(200)
  public async test(@SignedIn() caller: Caller, @Param('id') id: string): Promise<object> {
    return await this.services.webhooks.test(caller, id);
  }

  @Post(':id/resume')
  @HttpCode(200)
  public async resume(@SignedIn() caller: Caller, @Param('id') id: string): Promise<object> {
    return await this.services.webhooks.resume(caller, id);
  }

  @Post(':id/secret')
  @HttpCode(200)
  public async renewSecret(@SignedIn() caller: Caller, @Param('id') id: string): Promise<object> {
    return await this.services.webhooks.renewSecret(caller, id);
  }
}
