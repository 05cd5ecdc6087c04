import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';
import { concatBytes, fromUtf8, ProtocolError, utf8 } from '@huilian/protocol';

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
}

/** The half of sealing that needs no holder's key, so that it can be done anywhere. */
export function sealContent(content: Uint8Array, context: Uint8Array, randomBytes: (length: number) => Uint8Array): SealedContent {
  const key = randomBytes(keyBytes);
  return { key, bytes: encrypt(key, randomBytes(ivBytes), content, context) };
}

/** The other half: the content's key under the holder's. */
export function wrapContent({ bytes, key }: SealedContent, context: Uint8Array, holder: SealingKey, randomBytes: (length: number) => Uint8Array): Uint8Array {
  return concatBytes(wrapKey(key, context, holder, randomBytes), bytes);
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
  return concatBytes(Uint8Array.of(format, holder.length), holder, encrypt(holderKey, randomBytes(ivBytes), key, context));
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

function encrypt(key: Uint8Array, iv: Uint8Array, content: Uint8Array, context: Uint8Array): Uint8Array {
  // Bytes as a key cost Node.js more than the encryption itself; a key object does not.
  const cipher = createCipheriv(algorithm, createSecretKey(key), iv);
  cipher.setAAD(context);
  const body = cipher.update(content);
  const end = cipher.final();
  return concatBytes(iv, body, end, cipher.getAuthTag());
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
