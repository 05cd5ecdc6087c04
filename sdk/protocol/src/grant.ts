import { toHex } from './bytes.js';
import { ProtocolError } from './errors.js';
import { domainShape, recoverOwnerKey, splitCanonicalSignature, typedDigest, type Domain, type RecoverPublicKey } from './eip712.js';
import { saltedDigest } from './hash.js';
import { bytes32Shape, memberIdShape, ownerIdShape, ownerKeyShape, qualifiedClaimShape, timeShape } from './ids.js';
import { limits } from './limits.js';
import { integer, object, oneOf, sortedSet, text, type Read, type Shape } from './shape.js';

/** The closed, coarse list of purposes; none says that a bid exists. */
export const purposes = {
  registration: { zh: '主体登记', en: 'registration' },
  'qualification-check': { zh: '资格核验', en: 'checking qualifications' },
  'performance-check': { zh: '业绩核验', en: 'checking performance' },
  'credit-check': { zh: '信用核验', en: 'checking credit' },
  'guarantee-assessment': { zh: '保函评估', en: 'assessing a guarantee' },
  supervision: { zh: '监督检查', en: 'supervision' },
  /** The owner reads its own data: released to the key that the grant's reference commits to, and to no other. */
  'own-copy': { zh: '权属人自查本人数据', en: "the owner's own copy" },
} as const;
/** One word of `purposes`. */
export type Purpose = keyof typeof purposes;
export const purposeNames = Object.keys(purposes).sort() as readonly Purpose[];

/** @throws PURPOSE_UNKNOWN */
export function readPurpose(value: unknown): Purpose {
  const found = purposeNames.find((name) => name === value);
  if (found === undefined) throw new ProtocolError('PURPOSE_UNKNOWN');
  return found;
}
const purposeShape = { schema: { enum: purposeNames }, read: readPurpose };

const ownPurpose: Purpose = 'own-copy';
const othersPurposes = purposeNames.filter((name) => name !== ownPurpose);
/** What a reader may ask an owner for, and a policy may open for: never the owner's own copy. */
export const askedPurposeShape: Shape<Purpose> = {
  schema: { enum: othersPurposes },
  read(value): Purpose {
    const purpose = readPurpose(value);
    if (purpose === ownPurpose) throw new ProtocolError('PURPOSE_UNKNOWN', { reason: ownPurpose });
    return purpose;
  },
};

export const grantShape = object({
  owner: ownerIdShape,
  grantee: memberIdShape,
  /** `kind/claim`, ascending, never empty. */
  claims: sortedSet(qualifiedClaimShape, 1, limits.grantClaims),
  purpose: purposeShape,
  /** SHA-256(128-bit salt ‖ project or bid code). */
  reference: bytes32Shape,
  notBefore: timeShape,
  expires: timeShape,
  maxUses: integer(1, limits.grantMaxUses),
  nonce: bytes32Shape,
});
/** An owner's grant. Times Unix seconds, digests and nonce `0x` and hex. */
export type Grant = Read<typeof grantShape>;

/** Reads a grant's terms. @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID, PURPOSE_UNKNOWN */
export function readGrant(value: unknown, path = ''): Grant {
  const grant = grantShape.read(value, path);
  const term = grant.expires - grant.notBefore;
  if (term <= 0 || term > limits.grantTermSeconds) throw new ProtocolError('BAD_FIELD', { path: `${path}/expires`, reason: 'term' });
  return grant;
}

export const signatureShape = text(/0x[0-9A-Fa-f]{0,400}/, 402);
export const suiteShape = oneOf('eip712-secp256k1', 'sm2');

/** A grant as it travels: suite and domain named, room for a handler who signs on behalf (`onBehalfOf`, not used yet). */
export const grantEnvelopeShape = object({ domain: domainShape, grant: grantShape, signature: signatureShape, suite: suiteShape });
/** A grant with its signature and the domain it was signed for. */
export type GrantEnvelope = Read<typeof grantEnvelopeShape>;

export const revocationShape = object({ owner: ownerIdShape, grant: bytes32Shape });
export type Revocation = Read<typeof revocationShape>;
export const revocationEnvelopeShape = object({ domain: domainShape, revocation: revocationShape, signature: signatureShape, suite: suiteShape });
export type RevocationEnvelope = Read<typeof revocationEnvelopeShape>;

/** Reads an envelope's shape and the terms inside; verifies no signature. @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID, PURPOSE_UNKNOWN */
export function readGrantEnvelope(value: unknown, path = ''): GrantEnvelope {
  const envelope = grantEnvelopeShape.read(value, path);
  readGrant(envelope.grant, `${path}/grant`);
  return envelope;
}

/** Identity of a grant: its EIP-712 digest, `0x` and hex. Signature bytes never identify anything. */
export function grantDigest(domain: Domain, grant: Grant): string {
  return `0x${toHex(typedDigest(domain, 'Grant', grant))}`;
}

