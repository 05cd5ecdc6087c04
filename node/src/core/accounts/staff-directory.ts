import { ProtocolError, sha256, toBase32, utf8 } from '@huilian/protocol';
import type { StaffRole } from './account.js';

/** Who the centre's staff directory says somebody is. */
export interface DirectoryIdentity {
  readonly issuer: string;
  /** Never given to another by this issuer. */
  readonly subject: string;
  /** As people know it; only for reading. */
  readonly name: string;
  /** Values of the claim that roles are read from. */
  readonly groups: readonly string[];
}

/** A sign-in under way at the directory; opaque but to the adapter that began it. */
export interface DirectoryFlow {
  /** Where the browser goes. */
  readonly address: string;
  readonly secrets: { readonly nonce: string; readonly state: string; readonly verifier: string };
}

/** The staff directory of the centre. */
export interface StaffDirectory {
  /** @throws DIRECTORY_UNAVAILABLE */
  begin(): Promise<DirectoryFlow>;
  /** With the query that the browser came back with. @throws DIRECTORY_SIGN_IN_FAILED {reason}, DIRECTORY_UNAVAILABLE */
  finish(query: string, secrets: DirectoryFlow['secrets']): Promise<DirectoryIdentity>;
}

/** Groups of the directory that have a role here. */
export type RoleGroups = Partial<Readonly<Record<StaffRole, readonly string[]>>>;

/** Of several roles the first of these counts. */
const order: readonly StaffRole[] = ['administrator', 'operator', 'auditor'];

/** Nobody has a role that no group gives. @throws ROLE_UNMAPPED */
export function roleOf({ groups }: DirectoryIdentity, mapping: RoleGroups): StaffRole {
  const role = order.find((one) => mapping[one]?.some((group) => groups.includes(group)) === true);
  if (role === undefined) throw new ProtocolError('ROLE_UNMAPPED');
  return role;
}

/** The account's name: readable, and by its end the one of exactly this person, whatever the directory calls it. */
export function accountOf({ issuer, name, subject }: DirectoryIdentity): string {
  const readable = name.toLowerCase().replace(/@.*$/, '').replace(/[^a-z0-9._-]+/g, '-').replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '').slice(0, 32);
  return `sso-${readable === '' ? 'person' : readable}-${toBase32(sha256(utf8(`${issuer}\n${subject}`))).slice(0, 10)}`;
}
