// The argument of `records.publish` and the payload (SD-JWT VC) that a header commits to.
import { deflateRawSync } from 'node:zlib';
import { accepts, b64, hex, jcs, jws, jwsOfTexts, leafOf, refuses, seeded, sha256, sha256Hex, spoil, spoilSignature, treeHash } from './second-source.mjs';
import { batchHeaders, header, idOf, owner, placed, publisher, publisherKey, strangerKey } from './samples.mjs';

/** @param {any} text */
const packed = (text) => ({ bytes: b64(deflateRawSync(text)) });
/** @param {any[]} headers @param {any[]} [previous] */
const batch = (headers, previous = []) => ({ headers, previous, publisher, seq: 2 });
/** @param {any} value */
const argument = (value) => packed(jcs(value));
/** @param {any[]} headers @param {any[]} [previous] */
const summary = (headers, previous = []) => ({ publisher, seq: 2, count: headers.length, previous: previous.length, root: hex(treeHash(headers.map((entry) => leafOf(jcs(entry))))) });

const single = batch([header(1)]);
const followed = batch([header(4), header(1, { version: 2 }), header(3, { status: 'revoked', version: 2 })], [placed(batchHeaders, 0, 1), placed(batchHeaders, 2, 1)]);
const one = header(1);
const full = Array.from({ length: 5000 }, (_, index) => header(index, { digest: one.digest }));
const bytes = deflateRawSync(jcs(single));
const superseding = Array.from({ length: 501 }, () => header(1, { version: 2 }));

/** @type {import('./second-source.mjs').Item} */
export const batchArgument = {
  item: 'batch-argument',
  about: 'Raw DEFLATE (RFC 1951) of canonical JSON, base64url; `repeat` stands for one byte so many times; expected: what the ledger keeps. Invented',
  valid: [
    accepts('one record', argument(single), summary(single.headers)),
    accepts('three records', argument(batch(batchHeaders)), summary(batchHeaders)),
    accepts('new versions with what they follow', argument(followed), summary(followed.headers, followed.previous)),
    accepts('stored, not compressed', { bytes: b64(deflateRawSync(jcs(single), { level: 0 })) }, summary(single.headers)),
    accepts('5,000 records', argument(batch(full)), summary(full)),
  ],
  invalid: [
    refuses('a byte after the end', { bytes: b64(Buffer.concat([bytes, Buffer.of(0)])) }, 'BATCH_TRAILING_BYTES'),
    refuses('a second stream after the end', { bytes: b64(Buffer.concat([bytes, bytes])) }, 'BATCH_TRAILING_BYTES'),
    refuses('bomb of 8 MiB and a byte', packed(Buffer.alloc(8 * 1024 * 1024 + 1, 32)), 'BATCH_TOO_LARGE'),
    refuses('more than 1 MiB compressed', { repeat: { byte: 0, times: 1024 * 1024 + 1 } }, 'BATCH_TOO_LARGE'),
    refuses('a header too many', argument(batch(Array.from({ length: 5001 }, () => one))), 'BATCH_TOO_MANY'),
    refuses('a previous header too many', argument(batch(superseding, superseding.map(() => placed(batchHeaders, 0, 1)))), 'BATCH_TOO_MANY'),
    refuses('501 new versions', argument(batch(superseding)), 'BATCH_TOO_MANY'),
    refuses('blanks', packed(JSON.stringify(JSON.parse(jcs(single)), undefined, 1)), 'BATCH_NOT_CANONICAL'),
    refuses('keys not sorted', packed(JSON.stringify({ seq: 2, publisher, previous: [], headers: [one] })), 'BATCH_NOT_CANONICAL'),
    refuses('duplicate key', packed(jcs(single).replace('"seq":2', '"seq":2,"seq":2')), 'BATCH_NOT_CANONICAL'),
    refuses('not JSON', packed('headers'), 'BATCH_NOT_CANONICAL'),
    refuses('nothing inside', packed(''), 'BATCH_NOT_CANONICAL'),
    refuses('100,000 levels', packed(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), 'BATCH_NOT_CANONICAL'),
    refuses('not UTF-8', packed(Buffer.of(0x22, 0xff, 0x22)), 'BATCH_NOT_CANONICAL'),
    refuses('one record twice', argument(batch([one, header(2), one])), 'BATCH_DUPLICATE_RECORD'),
    refuses('two versions of one record', argument(batch([one, header(1, { version: 2 })], [placed(batchHeaders, 0, 1)])), 'BATCH_DUPLICATE_RECORD'),
    refuses('previous header missing', argument(batch([header(1, { version: 2 })])), 'BATCH_MALFORMED'),
    refuses('previous header that nothing follows', argument(batch([header(4)], [placed(batchHeaders, 0, 1)])), 'BATCH_MALFORMED'),
    refuses('no headers', argument(batch([])), 'BATCH_MALFORMED'),
    refuses('headers not a list', argument({ ...single, headers: {} }), 'BATCH_MALFORMED'),
    refuses('previous missing', argument(spoil(single, 'previous', undefined)), 'BATCH_MALFORMED'),
    refuses('a list', argument([single]), 'BATCH_MALFORMED'),
    refuses('not DEFLATE', { bytes: b64(Buffer.from('{"headers":[]}')) }, 'BATCH_MALFORMED'),
    refuses('cut short', { bytes: b64(bytes.subarray(0, -3)) }, 'BATCH_MALFORMED'),
    refuses('no bytes', { bytes: '' }, 'BATCH_MALFORMED'),
    refuses('unknown field', argument({ ...single, note: 1 }), 'UNKNOWN_FIELD'),
    refuses('unknown field of a header', argument(spoil(single, 'headers/0/note', 1)), 'UNKNOWN_FIELD'),
    refuses('seq 0', argument({ ...single, seq: 0 }), 'BAD_FIELD'),
    refuses('publisher in upper case', argument({ ...single, publisher: 'Guangzhou' }), 'BAD_FIELD'),
    refuses('header without owner', argument(batch([spoil(one, 'owner', undefined)])), 'HEADER_INVALID'),
    refuses('previous header without owner', argument(spoil(followed, 'previous/0/header/owner', undefined)), 'HEADER_INVALID'),
    refuses('owner with a wrong check character', argument(batch([header(1, { owner: `${owner.slice(0, -1)}D` })])), 'BAD_ID'),
  ],
};

