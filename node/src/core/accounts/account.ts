import { canonicalBytes, fromUtf8, oneOf, text, type JsonObject } from '@huilian/protocol';
import type { PasswordHash } from './password-hash.js';

/** What a person of the centre does with its node: daily work, oversight, or running it. */
export type StaffRole = 'administrator' | 'auditor' | 'operator';
export const staffRoleShape = oneOf('administrator', 'auditor', 'operator');

/** Names of accounts made here. Those of the staff directory begin with `sso-`, which nobody can take here. */
export const accountNameShape = text(/(?!sso-)[a-z][a-z0-9._-]{1,31}/, 32);
/** Any account's name: made here, or of the staff directory. */
export const anyAccountNameShape = text(/[a-z][a-z0-9._-]{1,63}/, 64);

/** A person of the centre, as it is stored: the name is the account's id and is never given to another. */
export interface AccountRow {
  readonly name: string;
  readonly role: StaffRole;
  /** Made here with a password, or known by the centre's staff directory. */
  readonly source: 'directory' | 'local';
  readonly password?: PasswordHash;
  readonly disabled: boolean;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly passwordAt?: number;
  readonly signedInAt?: number;
  /** Failures since the last good sign-in, and until when no further one is looked at. */
  readonly failures: number;
  readonly lockedUntil: number;
}

/** An account as others see it: never its password's hash. */
export type AccountView = Omit<AccountRow, 'password'>;

export const accountPrefix = 'account/';
export const accountKey = (name: string): string => `${accountPrefix}${name}`;

export function encodeAccount(row: AccountRow): Uint8Array {
  return canonicalBytes(row as unknown as JsonObject);
}

export function decodeAccount(bytes: Uint8Array): AccountRow {
  return JSON.parse(fromUtf8(bytes)) as AccountRow;
}

export function viewOf({ password: _password, ...view }: AccountRow): AccountView {
  return view;
}
