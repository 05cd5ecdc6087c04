// Items without signatures: canonical JSON, ids, headers, Merkle paths.
import { base32, accepts, hex, jcs, leafOf, localId, refuses, seeded, sha256Hex, sha256, spoil, treeHash, auditPath, b64 } from './second-source.mjs';
import { header, idOf, localIdKey, owner, publisherHeader } from './samples.mjs';

/** @param {string} text canonical text, written by hand */
const canonicalText = (text) => ({ text, sha256: sha256Hex(text) });
/** @param {string} text */
const strict = (text) => ({ read: 'strict', text });
/** @param {string} text */
const exact = (text) => ({ read: 'canonical', text });

/** @type {import('./second-source.mjs').Item} */
export const canonical = {
  item: 'canonical',
  about: 'RFC 8785 over a restricted JSON. `strict` reads any spelling of the value, `canonical` only the canonical one; bytes as base64url',
  valid: [
    accepts('keys sorted by UTF-16 code unit', strict('{"\\u20ac":1,"\\r":2,"\\ufb00":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}'), canonicalText('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb00":3}')),
    accepts('nested, with blanks', strict(' { "b" : [ 3 , 2, {"z":null,"a":true} ] , "a" : "" } '), canonicalText('{"a":"","b":[3,2,{"a":true,"z":null}]}')),
    accepts('escapes as RFC 8785 writes them', strict('"\\u0000\\u0008\\u000b\\u000c\\/\\\\\\"\\u007f\\u2028"'), canonicalText('"\\u0000\\b\\u000b\\f/\\\\\\"\u007f\u2028"')),
    accepts('largest and smallest integers', exact('[-9007199254740991,9007199254740991,0]'), canonicalText('[-9007199254740991,9007199254740991,0]')),
    accepts('Chinese text', exact('{"名称":"示例"}'), canonicalText('{"名称":"示例"}')),
    accepts('a value inside 32 lists', exact(`${'['.repeat(32)}0${']'.repeat(32)}`), canonicalText(`${'['.repeat(32)}0${']'.repeat(32)}`)),
    accepts('bytes', { read: 'canonical', bytes: b64('{"a":1}') }, canonicalText('{"a":1}')),
    accepts('30 combining marks in a row', exact(`"中${'\u0301'.repeat(30)}"`), canonicalText(`"中${'\u0301'.repeat(30)}"`)),
    accepts('escaped keys', exact('{"\\n":1,"\\"":2,"\\\\":3}'), canonicalText('{"\\n":1,"\\"":2,"\\\\":3}')),
  ],
  invalid: [
    refuses('31 combining marks in a row', strict(`"中${'\u0301'.repeat(31)}"`), 'CANONICAL_INVALID'),
    refuses('duplicate key', strict('{"a":1,"a":1}'), 'CANONICAL_INVALID'),
    refuses('duplicate key spelt with an escape', strict('{"a":1,"\\u0061":2}'), 'CANONICAL_INVALID'),
    refuses('duplicate key, canonical reader', exact('{"a":1,"a":1}'), 'CANONICAL_INVALID'),
    refuses('fraction', strict('1.5'), 'CANONICAL_INVALID'),
    refuses('integer with a point', strict('1.0'), 'CANONICAL_INVALID'),
    refuses('exponent', strict('1e2'), 'CANONICAL_INVALID'),
    refuses('1e21', strict('1e21'), 'CANONICAL_INVALID'),
    refuses('minus zero', strict('-0'), 'CANONICAL_INVALID'),
    refuses('2^53', strict('9007199254740992'), 'CANONICAL_INVALID'),
    refuses('leading zero', strict('01'), 'CANONICAL_INVALID'),
    refuses('lone surrogate', strict('"\\ud800"'), 'CANONICAL_INVALID'),
    refuses('lone surrogate in a key', strict('{"\\udc00":1}'), 'CANONICAL_INVALID'),
    refuses('not NFC', strict('"e\\u0301"'), 'CANONICAL_INVALID'),
    refuses('key not NFC', strict('{"e\\u0301":1}'), 'CANONICAL_INVALID'),
    refuses('key __proto__', strict('{"__proto__":1}'), 'CANONICAL_INVALID'),
    refuses('byte order mark', { read: 'strict', bytes: b64(Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d])) }, 'CANONICAL_INVALID'),
    refuses('malformed UTF-8', { read: 'strict', bytes: b64(Buffer.from([0x22, 0xff, 0x22])) }, 'CANONICAL_INVALID'),
    refuses('overlong UTF-8', { read: 'strict', bytes: b64(Buffer.from([0x22, 0xc0, 0xaf, 0x22])) }, 'CANONICAL_INVALID'),
    refuses('a value inside 33 lists', strict(`${'['.repeat(33)}0${']'.repeat(33)}`), 'CANONICAL_INVALID'),
    refuses('a character that NFC writes as two', strict('"\\ufb33"'), 'CANONICAL_INVALID'),
    refuses('a value inside 33 lists, canonical reader', exact(`${'['.repeat(33)}0${']'.repeat(33)}`), 'CANONICAL_INVALID'),
    refuses('two documents', strict('{}{}'), 'CANONICAL_INVALID'),
    refuses('trailing comma', strict('[1,]'), 'CANONICAL_INVALID'),
    refuses('raw control character', strict('"\u0001"'), 'CANONICAL_INVALID'),
    refuses('NaN', strict('NaN'), 'CANONICAL_INVALID'),
    refuses('empty', strict(''), 'CANONICAL_INVALID'),
    refuses('blank before a value, canonical reader', exact('{"a": 1}'), 'CANONICAL_INVALID'),
    refuses('keys not sorted, canonical reader', exact('{"b":1,"a":2}'), 'CANONICAL_INVALID'),
    refuses('needless escape, canonical reader', exact('"\\u0061"'), 'CANONICAL_INVALID'),
    refuses('final line feed, canonical reader', exact('{}\n'), 'CANONICAL_INVALID'),
  ],
};

