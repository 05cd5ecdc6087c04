import {
  businessCa,
  centreDocument,
  charter,
  companyCertificate,
  DOMAIN,
  domainOf,
  fingerprintOf,
  header,
  hostedDocument,
  issue,
  jws,
  kindDocument,
  makeSigner,
  peerCa,
  pemOf,
  signerOf,
  TIME,
  type Signer,
} from '../consortium.js';
import { digestOf, type Json, type JsonRecord } from '../plain-json.js';
import { call, credit, memberState, rawCall, seq, TX, type LedgerCase } from './ledger-case.js';

const digest = digestOf(charter);
const founding = { digest };
const otherCharter = { ...charter, name: { en: 'Another', zh: '另一' } };

function found(founder: string, caller: string, document: Json = charter): ReturnType<typeof call> {
  return call('governance:found', { charter: document, founder }, { caller });
}

function proposalState(action: string, content: Json, fields: JsonRecord = {}): JsonRecord {
  const id = digestOf({ action, content, round: 1 });
  return { action, approvals: ['guangzhou'], content, id, proposedAt: TIME - 100, proposer: 'guangzhou', rejections: [], round: 1, status: 'open', ...fields };
}

const shenzhen = { caCertificate: pemOf(peerCa), member: centreDocument('shenzhen') };
const insurer = { member: hostedDocument('insurer', 'institution', 'zhuhai') };
const trust = { certificate: pemOf(businessCa), name: { en: 'Business CA (invented)', zh: '业务 CA（虚构）' }, usccOids: ['1.2.156.10260.4.1.4'] };
const codeSet = { document: { '440100': '广州市' }, name: 'regions', version: 1 };

const completenessRules = { document: { acknowledge: { hours: 24 }, default: { days: 1, hour: 23 }, kinds: { credit: { daily: true, days: 0, hour: 20 } } }, name: 'completeness', version: 1 };
const standingSet = { ...codeSet, digest: digestOf(codeSet.document), proposal: 'ab'.repeat(32) };
const reference = { digest: standingSet.digest, id: 'regions', of: 'code-set', version: 1 };
const standing = { [`codeSet regions ${seq(1)}`]: standingSet };

/** Zhuhai's approval of a proposal of guangzhou: two of three centres, which decides. */
function decided(name: string, action: string, content: Json, applied: JsonRecord, state: Readonly<Record<string, Json>> = {}): LedgerCase {
  const open = proposalState(action, content);
  const id = String(open['id']);
  const payload = { action, proposal: id, status: 'adopted' };
  return {
    name,
    given: 'founded',
    state: { ...state, [`proposal ${id}`]: open },
    call: call('governance:approve', { proposal: id }, { caller: 'ZhuhaiMSP' }),
    expect: {
      response: payload,
      event: { name: 'approve', payload },
      writes: { [`proposal ${id}`]: { ...open, approvals: ['guangzhou', 'zhuhai'], status: 'adopted' }, ...applied },
      reads: ['electorate'],
    },
  };
}

const admitInsurer = proposalState('admit', insurer);
const admitId = String(admitInsurer['id']);
const adoptedBy = (action: string, content: Json): string => String(proposalState(action, content)['id']);
const suspendedZhuhai = memberState(centreDocument('zhuhai'), { status: 'suspended' });

const next: Signer = makeSigner();
function rotation(fields: JsonRecord = {}, options: { kid?: string; signer?: Signer } = {}): JsonRecord {
  const { encryptionKey, signingKey } = next;
  const payload = { encryptionKey, expires: TIME + 600, member: 'bank', salt: DOMAIN.salt, signingKey, ...fields };
  return { rotation: jws('huilian-rotation+jwt', options.kid ?? String(payload.member), payload, options.signer ?? signerOf('bank')) };
}
const rotate = (argument: Json, caller = 'BeijingMSP'): ReturnType<typeof call> => call('governance:rotateMemberKeys', argument, { caller });

const proposed = { action: 'admit', content: insurer, round: 1 };
const suspendBank = { action: 'suspend', content: { member: 'bank' }, round: 1 };
const bank = hostedDocument('bank', 'institution', 'beijing');

