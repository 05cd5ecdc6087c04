import { Context, Info, Transaction } from 'fabric-contract-api';
import { limits } from '@huilian/protocol';
import { confirm, dispute, open, refuse, setPolicy } from '../rules/access-rules.js';
import { revokeGrant } from '../rules/entity-rules.js';
import { RuleContract } from './rule-contract.js';

@Info({ title: 'access', description: 'Tickets, receipts, revocations, policies' })
export class AccessContract extends RuleContract {
  public constructor() {
    super('access');
  }

  @Transaction()
  public async open(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.openBytes, open);
  }

  @Transaction()
  public async confirm(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.openBytes, confirm);
  }

  @Transaction()
  public async refuse(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, refuse);
  }

  @Transaction()
  public async dispute(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, dispute);
  }

  @Transaction()
  public async revokeGrant(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, revokeGrant);
  }

  @Transaction()
  public async setPolicy(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, setPolicy);
  }
}
