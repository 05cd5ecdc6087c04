import { deflateRawSync } from 'node:zlib';
import { centreDocument, header, id32, newWallet, OTHER_OWNER, OWNER, place, rootOf, sealedHeader, signed, TIME, wallet } from '../consortium.js';
import type { LedgerCall } from '../memory-ledger.js';
import { sortedJson, type Json, type JsonRecord } from '../plain-json.js';
import { batchOne, call, creditA, creditAgain, memberState, rawCall, SALT, seq, TX, type LedgerCase } from './ledger-case.js';

function publish(headers: readonly JsonRecord[], previous: readonly JsonRecord[] = [], fields: Partial<LedgerCall> & { readonly batchFields?: JsonRecord } = {}): LedgerCall {
  const { batchFields, ...rest } = fields;
  return { function: 'records:publish', batch: { headers, previous, publisher: 'guangzhou', seq: 3, ...batchFields }, caller: 'GuangzhouMSP', time: TIME, transaction: TX, ...rest };
}

function publishes(name: string, headers: readonly JsonRecord[], previous: readonly JsonRecord[], records: JsonRecord, state: Readonly<Record<string, Json>> = {}): LedgerCase {
  const payload = { count: headers.length, publisher: 'guangzhou', root: rootOf(headers), seq: 3 };
  return {
    name: `publish: ${name}`,
    given: 'published',
    state,
    call: publish(headers, previous),
    expect: {
      response: payload,
      event: { name: 'publish', payload },
      writes: { [`batch guangzhou ${seq(3)}`]: { count: headers.length, root: rootOf(headers) }, ...records },
      reads: [`batch guangzhou ${seq(3)}`],
    },
  };
}

const fresh = [header('credit-c'), header('notice-c', { kind: 'notice', rights: 'public' }), sealedHeader('bid-b', SALT)];
const second = header('credit-a', { version: 2 });
const revoked = header('credit-a', { status: 'revoked', version: 2 });
const opened = { ...header('bid-a', { kind: 'bid', version: 2 }), salt: SALT };
const sealedPlace = place(batchOne, 4, 1);
const recordKey = `record guangzhou ${id32('credit-a')}`;
const third = header('credit-a', { version: 3 });
const batchFour = [second];
const afterSecond: Readonly<Record<string, Json>> = {
  [recordKey]: { batch: 4, header: second },
  [`batch guangzhou ${seq(4)}`]: { count: 1, root: rootOf(batchFour) },
};
const atSecond = place(batchFour, 0, 4);
const contestedKey = `contested guangzhou ${id32('credit-a')}`;

function expose(first: JsonRecord, again: JsonRecord, fields: Partial<LedgerCall> = {}): LedgerCall {
  return call('records:expose', { first, publisher: 'guangzhou', second: again }, { caller: 'ZhuhaiMSP', ...fields });
}
const exposed = { kind: 'credit', localId: id32('credit-a'), publisher: 'guangzhou', version: 1 };
const otherOwnerSameDigest = [{ ...header('credit-a'), owner: OTHER_OWNER, subject: OTHER_OWNER }];

const days = [{ day: '2027-01-15', expected: 12, kind: 'credit' }, { day: '2027-01-14', expected: 0, kind: 'notice' }];
const declaration = (at: number): JsonRecord => ({ ...(days[at] as JsonRecord), declaredAt: TIME, publisher: 'guangzhou' });
const declare = (argument: JsonRecord, fields: Partial<LedgerCall> = {}): LedgerCall => call('records:declare', { publisher: 'guangzhou', ...argument }, fields);

const recordA = `guangzhou/credit/${id32('credit-a')}`;
const digestA = header('credit-a')['digest'] as string;
const attestationKey = `attestation guangzhou ${id32('credit-a')} ${seq(1)} zhuhai`;

