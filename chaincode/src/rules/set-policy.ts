import { documentDigest, policyShape, ProtocolError, type JsonObject } from '@huilian/protocol';
import { requireCharter, requireOwnMember } from './membership.js';
import { put, type Outcome, type RuleContext } from './rule.js';

/**
 * A publisher's standing permission for records of one kind that it owns itself. Policies add up; each ends by its own
 * time. Brought again, it changes nothing.
 * @throws NOT_FOUNDED, MEMBER_UNKNOWN, FORBIDDEN, MEMBER_SUSPENDED, BAD_FIELD
 */
export async function setPolicy(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const policy = policyShape.read(argument);
  const { expires, kind, notBefore, publisher } = policy;
  const { document } = await requireOwnMember(context, publisher);
  if (document.kind !== 'centre') throw new ProtocolError('FORBIDDEN', { member: publisher, reason: 'not-a-centre' });
  if (expires <= notBefore || expires <= context.time) throw new ProtocolError('BAD_FIELD', { path: '/expires', reason: 'term' });
  const digest = documentDigest(policy);
  const payload = { digest, kind, publisher };
  if ((await context.state.get('policy', publisher, kind, digest)) !== undefined) return { writes: [], response: payload };
  return { writes: [put('policy', [publisher, kind, digest], { digest, policy })], event: { name: 'setPolicy', payload }, response: payload };
}
