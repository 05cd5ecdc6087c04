import { ProtocolError, utf8 } from '@huilian/protocol';
import { pastPrefix } from '../indexing/index-keys.js';
import { Mutex } from '../mutex.js';
import type { Clock, Store } from '../ports.js';
import { accountKey, accountPrefix, decodeAccount, encodeAccount, viewOf, type AccountRow, type AccountView, type StaffRole } from './account.js';
import { checkPassword } from './password-rules.js';
import type { PasswordHasher } from './password-hash.js';
import type { Sessions } from './sessions.js';
import { failuresBeforeDelay, oneMoreFailure } from './sign-in-failures.js';

export interface AccountParts {
  readonly clock: Clock;
  readonly hasher: PasswordHasher;
  readonly memberId: string;
  readonly sessions: Sessions;
  readonly store: Store;
}

const noAccountKey = 'sign-in/no-account';

/** The centre's own people. What changes what one may do ends that one's sessions. */
export class Accounts {
  /** Changes run one after another, so that none undoes another. */
  private readonly changes = new Mutex();

  public constructor(private readonly parts: AccountParts) {}

  /** @throws ACCOUNT_EXISTS, PASSWORD_WEAK */
  public async add(name: string, role: StaffRole, password: string): Promise<AccountView> {
    return await this.changes.run(async () => {
      if (this.row(name) !== undefined) throw new ProtocolError('ACCOUNT_EXISTS', { account: name });
      checkPassword(password, name, this.parts.memberId);
      const now = this.now();
      return viewOf(await this.keep({ createdAt: now, disabled: false, failures: 0, lockedUntil: 0, name, password: await this.parts.hasher.hash(password), passwordAt: now, role, source: 'local' }));
    });
  }

  public async list(): Promise<readonly AccountView[]> {
    const found: AccountView[] = [];
    for await (const [, bytes] of this.parts.store.entries({ gte: accountPrefix, lt: pastPrefix(accountPrefix) })) found.push(viewOf(decodeAccount(bytes)));
    return found;
  }

  /** @throws ACCOUNT_UNKNOWN */
  public find(name: string): AccountView {
    return viewOf(this.required(name));
  }

  /** With the hash, for who signs in; undefined where there is none. */
  public row(name: string): AccountRow | undefined {
    const bytes = this.parts.store.get(accountKey(name));
    return bytes === undefined ? undefined : decodeAccount(bytes);
  }

  /** @throws ACCOUNT_UNKNOWN, ACCOUNT_OF_DIRECTORY */
  public async setRole(name: string, role: StaffRole): Promise<AccountView> {
    return await this.change(name, (row) => ({ ...ownRow(row), role }));
  }

  /** Also ends a delay after failures, for the one who failed has a new password. @throws ACCOUNT_UNKNOWN, ACCOUNT_OF_DIRECTORY, PASSWORD_WEAK */
  public async setPassword(name: string, password: string): Promise<AccountView> {
    return await this.change(name, async (row) => {
      ownRow(row);
      checkPassword(password, name, this.parts.memberId);
      return { ...row, failures: 0, lockedUntil: 0, password: await this.parts.hasher.hash(password), passwordAt: this.now() };
    });
  }

  /** @throws ACCOUNT_UNKNOWN */
  public async setDisabled(name: string, disabled: boolean): Promise<AccountView> {
    return await this.change(name, (row) => ({ ...row, disabled }));
  }

  /** Ends the delay after failures. @throws ACCOUNT_UNKNOWN */
  public async unlock(name: string): Promise<AccountView> {
    return await this.changes.run(async () => viewOf(await this.keep({ ...this.required(name), failures: 0, lockedUntil: 0 })));
  }

  /** One of the staff directory, as it says now. @throws ACCOUNT_DISABLED */
  public async ofDirectory(name: string, role: StaffRole): Promise<AccountRow> {
    return await this.changes.run(async () => {
      const now = this.now();
      const before = this.row(name) ?? { createdAt: now, disabled: false, failures: 0, lockedUntil: 0, name, role, source: 'directory' as const };
      if (before.disabled) throw new ProtocolError('ACCOUNT_DISABLED');
      if (before.role !== role) this.parts.sessions.endAll(name);
      return await this.keep({ ...before, role, signedInAt: now });
    });
  }

  /** A failure of an account, or of a name that is none: it takes as long. */
  public async failed(name: string): Promise<void> {
    await this.changes.run(async () => {
      const row = this.row(name);
      if (row === undefined) await this.parts.store.write([{ key: noAccountKey, value: utf8(String(this.now())) }]);
      else await this.keep({ ...row, ...oneMoreFailure(row, failuresBeforeDelay.account, this.now()) });
    });
  }

  /**
   * The password of the row was right. One that was hashed with older settings is hashed again.
   * @throws SIGN_IN_FAILED where it was changed meanwhile
   */
  public async signedIn({ name, password: checked }: AccountRow, password: string): Promise<AccountRow> {
    return await this.changes.run(async () => {
      const row = this.required(name);
      if (row.password?.salt !== checked?.salt) throw new ProtocolError('SIGN_IN_FAILED');
      const renewed = row.password !== undefined && this.parts.hasher.isOutdated(row.password) ? { password: await this.parts.hasher.hash(password) } : {};
      return await this.keep({ ...row, ...renewed, failures: 0, lockedUntil: 0, signedInAt: this.now() });
    });
  }

  private async change(name: string, next: (row: AccountRow) => AccountRow | Promise<AccountRow>): Promise<AccountView> {
    return await this.changes.run(async () => {
      const view = viewOf(await this.keep(await next(this.required(name))));
      this.parts.sessions.endAll(name);
      return view;
    });
  }

  private async keep(row: AccountRow): Promise<AccountRow> {
    await this.parts.store.write([{ key: accountKey(row.name), value: encodeAccount(row) }]);
    return row;
  }

  private required(name: string): AccountRow {
    const row = this.row(name);
    if (row === undefined) throw new ProtocolError('ACCOUNT_UNKNOWN');
    return row;
  }

  private now(): number {
    return Math.floor(this.parts.clock.now() / 1000);
  }
}

/** One that was made here. @throws ACCOUNT_OF_DIRECTORY: role and password of others are the directory's */
function ownRow(row: AccountRow): AccountRow {
  if (row.source === 'directory') throw new ProtocolError('ACCOUNT_OF_DIRECTORY');
  return row;
}
