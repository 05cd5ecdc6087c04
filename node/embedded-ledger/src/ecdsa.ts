import { createSign, createVerify, type KeyObject } from 'node:crypto';

/** Orders of the curves that Fabric accepts; a signature's s must not exceed half of it (Fabric's bccsp refuses others). */
const CURVE_ORDERS: Readonly<Record<string, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

interface EcdsaSignature {
  readonly r: bigint;
  readonly s: bigint;
}

function readInteger(bytes: Uint8Array, at: number): { readonly value: bigint; readonly end: number } | undefined {
  const length = bytes[at + 1];
  if (bytes[at] !== 2 || length === undefined || length === 0 || length > 127) return undefined;
  const end = at + 2 + length;
  const digits = bytes.subarray(at + 2, end);
  if (digits.length !== length || (digits[0] ?? 0) > 127) return undefined;
  return { value: BigInt(`0x${Buffer.from(digits).toString('hex')}`), end };
}

/** Reads SEQUENCE { INTEGER r, INTEGER s } of at most 127 bytes; undefined when it is anything else. */
function readSignature(der: Uint8Array): EcdsaSignature | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der[1] > 127) return undefined;
  const r = readInteger(der, 2);
  const s = r && readInteger(der, r.end);
  return r && s?.end === der.length ? { r: r.value, s: s.value } : undefined;
}

function integerBytes(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const bytes = Buffer.from(digits.length % 2 ? `0${digits}` : digits, 'hex');
  const padded = (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return Buffer.concat([Buffer.from([2, padded.length]), padded]);
}

const orders = new WeakMap<KeyObject, bigint>();

/** Node.js reads a key's details anew at each question; keys here are asked thousands of times. */
function orderOf(key: KeyObject): bigint | undefined {
  const known = orders.get(key);
  if (known !== undefined) return known;
  const order = CURVE_ORDERS[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (order !== undefined) orders.set(key, order);
  return order;
}

/** The signature's s in the lower half of the order, as Fabric demands. */
function toLowS(der: Uint8Array, key: KeyObject): Uint8Array {
  const order = orderOf(key);
  const signature = readSignature(der);
  if (order === undefined || signature === undefined || signature.s <= order / 2n) return der;
  const body = Buffer.concat([integerBytes(signature.r), integerBytes(order - signature.s)]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

function isLowS(der: Uint8Array, key: KeyObject): boolean {
  const order = orderOf(key);
  const signature = readSignature(der);
  return order !== undefined && signature !== undefined && signature.s <= order / 2n;
}

/** ECDSA over SHA-256 of the pieces in a row; DER, low s. */
export function signPieces(key: KeyObject, ...pieces: readonly Uint8Array[]): Uint8Array {
  const signer = createSign('sha256');
  for (const piece of pieces) signer.update(piece);
  return toLowS(signer.sign(key), key);
}

/** False for a wrong signature, a high s, a curve other than P-256 and P-384, or bytes that are no signature. */
export function verifyPieces(key: KeyObject, signature: Uint8Array, ...pieces: readonly Uint8Array[]): boolean {
  if (!isLowS(signature, key)) return false;
  const verifier = createVerify('sha256');
  for (const piece of pieces) verifier.update(piece);
  return verifier.verify(key, signature);
}
