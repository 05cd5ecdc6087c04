import { ProtocolError, type LedgerState, type MemberState } from '@huilian/protocol';
import type { RuleContext } from './rule.js';

type Charter = LedgerState['charter'];

/** The charter, for a call that was made to the charter's own chaincode. @throws NOT_FOUNDED, FORBIDDEN_CALLER */
export async function requireCharter({ chaincode, channel, state }: RuleContext): Promise<Charter> {
  const charter = await state.get('charter');
  if (charter === undefined) throw new ProtocolError('NOT_FOUNDED');
  if (charter.chaincode !== chaincode || charter.channel !== channel) throw new ProtocolError('FORBIDDEN_CALLER');
  return charter;
}

/** @throws MEMBER_UNKNOWN, MEMBER_SUSPENDED */
export async function requireMember({ state }: RuleContext, id: string): Promise<MemberState> {
  const member = await state.get('member', id);
  if (member === undefined) throw new ProtocolError('MEMBER_UNKNOWN', { member: id });
  if (member.status !== 'active') throw new ProtocolError('MEMBER_SUSPENDED', { member: id });
  return member;
}

/** The member, when the calling organisation is its own or its host's. @throws FORBIDDEN, MEMBER_UNKNOWN, MEMBER_SUSPENDED */
export async function requireOwnMember(context: RuleContext, id: string): Promise<MemberState> {
  const member = await requireMember(context, id);
  if (member.document.organisation !== context.caller) throw new ProtocolError('FORBIDDEN', { member: id });
  // A hosted member acts through its host, so the host must be in good standing too.
  if (member.document.host !== undefined) await requireMember(context, member.document.host);
  return member;
}

/** The active centre of the calling organisation. @throws NOT_A_CENTRE */
export async function requireCallingCentre(context: RuleContext): Promise<MemberState> {
  const electorate = await context.state.get('electorate');
  for (const id of electorate?.centres ?? []) {
    const member = await context.state.get('member', id);
    if (member?.document.organisation === context.caller && member.status === 'active') return member;
  }
  throw new ProtocolError('NOT_A_CENTRE');
}
