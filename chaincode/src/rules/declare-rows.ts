import { dayStart, declareArgumentShape, ProtocolError, type JsonObject } from '@huilian/protocol';
import { requireCharter, requireOwnMember } from './membership.js';
import { put, type Outcome, type RuleContext, type StateWrite } from './rule.js';

/**
 * How many rows a publisher's sources had of a kind on a day: counts, so that others see what is missing. It may be corrected.
 * @throws NOT_FOUNDED, MEMBER_UNKNOWN, FORBIDDEN, MEMBER_SUSPENDED, NOT_RECORD_OWNER, SCHEMA_UNKNOWN, BAD_FIELD
 */
export async function declareRows(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { days, publisher } = declareArgumentShape.read(argument);
  const { document } = await requireOwnMember(context, publisher);
  if (document.kind !== 'centre') throw new ProtocolError('NOT_RECORD_OWNER', { publisher });
  const writes: StateWrite[] = [];
  const seen = new Set<string>();
  for (const { day, expected, kind } of days) {
    const early = dayStart(day) > context.time;
    if (early || seen.has(`${kind}/${day}`)) throw new ProtocolError('BAD_FIELD', { path: '/days', reason: early ? 'not-yet' : 'twice' });
    seen.add(`${kind}/${day}`);
    if ((await context.state.get('schema', kind, 1)) === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind });
    const before = await context.state.get('declaration', publisher, kind, day);
    if (before?.expected !== expected) writes.push(put('declaration', [publisher, kind, day], { day, declaredAt: context.time, expected, kind, publisher }));
  }
  const payload = { count: writes.length, publisher };
  return { writes, ...(writes.length === 0 ? {} : { event: { name: 'declare' as const, payload } }), response: payload };
}
