// The rules of the protocol written a second time, as naively as can be and without its package: what the vectors expect
// comes from here, from node:crypto and from ethers. Keys are test keys: SHA-256 of a seed that anybody can read.
import { createHash, createHmac } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { Wallet } from 'ethers';

export const SEED = 'huilian test vectors, keys of no value';

/** @param {string | Uint8Array} data */
export const sha256 = (data) => createHash('sha256').update(data).digest();
/** @param {string | Uint8Array} data */
export const sha256Hex = (data) => sha256(data).toString('hex');
/** @param {string | Uint8Array} data */
export const b64 = (data) => Buffer.from(data).toString('base64url');
/** @param {string} name a fixed pseudo-random 32 bytes */
export const seeded = (name) => sha256(`${SEED}/${name}`);

/** RFC 8785 for values that have only safe integers: keys by UTF-16 code unit. @param {any} value @returns {string} */
export function jcs(value) {
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${jcs(value[key])}`).join(',')}}`;
}

/** @param {any} value */
export const documentDigest = (value) => sha256Hex(jcs(value));

/** RFC 4648 §6 by way of a string of bits. @param {Uint8Array} bytes */
export function base32(bytes) {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
}

/** @param {Uint8Array} key @param {string} kind @param {string} naturalKey */
export function localId(key, kind, naturalKey) {
  return base32(createHmac('sha256', key).update(`${kind}\u0000${naturalKey}`).digest().subarray(0, 16));
}

/** @param {string | Uint8Array} data */
export const leafOf = (data) => createHash('sha256').update(Uint8Array.of(0)).update(data).digest();
/** @param {Uint8Array} left @param {Uint8Array} right */
const nodeOf = (left, right) => createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest();

/** The largest power of two smaller than n. @param {number} n */
function split(n) {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** RFC 6962 §2.1, MTH over leaf hashes. @param {Uint8Array[]} leaves @returns {Uint8Array} */
export function treeHash(leaves) {
  if (leaves.length === 0) return sha256('');
  if (leaves.length === 1) return /** @type {Uint8Array} */ (leaves[0]);
  const k = split(leaves.length);
  return nodeOf(treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

/** RFC 6962 §2.1.1, PATH(m, D[n]), hex. @param {number} index @param {Uint8Array[]} leaves @returns {string[]} */
export function auditPath(index, leaves) {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  const [inside, beside] = index < k ? [leaves.slice(0, k), leaves.slice(k)] : [leaves.slice(k), leaves.slice(0, k)];
  return [...auditPath(index < k ? index : index - k, inside), hex(treeHash(beside))];
}

/** @param {Uint8Array} bytes */
export const hex = (bytes) => Buffer.from(bytes).toString('hex');

/** A member's P-256 key; noble signs as RFC 6979 says, so the vectors come out the same each time. @param {string} name */
export function memberKey(name) {
  const secret = seeded(`member ${name}`);
  const point = p256.getPublicKey(secret, false);
  /** @param {string} input */
  const sign = (input) => p256.sign(Buffer.from(input), secret);
  return { sign, point, jwk: { crv: 'P-256', kty: 'EC', x: b64(point.subarray(1, 33)), y: b64(point.subarray(33)) } };
}

/** @param {string} name */
export const encryptionKey = (name) => ({ crv: 'X25519', kty: 'OKP', x: b64(seeded(`encryption ${name}`)) });
/** @param {string} name */
export const ownerWallet = (name) => new Wallet(`0x${hex(seeded(`owner ${name}`))}`);
/** RFC 7638. @param {any} jwk */
export const thumbprint = (jwk) => b64(sha256(jcs(jwk)));

/** Compact JWS of given header and payload texts. @param {string} head @param {string} body @param {ReturnType<typeof memberKey>} key */
export function jwsOfTexts(head, body, key) {
  const input = `${b64(head)}.${b64(body)}`;
  return `${input}.${b64(key.sign(input))}`;
}

/** @param {any} header @param {any} payload @param {ReturnType<typeof memberKey>} key */
export const jws = (header, payload, key) => jwsOfTexts(jcs(header), jcs(payload), key);

/** Flips one bit of the last segment of a compact JWS. @param {string} compact */
export function spoilSignature(compact) {
  const [head, body, tail = ''] = compact.split('.');
  const signature = Buffer.from(tail, 'base64url');
  signature[10] = (signature[10] ?? 0) ^ 1;
  return `${head}.${body}.${b64(signature)}`;
}

/** EIP-712 types of what owners sign, as docs/protocol and the wallet show them. */
export const types = {
  Grant: typed('string owner,string grantee,string[] claims,string purpose,bytes32 reference,uint64 notBefore,uint64 expires,uint32 maxUses,bytes32 nonce'),
  Revocation: typed('string owner,bytes32 grant'),
  KeyRotation: typed('string owner,string newKey,uint64 expires'),
  RecoveryObjection: typed('string owner,string newKey'),
  TrailRequest: typed('string owner,uint64 issuedAt,bytes32 nonce'),
  RecordStatement: typed('string owner,string record,uint32 version,bytes32 digest,string[] claims,string verdict,string reason,uint64 issuedAt'),
};

/** @param {string} fields */
function typed(fields) {
  return fields.split(',').map((field) => {
    const [type = '', name = ''] = field.split(' ');
    return { name, type };
  });
}

/** @typedef {{ name: string, input: any, expect: any }} Valid */
/** @typedef {{ name: string, input: any, code: string }} Invalid */
/** @typedef {{ item: string, about: string, valid: Valid[], invalid: Invalid[] }} Item */

/** @param {string} name @param {any} input @param {any} expect @returns {Valid} */
export const accepts = (name, input, expect) => ({ name, input, expect });
/** @param {string} name @param {any} input @param {string} code @returns {Invalid} */
export const refuses = (name, input, code) => ({ name, input, code });

/** A copy with one field set, or taken away when the value is undefined. @param {any} base @param {string} path `a/0/b` @param {any} value */
export function spoil(base, path, value) {
  const copy = structuredClone(base);
  const steps = path.split('/');
  const last = steps.pop() ?? '';
  const target = steps.reduce((part, step) => part[step], copy);
  if (value === undefined) delete target[last];
  else Object.defineProperty(target, last, { value, enumerable: true, configurable: true, writable: true });
  return copy;
}
