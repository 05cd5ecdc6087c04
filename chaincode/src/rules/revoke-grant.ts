import { ownerKeyInForce, ProtocolError, revocationEnvelopeShape, verifyRevocationSignature, type JsonObject } from '@huilian/protocol';
import { requireAnyMember, requireCharter } from './membership.js';
import { recoverPublicKey } from './owner-signatures.js';
import { put, type Outcome, type RuleContext } from './rule.js';

/**
 * Ends a grant: signed by the owner's key in force, brought by any member. The state key is (owner, grant), so a
 * stranger's revocation blocks nobody. Brought again, it changes nothing.
 * @throws NOT_FOUNDED, FORBIDDEN, OWNER_UNKNOWN, GRANT_SUITE_UNSUPPORTED, GRANT_WRONG_DOMAIN, GRANT_NONCANONICAL_SIG, REVOCATION_BAD_SIGNATURE
 */
export async function revokeGrant(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { domain } = await requireCharter(context);
  const envelope = revocationEnvelopeShape.read(argument);
  await requireAnyMember(context);
  const { grant, owner: id } = envelope.revocation;
  const owner = await context.state.get('owner', id);
  if (owner === undefined) throw new ProtocolError('OWNER_UNKNOWN');
  const { key } = verifyRevocationSignature(envelope, domain, recoverPublicKey);
  if (key !== ownerKeyInForce(owner, context.time)) throw new ProtocolError('REVOCATION_BAD_SIGNATURE');
  const before = await context.state.get('revocation', id, grant);
  const revokedAt = before?.revokedAt ?? context.time;
  const payload = { grant, owner: id, revokedAt };
  if (before !== undefined) return { writes: [], response: payload };
  return { writes: [put('revocation', [id, grant], { revokedAt })], event: { name: 'revokeGrant', payload }, response: payload };
}
