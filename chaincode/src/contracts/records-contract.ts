import { Context, Info, Transaction } from 'fabric-contract-api';
import { limits } from '@huilian/protocol';
import { attestRecord } from '../rules/attest-record.js';
import { declareRows } from '../rules/declare-rows.js';
import { exposeRecord } from '../rules/expose-record.js';
import { publishBatch } from '../rules/publish-batch.js';
import { stateOnRecord } from '../rules/state-on-record.js';
import { RuleContract } from './rule-contract.js';

@Info({ title: 'records', description: 'Batches of record headers' })
export class RecordsContract extends RuleContract {
  public constructor() {
    super('records');
  }

  /** The argument is the raw DEFLATE of the batch, not JSON. */
  @Transaction()
  public async publish(context: Context, _argument: string): Promise<string> {
    return await this.runBytes(context, limits.batchCompressedBytes, publishBatch);
  }

  @Transaction()
  public async declare(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, declareRows);
  }

  @Transaction()
  public async expose(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, exposeRecord);
  }

  @Transaction()
  public async attest(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, attestRecord);
  }

  @Transaction()
  public async state(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, stateOnRecord);
  }
}
