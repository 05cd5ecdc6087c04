import { BoundedMap } from './bounded-map.js';
import { fromBase64url, toBase64url } from './bytes.js';
import { canonicalBytes, isJsonObject, parseCanonical, parseCanonicalObject, utf8, type JsonObject, type JsonValue } from './canonical.js';
import { ProtocolError } from './errors.js';
import { sha256Text } from './hash.js';
import { claimNameShape, ownerIdShape, parseRecordId } from './ids.js';
import { jsonSegment, verifyEs256, type Es256Key, type Es256Sign, type Es256Verify } from './jws.js';
import { integer, literal, object, optional, sortedSet, text, type Read } from './shape.js';

/**
 * Payload = SD-JWT VC (RFC 9901 and draft-ietf-oauth-sd-jwt-vc), `typ dc+sd-jwt`. Each top-level data claim is one
 * disclosure with a 128-bit salt; `_sd` is sorted; absent optional claims leave a decoy digest, so that the number of
 * digests says nothing. No `iat`, `exp`, `cnf`: the ledger holds time and status, and the credential is not holder-bound.
 */
export interface PayloadInput {
  readonly recordId: string;
  readonly version: number;
  readonly schema: number;
  /** `org:<USCC>` or empty. */
  readonly subject: string;
  /** The claims, by name. */
  readonly data: JsonObject;
  /** Every claim name of the kind, present or not: decoys stand for the absent ones. */
  readonly claimNames: readonly string[];
  /** Canonical text of each claim, where it was made already; of the very values in `data`. */
  readonly claimTexts?: ReadonlyMap<string, string>;
}

export interface BuiltPayload {
  /** ASCII payload segment (base64url); its SHA-256 is what the ledger commits to. */
  readonly segment: string;
  /** SHA-256 of the segment, hex. */
  readonly digest: string;
  /** base64url disclosures by claim name. */
  readonly disclosures: Readonly<Record<string, string>>;
}

export function vctOf(kind: string, schema: number): string {
  return `urn:huilian:record:${kind}:${String(schema)}`;
}

export function issuerOf(publisher: string): string {
  return `urn:huilian:member:${publisher}`;
}

/** SHA-256 of the ASCII payload segment, hex. */
export function payloadDigest(segment: string): string {
  return sha256Text(segment, 'hex');
}

function disclosureDigest(disclosure: string): string {
  return sha256Text(disclosure, 'base64url');
}

/**
 * Names that no claim may have: fields of the payload itself, and what SD-JWT VC never lets be disclosed. A reader of such
 * a disclosure must refuse it, so a kind with such a claim could never be read.
 */
const reservedNames: ReadonlySet<string> = new Set(['cnf', 'exp', 'iss', 'nbf', 'record', 'status', 'sub', 'vct', 'version']);

/** Whether a name may stand for a claim in a payload. */
export function isClaimName(name: unknown): name is string {
  if (reservedNames.has(name as string)) return false;
  try {
    return claimNameShape.read(name) === name;
  } catch {
    return false;
  }
}

/** Objects inside a claim with the keys that SD-JWT gives a meaning to would read differently elsewhere. */
function hasDigestKeys(value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some((item: JsonValue) => hasDigestKeys(item));
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(([key, item]) => key === '_sd' || key === '...' || hasDigestKeys(item));
}

/** Whether a canonical text may hold such a key: where it may, the value is looked through. */
function mayHoldDigestKeys(text: string): boolean {
  return text.includes('"_sd":') || text.includes('"...":');
}

/**
 * Builds the payload and its disclosures. `randomBytes` gives the salts and decoys.
 * @throws RECORD_INVALID {reason} for data that no reader would take, BAD_ID, CANONICAL_INVALID
 */
