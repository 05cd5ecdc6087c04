import { ProtocolError, proposalContents, readMemberDocument, type JsonObject, type MemberDocument, type MemberState, type ProposalAction } from '@huilian/protocol';
import { adoptDocument, adoptMigration, adoptSchema, retire, trustCa } from './adopt-documents.js';
import { invalid } from './invalid-proposal.js';
import { activeCentres, electorateOf, requireActiveMember, requireMember } from './membership.js';
import { put, type RuleContext, type StateWrite } from './rule.js';

type ContentRule = (context: RuleContext, content: JsonObject, proposal: string) => Promise<StateWrite[]>;

const contentRules: Readonly<Record<ProposalAction, ContentRule>> = {
  admit,
  suspend,
  'publish-schema': adoptSchema,
  'trust-ca': trustCa,
  migration: adoptMigration,
  retire,
  'code-set': async (context, content, proposal) => await adoptDocument(context, 'codeSet', proposalContents['code-set'].read(content), proposal),
  'rule-set': async (context, content, proposal) => await adoptDocument(context, 'ruleSet', proposalContents['rule-set'].read(content), proposal),
};

/** What an adopted content writes. @throws PROPOSAL_INVALID for its own faults; a conflict with state keeps its code */
export async function applyContent(context: RuleContext, action: ProposalAction, content: JsonObject, proposal: string): Promise<StateWrite[]> {
  try {
    return await contentRules[action](context, content, proposal);
  } catch (error) {
    if (error instanceof ProtocolError && ['BAD_FIELD', 'UNKNOWN_FIELD', 'BAD_ID'].includes(error.code)) {
      throw new ProtocolError('PROPOSAL_INVALID', error.details);
    }
    throw error;
  }
}

/** @throws MEMBER_EXISTS; a suspended member may be admitted again, as the same kind */
async function admit(context: RuleContext, content: JsonObject): Promise<StateWrite[]> {
  const { caCertificate, member: document } = proposalContents.admit.read(content);
  const member = readMemberDocument(document, '/member');
  const before = await context.state.get('member', member.id);
  if (before?.status === 'active') throw new ProtocolError('MEMBER_EXISTS', { member: member.id });
  if (before !== undefined && before.document.kind !== member.kind) invalid('kind');
  if ((member.kind === 'centre') !== (caCertificate !== undefined)) invalid('ca-certificate');
  await (member.host === undefined ? checkNewCentre(context, member) : checkHost(context, member, member.host));
  const state: MemberState = {
    admittedAt: context.time,
    ...(caCertificate === undefined ? {} : { caCertificate }),
    document: member,
    sequence: (before?.sequence ?? 0) + 1,
    status: 'active',
  };
  const centres = [...(await electorateOf(context)), member.id].sort();
  return [put('member', [member.id], state), ...(member.kind === 'centre' ? [put('electorate', [], { centres })] : [])];
}

/** A caller is known by its organisation and a node by its peer id, so no two active centres share one. */
async function checkNewCentre(context: RuleContext, member: MemberDocument): Promise<void> {
  for (const { document } of await activeCentres(context)) {
    if (document.organisation === member.organisation) invalid('organisation-taken');
    if (document.peerId === member.peerId) invalid('peer-id-taken');
  }
}

async function checkHost(context: RuleContext, member: MemberDocument, id: string): Promise<void> {
  const host = await requireActiveMember(context, id);
  if (host.document.kind !== 'centre') invalid('host-not-a-centre');
  if (host.document.organisation !== member.organisation) invalid('organisation-not-the-hosts');
}

/** @throws MEMBER_UNKNOWN, MEMBER_SUSPENDED */
async function suspend(context: RuleContext, content: JsonObject): Promise<StateWrite[]> {
  const { member: id } = proposalContents.suspend.read(content);
  const member = await requireMember(context, id);
  if (member.status !== 'active') throw new ProtocolError('MEMBER_SUSPENDED', { member: id });
  const before = await electorateOf(context);
  const centres = before.filter((centre) => centre !== id);
  if (centres.length === 0) invalid('last-centre');
  return [put('member', [id], { ...member, status: 'suspended' }), ...(centres.length < before.length ? [put('electorate', [], { centres })] : [])];
}
