import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as portableSha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { toHex } from './bytes.js';
import { canonicalBytes, utf8 } from './canonical.js';
import { nativeCrypto } from './native.js';

/** SHA-256 (FIPS 180-4). */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nativeCrypto === undefined ? portableSha256(bytes) : nativeCrypto.hash('sha256', bytes, 'buffer');
}

/** SHA-256 as lower-case hex, the spelling of every digest on the ledger. */
export function sha256Hex(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}

/** Digest of a JSON document: SHA-256 over its canonical bytes, lower-case hex. */
export function documentDigest(document: unknown): string {
  return sha256Hex(canonicalBytes(document));
}

/** HMAC-SHA-256 (RFC 2104). */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return hmac(portableSha256, key, message);
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