function attest(fields: JsonRecord = {}, sent: Partial<LedgerCall> = {}): LedgerCall {
  return call('records:attest', { compared: ['contract', 'site'], outcome: 'agrees', placed: creditA, publisher: 'guangzhou', ...fields }, { caller: 'ZhuhaiMSP', ...sent });
}
const attestation = { attestedAt: TIME, attester: 'zhuhai', compared: ['contract', 'site'], digest: digestA, outcome: 'agrees', party: OWNER, recordId: recordA, version: 1 };
const attested = { attester: 'zhuhai', outcome: 'agrees', record: recordA, version: 1 };
const attestedBefore: Readonly<Record<string, Json>> = { [attestationKey]: { ...attestation, attestedAt: TIME - 100 } };

const said: JsonRecord = { claims: ['detail'], digest: `0x${digestA}`, issuedAt: TIME - 60, owner: OWNER, reason: 'wrong-value', record: recordA, verdict: 'dispute', version: 1 };
const statementKey = `statement guangzhou ${id32('credit-a')} ${seq(1)} ${OWNER}`;
const statedPayload = { owner: OWNER, record: recordA, verdict: 'dispute', version: 1 };

async function envelope(fields: JsonRecord = {}, by = wallet): Promise<JsonRecord> {
  return await signed('RecordStatement', 'statement', { ...said, ...fields }, by);
}
const disputed = await envelope();
const saidBefore: Readonly<Record<string, Json>> = { [statementKey]: { signature: disputed['signature'] ?? '', statedAt: TIME - 30, statement: said } };
const disputedB = await envelope({ record: `guangzhou/notice/${id32('notice-b')}`, digest: `0x${String(header('notice-b', { kind: 'notice', rights: 'public' })['digest'])}` });

function state(given: JsonRecord, placed: JsonRecord = creditA, sent: Partial<LedgerCall> = {}): LedgerCall {
  return call('records:state', { envelope: given, placed }, { caller: 'BeijingMSP', ...sent });
}

function attests(name: string, fields: JsonRecord, written: JsonRecord, before: Readonly<Record<string, Json>> = {}): LedgerCase {
  const payload = { ...attested, outcome: written['outcome'] ?? 'agrees' };
  return {
    name: `attest: ${name}`,
    given: 'published',
    state: before,
    call: attest(fields),
    expect: { response: payload, event: { name: 'attest', payload }, writes: { [attestationKey]: { ...attestation, ...written } }, reads: [attestationKey] },
  };
}

function states(name: string, given: JsonRecord, written: JsonRecord, before: Readonly<Record<string, Json>> = {}): LedgerCase {
  const payload = { ...statedPayload, verdict: written['verdict'] ?? 'dispute' };
  return {
    name: `state: ${name}`,
    given: 'published',
    state: before,
    call: state(given),
    expect: { response: payload, event: { name: 'state', payload }, writes: { [statementKey]: { signature: given['signature'] ?? '', statedAt: TIME, statement: { ...said, ...written } } }, reads: [statementKey] },
  };
}

const confirmed = { claims: [], issuedAt: TIME - 10, reason: 'checked', verdict: 'confirm' };
const withdrawnWord = { issuedAt: TIME - 10, reason: 'mistaken', verdict: 'withdraw' };
const revokedA: Readonly<Record<string, Json>> = { [recordKey]: { batch: 3, header: revoked } };

