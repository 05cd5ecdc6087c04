import { createHash } from 'node:crypto';
import {
  centreDocument,
  DOMAIN,
  domainOf,
  grantDigestOf,
  header,
  hostedDocument,
  id32,
  jws,
  keyOf,
  newWallet,
  OTHER_OWNER,
  otherWallet,
  OWNER,
  place,
  rootOf,
  signed,
  signerOf,
  thumbprint,
  TIME,
  wallet,
  type Signer,
} from '../consortium.js';
import type { LedgerCall } from '../memory-ledger.js';
import { digestOf, sha256, type Json, type JsonRecord } from '../plain-json.js';
import { batchOne, call, creditA, creditAgain, memberState, ownerState, rawCall, seq, TX, type LedgerCase } from './ledger-case.js';

const day = 86_400;
const terms = {
  owner: OWNER,
  grantee: 'bank',
  claims: ['credit/detail', 'credit/summary'],
  purpose: 'credit-check',
  reference: `0x${'0c'.repeat(32)}`,
  notBefore: TIME - day,
  expires: TIME + 30 * day,
  maxUses: 3,
  nonce: `0x${'0d'.repeat(32)}`,
};
const bank = signerOf('bank');
const granted = grantDigestOf(terms);

function request(fields: JsonRecord = {}): JsonRecord {
  return {
    basis: { digest: granted, kind: 'grant' },
    claims: ['detail'],
    encryptionKey: thumbprint(bank.encryptionKey),
    headers: [creditA],
    issuedAt: TIME - 10,
    publisher: 'guangzhou',
    purpose: 'credit-check',
    reader: 'bank',
    requestId: id32('request 1'),
    salt: DOMAIN.salt,
    ...fields,
  };
}

interface EntryOptions {
  readonly request?: JsonRecord;
  readonly grant?: JsonRecord;
  readonly grantSigner?: typeof wallet;
  readonly noGrant?: boolean;
  readonly offer?: JsonRecord;
  readonly offerSigner?: Signer;
  readonly kid?: string;
  readonly signer?: Signer;
  readonly slot?: number | null;
  readonly envelope?: JsonRecord;
}

/** An entry of access.open. Changed grant terms change the digest that the request leans on. */
async function entry(options: EntryOptions = {}): Promise<JsonRecord> {
  const grant = { ...terms, ...options.grant };
  const basis = { digest: grantDigestOf(grant), kind: 'grant' };
  const body = request({ basis, ...options.request });
  const records = (body['headers'] as readonly { header: JsonRecord }[]).map((placed) => placed.header['digest'] ?? '');
  const offer = { expires: TIME + 50, publisher: String(body['publisher']), records, request: digestOf(body), ...options.offer };
  const envelope = { ...(await signed('Grant', 'grant', grant, options.grantSigner ?? wallet)), ...options.envelope };
  const slot = options.slot === undefined ? 1 : options.slot;
  return {
    ...(options.noGrant === true ? {} : { grant: envelope }),
    offer: jws('huilian-offer+jwt', String(offer.publisher), offer, options.offerSigner ?? signerOf('guangzhou')),
    request: jws('huilian-request+jwt', options.kid ?? String(body['reader']), body, options.signer ?? bank),
    ...(options.noGrant === true || slot === null ? {} : { slot }),
  };
}

const open = (entries: readonly Json[], fields: Partial<LedgerCall> = {}): LedgerCall => call('access:open', { entries }, { caller: 'BeijingMSP', ...fields });

function ticketOf(body: JsonRecord, fields: JsonRecord = {}): JsonRecord {
  const { basis, claims, encryptionKey, publisher, purpose, reader, requestId } = body;
  const headers = (body['headers'] as readonly { header: JsonRecord }[]).map((placed) => placed.header);
  return {
    basis: basis ?? '',
    claims: claims ?? '',
    encryptionKey: encryptionKey ?? '',
    expires: TIME + 900,
    openedAt: TIME,
    owner: OWNER,
    publisher: publisher ?? '',
    purpose: purpose ?? '',
    reader: reader ?? '',
    readerKey: thumbprint(bank.signingKey),
    records: headers.map(({ digest, kind, localId, version }) => ({
      digest: digest ?? '',
      recordId: `${String(publisher)}/${String(kind)}/${String(localId)}`,
      version: version ?? 1,
    })),
    request: digestOf(body),
    requestId: requestId ?? '',
    slot: 1,
    ...fields,
  };
}

const ticketId = `${TX}/0`;
const requestKey = `request bank ${id32('request 1')}`;
const slotKey = (number: number): string => `slot ${OWNER} ${granted} ${seq(number)}`;
const opened = (tickets: readonly string[]): { name: string; payload: Json } => ({ name: 'open', payload: { tickets } });
const second = request({ requestId: id32('request 2') });

