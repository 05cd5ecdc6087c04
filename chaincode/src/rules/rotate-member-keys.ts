import { checkJwsHeader, memberRotationShape, parseJws, ProtocolError, rotateMemberKeysArgumentShape, verifyEs256, type JsonObject } from '@huilian/protocol';
import { requireCharter, requireOwnMember } from './membership.js';
import { put, type Outcome, type RuleContext } from './rule.js';
import { checkStatementTerm } from './statement-term.js';

/**
 * New keys signed by the old one, through the member's own or its host's organisation; no vote. The signing key must
 * change: then a rotation can never be brought twice.
 * @throws NOT_FOUNDED, ARG_MALFORMED, MEMBER_UNKNOWN, FORBIDDEN, MEMBER_SUSPENDED, GRANT_WRONG_DOMAIN, STATEMENT_EXPIRED, STATEMENT_BAD_SIGNATURE, BAD_FIELD
 */
export async function rotateMemberKeys(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { domain } = await requireCharter(context);
  const parsed = parseJws(rotateMemberKeysArgumentShape.read(argument).rotation, 'ARG_MALFORMED');
  const kid = checkJwsHeader(parsed, 'huilian-rotation+jwt', 'ARG_MALFORMED');
  const { encryptionKey, expires, member: id, salt, signingKey } = memberRotationShape.read(parsed.payload);
  if (kid !== id) throw new ProtocolError('ARG_MALFORMED', { reason: 'kid' });
  const member = await requireOwnMember(context, id);
  if (salt !== domain.salt) throw new ProtocolError('GRANT_WRONG_DOMAIN');
  checkStatementTerm(expires, context.time);
  const before = member.document.signingKey;
  if (!verifyEs256(before, parsed.signingInput, parsed.signature)) throw new ProtocolError('STATEMENT_BAD_SIGNATURE', { member: id });
  if (signingKey.x === before.x && signingKey.y === before.y) throw new ProtocolError('BAD_FIELD', { path: '/signingKey', reason: 'unchanged' });
  const sequence = member.sequence + 1;
  const payload = { member: id, sequence };
  return {
    writes: [put('member', [id], { ...member, document: { ...member.document, encryptionKey, signingKey }, sequence })],
    event: { name: 'rotateMemberKeys', payload },
    response: payload,
  };
}
