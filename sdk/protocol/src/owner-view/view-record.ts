import { recordIdShape } from '../access.js';
import type { JsonObject } from '../canonical.js';
import { digestShape, ownerIdShape, parseRecordId, timeShape } from '../ids.js';
import { attestationShape, statedShape } from '../record-statements.js';
import { anyObject, boolean, integer, list, object, oneOf, optional, text, type Read } from '../shape.js';

const mostStatements = 256;

/** Why a viewer does not see what a record holds, and whom to ask for it. */
export const unreadableReasons = {
  'ask-owner': { zh: '此处不可读，请向权属人申请授权', en: 'not readable here, ask the owner' },
  'ask-publisher': { zh: '此处不可读，请按发布方的开放策略读取', en: "not readable here, read it under its publisher's policy" },
  erased: { zh: '内容已删除', en: 'its content was erased' },
  missing: { zh: '本节点没有该内容（恢复备份后缺失）', en: 'this node lacks its content since it was restored' },
  'not-released': { zh: '已撤销或有争议，不再提供', en: 'revoked or contested, so it is not released' },
  public: { zh: '公开记录，请向发布方节点读取', en: "public, read it from its publisher's node" },
} as const;
export type UnreadableReason = keyof typeof unreadableReasons;

/**
 * One record version as a viewer has it: what the ledger says of it, what others say of it, and the claims that this viewer
 * may read. Its centre and kind follow from its id.
 */
export const viewRecordShape = object({
  attestations: list(attestationShape, 0, mostStatements),
  /** The claims readable here; absent where none is. */
  claims: optional(anyObject()),
  /** Two digests were published for this version: not to be used. */
  contested: boolean(),
  /** Payload digest of this version, hex, as in its header. */
  digest: digestShape,
  owner: optional(ownerIdShape),
  /** Transaction time of this version on the ledger, Unix seconds: when its centre verified it. */
  publishedAt: timeShape,
  recordId: recordIdShape,
  rights: oneOf('owner', 'publisher', 'public'),
  schema: integer(1, 9999),
  statements: list(statedShape, 0, mostStatements),
  status: oneOf('active', 'revoked'),
  subject: text(/|org:[0-9A-HJ-NPQRTUWXY]{18}/, 22),
  /** A newer version stands on the ledger. */
  superseded: optional(boolean()),
  unreadable: optional(oneOf(...(Object.keys(unreadableReasons) as readonly UnreadableReason[]))),
  version: integer(1),
  /** `claims` are all that the record has: what is not there is empty, not withheld. */
  whole: optional(boolean()),
});
/** As `viewRecordShape` reads it. */
export type ViewRecord = Read<typeof viewRecordShape>;

/** The record without what it holds. */
export type RecordNote = Omit<ViewRecord, 'claims' | 'whole'>;

/** Whether a version may be relied on, by the ledger alone. */
export type Standing = 'contested' | 'current' | 'revoked' | 'superseded';

export function standingOf({ contested, status, superseded }: RecordNote): Standing {
  if (contested) return 'contested';
  if (status === 'revoked') return 'revoked';
  return superseded === true ? 'superseded' : 'current';
}

export function placeOfRecord({ recordId }: { readonly recordId: string }): { readonly centre: string; readonly kind: string } {
  const { kind, publisher } = parseRecordId(recordId);
  return { centre: publisher, kind };
}

/** The word of the owner, or of the subject where there is none, on a claim of a version, if it gave one and did not take it back. */
export function verdictOn({ owner, statements, subject, version }: RecordNote, claim: string): 'confirm' | 'dispute' | undefined {
  const said = statements.find(({ statement }) => statement.owner === (owner ?? subject) && statement.version === version && (statement.claims.length === 0 || statement.claims.includes(claim)));
  return said === undefined || said.statement.verdict === 'withdraw' ? undefined : said.statement.verdict;
}

/** Centres whose word on this version stands, by what it came to. */
export function attestersOf({ attestations, version }: RecordNote, outcome: 'agrees' | 'differs'): readonly string[] {
  return attestations.filter((entry) => entry.version === version && entry.outcome === outcome).map(({ attester }) => attester).sort();
}

export type ReadableRecord = ViewRecord & { readonly claims: JsonObject };

export function isReadable(record: ViewRecord): record is ReadableRecord {
  return record.claims !== undefined;
}