/** What was once proved about a signature and can be cached: this key made this signature over this digest. */
export interface VerifiedTriple {
  readonly digest: string;
  readonly signature: string;
  readonly key: string;
}

function checkSuiteAndDomain(envelope: { readonly suite: string; readonly domain: Domain }, domain: Domain): void {
  if (envelope.suite !== 'eip712-secp256k1') throw new ProtocolError('GRANT_SUITE_UNSUPPORTED', { suite: envelope.suite });
  if (envelope.domain.salt !== domain.salt) throw new ProtocolError('GRANT_WRONG_DOMAIN');
}

/**
 * Proves which key signed a grant for this domain. Whether that key is the owner's key in force is the caller's to read
 * from state, every time. @throws GRANT_SUITE_UNSUPPORTED, GRANT_WRONG_DOMAIN, GRANT_NONCANONICAL_SIG, GRANT_BAD_SIGNATURE
 */
export function verifyGrantSignature(envelope: GrantEnvelope, domain: Domain, recover?: RecoverPublicKey): VerifiedTriple {
  checkSuiteAndDomain(envelope, domain);
  if (splitCanonicalSignature(envelope.signature) === undefined) throw new ProtocolError('GRANT_NONCANONICAL_SIG');
  const digest = typedDigest(domain, 'Grant', envelope.grant);
  const key = recoverOwnerKey(digest, envelope.signature, recover);
  if (key === undefined) throw new ProtocolError('GRANT_BAD_SIGNATURE');
  return { digest: `0x${toHex(digest)}`, signature: envelope.signature, key };
}

/** The same for a revocation. @throws GRANT_SUITE_UNSUPPORTED, GRANT_WRONG_DOMAIN, GRANT_NONCANONICAL_SIG, REVOCATION_BAD_SIGNATURE */
export function verifyRevocationSignature(envelope: RevocationEnvelope, domain: Domain, recover?: RecoverPublicKey): VerifiedTriple {
  checkSuiteAndDomain(envelope, domain);
  if (splitCanonicalSignature(envelope.signature) === undefined) throw new ProtocolError('GRANT_NONCANONICAL_SIG');
  const digest = typedDigest(domain, 'Revocation', envelope.revocation);
  const key = recoverOwnerKey(digest, envelope.signature, recover);
  if (key === undefined) throw new ProtocolError('REVOCATION_BAD_SIGNATURE');
  return { digest: `0x${toHex(digest)}`, signature: envelope.signature, key };
}

/** `reference` of a grant: commitment to a project or bid code under a 128-bit salt; of one for an own copy, to the owner's encryption key. */
export function referenceOf(salt: Uint8Array, code: string): string {
  return `0x${saltedDigest(salt, code)}`;
}

/** The owner's signed wish to see everything about its data; `issuedAt` bounds its age. */
export const trailRequestShape = object({ owner: ownerIdShape, issuedAt: timeShape, nonce: bytes32Shape });
export type TrailRequest = Read<typeof trailRequestShape>;
export const trailRequestEnvelopeShape = object({ domain: domainShape, request: trailRequestShape, signature: signatureShape, suite: suiteShape });
export type TrailRequestEnvelope = Read<typeof trailRequestEnvelopeShape>;

/** An owner's own changes of its key. */
export const keyRotationShape = object({ owner: ownerIdShape, newKey: ownerKeyShape, expires: timeShape });
export const keyRotationEnvelopeShape = object({ domain: domainShape, rotation: keyRotationShape, signature: signatureShape, suite: suiteShape });
export type KeyRotationEnvelope = Read<typeof keyRotationEnvelopeShape>;
export const recoveryObjectionShape = object({ owner: ownerIdShape, newKey: ownerKeyShape });
export const recoveryObjectionEnvelopeShape = object({ domain: domainShape, objection: recoveryObjectionShape, signature: signatureShape, suite: suiteShape });
export type RecoveryObjectionEnvelope = Read<typeof recoveryObjectionEnvelopeShape>;

/** Proves which key signed one of the owner's other statements. @throws GRANT_SUITE_UNSUPPORTED, GRANT_WRONG_DOMAIN, GRANT_NONCANONICAL_SIG, STATEMENT_BAD_SIGNATURE */
export function verifyOwnerStatement(
  envelope: { readonly suite: string; readonly domain: Domain; readonly signature: string },
  name: 'KeyRotation' | 'RecordStatement' | 'RecoveryObjection' | 'TrailRequest',
  message: Readonly<Record<string, unknown>>,
  domain: Domain,
  recover?: RecoverPublicKey,
): string {
  checkSuiteAndDomain(envelope, domain);
  if (splitCanonicalSignature(envelope.signature) === undefined) throw new ProtocolError('GRANT_NONCANONICAL_SIG');
  const key = recoverOwnerKey(typedDigest(domain, name, message), envelope.signature, recover);
  if (key === undefined) throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  return key;
}
