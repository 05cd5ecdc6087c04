import { ProtocolError } from './errors.js';
import { kindShape, memberIdShape, ownerIdShape } from './ids.js';
import { boolean, object, oneOf, optional, sortedSet, text, type Read, type Shape } from './shape.js';

/**
 * The event feed: what VALID transactions made true, in the order of the ledger. Every node derives the same events with
 * the same ids from the same blocks, so a consumer may change its node and go on.
 */

/** Every type of event, by what it is about. The names are CloudEvents types (CloudEvents 1.0.2 §3.1). */
export const eventTypes = [
  'huilian.record.published',
  'huilian.record.superseded',
  'huilian.record.revoked',
  'huilian.record.contested',
  'huilian.record.attested',
  'huilian.record.stated',
  'huilian.ticket.opened',
  'huilian.ticket.confirmed',
  'huilian.ticket.refused',
  'huilian.ticket.disputed',
  'huilian.grant.revoked',
  'huilian.policy.set',
  'huilian.owner.registered',
  'huilian.owner.key-rotated',
  'huilian.owner.recovery-approved',
  'huilian.owner.recovery-objected',
  'huilian.member.admitted',
  'huilian.member.suspended',
  'huilian.member.keys-rotated',
  'huilian.proposal.made',
  'huilian.proposal.voted',
  'huilian.proposal.adopted',
  'huilian.proposal.rejected',
  'huilian.schema.adopted',
  'huilian.schema.retiring',
  'huilian.migration.adopted',
  'huilian.ca.trusted',
  'huilian.ca.retiring',
  'huilian.code-set.adopted',
  'huilian.code-set.retiring',
  'huilian.rule-set.adopted',
  'huilian.rule-set.retiring',
  'huilian.consortium.founded',
] as const;
/** One of `eventTypes`. */
export type EventType = (typeof eventTypes)[number];

/** Type of the one event that is not on the feed: a webhook's trial (`POST /v1/webhooks/:id/test`). */
export const webhookTestType = 'huilian.webhook.test';

/** What happened. Which fields an event has follows from its type: docs/protocol/events.md. All of it is on the ledger. */
export interface EventData {
  readonly block: number;
  readonly transactionId: string;
  readonly recordId?: string;
  readonly kind?: string;
  readonly schema?: number;
  readonly version?: number;
  readonly rights?: string;
  readonly publisher?: string;
  readonly subject?: string;
  readonly owner?: string;
  /** SHA-256 of the payload segment, or of an adopted document, hex. */
  readonly digest?: string;
  /** Batch and position in it: where a record's Merkle path starts. */
  readonly seq?: number;
  readonly index?: number;
  readonly ticket?: string;
  readonly reader?: string;
  readonly purpose?: string;
  /** Claim names without the kind. */
  readonly claims?: readonly string[];
  readonly records?: readonly { readonly recordId: string; readonly version: number }[];
  /** EIP-712 digest of the grant. */
  readonly grant?: string;
  /** Digest of the policy. */
  readonly policy?: string;
  /** Why a ticket was refused; what an attestation came to; the verdict of an owner's statement. */
  readonly code?: string;
  /** The centre that attested. */
  readonly attester?: string;
  readonly member?: string;
  readonly proposal?: string;
  readonly action?: string;
  readonly approvals?: readonly string[];
  readonly rejections?: readonly string[];
  readonly name?: string;
  /** From when on and until when an adopted document is in force, Unix seconds. */
  readonly effective?: number;
  readonly retires?: number;
  /** Versions that a migration leads between. */
  readonly from?: number;
  readonly to?: number;
  /** Why centres rejected a proposal, by centre. */
  readonly reasons?: Readonly<Record<string, string>>;
  /** Fingerprint of a certificate or charter: SHA-256, hex. */
  readonly fingerprint?: string;
}

/** A CloudEvents 1.0 event in structured JSON. `source` and `id` together are unique, and equal on every node. */
export interface ConsortiumEvent {
  readonly specversion: '1.0';
  /** Place on the ledger: `<block>/<transaction>/<n>`. */
  readonly id: string;
  /** `urn:huilian:<fingerprint of the charter>` */
  readonly source: string;
  readonly type: EventType | typeof webhookTestType;
  /** Transaction time, RFC 3339. */
  readonly time: string;
  /** What it is about: a record id, ticket id, owner, member, proposal, … */
  readonly subject: string;
  readonly datacontenttype: 'application/json';
  readonly data: EventData;
}

/** Which events a consumer wants: all fields given must match. An event without the field does not match. */
export const eventFilterShape = object({
  /** Kind of the record, or of one of a ticket's records. */
  kind: optional(kindShape),
  owner: optional(ownerIdShape),
  publisher: optional(memberIdShape),
  /** The organisation that a record is about. */
  subject: optional(ownerIdShape),
  /** Any of these types, ascending. */
  types: optional(sortedSet(oneOf(...eventTypes), 1, eventTypes.length)),
});
/** As `eventFilterShape` reads it. */
export type EventFilter = Read<typeof eventFilterShape>;

/**
 * A position in the feed. After an event: its id. After a whole block: the block's number. Positions compare, and all
 * that comes after one is what a consumer at that position has not seen.
 */
export interface EventPosition {
  readonly block: number;
  /** Absent: after the whole block. */
  readonly transaction?: number;
  readonly n?: number;
}

/** Before the first event. */
export const feedStart: EventPosition = { block: -1 };

const positionPattern = /^(?:start|(0|[1-9]\d{0,8})(?:\/(0|[1-9]\d{0,4})\/(0|[1-9]\d{0,3}))?)$/;

/** A position as text; `start` is before the first event. */
export const positionShape: Shape<EventPosition> = {
  schema: { type: 'string', pattern: positionPattern.source, maxLength: 24 },
  read: readPosition,
};

/** @throws BAD_FIELD {path, reason: 'position'} */
export function readPosition(text: unknown, path = ''): EventPosition {
  const match = typeof text === 'string' ? positionPattern.exec(text) : null;
  if (match === null) throw new ProtocolError('BAD_FIELD', { path, reason: 'position' });
  const [, block, transaction, n] = match;
  if (block === undefined) return feedStart;
  return transaction === undefined ? { block: Number(block) } : { block: Number(block), transaction: Number(transaction), n: Number(n) };
}

export function positionText({ block, n = 0, transaction }: EventPosition): string {
  if (block < 0) return 'start';
  return transaction === undefined ? String(block) : `${String(block)}/${String(transaction)}/${String(n)}`;
}

/** Negative when the left position comes first. */
export function comparePositions(left: EventPosition, right: EventPosition): number {
  return left.block - right.block || rank(left.transaction) - rank(right.transaction) || rank(left.n) - rank(right.n);
}

/** After the whole block is after every event of it. */
function rank(number: number | undefined): number {
  return number ?? Number.MAX_SAFE_INTEGER;
}

/** What a member asks for when it subscribes with a webhook. */
export const webhookShape = object({
  /** Where to begin: after this position. From now on where absent. */
  after: optional(positionShape),
  /** Up to 100 events in one call (`application/cloudevents-batch+json`) instead of one. */
  batch: optional(boolean()),
  filter: optional(eventFilterShape),
  /** Absolute, https, without credentials and fragment. */
  url: text(/https?:\/\/[\x21-\x7e]+/, 2048),
});
