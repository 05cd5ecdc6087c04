import {
  canonicalize,
  documentDigest,
  domainOf,
  foundArgumentShape,
  kindFromDocument,
  memberRotationShape,
  parseJws,
  checkJwsHeader,
  ProtocolError,
  proposalContents,
  proposalId,
  proposeArgumentShape,
  readCharter,
  readMemberDocument,
  verifyEs256,
  voteArgumentShape,
  rotateMemberKeysArgumentShape,
  type Charter,
  type JsonObject,
  type LedgerState,
  type ProposalAction,
  type ProposalState,
} from '@huilian/protocol';
import { readCaCertificate } from './certificates.js';
import { requireCallingCentre, requireCharter, requireMember, requireOwnMember } from './membership.js';
import { put, type Outcome, type RuleContext, type StateWrite } from './rule.js';

/**
 * One founder's call. Each call reads every founder's key, so that of two racing calls one conflicts and is run again;
 * the call that sees all of them with the same charter completes the founding.
 * @throws ALREADY_FOUNDED, NOT_A_FOUNDER, FORBIDDEN, CHARTER_MISMATCH
 */
export async function found(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { charter: document, founder } = foundArgumentShape.read(argument);
  const charter = readCharter(document);
  if ((await context.state.get('charter')) !== undefined) throw new ProtocolError('ALREADY_FOUNDED');
  if (charter.channel !== context.channel || charter.chaincode !== context.chaincode) throw new ProtocolError('CHARTER_MISMATCH', { reason: 'channel' });
  const own = charter.founders.find(({ member }) => member.id === founder);
  if (own === undefined) throw new ProtocolError('NOT_A_FOUNDER', { member: founder });
  if (own.member.organisation !== context.caller) throw new ProtocolError('FORBIDDEN', { member: founder });
  const digest = documentDigest(charter);
  const missing = await foundersMissing(context, charter, founder, digest);
  const writes = [put('founding', [founder], { digest }), ...(missing.length === 0 ? foundingWrites(context, charter, digest) : [])];
  const payload = { charter: digest, complete: missing.length === 0, founder };
  return { writes, event: { name: 'found', payload }, response: { ...payload, missing } };
}

async function foundersMissing(context: RuleContext, charter: Charter, founder: string, digest: string): Promise<string[]> {
  const missing: string[] = [];
  for (const { member } of charter.founders) {
    const key = await context.state.get('founding', member.id);
    if (key !== undefined && key.digest !== digest) throw new ProtocolError('CHARTER_MISMATCH', { member: member.id });
    if (key === undefined && member.id !== founder) missing.push(member.id);
  }
  return missing;
}

function foundingWrites({ channel, chaincode, transactionId, time }: RuleContext, charter: Charter, digest: string): StateWrite[] {
  const domain = domainOf({ channel, chaincode, charter: digest, founding: transactionId });
  const state: LedgerState['charter'] = { chaincode, channel, digest, document: charter as unknown as JsonObject, domain, founding: transactionId };
  const centres = charter.founders.map(({ member }) => member.id).sort();
  return [
    put('charter', [], state),
    put('electorate', [], { centres }),
    ...charter.founders.map(({ caCertificate, member }) =>
      put('member', [member.id], { admittedAt: time, caCertificate, document: member, sequence: 1, status: 'active' }),
    ),
  ];
}

/** Proposing counts as the proposer's approval. @throws NOT_FOUNDED, NOT_A_CENTRE, PROPOSAL_INVALID, PROPOSAL_EXISTS, and what the content breaks */
export async function propose(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const proposal = proposeArgumentShape.read(argument);
  const proposer = await requireCallingCentre(context);
  const id = proposalId(proposal);
  if ((await context.state.get('proposal', id)) !== undefined) throw new ProtocolError('PROPOSAL_EXISTS', { proposal: id });
  await checkContent(context, proposal.action, proposal.content);
  const state: ProposalState = {
    action: proposal.action,
    approvals: [proposer.document.id],
    content: proposal.content,
    id,
    proposedAt: context.time,
    proposer: proposer.document.id,
    rejections: [],
    round: proposal.round,
    status: 'open',
  };
  return await decide(context, state, 'propose');
}

