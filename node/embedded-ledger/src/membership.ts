import { hash, X509Certificate, type KeyObject } from 'node:crypto';
import { parseIdentity } from './block-reader.js';
import type { Role } from './certificates.js';
import { verifyPieces } from './ecdsa.js';

/** A creator or endorser whose certificate chains to its organisation's authority and states one role. */
export interface Member {
  readonly mspId: string;
  readonly role: Role;
  readonly publicKey: KeyObject;
  readonly identity: Uint8Array;
  /** Unix milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Why an identity or a signature is refused. Says nothing about the person behind the certificate. */
export class AccessDeniedError extends Error {
  override readonly name: string = 'AccessDeniedError';
}

/** A certificate that has expired, or a message that is dated too far from the ledger's clock. */
export class OutOfTimeError extends AccessDeniedError {
  override readonly name = 'OutOfTimeError';
}

const ROLES: ReadonlySet<string> = new Set<Role>(['admin', 'client', 'peer', 'orderer']);
const CACHE_LIMIT = 10_000;

function organisationalUnits(subject: string): string[] {
  return subject
    .split('\n')
    .flatMap((line) => line.split('+'))
    .filter((part) => part.startsWith('OU='))
    .map((part) => part.slice(3));
}

function roleOf(certificate: X509Certificate, mspId: string): Role {
  const roles = organisationalUnits(certificate.subject).filter((unit) => ROLES.has(unit));
  const [role] = roles;
  if (role === undefined) throw new AccessDeniedError(`the certificate of ${mspId} states no role (OU client, admin, peer or orderer)`);
  if (roles.length > 1) throw new AccessDeniedError(`the certificate of ${mspId} states more than one role: ${roles.join(', ')}`);
  return role as Role;
}

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new AccessDeniedError('the creator holds no X.509 certificate');
  }
}

function chains(certificate: X509Certificate, authority: X509Certificate): boolean {
  return !certificate.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

/**
 * Who may act: the authorities of the organisations, and the identities already checked against them. What is cached is
 * the outcome for one exact serialised identity; the validity period is compared with the clock at each use.
 */
export class Membership {
  readonly #authorities = new Map<string, X509Certificate>();
  readonly #members = new Map<string, Member>();

  addAuthority(mspId: string, certificate: string): void {
    this.#authorities.set(mspId, new X509Certificate(certificate));
  }

  get organisations(): readonly string[] {
    return [...this.#authorities.keys()];
  }

  #check(identity: Uint8Array): Member {
    const { mspId, certPem } = parseIdentity(identity);
    const authority = this.#authorities.get(mspId);
    if (authority === undefined) throw new AccessDeniedError(`MSP ${JSON.stringify(mspId)} is unknown`);
    const certificate = readCertificate(certPem);
    if (!chains(certificate, authority)) throw new AccessDeniedError(`the certificate was not issued by the authority of ${mspId}`);
    return {
      mspId,
      role: roleOf(certificate, mspId),
      publicKey: certificate.publicKey,
      identity,
      notBefore: certificate.validFromDate.getTime(),
      notAfter: certificate.validToDate.getTime(),
    };
  }

  /** Chain and role, whatever the time. @throws AccessDeniedError, MalformedMessageError */
  resolve(identity: Uint8Array): Member {
    const key = hash('sha256', identity, 'base64');
    const known = this.#members.get(key);
    if (known) return known;
    const member = this.#check(Uint8Array.from(identity));
    if (this.#members.size >= CACHE_LIMIT) this.#members.clear();
    this.#members.set(key, member);
    return member;
  }

  /**
   * A member in good standing that signed these bytes. @throws AccessDeniedError, MalformedMessageError
   */
  authenticate(identity: Uint8Array, now: Date, signature: Uint8Array, ...signed: readonly Uint8Array[]): Member {
    const member = this.resolve(identity);
    checkValidity(member, now);
    if (!verifyPieces(member.publicKey, signature, ...signed)) throw new AccessDeniedError(`the creator's signature over the request is not valid (${member.mspId})`);
    return member;
  }
}

/** @throws AccessDeniedError */
export function checkValidity(member: Member, now: Date): void {
  const time = now.getTime();
  if (time < member.notBefore) throw new AccessDeniedError(`the certificate of ${member.mspId} is not yet valid`);
  if (time > member.notAfter) throw new OutOfTimeError(`the certificate of ${member.mspId} has expired`);
}

/** Fabric's default policies of an organisation: readers are its admins, clients and peers; writers its admins and clients. */
export function checkRole(member: Member, allowed: readonly Role[]): void {
  if (!allowed.includes(member.role)) throw new AccessDeniedError(`role ${member.role} of ${member.mspId} may not do this; it takes ${allowed.join(' or ')}`);
}

export const READERS: readonly Role[] = ['admin', 'client', 'peer'];
export const WRITERS: readonly Role[] = ['admin', 'client'];
