import { canonicalBytes, registrationStatementShape, toBase64url, type RegistrationStatement, type SignedStatement } from '@huilian/protocol';

/** The bytes that the key of an entity's certificate signs to register an owner's key. */
export function registrationBytes(statement: RegistrationStatement): Uint8Array {
  return canonicalBytes(registrationStatementShape.read(statement));
}

/**
 * Signs a registration statement with the private key of the entity's certificate, by WebCrypto: ECDSA on P-256 (answered
 * in DER, as certificates' software has it) or RSASSA-PKCS1-v1_5, both with SHA-256.
 * @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID for the statement; TypeError for a key of another algorithm
 */
export async function signRegistration(statement: RegistrationStatement, key: CryptoKey): Promise<SignedStatement> {
  const bytes = registrationBytes(statement) as BufferSource;
  const { hash, name, namedCurve } = key.algorithm as { readonly name: string; readonly namedCurve?: string; readonly hash?: { readonly name: string } };
  if (name === 'ECDSA' && namedCurve === 'P-256') {
    const raw = new Uint8Array(await crypto.subtle.sign({ name, hash: 'SHA-256' }, key, bytes));
    return { algorithm: 'ecdsa-sha256', signature: toBase64url(derOf(raw)), statement };
  }
  if (name === 'RSASSA-PKCS1-v1_5' && hash?.name === 'SHA-256') {
    return { algorithm: 'rsa-sha256', signature: toBase64url(new Uint8Array(await crypto.subtle.sign(name, key, bytes))), statement };
  }
  throw new TypeError('a registration is signed with ECDSA P-256 or RSASSA-PKCS1-v1_5, each with SHA-256');
}

/** r ‖ s (64 bytes) as SEQUENCE of two INTEGERs (X9.62). */
function derOf(raw: Uint8Array): Uint8Array {
  const integers = [...derInteger(raw.subarray(0, 32)), ...derInteger(raw.subarray(32))];
  return Uint8Array.from([0x30, integers.length, ...integers]);
}

/** Big-endian without needless zeros, and with one where the first bit would say negative. */
function derInteger(bytes: Uint8Array): number[] {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = [...bytes.subarray(first === -1 ? bytes.length - 1 : first)];
  const value = (digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits;
  return [0x02, value.length, ...value];
}
