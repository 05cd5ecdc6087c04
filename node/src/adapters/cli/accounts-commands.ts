import { Command, Option, SubCommand } from './declared-commands.js';
import { ProtocolError } from '@huilian/protocol';
import type { AccountView } from '../../core/accounts/account.js';
import { readText } from './command-files.js';
import { given, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { typedPassphrase } from './terminal.js';

interface PasswordOptions extends StateOptions {
  readonly passwordFile?: string;
}

interface AddOptions extends PasswordOptions {
  readonly role?: string;
}

/** From the file named (`-` is standard input), else HUILIAN_ACCOUNT_PASSWORD, else typed unseen, twice; never an argument, which every process of the machine can read. */
async function passwordOf({ passwordFile }: PasswordOptions): Promise<string> {
  if (passwordFile === undefined) return await typedPassphrase('HUILIAN_ACCOUNT_PASSWORD', 'password of the account / 账号密码', true);
  return readText(passwordFile === '-' ? '/dev/stdin' : passwordFile).replace(/\r?\n$/, '');
}

abstract class PasswordCommand<Options extends PasswordOptions> extends StateCommand<Options> {
  @Option({ flags: '--password-file <file>', description: 'file with the password, - for standard input (default: $HUILIAN_ACCOUNT_PASSWORD, else asked for) / 密码文件' })
  public parsePasswordFile(value: string): string {
    return value;
  }
}

/** What an account is told to be, by the running node of the state folder. */
async function changed(options: StateOptions, name: string | undefined, route: string, body: object = {}): Promise<CommandResult> {
  const account = (await NodeApi.open(stateFolder(options)).post(`/v1/accounts/${encodeURIComponent(given(name, '<name>'))}/${route}`, body)) as AccountView;
  return { json: account, text: describe(account) };
}

@SubCommand({ name: 'list', description: "accounts of the centre's people / 账号列表。Example: huilian accounts list --state ./state" })
export class ListAccountsCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const items = (await NodeApi.open(stateFolder(options)).all('/v1/accounts')) as readonly AccountView[];
    return { json: { items }, text: items.length === 0 ? 'no accounts: huilian accounts add NAME --role administrator / 尚无账号' : items.map(describe).join('\n') };
  }
}

@SubCommand({ name: 'add', arguments: '<name>', description: 'an account with its role and first password / 新增账号。Example: huilian accounts add wang.wei --role administrator --password-file ./password' })
export class AddAccountCommand extends PasswordCommand<AddOptions> {
  protected async act([name]: readonly string[], options: AddOptions): Promise<CommandResult> {
    const role = given(options.role, '--role');
    const account = (await NodeApi.open(stateFolder(options)).post('/v1/accounts', { name: given(name, '<name>'), role, password: await passwordOf(options) })) as AccountView;
    return { json: account, text: describe(account) };
  }

  @Option({ flags: '--role <role>', description: 'administrator, operator, auditor / 角色：管理员、操作员、审计员' })
  public parseRole(value: string): string {
    return value;
  }
}

@SubCommand({ name: 'passwd', arguments: '<name>', description: 'another password; its sessions end / 重设密码。Example: huilian accounts passwd wang.wei' })
export class SetPasswordCommand extends PasswordCommand<PasswordOptions> {
  protected async act([name]: readonly string[], options: PasswordOptions): Promise<CommandResult> {
    return await changed(options, name, 'password', { password: await passwordOf(options) });
  }
}

@SubCommand({ name: 'role', arguments: '<name> <role>', description: 'another role, at once; its sessions end / 变更角色。Example: huilian accounts role wang.wei auditor' })
export class SetRoleCommand extends StateCommand<StateOptions> {
  protected async act([name, role]: readonly string[], options: StateOptions): Promise<CommandResult> {
    return await changed(options, name, 'role', { role: given(role, '<role>') });
  }
}

@SubCommand({ name: 'disable', arguments: '<name>', description: 'no sign-in any more; its sessions end / 停用账号。Example: huilian accounts disable wang.wei' })
export class DisableAccountCommand extends StateCommand<StateOptions> {
  protected async act([name]: readonly string[], options: StateOptions): Promise<CommandResult> {
    return await changed(options, name, 'disable');
  }
}

@SubCommand({ name: 'enable', arguments: '<name>', description: 'sign-in again / 启用账号。Example: huilian accounts enable wang.wei' })
export class EnableAccountCommand extends StateCommand<StateOptions> {
  protected async act([name]: readonly string[], options: StateOptions): Promise<CommandResult> {
    return await changed(options, name, 'enable');
  }
}

@SubCommand({ name: 'unlock', arguments: '<name>', description: 'no more waiting after failed sign-ins / 解除登录锁定。Example: huilian accounts unlock wang.wei' })
export class UnlockAccountCommand extends StateCommand<StateOptions> {
  protected async act([name]: readonly string[], options: StateOptions): Promise<CommandResult> {
    return await changed(options, name, 'unlock');
  }
}

@Command({
  name: 'accounts',
  description: "the centre's own people, who sign in at the console of the running node: list, add, passwd, role, disable, enable, unlock / 本中心人员账号。Example: huilian accounts add wang.wei --role administrator",
  subCommands: [ListAccountsCommand, AddAccountCommand, SetPasswordCommand, SetRoleCommand, DisableAccountCommand, EnableAccountCommand, UnlockAccountCommand],
})
export class AccountsCommand extends StateCommand<StateOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: '<command>', reason: 'one of list, add, passwd, role, disable, enable, unlock' }));
  }
}

function describe({ disabled, lockedUntil, name, role, signedInAt, source }: AccountView): string {
  const waits = lockedUntil * 1000 > Date.now() ? `  waits until 锁定至 ${timeOf(lockedUntil)}` : '';
  return `${name}  ${role}  ${source}${disabled ? '  disabled 已停用' : ''}${waits}  last sign-in 最近登录 ${signedInAt === undefined ? '-' : timeOf(signedInAt)}`;
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
