import { Context, Info, Transaction } from 'fabric-contract-api';
import { limits } from '@huilian/protocol';
import { openAccess } from '../rules/open-access.js';
import { revokeGrant } from '../rules/revoke-grant.js';
import { setPolicy } from '../rules/set-policy.js';
import { confirmReceipts, disputeTicket, refuseTicket } from '../rules/settle-ticket.js';
import { RuleContract } from './rule-contract.js';

@Info({ title: 'access', description: 'Tickets, receipts, revocations, policies' })
export class AccessContract extends RuleContract {
  public constructor() {
    super('access');
  }

  @Transaction()
  public async open(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.openBytes, openAccess);
  }

  @Transaction()
  public async confirm(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.openBytes, confirmReceipts);
  }

  @Transaction()
  public async refuse(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, refuseTicket);
  }

  @Transaction()
  public async dispute(context: Context, _argument: string): Promise<string> {
    return await this.runJson(context, limits.argumentBytes, disputeTicket);
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