/** Another centre's word on a record, and that of whom it is about. */
const validWords: readonly LedgerCase[] = [
  attests('another centre agrees', {}, {}),
  attests('it found a difference later', { compared: ['site'], outcome: 'differs' }, { compared: ['site'], outcome: 'differs' }, attestedBefore),
  attests('it takes its word back, though the record is revoked', { compared: [], outcome: 'withdrawn' }, { compared: [], outcome: 'withdrawn' }, { ...attestedBefore, ...revokedA }),
  { name: 'attest: again changes nothing', given: 'published', state: attestedBefore, call: attest(), expect: { response: attested, event: null, writes: {} } },
  states('the owner disputes a claim', disputed, {}),
  states('the owner confirms all of it later', await envelope(confirmed), confirmed, saidBefore),
  states('the owner takes its word back, though the record is revoked', await envelope(withdrawnWord), withdrawnWord, { ...saidBefore, ...revokedA }),
  {
    name: 'state: the subject of a public record speaks of it',
    given: 'published',
    call: state(disputedB, place(batchOne, 3, 1)),
    expect: {
      response: { ...statedPayload, record: `guangzhou/notice/${id32('notice-b')}` },
      event: { name: 'state', payload: { ...statedPayload, record: `guangzhou/notice/${id32('notice-b')}` } },
      writes: { [`statement guangzhou ${id32('notice-b')} ${seq(1)} ${OWNER}`]: { signature: disputedB['signature'] ?? '', statedAt: TIME, statement: disputedB['statement'] ?? {} } },
    },
  },
  { name: 'state: again changes nothing', given: 'published', state: saidBefore, call: state(disputed), expect: { response: statedPayload, event: null, writes: {} } },
];

export const validRecords: readonly LedgerCase[] = [
  {
    name: 'declare: counts of two kinds',
    given: 'published',
    call: declare({ days }),
    expect: {
      response: { count: 2, publisher: 'guangzhou' },
      event: { name: 'declare', payload: { count: 2, publisher: 'guangzhou' } },
      writes: { 'declaration guangzhou credit 2027-01-15': declaration(0), 'declaration guangzhou notice 2027-01-14': declaration(1) },
    },
  },
  {
    name: 'declare: a corrected count takes the place of the other, the same changes nothing',
    given: 'published',
    state: { 'declaration guangzhou credit 2027-01-15': { ...declaration(0), declaredAt: TIME - 9, expected: 11 }, 'declaration guangzhou notice 2027-01-14': { ...declaration(1), declaredAt: TIME - 9 } },
    call: declare({ days }),
    expect: {
      response: { count: 1, publisher: 'guangzhou' },
      event: { name: 'declare', payload: { count: 1, publisher: 'guangzhou' } },
      writes: { 'declaration guangzhou credit 2027-01-15': declaration(0) },
    },
  },
  publishes('headers of version 1 write one key for all', fresh, [], {}),
  publishes('a version 2 upon the version 1 of an earlier batch', [...fresh, second], [creditA], { [recordKey]: { batch: 3, header: second } }),
  publishes('a revocation', [revoked], [creditA], { [recordKey]: { batch: 3, header: revoked } }),
  publishes('a version 3 upon the record key\'s header', [third], [atSecond], { [recordKey]: { batch: 3, header: third } }, afterSecond),
  publishes('of two contested headers the other one', [{ ...second, digest: 'ab'.repeat(32) }], [creditAgain], {
    [recordKey]: { batch: 3, header: { ...second, digest: 'ab'.repeat(32) } },
  }, { [contestedKey]: { version: 1 } }),
  publishes('the opening of a sealed record', [opened], [sealedPlace], { [`record guangzhou ${id32('bid-a')}`]: { batch: 3, header: opened } }),
  publishes('a sealed record superseded while sealed', [{ ...sealedHeader('bid-a', SALT), version: 2 }], [sealedPlace], {
    [`record guangzhou ${id32('bid-a')}`]: { batch: 3, header: { ...sealedHeader('bid-a', SALT), version: 2 } },
  }),
  {
    name: 'expose: two digests of one record and version',
    given: 'published',
    call: expose(creditA, creditAgain),
    expect: { response: exposed, event: { name: 'expose', payload: exposed }, writes: { [contestedKey]: { version: 1 } }, reads: [contestedKey] },
  },
  {
    name: 'expose: one digest under two owners',
    given: 'published',
    state: { [`batch guangzhou ${seq(5)}`]: { count: 1, root: rootOf(otherOwnerSameDigest) } },
    call: expose(creditA, place(otherOwnerSameDigest, 0, 5)),
    expect: { response: exposed, event: { name: 'expose', payload: exposed }, writes: { [contestedKey]: { version: 1 } } },
  },
  {
    name: 'expose: again changes nothing',
    given: 'published',
    state: { [contestedKey]: { version: 1 } },
    call: expose(creditAgain, creditA),
    expect: { response: exposed, event: null, writes: {} },
  },
  ...validWords,
];