const local = idOf(1);
/** @type {import('./second-source.mjs').Item} */
export const recordId = {
  item: 'record-id',
  about: '`<memberId>/<kind>/<localId>`; ids invented',
  valid: ['guangzhou/performance', 'foshan/entity', 'a1b/project', 'sample-bank-2/qualification', `${'a'.repeat(32)}/${'k'.repeat(32)}`].map((start) => {
    const [member, kind] = start.split('/');
    return accepts(start, `${start}/${local}`, { publisher: member, kind, localId: local });
  }),
  invalid: [
    ['empty', ''],
    ['two parts', `guangzhou/${local}`],
    ['four parts', `guangzhou/performance/${local}/1`],
    ['upper case member', `Guangzhou/performance/${local}`],
    ['member of two letters', `gz/performance/${local}`],
    ['member ends in a hyphen', `guangzhou-/performance/${local}`],
    ['member of 33 letters', `${'a'.repeat(33)}/performance/${local}`],
    ['kind with underscore', `guangzhou/per_formance/${local}`],
    ['local id too short', `guangzhou/performance/${local.slice(1)}`],
    ['local id with stray bits', `guangzhou/performance/${local.slice(0, 25)}b`],
    ['local id with the digit 1', `guangzhou/performance/1${local.slice(1)}`],
    ['NUL', `guangzhou/performance\u0000/${local}`],
    ['final line feed', `guangzhou/performance/${local}\n`],
    ['full-width letter', `ｇuangzhou/performance/${local}`],
    ['path climbing', `../performance/${local}`],
  ].map(([name = '', id]) => refuses(name, id, 'BAD_ID')),
};

const uscc = owner.slice(4);
const publicKey = Buffer.concat([Uint8Array.of(4), seeded('x'), seeded('y')]);
/** @type {import('./second-source.mjs').Item} */
export const ownerId = {
  item: 'owner-id',
  about: '`id` reads an owner id, `uscc` makes an organisation’s, `publicKey` (hex) makes a person’s; invented',
  valid: [
    accepts('organisation', { id: owner }, owner),
    accepts('another organisation', { id: 'org:12440100MB2C000134' }, 'org:12440100MB2C000134'),
    accepts('person', { id: `per:${base32(seeded('person').subarray(0, 20))}` }, `per:${base32(seeded('person').subarray(0, 20))}`),
    accepts('made of a USCC', { uscc }, owner),
    accepts('made of a public key', { publicKey: hex(publicKey) }, `per:${base32(sha256(publicKey).subarray(0, 20))}`),
  ],
  invalid: [
    refuses('wrong check character', { id: `${owner.slice(0, -1)}D` }, 'BAD_ID'),
    refuses('no prefix', { id: uscc }, 'BAD_ID'),
    refuses('upper-case prefix', { id: `ORG:${uscc}` }, 'BAD_ID'),
    refuses('lower-case USCC', { id: owner.toLowerCase() }, 'BAD_ID'),
    refuses('person too short', { id: `per:${'a'.repeat(31)}` }, 'BAD_ID'),
    refuses('person with the digit 1', { id: `per:${'1'.repeat(32)}` }, 'BAD_ID'),
    refuses('sealed is not an owner', { id: `sealed:${'0'.repeat(64)}` }, 'BAD_ID'),
    refuses('final line feed', { id: `${owner}\n` }, 'BAD_ID'),
    refuses('a number', { id: 7 }, 'BAD_ID'),
    refuses('empty', { id: '' }, 'BAD_ID'),
    refuses('made of a USCC with a wrong check character', { uscc: `${uscc.slice(0, -1)}D` }, 'CODE_INVALID'),
    refuses('made of an empty USCC', { uscc: '' }, 'CODE_INVALID'),
    refuses('made of a USCC with the letter O', { uscc: `${uscc.slice(0, 9)}O${uscc.slice(10)}` }, 'CODE_INVALID'),
  ],
};

