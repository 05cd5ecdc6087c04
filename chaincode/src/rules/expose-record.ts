import { checkPlacedHeader, exposeArgumentShape, ProtocolError, readPlacedHeader, sameHeader, type JsonObject, type PlacedHeader } from '@huilian/protocol';
import { requireAnyMember, requireCharter } from './membership.js';
import { put, type Outcome, type RuleContext } from './rule.js';

/**
 * Two different headers of one record and version, each under the root of a batch of one publisher: a transferable proof
 * against it. What is written blocks both until a higher version. Brought again, it changes nothing.
 * @throws NOT_FOUNDED, FORBIDDEN, HEADER_INVALID, NOT_CONTESTED, RECORD_UNKNOWN, MERKLE_PATH_INVALID
 */
export async function exposeRecord(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { first, publisher, second } = exposeArgumentShape.read(argument);
  readPlacedHeader(first, '/first');
  readPlacedHeader(second, '/second');
  await requireAnyMember(context);
  const { kind, localId, version } = first.header;
  const contradicts = second.header.localId === localId && second.header.version === version && !sameHeader(first.header, second.header);
  if (!contradicts) throw new ProtocolError('NOT_CONTESTED');
  for (const placed of [first, second]) await checkPlace(context, publisher, placed);
  const before = await context.state.get('contested', publisher, localId);
  if (before !== undefined && before.version >= version) return { writes: [], response: { kind, localId, publisher, version: before.version } };
  const payload = { kind, localId, publisher, version };
  return { writes: [put('contested', [publisher, localId], { version })], event: { name: 'expose', payload }, response: payload };
}

async function checkPlace({ state }: RuleContext, publisher: string, placed: PlacedHeader): Promise<void> {
  const batch = await state.get('batch', publisher, placed.seq);
  if (batch === undefined) throw new ProtocolError('RECORD_UNKNOWN', { publisher, seq: placed.seq });
  checkPlacedHeader(placed, batch);
}