// A policy on the publisher's own records.
const policy = {
  claims: ['detail', 'summary'],
  expires: TIME + 600,
  granteeClasses: ['institution'],
  kind: 'notice',
  notBefore: TIME - day,
  publisher: 'guangzhou',
  purposes: ['credit-check'],
};
const policyDigest = digestOf(policy);
const policyState = (document: JsonRecord): Readonly<Record<string, Json>> => ({ [`policy guangzhou notice ${digestOf(document)}`]: { digest: digestOf(document), policy: document } });
const noticeA = place(batchOne, 2, 1);
const byPolicy = (fields: JsonRecord = {}): JsonRecord => ({ basis: { digest: policyDigest, kind: 'policy' }, headers: [noticeA], ...fields });

// The owner's own copy: to a key of its own, which the grant's reference commits to.
const ownKey = signerOf('own copy').encryptionKey;
const ownSalt = '7b'.repeat(16);
const ownGrant = { purpose: 'own-copy', reference: `0x${createHash('sha256').update(Buffer.from(ownSalt, 'hex')).update(thumbprint(ownKey)).digest('hex')}` };
const ownRequest = { encryptionKey: thumbprint(ownKey), purpose: 'own-copy', recipient: { key: ownKey, salt: ownSalt } };
const ownBody = request({ ...ownRequest, basis: { digest: grantDigestOf({ ...terms, ...ownGrant }), kind: 'grant' } });

// A ticket opened a minute ago.
const OPENED = 'b2'.repeat(32);
const openedId = `${OPENED}/0`;
const openTicket = ticketOf(request(), { expires: TIME + 840, openedAt: TIME - 60 });
const live: Readonly<Record<string, Json>> = { [requestKey]: { digest: digestOf(request()), ticket: openedId }, [slotKey(1)]: { ticket: openedId }, [`ticket ${openedId}`]: openTicket };
const refusedTicket = { ...live, [`ticket ${openedId}`]: { ...openTicket, refused: 'RELEASE_TOO_LATE' } };
const JWE = sha256('the ciphertext');
const receiptBody = { jwe: JWE, reader: 'bank', receivedAt: TIME - 5, resend: false, ticket: openedId };
const receiptState = { confirmedAt: TIME - 3, digest: digestOf(receiptBody), jwe: JWE };
const confirmed = { ...live, [`receipt ${openedId}`]: receiptState };
const receipt = (fields: JsonRecord = {}, signer: Signer = bank, kid = 'bank'): string => jws('huilian-receipt+jwt', kid, { ...receiptBody, ...fields }, signer);
const confirm = (receipts: readonly string[], caller = 'GuangzhouMSP'): LedgerCall => call('access:confirm', { receipts }, { caller });
const refuse = (fields: JsonRecord = {}, caller = 'GuangzhouMSP'): LedgerCall => call('access:refuse', { code: 'RELEASE_TOO_LATE', ticket: openedId, ...fields }, { caller });
function dispute(fields: JsonRecord = {}, options: { caller?: string; kid?: string; signer?: Signer } = {}): LedgerCall {
  const body = { disputedAt: TIME - 5, reader: 'bank', ticket: openedId, ...fields };
  return call('access:dispute', { dispute: jws('huilian-dispute+jwt', options.kid ?? String(body.reader), body, options.signer ?? bank) }, { caller: options.caller ?? 'BeijingMSP' });
}
const revocation = { grant: granted, owner: OWNER };
const revoke = (argument: Json, caller = 'ZhuhaiMSP'): LedgerCall => call('access:revokeGrant', argument, { caller });