/** @param {string} kind @param {string} naturalKey @param {Uint8Array} [key] */
const made = (kind, naturalKey, key = localIdKey) => [{ key: hex(key), kind, naturalKey }, localId(key, kind, naturalKey)];
/** @type {import('./second-source.mjs').Item} */
export const localIdItem = {
  item: 'local-id',
  about: 'First 128 bits of HMAC-SHA-256(key, kind, 0x00, natural key) in base32; `id` reads one; test keys',
  valid: [
    accepts('entity', ...spread(made('entity', `["${uscc}"]`))),
    accepts('the same row of another kind', ...spread(made('project', `["${uscc}"]`))),
    accepts('Chinese natural key', ...spread(made('performance', '["项目","2026-01-01"]'))),
    accepts('key longer than a block', ...spread(made('entity', '[]', Buffer.concat([localIdKey, localIdKey, localIdKey])))),
    accepts('empty natural key', ...spread(made('entity', ''))),
    accepts('read', { id: local }, local),
  ],
  invalid: [
    ['25 characters', local.slice(1)], ['27 characters', `${local}a`], ['upper case', local.toUpperCase()], ['digit 0', `0${local.slice(1)}`],
    ['digit 1', `1${local.slice(1)}`], ['digit 8', `8${local.slice(1)}`], ['padding', `${local.slice(0, 25)}=`], ['stray low bits', `${local.slice(0, 25)}z`],
    ['slash', `/${local.slice(1)}`], ['NUL', `${local.slice(0, 25)}\u0000`], ['empty', ''], ['a number', 12], ['null', null], ['final line feed', `${local}\n`],
  ].map(([name, id]) => refuses(String(name), { id }, 'BAD_FIELD')).concat([
    refuses('key in upper-case hex', { key: hex(localIdKey).toUpperCase(), kind: 'entity', naturalKey: '' }, 'BAD_FIELD'),
    refuses('key of half a byte', { key: 'abc', kind: 'entity', naturalKey: '' }, 'BAD_FIELD'),
  ]),
};

/** @param {any[]} pair @returns {[any, any]} */
function spread([input, expected]) {
  return [input, expected];
}

/** @param {any} value */
const leaf = (value) => ({ leaf: hex(leafOf(jcs(value))) });
const sealed = header(5, { kind: 'sealed', owner: `sealed:${sha256Hex(Buffer.concat([seeded('salt').subarray(0, 16), Buffer.from(owner)]))}`, schema: 0, subject: '' });
const opening = header(5, { salt: hex(seeded('salt').subarray(0, 16)), version: 2 });
const first = header(1);
/** @type {import('./second-source.mjs').Item} */
export const headerItem = {
  item: 'header',
  about: 'Record headers and their Merkle leaves; invented',
  valid: [
    accepts('owner’s', first, leaf(first)),
    accepts('publisher’s, without owner', publisherHeader, leaf(publisherHeader)),
    accepts('public, empty subject', { ...publisherHeader, rights: 'public', subject: '' }, leaf({ ...publisherHeader, rights: 'public', subject: '' })),
    accepts('sealed', sealed, leaf(sealed)),
    accepts('opened', opening, leaf(opening)),
    accepts('revoked', header(1, { status: 'revoked', version: 3 }), leaf(header(1, { status: 'revoked', version: 3 }))),
  ],
  invalid: [
    refuses('owner missing', spoil(first, 'owner', undefined), 'HEADER_INVALID'),
    refuses('owner of a publisher’s record', { ...publisherHeader, owner }, 'HEADER_INVALID'),
    refuses('first version revoked', header(1, { status: 'revoked' }), 'HEADER_INVALID'),
    refuses('salt in a first version', header(1, { salt: opening.salt }), 'HEADER_INVALID'),
    refuses('schema 0 of an open kind', header(1, { schema: 0 }), 'HEADER_INVALID'),
    refuses('sealed owner of an open kind', header(1, { owner: sealed.owner }), 'HEADER_INVALID'),
    refuses('sealed with a subject', { ...sealed, subject: owner }, 'HEADER_INVALID'),
    refuses('sealed with a schema', { ...sealed, schema: 1 }, 'HEADER_INVALID'),
    refuses('sealed with an open owner', { ...sealed, owner }, 'HEADER_INVALID'),
    refuses('sealed with a salt', { ...sealed, version: 2, salt: opening.salt }, 'HEADER_INVALID'),
    refuses('unknown field', { ...first, note: '' }, 'UNKNOWN_FIELD'),
    refuses('field __proto__', spoil(first, '__proto__', 1), 'UNKNOWN_FIELD'),
    refuses('digest in upper case', header(1, { digest: first.digest.toUpperCase().replace(/^./, 'A') }), 'BAD_FIELD'),
    refuses('digest missing', spoil(first, 'digest', undefined), 'BAD_FIELD'),
    refuses('version 0', header(1, { version: 0 }), 'BAD_FIELD'),
    refuses('version as text', header(1, { version: '1' }), 'BAD_FIELD'),
    refuses('status unknown', header(1, { status: 'deleted' }), 'BAD_FIELD'),
    refuses('owner with a wrong check character', header(1, { owner: `${owner.slice(0, -1)}D` }), 'BAD_ID'),
    refuses('subject with a wrong check character', header(1, { subject: `${owner.slice(0, -1)}D` }), 'BAD_ID'),
    refuses('not an object', [first], 'BAD_FIELD'),
  ],
};