export const validGovernance: readonly LedgerCase[] = [
  {
    name: 'found: the first founder waits for the others',
    given: 'empty',
    call: found('guangzhou', 'GuangzhouMSP'),
    expect: {
      response: { charter: digest, complete: false, founder: 'guangzhou', missing: ['zhuhai', 'beijing'] },
      event: { name: 'found', payload: { charter: digest, complete: false, founder: 'guangzhou' } },
      writes: { 'founding guangzhou': founding },
      reads: ['charter', 'founding beijing', 'founding zhuhai'],
    },
  },
  {
    name: 'found: the call that sees every founder with one charter completes it',
    given: 'empty',
    state: { 'founding guangzhou': founding, 'founding zhuhai': founding },
    call: found('beijing', 'BeijingMSP'),
    expect: {
      response: { charter: digest, complete: true, founder: 'beijing', missing: [] },
      event: { name: 'found', payload: { charter: digest, complete: true, founder: 'beijing' } },
      writes: {
        charter: { chaincode: 'huilian', channel: 'huilian', digest, document: charter, domain: domainOf(TX), founding: TX },
        electorate: { centres: ['beijing', 'guangzhou', 'zhuhai'] },
        'founding beijing': founding,
        'member beijing': memberState(centreDocument('beijing'), { admittedAt: TIME }),
        'member guangzhou': memberState(centreDocument('guangzhou'), { admittedAt: TIME }),
        'member zhuhai': memberState(centreDocument('zhuhai'), { admittedAt: TIME }),
      },
    },
  },
  {
    name: 'found: a founder that called before may change its charter',
    given: 'empty',
    state: { 'founding guangzhou': { digest: digestOf(otherCharter) }, 'founding zhuhai': { digest: digestOf(otherCharter) } },
    call: found('guangzhou', 'GuangzhouMSP'),
    expect: {
      response: { charter: digest, complete: false, founder: 'guangzhou', missing: ['zhuhai', 'beijing'] },
      event: { name: 'found', payload: { charter: digest, complete: false, founder: 'guangzhou' } },
      writes: { 'founding guangzhou': founding },
    },
  },
  {
    name: 'propose: counts as the proposer\'s approval',
    given: 'founded',
    call: call('governance:propose', proposed),
    expect: {
      response: { action: 'admit', proposal: admitId, status: 'open' },
      event: { name: 'propose', payload: { action: 'admit', proposal: admitId, status: 'open' } },
      writes: { [`proposal ${admitId}`]: { ...admitInsurer, proposedAt: TIME } },
      reads: ['electorate', 'member insurer', `proposal ${admitId}`],
    },
  },
  {
    name: 'propose: one of two centres is no majority',
    given: 'founded',
    state: { electorate: { centres: ['beijing', 'guangzhou'] }, 'member zhuhai': suspendedZhuhai },
    call: call('governance:propose', suspendBank),
    expect: {
      response: { action: 'suspend', proposal: digestOf(suspendBank), status: 'open' },
      event: { name: 'propose', payload: { action: 'suspend', proposal: digestOf(suspendBank), status: 'open' } },
      writes: { [`proposal ${digestOf(suspendBank)}`]: proposalState('suspend', { member: 'bank' }, { proposedAt: TIME }) },
    },
  },
  {
    name: 'propose: a lone centre decides by itself',
    given: 'founded',
    state: { electorate: { centres: ['guangzhou'] } },
    call: call('governance:propose', suspendBank),
    expect: {
      response: { action: 'suspend', proposal: digestOf(suspendBank), status: 'adopted' },
      event: { name: 'propose', payload: { action: 'suspend', proposal: digestOf(suspendBank), status: 'adopted' } },
      writes: {
        'member bank': memberState(hostedDocument('bank', 'institution', 'beijing'), { status: 'suspended' }),
        [`proposal ${digestOf(suspendBank)}`]: proposalState('suspend', { member: 'bank' }, { proposedAt: TIME, status: 'adopted' }),
      },
    },
  },
  decided('approve: a hosted member is admitted', 'admit', insurer, { 'member insurer': memberState(insurer.member, { admittedAt: TIME }) }),
  decided('approve: a centre joins the electorate', 'admit', shenzhen, {
    electorate: { centres: ['beijing', 'guangzhou', 'shenzhen', 'zhuhai'] },
    'member shenzhen': memberState(shenzhen.member, { admittedAt: TIME }),
  }),
  decided(
    'approve: a suspended member is admitted again',
    'admit',
    { member: bank },
    { 'member bank': memberState(bank, { admittedAt: TIME, sequence: 3 }) },
    { 'member bank': memberState(bank, { sequence: 2, status: 'suspended' }) },
  ),
  decided('approve: a suspended centre leaves the electorate', 'suspend', { member: 'beijing' }, {
    electorate: { centres: ['guangzhou', 'zhuhai'] },
    'member beijing': memberState(centreDocument('beijing'), { status: 'suspended' }),
  }),
  decided('approve: a hosted member is suspended', 'suspend', { member: 'bank' }, { 'member bank': memberState(bank, { status: 'suspended' }) }),
  decided('approve: a schema is adopted', 'publish-schema', { document: credit }, {
    [`schema credit ${seq(1)}`]: { digest: digestOf(credit), document: credit, kind: 'credit', proposal: adoptedBy('publish-schema', { document: credit }), version: 1 },
  }),
  decided('approve: a CA is trusted', 'trust-ca', trust, {
    [`ca ${fingerprintOf(businessCa)}`]: { ...trust, fingerprint: fingerprintOf(businessCa), proposal: adoptedBy('trust-ca', trust) },
    trustList: { fingerprints: [fingerprintOf(businessCa)] },
  }),
  decided('approve: a code set is adopted', 'code-set', codeSet, {
    [`codeSet regions ${seq(1)}`]: { ...codeSet, digest: digestOf(codeSet.document), proposal: adoptedBy('code-set', codeSet) },
  }),
  decided('approve: rules of completeness are adopted', 'rule-set', completenessRules, {
    [`ruleSet completeness ${seq(1)}`]: { ...completenessRules, digest: digestOf(completenessRules.document), proposal: adoptedBy('rule-set', completenessRules) },
  }),
  decided('approve: a rule set is adopted', 'rule-set', codeSet, {
    [`ruleSet regions ${seq(1)}`]: { ...codeSet, digest: digestOf(codeSet.document), proposal: adoptedBy('rule-set', codeSet) },
  }),
  decided('approve: a code set with its dates is adopted', 'code-set', { ...codeSet, effective: TIME - 5000, retires: TIME + 5000 }, {
    [`codeSet regions ${seq(1)}`]: { ...codeSet, digest: digestOf(codeSet.document), effective: TIME - 5000, proposal: adoptedBy('code-set', { ...codeSet, effective: TIME - 5000, retires: TIME + 5000 }), retires: TIME + 5000 },
  }),
  decided(
    'approve: a later version without a date begins now',
    'code-set',
    { ...codeSet, version: 2 },
    { [`codeSet regions ${seq(2)}`]: { ...codeSet, digest: digestOf(codeSet.document), effective: TIME, proposal: adoptedBy('code-set', { ...codeSet, version: 2 }), version: 2 } },
    standing,
  ),
  decided('approve: the end of a code set, at once where the day has passed', 'retire', { of: 'code-set', id: 'regions', version: 1, retires: TIME - 5 }, { [`codeSet regions ${seq(1)}`]: { ...standingSet, retires: TIME } }, standing),
  {
    name: 'acknowledge: what the member has and what it had, once each',
    given: 'founded',
    state: { ...standing, [`ruleSet words ${seq(3)}`]: { ...standingSet, name: 'words', version: 3 }, [`acknowledgement guangzhou rule-set words ${seq(3)}`]: { at: TIME - 9, member: 'guangzhou', digest: standingSet.digest, id: 'words', of: 'rule-set', version: 3 } },
    call: call('governance:acknowledge', { member: 'guangzhou', documents: [reference, { ...reference, id: 'words', of: 'rule-set', version: 3 }, reference] }),
    expect: {
      response: { count: 1, member: 'guangzhou' },
      event: { name: 'acknowledge', payload: { count: 1, member: 'guangzhou' } },
      writes: { [`acknowledgement guangzhou code-set regions ${seq(1)}`]: { at: TIME, member: 'guangzhou', ...reference } },
    },
  },
  {
    name: 'acknowledge: its host says it for a member without a node',
    given: 'founded',
    state: { ...standing, 'member insurer': memberState(hostedDocument('insurer', 'institution', 'zhuhai')) },
    call: call('governance:acknowledge', { member: 'insurer', documents: [reference] }, { caller: 'ZhuhaiMSP' }),
    expect: {
      response: { count: 1, member: 'insurer' },
      event: { name: 'acknowledge', payload: { count: 1, member: 'insurer' } },
      writes: { [`acknowledgement insurer code-set regions ${seq(1)}`]: { at: TIME, member: 'insurer', ...reference } },
    },
  },
  {
    name: 'reject: with a reason, which stays with the proposal',
    given: 'founded',
    state: { [`proposal ${admitId}`]: admitInsurer },
    call: call('governance:reject', { proposal: admitId, reason: 'documents-incomplete' }, { caller: 'ZhuhaiMSP' }),
    expect: {
      response: { action: 'admit', proposal: admitId, status: 'open' },
      event: { name: 'reject', payload: { action: 'admit', proposal: admitId, status: 'open' } },
      writes: { [`proposal ${admitId}`]: { ...admitInsurer, reasons: { zhuhai: 'documents-incomplete' }, rejections: ['zhuhai'] } },
    },
  },
  {
    name: 'reject: one of three leaves it open',
    given: 'founded',
    state: { [`proposal ${admitId}`]: admitInsurer },
    call: call('governance:reject', { proposal: admitId }, { caller: 'ZhuhaiMSP' }),
    expect: {
      response: { action: 'admit', proposal: admitId, status: 'open' },
      event: { name: 'reject', payload: { action: 'admit', proposal: admitId, status: 'open' } },
      writes: { [`proposal ${admitId}`]: { ...admitInsurer, rejections: ['zhuhai'] } },
    },
  },
  {
    name: 'reject: what can find no majority any more is rejected',
    given: 'founded',
    state: { [`proposal ${admitId}`]: { ...admitInsurer, rejections: ['zhuhai'] } },
    call: call('governance:reject', { proposal: admitId }, { caller: 'BeijingMSP' }),
    expect: {
      response: { action: 'admit', proposal: admitId, status: 'rejected' },
      event: { name: 'reject', payload: { action: 'admit', proposal: admitId, status: 'rejected' } },
      writes: { [`proposal ${admitId}`]: { ...admitInsurer, rejections: ['beijing', 'zhuhai'], status: 'rejected' } },
    },
  },
  {
    name: 'approve: votes already cast decide once the electorate shrank',
    given: 'founded',
    state: {
      electorate: { centres: ['guangzhou'] },
      'member zhuhai': suspendedZhuhai,
      [`proposal ${adoptedBy('suspend', { member: 'bank' })}`]: proposalState('suspend', { member: 'bank' }),
    },
    call: call('governance:approve', { proposal: adoptedBy('suspend', { member: 'bank' }) }),
    expect: {
      response: { action: 'suspend', proposal: adoptedBy('suspend', { member: 'bank' }), status: 'adopted' },
      event: { name: 'approve', payload: { action: 'suspend', proposal: adoptedBy('suspend', { member: 'bank' }), status: 'adopted' } },
      writes: {
        'member bank': memberState(bank, { status: 'suspended' }),
        [`proposal ${adoptedBy('suspend', { member: 'bank' })}`]: proposalState('suspend', { member: 'bank' }, { status: 'adopted' }),
      },
    },
  },
  {
    name: 'approve: a vote of a centre suspended since does not count',
    given: 'founded',
    state: {
      electorate: { centres: ['beijing', 'guangzhou', 'shenzhen'] },
      'member shenzhen': memberState(centreDocument('shenzhen')),
      'member zhuhai': suspendedZhuhai,
      [`proposal ${admitId}`]: { ...admitInsurer, approvals: ['guangzhou', 'zhuhai'] },
    },
    call: call('governance:reject', { proposal: admitId }, { caller: 'BeijingMSP' }),
    expect: {
      response: { action: 'admit', proposal: admitId, status: 'open' },
      event: { name: 'reject', payload: { action: 'admit', proposal: admitId, status: 'open' } },
      writes: { [`proposal ${admitId}`]: { ...admitInsurer, approvals: ['guangzhou', 'zhuhai'], rejections: ['beijing'] } },
    },
  },
  {
    name: 'rotateMemberKeys: signed by the old key, through the host',
    given: 'founded',
    call: rotate(rotation()),
    expect: {
      response: { member: 'bank', sequence: 2 },
      event: { name: 'rotateMemberKeys', payload: { member: 'bank', sequence: 2 } },
      writes: { 'member bank': memberState({ ...bank, encryptionKey: next.encryptionKey, signingKey: next.signingKey }, { sequence: 2 }) },
    },
  },
];

