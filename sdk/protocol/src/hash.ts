import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as portableSha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, toBase64url, toHex } from './bytes.js';
import { canonicalize, utf8 } from './canonical.js';
import { nativeCrypto } from './native.js';

/** SHA-256 (FIPS 180-4). */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nativeCrypto === undefined ? portableSha256(bytes) : nativeCrypto.hash('sha256', bytes, 'buffer');
}

/** SHA-256 as lower-case hex, the spelling of every digest on the ledger. */
export function sha256Hex(bytes: Uint8Array): string {
  return nativeCrypto === undefined ? toHex(portableSha256(bytes)) : nativeCrypto.hash('sha256', bytes, 'hex');
}

/** SHA-256 of a text's UTF-8 bytes, without a copy of them where the process can hash text. Well-formed text only. */
export function sha256Text(text: string, spelling: 'hex' | 'base64url'): string {
  if (nativeCrypto !== undefined) return nativeCrypto.hash('sha256', text, spelling);
  const digest = portableSha256(utf8(text));
  return spelling === 'hex' ? toHex(digest) : toBase64url(digest);
}

/** Digest of a JSON document: SHA-256 over its canonical bytes, lower-case hex. */
export function documentDigest(document: unknown): string {
  return sha256Text(canonicalize(document), 'hex');
}

const blockBytes = 64;

/** The key as both hashes of an HMAC begin with it: padded to a block, each byte with 0x36 or 0x5c over it. */
interface PaddedKey {
  readonly inner: Uint8Array;
  readonly outer: Uint8Array;
}
const paddedKeys = new WeakMap<Uint8Array, PaddedKey>();

function paddedKey(key: Uint8Array): PaddedKey {
  let padded = paddedKeys.get(key);
  if (padded === undefined) {
    const block = new Uint8Array(blockBytes);
    block.set(key.length > blockBytes ? sha256(key) : key);
    padded = { inner: block.map((byte) => byte ^ 0x36), outer: block.map((byte) => byte ^ 0x5c) };
    paddedKeys.set(key, padded);
  }
  return padded;
}

/**
 * HMAC-SHA-256 (RFC 2104). The key's bytes must not change afterwards. Two plain hashes: an HMAC object of Node.js takes
 * several times as long for messages as short as a natural key.
 */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  if (nativeCrypto === undefined) return hmac(portableSha256, key, message);
  const { inner, outer } = paddedKey(key);
  return sha256(concatBytes(outer, sha256(concatBytes(inner, message))));
}

/** Keccak-256 as EIP-712 uses it (before the FIPS 202 padding). */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}

/** A commitment to a text: SHA-256(salt of 128 bits ‖ UTF-8 text), lower-case hex. */
export function saltedDigest(salt: Uint8Array, text: string): string {
  const message = utf8(text);
  const input = new Uint8Array(salt.length + message.length);
  input.set(salt);
  input.set(message, salt.length);
  return sha256Hex(input);
}
