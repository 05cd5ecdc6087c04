import { p256 } from '@noble/curves/nist.js';
import { concatBytes, fromBase64url, toBase64url } from './bytes.js';
import { canonicalBytes, isJsonObject, parseCanonicalObject, parseStrict, utf8, type JsonObject } from './canonical.js';
import { derOfFlat } from './ecdsa-der.js';
import { ProtocolError, type ErrorCode } from './errors.js';
import { nativeCrypto } from './native.js';
import { literal, object, text, type Read } from './shape.js';

/** Compact JWS with ES256 (RFC 7515, RFC 7518 §3.4): the signatures of members. Payloads are canonical JSON. */

/** 32 bytes as base64url in their one spelling: the two low bits of the last character are no part of them. */
const bytes32Segment = text(/[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]/, 43);

/** A public P-256 key of a member. */
export const es256KeyShape = object({ crv: literal('P-256'), kty: literal('EC'), x: bytes32Segment, y: bytes32Segment });
export type Es256Key = Read<typeof es256KeyShape>;

/** A public X25519 key (RFC 8037) that releases are encrypted to. */
export const x25519KeyShape = object({ crv: literal('X25519'), kty: literal('OKP'), x: bytes32Segment });
export type X25519Key = Read<typeof x25519KeyShape>;

/** Signs the ASCII signing input with ES256, answering r ‖ s (64 bytes). Browsers sign asynchronously. */
export type Es256Sign = (signingInput: Uint8Array) => Uint8Array | Promise<Uint8Array>;

export interface ParsedJws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  readonly payloadSegment: string;
  readonly signingInput: Uint8Array;
  readonly signature: Uint8Array;
}

/** Signs canonical payload bytes. Header members are exactly those given. */
export async function signJws(header: JsonObject, payload: unknown, sign: Es256Sign): Promise<string> {
  const input = `${toBase64url(canonicalBytes(header))}.${toBase64url(canonicalBytes(payload))}`;
  return `${input}.${toBase64url(await sign(utf8(input)))}`;
}

/** Splits a compact JWS whose header and payload are canonical JSON; checks no signature. @throws the given code */
export function parseJws(compact: string, code: ErrorCode): ParsedJws {
  const segments = compact.split('.');
  const [head = '', payloadSegment = '', tail = ''] = segments;
  if (segments.length !== 3) throw new ProtocolError(code, { reason: 'jws-segments' });
  try {
    return {
      header: parseCanonicalObject(fromBase64url(head)),
      payload: parseCanonicalObject(fromBase64url(payloadSegment)),
      payloadSegment,
      signingInput: utf8(`${head}.${payloadSegment}`),
      signature: fromBase64url(tail),
    };
  } catch {
    throw new ProtocolError(code, { reason: 'jws' });
  }
}

/** Header exactly {alg: ES256, kid, typ}. @throws the given code */
export function checkJwsHeader(jws: ParsedJws, typ: string, code: ErrorCode): string {
  const { alg, kid, typ: found, ...unknown } = jws.header;
  const exact = alg === 'ES256' && found === typ && Object.keys(unknown).length === 0;
  if (!exact || typeof kid !== 'string') throw new ProtocolError(code, { reason: 'jws-header' });
  return kid;
}

const nativeKeys = new Map<string, object>();

function nativeKey(key: Es256Key): object {
  const id = `${key.x}.${key.y}`;
  let parsed = nativeKeys.get(id);
  if (parsed === undefined) {
    parsed = nativeCrypto?.createPublicKey({ key: { ...key }, format: 'jwk' }) as object;
    if (nativeKeys.size > 1000) nativeKeys.clear();
    nativeKeys.set(id, parsed);
  }
  return parsed;
}

/** As `verifyEs256`, or what remembers its answers. */
export type Es256Verify = (key: Es256Key, message: Uint8Array, signature: Uint8Array) => boolean;

/** Verifies r ‖ s over SHA-256 of the message. Never throws: what cannot be verified is false. */
export function verifyEs256(key: Es256Key, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  try {
    return nativeCrypto === undefined
      ? portableVerifyEs256(key, message, signature)
      : nativeCrypto.verify('sha256', message, nativeKey(key), derOfFlat(signature));
  } catch {
    return false;
  }
}

/** The same check without Node, for browsers. */
export function portableVerifyEs256(key: Es256Key, message: Uint8Array, signature: Uint8Array): boolean {
  return p256.verify(signature, message, pointOf(key), { lowS: false });
}

/** Verifies a DER signature (X9.62) over SHA-256 of the message: Fabric's endorsements, without Node. Never throws. */
export function verifyEs256Der(key: Es256Key, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return p256.verify(signature, message, pointOf(key), { format: 'der', lowS: false });
  } catch {
    return false;
  }
}

function pointOf(key: Es256Key): Uint8Array {
  return concatBytes(Uint8Array.of(4), fromBase64url(key.x), fromBase64url(key.y));
}

/** The members of a token's header that need not be canonical (SD-JWT VC from other software); no member twice. @throws the given code */
export function jsonSegment(segment: string, code: ErrorCode): JsonObject {
  try {
    const value = parseStrict(fromBase64url(segment));
    if (isJsonObject(value)) return value;
  } catch {
    // Falls through to the one refusal below.
  }
  throw new ProtocolError(code, { reason: 'jws' });
}
