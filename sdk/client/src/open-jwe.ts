import { BoundedMap, concatBytes, fromBase64url, fromUtf8, parseStrict, sha256, utf8, x25519KeyShape, type X25519Key } from '@huilian/protocol';

/** What is used of Node's own cryptography: synchronous, where a page has to wait several times for each release. */
interface NativeCrypto {
  createPrivateKey(input: { key: object; format: 'jwk' }): object;
  createPublicKey(input: { key: object; format: 'jwk' }): object;
  diffieHellman(keys: { privateKey: object; publicKey: object }): Uint8Array;
  createSecretKey(key: Uint8Array): object;
  createDecipheriv(algorithm: 'aes-256-gcm', key: object, iv: Uint8Array, options: { authTagLength: number }): {
    setAAD(data: Uint8Array): void;
    setAuthTag(tag: Uint8Array): void;
    update(data: Uint8Array): Uint8Array;
    final(): Uint8Array;
  };
}

const host = (globalThis as { process?: { getBuiltinModule?(name: string): unknown } }).process;
/** Undefined in a page. */
export const nativeCrypto = host?.getBuiltinModule?.('node:crypto') as NativeCrypto | undefined;

export interface OpenedJwe {
  /** As the header spells it. */
  readonly apv: unknown;
  readonly plaintext: Uint8Array;
}

const [ivBytes, tagBytes] = [12, 16];
const privateKeys = new WeakMap<object, object>();
/** Of one private key: a release that comes again is opened by the key agreed on before. Each could be made again from the private key beside it. */
const agreedKeysKept = 1000;
const longestHeader = 1024;

interface AgreedKey {
  readonly apv: string;
  readonly key: object;
}
const agreedKeys = new WeakMap<object, BoundedMap<string, AgreedKey>>();

/**
 * Opens a compact JWE of a release (RFC 7516): ECDH-ES on X25519 (RFC 8037) with A256GCM, the header exactly {alg, apv, enc, epk}.
 * @throws errors without a code for everything that does not open
 */
export function openJwe(crypto: NativeCrypto, jwe: string, privateJwk: JsonWebKey): OpenedJwe {
  const segments = jwe.split('.');
  const [head = '', encryptedKey, iv = '', ciphertext = '', tag = ''] = segments;
  const [nonce, mac] = [fromBase64url(iv), fromBase64url(tag)];
  if (segments.length !== 5 || encryptedKey !== '' || nonce.length !== ivBytes || mac.length !== tagBytes) throw new TypeError('not a JWE of a release');
  const { apv, key } = agreed(crypto, head, privateJwk);
  const decipher = crypto.createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(utf8(head));
  decipher.setAuthTag(mac);
  return { apv, plaintext: concatBytes(decipher.update(fromBase64url(ciphertext)), decipher.final()) };
}

/** What a header and a private key agree on; found again by the header's exact text. */
function agreed(crypto: NativeCrypto, head: string, privateJwk: JsonWebKey): AgreedKey {
  let known = agreedKeys.get(privateJwk);
  if (known === undefined) {
    known = new BoundedMap(agreedKeysKept);
    agreedKeys.set(privateJwk, known);
  }
  const before = known.get(head);
  if (before !== undefined) return before;
  const { alg, apv, enc, epk, ...unknown } = parseStrict(fromUtf8(fromBase64url(head))) as Record<string, unknown>;
  const isOurs = alg === 'ECDH-ES' && enc === 'A256GCM' && typeof apv === 'string' && Object.keys(unknown).length === 0;
  if (!isOurs) throw new TypeError('not a JWE of a release');
  const secret = crypto.diffieHellman({ privateKey: privateKeyOf(crypto, privateJwk), publicKey: publicKeyOf(crypto, epk) });
  const found = { apv, key: crypto.createSecretKey(agreedKey(secret, enc, fromBase64url(apv))) };
  if (head.length <= longestHeader) known.set(head, found);
  return found;
}

function privateKeyOf(crypto: NativeCrypto, jwk: JsonWebKey): object {
  const known = privateKeys.get(jwk);
  if (known !== undefined) return known;
  const key = crypto.createPrivateKey({ key: jwk, format: 'jwk' });
  privateKeys.set(jwk, key);
  return key;
}

function publicKeyOf(crypto: NativeCrypto, epk: unknown): object {
  const key: X25519Key = x25519KeyShape.read(epk);
  return crypto.createPublicKey({ key, format: 'jwk' });
}

/** Concat KDF of one round (RFC 7518, 4.6.2): the algorithm, no PartyUInfo, `apv`, 256 bits. */
function agreedKey(secret: Uint8Array, enc: string, apv: Uint8Array): Uint8Array {
  return sha256(concatBytes(uint32(1), secret, uint32(enc.length), utf8(enc), uint32(0), uint32(apv.length), apv, uint32(256)));
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}
