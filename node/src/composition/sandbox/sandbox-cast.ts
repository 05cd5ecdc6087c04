import type { ErrorCode, JsonObject, Purpose } from '@huilian/protocol';
import type { LocalMember } from '../local/layout.js';
import type { SampleBidder } from '../local/sample-owners.js';

/** The fixed cast and cases of the sandbox; all invented. docs/sandbox.md is their page for integrators. */

/** A publisher, a centre that is away, and the centre that hosts the readers. */
export const publisherCentre = 'guangzhou';
export const awayCentre = 'zhuhai';
export const hostCentre = 'beijing';

/** Members whose keys an integrator uses. */
export const sandboxMembers: readonly LocalMember[] = [
  { id: 'sample-bank', kind: 'institution', host: hostCentre, nameZh: '示例银行', nameEn: 'Sample Bank', region: '110000' },
  { id: 'sample-platform', kind: 'platform', host: publisherCentre, nameZh: '示例交易平台', nameEn: 'Sample Platform', region: '440100' },
  { id: 'suspended-bank', kind: 'institution', host: hostCentre, nameZh: '示例已暂停银行', nameEn: 'Sample Suspended Bank', region: '110000' },
];
export const suspendedMember = 'suspended-bank';

export interface SandboxOwner {
  readonly name: string;
  readonly bidder: SampleBidder;
  /** Seconds after which an ask is granted; never where absent. */
  readonly grantsAfter?: number;
  /** Registers no key, so it has no wallet. */
  readonly withoutKey?: true;
}

const bidder = (uscc: string, name: string): SampleBidder => ({ centre: publisherCentre, name, uscc });
export const sandboxOwners = {
  prompt: { name: 'prompt', bidder: bidder('91440105MAH000016C', '示例及时应答建设有限公司'), grantsAfter: 0 },
  late: { name: 'late', bidder: bidder('91440105MAH0000247', '示例延时应答建设有限公司'), grantsAfter: 5 },
  silent: { name: 'silent', bidder: bidder('91440105MAH0000322', '示例不予应答建设有限公司') },
  keyless: { name: 'keyless', bidder: bidder('91440105MAH000040W', '示例未登记密钥建设有限公司'), withoutKey: true },
} as const satisfies Record<string, SandboxOwner>;

/** What the reader's node does to an access of a record, before or instead of its own work. */
export interface Forced {
  /** Answers late. */
  readonly delaySeconds?: number;
  /** Refuses with this code: every time, or the first of every two times. */
  readonly refuse?: ErrorCode;
  readonly everySecondTime?: true;
  /** Spoils the release on its way: a byte of the ciphertext, or the publisher's signature. */
  readonly spoil?: 'ciphertext' | 'signature';
}

export interface SandboxRecord {
  readonly name: string;
  readonly owner: keyof typeof sandboxOwners;
  readonly centre?: typeof awayCentre;
  /** Made public by its publisher. */
  readonly public?: true;
  /** What happened to it after it was published. */
  readonly after?: 'contested' | 'revoked' | 'superseded';
  readonly forced?: Forced;
}

/** Records, one credit entry each. `CR-SANDBOX-<name>` is the entry's code. */
export const sandboxRecords: readonly SandboxRecord[] = [
  { name: 'credit', owner: 'prompt' },
  { name: 'credit-2', owner: 'prompt' },
  { name: 'late', owner: 'late' },
  { name: 'silent', owner: 'silent' },
  { name: 'keyless', owner: 'keyless' },
  { name: 'public', owner: 'prompt', public: true },
  { name: 'superseded', owner: 'prompt', after: 'superseded' },
  { name: 'revoked', owner: 'prompt', after: 'revoked' },
  { name: 'contested', owner: 'prompt', after: 'contested' },
  { name: 'away', owner: 'prompt', centre: awayCentre },
  { name: 'slow', owner: 'prompt', forced: { delaySeconds: 3 } },
  { name: 'ledger-away', owner: 'prompt', forced: { refuse: 'LEDGER_UNAVAILABLE' } },
  { name: 'conflict', owner: 'prompt', forced: { refuse: 'LEDGER_CONFLICT', everySecondTime: true } },
  { name: 'spoilt', owner: 'prompt', forced: { spoil: 'ciphertext' } },
  { name: 'forged', owner: 'prompt', forced: { spoil: 'signature' } },
];

/** The entry of a record; a newer version differs in its score. */
export function creditEntry({ name, owner, public: isPublic }: SandboxRecord, score = '92.50'): JsonObject {
  const { bidder: body } = sandboxOwners[owner];
  return {
    entry: { code: `CR-SANDBOX-${name}`, category: 'award' },
    body: { uscc: body.uscc, name: body.name, type: '1', role: '03' },
    finding: { reason: '示例优质工程奖（虚构）', recordedAt: '2026-09-02T10:00:00+08:00', authority: '示例行政监督部门', document: '示例〔2026〕1号' },
    score: { system: '示例信用评价体系', year: '2026', score, rank: '12' },
    disclosure: { scope: isPublic === true ? '1' : '2' },
  };
}

export interface SandboxGrant {
  readonly name: string;
  readonly grantee?: string;
  readonly claims?: readonly string[];
  readonly purpose?: Purpose;
  readonly maxUses?: number;
  /** Seconds from the sandbox's making. */
  readonly from?: number;
  readonly until?: number;
  readonly after?: 'revoked' | 'used-up';
  /** Signed by another owner's key, or for another consortium. */
  readonly wrong?: 'domain' | 'signer';
}

export const grantedClaims = ['credit/entry', 'credit/finding', 'credit/score'] as const;
export const grantPurpose: Purpose = 'credit-check';
const daySeconds = 86_400;

/** Grants of the owner `prompt`, to the bank unless it says otherwise. */
export const sandboxGrants: readonly SandboxGrant[] = [
  { name: 'good' },
  { name: 'expired', from: -2 * daySeconds, until: -daySeconds },
  { name: 'not-yet', from: 300 * daySeconds },
  { name: 'used-up', maxUses: 1, after: 'used-up' },
  { name: 'revoked', after: 'revoked' },
  { name: 'other-reader', grantee: 'sample-platform' },
  { name: 'other-purpose', purpose: 'registration' },
  { name: 'narrow', claims: ['credit/score'] },
  { name: 'other-signer', wrong: 'signer' },
  { name: 'other-consortium', wrong: 'domain' },
];
export const grantDefaults = { from: -60, maxUses: 10_000, until: 365 * daySeconds } as const;