export function buildPayload(input: PayloadInput, randomBytes: (length: number) => Uint8Array): BuiltPayload {
  const { publisher, kind } = parseRecordId(input.recordId);
  if (!input.claimNames.every(isClaimName)) throw new ProtocolError('RECORD_INVALID', { reason: 'claim-name' });
  if (Object.keys(input.data).some((name) => !input.claimNames.includes(name))) throw new ProtocolError('RECORD_INVALID', { reason: 'claim-unknown' });
  const { claimTexts } = input;
  if (claimTexts === undefined && hasDigestKeys(input.data)) throw new ProtocolError('RECORD_INVALID', { reason: 'digest-key' });
  const disclosures: Record<string, string> = {};
  const digests: string[] = [];
  for (const name of input.claimNames) {
    const value = Object.hasOwn(input.data, name) ? input.data[name] : undefined;
    if (value === undefined) {
      digests.push(disclosureDigest(toBase64url(randomBytes(32))));
      continue;
    }
    const written = claimTexts?.get(name);
    if (written !== undefined && mayHoldDigestKeys(written) && hasDigestKeys(value)) throw new ProtocolError('RECORD_INVALID', { reason: 'digest-key' });
    const salt = toBase64url(randomBytes(16));
    const disclosure = toBase64url(written === undefined ? canonicalBytes([salt, name, value]) : utf8(`["${salt}","${name}",${written}]`));
    disclosures[name] = disclosure;
    digests.push(disclosureDigest(disclosure));
  }
  const payload: Record<string, JsonValue> = {
    _sd: digests.sort(),
    _sd_alg: 'sha-256',
    iss: issuerOf(publisher),
    record: input.recordId,
    vct: vctOf(kind, input.schema),
    version: input.version,
  };
  if (input.subject !== '') payload['sub'] = input.subject;
  const segment = toBase64url(canonicalBytes(payload));
  return { segment, digest: payloadDigest(segment), disclosures };
}

/** Signs a payload segment at first release: protected header exactly {alg, typ, x5c}. Answers the JWT without disclosures. */
export async function signPayload(segment: string, x5c: readonly string[], sign: Es256Sign): Promise<string> {
  const input = `${toBase64url(canonicalBytes({ alg: 'ES256', typ: 'dc+sd-jwt', x5c }))}.${segment}`;
  return `${input}.${toBase64url(await sign(utf8(input)))}`;
}

/** `<JWT>~<disclosure>~…~` with any subset of the disclosures. */
export function presentPayload(jwt: string, disclosures: readonly string[]): string {
  return `${[jwt, ...disclosures].join('~')}~`;
}

export interface VerifiedPayload {
  readonly recordId: string;
  readonly version: number;
  readonly vct: string;
  readonly subject: string;
  readonly claims: JsonObject;
  readonly x5c: readonly string[];
}

/**
 * Verifies a presentation: segment digest as in the header, publisher's signature, every disclosure under `_sd` once.
 * @throws PAYLOAD_MALFORMED, PAYLOAD_DIGEST_MISMATCH, PAYLOAD_BAD_SIGNATURE, DISCLOSURE_INVALID
 */
export function verifyPresentation(presentation: string, expected: { readonly digest: string; readonly signingKey: Es256Key }, verify: Es256Verify = verifyEs256): VerifiedPayload {
  const { jwt, disclosures } = splitPresentation(presentation);
  const [head = '', segment = '', tail = ''] = jwt.split('.');
  if (payloadDigest(segment) !== expected.digest) throw new ProtocolError('PAYLOAD_DIGEST_MISMATCH');
  const x5c = readProtectedHeader(head);
  if (!verify(expected.signingKey, utf8(`${head}.${segment}`), decode(tail))) throw new ProtocolError('PAYLOAD_BAD_SIGNATURE');
  const payload = readPayload(segment);
  return { ...payload.facts, claims: disclosedClaims(disclosures, payload.digests), x5c };
}

/** Splits `<JWT>~<disclosure>~…~`. @throws PAYLOAD_MALFORMED */
export function splitPresentation(presentation: string): { jwt: string; disclosures: string[] } {
  const [jwt = '', ...rest] = presentation.split('~');
  if (rest.pop() !== '' || jwt.split('.').length !== 3) throw new ProtocolError('PAYLOAD_MALFORMED', { reason: 'segments' });
  return { jwt, disclosures: rest };
}

function decode(segment: string): Uint8Array {
  try {
    return fromBase64url(segment);
  } catch {
    throw new ProtocolError('PAYLOAD_MALFORMED', { reason: 'base64url' });
  }
}