/** @throws PROPOSAL_UNKNOWN, PROPOSAL_CLOSED, NOT_A_CENTRE, ALREADY_VOTED */
export async function vote(context: RuleContext, argument: JsonObject, choice: 'approve' | 'reject'): Promise<Outcome> {
  await requireCharter(context);
  const { proposal: id } = voteArgumentShape.read(argument);
  const proposal = await context.state.get('proposal', id);
  if (proposal === undefined) throw new ProtocolError('PROPOSAL_UNKNOWN', { proposal: id });
  if (proposal.status !== 'open') throw new ProtocolError('PROPOSAL_CLOSED', { proposal: id, status: proposal.status });
  const voter = (await requireCallingCentre(context)).document.id;
  if (proposal.approvals.includes(voter) || proposal.rejections.includes(voter)) throw new ProtocolError('ALREADY_VOTED', { member: voter });
  const side = choice === 'approve' ? 'approvals' : 'rejections';
  return await decide(context, { ...proposal, [side]: [...proposal[side], voter].sort() }, choice);
}

/** Counts the votes of active centres; a majority of them decides, and an adopted content applies in the same transaction. */
async function decide(context: RuleContext, proposal: ProposalState, name: 'propose' | 'approve' | 'reject'): Promise<Outcome> {
  const electorate = (await context.state.get('electorate'))?.centres ?? [];
  const majority = (votes: readonly string[]): boolean => votes.filter((voter) => electorate.includes(voter)).length * 2 > electorate.length;
  const rejected = proposal.rejections.filter((voter) => electorate.includes(voter)).length * 2 >= electorate.length && electorate.length > 0;
  const status = majority(proposal.approvals) ? 'adopted' : rejected ? 'rejected' : 'open';
  const decided: ProposalState = { ...proposal, status };
  const applied = status === 'adopted' ? await applyContent(context, decided) : [];
  const payload = { action: proposal.action, proposal: proposal.id, status };
  return { writes: [put('proposal', [proposal.id], decided), ...applied], event: { name, payload }, response: payload };
}

async function checkContent(context: RuleContext, action: ProposalAction, content: JsonObject): Promise<void> {
  try {
    await contentRules[action](context, content, '');
  } catch (error) {
    // What the content itself breaks is said as such; a conflict with state keeps its own code.
    if (error instanceof ProtocolError && ['BAD_FIELD', 'UNKNOWN_FIELD', 'BAD_ID'].includes(error.code)) {
      throw new ProtocolError('PROPOSAL_INVALID', error.details);
    }
    throw error;
  }
}

function applyContent(context: RuleContext, proposal: ProposalState): Promise<StateWrite[]> {
  return contentRules[proposal.action](context, proposal.content, proposal.id);
}

type ContentRule = (context: RuleContext, content: JsonObject, proposal: string) => Promise<StateWrite[]>;

