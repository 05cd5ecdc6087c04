import { Context, Info, Transaction } from 'fabric-contract-api';
import { limits } from '@huilian/protocol';
import { acknowledgeDocuments } from '../rules/acknowledge-documents.js';
import { approve, propose, reject } from '../rules/decide-proposal.js';
import { foundConsortium } from '../rules/found-consortium.js';
import { rotateMemberKeys } from '../rules/rotate-member-keys.js';
import { RuleContract } from './rule-contract.js';

@Info({ title: 'governance', description: 'Founding, members, votes' })
export class GovernanceContract extends RuleContract {
  public constructor() {
    super('governance');
  }

  @Transaction()
  public async found(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.proposeBytes, foundConsortium);
  }

  @Transaction()
  public async propose(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.proposeBytes, propose);
  }

  @Transaction()
  public async approve(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, approve);
  }

  @Transaction()
  public async reject(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, reject);
  }

  @Transaction()
  public async acknowledge(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, acknowledgeDocuments);
  }

  @Transaction()
  public async rotateMemberKeys(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, rotateMemberKeys);
  }
}
