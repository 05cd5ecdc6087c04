import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { object, type ErrorCode } from '@huilian/protocol';
import { accountNameShape, anyAccountNameShape, staffRoleShape } from '../../core/accounts/account.js';
import { inBody, parameter } from './act-objects.js';
import { answers } from './answer-schemas.js';
import { Cursors, listQuery, readPage } from './cursors.js';
import { administrators, Declare, jsonHeader, oversight, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import { typedPasswordShape } from './sessions-controller.js';

const addShape = object({ name: accountNameShape, password: typedPasswordShape, role: staffRoleShape });
const roleShape = object({ role: staffRoleShape });
const newPasswordShape = object({ password: typedPasswordShape });
const codes: readonly ErrorCode[] = ['ACCOUNT_UNKNOWN'];
const named = parameter('account');
const call = (rest: string, body?: string): string => `curl -s -X POST ${tokenHeader} ${body === undefined ? '' : `${jsonHeader} -d "${body}" `}$NODE/v1/accounts${rest}`;

/** Accounts of the centre's own people. Those of its staff directory appear with their first sign-in. */
@Controller('v1/accounts')
export class AccountsController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'accounts', en: "accounts of the centre's people", zh: '本中心人员账号', who: 'operator', roles: oversight, query: listQuery, answer: answers.accounts, curl: `curl -s ${tokenHeader} $NODE/v1/accounts` })
  @Get()
  public async list(@Query() query: Record<string, string>): Promise<object> {
    return this.cursors.page('accounts', await this.services.accounts.list(), readPage(query));
  }

  @Declare({ id: 'account', en: 'one account', zh: '单个账号', who: 'operator', roles: oversight, answer: answers.account, codes, curl: `curl -s ${tokenHeader} $NODE/v1/accounts/$ACCOUNT` })
  @Get(':account')
  public find(@Param('account') name: string): object {
    return this.services.accounts.find(anyAccountNameShape.read(name));
  }

  @Declare({ id: 'addAccount', en: 'another account, with its role and first password', zh: '新增账号', who: 'operator', roles: administrators, act: 'account.add', object: inBody('name'), body: addShape, secret: true, bodyBytes: 4096, answer: answers.account, status: 201, codes: ['ACCOUNT_EXISTS', 'PASSWORD_WEAK'], curl: call('', '{\\"name\\":\\"$NEW_ACCOUNT\\",\\"role\\":\\"auditor\\",\\"password\\":\\"$PASSWORD\\"}') })
  @Post()
  public async add(@Body() body: unknown): Promise<object> {
    const { name, password, role } = addShape.read(body);
    return await this.services.accounts.add(name, role, password);
  }

  @Declare({ id: 'setRole', en: 'another role; takes effect at once, the sessions end', zh: '变更角色，立即生效', who: 'operator', roles: administrators, act: 'account.role', object: named, body: roleShape, answer: answers.account, codes: [...codes, 'ACCOUNT_OF_DIRECTORY'], curl: call('/$ACCOUNT/role', '{\\"role\\":\\"operator\\"}') })
  @Post(':account/role')
  @HttpCode(200)
  public async setRole(@Param('account') name: string, @Body() body: unknown): Promise<object> {
    return await this.services.accounts.setRole(anyAccountNameShape.read(name), roleShape.read(body).role);
  }

  @Declare({ id: 'setPassword', en: 'another password; the sessions end', zh: '重设密码，会话随即结束', who: 'operator', roles: administrators, act: 'account.password', object: named, body: newPasswordShape, secret: true, bodyBytes: 4096, answer: answers.account, codes: [...codes, 'ACCOUNT_OF_DIRECTORY', 'PASSWORD_WEAK'], curl: call('/$ACCOUNT/password', '{\\"password\\":\\"$PASSWORD\\"}') })
  @Post(':account/password')
  @HttpCode(200)
  public async setPassword(@Param('account') name: string, @Body() body: unknown): Promise<object> {
    return await this.services.accounts.setPassword(anyAccountNameShape.read(name), newPasswordShape.read(body).password);
  }

  @Declare({ id: 'disableAccount', en: 'no sign-in any more; the sessions end', zh: '停用账号，会话随即结束', who: 'operator', roles: administrators, act: 'account.disable', object: named, answer: answers.account, codes, curl: call('/$ACCOUNT/disable') })
  @Post(':account/disable')
  @HttpCode(200)
  public async disable(@Param('account') name: string): Promise<object> {
    return await this.services.accounts.setDisabled(anyAccountNameShape.read(name), true);
  }

  @Declare({ id: 'enableAccount', en: 'sign-in again', zh: '重新启用账号', who: 'operator', roles: administrators, act: 'account.enable', object: named, answer: answers.account, codes, curl: call('/$ACCOUNT/enable') })
  @Post(':account/enable')
  @HttpCode(200)
  public async enable(@Param('account') name: string): Promise<object> {
    return await this.services.accounts.setDisabled(anyAccountNameShape.read(name), false);
  }

  @Declare({ id: 'unlockAccount', en: 'no more waiting after failed sign-ins', zh: '解除登录失败后的等待', who: 'operator', roles: administrators, act: 'account.unlock', object: named, answer: answers.account, codes, curl: call('/$ACCOUNT/unlock') })
  @Post(':account/unlock')
  @HttpCode(200)
  public async unlock(@Param('account') name: string): Promise<object> {
    return await this.services.accounts.unlock(anyAccountNameShape.read(name));
  }
}