/** What each adopted content writes; also run when it is proposed, so that nobody votes on what could not apply. */
const contentRules: Readonly<Record<ProposalAction, ContentRule>> = {
  admit: async (context, content) => {
    const { caCertificate, member: document } = proposalContents.admit.read(content);
    const member = readMemberDocument(document, '/member');
    if ((await context.state.get('member', member.id))?.status === 'active') throw new ProtocolError('MEMBER_EXISTS', { member: member.id });
    if ((member.kind === 'centre') !== (caCertificate !== undefined)) throw new ProtocolError('PROPOSAL_INVALID', { reason: 'ca-certificate' });
    if (member.host !== undefined) {
      const host = await requireMember(context, member.host);
      if (host.document.kind !== 'centre' || host.document.organisation !== member.organisation) throw new ProtocolError('PROPOSAL_INVALID', { reason: 'host' });
    }
    const electorate = (await context.state.get('electorate'))?.centres ?? [];
    const state = { admittedAt: context.time, ...(caCertificate === undefined ? {} : { caCertificate }), document: member, sequence: 1, status: 'active' } as const;
    return [
      put('member', [member.id], state),
      ...(member.kind === 'centre' ? [put('electorate', [], { centres: [...electorate, member.id].sort() })] : []),
    ];
  },
  suspend: async (context, content) => {
    const { member: id } = proposalContents.suspend.read(content);
    const member = await requireMember(context, id);
    const electorate = (await context.state.get('electorate'))?.centres ?? [];
    return [
      put('member', [id], { ...member, status: 'suspended' }),
      ...(electorate.includes(id) ? [put('electorate', [], { centres: electorate.filter((centre) => centre !== id) })] : []),
    ];
  },
  'publish-schema': async ({ state }, content, proposal) => {
    const { document } = proposalContents['publish-schema'].read(content);
    const { kind, version } = kindFromDocument(document);
    if ((await state.get('schema', kind, version)) !== undefined) throw new ProtocolError('PROPOSAL_INVALID', { reason: 'schema-version-exists' });
    return [put('schema', [kind, version], { digest: documentDigest(document), document, kind, proposal, version })];
  },
  'trust-ca': (_context, content, proposal) => {
    const ca = proposalContents['trust-ca'].read(content);
    const { fingerprint } = readCaCertificate(ca.certificate);
    return Promise.resolve([put('ca', [fingerprint], { certificate: ca.certificate, fingerprint, name: ca.name, proposal, usccOids: ca.usccOids })]);
  },
  'code-set': async (context, content, proposal) => await adoptDocument(context, 'codeSet', proposalContents['code-set'].read(content), proposal),
  'rule-set': async (context, content, proposal) => await adoptDocument(context, 'ruleSet', proposalContents['rule-set'].read(content), proposal),
};

async function adoptDocument(
  { state }: RuleContext,
  type: 'codeSet' | 'ruleSet',
  { document, name, version }: { readonly document: JsonObject; readonly name: string; readonly version: number },
  proposal: string,
): Promise<StateWrite[]> {
  if ((await state.get(type, name, version)) !== undefined) throw new ProtocolError('PROPOSAL_INVALID', { reason: 'version-exists' });
  return [put(type, [name, version], { digest: documentDigest(document), document, name, proposal, version })];
}

/** New keys signed by the old one, through the member's own or its host's organisation; no vote. @throws STATEMENT_BAD_SIGNATURE, STATEMENT_EXPIRED, FORBIDDEN */
export async function rotateMemberKeys(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const charter = await requireCharter(context);
  const { rotation: jws } = rotateMemberKeysArgumentShape.read(argument);
  const parsed = parseJws(jws, 'STATEMENT_BAD_SIGNATURE');
  const kid = checkJwsHeader(parsed, 'huilian-rotation+jwt', 'STATEMENT_BAD_SIGNATURE');
  const rotation = memberRotationShape.read(parsed.payload);
  const member = await requireOwnMember(context, rotation.member);
  const { signingKey } = member.document;
  if (kid !== rotation.member || rotation.salt !== charter.domain.salt || !verifyEs256(signingKey, parsed.signingInput, parsed.signature)) {
    throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  }
  if (rotation.expires <= context.time) throw new ProtocolError('STATEMENT_EXPIRED');
  if (canonicalize(signingKey) === canonicalize(rotation.signingKey)) throw new ProtocolError('BAD_FIELD', { path: '/signingKey', reason: 'unchanged' });
  const document = { ...member.document, encryptionKey: rotation.encryptionKey, signingKey: rotation.signingKey };
  const payload = { member: rotation.member, sequence: member.sequence + 1 };
  return {
    writes: [put('member', [rotation.member], { ...member, document, sequence: member.sequence + 1 })],
    event: { name: 'rotateMemberKeys', payload },
    response: payload,
  };
}
