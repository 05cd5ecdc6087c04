import { sign, type KeyObject } from 'node:crypto';

/** Order of the P-256 group (SEC 2, secp256r1). */
const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

/** ECDSA over SHA-256 of the message, in DER with the lower of the two values of s, the only one Fabric accepts. */
export function signLowS(key: KeyObject, message: Uint8Array): Uint8Array {
  const flat = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }).toString('hex');
  const s = BigInt(`0x${flat.slice(64)}`);
  const low = s > order / 2n ? order - s : s;
  const body = Buffer.concat([derInteger(flat.slice(0, 64)), derInteger(low.toString(16).padStart(64, '0'))]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

function derInteger(hex: string): Buffer {
  const bytes = Buffer.from(hex.replace(/^(?:00)+(?=..)/, ''), 'hex');
  const padded = (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return Buffer.concat([Buffer.from([2, padded.length]), padded]);
}
