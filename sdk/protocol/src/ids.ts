import { checkUscc } from './codes/index.js';
import { concatBytes, fromHex, toBase32, toBase64url, toHex } from './bytes.js';
import { canonicalBytes, isJsonObject, utf8 } from './canonical.js';
import { ProtocolError } from './errors.js';
import { hmacSha256, sha256 } from './hash.js';
import { text, type Shape } from './shape.js';

/** Grammars of every id and of the closed words on the ledger. */
export const memberIdShape: Shape<string> = text(/[a-z][a-z0-9-]{1,30}[a-z0-9]/, 32);
export const kindShape: Shape<string> = text(/[a-z][a-z0-9-]{1,30}[a-z0-9]/, 32);
/** 128 bits in base32: 26 characters, the last of which carries 3 bits. */
export const localIdShape: Shape<string> = text(/[a-z2-7]{25}[aeimquy4]/, 26);
export const digestShape: Shape<string> = text(/[0-9a-f]{64}/, 64);
export const bytes32Shape: Shape<string> = text(/0x[0-9a-f]{64}/, 66);
export const saltShape: Shape<string> = text(/[0-9a-f]{32}/, 32);
export const ownerKeyShape: Shape<string> = text(/0x[0-9a-f]{40}/, 42);
export const claimNameShape: Shape<string> = text(/[a-z][A-Za-z0-9]{0,39}/, 40);
export const qualifiedClaimShape: Shape<string> = text(/[a-z][a-z0-9-]{1,30}[a-z0-9]\/[a-z][A-Za-z0-9]{0,39}/, 80);
export const requestIdShape: Shape<string> = text(/[a-z2-7]{25}[aeimquy4]/, 26);
/** `<transaction id>/<index>`. */
export const ticketIdShape: Shape<string> = text(/[0-9a-f]{64}\/(?:0|[1-9][0-9]{0,2})/, 68);
/** base64url of an RFC 7638 SHA-256 thumbprint. */
export const thumbprintShape: Shape<string> = text(/[A-Za-z0-9_-]{43}/, 43);
export const timeShape: Shape<number> = {
  schema: { type: 'integer', minimum: 1_500_000_000, maximum: 9_999_999_999 },
  read(value, path = ''): number {
    // Ten digits: a time in milliseconds given by mistake is refused instead of lying far in the future.
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1_500_000_000 && value <= 9_999_999_999) return value;
    throw new ProtocolError('BAD_FIELD', { path, reason: 'not-unix-seconds' });
  },
};

/** `org:<USCC>` with the GB 32100 check character, or `per:<base32>` for persons who hold keys. */
export const ownerIdShape: Shape<string> = {
  schema: { type: 'string', pattern: '^(?:org:[0-9A-HJ-NPQRTUWXY]{18}|per:[a-z2-7]{32})$' },
  read(value, path = ''): string {
    if (typeof value === 'string' && isOwnerId(value)) return value;
    throw new ProtocolError('BAD_ID', { path, reason: 'owner-id' });
  },
};

function isOwnerId(value: string): boolean {
  if (/^per:[a-z2-7]{32}$/.test(value)) return true;
  return value.startsWith('org:') && checkUscc(value.slice(4)).ok;
}

/** The owner id of an organisation. @throws CODE_INVALID when the USCC fails GB 32100 */
export function organisationId(uscc: string): string {
  const check = checkUscc(uscc);
  if (!check.ok) throw new ProtocolError('CODE_INVALID', { code: 'uscc', reason: check.reason });
  return `org:${uscc}`;
}

/** `per:` id of a person who holds a key: base32 of the first 160 bits of SHA-256 of the first public key. */
export function personId(publicKey: Uint8Array): string {
  return `per:${toBase32(sha256(publicKey).subarray(0, 20))}`;
}

/**
 * Local id of a record: the first 128 bits of HMAC-SHA-256(publisher's localId key, kind ‖ 0x00 ‖ natural key), base32.
 * Opaque to everybody else, and the same again when the row is imported again.
 */
export function localId(key: Uint8Array, kind: string, naturalKey: string): string {
  return toBase32(hmacSha256(key, concatBytes(utf8(kind), Uint8Array.of(0), utf8(naturalKey))).subarray(0, 16));
}

/** `<memberId>/<kind>/<localId>`. */
export function recordId(publisher: string, kind: string, local: string): string {
  return `${publisher}/${kind}/${local}`;
}

export interface RecordIdParts {
  readonly publisher: string;
  readonly kind: string;
  readonly localId: string;
}

/** @throws BAD_ID */
export function parseRecordId(id: string): RecordIdParts {
  const [publisher = '', kind = '', local = '', ...rest] = id.split('/');
  if (rest.length > 0) throw new ProtocolError('BAD_ID', { reason: 'record-id' });
  try {
    return { publisher: memberIdShape.read(publisher), kind: kindShape.read(kind), localId: localIdShape.read(local) };
  } catch {
    throw new ProtocolError('BAD_ID', { reason: 'record-id' });
  }
}

/** Owner of a sealed record: `sealed:` and SHA-256(128-bit salt ‖ owner id). */
export const sealedOwnerShape: Shape<string> = text(/sealed:[0-9a-f]{64}/, 71);

export function sealedOwner(saltHex: string, owner: string): string {
  const digest = sha256(concatBytes(fromHex(saltHex, 16), utf8(owner)));
  return `sealed:${toHex(digest)}`;
}

/** Members that RFC 7638 §3.2 and RFC 8037 §2 hash, by key type. */
const thumbprintMembers = new Map([
  ['EC', ['crv', 'kty', 'x', 'y']],
  ['OKP', ['crv', 'kty', 'x']],
  ['RSA', ['e', 'kty', 'n']],
]);

/** RFC 7638 thumbprint of a public JWK, base64url. @throws BAD_FIELD when a member is missing or the key type is unknown */
export function jwkThumbprint(jwk: unknown): string {
  const members = isJsonObject(jwk) && typeof jwk['kty'] === 'string' ? thumbprintMembers.get(jwk['kty']) : undefined;
  if (!isJsonObject(jwk) || members?.every((name) => typeof jwk[name] === 'string') !== true) throw new ProtocolError('BAD_FIELD', { reason: 'jwk' });
  return toBase64url(sha256(canonicalBytes(Object.fromEntries(members.map((name) => [name, jwk[name]])))));
}
