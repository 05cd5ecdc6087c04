import type { LedgerCall, LedgerOutcome } from '../memory-ledger.js';
import { businessCa, centreDocument, charter, DOMAIN, fingerprintOf, FOUNDING, header, hostedDocument, keyOf, kindDocument, OTHER_OWNER, OWNER, pemOf, peerCa, place, rootOf, sealedHeader, TIME, wallet } from '../consortium.js';
import { companyCertificate } from '../consortium.js';
import { digestOf, type Json, type JsonRecord } from '../plain-json.js';

/** One decision of the ledger said as data, with what it must come to. */
export interface LedgerCase {
  readonly name: string;
  readonly given: WorldName;
  /** Keys that differ from the world given; null takes one away. */
  readonly state?: Readonly<Record<string, Json>>;
  readonly call: LedgerCall;
  readonly expect?: {
    readonly response: Json;
    readonly event: LedgerOutcome['event'];
    readonly writes: Readonly<Record<string, Json>>;
    /** Keys that must be in the read set, absent ones too: a racing write of them must conflict. */
    readonly reads?: readonly string[];
  };
  /** The refusal; of `access:open`, that of its only entry. */
  readonly code?: string;
}

export const TX = 'a1'.repeat(32);
const PROPOSAL_A = 'be'.repeat(32);

export function seq(number: number): string {
  return String(number).padStart(12, '0');
}

export function call(name: string, argument: Json, fields: Partial<LedgerCall> = {}): LedgerCall {
  return { function: name, argument, caller: 'GuangzhouMSP', time: TIME, transaction: TX, ...fields };
}

/** A call whose argument is no JSON that could be sent sorted. */
export function rawCall(name: string, bytes: string | Uint8Array, fields: Partial<LedgerCall> = {}): LedgerCall {
  return { function: name, bytes: Buffer.from(bytes).toString('base64'), caller: 'GuangzhouMSP', time: TIME, transaction: TX, ...fields };
}

export function memberState(document: JsonRecord, fields: JsonRecord = {}): JsonRecord {
  const centre = document['kind'] === 'centre';
  return { admittedAt: TIME - 1000, ...(centre ? { caCertificate: pemOf(peerCa) } : {}), document, sequence: 1, status: 'active', ...fields };
}

export const credit = kindDocument('credit', ['owner']);
const notice = kindDocument('notice', ['publisher', 'public']);
const bid = kindDocument('bid', ['owner'], { sealed: true });

function schemaState(document: JsonRecord): JsonRecord {
  const { kind, version } = document['x-huilian'] as { kind: string; version: number };
  return { digest: digestOf(document), document, kind, proposal: PROPOSAL_A, version };
}

export const SALT = '5a'.repeat(16);
/** Batch 1 of guangzhou: an owner's record, another owner's, a policy's, a public one, a sealed one. */
export const batchOne = [
  header('credit-a'),
  header('credit-b', { owner: OTHER_OWNER }),
  header('notice-a', { kind: 'notice', rights: 'publisher' }),
  header('notice-b', { kind: 'notice', rights: 'public' }),
  sealedHeader('bid-a', SALT),
];
/** Batch 2 contradicts batch 1: the same record and version with another digest. */
const batchTwo = [{ ...header('credit-a'), digest: 'cd'.repeat(32) }];
export const creditA = place(batchOne, 0, 1);
export const creditAgain = place(batchTwo, 0, 2);

const founded: JsonRecord = {
  charter: { chaincode: 'huilian', channel: 'huilian', digest: digestOf(charter), document: charter, domain: DOMAIN, founding: FOUNDING },
  electorate: { centres: ['beijing', 'guangzhou', 'zhuhai'] },
  'founding beijing': { digest: digestOf(charter) },
  'founding guangzhou': { digest: digestOf(charter) },
  'founding zhuhai': { digest: digestOf(charter) },
  'member bank': memberState(hostedDocument('bank', 'institution', 'beijing')),
  'member beijing': memberState(centreDocument('beijing')),
  'member easybid': memberState(hostedDocument('easybid', 'platform', 'zhuhai')),
  'member guangzhou': memberState(centreDocument('guangzhou')),
  'member zhuhai': memberState(centreDocument('zhuhai')),
};

export const ca = fingerprintOf(businessCa);
export const ownerState: JsonRecord = {
  ca,
  certificate: fingerprintOf(companyCertificate),
  key: keyOf(wallet),
  owner: OWNER,
  registeredAt: TIME - 500,
  sequence: 1,
};

const trusting: JsonRecord = {
  ...founded,
  [`ca ${ca}`]: {
    certificate: pemOf(businessCa),
    fingerprint: ca,
    name: { en: 'Business CA (invented)', zh: '业务 CA（虚构）' },
    proposal: PROPOSAL_A,
    usccOids: ['1.2.156.10260.4.1.4', '1.2.86.11.7.4'],
  },
  trustList: { fingerprints: [ca] },
};

const published: JsonRecord = {
  ...trusting,
  [`batch guangzhou ${seq(1)}`]: { count: batchOne.length, root: rootOf(batchOne) },
  [`batch guangzhou ${seq(2)}`]: { count: batchTwo.length, root: rootOf(batchTwo) },
  [`owner ${OWNER}`]: ownerState,
  [`schema bid ${seq(1)}`]: schemaState(bid),
  [`schema credit ${seq(1)}`]: schemaState(credit),
  [`schema notice ${seq(1)}`]: schemaState(notice),
};

export const worlds = {
  /** Nothing yet. */
  empty: {},
  /** Three centres, a bank and a platform. */
  founded,
  /** And a voted CA. */
  trusting,
  /** And three kinds, two batches, one registered owner. */
  published,
} as const;
type WorldName = keyof typeof worlds;
