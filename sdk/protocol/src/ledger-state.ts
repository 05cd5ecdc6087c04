import { placedHeaderShape } from './batch.js';
import type { JsonObject } from './canonical.js';
import type { AdoptedReference } from './completeness.js';
import type { Domain } from './eip712.js';
import type { MemberDocument, ProposalAction, RejectionReason } from './governance.js';
import type { Header } from './header.js';
import type { Policy, Ticket } from './access.js';
import { memberIdShape } from './ids.js';
import type { Attestation, Stated } from './record-statements.js';
import { object } from './shape.js';
import type { Term } from './term.js';

/**
 * World state: every key the contracts write and the value under it. Values are canonical JSON. The read model folds
 * these writes out of full blocks, evidence reads them out of endorsed proposal responses.
 */

/** Fabric's composite key: U+0000, then each part followed by U+0000. Parts never contain U+0000 (closed grammars). */
export function stateKey(type: keyof LedgerState, ...parts: readonly (string | number)[]): string {
  return `\u0000${[type, ...parts.map(statePart)].join('\u0000')}\u0000`;
}

// Numbers are padded so that keys sort by value in range reads.
function statePart(part: string | number): string {
  return typeof part === 'number' ? String(part).padStart(12, '0') : part;
}

/** Splits a composite key; undefined for a key of another shape. */
export function splitStateKey(key: string): { type: string; parts: string[] } | undefined {
  if (!key.startsWith('\u0000') || !key.endsWith('\u0000')) return undefined;
  const [type = '', ...parts] = key.slice(1, -1).split('\u0000');
  return { type, parts };
}

/** What each key type holds. Key parts stand in the comment. Times are Unix seconds of the writing transaction. */
export interface LedgerState {
  /** [] once the founding is complete. */
  charter: { readonly chaincode: string; readonly channel: string; readonly digest: string; readonly document: JsonObject; readonly domain: Domain; readonly founding: string };
  /** [memberId] one key per founder's call: the charter it last called with. */
  founding: { readonly digest: string };
  /** [memberId] */
  member: MemberState;
  /** [] sorted ids of active centres: the electorate, read by every vote. */
  electorate: { readonly centres: readonly string[] };
  /** [proposalId] */
  proposal: ProposalState;
  /** [kind, version] */
  schema: Term & { readonly digest: string; readonly document: JsonObject; readonly kind: string; readonly proposal: string; readonly version: number };
  /** [kind, from, to] */
  migration: { readonly digest: string; readonly document: JsonObject; readonly from: number; readonly kind: string; readonly proposal: string; readonly to: number };
  /** [fingerprint: SHA-256 of the DER, hex] */
  ca: Term & { readonly certificate: string; readonly fingerprint: string; readonly name: { readonly en: string; readonly zh: string }; readonly proposal: string; readonly usccOids: readonly string[] };
  /** [] sorted fingerprints of the voted CAs, to find an issuer by. */
  trustList: { readonly fingerprints: readonly string[] };
  /** [name, version] */
  codeSet: AdoptedDocument;
  /** [name, version] */
  ruleSet: AdoptedDocument;
  /** [member, of, id, version] a member holds an adopted document. */
  acknowledgement: AdoptedReference & { readonly at: number; readonly member: string };
  /** [publisher, kind, day] how many rows the publisher's sources had. */
  declaration: { readonly day: string; readonly declaredAt: number; readonly expected: number; readonly kind: string; readonly publisher: string };
  /** [ownerId] */
  owner: OwnerState;
  /** [publisher, seq] one key per batch. */
  batch: { readonly count: number; readonly root: string };
  /** [publisher, localId] current state of a record that supersedes or revokes; absent while only version 1 exists. */
  record: { readonly batch: number; readonly header: Header };
  /** [publisher, localId] blocks versions up to and including this one. */
  contested: { readonly version: number };
  /** [publisher, localId, version, attester] a centre's latest word on another centre's record. */
  attestation: Attestation;
  /** [publisher, localId, version, ownerId] the latest word of whom a record is about. */
  statement: Stated;
  /** [ownerId, grantDigest] */
  revocation: { readonly revokedAt: number };
  /** [ownerId, grantDigest, n] */
  slot: { readonly ticket: string };
  /** [readerId, requestId] */
  request: { readonly digest: string; readonly ticket: string };
  /** [ticketId] */
  ticket: Ticket;
  /** [ticketId] the first receipt: SHA-256 of its canonical payload, and the release it speaks of. */
  receipt: { readonly confirmedAt: number; readonly digest: string; readonly jwe: string };
  /** [ticketId] */
  dispute: { readonly disputedAt: number };
  /** [publisher, kind, policyDigest] */
  policy: { readonly digest: string; readonly policy: Policy };
}

