// Access: JWS of members, request, offer, ticket, release, receipt, policy.
import { accepts, b64, documentDigest, jcs, jws, jwsOfTexts, refuses, SEED, sha256, sha256Hex, spoil, spoilSignature, thumbprint } from './second-source.mjs';
import { batchHeaders, grant, header, idOf, now, otherOwner, owner, placed, publisher, publisherHeader, publisherKey, reader, readerKey, request, requestJws, strangerKey, ticket } from './samples.mjs';

const typ = 'huilian-test+jwt';
const head = { alg: 'ES256', kid: reader, typ };
/** @param {string} compact @param {any} [key] */
const jwsInput = (compact, key = readerKey.jwk) => ({ compact, typ, key });
const simple = jws(head, { a: 1 }, readerKey);
const [, simpleBody = '', simpleTail = ''] = simple.split('.');

/** @type {import('./second-source.mjs').Item} */
export const jwsItem = {
  item: 'jws',
  about: 'Compact JWS with ES256 and a closed header {alg, kid, typ} over canonical JSON. Each use refuses with codes of its own; these are the request’s. Test keys',
  valid: [
    accepts('a number', jwsInput(simple), { kid: reader, payload: { a: 1 } }),
    accepts('nothing inside', jwsInput(jws(head, {}, readerKey)), { kid: reader, payload: {} }),
    accepts('Chinese text', jwsInput(jws(head, { 名称: '示例' }, readerKey)), { kid: reader, payload: { 名称: '示例' } }),
    accepts('another signer', jwsInput(jws({ ...head, kid: publisher }, { a: 1 }, publisherKey), publisherKey.jwk), { kid: publisher, payload: { a: 1 } }),
    accepts('nested', jwsInput(jws(head, { a: [{ b: null }, true] }, readerKey)), { kid: reader, payload: { a: [{ b: null }, true] } }),
  ],
  invalid: [
    refuses('alg none', jwsInput(`${b64(jcs({ ...head, alg: 'none' }))}.${simpleBody}.`), 'REQUEST_MALFORMED'),
    refuses('alg HS256', jwsInput(jws({ ...head, alg: 'HS256' }, { a: 1 }, readerKey)), 'REQUEST_MALFORMED'),
    refuses('another typ', jwsInput(jws({ ...head, typ: 'JWT' }, { a: 1 }, readerKey)), 'REQUEST_MALFORMED'),
    refuses('no kid', jwsInput(jws({ alg: 'ES256', typ }, { a: 1 }, readerKey)), 'REQUEST_MALFORMED'),
    refuses('jwk in the header', jwsInput(jws({ ...head, jwk: readerKey.jwk }, { a: 1 }, readerKey)), 'REQUEST_MALFORMED'),
    refuses('crit in the header', jwsInput(jws({ ...head, crit: [] }, { a: 1 }, readerKey)), 'REQUEST_MALFORMED'),
    refuses('header not canonical', jwsInput(jwsOfTexts(JSON.stringify({ typ, kid: reader, alg: 'ES256' }), '{}', readerKey)), 'REQUEST_MALFORMED'),
    refuses('payload not canonical', jwsInput(jwsOfTexts(jcs(head), '{"a": 1}', readerKey)), 'REQUEST_MALFORMED'),
    refuses('payload with a key twice', jwsInput(jwsOfTexts(jcs(head), '{"a":1,"a":1}', readerKey)), 'REQUEST_MALFORMED'),
    refuses('payload a list', jwsInput(jwsOfTexts(jcs(head), '[]', readerKey)), 'REQUEST_MALFORMED'),
    refuses('two segments', jwsInput(simple.split('.').slice(0, 2).join('.')), 'REQUEST_MALFORMED'),
    refuses('four segments', jwsInput(`${simple}.`), 'REQUEST_MALFORMED'),
    refuses('padding', jwsInput(`${simple}==`), 'REQUEST_MALFORMED'),
    refuses('plus and slash', jwsInput(`${simple.slice(0, -2)}+/`), 'REQUEST_MALFORMED'),
    refuses('empty', jwsInput(''), 'REQUEST_MALFORMED'),
    refuses('a bit of the signature', jwsInput(spoilSignature(simple)), 'REQUEST_BAD_SIGNATURE'),
    refuses('a stranger’s signature', jwsInput(jws(head, { a: 1 }, strangerKey)), 'REQUEST_BAD_SIGNATURE'),
    refuses('signature of another payload', jwsInput(`${b64(jcs(head))}.${b64('{"a":2}')}.${simpleTail}`), 'REQUEST_BAD_SIGNATURE'),
    refuses('no signature', jwsInput(`${b64(jcs(head))}.${simpleBody}.`), 'REQUEST_BAD_SIGNATURE'),
    refuses('r and s zero', jwsInput(`${b64(jcs(head))}.${simpleBody}.${b64(Buffer.alloc(64))}`), 'REQUEST_BAD_SIGNATURE'),
    refuses('a key that is no point', jwsInput(simple, { ...readerKey.jwk, y: readerKey.jwk.x }), 'REQUEST_BAD_SIGNATURE'),
  ],
};

