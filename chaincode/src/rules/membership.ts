import { ProtocolError, type LedgerState, type MemberState } from '@huilian/protocol';
import type { RuleContext } from './rule.js';

/** The charter, for a call that was made to the charter's own chaincode. @throws NOT_FOUNDED, FORBIDDEN_CALLER */
export async function requireCharter({ chaincode, channel, state }: RuleContext): Promise<LedgerState['charter']> {
  const charter = await state.get('charter');
  if (charter === undefined) throw new ProtocolError('NOT_FOUNDED');
  // Where another chaincode calls in, the signed proposal names that one.
  if (charter.chaincode !== chaincode || charter.channel !== channel) throw new ProtocolError('FORBIDDEN_CALLER');
  return charter;
}

/** @throws MEMBER_UNKNOWN */
export async function requireMember({ state }: RuleContext, id: string): Promise<MemberState> {
  const member = await state.get('member', id);
  if (member === undefined) throw new ProtocolError('MEMBER_UNKNOWN', { member: id });
  return member;
}

/** A member in good standing; one that is hosted stands with its host. @throws MEMBER_UNKNOWN, MEMBER_SUSPENDED */
export async function requireActiveMember(context: RuleContext, id: string): Promise<MemberState> {
  const member = await requireMember(context, id);
  if (member.status !== 'active') throw new ProtocolError('MEMBER_SUSPENDED', { member: id });
  const { host } = member.document;
  if (host !== undefined && (await requireMember(context, host)).status !== 'active') throw new ProtocolError('MEMBER_SUSPENDED', { member: host });
  return member;
}

/** An active member that the calling organisation is or hosts. @throws MEMBER_UNKNOWN, FORBIDDEN, MEMBER_SUSPENDED */
export async function requireOwnMember(context: RuleContext, id: string): Promise<MemberState> {
  const member = await requireMember(context, id);
  if (member.document.organisation !== context.caller) throw new ProtocolError('FORBIDDEN', { member: id });
  return await requireActiveMember(context, id);
}

/** The same for a reader whose signature is brought: another member's is a replay. @throws MEMBER_UNKNOWN, REQUEST_NOT_READER, MEMBER_SUSPENDED */
export async function requireReader(context: RuleContext, id: string): Promise<MemberState> {
  const member = await requireMember(context, id);
  if (member.document.organisation !== context.caller) throw new ProtocolError('REQUEST_NOT_READER', { reader: id });
  return await requireActiveMember(context, id);
}

/** Ids of the active centres. Every vote reads them, so that a change of the electorate conflicts with it. */
export async function electorateOf({ state }: RuleContext): Promise<readonly string[]> {
  return (await state.get('electorate'))?.centres ?? [];
}

/** States of the active centres, in order of their ids. */
export async function activeCentres(context: RuleContext): Promise<MemberState[]> {
  const centres: MemberState[] = [];
  for (const id of await electorateOf(context)) centres.push(await requireMember(context, id));
  return centres;
}

async function callingCentre(context: RuleContext): Promise<MemberState | undefined> {
  return (await activeCentres(context)).find(({ document }) => document.organisation === context.caller);
}

/** The active centre of the calling organisation. @throws NOT_A_CENTRE */
export async function requireCallingCentre(context: RuleContext): Promise<MemberState> {
  const centre = await callingCentre(context);
  if (centre === undefined) throw new ProtocolError('NOT_A_CENTRE');
  return centre;
}

/** For what any member may bring: the calling organisation is an active centre's, its hosted members' included. @throws FORBIDDEN */
export async function requireAnyMember(context: RuleContext): Promise<void> {
  if ((await callingCentre(context)) === undefined) throw new ProtocolError('FORBIDDEN', { reason: 'not-a-member' });
}