const leaves = Array.from({ length: 7 }, (_, index) => leafOf(`leaf ${index}`));
/** @param {number} index @param {number} size */
function proof(index, size) {
  const some = leaves.slice(0, size);
  return { leaf: hex(some[index] ?? leafOf('')), index, size, path: auditPath(index, some), root: hex(treeHash(some)) };
}
const good = proof(3, 7);
/** @type {import('./second-source.mjs').Item} */
export const merkle = {
  item: 'merkle',
  about: 'RFC 6962 trees: `leaves` (base64url data) to root and paths, or one path checked; hashes in hex',
  valid: [
    ...[0, 1, 2, 3, 7].map((size) => {
      const data = Array.from({ length: size }, (_, index) => b64(`leaf ${index}`));
      const some = leaves.slice(0, size);
      return accepts(`tree of ${size}`, { leaves: data }, { root: hex(treeHash(some)), paths: some.map((_, index) => auditPath(index, some)) });
    }),
    ...[[0, 1], [0, 7], [3, 7], [6, 7], [4, 5]].map(([index = 0, size = 0]) => accepts(`path of ${index} in ${size}`, proof(index, size), true)),
  ],
  invalid: [
    refuses('a step too few', { ...good, path: good.path.slice(0, -1) }, 'MERKLE_PATH_INVALID'),
    refuses('a step too many', { ...good, path: [...good.path, good.root] }, 'MERKLE_PATH_INVALID'),
    refuses('no steps', { ...good, path: [] }, 'MERKLE_PATH_INVALID'),
    refuses('steps in reverse', { ...good, path: good.path.toReversed() }, 'MERKLE_PATH_INVALID'),
    refuses('neighbour’s index', { ...good, index: 2 }, 'MERKLE_PATH_INVALID'),
    refuses('index beyond the tree', { ...good, index: 7 }, 'MERKLE_PATH_INVALID'),
    refuses('negative index', { ...good, index: -1 }, 'MERKLE_PATH_INVALID'),
    refuses('size of another shape', { ...good, size: 4 }, 'MERKLE_PATH_INVALID'),
    refuses('size 0', { ...good, size: 0 }, 'MERKLE_PATH_INVALID'),
    refuses('a later leaf of the odd end at another place', { ...proof(6, 7), index: 5 }, 'MERKLE_PATH_INVALID'),
    refuses('another leaf', { ...good, leaf: proof(2, 7).leaf }, 'MERKLE_PATH_INVALID'),
    refuses('an inner node as leaf', { leaf: hex(treeHash(leaves.slice(0, 2))), index: 0, size: 4, path: [hex(treeHash(leaves.slice(2, 4)))], root: hex(treeHash(leaves.slice(0, 4))) }, 'MERKLE_PATH_INVALID'),
    refuses('another root', { ...good, root: proof(3, 6).root }, 'MERKLE_PATH_INVALID'),
    refuses('one bit of a step', { ...good, path: [flip(good.path[0] ?? ''), ...good.path.slice(1)] }, 'MERKLE_PATH_INVALID'),
    refuses('step of 31 bytes', { ...good, path: [(good.path[0] ?? '').slice(2), ...good.path.slice(1)] }, 'BAD_FIELD'),
    refuses('step in upper case', { ...good, path: ['AB'.repeat(32), ...good.path.slice(1)] }, 'BAD_FIELD'),
    refuses('root of 31 bytes', { ...good, root: good.root.slice(2) }, 'BAD_FIELD'),
  ],
};

/** @param {string} text hex */
function flip(text) {
  return `${text.startsWith('0') ? '1' : '0'}${text.slice(1)}`;
}

