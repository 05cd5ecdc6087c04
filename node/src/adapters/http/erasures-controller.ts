import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { kindShape, list, object, optional, ownerIdShape, ProtocolError, recordIdShape, text, type Read } from '@huilian/protocol';
import { erased } from './act-objects.js';
import { answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { Cursors, listQuery, readPage } from './cursors.js';
import { administrators, Declare, everyRole, jsonHeader, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const mostRecords = 5_000;
const eraseShape = object({
  kind: optional(kindShape),
  naturalKey: optional(list(text(/[^\u0000-\u001f]*/u, 512), 1, 8)),
  owner: optional(ownerIdShape),
  recordIds: optional(list(recordIdShape, 1, mostRecords)),
});

type Order = Parameters<NodeServices['erase']>[0];

/** Erasing, which only the operator of the publisher's node may order. */
@Controller('v1/erasures')
export class ErasuresController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  /** In the body, for a natural key may be personal. */
  @Declare({
    id: 'erase', en: 'erases records of this centre, or all it holds of an owner, for good', zh: '永久删除记录或权属人的全部数据', who: 'operator', roles: administrators, act: 'data.erase', object: erased, body: eraseShape, answer: answers.erased,
    codes: ['NOT_FOUND', 'NOT_RECORD_OWNER', 'KEY_COPY_FAILED'], curl: `curl -s -X POST ${tokenHeader} ${jsonHeader} -d '{"recordIds":["'$RECORD'"]}' $NODE/v1/erasures`,
  })
  @Post()
  @HttpCode(200)
  public async erase(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    return await this.services.erase(orderOf(eraseShape.read(body)));
  }

  @Declare({ id: 'erasures', en: 'what was erased and when, newest first', zh: '删除记录列表', who: 'operator', roles: everyRole, query: listQuery, answer: answers.erasures, curl: `curl -s ${tokenHeader} $NODE/v1/erasures` })
  @Get()
  public erasures(@Operator() _operator: Caller, @Query() query: Record<string, string>): object {
    const items = this.services.erasures().map(({ at, holder, records, scope }) => ({ at, scope, ...(holder === this.services.memberId ? {} : { owner: holder }), recordIds: records.map(([recordId]) => recordId) }));
    return this.cursors.page('erasures', items, readPage(query));
  }
}

/** @throws BAD_FIELD where not exactly one thing is named */
function orderOf({ kind, naturalKey, owner, recordIds }: Read<typeof eraseShape>): Order {
  const orders: Order[] = [];
  if (recordIds !== undefined) orders.push({ recordIds });
  if (owner !== undefined) orders.push({ owner });
  if (kind !== undefined && naturalKey !== undefined) orders.push({ kind, naturalKey });
  else if ((kind ?? naturalKey) !== undefined) orders.length = 0;
  const [order] = orders;
  if (order === undefined || orders.length > 1) throw new ProtocolError('BAD_FIELD', { path: '/recordIds', reason: 'one-of-record-ids-owner-natural-key' });
  return order;
}
