import { ProtocolError, type AccessRequest, type MemberState, type Policy } from '@huilian/protocol';
import type { Permission } from './grant-permission.js';
import type { RuleContext } from './rule.js';

/**
 * The publisher's policy for records it owns itself: the one the request names, in force now, for this class of reader,
 * purpose, kind and claims. Public records need no ticket.
 * @throws POLICY_UNKNOWN, POLICY_NOT_COVERED
 */
export async function permissionByPolicy({ state, time }: RuleContext, request: AccessRequest, reader: MemberState): Promise<Permission> {
  const kind = request.headers[0]?.header.kind ?? '';
  if (request.basis.kind !== 'policy') throw new ProtocolError('POLICY_UNKNOWN', { reason: 'basis' });
  if (request.headers.some(({ header }) => header.rights === 'public')) throw new ProtocolError('POLICY_NOT_COVERED', { reason: 'public' });
  if (request.headers.some(({ header }) => header.kind !== kind)) throw new ProtocolError('POLICY_NOT_COVERED', { reason: 'kind' });
  const found = await state.get('policy', request.publisher, kind, request.basis.digest);
  if (found === undefined) throw new ProtocolError('POLICY_UNKNOWN');
  const { policy } = found;
  if (time < policy.notBefore || time >= policy.expires) throw new ProtocolError('POLICY_UNKNOWN', { reason: 'not-in-force' });
  const gap = uncovered(policy, request, reader);
  if (gap !== undefined) throw new ProtocolError('POLICY_NOT_COVERED', { reason: gap });
  return { ends: policy.expires, owner: '' };
}

function uncovered(policy: Policy, { claims, purpose }: AccessRequest, { document }: MemberState): string | undefined {
  if (!policy.granteeClasses.includes(document.kind)) return 'reader';
  if (!policy.purposes.includes(purpose)) return 'purpose';
  return claims.every((claim) => policy.claims.includes(claim)) ? undefined : 'claim';
}