/** @param {any} payload @param {any} [changes] @param {typeof readerKey} [by] */
const requestInput = (payload, changes = {}, by = readerKey) => ({ jws: requestJws(payload, changes, by), key: readerKey.jwk });
const policyRequest = { ...request, basis: { kind: 'policy', digest: sha256Hex('a policy') }, headers: [placed([publisherHeader], 0, 3)] };
const many = Array.from({ length: 64 }, (_, index) => header(100 + index));
const ownerKey = { crv: 'X25519', kty: 'OKP', x: b64(sha256(`${SEED}/own copy`).subarray(0, 32)).replace(/.$/, 'A') };
const ownCopy = { ...request, encryptionKey: thumbprint(ownerKey), purpose: 'own-copy', recipient: { key: ownerKey, salt: '5a'.repeat(16) } };
const valid = [
  ['by grant', request],
  ['by policy', policyRequest],
  ['one record', { ...request, headers: [placed(batchHeaders, 1, 1)] }],
  ['64 records', { ...request, headers: many.map((_, index) => placed(many, index, 4)) }],
  ['64 claims', { ...request, claims: Array.from({ length: 64 }, (_, index) => `claim${String(index).padStart(2, '0')}`) }],
  ['an own copy, to a key of the owner', ownCopy],
];
/** @param {string} name @param {string} path @param {any} value @param {string} code */
const badRequest = (name, path, value, code) => refuses(name, requestInput(spoil(request, path, value)), code);

/** @type {import('./second-source.mjs').Item} */
export const accessRequest = {
  item: 'access-request',
  about: 'A reader’s signed request, and its digest, the identity of the request. Test keys, invented records',
  valid: valid.map(([name, payload]) => accepts(String(name), requestInput(payload), { digest: documentDigest(payload) })),
  invalid: [
    refuses('signed by a stranger', requestInput(request, {}, strangerKey), 'REQUEST_BAD_SIGNATURE'),
    refuses('a bit of the signature', { jws: spoilSignature(requestJws(request)), key: readerKey.jwk }, 'REQUEST_BAD_SIGNATURE'),
    refuses('kid of another member', requestInput(request, { kid: 'another-bank' }), 'REQUEST_MALFORMED'),
    refuses('typ of a receipt', requestInput(request, { typ: 'huilian-receipt+jwt' }), 'REQUEST_MALFORMED'),
    refuses('not a JWS', { jws: 'request', key: readerKey.jwk }, 'REQUEST_MALFORMED'),
    refuses('two owners', requestInput({ ...request, headers: [request.headers[0], placed([header(8, { owner: otherOwner })], 0, 5)] }), 'REQUEST_MIXED'),
    refuses('an owner’s and a publisher’s record', requestInput({ ...request, headers: [request.headers[0], placed([publisherHeader], 0, 3)] }), 'REQUEST_MIXED'),
    refuses('one record twice', requestInput({ ...request, headers: [request.headers[0], request.headers[0]] }), 'REQUEST_MIXED'),
    badRequest('purpose unknown', 'purpose', 'curiosity', 'PURPOSE_UNKNOWN'),
    badRequest('header without owner', 'headers/0/header/owner', undefined, 'HEADER_INVALID'),
    badRequest('owner with a wrong check character', 'headers/0/header/owner', `${owner.slice(0, -1)}D`, 'BAD_ID'),
    badRequest('unknown field', 'note', '', 'UNKNOWN_FIELD'),
    badRequest('maxUses beside the grant', 'basis/maxUses', 3, 'UNKNOWN_FIELD'),
    badRequest('basis of another kind', 'basis/kind', 'licence', 'BAD_FIELD'),
    badRequest('no claims', 'claims', [], 'BAD_FIELD'),
    badRequest('claims not sorted', 'claims', ['project', 'contract'], 'BAD_FIELD'),
    badRequest('claim with its kind', 'claims', ['performance/contract'], 'BAD_FIELD'),
    badRequest('no records', 'headers', [], 'BAD_FIELD'),
    badRequest('time in milliseconds', 'issuedAt', now * 1000, 'BAD_FIELD'),
    badRequest('request id with stray bits', 'requestId', `${idOf(7).slice(0, 25)}b`, 'BAD_FIELD'),
    badRequest('no salt of a domain', 'salt', undefined, 'BAD_FIELD'),
    refuses('a recipient without the salt of its commitment', requestInput(spoil(ownCopy, 'recipient/salt', undefined)), 'BAD_FIELD'),
    refuses('a recipient key of another curve', requestInput(spoil(ownCopy, 'recipient/key/crv', 'P-256')), 'BAD_FIELD'),
    refuses('a private key as the recipient', requestInput(spoil(ownCopy, 'recipient/key/d', ownerKey.x)), 'UNKNOWN_FIELD'),
    refuses('65 records', requestInput({ ...request, headers: Array.from({ length: 65 }, () => request.headers[0]) }), 'BAD_FIELD'),
  ],
};