export const validAccess: readonly LedgerCase[] = [
  {
    name: 'open: by a grant',
    given: 'published',
    call: open([await entry()]),
    expect: {
      response: [{ ticket: ticketId }],
      event: opened([ticketId]),
      writes: { [requestKey]: { digest: digestOf(request()), ticket: ticketId }, [slotKey(1)]: { ticket: ticketId }, [`ticket ${ticketId}`]: ticketOf(request()) },
      reads: [
        requestKey,
        slotKey(1),
        `batch guangzhou ${seq(1)}`,
        `contested guangzhou ${id32('credit-a')}`,
        'member bank',
        'member beijing',
        'member guangzhou',
        `owner ${OWNER}`,
        `record guangzhou ${id32('credit-a')}`,
        `revocation ${OWNER} ${granted}`,
      ],
    },
  },
  {
    name: 'open: the same request again answers with its ticket, however old',
    given: 'published',
    state: live,
    call: open([await entry()], { time: TIME + 800 }),
    expect: { response: [{ ticket: openedId }], event: null, writes: {} },
  },
  {
    name: 'open: an own copy, to the key that the owner committed to',
    given: 'published',
    call: open([await entry({ grant: ownGrant, request: ownRequest })]),
    expect: {
      response: [{ ticket: ticketId }],
      event: opened([ticketId]),
      writes: {
        [requestKey]: { digest: digestOf(ownBody), ticket: ticketId },
        [`slot ${OWNER} ${grantDigestOf({ ...terms, ...ownGrant })} ${seq(1)}`]: { ticket: ticketId },
        [`ticket ${ticketId}`]: ticketOf(ownBody),
      },
    },
  },
  {
    name: 'open: each entry by itself',
    given: 'published',
    call: open([await entry({ slot: 3 }), 'no entry', await entry({ request: { requestId: id32('request 2') }, slot: 4 }), await entry({ request: { requestId: id32('request 2') }, slot: 2 })]),
    expect: {
      response: [
        { ticket: ticketId },
        { code: 'BAD_FIELD', details: '{"path":"","reason":"not-an-object"}' },
        { code: 'GRANT_EXHAUSTED', details: '{"maxUses":3}' },
        { ticket: `${TX}/3` },
      ],
      event: opened([ticketId, `${TX}/3`]),
      writes: {
        [requestKey]: { digest: digestOf(request()), ticket: ticketId },
        [`request bank ${id32('request 2')}`]: { digest: digestOf(second), ticket: `${TX}/3` },
        [slotKey(2)]: { ticket: `${TX}/3` },
        [slotKey(3)]: { ticket: ticketId },
        [`ticket ${ticketId}`]: ticketOf(request(), { slot: 3 }),
        [`ticket ${TX}/3`]: ticketOf(second, { slot: 2 }),
      },
    },
  },
  {
    name: 'open: one pack keeps slots and request ids apart',
    given: 'published',
    call: open([await entry(), await entry({ request: { requestId: id32('request 2') } }), await entry({ request: { claims: ['summary'] }, slot: 2 }), await entry({ slot: 2 })]),
    expect: {
      response: [
        { ticket: ticketId },
        { code: 'SLOT_TAKEN', details: '{"slot":1}' },
        { code: 'REQUEST_ID_REUSED', details: `{"requestId":"${id32('request 1')}"}` },
        { ticket: ticketId },
      ],
      event: opened([ticketId]),
      writes: { [requestKey]: { digest: digestOf(request()), ticket: ticketId }, [slotKey(1)]: { ticket: ticketId }, [`ticket ${ticketId}`]: ticketOf(request()) },
    },
  },
  {
    name: 'open: a ticket ends with its grant',
    given: 'published',
    call: open([await entry({ grant: { expires: TIME + 60 } })]),
    expect: await (async () => {
      const grant = { ...terms, expires: TIME + 60 };
      const body = request({ basis: { digest: grantDigestOf(grant), kind: 'grant' } });
      return {
        response: [{ ticket: ticketId }],
        event: opened([ticketId]),
        writes: {
          [requestKey]: { digest: digestOf(body), ticket: ticketId },
          [`slot ${OWNER} ${grantDigestOf(grant)} ${seq(1)}`]: { ticket: ticketId },
          [`ticket ${ticketId}`]: ticketOf(body, { expires: TIME + 60 }),
        },
      };
    })(),
  },
  {
    name: 'open: a version above the contested ones',
    given: 'published',
    state: {
      [`batch guangzhou ${seq(4)}`]: { count: 1, root: rootOf([header('credit-a', { version: 2 })]) },
      [`contested guangzhou ${id32('credit-a')}`]: { version: 1 },
      [`record guangzhou ${id32('credit-a')}`]: { batch: 4, header: header('credit-a', { version: 2 }) },
    },
    call: open([await entry({ request: { headers: [place([header('credit-a', { version: 2 })], 0, 4)] } })]),
    expect: await (async () => {
      const body = request({ headers: [place([header('credit-a', { version: 2 })], 0, 4)] });
      return {
        response: [{ ticket: ticketId }],
        event: opened([ticketId]),
        writes: { [requestKey]: { digest: digestOf(body), ticket: ticketId }, [slotKey(1)]: { ticket: ticketId }, [`ticket ${ticketId}`]: ticketOf(body) },
      };
    })(),
  },
  {
    name: 'open: by a policy, without a use',
    given: 'published',
    state: policyState(policy),
    call: open([await entry({ noGrant: true, request: byPolicy() })]),
    expect: await (async () => {
      const body = request(byPolicy());
      const { slot: _none, ...ticket } = ticketOf(body, { expires: TIME + 600, owner: '' });
      return { response: [{ ticket: ticketId }], event: opened([ticketId]), writes: { [requestKey]: { digest: digestOf(body), ticket: ticketId }, [`ticket ${ticketId}`]: ticket } };
    })(),
  },
  {
    name: 'confirm: a receipt of the reader',
    given: 'published',
    state: live,
    call: confirm([receipt()]),
    expect: {
      response: { tickets: [openedId] },
      event: { name: 'confirm', payload: { tickets: [openedId] } },
      writes: { [`receipt ${openedId}`]: { ...receiptState, confirmedAt: TIME } },
      reads: [`receipt ${openedId}`, `ticket ${openedId}`],
    },
  },
  {
    name: 'confirm: again, and for bytes sent again, changes nothing',
    given: 'published',
    state: confirmed,
    call: confirm([receipt(), receipt({ receivedAt: TIME, resend: true })]),
    expect: { response: { tickets: [] }, event: null, writes: {} },
  },
  {
    name: 'refuse: gives the use back',
    given: 'published',
    state: live,
    call: refuse(),
    expect: {
      response: { code: 'RELEASE_TOO_LATE', ticket: openedId },
      event: { name: 'refuse', payload: { code: 'RELEASE_TOO_LATE', ticket: openedId } },
      writes: { [slotKey(1)]: null, [`ticket ${openedId}`]: { ...openTicket, refused: 'RELEASE_TOO_LATE' } },
      reads: [`receipt ${openedId}`],
    },
  },
  {
    name: 'dispute: nothing came',
    given: 'published',
    state: live,
    call: dispute(),
    expect: { response: { ticket: openedId }, event: { name: 'dispute', payload: { ticket: openedId } }, writes: { [`dispute ${openedId}`]: { disputedAt: TIME } } },
  },
  {
    name: 'dispute: again changes nothing',
    given: 'published',
    state: { ...live, [`dispute ${openedId}`]: { disputedAt: TIME - 20 } },
    call: dispute(),
    expect: { response: { ticket: openedId }, event: null, writes: {} },
  },
  {
    name: 'revokeGrant: by the owner, through any centre',
    given: 'published',
    call: revoke(await signed('Revocation', 'revocation', revocation, wallet)),
    expect: {
      response: { ...revocation, revokedAt: TIME },
      event: { name: 'revokeGrant', payload: { ...revocation, revokedAt: TIME } },
      writes: { [`revocation ${OWNER} ${granted}`]: { revokedAt: TIME } },
    },
  },
  {
    name: 'revokeGrant: again keeps the first time',
    given: 'published',
    state: { [`revocation ${OWNER} ${granted}`]: { revokedAt: TIME - 9 } },
    call: revoke(await signed('Revocation', 'revocation', revocation, wallet)),
    expect: { response: { ...revocation, revokedAt: TIME - 9 }, event: null, writes: {} },
  },
  {
    name: 'setPolicy: by the publisher for itself',
    given: 'published',
    call: call('access:setPolicy', policy),
    expect: {
      response: { digest: policyDigest, kind: 'notice', publisher: 'guangzhou' },
      event: { name: 'setPolicy', payload: { digest: policyDigest, kind: 'notice', publisher: 'guangzhou' } },
      writes: policyState(policy),
    },
  },
];