const broken = { ...creditA, path: [...(creditA['path'] as readonly string[]).slice(0, -1), '00'.repeat(32)] };
const deflated = deflateRawSync(Buffer.from(sortedJson({ headers: fresh, previous: [], publisher: 'guangzhou', seq: 3 })));
const spaced = deflateRawSync(Buffer.from(JSON.stringify({ headers: fresh, previous: [], publisher: 'guangzhou', seq: 3 }, null, 1)));
const suspended = { electorate: { centres: ['beijing', 'zhuhai'] }, 'member guangzhou': memberState(centreDocument('guangzhou'), { status: 'suspended' }) };

function refusesVersion(name: string, code: string, next: JsonRecord, before: JsonRecord, state: Readonly<Record<string, Json>> = {}): LedgerCase {
  return { name: `publish: ${name}`, given: 'published', state, call: publish([next], [before]), code };
}

const ownedByOther = header('credit-d', { owner: OTHER_OWNER, subject: OWNER });

async function invalidWords(): Promise<readonly LedgerCase[]> {
  const older = await envelope({ issuedAt: TIME - 90, reason: 'outdated' });
  const high = { ...disputed, signature: `${String(disputed['signature']).slice(0, -2)}00` };
  const contested: Readonly<Record<string, Json>> = { [contestedKey]: { version: 1 } };
  const refusesAttesting = (name: string, code: string, fields: JsonRecord, sent: Partial<LedgerCall> = {}, before: Readonly<Record<string, Json>> = {}): LedgerCase =>
    ({ name: `attest: ${name}`, given: 'published', state: before, call: attest(fields, sent), code });
  const refusesStating = (name: string, code: string, given: JsonRecord, before: Readonly<Record<string, Json>> = {}, placed: JsonRecord = creditA): LedgerCase =>
    ({ name: `state: ${name}`, given: 'published', state: before, call: state(given, placed), code });
  return [
    { name: 'attest: before the founding', given: 'empty', call: attest(), code: 'NOT_FOUNDED' },
    refusesAttesting('its own record', 'FORBIDDEN', {}, { caller: 'GuangzhouMSP' }),
    refusesAttesting('an organisation of no centre', 'NOT_A_CENTRE', {}, { caller: 'StrangerMSP' }),
    refusesAttesting('a suspended centre', 'NOT_A_CENTRE', {}, {}, { electorate: { centres: ['beijing', 'guangzhou'] }, 'member zhuhai': memberState(centreDocument('zhuhai'), { status: 'suspended' }) }),
    refusesAttesting('nothing compared', 'BAD_FIELD', { compared: [] }),
    refusesAttesting('a thing that is not on the list', 'BAD_FIELD', { compared: ['hearsay'] }),
    refusesAttesting('an outcome that is not on the list', 'BAD_FIELD', { outcome: 'perhaps' }),
    refusesAttesting('free text', 'UNKNOWN_FIELD', { note: 'seen' }),
    refusesAttesting('a word taken back that was never given', 'ATTESTATION_UNKNOWN', { compared: [], outcome: 'withdrawn' }),
    refusesAttesting('a header that was never published', 'MERKLE_PATH_INVALID', { placed: broken }),
    refusesAttesting('a batch that does not exist', 'RECORD_UNKNOWN', { placed: { ...creditA, seq: 9 } }),
    refusesAttesting('a sealed record', 'RECORD_SEALED', { placed: sealedPlace }),
    refusesAttesting('a contested record', 'RECORD_CONTESTED', {}, {}, contested),
    refusesAttesting('a revoked record', 'RECORD_REVOKED', {}, {}, revokedA),
    refusesAttesting('a version that was superseded', 'RECORD_STALE', {}, {}, afterSecond),
    { name: 'state: before the founding', given: 'empty', call: state(disputed), code: 'NOT_FOUNDED' },
    { name: 'state: brought by an organisation of no member', given: 'published', call: state(disputed, creditA, { caller: 'StrangerMSP' }), code: 'FORBIDDEN' },
    refusesStating('an owner that has no key', 'OWNER_UNKNOWN', await envelope({ owner: OTHER_OWNER })),
    refusesStating('signed by another key', 'STATEMENT_BAD_SIGNATURE', await envelope({}, newWallet)),
    refusesStating('changed after signing', 'STATEMENT_BAD_SIGNATURE', { ...disputed, statement: { ...said, reason: 'outdated' } }),
    refusesStating('another spelling of the signature', 'GRANT_NONCANONICAL_SIG', high),
    refusesStating('suite sm2', 'GRANT_SUITE_UNSUPPORTED', { ...disputed, suite: 'sm2' }),
    refusesStating('of another consortium', 'GRANT_WRONG_DOMAIN', { ...disputed, domain: { name: 'Huilian', salt: `0x${'ab'.repeat(32)}`, version: '1' } }),
    refusesStating('another owner\'s record', 'STATEMENT_OTHER_RECORD', await envelope({ record: `guangzhou/credit/${id32('credit-b')}`, digest: `0x${String(header('credit-b')['digest'])}` }), {}, place(batchOne, 1, 1)),
    refusesStating('a record whose subject signs, and another owns it', 'STATEMENT_OTHER_RECORD', await envelope({ record: `guangzhou/credit/${id32('credit-d')}`, digest: `0x${String(ownedByOther['digest'])}` }), { [`batch guangzhou ${seq(5)}`]: { count: 1, root: rootOf([ownedByOther]) } }, place([ownedByOther], 0, 5)),
    refusesStating('a header of another record', 'STATEMENT_OTHER_RECORD', disputed, {}, place(batchOne, 1, 1)),
    refusesStating('another digest', 'STATEMENT_OTHER_RECORD', await envelope({ digest: `0x${'ab'.repeat(32)}` })),
    refusesStating('a word taken back that was never given', 'STATEMENT_OTHER_RECORD', await envelope(withdrawnWord)),
    refusesStating('a reason of another verdict', 'BAD_FIELD', await envelope({ reason: 'checked' })),
    refusesStating('free text', 'UNKNOWN_FIELD', { ...disputed, statement: { ...said, note: 'wrong' } }),
    refusesStating('signed two days ago', 'STATEMENT_EXPIRED', await envelope({ issuedAt: TIME - 172_800 })),
    refusesStating('signed for tomorrow', 'STATEMENT_EXPIRED', await envelope({ issuedAt: TIME + 3600 })),
    refusesStating('signed before the word that stands', 'STATEMENT_SUPERSEDED', older, saidBefore),
    refusesStating('a header that was never published', 'MERKLE_PATH_INVALID', disputed, {}, broken),
    refusesStating('a contested record', 'RECORD_CONTESTED', disputed, contested),
    refusesStating('a revoked record', 'RECORD_REVOKED', disputed, revokedA),
    refusesStating('a version that was superseded', 'RECORD_STALE', disputed, afterSecond),
  ];
}

