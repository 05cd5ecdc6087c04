// What owners sign with their wallets: EIP-712, digests and signatures by ethers.
import { TypedDataEncoder } from 'ethers';
import { accepts, refuses, seeded, sha256Hex, spoil, hex, types, ownerWallet } from './second-source.mjs';
import { domain, grant, idOf, now, otherDomain, owner, otherOwner, publisher, wallet } from './samples.mjs';

const suite = 'eip712-secp256k1';
const secondWallet = ownerWallet('second');
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const word = (/** @type {bigint} */ value) => value.toString(16).padStart(64, '0');

/** @param {keyof typeof types} name @param {any} message @param {any} [where] @param {typeof wallet} [by] */
function signed(name, message, where = domain, by = wallet) {
  const { [name]: fields } = types;
  // signTypedData answers at once in ethers' Wallet; the synchronous way keeps the items plain data.
  const digest = TypedDataEncoder.hash(where, { [name]: fields }, message);
  return { digest, signature: by.signingKey.sign(digest).serialized };
}

/** @param {string} signature the same signature with s on the other half of the order */
function highTwin(signature) {
  const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`);
  return `${signature.slice(0, 66)}${word(s)}${signature.endsWith('1b') ? '1c' : '1b'}`;
}

/** Other spellings of a signature, each refused as not canonical. @param {string} signature @returns {[string, string][]} */
function otherSpellings(signature) {
  const r = signature.slice(2, 66);
  const s = signature.slice(66, 130);
  return [
    ['s on the upper half', highTwin(signature)],
    ['v 0', `${signature.slice(0, -2)}00`],
    ['v 1', `${signature.slice(0, -2)}01`],
    ['v 29', `${signature.slice(0, -2)}1d`],
    ['64 bytes', signature.slice(0, -2)],
    ['66 bytes', `${signature}00`],
    ['no bytes', '0x'],
    ['r = 0', `0x${'0'.repeat(64)}${s}1b`],
    ['s = 0', `0x${r}${'0'.repeat(64)}1b`],
    ['s = n', `0x${r}${word(ORDER)}1b`],
    ['r = n', `0x${word(ORDER)}${s}1b`],
    ['upper-case hex', `0x${signature.slice(2).toUpperCase()}`],
  ];
}

// r = 5 is no x coordinate of secp256k1 (5³ + 7 = 132 is no square), so no key can be recovered.
const nobody = `0x${word(5n)}${word(1n)}1b`;

/** @param {string} field @param {any} envelope @param {string} unsigned code of a signature that no key made */
function envelopeFaults(field, envelope, unsigned) {
  /** @param {string} name @param {string} path @param {any} value @param {string} code */
  const fault = (name, path, value, code) => refuses(name, { domain, envelope: spoil(envelope, path, value) }, code);
  return [
    ...otherSpellings(envelope.signature).map(([name, signature]) => fault(name, 'signature', signature, 'GRANT_NONCANONICAL_SIG')),
    fault('a signature that no key made', 'signature', nobody, unsigned),
    refuses('of another channel', { domain, envelope: { ...envelope, domain: otherDomain } }, 'GRANT_WRONG_DOMAIN'),
    refuses('presented to another channel', { domain: otherDomain, envelope }, 'GRANT_WRONG_DOMAIN'),
    fault('suite sm2', 'suite', 'sm2', 'GRANT_SUITE_UNSUPPORTED'),
    fault('suite unknown', 'suite', 'personal_sign', 'BAD_FIELD'),
    fault('domain of another name', 'domain/name', 'Other', 'BAD_FIELD'),
    fault('domain of another version', 'domain/version', '2', 'BAD_FIELD'),
    fault('domain with a chain id', 'domain/chainId', 1, 'UNKNOWN_FIELD'),
    fault('domain without salt', 'domain/salt', undefined, 'BAD_FIELD'),
    fault('types of the caller', 'types', {}, 'UNKNOWN_FIELD'),
    fault('primaryType of the caller', 'primaryType', 'Permit', 'UNKNOWN_FIELD'),
    fault('unknown field inside', `${field}/note`, '', 'UNKNOWN_FIELD'),
    fault('owner missing', `${field}/owner`, undefined, 'BAD_FIELD'),
    fault('owner with a wrong check character', `${field}/owner`, `${owner.slice(0, -1)}D`, 'BAD_ID'),
    fault('signature missing', 'signature', undefined, 'BAD_FIELD'),
    fault('signature not hex', 'signature', 'signed', 'BAD_FIELD'),
  ];
}

/** @param {any} message @param {any} [where] @param {typeof wallet} [by] */
function grantCase(message, where = domain, by = wallet) {
  const { digest, signature } = signed('Grant', message, where, by);
  return { input: { domain: where, envelope: { domain: where, grant: message, signature, suite } }, expect: { digest, key: by.address.toLowerCase() } };
}
const plain = grantCase(grant);
/** @param {string} name @param {{ input: any, expect: any }} made */
const holds = (name, { input, expect }) => accepts(name, input, expect);
/** @param {string} name @param {any} changes @param {string} code */
const badGrant = (name, changes, code) => refuses(name, { domain, envelope: { ...plain.input.envelope, grant: { ...grant, ...changes } } }, code);

/** @type {import('./second-source.mjs').Item} */
export const grantItem = {
  item: 'grant',
  about: 'Signed grants (EIP-712, ethers) for a domain: digest and key of whoever signed; whether that key is the owner’s is for the ledger to say. Test keys',
  valid: [
    holds('a grant', plain),
    holds('another channel', grantCase(grant, otherDomain)),
    holds('signed with another key', grantCase(grant, domain, secondWallet)),
    holds('one claim, one use', grantCase({ ...grant, claims: ['credit/entry'], maxUses: 1 })),
    holds('64 claims, the longest term, the most uses', grantCase({ ...grant, claims: Array.from({ length: 64 }, (_, index) => `performance/claim${String(index).padStart(2, '0')}`), expires: now + 366 * 86_400, maxUses: 100_000 })),
    holds('a person’s', grantCase({ ...grant, owner: `per:${'a'.repeat(32)}` })),
  ],
  invalid: [
    ...envelopeFaults('grant', plain.input.envelope, 'GRANT_BAD_SIGNATURE'),
    badGrant('no claims', { claims: [] }, 'BAD_FIELD'),
    badGrant('claims not sorted', { claims: [...grant.claims].reverse() }, 'BAD_FIELD'),
    badGrant('one claim twice', { claims: ['credit/entry', 'credit/entry'] }, 'BAD_FIELD'),
    badGrant('claim without kind', { claims: ['contract'] }, 'BAD_FIELD'),
    badGrant('65 claims', { claims: Array.from({ length: 65 }, (_, index) => `performance/claim${String(index).padStart(2, '0')}`) }, 'BAD_FIELD'),
    badGrant('purpose empty', { purpose: '' }, 'PURPOSE_UNKNOWN'),
    badGrant('purpose *', { purpose: '*' }, 'PURPOSE_UNKNOWN'),
    badGrant('purpose with a Cyrillic letter', { purpose: 'сredit-check' }, 'PURPOSE_UNKNOWN'),
    badGrant('purpose with NUL', { purpose: 'credit-check\u0000' }, 'PURPOSE_UNKNOWN'),
    badGrant('purpose __proto__', { purpose: '__proto__' }, 'PURPOSE_UNKNOWN'),
    badGrant('uses as text with a blank', { maxUses: '10 ' }, 'BAD_FIELD'),
    badGrant('uses in hex', { maxUses: '0x0a' }, 'BAD_FIELD'),
    badGrant('uses 0', { maxUses: 0 }, 'BAD_FIELD'),
    badGrant('uses negative', { maxUses: -1 }, 'BAD_FIELD'),
    badGrant('uses a fraction', { maxUses: 1.5 }, 'BAD_FIELD'),
    badGrant('uses 2^64', { maxUses: 2 ** 64 }, 'BAD_FIELD'),
    badGrant('uses null', { maxUses: null }, 'BAD_FIELD'),
    badGrant('expiry in milliseconds', { expires: grant.expires * 1000 }, 'BAD_FIELD'),
    badGrant('expiry at the beginning', { expires: grant.notBefore }, 'BAD_FIELD'),
    badGrant('a second beyond the longest term', { expires: now + 366 * 86_400 + 1 }, 'BAD_FIELD'),
    badGrant('a hundred years', { expires: now + 100 * 365 * 86_400 }, 'BAD_FIELD'),
    badGrant('nonce of 31 bytes', { nonce: grant.nonce.slice(0, -2) }, 'BAD_FIELD'),
    badGrant('nonce in upper case', { nonce: `0x${'AB'.repeat(32)}` }, 'BAD_FIELD'),
    badGrant('grantee *', { grantee: '*' }, 'BAD_FIELD'),
    refuses('no expiry', { domain, envelope: spoil(plain.input.envelope, 'grant/expires', undefined) }, 'BAD_FIELD'),
  ],
};

/** @param {string} grantDigest @param {any} [where] @param {typeof wallet} [by] @param {string} [whose] */
function revocationCase(grantDigest, where = domain, by = wallet, whose = owner) {
  const message = { owner: whose, grant: grantDigest };
  const { digest, signature } = signed('Revocation', message, where, by);
  return { input: { domain: where, envelope: { domain: where, revocation: message, signature, suite } }, expect: { digest, key: by.address.toLowerCase() } };
}
const revoked = revocationCase(plain.expect.digest);

/** @type {import('./second-source.mjs').Item} */
export const revocation = {
  item: 'revocation',
  about: 'Signed revocations of a grant (EIP-712, ethers). Test keys',
  valid: [
    holds('a revocation', revoked),
    holds('another channel', revocationCase(plain.expect.digest, otherDomain)),
    holds('signed with another key', revocationCase(plain.expect.digest, domain, secondWallet)),
    holds('of a grant nobody knows', revocationCase(`0x${'0'.repeat(64)}`)),
    holds('a person’s', revocationCase(plain.expect.digest, domain, wallet, `per:${'a'.repeat(32)}`)),
  ],
  invalid: [
    ...envelopeFaults('revocation', revoked.input.envelope, 'REVOCATION_BAD_SIGNATURE'),
    refuses('grant without 0x', { domain, envelope: spoil(revoked.input.envelope, 'revocation/grant', plain.expect.digest.slice(2)) }, 'BAD_FIELD'),
    refuses('a whole grant', { domain, envelope: spoil(revoked.input.envelope, 'revocation/grant', grant) }, 'BAD_FIELD'),
  ],
};

const fieldOf = { KeyRotation: 'rotation', RecordStatement: 'statement', RecoveryObjection: 'objection', TrailRequest: 'request' };
/** @param {keyof typeof fieldOf} struct @param {any} message @param {any} [where] */
function statementCase(struct, message, where = domain) {
  const { signature } = signed(struct, message, where);
  return { input: { domain: where, struct, envelope: { domain: where, [fieldOf[struct]]: message, signature, suite } }, expect: { key: wallet.address.toLowerCase() } };
}
const newKey = secondWallet.address.toLowerCase();
const rotation = statementCase('KeyRotation', { owner, newKey, expires: now });
const objection = statementCase('RecoveryObjection', { owner, newKey });
const trail = statementCase('TrailRequest', { owner, issuedAt: now, nonce: `0x${hex(seeded('nonce of a trail'))}` });
const wordOnRecord = { owner, record: `${publisher}/performance/${idOf(1)}`, version: 1, digest: `0x${sha256Hex('a payload')}`, claims: ['contract'], verdict: 'dispute', reason: 'wrong-value', issuedAt: now };
const said = statementCase('RecordStatement', wordOnRecord);
/** @param {ReturnType<typeof statementCase>} made @param {string} name @param {string} path @param {any} value @param {string} code */
const badStatement = ({ input }, name, path, value, code) => refuses(name, { ...input, envelope: spoil(input.envelope, path, value) }, code);

/** @type {import('./second-source.mjs').Item} */
export const ownerStatement = {
  item: 'owner-statement',
  about: 'Rotation of a key, objection to a recovery, request for the trail, word on a record (EIP-712, ethers). Test keys',
  valid: [
    holds('rotation', rotation),
    holds('objection', objection),
    holds('trail request', trail),
    holds('a claim of a record disputed', said),
    holds('a whole record confirmed', statementCase('RecordStatement', { ...wordOnRecord, claims: [], verdict: 'confirm', reason: 'checked' })),
    holds('a word taken back', statementCase('RecordStatement', { ...wordOnRecord, verdict: 'withdraw', reason: 'corrected' })),
    holds('rotation on another channel', statementCase('KeyRotation', { owner, newKey, expires: now }, otherDomain)),
    holds('trail request of another owner', statementCase('TrailRequest', { owner: otherOwner, issuedAt: now, nonce: `0x${sha256Hex('another')}` })),
  ],
  invalid: [
    ...envelopeFaults('rotation', rotation.input.envelope, 'STATEMENT_BAD_SIGNATURE').map(({ name, input, code }) => refuses(`rotation: ${name}`, { ...input, struct: 'KeyRotation' }, code)),
    ...envelopeFaults('objection', objection.input.envelope, 'STATEMENT_BAD_SIGNATURE').map(({ name, input, code }) => refuses(`objection: ${name}`, { ...input, struct: 'RecoveryObjection' }, code)),
    ...envelopeFaults('request', trail.input.envelope, 'STATEMENT_BAD_SIGNATURE').map(({ name, input, code }) => refuses(`trail request: ${name}`, { ...input, struct: 'TrailRequest' }, code)),
    ...envelopeFaults('statement', said.input.envelope, 'STATEMENT_BAD_SIGNATURE').map(({ name, input, code }) => refuses(`word on a record: ${name}`, { ...input, struct: 'RecordStatement' }, code)),
    badStatement(said, 'a verdict that is not on the list', 'statement/verdict', 'perhaps', 'BAD_FIELD'),
    badStatement(said, 'a reason of another verdict', 'statement/reason', 'checked', 'BAD_FIELD'),
    badStatement(said, 'a reason in words', 'statement/reason', 'the amount is wrong', 'BAD_FIELD'),
    badStatement(said, 'claims not sorted', 'statement/claims', ['section', 'contract'], 'BAD_FIELD'),
    badStatement(said, 'a digest without 0x', 'statement/digest', sha256Hex('a payload'), 'BAD_FIELD'),
    badStatement(said, 'a record that is none', 'statement/record', 'performance', 'BAD_FIELD'),
    badStatement(rotation, 'rotation to a checksummed address', 'rotation/newKey', secondWallet.address, 'BAD_FIELD'),
    badStatement(rotation, 'rotation without expiry', 'rotation/expires', undefined, 'BAD_FIELD'),
    badStatement(rotation, 'rotation that expires in milliseconds', 'rotation/expires', now * 1000, 'BAD_FIELD'),
    badStatement(objection, 'objection with an expiry', 'objection/expires', now, 'UNKNOWN_FIELD'),
    badStatement(trail, 'trail request without nonce', 'request/nonce', undefined, 'BAD_FIELD'),
    refuses('a rotation given out as an objection', { ...rotation.input, struct: 'RecoveryObjection' }, 'UNKNOWN_FIELD'),
  ],
};