async function refused(name: string, code: string, options: EntryOptions, state: Readonly<Record<string, Json>> = {}, fields: Partial<LedgerCall> = {}): Promise<LedgerCase> {
  return { name: `open: ${name}`, given: 'published', state, call: open([await entry(options)], fields), code };
}

const OTHER_SALT = domainOf('00'.repeat(32)).salt;
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const signature = String((await signed('Grant', 'grant', terms, wallet))['signature']);
const altered = {
  claims: ['credit/detail'],
  expires: TIME + 31 * day,
  grantee: 'easybid',
  maxUses: 100,
  nonce: `0x${'0e'.repeat(32)}`,
  notBefore: TIME - day - 1,
  purpose: 'registration',
  reference: `0x${'0f'.repeat(32)}`,
};
/** The same signature's other form: n - s, other recovery bit. It recovers to the same key. */
const highS = `${signature.slice(0, 66)}${(N - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0')}${signature.endsWith('1b') ? '1c' : '1b'}`;
const suspended = (document: JsonRecord): JsonRecord => memberState(document, { status: 'suspended' });
const projectA = header('project-a', { kind: 'project', rights: 'publisher' });
const revokedHeader = header('credit-a', { status: 'revoked', version: 2 });
const versionTwo = (next: JsonRecord): Readonly<Record<string, Json>> => ({ [`record guangzhou ${id32('credit-a')}`]: { batch: 4, header: next } });
const otherRegistered = { [`owner ${OTHER_OWNER}`]: { ...ownerState, key: keyOf(otherWallet), owner: OTHER_OWNER } };
const recovering = (effectiveAt: number): Readonly<Record<string, Json>> => ({
  [`owner ${OWNER}`]: { ...ownerState, recovery: { approvals: ['beijing', 'zhuhai'], ca: String(ownerState['ca']), certificate: String(ownerState['certificate']), effectiveAt, key: keyOf(newWallet) } },
});