const signedRequest = requestJws(request);
const offer = { expires: now + 60, publisher, records: request.headers.map((entry) => entry.header.digest), request: documentDigest(request) };
const offerHead = { alg: 'ES256', kid: publisher, typ: 'huilian-offer+jwt' };
/** @param {any} payload @param {any} [changes] @param {typeof publisherKey} [by] */
const offerInput = (payload, changes = {}, by = publisherKey) => ({ jws: jws({ ...offerHead, ...changes }, payload, by), request: signedRequest, key: publisherKey.jwk });
const policyOffer = { ...offer, records: [publisherHeader.digest], request: documentDigest(policyRequest) };

/** @type {import('./second-source.mjs').Item} */
export const offerItem = {
  item: 'offer',
  about: 'A publisher’s offer against the request it answers. Test keys',
  valid: [
    accepts('an offer', offerInput(offer), offer),
    accepts('another expiry', offerInput({ ...offer, expires: now + 1 }), { ...offer, expires: now + 1 }),
    accepts('under a policy', { ...offerInput(policyOffer), request: requestJws(policyRequest) }, policyOffer),
    ...[2, 3].map((at) => {
      const payload = /** @type {any} */ (valid[at]?.[1]);
      const answer = { ...offer, records: payload.headers.map((/** @type {any} */ entry) => entry.header.digest), request: documentDigest(payload) };
      return accepts(`answer to ${String(valid[at]?.[0])}`, { ...offerInput(answer), request: requestJws(payload) }, answer);
    }),
  ],
  invalid: [
    refuses('signed by a stranger', offerInput(offer, {}, strangerKey), 'OFFER_BAD_SIGNATURE'),
    refuses('a bit of the signature', { ...offerInput(offer), jws: spoilSignature(offerInput(offer).jws) }, 'OFFER_BAD_SIGNATURE'),
    refuses('signed by the reader', offerInput(offer, {}, readerKey), 'OFFER_BAD_SIGNATURE'),
    refuses('kid of another member', offerInput(offer, { kid: 'foshan' }), 'OFFER_MISMATCH'),
    refuses('typ of a release', offerInput(offer, { typ: 'huilian-release+jwt' }), 'OFFER_MISMATCH'),
    refuses('another publisher', offerInput({ ...offer, publisher: 'foshan' }, { kid: 'foshan' }), 'OFFER_MISMATCH'),
    refuses('another request', offerInput({ ...offer, request: sha256Hex('another') }), 'OFFER_MISMATCH'),
    refuses('a record too few', offerInput({ ...offer, records: offer.records.slice(1) }), 'OFFER_MISMATCH'),
    refuses('records in another order', offerInput({ ...offer, records: [...offer.records].reverse() }), 'OFFER_MISMATCH'),
    refuses('a record too many', offerInput({ ...offer, records: [...offer.records, sha256Hex('more')] }), 'OFFER_MISMATCH'),
    refuses('not a JWS', { ...offerInput(offer), jws: 'offer' }, 'OFFER_MISMATCH'),
    refuses('no records', offerInput({ ...offer, records: [] }), 'BAD_FIELD'),
    refuses('expiry in milliseconds', offerInput({ ...offer, expires: now * 1000 }), 'BAD_FIELD'),
    refuses('no expiry', offerInput(spoil(offer, 'expires', undefined)), 'BAD_FIELD'),
    refuses('unknown field', offerInput({ ...offer, price: 0 }), 'UNKNOWN_FIELD'),
  ],
};

