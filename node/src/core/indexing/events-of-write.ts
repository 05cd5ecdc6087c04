import { fromUtf8, ledgerFunctions, type EventType, type LedgerState, type MemberState, type ProposalState, type Ticket } from '@huilian/protocol';
import type { EventNote } from './index-rows.js';

interface StateWrite {
  /** `contract:function` that wrote. */
  readonly by: string;
  readonly parts: readonly string[];
  readonly value: string;
  /** What stood there before; undefined where nothing did. */
  readonly before: string | undefined;
}

/**
 * The events that one write to the world state stands for, in the order they are told. Records have theirs in the batch,
 * contested ones where the fold finds them.
 */
export function eventsOfWrite(by: string, { parts, type }: { readonly parts: readonly string[]; readonly type: string }, value: string, before: Uint8Array | undefined): readonly EventNote[] {
  return writeEvents[type]?.({ by, parts, value, before: before === undefined ? undefined : fromUtf8(before) }) ?? [];
}

const writeEvents: Readonly<Record<string, (write: StateWrite) => readonly EventNote[]>> = {
  ca: ({ before, parts: [fingerprint = ''] }) => (before === undefined ? [{ type: 'huilian.ca.trusted', fingerprint }] : []),
  charter: ({ value }) => [{ type: 'huilian.consortium.founded', fingerprint: (JSON.parse(value) as LedgerState['charter']).digest }],
  codeSet: (write) => [documentAdopted('huilian.code-set.adopted', write)],
  dispute: ({ parts: [ticket = ''] }) => [{ type: 'huilian.ticket.disputed', ticket }],
  member: memberEvents,
  owner: ({ by, parts: [owner = ''] }) => (ownerTypes[by] === undefined ? [] : [{ type: ownerTypes[by], owner }]),
  policy: ({ parts: [publisher = '', kind = '', policy = ''] }) => [{ type: 'huilian.policy.set', publisher, kind, policy }],
  proposal: proposalEvents,
  receipt: ({ parts: [ticket = ''] }) => [{ type: 'huilian.ticket.confirmed', ticket }],
  revocation: ({ parts: [owner = '', grant = ''] }) => [{ type: 'huilian.grant.revoked', owner, grant }],
  ruleSet: (write) => [documentAdopted('huilian.rule-set.adopted', write)],
  schema: ({ value }) => {
    const { digest, kind, version } = JSON.parse(value) as LedgerState['schema'];
    return [{ type: 'huilian.schema.adopted', kind, version, digest }];
  },
  ticket: ({ before, parts: [ticket = ''], value }) => {
    const { refused } = JSON.parse(value) as Ticket;
    if (before === undefined) return [{ type: 'huilian.ticket.opened', ticket }];
    return refused === undefined ? [] : [{ type: 'huilian.ticket.refused', ticket, code: refused }];
  },
};

const ownerTypes: Readonly<Record<string, EventType>> = {
  [ledgerFunctions.registerOwner]: 'huilian.owner.registered',
  [ledgerFunctions.rotateOwnerKey]: 'huilian.owner.key-rotated',
  [ledgerFunctions.recoverOwner]: 'huilian.owner.recovery-approved',
  [ledgerFunctions.objectRecovery]: 'huilian.owner.recovery-objected',
};

/** A member that comes back after a suspension is admitted again. */
function memberEvents({ before, parts: [member = ''], value }: StateWrite): readonly EventNote[] {
  const { status } = JSON.parse(value) as MemberState;
  const was = before === undefined ? undefined : (JSON.parse(before) as MemberState).status;
  if (status === 'suspended') return [{ type: 'huilian.member.suspended', member }];
  return [{ type: was === 'active' ? 'huilian.member.keys-rotated' : 'huilian.member.admitted', member }];
}

/** A proposal that its own vote carries is made and adopted in one transaction. */
function proposalEvents({ before, parts: [proposal = ''], value }: StateWrite): readonly EventNote[] {
  const { action, approvals, rejections, status } = JSON.parse(value) as ProposalState;
  const common = { proposal, action, approvals, rejections };
  const made: readonly EventNote[] = before === undefined ? [{ type: 'huilian.proposal.made', ...common }] : [{ type: 'huilian.proposal.voted', ...common }];
  return status === 'open' ? made : [...made, { type: `huilian.proposal.${status}`, ...common }];
}

function documentAdopted(type: EventType, { value }: StateWrite): EventNote {
  const { digest, name, version } = JSON.parse(value) as LedgerState['codeSet'];
  return { type, name, version, digest };
}
