import { Context, Info, Transaction } from 'fabric-contract-api';
import { limits } from '@huilian/protocol';
import { registerOwner, rotateOwnerKey } from '../rules/owner-keys.js';
import { objectRecovery, recoverOwner } from '../rules/recover-owner.js';
import { certifiedCommand } from './certified-command.js';
import { RuleContract } from './rule-contract.js';

@Info({ title: 'entities', description: 'Keys of owners' })
export class EntitiesContract extends RuleContract {
  public constructor() {
    super('entities');
  }

  @Transaction()
  public async register(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, async (facts, argument) => await registerOwner(facts, certifiedCommand(context, argument)));
  }

  @Transaction()
  public async rotateKey(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, rotateOwnerKey);
  }

  @Transaction()
  public async recover(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, async (facts, argument) => await recoverOwner(facts, certifiedCommand(context, argument)));
  }

  @Transaction()
  public async objectRecovery(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, objectRecovery);
  }
}