const ticketState = {
  basis: request.basis,
  claims: request.claims,
  encryptionKey: request.encryptionKey,
  expires: now + 900,
  openedAt: now,
  owner,
  publisher,
  purpose: 'credit-check',
  reader,
  readerKey: thumbprint(readerKey.jwk),
  records: [{ digest: batchHeaders[0]?.digest, recordId: `${publisher}/performance/${idOf(1)}`, version: 1 }],
  request: documentDigest(request),
  requestId: request.requestId,
  slot: 1,
};
/** @type {[string, any][]} */
const tickets = [
  ['by grant', ticketState],
  ['by policy', spoil({ ...ticketState, basis: policyRequest.basis, owner: '' }, 'slot', undefined)],
  ['refused', { ...ticketState, refused: 'RELEASE_TOO_LATE' }],
  ['a person’s', { ...ticketState, owner: `per:${'a'.repeat(32)}` }],
  ['the last slot', { ...ticketState, slot: 100_000 }],
];
/** @type {import('./second-source.mjs').Item} */
export const ticketShape = {
  item: 'ticket-shape',
  about: 'The committed ticket as world state. Invented',
  valid: tickets.map(([name, state]) => accepts(name, state, { digest: documentDigest(state) })),
  invalid: [
    ...faults(ticketState, [
      ['unknown field', 'note', '', 'UNKNOWN_FIELD'], ['unknown field of a record', 'records/0/note', '', 'UNKNOWN_FIELD'],
      ['purpose unknown', 'purpose', 'curiosity', 'PURPOSE_UNKNOWN'], ['slot 0', 'slot', 0, 'BAD_FIELD'], ['slot beyond the most uses', 'slot', 100_001, 'BAD_FIELD'],
      ['no records', 'records', [], 'BAD_FIELD'], ['version 0', 'records/0/version', 0, 'BAD_FIELD'], ['record id without kind', 'records/0/recordId', `guangzhou/${idOf(1)}`, 'BAD_FIELD'],
      ['digest with 0x', 'request', `0x${sha256Hex('')}`, 'BAD_FIELD'], ['claims not sorted', 'claims', ['b', 'a'], 'BAD_FIELD'], ['owner missing', 'owner', undefined, 'BAD_FIELD'],
      ['reader in upper case', 'reader', 'Sample-bank', 'BAD_FIELD'], ['thumbprint cut', 'readerKey', 'abc', 'BAD_FIELD'], ['time in milliseconds', 'openedAt', now * 1000, 'BAD_FIELD'],
      ['refusal in words', 'refused', 'too late', 'BAD_FIELD'],
    ]),
    refuses('not an object', 'ticket', 'BAD_FIELD'),
  ],
};

/** @param {any} base @param {[string, string, any, string][]} rows */
function faults(base, rows) {
  return rows.map(([name, path, value, code]) => refuses(name, spoil(base, path, value), code));
}