const record = `${publisher}/performance/${idOf(1)}`;
const data = { contract: { amount: 1_000_000, name: '示例合同' }, project: { name: '示例项目' } };
const disclosures = Object.entries(data).map(([name, value]) => b64(jcs([b64(seeded(`salt ${name}`).subarray(0, 16)), name, value])));
/** @param {string} text */
const digestOf = (text) => b64(sha256(text));
const facts = {
  _sd: [...disclosures.map(digestOf), b64(seeded('decoy'))].sort(),
  _sd_alg: 'sha-256',
  iss: `urn:huilian:member:${publisher}`,
  record,
  sub: owner,
  vct: 'urn:huilian:record:performance:1',
  version: 1,
};
const x5c = [Buffer.from(seeded('certificate')).toString('base64')];
const head = { alg: 'ES256', typ: 'dc+sd-jwt', x5c };

/** @param {string} jwt @param {readonly string[]} shown */
function shownBy(jwt, shown) {
  return { presentation: `${[jwt, ...shown].join('~')}~`, digest: sha256Hex(jwt.split('.')[1] ?? ''), key: publisherKey.jwk };
}
/** @param {any} [changes] @param {readonly string[]} [shown] @param {any} [protectedHeader] @param {typeof publisherKey} [key] */
const presented = (changes = {}, shown = disclosures, protectedHeader = head, key = publisherKey) => shownBy(jws(protectedHeader, { ...facts, ...changes }, key), shown);
/** @param {object} claims */
const verified = (claims) => ({ recordId: record, version: 1, vct: facts.vct, subject: owner, claims, x5c });
const jwt = jws(head, facts, publisherKey);
const [shown = '', other = ''] = disclosures;
const salt = b64(seeded('a salt').subarray(0, 16));
/** @param {any} value a disclosure that the payload does commit to */
function committed(value) {
  const text = b64(typeof value === 'string' ? value : jcs(value));
  return presented({ _sd: [digestOf(text)] }, [text]);
}
const { sub: _sub, ...withoutSubject } = facts;
const { _sd: _digests, ...withoutDigests } = facts;

