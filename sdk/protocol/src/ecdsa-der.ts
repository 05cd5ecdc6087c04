import { concatBytes } from './bytes.js';

/**
 * ECDSA signatures of P-256 in DER (X9.62) and flat, r ‖ s (RFC 7518 §3.4). Node.js signs and verifies DER in less than two thirds of the
 * time: for the flat form it looks at the key anew with every call.
 */
const part = 32;

/** The one DER spelling of r ‖ s (64 bytes). */
export function derOfFlat(flat: Uint8Array): Uint8Array {
  const [r, s] = [derInteger(flat.subarray(0, part)), derInteger(flat.subarray(part))];
  return concatBytes(Uint8Array.of(0x30, r.length + s.length), r, s);
}

/** r ‖ s of a signature in DER, as a signer wrote it. */
export function flatOfDer(der: Uint8Array): Uint8Array {
  const flat = new Uint8Array(2 * part);
  let at = 2;
  for (const end of [part, 2 * part]) {
    const length = der[at + 1] ?? 0;
    const value = der.subarray(at + 2 + Math.max(0, length - part), at + 2 + length);
    flat.set(value, end - value.length);
    at += 2 + length;
  }
  return flat;
}

function derInteger(value: Uint8Array): Uint8Array {
  let from = 0;
  while (from < part - 1 && value[from] === 0) from += 1;
  const digits = value.subarray(from);
  // A first bit of one would make it negative.
  return (digits[0] ?? 0) > 127 ? concatBytes(Uint8Array.of(2, digits.length + 1, 0), digits) : concatBytes(Uint8Array.of(2, digits.length), digits);
}