function proposes(content: Json, action: string, state: Readonly<Record<string, Json>> = {}): Omit<LedgerCase, 'name' | 'code'> {
  return { given: 'founded', state, call: call('governance:propose', { action, content, round: 1 }) };
}

const expiredCa = await issue({ subject: 'CN=Old CA (invented)', ca: true, until: TIME - 1 });
const twins = { ...charter, founders: [...(charter['founders'] as readonly Json[]).slice(0, 2), (charter['founders'] as readonly Json[])[0] ?? null] };

export const invalidGovernance: readonly LedgerCase[] = [
  { name: 'found: after the founding', given: 'founded', call: found('guangzhou', 'GuangzhouMSP'), code: 'ALREADY_FOUNDED' },
  { name: 'found: a first call with another charter than another founder\'s', given: 'empty', state: { 'founding zhuhai': { digest: digestOf(otherCharter) } }, call: found('guangzhou', 'GuangzhouMSP'), code: 'CHARTER_MISMATCH' },
  { name: 'found: the charter does not name the founder', given: 'empty', call: found('shenzhen', 'ShenzhenMSP'), code: 'NOT_A_FOUNDER' },
  { name: 'found: for another founder\'s organisation', given: 'empty', call: found('guangzhou', 'ZhuhaiMSP'), code: 'FORBIDDEN' },
  { name: 'found: a charter of another channel', given: 'empty', call: { ...found('guangzhou', 'GuangzhouMSP'), channel: 'other' }, code: 'BAD_FIELD' },
  { name: 'found: by way of another chaincode', given: 'empty', call: { ...found('guangzhou', 'GuangzhouMSP'), chaincode: 'other' }, code: 'BAD_FIELD' },
  { name: 'found: one founder twice', given: 'empty', call: found('guangzhou', 'GuangzhouMSP', twins), code: 'BAD_FIELD' },
  { name: 'found: an unknown field', given: 'empty', call: found('guangzhou', 'GuangzhouMSP', { ...charter, note: 'x' }), code: 'UNKNOWN_FIELD' },
  { name: 'propose: before the founding', given: 'empty', call: call('governance:propose', proposed), code: 'NOT_FOUNDED' },
  { name: 'propose: called by another chaincode', given: 'founded', call: call('governance:propose', proposed, { chaincode: 'other' }), code: 'FORBIDDEN_CALLER' },
  { name: 'propose: JSON that is not canonical', given: 'founded', call: rawCall('governance:propose', '{ }'), code: 'ARG_MALFORMED' },
  { name: 'propose: a duplicate key', given: 'founded', call: rawCall('governance:propose', '{"a":1,"a":1}'), code: 'ARG_MALFORMED' },
  { name: 'approve: one byte over the limit', given: 'founded', call: rawCall('governance:approve', ' ', { times: 65_537 }), code: 'ARG_TOO_LARGE' },
  { name: 'propose: one byte over the limit', given: 'founded', call: rawCall('governance:propose', ' ', { times: 524_289 }), code: 'ARG_TOO_LARGE' },
  { name: 'propose: dated 181 seconds before the endorser\'s clock', given: 'founded', call: call('governance:propose', proposed, { endorserTime: TIME + 181 }), code: 'TX_TIME_REJECTED' },
  { name: 'propose: dated 181 seconds after the endorser\'s clock', given: 'founded', call: call('governance:propose', proposed, { endorserTime: TIME - 181 }), code: 'TX_TIME_REJECTED' },
  { name: 'propose: by an organisation that is no centre\'s', given: 'founded', call: call('governance:propose', proposed, { caller: 'StrangerMSP' }), code: 'NOT_A_CENTRE' },
  {
    name: 'approve: by a suspended centre',
    given: 'founded',
    state: { electorate: { centres: ['beijing', 'guangzhou'] }, 'member zhuhai': suspendedZhuhai, [`proposal ${admitId}`]: admitInsurer },
    call: call('governance:approve', { proposal: admitId }, { caller: 'ZhuhaiMSP' }),
    code: 'NOT_A_CENTRE',
  },
  { name: 'propose: the same content and round again', given: 'founded', state: { [`proposal ${admitId}`]: admitInsurer }, call: call('governance:propose', proposed), code: 'PROPOSAL_EXISTS' },
  { name: 'propose: what was rejected, without a new round', given: 'founded', state: { [`proposal ${admitId}`]: { ...admitInsurer, status: 'rejected' } }, call: call('governance:propose', proposed), code: 'PROPOSAL_CLOSED' },
  { name: 'approve: unknown', given: 'founded', call: call('governance:approve', { proposal: admitId }), code: 'PROPOSAL_UNKNOWN' },
  { name: 'reject: adopted already', given: 'founded', state: { [`proposal ${admitId}`]: { ...admitInsurer, status: 'adopted' } }, call: call('governance:reject', { proposal: admitId }, { caller: 'BeijingMSP' }), code: 'PROPOSAL_CLOSED' },
  { name: 'approve: twice', given: 'founded', state: { [`proposal ${admitId}`]: admitInsurer }, call: call('governance:approve', { proposal: admitId }), code: 'ALREADY_VOTED' },
  { name: 'reject: after approving', given: 'founded', state: { [`proposal ${admitId}`]: admitInsurer }, call: call('governance:reject', { proposal: admitId }), code: 'ALREADY_VOTED' },
  { name: 'approve: the content no longer applies', given: 'founded', state: { 'member insurer': memberState(insurer.member), [`proposal ${admitId}`]: admitInsurer }, call: call('governance:approve', { proposal: admitId }, { caller: 'ZhuhaiMSP' }), code: 'MEMBER_EXISTS' },
  { name: 'propose: admit a member that is active', ...proposes({ member: bank }, 'admit'), code: 'MEMBER_EXISTS' },
  { name: 'propose: admit a centre without its CA certificate', ...proposes({ member: shenzhen.member }, 'admit'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: admit a hosted member with a CA certificate', ...proposes({ ...insurer, caCertificate: pemOf(peerCa) }, 'admit'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: admit a centre under another centre\'s organisation', ...proposes({ ...shenzhen, member: { ...shenzhen.member, organisation: 'ZhuhaiMSP' } }, 'admit'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: admit a centre with another centre\'s peer id', ...proposes({ ...shenzhen, member: { ...shenzhen.member, peerId: String(centreDocument('zhuhai')['peerId']) } }, 'admit'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: admit a member hosted by no centre', ...proposes({ member: { ...insurer.member, host: 'bank', organisation: 'BeijingMSP' } }, 'admit'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: admit a hosted member with an organisation of its own', ...proposes({ member: { ...insurer.member, organisation: 'InsurerMSP' } }, 'admit'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: admit a member hosted by nobody known', ...proposes({ member: { ...insurer.member, host: 'nowhere' } }, 'admit'), code: 'MEMBER_UNKNOWN' },
  { name: 'propose: admit a member hosted by a suspended centre', ...proposes(insurer, 'admit', { electorate: { centres: ['beijing', 'guangzhou'] }, 'member zhuhai': suspendedZhuhai }), code: 'MEMBER_SUSPENDED' },
  { name: 'propose: admit a suspended member as another kind', ...proposes({ member: { ...bank, kind: 'supervisor' } }, 'admit', { 'member bank': memberState(bank, { status: 'suspended' }) }), code: 'PROPOSAL_INVALID' },
  { name: 'propose: an unknown field in the content', ...proposes({ member: { ...insurer.member, phone: '1' } }, 'admit'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: an unknown action', given: 'founded', call: call('governance:propose', { action: 'dissolve', content: {}, round: 1 }), code: 'BAD_FIELD' },
  { name: 'propose: suspend nobody known', ...proposes({ member: 'nowhere' }, 'suspend'), code: 'MEMBER_UNKNOWN' },
  { name: 'propose: suspend twice', ...proposes({ member: 'bank' }, 'suspend', { 'member bank': memberState(bank, { status: 'suspended' }) }), code: 'MEMBER_SUSPENDED' },
  { name: 'propose: suspend the last centre', ...proposes({ member: 'guangzhou' }, 'suspend', { electorate: { centres: ['guangzhou'] } }), code: 'PROPOSAL_INVALID' },
  { name: 'propose: a schema without its declaration', ...proposes({ document: { type: 'object' } }, 'publish-schema'), code: 'SCHEMA_INVALID' },
  { name: 'propose: a schema that points elsewhere', ...proposes({ document: { ...credit, $defs: { far: { $ref: 'https://schema.example.invalid/a' } } } }, 'publish-schema'), code: 'SCHEMA_INVALID' },
  { name: 'propose: a schema named sealed', ...proposes({ document: kindDocument('sealed', ['owner']) }, 'publish-schema'), code: 'SCHEMA_INVALID' },
  { name: 'propose: a schema version adopted already', given: 'published', call: call('governance:propose', { action: 'publish-schema', content: { document: credit }, round: 1 }), code: 'PROPOSAL_INVALID' },
  { name: 'propose: trust a certificate that is no CA\'s', ...proposes({ ...trust, certificate: pemOf(companyCertificate) }, 'trust-ca'), code: 'CERTIFICATE_INVALID' },
  { name: 'propose: trust a CA that has expired', ...proposes({ ...trust, certificate: pemOf(expiredCa) }, 'trust-ca'), code: 'CERTIFICATE_EXPIRED' },
  { name: 'propose: trust a CA trusted already', given: 'trusting', call: call('governance:propose', { action: 'trust-ca', content: trust, round: 1 }), code: 'PROPOSAL_INVALID' },
  { name: 'propose: a code set version adopted already', ...proposes(codeSet, 'code-set', { [`codeSet regions ${seq(1)}`]: { ...codeSet, digest: digestOf(codeSet.document), proposal: admitId } }), code: 'PROPOSAL_INVALID' },
  { name: 'acknowledge: for another centre', given: 'founded', state: standing, call: call('governance:acknowledge', { member: 'zhuhai', documents: [reference] }), code: 'FORBIDDEN' },
  { name: 'acknowledge: for a member that another centre hosts', given: 'founded', state: { ...standing, 'member insurer': memberState(hostedDocument('insurer', 'institution', 'zhuhai')) }, call: call('governance:acknowledge', { member: 'insurer', documents: [reference] }), code: 'FORBIDDEN' },
  { name: 'acknowledge: for nobody that was admitted', given: 'founded', state: standing, call: call('governance:acknowledge', { member: 'nobody', documents: [reference] }), code: 'MEMBER_UNKNOWN' },
  { name: 'acknowledge: another document than the adopted one', given: 'founded', state: standing, call: call('governance:acknowledge', { member: 'guangzhou', documents: [{ ...reference, digest: 'cd'.repeat(32) }] }), code: 'SCHEMA_UNKNOWN' },
  { name: 'acknowledge: what nobody adopted', given: 'founded', call: call('governance:acknowledge', { member: 'guangzhou', documents: [reference] }), code: 'SCHEMA_UNKNOWN' },
  { name: 'propose: rules of completeness with a field that they do not have', ...proposes({ document: { default: { days: 1, hour: 23, minute: 5 } }, name: 'completeness', version: 1 }, 'rule-set'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: rules of completeness with an hour that no day has', ...proposes({ document: { kinds: { credit: { days: 0, hour: 24 } } }, name: 'completeness', version: 1 }, 'rule-set'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: a version whose predecessor nobody adopted', ...proposes({ ...codeSet, version: 2 }, 'code-set'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: a version that begins before the one it follows', ...proposes({ ...codeSet, effective: TIME, version: 2 }, 'code-set', { [`codeSet regions ${seq(1)}`]: { ...standingSet, effective: TIME + 1 } }), code: 'PROPOSAL_INVALID' },
  { name: 'propose: a code set that has ended already', ...proposes({ ...codeSet, retires: TIME }, 'code-set'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: a code set whose codes are no codes', ...proposes({ ...codeSet, document: { codes: { '440100': 1 } } }, 'code-set'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: the end of what nobody adopted', ...proposes({ of: 'code-set', id: 'regions', version: 1, retires: TIME }, 'retire'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: the end of what has ended', ...proposes({ of: 'code-set', id: 'regions', version: 1, retires: TIME + 9 }, 'retire', { [`codeSet regions ${seq(1)}`]: { ...standingSet, retires: TIME } }), code: 'PROPOSAL_INVALID' },
  { name: 'propose: the end of a CA by a version', ...proposes({ of: 'ca', id: 'ab'.repeat(32), version: 1, retires: TIME }, 'retire'), code: 'PROPOSAL_INVALID' },
  { name: 'propose: a migration between versions nobody adopted', ...proposes({ document: { kind: 'credit', from: 1, to: 2, fields: {} } }, 'migration'), code: 'SCHEMA_UNKNOWN' },
  { name: 'approve: with a reason', given: 'founded', call: call('governance:approve', { proposal: admitId, reason: 'other' }), code: 'UNKNOWN_FIELD' },
  { name: 'reject: for a reason that is not on the list', given: 'founded', call: call('governance:reject', { proposal: admitId, reason: 'other' }), code: 'BAD_FIELD' },
  { name: 'rotateMemberKeys: not signed by the old key', given: 'founded', call: rotate(rotation({}, { signer: next })), code: 'STATEMENT_BAD_SIGNATURE' },
  { name: 'rotateMemberKeys: expired', given: 'founded', call: rotate(rotation({ expires: TIME })), code: 'STATEMENT_EXPIRED' },
  { name: 'rotateMemberKeys: signed for more than a day ahead', given: 'founded', call: rotate(rotation({ expires: TIME + 86_401 })), code: 'BAD_FIELD' },
  { name: 'rotateMemberKeys: for another consortium', given: 'founded', call: rotate(rotation({ salt: domainOf('00'.repeat(32)).salt })), code: 'GRANT_WRONG_DOMAIN' },
  { name: 'rotateMemberKeys: by an organisation that is not its host\'s', given: 'founded', call: rotate(rotation(), 'ZhuhaiMSP'), code: 'FORBIDDEN' },
  { name: 'rotateMemberKeys: of a suspended member', given: 'founded', state: { 'member bank': memberState(bank, { status: 'suspended' }) }, call: rotate(rotation()), code: 'MEMBER_SUSPENDED' },
  { name: 'rotateMemberKeys: of nobody known', given: 'founded', call: rotate(rotation({ member: 'nowhere' })), code: 'MEMBER_UNKNOWN' },
  { name: 'rotateMemberKeys: key id of another member', given: 'founded', call: rotate(rotation({}, { kid: 'beijing' })), code: 'ARG_MALFORMED' },
  { name: 'rotateMemberKeys: to the same signing key', given: 'founded', call: rotate(rotation({ signingKey: signerOf('bank').signingKey })), code: 'BAD_FIELD' },
  { name: 'approve: an unknown field', given: 'founded', call: call('governance:approve', { note: header('x')['digest'] ?? '', proposal: admitId }), code: 'UNKNOWN_FIELD' },
];
