import { fromUtf8, ledgerFunctions, parseRecordId, type EventType, type LedgerState, type MemberState, type ProposalState, type Term, type Ticket } from '@huilian/protocol';
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
  attestation: ({ value }) => {
    const { attester, digest, outcome, party, recordId, version } = JSON.parse(value) as LedgerState['attestation'];
    return [{ type: 'huilian.record.attested', ...namedBy(recordId), version, digest, attester, code: outcome, ...(party === '' ? {} : { owner: party }) }];
  },
  ca: caEvents,
  charter: ({ value }) => [{ type: 'huilian.consortium.founded', fingerprint: (JSON.parse(value) as LedgerState['charter']).digest }],
  codeSet: (write) => [documentEvent('huilian.code-set.adopted', 'huilian.code-set.retiring', write)],
  dispute: ({ parts: [ticket = ''] }) => [{ type: 'huilian.ticket.disputed', ticket }],
  member: memberEvents,
  owner: ({ by, parts: [owner = ''] }) => (ownerTypes[by] === undefined ? [] : [{ type: ownerTypes[by], owner }]),
  policy: ({ parts: [publisher = '', kind = '', policy = ''] }) => [{ type: 'huilian.policy.set', publisher, kind, policy }],
  proposal: proposalEvents,
  receipt: ({ parts: [ticket = ''] }) => [{ type: 'huilian.ticket.confirmed', ticket }],
  revocation: ({ parts: [owner = '', grant = ''] }) => [{ type: 'huilian.grant.revoked', owner, grant }],
  ruleSet: (write) => [documentEvent('huilian.rule-set.adopted', 'huilian.rule-set.retiring', write)],
  migration: ({ value }) => {
    const { digest, from, kind, to } = JSON.parse(value) as LedgerState['migration'];
    return [{ type: 'huilian.migration.adopted', kind, from, to, digest }];
  },
  schema: ({ before, value }) => {
    const schema = JSON.parse(value) as LedgerState['schema'];
    const { digest, kind, version } = schema;
    return [{ type: before === undefined ? 'huilian.schema.adopted' : 'huilian.schema.retiring', kind, version, digest, ...termOf(schema) }];
  },
  statement: ({ value }) => {
    const { owner, record, verdict, version } = (JSON.parse(value) as LedgerState['statement']).statement;
    return [{ type: 'huilian.record.stated', ...namedBy(record), version, owner, code: verdict }];
  },
  ticket: ({ before, parts: [ticket = ''], value }) => {
    const { refused } = JSON.parse(value) as Ticket;
    if (before === undefined) return [{ type: 'huilian.ticket.opened', ticket }];
    return refused === undefined ? [] : [{ type: 'huilian.ticket.refused', ticket, code: refused }];
  },
};

function namedBy(recordId: string): Pick<EventNote, 'kind' | 'publisher' | 'recordId'> {
  const { kind, publisher } = parseRecordId(recordId);
  return { recordId, kind, publisher };
}

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
  const { action, approvals, reasons, rejections, status } = JSON.parse(value) as ProposalState;
  const common = { proposal, action, approvals, rejections, ...(reasons === undefined ? {} : { reasons }) };
  const made: readonly EventNote[] = before === undefined ? [{ type: 'huilian.proposal.made', ...common }] : [{ type: 'huilian.proposal.voted', ...common }];
  return status === 'open' ? made : [...made, { type: `huilian.proposal.${status}`, ...common }];
}

/** The first write adopts a document, a later one gives it its end. */
function documentEvent(adopted: EventType, retiring: EventType, { before, value }: StateWrite): EventNote {
  const document = JSON.parse(value) as LedgerState['codeSet'];
  const { digest, name, version } = document;
  return { type: before === undefined ? adopted : retiring, name, version, digest, ...termOf(document) };
}

/** A CA whose trust ended may be trusted again: it has no end then, or another one that lies ahead. */
function caEvents({ before, parts: [fingerprint = ''], value }: StateWrite): readonly EventNote[] {
  const [now, was] = [JSON.parse(value) as LedgerState['ca'], before === undefined ? undefined : (JSON.parse(before) as LedgerState['ca'])];
  const again = was === undefined || now.proposal !== was.proposal;
  return [{ type: again ? 'huilian.ca.trusted' : 'huilian.ca.retiring', fingerprint, ...termOf(now) }];
}

function termOf({ effective, retires }: Term): Term {
  return { ...(effective === undefined ? {} : { effective }), ...(retires === undefined ? {} : { retires }) };
}