const jwe = 'invented.ciphertext.of.a.release';
const release = { jwe: sha256Hex(jwe), publisher, releasedAt: now + 5, ticket };
const releaseHead = { alg: 'ES256', kid: publisher, typ: 'huilian-release+jwt' };
/** @param {any} payload @param {any} [changes] @param {typeof publisherKey} [by] */
const releaseInput = (payload, changes = {}, by = publisherKey) => ({ envelope: { jwe, release: jws({ ...releaseHead, ...changes }, payload, by) }, ticket, publisher, key: publisherKey.jwk });
const longJwe = `${'a'.repeat(4000)}.${'b'.repeat(4000)}`;
/** @type {import('./second-source.mjs').Item} */
export const releaseItem = {
  item: 'release',
  about: 'A publisher’s signed word on a ciphertext, for one ticket. The ciphertexts are invented text. Test keys',
  valid: [
    accepts('a release', releaseInput(release), release),
    accepts('later', releaseInput({ ...release, releasedAt: now + 800 }), { ...release, releasedAt: now + 800 }),
    accepts('another ticket', { ...releaseInput({ ...release, ticket: ticket.replace('/0', '/255') }), ticket: ticket.replace('/0', '/255') }, { ...release, ticket: ticket.replace('/0', '/255') }),
    accepts('a longer ciphertext', spoil(releaseInput({ ...release, jwe: sha256Hex(longJwe) }), 'envelope/jwe', longJwe), { ...release, jwe: sha256Hex(longJwe) }),
    accepts('another publisher', { ...releaseInput({ ...release, publisher: 'foshan' }, { kid: 'foshan' }, strangerKey), publisher: 'foshan', key: strangerKey.jwk }, { ...release, publisher: 'foshan' }),
  ],
  invalid: [
    refuses('signed by a stranger', releaseInput(release, {}, strangerKey), 'RELEASE_BAD_SIGNATURE'),
    refuses('a bit of the signature', spoil(releaseInput(release), 'envelope/release', spoilSignature(releaseInput(release).envelope.release)), 'RELEASE_BAD_SIGNATURE'),
    refuses('kid of another member', releaseInput(release, { kid: 'foshan' }), 'RELEASE_BAD_SIGNATURE'),
    refuses('another publisher inside', releaseInput({ ...release, publisher: 'foshan' }), 'RELEASE_BAD_SIGNATURE'),
    refuses('typ of an offer', releaseInput(release, { typ: 'huilian-offer+jwt' }), 'RELEASE_BAD_SIGNATURE'),
    refuses('another ciphertext', spoil(releaseInput(release), 'envelope/jwe', `${jwe}x`), 'RELEASE_HASH_MISMATCH'),
    refuses('digest of another ciphertext', releaseInput({ ...release, jwe: sha256Hex('another') }), 'RELEASE_HASH_MISMATCH'),
    refuses('another ticket', releaseInput({ ...release, ticket: ticket.replace('/0', '/1') }), 'RELEASE_HASH_MISMATCH'),
    refuses('ciphertext empty', spoil(releaseInput(release), 'envelope/jwe', ''), 'BAD_FIELD'),
    refuses('ciphertext with blanks', spoil(releaseInput(release), 'envelope/jwe', `${jwe} `), 'BAD_FIELD'),
    refuses('statement not a JWS', spoil(releaseInput(release), 'envelope/release', 'release'), 'BAD_FIELD'),
    refuses('statement missing', spoil(releaseInput(release), 'envelope/release', undefined), 'BAD_FIELD'),
    refuses('key beside the ciphertext', spoil(releaseInput(release), 'envelope/key', 'abc'), 'UNKNOWN_FIELD'),
    refuses('ticket index with a leading zero', releaseInput({ ...release, ticket: ticket.replace('/0', '/00') }), 'BAD_FIELD'),
    refuses('unknown field', releaseInput({ ...release, note: '' }), 'UNKNOWN_FIELD'),
  ],
};