/** A publisher's header is the same on all that it signs, and long for its certificates: read once, found again by its text. */
const longestHeaderKept = 16 * 1024;
const readHeaders = new BoundedMap<string, readonly string[]>(256);

function readProtectedHeader(segment: string): readonly string[] {
  const before = readHeaders.get(segment);
  if (before !== undefined) return before;
  const x5c = parseProtectedHeader(segment);
  if (segment.length <= longestHeaderKept) readHeaders.set(segment, x5c);
  return x5c;
}

function parseProtectedHeader(segment: string): readonly string[] {
  const { alg, typ, x5c, ...unknown } = jsonSegment(segment, 'PAYLOAD_MALFORMED');
  const exact = alg === 'ES256' && typ === 'dc+sd-jwt' && Object.keys(unknown).length === 0;
  if (!exact || !isTextList(x5c) || x5c.length === 0) throw new ProtocolError('PAYLOAD_MALFORMED', { reason: 'protected-header' });
  return Object.freeze([...x5c]);
}

function isTextList(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

interface PayloadFacts {
  readonly facts: Omit<VerifiedPayload, 'claims' | 'x5c'>;
  readonly digests: ReadonlySet<string>;
}

/** Everything `buildPayload` writes and nothing else, so that one payload has one reading. */
const payloadShape = object({
  _sd: sortedSet(text(/[A-Za-z0-9_-]{43}/, 43), 0, 1024),
  _sd_alg: literal('sha-256'),
  iss: text(/urn:huilian:member:[a-z0-9-]{3,32}/, 64),
  record: text(/[a-z0-9/-]{1,100}/, 100),
  sub: optional(ownerIdShape),
  vct: text(/urn:huilian:record:[a-z0-9-]{3,32}:[0-9]{1,4}/, 80),
  version: integer(1),
});

/** Reads the facts of a payload segment. @throws PAYLOAD_MALFORMED */
function readPayload(segment: string): PayloadFacts {
  const { _sd, iss, record, sub = '', vct, version } = parsePayload(segment);
  const { publisher, kind } = parseRecordId(record);
  if (iss !== issuerOf(publisher)) throw new ProtocolError('PAYLOAD_MALFORMED', { reason: 'issuer' });
  if (!vct.startsWith(vctOf(kind, 0).slice(0, -1))) throw new ProtocolError('PAYLOAD_MALFORMED', { reason: 'type' });
  return { facts: { recordId: record, version, vct, subject: sub }, digests: new Set(_sd) };
}

function parsePayload(segment: string): Read<typeof payloadShape> {
  try {
    const payload = payloadShape.read(parseCanonicalObject(fromBase64url(segment)));
    parseRecordId(payload.record);
    return payload;
  } catch {
    throw new ProtocolError('PAYLOAD_MALFORMED', { reason: 'payload' });
  }
}

function disclosedClaims(disclosures: readonly string[], digests: ReadonlySet<string>): JsonObject {
  const claims = new Map<string, JsonValue>();
  for (const disclosure of disclosures) {
    const [name, value] = readDisclosure(disclosure);
    if (!digests.has(disclosureDigest(disclosure)) || claims.has(name)) throw new ProtocolError('DISCLOSURE_INVALID', { reason: 'not-committed' });
    claims.set(name, value);
  }
  return Object.fromEntries(claims);
}

const saltSegment = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** Reads one disclosure [salt of 128 bits, name, value] in canonical JSON. @throws DISCLOSURE_INVALID */
export function readDisclosure(disclosure: string): [name: string, value: JsonValue] {
  const parts = parseDisclosure(disclosure);
  const [salt, name, value] = parts;
  const fits = parts.length === 3 && typeof salt === 'string' && saltSegment.test(salt) && isClaimName(name) && value !== undefined;
  if (!fits || hasDigestKeys(value)) throw new ProtocolError('DISCLOSURE_INVALID', { reason: 'shape' });
  return [name, value];
}

function parseDisclosure(disclosure: string): readonly JsonValue[] {
  try {
    const value = parseCanonical(fromBase64url(disclosure));
    if (Array.isArray(value)) return value as readonly JsonValue[];
  } catch {
    // Falls through to the one refusal below.
  }
  throw new ProtocolError('DISCLOSURE_INVALID', { reason: 'not-json' });
}
