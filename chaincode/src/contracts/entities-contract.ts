import { Context, Info, Transaction } from 'fabric-contract-api';
import { certificateTransientField, limits } from '@huilian/protocol';
import { objectRecovery, readChain, recoverOwner, register, rotateKey } from '../rules/entity-rules.js';
import { RuleContract } from './rule-contract.js';

@Info({ title: 'entities', description: 'Keys of owners' })
export class EntitiesContract extends RuleContract {
  public constructor() {
    super('entities');
  }

  @Transaction()
  public async register(context: Context, _argument: string): Promise<string> {
    const chain = readChain(context.stub.getTransient().get(certificateTransientField));
    return await this.runJson(context, limits.argumentBytes, async (ruleContext, argument) => await register(ruleContext, argument, chain));
  }

  @Transaction()
  public async rotateKey(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, rotateKey);
  }

  @Transaction()
  public async recover(context: Context, _argument: string): Promise<string> {
    const chain = readChain(context.stub.getTransient().get(certificateTransientField));
    return await this.runJson(context, limits.argumentBytes, async (ruleContext, argument) => await recoverOwner(ruleContext, argument, chain));
  }

  @Transaction()
  public async objectRecovery(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, objectRecovery);
  }
}
