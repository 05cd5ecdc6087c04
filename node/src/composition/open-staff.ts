import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import { OpenIdDirectory } from '../adapters/oidc/openid-directory.js';
import type { NodeConfig } from '../config/config.js';
import { Accounts } from '../core/accounts/accounts.js';
import { PasswordHasher } from '../core/accounts/password-hash.js';
import { Sessions } from '../core/accounts/sessions.js';
import { SignInStaff } from '../core/accounts/sign-in-staff.js';
import type { RoleGroups } from '../core/accounts/staff-directory.js';
import { AuditLog } from '../core/audit-log/audit-log.js';
import type { Clock, Keys, Random, Store } from '../core/ports.js';
import type { RunningServices } from './running-services.js';

/** The centre's own people, and the log of what they do. */
export async function openStaff({ accounts: { idleMinutes, sessionHours } }: NodeConfig, { clock, keys, random, store }: { readonly clock: Clock; readonly keys: Keys; readonly random: Random; readonly store: Store }): Promise<Pick<RunningServices, 'accounts' | 'audit' | 'sessions' | 'staff'>> {
  const sessions = new Sessions(clock, random, { idleSeconds: idleMinutes * 60, mostSeconds: sessionHours * 3600 });
  const hasher = new PasswordHasher(random);
  const accounts = new Accounts({ clock, hasher, memberId: keys.memberId, sessions, store });
  const audit = await AuditLog.open(store, clock, keys);
  return { accounts, audit, sessions, staff: new SignInStaff({ accounts, audit, clock, hasher, sessions }) };
}

/** The centre's staff directory, where one is configured. @throws CONFIG_INVALID where its files cannot be read */
export function openDirectory(stateDir: string, { http, oidc }: NodeConfig): { readonly provider: OpenIdDirectory; readonly roles: RoleGroups } | undefined {
  if (oidc === undefined) return undefined;
  const { caFile, clientSecretFile, roles, ...settings } = oidc;
  const secret = clientSecretFile === undefined ? {} : { clientSecret: readConfigured(stateDir, clientSecretFile, '/oidc/clientSecretFile').trim() };
  const ca = caFile === undefined ? {} : { ca: readConfigured(stateDir, caFile, '/oidc/caFile') };
  return { provider: new OpenIdDirectory({ ...settings, ...secret, ...ca, redirectUri: `${http.publicUrl}/v1/session/directory/callback` }), roles };
}

function readConfigured(stateDir: string, file: string, at: string): string {
  try {
    return readFileSync(path.resolve(stateDir, file), 'utf8');
  } catch {
    throw new ProtocolError('CONFIG_INVALID', { path: at, reason: 'not-readable' });
  }
}
