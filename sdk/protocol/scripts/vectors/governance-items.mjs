// Charter, members, proposals, and what an entity states when it registers a key.
import { accepts, documentDigest, refuses, seeded, b64, spoil } from './second-source.mjs';
import { bank, centre, charter, domain, now, owner, otherOwner, pem, wallet } from './samples.mjs';

/** @param {any} base @param {[string, string, any, string][]} rows */
function faults(base, rows) {
  return rows.map(([name, path, value, code]) => refuses(name, spoil(base, path, value), code));
}
/** @param {string} name @param {any} value */
const digested = (name, value) => accepts(name, value, { digest: documentDigest(value) });

/** @type {import('./second-source.mjs').Item} */
export const charterItem = {
  item: 'charter',
  about: 'The founding document and its fingerprint (SHA-256 of the canonical bytes). Invented',
  valid: [
    digested('two founders', charter),
    digested('one founder', { ...charter, founders: charter.founders.slice(0, 1) }),
    digested('other values', { ...charter, values: { offerSeconds: 5, ticketSeconds: 86_400 } }),
    digested('another channel', { ...charter, channel: 'south.china' }),
    digested('founders in another order', { ...charter, founders: charter.founders.toReversed() }),
  ],
  invalid: [
    ...faults(charter, [
      ['no founders', 'founders', [], 'BAD_FIELD'],
      ['one founder twice', 'founders/1/member/id', 'guangzhou', 'BAD_FIELD'],
      ['two founders of one organisation', 'founders/1/member/organisation', 'GuangzhouMSP', 'BAD_FIELD'],
      ['a bank as founder', 'founders/1/member', bank, 'BAD_FIELD'],
      ['certificate missing', 'founders/0/caCertificate', undefined, 'BAD_FIELD'],
      ['certificate not PEM', 'founders/0/caCertificate', 'certificate', 'BAD_FIELD'],
      ['a private key in the place of a certificate', 'founders/0/caCertificate', pem.replaceAll('CERTIFICATE', 'KEY'), 'BAD_FIELD'],
      ['offer of 61 seconds', 'values/offerSeconds', 61, 'BAD_FIELD'],
      ['ticket of 59 seconds', 'values/ticketSeconds', 59, 'BAD_FIELD'],
      ['channel in upper case', 'channel', 'Huilian', 'BAD_FIELD'],
      ['name without English', 'name/en', undefined, 'BAD_FIELD'],
      ['name not NFC', 'name/en', 'Cafe\u0301', 'BAD_FIELD'],
      ['unknown field', 'note', '', 'UNKNOWN_FIELD'],
      ['unknown value', 'values/quorum', 1, 'UNKNOWN_FIELD'],
    ]),
    refuses('not an object', 'charter', 'BAD_FIELD'),
  ],
};

/** @type {import('./second-source.mjs').Item} */
export const member = {
  item: 'member',
  about: 'What admission fixes of a member, and its digest. Invented, test keys',
  valid: [
    digested('a centre', centre),
    digested('a bank', bank),
    digested('a platform', { ...bank, id: 'sample-platform', kind: 'platform' }),
    digested('a supervisor', { ...bank, id: 'sample-supervisor', kind: 'supervisor' }),
    digested('a centre with two addresses', { ...centre, addresses: ['/dns4/node.example.invalid/tcp/4001', '/ip6/::1/tcp/4001'] }),
  ],
  invalid: [
    ...faults(centre, [
      ['a centre without peer id', 'peerId', undefined, 'BAD_FIELD'],
      ['a centre without address', 'addresses', [], 'BAD_FIELD'],
      ['a centre with a host', 'host', 'foshan', 'BAD_FIELD'],
      ['address without port', 'addresses', ['/ip4/127.0.0.1'], 'BAD_FIELD'],
      ['address with a peer id', 'addresses', ['/ip4/127.0.0.1/tcp/4001/p2p/12D3'], 'BAD_FIELD'],
      ['kind unknown', 'kind', 'bank', 'BAD_FIELD'],
      ['id in upper case', 'id', 'Guangzhou', 'BAD_FIELD'],
      ['contact a script', 'contact', 'javascript:alert(1)', 'BAD_FIELD'],
      ['a person’s name beside the contact', 'person', '', 'UNKNOWN_FIELD'],
      ['private part of the signing key', 'signingKey/d', b64(seeded('no key')), 'UNKNOWN_FIELD'],
      ['signing key of another curve', 'signingKey/crv', 'secp256k1', 'BAD_FIELD'],
      ['encryption key of another curve', 'encryptionKey/crv', 'Ed25519', 'BAD_FIELD'],
      ['region of five digits', 'region', '44010', 'BAD_FIELD'],
      ['name with a control character', 'name/en', 'centre\u0007', 'BAD_FIELD'],
      ['name empty', 'name/zh', '', 'BAD_FIELD'],
      ['name with a zero-width space', 'name/en', 'ba\u200bnk', 'BAD_FIELD'],
      ['name turned around', 'name/en', 'bank\u202eknab', 'BAD_FIELD'],
      ['name with a command of a terminal', 'name/en', '\u009b31mcentre', 'BAD_FIELD'],
      ['signing key with stray low bits', 'signingKey/x', `${centre.signingKey.x.slice(0, -1)}h`, 'BAD_FIELD'],
      ['encryption key with stray low bits', 'encryptionKey/x', `${centre.encryptionKey.x.slice(0, -1)}1`, 'BAD_FIELD'],
    ]),
    refuses('a bank without host', spoil(bank, 'host', undefined), 'BAD_FIELD'),
    refuses('a bank with a peer id', { ...bank, peerId: centre.peerId }, 'BAD_FIELD'),
  ],
};

