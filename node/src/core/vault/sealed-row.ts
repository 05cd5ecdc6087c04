import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { BoundedMap, concatBytes, fromUtf8, ProtocolError, utf8 } from '@huilian/protocol';

/**
 * One sealed payload at rest, AES-256-GCM (NIST SP 800-38D) twice: the content under a key of its own, that key under the
 * key of its holder. Both are bound to record id and version, so that no row opens in another's place.
 *
 *   1 byte format | 1 byte length and name of the holder's key | 12 IV | 32 wrapped key | 16 tag | 12 IV | content | 16 tag
 */
const format = 1;
const ivBytes = 12;
const keyBytes = 32;
const tagBytes = 16;
const algorithm = 'aes-256-gcm';

export interface SealingKey {
  /** Name in the key file, at most 255 bytes. */
  readonly name: string;
  readonly key: Uint8Array;
}

/** What both ciphers authenticate besides: record id ‖ 0x00 ‖ version. */
export function sealingContext(recordId: string, version: number): Uint8Array {
  return utf8(`${recordId}\u0000${String(version)}`);
}

/** A content under a key of its own, which is not yet wrapped. */
export interface SealedContent {
  readonly key: Uint8Array;
  /** 12 IV | content | 16 tag */
  readonly bytes: Uint8Array;
  /** Bytes before `bytes` in the same buffer that wrapping may write over; none where absent. */
  readonly front?: number;
}

/** What wrapping puts before a content, for a holder's name of so many bytes. */
export function wrappingBytes(name: number): number {
  return 2 + name + ivBytes + keyBytes + tagBytes;
}

/** The half of sealing that needs no holder's key, so that it can be done anywhere. */
export function sealContent(content: string, context: Uint8Array, randomBytes: (length: number) => Uint8Array): SealedContent {
  const key = randomBytes(keyBytes);
  // Bytes as a key cost Node.js more than the encryption itself; a key object does not.
  return { key, bytes: Buffer.concat(encrypt(createSecretKey(key), randomBytes(ivBytes), content, context)) };
}

/** The other half: the content's key under the holder's. */
export function wrapContent({ bytes, front = 0, key }: SealedContent, context: Uint8Array, holder: SealingKey, randomBytes: (length: number) => Uint8Array): Uint8Array {
  const wrapped = wrapKey(key, context, holder, randomBytes);
  if (front < wrapped.length) return concatBytes(wrapped, bytes);
  const row = new Uint8Array(bytes.buffer, bytes.byteOffset - wrapped.length, wrapped.length + bytes.length);
  row.set(wrapped);
  return row;
}

/** The same row with its content key wrapped by another holder key. @throws VAULT_CORRUPT */
export function rewrapRow(row: Uint8Array, context: Uint8Array, before: SealingKey, after: SealingKey, randomBytes: (length: number) => Uint8Array): Uint8Array {
  const { content, wrapped } = splitRow(row);
  return concatBytes(wrapKey(decrypt(before.key, wrapped, context), context, after, randomBytes), content);
}

/** @throws VAULT_CORRUPT for any byte that is not as it was sealed */
export function openRow(row: Uint8Array, context: Uint8Array, holderKey: Uint8Array): Uint8Array {
  const { content, wrapped } = splitRow(row);
  return decrypt(decrypt(holderKey, wrapped, context), content, context);
}

/** Name of the holder key a row needs. @throws VAULT_CORRUPT */
export function holderKeyOf(row: Uint8Array): string {
  return splitRow(row).holder;
}

/** Which key wrapped a row's content key, and with which IV (hex): together they may never come twice. @throws VAULT_CORRUPT */
export function wrappingOf(row: Uint8Array): { readonly holder: string; readonly iv: string } {
  const { holder, wrapped } = splitRow(row);
  return { holder, iv: Buffer.from(wrapped.subarray(0, ivBytes)).toString('hex') };
}

function wrapKey(key: Uint8Array, context: Uint8Array, { key: holderKey, name }: SealingKey, randomBytes: (length: number) => Uint8Array): Uint8Array {
  const holder = utf8(name);
  return Buffer.concat([Uint8Array.of(format, holder.length), holder, ...encrypt(keyObject(holderKey), randomBytes(ivBytes), key, context)]);
}

/** Of the holders seen last: one holder's key wraps many contents. */
const keyObjects = new BoundedMap<Uint8Array, KeyObject>(1024);

function keyObject(key: Uint8Array): KeyObject {
  let object = keyObjects.get(key);
  if (object === undefined) {
    object = createSecretKey(key);
    keyObjects.set(key, object);
  }
  return object;
}

interface SplitRow {
  readonly holder: string;
  readonly wrapped: Uint8Array;
  readonly content: Uint8Array;
}

function splitRow(row: Uint8Array): SplitRow {
  const wrappedAt = 2 + (row[1] ?? 0);
  const contentAt = wrappedAt + ivBytes + keyBytes + tagBytes;
  if (row[0] !== format || row.length < contentAt + ivBytes + tagBytes) throw new ProtocolError('VAULT_CORRUPT', { reason: 'shape' });
  return { holder: readName(row.subarray(2, wrappedAt)), wrapped: row.subarray(wrappedAt, contentAt), content: row.subarray(contentAt) };
}

function readName(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    throw new ProtocolError('VAULT_CORRUPT', { reason: 'shape' });
  }
}

/** IV, content and tag, still in pieces. */
function encrypt(key: KeyObject, iv: Uint8Array, content: Uint8Array | string, context: Uint8Array): readonly Uint8Array[] {
  const cipher = createCipheriv(algorithm, key, iv);
  cipher.setAAD(context);
  // A cipher takes text faster than its bytes could be made.
  const body = typeof content === 'string' ? cipher.update(content, 'utf8') : cipher.update(content);
  // A counter mode leaves nothing for the end.
  cipher.final();
  return [iv, body, cipher.getAuthTag()];
}

function decrypt(key: Uint8Array, sealed: Uint8Array, context: Uint8Array): Uint8Array {
  const decipher = createDecipheriv(algorithm, createSecretKey(key), sealed.subarray(0, ivBytes), { authTagLength: tagBytes });
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const body = decipher.update(sealed.subarray(ivBytes, -tagBytes));
  try {
    return concatBytes(body, decipher.final());
  } catch {
    throw new ProtocolError('VAULT_CORRUPT', { reason: 'authentication' });
  }
}