export const invalidRecords: readonly LedgerCase[] = [
  { name: 'declare: for another centre', given: 'published', call: declare({ days }, { caller: 'ZhuhaiMSP' }), code: 'FORBIDDEN' },
  { name: 'declare: for a member without a node', given: 'published', call: declare({ days, publisher: 'easybid' }, { caller: 'ZhuhaiMSP' }), code: 'NOT_RECORD_OWNER' },
  { name: 'declare: a kind nobody adopted', given: 'published', call: declare({ days: [{ day: '2027-01-15', expected: 1, kind: 'nothing' }] }), code: 'SCHEMA_UNKNOWN' },
  { name: 'declare: a day that has not come', given: 'published', call: declare({ days: [{ day: '2027-01-16', expected: 1, kind: 'credit' }] }), code: 'BAD_FIELD' },
  { name: 'declare: a day that no calendar has', given: 'published', call: declare({ days: [{ day: '2026-02-30', expected: 1, kind: 'credit' }] }), code: 'BAD_FIELD' },
  { name: 'declare: one day twice', given: 'published', call: declare({ days: [days[0] as JsonRecord, { ...(days[0] as JsonRecord), expected: 3 }] }), code: 'BAD_FIELD' },
  { name: 'publish: before the founding', given: 'empty', call: publish(fresh), code: 'NOT_FOUNDED' },
  { name: 'publish: by another centre\'s organisation', given: 'published', call: publish(fresh, [], { caller: 'ZhuhaiMSP' }), code: 'NOT_RECORD_OWNER' },
  { name: 'publish: for a hosted member', given: 'published', call: publish(fresh, [], { batchFields: { publisher: 'easybid' }, caller: 'ZhuhaiMSP' }), code: 'NOT_RECORD_OWNER' },
  { name: 'publish: for nobody known', given: 'published', call: publish(fresh, [], { batchFields: { publisher: 'nowhere' } }), code: 'MEMBER_UNKNOWN' },
  { name: 'publish: by a suspended centre', given: 'published', state: suspended, call: publish(fresh), code: 'MEMBER_SUSPENDED' },
  { name: 'publish: a seq that exists', given: 'published', call: publish(fresh, [], { batchFields: { seq: 1 } }), code: 'BATCH_EXISTS' },
  { name: 'publish: a kind that nobody adopted', given: 'published', call: publish([header('x', { kind: 'guarantee' })]), code: 'SCHEMA_UNKNOWN' },
  { name: 'publish: a schema version that nobody adopted', given: 'published', call: publish([header('x', { schema: 2 })]), code: 'SCHEMA_UNKNOWN' },
  { name: 'publish: rights that the kind does not allow', given: 'published', call: publish([header('x', { rights: 'public' })]), code: 'RIGHTS_NOT_ALLOWED' },
  { name: 'publish: a kind that begins sealed, in the open', given: 'published', call: publish([header('x', { kind: 'bid' })]), code: 'HEADER_INVALID' },
  { name: 'publish: owner without rights owner', given: 'published', call: publish([{ ...header('x', { kind: 'notice', rights: 'public' }), owner: OWNER }]), code: 'HEADER_INVALID' },
  { name: 'publish: an unknown field in a header', given: 'published', call: publish([header('x', { note: 'x' })]), code: 'UNKNOWN_FIELD' },
  { name: 'publish: an owner whose code fails its check', given: 'published', call: publish([header('x', { owner: 'org:91440101MA5CK8T02B' })]), code: 'BAD_ID' },
  { name: 'publish: no headers', given: 'published', call: publish([]), code: 'BATCH_MALFORMED' },
  { name: 'publish: not DEFLATE', given: 'published', call: rawCall('records:publish', 'x'.repeat(40)), code: 'BATCH_MALFORMED' },
  { name: 'publish: a byte after the stream', given: 'published', call: rawCall('records:publish', Buffer.concat([deflated, Buffer.from([0])])), code: 'BATCH_TRAILING_BYTES' },
  { name: 'publish: not canonical', given: 'published', call: rawCall('records:publish', spaced), code: 'BATCH_NOT_CANONICAL' },
  { name: 'publish: one record twice', given: 'published', call: publish([header('x'), header('x')]), code: 'BATCH_DUPLICATE_RECORD' },
  { name: 'publish: more than 8 MiB inflated', given: 'published', call: rawCall('records:publish', deflateRawSync(Buffer.alloc(8 * 1024 * 1024 + 1, ' '))), code: 'BATCH_TOO_LARGE' },
  { name: 'publish: one byte over the argument limit', given: 'published', call: rawCall('records:publish', ' ', { times: 1_048_577 }), code: 'ARG_TOO_LARGE' },
  refusesVersion('a version skipped', 'VERSION_ORDER', third, creditA),
  refusesVersion('version 2 once more', 'VERSION_ORDER', second, creditA, afterSecond),
  refusesVersion('another record before it', 'PREVIOUS_MISMATCH', header('credit-b', { owner: OTHER_OWNER, version: 2 }), creditA),
  refusesVersion('a previous batch that does not exist', 'PREVIOUS_MISMATCH', second, { ...creditA, seq: 9 }),
  refusesVersion('a path that leads elsewhere', 'MERKLE_PATH_INVALID', second, broken),
  refusesVersion('a header before it that was never published', 'MERKLE_PATH_INVALID', second, { ...creditA, header: { ...header('credit-a'), digest: 'ef'.repeat(32) } }),
  refusesVersion('version 1 given as the one before version 3', 'PREVIOUS_MISMATCH', third, creditA, afterSecond),
  {
    name: 'publish: a header of the current version that the record key does not hold',
    given: 'published',
    state: { ...afterSecond, [recordKey]: { batch: 4, header: { ...second, digest: 'aa'.repeat(32) } } },
    call: publish([third], [atSecond]),
    code: 'PREVIOUS_MISMATCH',
  },
  refusesVersion('another owner', 'SUPERSEDE_CHANGES_OWNER', header('credit-a', { owner: OTHER_OWNER, version: 2 }), creditA),
  refusesVersion('another owner under the same subject', 'SUPERSEDE_CHANGES_OWNER', { ...second, owner: OTHER_OWNER }, creditA),
  refusesVersion('another subject', 'SUPERSEDE_CHANGES_OWNER', { ...second, subject: OTHER_OWNER }, creditA),
  refusesVersion('another kind', 'SUPERSEDE_CHANGES_OWNER', { ...second, kind: 'bid' }, creditA),
  refusesVersion('rights owner loosened', 'SUPERSEDE_CHANGES_OWNER', { ...header('credit-a', { kind: 'notice', rights: 'public', version: 2 }), localId: id32('credit-a') }, creditA),
  refusesVersion('an opening for another owner', 'SEALED_OPENING_INVALID', { ...header('bid-a', { kind: 'bid', owner: OTHER_OWNER, version: 2 }), salt: SALT }, sealedPlace),
  refusesVersion('an opening without its salt', 'SEALED_OPENING_INVALID', header('bid-a', { kind: 'bid', version: 2 }), sealedPlace),
  refusesVersion('an opening with another salt', 'SEALED_OPENING_INVALID', { ...opened, salt: '5b'.repeat(16) }, sealedPlace),
  refusesVersion('a salt where nothing was sealed', 'SEALED_OPENING_INVALID', { ...second, salt: SALT }, creditA),
  { name: 'expose: one header twice', given: 'published', call: expose(creditA, creditA), code: 'NOT_CONTESTED' },
  { name: 'expose: two records', given: 'published', call: expose(creditA, place(batchOne, 1, 1)), code: 'NOT_CONTESTED' },
  { name: 'expose: two versions', given: 'published', state: afterSecond, call: expose(creditA, atSecond), code: 'NOT_CONTESTED' },
  { name: 'expose: a batch that does not exist', given: 'published', call: expose(creditA, { ...creditAgain, seq: 9 }), code: 'RECORD_UNKNOWN' },
  { name: 'expose: a header that was never published', given: 'published', call: expose(creditA, { ...creditAgain, header: { ...header('credit-a'), digest: 'ef'.repeat(32) } }), code: 'MERKLE_PATH_INVALID' },
  { name: 'expose: a size that is not the batch\'s', given: 'published', call: expose(creditA, { ...creditAgain, size: 2 }), code: 'MERKLE_PATH_INVALID' },
  { name: 'expose: by an organisation of no member', given: 'published', call: expose(creditA, creditAgain, { caller: 'StrangerMSP' }), code: 'FORBIDDEN' },
  ...(await invalidWords()),
];