/** A member as the ledger has it: what it stated at its admission, and whether it is active. */
export interface MemberState {
  readonly admittedAt: number;
  /** The organisation's CA certificate, for centres (PEM). */
  readonly caCertificate?: string;
  readonly document: MemberDocument;
  /** 1 at admission, +1 with each rotation of keys and each admission after a suspension. */
  readonly sequence: number;
  readonly status: 'active' | 'suspended';
}

export interface ProposalState {
  readonly action: ProposalAction;
  readonly approvals: readonly string[];
  readonly content: JsonObject;
  readonly id: string;
  readonly proposedAt: number;
  readonly proposer: string;
  /** Why those who rejected it did, where they said so. */
  readonly reasons?: Readonly<Record<string, RejectionReason>>;
  readonly rejections: readonly string[];
  readonly round: number;
  readonly status: 'adopted' | 'open' | 'rejected';
}

export interface AdoptedDocument extends Term {
  readonly digest: string;
  readonly document: JsonObject;
  readonly name: string;
  readonly proposal: string;
  readonly version: number;
}

export interface OwnerState {
  /** Fingerprint of the voted CA and of the certificate that registered the key (SHA-256 of DER, hex). */
  readonly ca: string;
  readonly certificate: string;
  /** Key in force (see OwnerKey). */
  readonly key: string;
  readonly owner: string;
  /** A recovery that waits: effective at `effectiveAt` once two centres approved. */
  readonly recovery?: OwnerRecovery;
  readonly registeredAt: number;
  /** 1 at registration, +1 with each change of key. */
  readonly sequence: number;
}

export interface OwnerRecovery {
  readonly approvals: readonly string[];
  readonly ca: string;
  readonly certificate: string;
  /** Unix seconds; 0 until the second centre approved. */
  readonly effectiveAt: number;
  readonly key: string;
}

/**
 * The owner's key in force at a time: a recovery takes effect by time alone, without a transaction. The next write of the
 * owner then holds it as the key, with `sequence` one higher.
 */
export function ownerKeyInForce(owner: OwnerState, at: number): string {
  const { recovery } = owner;
  return recovery !== undefined && recovery.effectiveAt > 0 && recovery.effectiveAt <= at ? recovery.key : owner.key;
}

/** Names of the contracts' functions as Fabric sees them: `contract:function`. */
export const ledgerFunctions = {
  found: 'governance:found',
  propose: 'governance:propose',
  approve: 'governance:approve',
  reject: 'governance:reject',
  rotateMemberKeys: 'governance:rotateMemberKeys',
  acknowledge: 'governance:acknowledge',
  registerOwner: 'entities:register',
  rotateOwnerKey: 'entities:rotateKey',
  recoverOwner: 'entities:recover',
  objectRecovery: 'entities:objectRecovery',
  publish: 'records:publish',
  expose: 'records:expose',
  declare: 'records:declare',
  attest: 'records:attest',
  state: 'records:state',
  open: 'access:open',
  confirm: 'access:confirm',
  refuse: 'access:refuse',
  dispute: 'access:dispute',
  revokeGrant: 'access:revokeGrant',
  setPolicy: 'access:setPolicy',
} as const;
export type LedgerFunction = keyof typeof ledgerFunctions;

/** `records.expose`: two different headers of one record and version, and where each stands in its publisher's batches. */
export const exposeArgumentShape = object({ first: placedHeaderShape, publisher: memberIdShape, second: placedHeaderShape });

/**
 * Name of the one event a transaction sets, and its canonical JSON payload: the ids of what happened. A command that
 * changed nothing sets none.
 */
export interface LedgerEvent {
  readonly name: LedgerFunction;
  readonly payload: JsonObject;
}
