import { Controller, Get, Query } from '@nestjs/common';
import { integer, kindShape, memberIdShape, object, oneOf, optional, ProtocolError, text, type Read } from '@huilian/protocol';
import { headerDimensions, isOfPayloads, payloadDimensions, type AggregateQuery, type Dimension } from '../../core/columns/aggregate.js';
import { answers } from './answer-schemas.js';
import { SignedIn } from './caller.js';
import { readQuery } from './declared-guard.js';
import { Declare, everyRole, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { SignedInCaller } from './sign-in.js';

const dimension = [...headerDimensions, ...payloadDimensions].join('|');
const mostDimensions = 4;
const divisionShape = text(/\d{2}|\d{4}|\d{6}/, 6);
const monthShape = text(/\d{4}-(?:0[1-9]|1[0-2])/, 7);
const aggregateQuery = object({
  by: optional(text(new RegExp(`(?:${dimension})(?:,(?:${dimension})){0,${String(mostDimensions - 1)}}`), 60)),
  digits: optional(oneOf('2', '4', '6')),
  from: optional(monthShape),
  kind: optional(kindShape),
  limit: optional(integer(1, 10_000)),
  order: optional(oneOf('key', 'records', 'sum')),
  place: optional(divisionShape),
  project: optional(text(/[A-Z]\d{16}/, 17)),
  publisher: optional(memberIdShape),
  region: optional(divisionShape),
  rights: optional(oneOf('owner', 'publisher', 'public')),
  status: optional(oneOf('active', 'revoked', 'contested')),
  sum: optional(text(/[A-Za-z][A-Za-z0-9]{0,63}\.[A-Za-z][A-Za-z0-9]{0,63}/, 129)),
  to: optional(monthShape),
});

/** Counts and sums from memory. What headers say is for every signed-in caller, what own payloads say for the operator. */
@Controller('v1')
export class AggregatesController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({
    id: 'aggregates', en: 'counts of records, and sums over own payloads, by groups', zh: '按分组统计记录数与金额', who: 'signed-in', roles: everyRole, query: aggregateQuery, answer: answers.aggregates,
    codes: ['FORBIDDEN'], curl: `curl -s ${tokenHeader} "$NODE/v1/aggregates?by=kind,month&status=active"`,
  })
  @Get('aggregates')
  public async aggregates(@SignedIn() caller: SignedInCaller, @Query() query: Record<string, string>): Promise<object> {
    const asked = queryOf(readQuery({ query: aggregateQuery }, query) as Read<typeof aggregateQuery>);
    if (isOfPayloads(asked) && caller.role !== 'operator') throw new ProtocolError('FORBIDDEN', { needs: 'operator' });
    return await this.services.counting.count(asked);
  }
}

/** @throws BAD_FIELD for a dimension that comes twice, or months in the wrong order */
function queryOf({ by = '', digits = '6', limit = 1000, order = 'key', sum, ...filter }: Read<typeof aggregateQuery>): AggregateQuery {
  const dimensions = (by === '' ? [] : by.split(',')) as Dimension[];
  if (new Set(dimensions).size < dimensions.length) throw new ProtocolError('BAD_FIELD', { path: '/by', reason: 'repeated' });
  if (filter.from !== undefined && filter.to !== undefined && filter.from > filter.to) throw new ProtocolError('BAD_FIELD', { path: '/to', reason: 'before-from' });
  return { by: dimensions, digits: Number(digits) as AggregateQuery['digits'], filter, limit, order, ...(sum === undefined ? {} : { sum }) };
}
