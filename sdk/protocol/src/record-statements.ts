import { recordIdShape } from './access.js';
import { placedHeaderShape } from './batch.js';
import { domainShape } from './eip712.js';
import { ProtocolError } from './errors.js';
import { signatureShape, suiteShape } from './grant.js';
import { bytes32Shape, claimNameShape, digestShape, memberIdShape, ownerIdShape, timeShape } from './ids.js';
import { limits } from './limits.js';
import { integer, object, oneOf, sortedSet, text, type Read } from './shape.js';

/** What others say of a record version: another centre's attestation, and the word of whom it is about. Codes only, no text. */

/** What an attesting centre held the record against. */
export const comparedThings = {
  'award-notice': { zh: '中标公告', en: 'the award notice' },
  'completion-report': { zh: '竣工验收资料', en: 'the completion report' },
  contract: { zh: '合同', en: 'the contract' },
  original: { zh: '证照原件', en: 'the original document' },
  register: { zh: '主管部门登记系统', en: "the authority's own register" },
  site: { zh: '现场', en: 'the site' },
} as const;
/** One word of `comparedThings`. */
export type ComparedThing = keyof typeof comparedThings;
const comparedNames = Object.keys(comparedThings) as readonly ComparedThing[];

/** Ascending; none where an attestation is taken back. */
export const comparedShape = sortedSet(oneOf(...comparedNames), 0, comparedNames.length);

/** What it came to; `withdrawn` takes the centre's earlier word on this version back. */
export const attestationOutcomeShape = oneOf('agrees', 'differs', 'withdrawn');
/** One word of `attestationOutcomeShape`. */
export type AttestationOutcome = Read<typeof attestationOutcomeShape>;

/** `records.attest`, by the calling organisation's centre: the record's header where it stands, and what was found. */
export const attestArgumentShape = object({
  compared: comparedShape,
  outcome: attestationOutcomeShape,
  placed: placedHeaderShape,
  publisher: memberIdShape,
});
export type AttestArgument = Read<typeof attestArgumentShape>;

/** Whom a record is about: the owner, the subject of a record without one, or nobody. */
const partyShape = text(/|(?:org|per):[0-9A-Za-z]{18,32}/, 40);

/** One centre's word on one version of another centre's record, as state. */
export const attestationShape = object({
  attestedAt: timeShape,
  attester: memberIdShape,
  compared: comparedShape,
  digest: digestShape,
  outcome: attestationOutcomeShape,
  party: partyShape,
  recordId: recordIdShape,
  version: integer(1),
});
/** As `attestationShape` reads it. */
export type Attestation = Read<typeof attestationShape>;

const reasonsOf = {
  confirm: ['checked'],
  dispute: ['duplicate', 'not-ours', 'outdated', 'wrong-value'],
  withdraw: ['corrected', 'mistaken'],
} as const;
export type Verdict = keyof typeof reasonsOf;

/** Why an owner says so, in words. */
export const statementReasons = {
  checked: { zh: '已核对无误', en: 'checked and right' },
  corrected: { zh: '已更正', en: 'it was corrected since' },
  duplicate: { zh: '与另一条记录重复', en: 'it repeats another record' },
  mistaken: { zh: '此前声明有误', en: 'the statement before was a mistake' },
  'not-ours': { zh: '并非本单位的事项', en: 'it is not about us' },
  outdated: { zh: '内容已过时', en: 'it is out of date' },
  'wrong-value': { zh: '内容与事实不符', en: 'a value is wrong' },
} as const;
/** One word of `statementReasons`. */
export type StatementReason = keyof typeof statementReasons;

/** What an owner signs about one version of a record that is about it (EIP-712). */
export const recordStatementShape = object({
  owner: ownerIdShape,
  record: recordIdShape,
  version: integer(1, 1_000_000),
  /** Payload digest of that version, as in its header. */
  digest: bytes32Shape,
  /** Claim names that are meant; none: the whole record. */
  claims: sortedSet(claimNameShape, 0, limits.requestClaims),
  verdict: oneOf('confirm', 'dispute', 'withdraw'),
  reason: oneOf(...(Object.keys(statementReasons) as readonly StatementReason[])),
  issuedAt: timeShape,
});
export type RecordStatement = Read<typeof recordStatementShape>;

/** How the owner's word is said to people. */
export const verdictWords: Readonly<Record<Verdict, { readonly zh: string; readonly en: string }>> = {
  confirm: { zh: '确认无误', en: 'confirms it' },
  dispute: { zh: '有异议', en: 'disputes it' },
  withdraw: { zh: '撤回此前的声明', en: 'takes its earlier statement back' },
};
export const recordStatementEnvelopeShape = object({ domain: domainShape, signature: signatureShape, statement: recordStatementShape, suite: suiteShape });
export type RecordStatementEnvelope = Read<typeof recordStatementEnvelopeShape>;

/** `records.state`: the owner's envelope, and where the header stands that it speaks of. */
export const stateArgumentShape = object({ envelope: recordStatementEnvelopeShape, placed: placedHeaderShape });

/** An owner's word on one version of a record, as state: with its signature, so that it proves itself. */
export const statedShape = object({ signature: signatureShape, statedAt: timeShape, statement: recordStatementShape });
/** As `statedShape` reads it. */
export type Stated = Read<typeof statedShape>;

/** Reads an envelope and whether the reason fits the verdict; verifies no signature. @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID */
export function readRecordStatement(value: unknown, path = ''): RecordStatementEnvelope {
  const envelope = recordStatementEnvelopeShape.read(value, path);
  checkReason(envelope.statement, `${path}/statement`);
  return envelope;
}

/** @throws BAD_FIELD {reason: verdict} for a reason that is another verdict's */
export function checkReason({ reason, verdict }: RecordStatement, path = ''): void {
  if (!(reasonsOf[verdict] as readonly string[]).includes(reason)) throw new ProtocolError('BAD_FIELD', { path: `${path}/reason`, reason: 'verdict' });
}
