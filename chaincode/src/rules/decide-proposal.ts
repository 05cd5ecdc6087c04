import { approveArgumentShape, ProtocolError, proposalId, proposeArgumentShape, rejectArgumentShape, type JsonObject, type LedgerFunction, type ProposalState, type RejectionReason } from '@huilian/protocol';
import { electorateOf, requireCallingCentre, requireCharter } from './membership.js';
import { applyContent } from './proposal-contents.js';
import { put, type Outcome, type Rule, type RuleContext } from './rule.js';

/**
 * Proposing counts as the proposer's approval. The content is tried at once, so that nobody votes on what could not apply.
 * @throws NOT_FOUNDED, NOT_A_CENTRE, PROPOSAL_EXISTS, PROPOSAL_CLOSED, PROPOSAL_INVALID, and what the content breaks
 */
export async function propose(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { action, content, round } = proposeArgumentShape.read(argument);
  const proposer = (await requireCallingCentre(context)).document.id;
  const id = proposalId({ action, content, round });
  const before = await context.state.get('proposal', id);
  if (before !== undefined) throw new ProtocolError(before.status === 'open' ? 'PROPOSAL_EXISTS' : 'PROPOSAL_CLOSED', { proposal: id });
  await applyContent(context, action, content, id);
  const proposal: ProposalState = {
    action,
    approvals: [proposer],
    content,
    id,
    proposedAt: context.time,
    proposer,
    rejections: [],
    round,
    status: 'open',
  };
  return await settle(context, proposal, 'propose');
}

/** @throws NOT_FOUNDED, PROPOSAL_UNKNOWN, PROPOSAL_CLOSED, NOT_A_CENTRE, ALREADY_VOTED, and what the content breaks by now */
export const approve: Rule<JsonObject> = async (context, argument) => {
  await requireCharter(context);
  return await vote(context, approveArgumentShape.read(argument).proposal, 'approve');
};

/** A vote against may say why, by a code. @throws NOT_FOUNDED, PROPOSAL_UNKNOWN, PROPOSAL_CLOSED, NOT_A_CENTRE, ALREADY_VOTED */
export const reject: Rule<JsonObject> = async (context, argument) => {
  await requireCharter(context);
  const { proposal, reason } = rejectArgumentShape.read(argument);
  return await vote(context, proposal, 'reject', reason);
};

async function vote(context: RuleContext, id: string, name: LedgerFunction & ('approve' | 'reject'), reason?: RejectionReason): Promise<Outcome> {
  const proposal = await context.state.get('proposal', id);
  if (proposal === undefined) throw new ProtocolError('PROPOSAL_UNKNOWN', { proposal: id });
  if (proposal.status !== 'open') throw new ProtocolError('PROPOSAL_CLOSED', { proposal: id, status: proposal.status });
  const voter = (await requireCallingCentre(context)).document.id;
  const voted = proposal.approvals.includes(voter) || proposal.rejections.includes(voter);
  // A vote is cast once. But when the electorate changed, votes already cast may decide: then any centre settles it.
  if (voted && tally(proposal, await electorateOf(context)) === 'open') throw new ProtocolError('ALREADY_VOTED', { member: voter });
  return await settle(context, voted ? proposal : withVote(proposal, voter, name, reason), name);
}

function withVote(proposal: ProposalState, voter: string, name: 'approve' | 'reject', reason: RejectionReason | undefined): ProposalState {
  const side = name === 'approve' ? 'approvals' : 'rejections';
  const reasons = reason === undefined ? {} : { reasons: { ...proposal.reasons, [voter]: reason } };
  return { ...proposal, [side]: [...proposal[side], voter].sort(), ...reasons };
}

/** Only votes of centres that are active now count. Rejected is what can no longer find a majority. */
function tally({ approvals, rejections }: ProposalState, centres: readonly string[]): ProposalState['status'] {
  const count = (votes: readonly string[]): number => votes.filter((voter) => centres.includes(voter)).length;
  if (count(approvals) * 2 > centres.length) return 'adopted';
  return count(rejections) * 2 >= centres.length ? 'rejected' : 'open';
}

/** A majority of active centres decides, and an adopted content applies in the same transaction. */
async function settle(context: RuleContext, proposal: ProposalState, name: LedgerFunction): Promise<Outcome> {
  const status = tally(proposal, await electorateOf(context));
  const applied = status === 'adopted' ? await applyContent(context, proposal.action, proposal.content, proposal.id) : [];
  const payload = { action: proposal.action, proposal: proposal.id, status };
  return { writes: [put('proposal', [proposal.id], { ...proposal, status }), ...applied], event: { name, payload }, response: payload };
}
