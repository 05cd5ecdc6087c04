import { Context, Info, Transaction } from 'fabric-contract-api';
import { limits } from '@huilian/protocol';
import { expose, publish } from '../rules/record-rules.js';
import { RuleContract } from './rule-contract.js';

@Info({ title: 'records', description: 'Batches of record headers' })
export class RecordsContract extends RuleContract {
  public constructor() {
    super('records');
  }

  @Transaction()
  public async publish(context: Context, _argument: string): Promise<string> {
    return await this.runBytes(context, limits.batchCompressedBytes, publish);
  }

  @Transaction()
  public async expose(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, expose);
  }
}