export const invalidAccess: readonly LedgerCase[] = [
  { name: 'open: before the founding', given: 'empty', call: open([await entry()]), code: 'NOT_FOUNDED' },
  { name: 'open: an empty pack', given: 'published', call: open([]), code: 'BAD_FIELD' },
  { name: 'open: 257 entries', given: 'published', call: open(Array.from({ length: 257 }, () => 0)), code: 'BAD_FIELD' },
  { name: 'open: an unknown field beside the entries', given: 'published', call: call('access:open', { entries: [await entry()], note: 'x' }), code: 'UNKNOWN_FIELD' },
  { name: 'open: one byte over the limit', given: 'published', call: rawCall('access:open', ' ', { times: 1_048_577 }), code: 'ARG_TOO_LARGE' },
  { name: 'open: an unknown field in the entry', given: 'published', call: open([{ ...(await entry()), note: 'x' }]), code: 'UNKNOWN_FIELD' },
  await refused('an unsigned field beside the grant\'s', 'UNKNOWN_FIELD', { envelope: { grant: { ...terms, handler: 'x' } } }),
  { name: 'open: a request that is no JWS', given: 'published', call: open([{ ...(await entry()), request: `a.b.${'c'.repeat(86)}` }]), code: 'REQUEST_MALFORMED' },
  await refused('a request with the key id of another member', 'REQUEST_MALFORMED', { kid: 'easybid' }),
  await refused('a reader that nobody knows', 'MEMBER_UNKNOWN', { request: { reader: 'nowhere' } }),
  await refused('brought by an organisation that does not host the reader', 'REQUEST_NOT_READER', {}, {}, { caller: 'ZhuhaiMSP' }),
  await refused('a suspended reader', 'MEMBER_SUSPENDED', {}, { 'member bank': suspended(hostedDocument('bank', 'institution', 'beijing')) }),
  await refused('a reader whose host is suspended', 'MEMBER_SUSPENDED', {}, { electorate: { centres: ['guangzhou', 'zhuhai'] }, 'member beijing': suspended(centreDocument('beijing')) }),
  await refused('signed by another key than the registered one', 'REQUEST_BAD_SIGNATURE', { signer: signerOf('easybid') }),
  await refused('a request for another consortium', 'REQUEST_WRONG_DOMAIN', { request: { salt: OTHER_SALT } }),
  await refused('the id of another request', 'REQUEST_ID_REUSED', { request: { claims: ['summary'] } }, live),
  await refused('301 seconds old', 'REQUEST_EXPIRED', { request: { issuedAt: TIME - 301 } }),
  await refused('issued 181 seconds from now', 'REQUEST_EXPIRED', { request: { issuedAt: TIME + 181 } }),
  await refused('an own copy to the reader\'s own key', 'ENCRYPTION_KEY_MISMATCH', { grant: ownGrant, request: { purpose: 'own-copy' } }),
  await refused('an own copy to a key that the owner did not commit to', 'ENCRYPTION_KEY_MISMATCH', { grant: ownGrant, request: { ...ownRequest, encryptionKey: thumbprint(bank.encryptionKey), recipient: { key: bank.encryptionKey, salt: ownSalt } } }),
  await refused('an own copy under another salt', 'ENCRYPTION_KEY_MISMATCH', { grant: ownGrant, request: { ...ownRequest, recipient: { key: ownKey, salt: '7c'.repeat(16) } } }),
  await refused('an own copy whose thumbprint is another key\'s', 'ENCRYPTION_KEY_MISMATCH', { grant: ownGrant, request: { ...ownRequest, encryptionKey: thumbprint(bank.encryptionKey) } }),
  await refused('a recipient for something else than an own copy', 'ENCRYPTION_KEY_MISMATCH', { grant: { reference: ownGrant.reference }, request: { ...ownRequest, purpose: 'credit-check' } }),
  await refused('an own copy under a grant for something else', 'GRANT_WRONG_PURPOSE', { grant: { reference: ownGrant.reference }, request: ownRequest }),
  await refused('an own copy of a publisher\'s record', 'GRANT_REQUIRED', { noGrant: true, request: { ...byPolicy(), ...ownRequest } }, policyState(policy)),
  await refused('a key that is not the reader\'s registered one', 'ENCRYPTION_KEY_MISMATCH', { request: { encryptionKey: thumbprint(signerOf('easybid').encryptionKey) } }),
  await refused('records of two owners', 'REQUEST_MIXED', { request: { headers: [creditA, place(batchOne, 1, 1)] } }),
  await refused('a publisher that nobody knows', 'MEMBER_UNKNOWN', { request: { publisher: 'nowhere' } }),
  await refused('a suspended publisher', 'MEMBER_SUSPENDED', {}, { electorate: { centres: ['beijing', 'zhuhai'] }, 'member guangzhou': suspended(centreDocument('guangzhou')) }),
  await refused('an offer that another centre signed', 'OFFER_BAD_SIGNATURE', { offerSigner: signerOf('zhuhai') }),
  await refused('an offer for another request', 'OFFER_MISMATCH', { offer: { request: '00'.repeat(32) } }),
  await refused('an offer of other records', 'OFFER_MISMATCH', { offer: { records: ['00'.repeat(32)] } }),
  await refused('an offer that lasts too long', 'OFFER_MISMATCH', { offer: { expires: TIME + 241 } }),
  await refused('an expired offer', 'OFFER_EXPIRED', { offer: { expires: TIME - 1 } }),
  await refused('a batch that does not exist', 'RECORD_UNKNOWN', { request: { headers: [{ ...creditA, seq: 9 }] } }),
  await refused('a header that was never published', 'MERKLE_PATH_INVALID', { request: { headers: [{ ...creditA, header: { ...header('credit-a'), digest: 'ef'.repeat(32) } }] } }),
  await refused('a sealed record', 'RECORD_SEALED', { request: { headers: [place(batchOne, 4, 1)] } }),
  await refused('a contested record', 'RECORD_CONTESTED', {}, { [`contested guangzhou ${id32('credit-a')}`]: { version: 1 } }),
  await refused('the other contested header', 'RECORD_CONTESTED', { request: { headers: [creditAgain] } }, { [`contested guangzhou ${id32('credit-a')}`]: { version: 1 } }),
  await refused('a superseded version', 'RECORD_STALE', {}, versionTwo(header('credit-a', { version: 2 }))),
  await refused('a version that a revocation followed', 'RECORD_REVOKED', {}, versionTwo(revokedHeader)),
  await refused('the revoked version itself', 'RECORD_REVOKED', { request: { headers: [place([revokedHeader], 0, 4)] } }, { ...versionTwo(revokedHeader), [`batch guangzhou ${seq(4)}`]: { count: 1, root: rootOf([revokedHeader]) } }),
  await refused('an owner\'s record without a grant', 'GRANT_REQUIRED', { noGrant: true }),
  await refused('an owner\'s record by a policy', 'GRANT_REQUIRED', { request: { basis: { digest: policyDigest, kind: 'policy' } } }, policyState(policy)),
  await refused('an owner\'s record by a policy of the grant\'s digest', 'GRANT_REQUIRED', { request: { basis: { digest: granted, kind: 'policy' } } }),
  await refused('another grant than the request names', 'GRANT_REQUIRED', { request: { basis: { digest: `0x${'11'.repeat(32)}`, kind: 'grant' } } }),
  await refused('a grant that a stranger signed', 'GRANT_BAD_SIGNATURE', { grantSigner: otherWallet }),
  ...(await Promise.all(Object.entries(altered).map(([field, value]) => refused(`a grant whose ${field} changed after signing`, 'GRANT_BAD_SIGNATURE', { envelope: { signature }, grant: { [field]: value } })))),
  await refused('a grant of the old key after a recovery took effect', 'GRANT_BAD_SIGNATURE', {}, recovering(TIME)),
  await refused('a grant of the new key before the recovery takes effect', 'GRANT_BAD_SIGNATURE', { grantSigner: newWallet }, recovering(TIME + 1)),
  await refused('a signature with high s', 'GRANT_NONCANONICAL_SIG', { envelope: { signature: highS } }),
  await refused('a signature with v 0', 'GRANT_NONCANONICAL_SIG', { envelope: { signature: `${signature.slice(0, 130)}00` } }),
  await refused('a signature of 64 bytes', 'GRANT_NONCANONICAL_SIG', { envelope: { signature: signature.slice(0, 130) } }),
  await refused('a grant for another consortium', 'GRANT_WRONG_DOMAIN', { envelope: { domain: { ...DOMAIN, salt: OTHER_SALT } } }),
  await refused('a grant of a suite not supported', 'GRANT_SUITE_UNSUPPORTED', { envelope: { suite: 'sm2' } }),
  await refused('an owner that has no key', 'OWNER_UNKNOWN', {}, { [`owner ${OWNER}`]: null }),
  await refused('a grant of someone who does not own the record', 'GRANT_NOT_OWNER', { grant: { owner: OTHER_OWNER }, grantSigner: otherWallet }, otherRegistered),
  await refused('a grant to another reader', 'GRANT_WRONG_GRANTEE', { grant: { grantee: 'easybid' } }),
  await refused('a grant for another purpose', 'GRANT_WRONG_PURPOSE', { grant: { purpose: 'registration' } }),
  await refused('a purpose off the list', 'PURPOSE_UNKNOWN', { request: { purpose: '*' } }),
  await refused('a claim outside the grant', 'GRANT_CLAIM_NOT_COVERED', { request: { claims: ['detail', 'winner'] } }),
  await refused('a grant that begins in a second', 'GRANT_NOT_YET_VALID', { grant: { notBefore: TIME + 1 } }),
  await refused('a grant that ends this second', 'GRANT_EXPIRED', { grant: { expires: TIME } }),
  await refused('a grant of more than 366 days', 'BAD_FIELD', { grant: { expires: TIME + 366 * day } }),
  await refused('a revoked grant', 'GRANT_REVOKED', {}, { [`revocation ${OWNER} ${granted}`]: { revokedAt: TIME - 1 } }),
  await refused('no slot proposed', 'BAD_FIELD', { slot: null }),
  await refused('a slot beyond the last use', 'GRANT_EXHAUSTED', { slot: 4 }),
  await refused('a slot already taken', 'SLOT_TAKEN', {}, { [slotKey(1)]: { ticket: openedId } }),
  await refused('a policy that nobody set', 'POLICY_UNKNOWN', { noGrant: true, request: byPolicy() }),
  await refused('a publisher\'s record by a grant', 'POLICY_UNKNOWN', { request: { headers: [noticeA] } }),
  await refused('a publisher\'s record by a grant that has a policy\'s digest', 'POLICY_UNKNOWN', { noGrant: true, request: byPolicy({ basis: { digest: policyDigest, kind: 'grant' } }) }, policyState(policy)),
  await refused(
    'records of two kinds by one policy',
    'POLICY_NOT_COVERED',
    { noGrant: true, request: byPolicy({ headers: [noticeA, place([projectA], 0, 5)] }) },
    { ...policyState(policy), [`batch guangzhou ${seq(5)}`]: { count: 1, root: rootOf([projectA]) } },
  ),
  await refused('a policy that ended', 'POLICY_UNKNOWN', { noGrant: true, request: byPolicy({ basis: { digest: digestOf({ ...policy, expires: TIME }), kind: 'policy' } }) }, policyState({ ...policy, expires: TIME })),
  await refused('a policy for another class of reader', 'POLICY_NOT_COVERED', { noGrant: true, request: byPolicy({ basis: { digest: digestOf({ ...policy, granteeClasses: ['supervisor'] }), kind: 'policy' } }) }, policyState({ ...policy, granteeClasses: ['supervisor'] })),
  await refused('a policy for another purpose', 'POLICY_NOT_COVERED', { noGrant: true, request: byPolicy({ purpose: 'supervision' }) }, policyState(policy)),
  await refused('a claim outside the policy', 'POLICY_NOT_COVERED', { noGrant: true, request: byPolicy({ claims: ['winner'] }) }, policyState(policy)),
  await refused('a public record, which needs no ticket', 'POLICY_NOT_COVERED', { noGrant: true, request: byPolicy({ headers: [place(batchOne, 3, 1)] }) }, policyState(policy)),
  { name: 'confirm: a ticket that nobody opened', given: 'published', call: confirm([receipt()]), code: 'TICKET_UNKNOWN' },
  { name: 'confirm: by another organisation than the publisher\'s', given: 'published', state: live, call: confirm([receipt()], 'BeijingMSP'), code: 'FORBIDDEN' },
  { name: 'confirm: a refused ticket', given: 'published', state: refusedTicket, call: confirm([receipt()]), code: 'TICKET_REFUSED' },
  { name: 'confirm: signed by another member', given: 'published', state: live, call: confirm([receipt({ reader: 'easybid' }, signerOf('easybid'), 'easybid')]), code: 'RECEIPT_MISMATCH' },
  { name: 'confirm: not signed by the reader\'s key', given: 'published', state: live, call: confirm([receipt({}, signerOf('easybid'))]), code: 'RECEIPT_BAD_SIGNATURE' },
  { name: 'confirm: of another release under the same ticket', given: 'published', state: confirmed, call: confirm([receipt({ jwe: sha256('another') })]), code: 'RECEIPT_MISMATCH' },
  { name: 'confirm: one bad receipt refuses the pack', given: 'published', state: live, call: confirm([receipt(), receipt({ ticket: ticketId })]), code: 'TICKET_UNKNOWN' },
  { name: 'refuse: a ticket that nobody opened', given: 'published', call: refuse(), code: 'TICKET_UNKNOWN' },
  { name: 'refuse: by the reader\'s organisation', given: 'published', state: live, call: refuse({}, 'BeijingMSP'), code: 'FORBIDDEN' },
  { name: 'refuse: twice', given: 'published', state: refusedTicket, call: refuse(), code: 'TICKET_REFUSED' },
  { name: 'refuse: after a confirmed receipt', given: 'published', state: confirmed, call: refuse(), code: 'TICKET_CONFIRMED' },
  { name: 'refuse: a reason off the list', given: 'published', state: live, call: refuse({ code: 'INTERNAL' }), code: 'BAD_FIELD' },
  { name: 'dispute: a ticket that nobody opened', given: 'published', call: dispute(), code: 'TICKET_UNKNOWN' },
  { name: 'dispute: by another member', given: 'published', state: live, call: dispute({ reader: 'easybid' }, { caller: 'ZhuhaiMSP', signer: signerOf('easybid') }), code: 'REQUEST_NOT_READER' },
  { name: 'dispute: key id of another member', given: 'published', state: live, call: dispute({}, { kid: 'easybid' }), code: 'REQUEST_NOT_READER' },
  { name: 'dispute: brought by another organisation', given: 'published', state: live, call: dispute({}, { caller: 'ZhuhaiMSP' }), code: 'REQUEST_NOT_READER' },
  { name: 'dispute: not signed by the reader', given: 'published', state: live, call: dispute({}, { signer: signerOf('easybid') }), code: 'REQUEST_BAD_SIGNATURE' },
  { name: 'dispute: signed long ago', given: 'published', state: live, call: dispute({ disputedAt: TIME - 301 }), code: 'REQUEST_EXPIRED' },
  { name: 'dispute: signed 181 seconds from now', given: 'published', state: live, call: dispute({ disputedAt: TIME + 181 }), code: 'REQUEST_EXPIRED' },
  { name: 'dispute: of a confirmed ticket', given: 'published', state: confirmed, call: dispute(), code: 'TICKET_CONFIRMED' },
  { name: 'dispute: of a refused ticket', given: 'published', state: refusedTicket, call: dispute(), code: 'TICKET_REFUSED' },
  { name: 'revokeGrant: by a stranger', given: 'published', call: revoke(await signed('Revocation', 'revocation', revocation, otherWallet)), code: 'REVOCATION_BAD_SIGNATURE' },
  { name: 'revokeGrant: by the old key after a recovery took effect', given: 'published', state: recovering(TIME), call: revoke(await signed('Revocation', 'revocation', revocation, wallet)), code: 'REVOCATION_BAD_SIGNATURE' },
  { name: 'revokeGrant: an owner that has no key', given: 'published', call: revoke(await signed('Revocation', 'revocation', { ...revocation, owner: OTHER_OWNER }, otherWallet)), code: 'OWNER_UNKNOWN' },
  { name: 'revokeGrant: for another consortium', given: 'published', call: revoke(await signed('Revocation', 'revocation', revocation, wallet, domainOf('00'.repeat(32)))), code: 'GRANT_WRONG_DOMAIN' },
  { name: 'revokeGrant: by an organisation of no member', given: 'published', call: revoke(await signed('Revocation', 'revocation', revocation, wallet), 'StrangerMSP'), code: 'FORBIDDEN' },
  { name: 'setPolicy: for another publisher', given: 'published', call: call('access:setPolicy', policy, { caller: 'ZhuhaiMSP' }), code: 'FORBIDDEN' },
  { name: 'setPolicy: for a hosted member', given: 'published', call: call('access:setPolicy', { ...policy, publisher: 'easybid' }, { caller: 'ZhuhaiMSP' }), code: 'FORBIDDEN' },
  { name: 'setPolicy: that ended already', given: 'published', call: call('access:setPolicy', { ...policy, expires: TIME }), code: 'BAD_FIELD' },
  { name: 'setPolicy: that ends before it begins', given: 'published', call: call('access:setPolicy', { ...policy, expires: TIME + 50, notBefore: TIME + 100 }), code: 'BAD_FIELD' },
  { name: 'setPolicy: for own copies', given: 'published', call: call('access:setPolicy', { ...policy, purposes: ['own-copy'] }), code: 'PURPOSE_UNKNOWN' },
  { name: 'setPolicy: an unknown purpose', given: 'published', call: call('access:setPolicy', { ...policy, purposes: ['*'] }), code: 'PURPOSE_UNKNOWN' },
];
