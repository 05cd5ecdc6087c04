import { ProtocolError, sha256Hex, utf8 } from '@huilian/protocol';
import type { AuditLog } from '../audit-log/audit-log.js';
import { Mutex } from '../mutex.js';
import type { Clock } from '../ports.js';
import type { AccountRow, StaffRole } from './account.js';
import type { Accounts } from './accounts.js';
import type { PasswordHasher } from './password-hash.js';
import type { Session, Sessions } from './sessions.js';
import { FailureCounts, failuresBeforeDelay } from './sign-in-failures.js';

export interface StaffSignInParts {
  readonly accounts: Accounts;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly hasher: PasswordHasher;
  readonly sessions: Sessions;
}

export interface BegunSession {
  /** Goes into the cookie and nowhere else. */
  readonly id: string;
  readonly session: Session;
}

/** Sign-ins that wait for their turn; a further one is turned away, for each costs a core some 0.2 s. */
const mostWaiting = 20;
const nobody = { role: 'none', who: 'unknown' };

/** Signs the centre's own people in. Each try is in the audit log before its answer leaves. */
export class SignInStaff {
  /** One try after another: no number of tries at the same moment is looked at before the first has failed. */
  private readonly turns = new Mutex();
  private waiting = 0;
  private readonly addresses: FailureCounts;
  private readonly strangers: FailureCounts;

  public constructor(private readonly parts: StaffSignInParts) {
    this.addresses = new FailureCounts(parts.clock, failuresBeforeDelay.address);
    this.strangers = new FailureCounts(parts.clock, failuresBeforeDelay.account);
  }

  /** @throws SIGN_IN_FAILED, SIGN_IN_LOCKED {waitSeconds, by}, ACCOUNT_DISABLED, RATE_LIMITED */
  public async byPassword(name: string, password: string, address: string): Promise<BegunSession> {
    return await this.begin(await this.checkPassword(name, password, address));
  }

  /** Somebody that the centre's directory vouches for. @throws ACCOUNT_DISABLED */
  public async byDirectory(name: string, role: StaffRole): Promise<BegunSession> {
    return await this.begin(await this.parts.accounts.ofDirectory(name, role).catch(async (error: unknown) => {
      if (error instanceof ProtocolError && error.code === 'ACCOUNT_DISABLED') await this.note(name, error);
      throw error;
    }));
  }

  /** A sign-in by the directory that came to nothing. It counts for its address, unless the directory was away. */
  public async directoryRefused(error: ProtocolError, address: string): Promise<void> {
    if (error.code !== 'DIRECTORY_UNAVAILABLE') this.addresses.failed(address);
    await this.parts.audit.append(nobody, 'session.sign-in', error.code);
  }

  /** @throws SIGN_IN_LOCKED {waitSeconds, by} after too many failures of an address */
  public requireFree(address: string): void {
    refuseWhile(this.addresses.waits(address), 'address');
  }

  /** Another password of one's own, by the old one; ends all sessions of the account. @throws as byPassword, PASSWORD_WEAK */
  public async changePassword(name: string, old: string, next: string, address: string): Promise<void> {
    await this.checkPassword(name, old, address);
    await this.parts.accounts.setPassword(name, next);
  }

  /** The session of an id where its account still is what it was; undefined otherwise. */
  public find(id: string): Session | undefined {
    const session = this.parts.sessions.find(id);
    if (session === undefined) return undefined;
    const row = this.parts.accounts.row(session.account);
    if (row !== undefined && !row.disabled && row.role === session.role && row.password?.salt === session.salt) return session;
    this.parts.sessions.end(session.handle);
    return undefined;
  }

  private async checkPassword(name: string, password: string, address: string): Promise<AccountRow> {
    if (this.waiting >= mostWaiting) throw new ProtocolError('RATE_LIMITED');
    this.waiting += 1;
    try {
      return await this.turns.run(async () => await this.tryPassword(name, password, address));
    } finally {
      this.waiting -= 1;
    }
  }

  private async tryPassword(name: string, password: string, address: string): Promise<AccountRow> {
    const { accounts, clock, hasher } = this.parts;
    const row = accounts.row(name);
    const stranger = sha256Hex(utf8(name));
    const waitOfAccount = row === undefined ? this.strangers.waits(stranger) : row.lockedUntil - Math.floor(clock.now() / 1000);
    this.requireFree(address);
    refuseWhile(waitOfAccount, 'account');
    if (!(await hasher.matches(password, row?.password)) || row === undefined) {
      this.addresses.failed(address);
      if (row === undefined) this.strangers.failed(stranger);
      await accounts.failed(name);
      return await this.refuse(row?.name, new ProtocolError('SIGN_IN_FAILED'));
    }
    if (row.disabled) return await this.refuse(name, new ProtocolError('ACCOUNT_DISABLED'));
    this.addresses.forgive(address, row.failures);
    return await accounts.signedIn(row, password);
  }

  private async refuse(name: string | undefined, error: ProtocolError): Promise<never> {
    await this.note(name, error);
    throw error;
  }

  /** A name that no account has is not written down: it may be a password in the wrong field. */
  private async note(name: string | undefined, error: ProtocolError): Promise<void> {
    const role = name === undefined ? undefined : this.parts.accounts.row(name)?.role;
    await this.parts.audit.append(name === undefined || role === undefined ? nobody : { role, who: name }, 'session.sign-in', error.code);
  }

  private async begin(row: AccountRow): Promise<BegunSession> {
    await this.parts.audit.append({ role: row.role, who: row.name }, 'session.sign-in', 'done');
    return this.parts.sessions.begin(row);
  }
}

function refuseWhile(seconds: number, by: 'account' | 'address'): void {
  if (seconds > 0) throw new ProtocolError('SIGN_IN_LOCKED', { by, waitSeconds: seconds });
}
