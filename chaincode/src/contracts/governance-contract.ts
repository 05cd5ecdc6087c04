import { Context, Info, Transaction } from 'fabric-contract-api';
import { limits } from '@huilian/protocol';
import { found, propose, rotateMemberKeys, vote } from '../rules/governance-rules.js';
import { RuleContract } from './rule-contract.js';

@Info({ title: 'governance', description: 'Founding, members, votes' })
export class GovernanceContract extends RuleContract {
  public constructor() {
    super('governance');
  }

  @Transaction()
  public async found(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.proposeBytes, found);
  }

  @Transaction()
  public async propose(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.proposeBytes, propose);
  }

  @Transaction()
  public async approve(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, async (ruleContext, argument) => await vote(ruleContext, argument, 'approve'));
  }

  @Transaction()
  public async reject(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, async (ruleContext, argument) => await vote(ruleContext, argument, 'reject'));
  }

  @Transaction()
  public async rotateMemberKeys(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, rotateMemberKeys);
  }
}