const receipt = { jwe: sha256Hex(jwe), reader, receivedAt: now + 9, resend: false, ticket };
const receiptHead = { alg: 'ES256', kid: reader, typ: 'huilian-receipt+jwt' };
/** @param {any} payload @param {any} [changes] @param {typeof readerKey} [by] */
const receiptInput = (payload, changes = {}, by = readerKey) => ({ jws: jws({ ...receiptHead, ...changes }, payload, by), ticket, reader, key: readerKey.jwk });
/** @type {import('./second-source.mjs').Item} */
export const receiptItem = {
  item: 'receipt',
  about: 'A reader’s receipt for one ticket. Test keys',
  valid: [
    accepts('a receipt', receiptInput(receipt), receipt),
    accepts('of a repeated release', receiptInput({ ...receipt, resend: true }), { ...receipt, resend: true }),
    accepts('of another ciphertext', receiptInput({ ...receipt, jwe: sha256Hex('another') }), { ...receipt, jwe: sha256Hex('another') }),
    accepts('of another ticket', { ...receiptInput({ ...receipt, ticket: ticket.replace('/0', '/9') }), ticket: ticket.replace('/0', '/9') }, { ...receipt, ticket: ticket.replace('/0', '/9') }),
    accepts('of another reader', { ...receiptInput({ ...receipt, reader: 'other-bank' }, { kid: 'other-bank' }, strangerKey), reader: 'other-bank', key: strangerKey.jwk }, { ...receipt, reader: 'other-bank' }),
  ],
  invalid: [
    refuses('signed by a stranger', receiptInput(receipt, {}, strangerKey), 'RECEIPT_BAD_SIGNATURE'),
    refuses('a bit of the signature', { ...receiptInput(receipt), jws: spoilSignature(receiptInput(receipt).jws) }, 'RECEIPT_BAD_SIGNATURE'),
    refuses('of access A for access B', receiptInput({ ...receipt, ticket: ticket.replace('/0', '/1') }), 'RECEIPT_MISMATCH'),
    refuses('of another reader', receiptInput({ ...receipt, reader: 'other-bank' }, { kid: 'other-bank' }), 'RECEIPT_MISMATCH'),
    refuses('kid of another member', receiptInput(receipt, { kid: 'other-bank' }), 'RECEIPT_MISMATCH'),
    refuses('typ of a dispute', receiptInput(receipt, { typ: 'huilian-dispute+jwt' }), 'RECEIPT_MISMATCH'),
    refuses('alg none', receiptInput(receipt, { alg: 'none' }), 'RECEIPT_MISMATCH'),
    refuses('not a JWS', { ...receiptInput(receipt), jws: '' }, 'RECEIPT_MISMATCH'),
    refuses('resend as a number', receiptInput({ ...receipt, resend: 0 }), 'BAD_FIELD'),
    refuses('no ciphertext', receiptInput(spoil(receipt, 'jwe', undefined)), 'BAD_FIELD'),
    refuses('time in milliseconds', receiptInput({ ...receipt, receivedAt: now * 1000 }), 'BAD_FIELD'),
    refuses('unknown field', receiptInput({ ...receipt, note: '' }), 'UNKNOWN_FIELD'),
  ],
};

const policy = { claims: ['contract', 'project'], expires: now + 86_400, granteeClasses: ['institution', 'supervisor'], kind: 'performance', notBefore: now, publisher, purposes: ['credit-check', 'supervision'] };
/** @type {import('./second-source.mjs').Item} */
export const policyItem = {
  item: 'policy',
  about: 'A publisher’s standing permission and its digest, by which requests name it. Invented',
  valid: [policy, { ...policy, claims: ['entry'] }, { ...policy, granteeClasses: ['centre', 'institution', 'platform', 'supervisor'] }, { ...policy, purposes: ['registration'] }, { ...policy, kind: 'supervision', publisher: 'foshan' }].map((entry, index) =>
    accepts(`policy ${index + 1}`, entry, { digest: documentDigest(entry) }),
  ),
  invalid: [
    ...faults(policy, [
      ['no claims', 'claims', [], 'BAD_FIELD'], ['claims not sorted', 'claims', ['b', 'a'], 'BAD_FIELD'], ['class unknown', 'granteeClasses', ['everyone'], 'BAD_FIELD'],
      ['no classes', 'granteeClasses', [], 'BAD_FIELD'], ['classes not sorted', 'granteeClasses', ['supervisor', 'centre'], 'BAD_FIELD'], ['no purposes', 'purposes', [], 'BAD_FIELD'],
      ['purpose unknown', 'purposes', ['*'], 'PURPOSE_UNKNOWN'], ['one purpose twice', 'purposes', ['supervision', 'supervision'], 'BAD_FIELD'], ['expiry missing', 'expires', undefined, 'BAD_FIELD'],
      ['beginning in milliseconds', 'notBefore', now * 1000, 'BAD_FIELD'], ['kind in upper case', 'kind', 'Performance', 'BAD_FIELD'], ['publisher empty', 'publisher', '', 'BAD_FIELD'],
      ['unknown field', 'owner', grant.owner, 'UNKNOWN_FIELD'],
    ]),
    refuses('not an object', null, 'BAD_FIELD'),
  ],
};