/** @type {import('./second-source.mjs').Item} */
export const payload = {
  item: 'payload',
  about: 'SD-JWT VC presentations under a header’s digest and a publisher’s key; test keys, invented data',
  valid: [
    accepts('every claim', presented(), verified(data)),
    accepts('one claim', presented({}, [shown]), verified({ contract: data.contract })),
    accepts('the other claim', presented({}, [other]), verified({ project: data.project })),
    accepts('no claim', presented({}, []), verified({})),
    accepts('claims in another order', presented({}, [other, shown]), verified(data)),
    accepts('no subject', shownBy(jws(head, withoutSubject, publisherKey), []), { ...verified({}), subject: '' }),
  ],
  invalid: [
    refuses('digest of another payload', { ...presented(), digest: sha256Hex('another') }, 'PAYLOAD_DIGEST_MISMATCH'),
    refuses('payload changed', { ...presented({ version: 2 }), digest: presented().digest }, 'PAYLOAD_DIGEST_MISMATCH'),
    refuses('signed by a stranger', presented({}, disclosures, head, strangerKey), 'PAYLOAD_BAD_SIGNATURE'),
    refuses('a bit of the signature', shownBy(spoilSignature(jwt), disclosures), 'PAYLOAD_BAD_SIGNATURE'),
    refuses('signature cut', shownBy(jwt.slice(0, -2), disclosures), 'PAYLOAD_BAD_SIGNATURE'),
    refuses('signature not base64url', shownBy(`${jwt.slice(0, -2)}+/`, []), 'PAYLOAD_MALFORMED'),
    refuses('alg none', presented({}, [], { ...head, alg: 'none' }), 'PAYLOAD_MALFORMED'),
    refuses('another typ', presented({}, [], { ...head, typ: 'vc+sd-jwt' }), 'PAYLOAD_MALFORMED'),
    refuses('kid in the protected header', presented({}, [], { ...head, kid: publisher }), 'PAYLOAD_MALFORMED'),
    refuses('no certificates', presented({}, [], { ...head, x5c: [] }), 'PAYLOAD_MALFORMED'),
    refuses('a certificate that is a number', presented({}, [], { ...head, x5c: [...x5c, 7] }), 'PAYLOAD_MALFORMED'),
    refuses('no tilde at the end', { ...presented(), presentation: presented().presentation.slice(0, -1) }, 'PAYLOAD_MALFORMED'),
    refuses('two segments', { ...presented(), presentation: `${jwt.split('.').slice(0, 2).join('.')}~` }, 'PAYLOAD_MALFORMED'),
    refuses('empty', { ...presented(), presentation: '' }, 'PAYLOAD_MALFORMED'),
    refuses('expiry in the payload', presented({ exp: 1_790_000_000 }, []), 'PAYLOAD_MALFORMED'),
    refuses('another hash', presented({ _sd_alg: 'sha-512' }, []), 'PAYLOAD_MALFORMED'),
    refuses('digests not sorted', presented({ _sd: facts._sd.toReversed() }, []), 'PAYLOAD_MALFORMED'),
    refuses('a digest that is a number', presented({ _sd: [1] }, []), 'PAYLOAD_MALFORMED'),
    refuses('no digests', shownBy(jws(head, withoutDigests, publisherKey), []), 'PAYLOAD_MALFORMED'),
    refuses('another issuer', presented({ iss: 'urn:huilian:member:foshan' }, []), 'PAYLOAD_MALFORMED'),
    refuses('record id of another grammar', presented({ record: 'guangzhou/performance' }, []), 'PAYLOAD_MALFORMED'),
    refuses('type of another kind', presented({ vct: 'urn:huilian:record:credit:1' }, []), 'PAYLOAD_MALFORMED'),
    refuses('subject that is a number', presented({ sub: 7 }, []), 'PAYLOAD_MALFORMED'),
    refuses('subject empty', presented({ sub: '' }, []), 'PAYLOAD_MALFORMED'),
    refuses('a digest twice', presented({ _sd: [facts._sd[0], ...facts._sd] }, []), 'PAYLOAD_MALFORMED'),
    refuses('version 0', presented({ version: 0 }, []), 'PAYLOAD_MALFORMED'),
    refuses('payload not canonical', shownBy(jwsOfTexts(jcs(head), JSON.stringify(facts, undefined, 1), publisherKey), []), 'PAYLOAD_MALFORMED'),
    refuses('disclosure of another payload', presented({}, [b64(jcs([b64(seeded('s').subarray(0, 16)), 'contract', {}]))]), 'DISCLOSURE_INVALID'),
    refuses('one disclosure twice', presented({}, [shown, shown]), 'DISCLOSURE_INVALID'),
    refuses('empty disclosure', presented({}, ['']), 'DISCLOSURE_INVALID'),
    refuses('disclosure not base64url', presented({}, ['a+b=']), 'DISCLOSURE_INVALID'),
    refuses('disclosure with a bit of base64url left over', presented({}, [`${shown.slice(0, -1)}_`]), 'DISCLOSURE_INVALID'),
    refuses('disclosure of two parts', committed([salt, 'contract']), 'DISCLOSURE_INVALID'),
    refuses('disclosure of four parts', committed([salt, 'contract', 1, 2]), 'DISCLOSURE_INVALID'),
    refuses('disclosure of `_sd`', committed([salt, '_sd', []]), 'DISCLOSURE_INVALID'),
    refuses('disclosure of `...`', committed([salt, '...', '']), 'DISCLOSURE_INVALID'),
    refuses('disclosure of `__proto__`', committed([salt, '__proto__', {}]), 'DISCLOSURE_INVALID'),
    refuses('disclosure that is an object', committed({ salt: '' }), 'DISCLOSURE_INVALID'),
    refuses('disclosure that is no JSON', committed('[1,'), 'DISCLOSURE_INVALID'),
    refuses('disclosure with blanks', committed(`["${salt}", "contract", {}]`), 'DISCLOSURE_INVALID'),
    refuses('disclosure with a key twice', committed(`["${salt}","contract",{"a":1,"a":2}]`), 'DISCLOSURE_INVALID'),
    refuses('disclosure with a salt of 32 bits', committed(['c2FsdA', 'contract', {}]), 'DISCLOSURE_INVALID'),
    refuses('disclosure of a field of the payload', committed([salt, 'record', {}]), 'DISCLOSURE_INVALID'),
    refuses('disclosure of a name that no claim has', committed([salt, 'Contract', {}]), 'DISCLOSURE_INVALID'),
    refuses('disclosure with digests inside', committed([salt, 'contract', { a: [{ _sd: [] }] }]), 'DISCLOSURE_INVALID'),
    refuses('protected header with a member twice', shownBy(jwsOfTexts(jcs(head).replace('{', '{"alg":"none",'), jcs(facts), publisherKey), []), 'PAYLOAD_MALFORMED'),
  ],
};