const admit = { action: 'admit', content: { member: bank }, round: 1 };
/** @type {import('./second-source.mjs').Item} */
export const proposalId = {
  item: 'proposal-id',
  about: 'Proposals and their ids: SHA-256 of canonical {action, content, round}. Whether the content is any good is for the ledger to say. Invented',
  valid: [
    ['admission', admit],
    ['the same in the next round', { ...admit, round: 2 }],
    ['suspension', { action: 'suspend', content: { member: 'sample-bank' }, round: 1 }],
    ['a CA', { action: 'trust-ca', content: { certificate: pem, name: { en: 'Invented CA', zh: '虚构机构' }, usccOids: ['1.2.156.1'] }, round: 1 }],
    ['a list of codes', { action: 'code-set', content: { document: { regions: ['440100'] }, name: 'regions', version: 1 }, round: 1000 }],
  ].map(([name, value]) => accepts(String(name), value, { id: documentDigest(value) })),
  invalid: [
    ...faults(admit, [
      ['action unknown', 'action', 'dissolve', 'BAD_FIELD'],
      ['action __proto__', 'action', '__proto__', 'BAD_FIELD'],
      ['action missing', 'action', undefined, 'BAD_FIELD'],
      ['content a list', 'content', [], 'BAD_FIELD'],
      ['content missing', 'content', undefined, 'BAD_FIELD'],
      ['round 0', 'round', 0, 'BAD_FIELD'],
      ['round 1001', 'round', 1001, 'BAD_FIELD'],
      ['round as text', 'round', '1', 'BAD_FIELD'],
      ['unknown field', 'proposer', 'guangzhou', 'UNKNOWN_FIELD'],
      ['content with a fraction', 'content/share', 0.5, 'CANONICAL_INVALID'],
      ['content not NFC', 'content/name', 'e\u0301', 'CANONICAL_INVALID'],
      ['content with a lone surrogate', 'content/name', '\ud800', 'CANONICAL_INVALID'],
    ]),
    refuses('null', null, 'BAD_FIELD'),
  ],
};

const statement = { expires: now + 3600, key: wallet.address.toLowerCase(), owner, salt: domain.salt };
const signed = { algorithm: 'ecdsa-sha256', signature: b64(Buffer.concat([seeded('r'), seeded('s')])), statement };
/** @type {import('./second-source.mjs').Item} */
export const registrationStatement = {
  item: 'registration-statement',
  about: 'What the holder of an entity’s certificate signs: the digest is of the bytes under the signature. The signatures here are invented; the ledger checks them against the certificate',
  valid: [
    ['ECDSA', signed],
    ['RSA', { ...signed, algorithm: 'rsa-sha256', signature: b64(Buffer.alloc(256, 7)) }],
    ['another owner', { ...signed, statement: { ...statement, owner: otherOwner } }],
    ['another channel', { ...signed, statement: { ...statement, salt: `0x${'ab'.repeat(32)}` } }],
    ['RSA of 8192 bits', { ...signed, algorithm: 'rsa-sha256', signature: b64(Buffer.alloc(1024, 7)) }],
  ].map(([name, value]) => accepts(String(name), value, { digest: documentDigest(/** @type {any} */ (value).statement) })),
  invalid: [
    ...faults(signed, [
      ['algorithm with SHA-1', 'algorithm', 'rsa-sha1', 'BAD_FIELD'],
      ['algorithm none', 'algorithm', 'none', 'BAD_FIELD'],
      ['signature empty', 'signature', '', 'BAD_FIELD'],
      ['signature padded', 'signature', `${signed.signature}==`, 'BAD_FIELD'],
      ['signature too long', 'signature', 'a'.repeat(1401), 'BAD_FIELD'],
      ['key a checksummed address', 'statement/key', wallet.address, 'BAD_FIELD'],
      ['key missing', 'statement/key', undefined, 'BAD_FIELD'],
      ['expiry in milliseconds', 'statement/expires', now * 1000, 'BAD_FIELD'],
      ['salt without 0x', 'statement/salt', domain.salt.slice(2), 'BAD_FIELD'],
      ['owner with a wrong check character', 'statement/owner', `${owner.slice(0, -1)}D`, 'BAD_ID'],
      ['owner a name', 'statement/owner', 'company', 'BAD_ID'],
      ['certificate beside the statement', 'certificate', pem, 'UNKNOWN_FIELD'],
      ['unknown field of the statement', 'statement/name', '', 'UNKNOWN_FIELD'],
    ]),
    refuses('not an object', [], 'BAD_FIELD'),
  ],
};
