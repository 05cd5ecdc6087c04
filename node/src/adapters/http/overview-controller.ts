import { Controller, Get, Query } from '@nestjs/common';
import { integer, memberIdShape, object, optional, ownerIdShape, purposeNames, oneOf, recordIdShape, type Read } from '@huilian/protocol';
import type { IndexedTicket } from '../../core/indexing/read-model.js';
import { answers, pageQuery } from './answer-schemas.js';
import { Operator, SignedIn } from './caller.js';
import { Cursors } from './cursors.js';
import { readQuery } from './declared-guard.js';
import { Declare, everyRole, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller, SignedInCaller } from './sign-in.js';

const accessQuery = object({
  ...pageQuery,
  owner: optional(ownerIdShape),
  publisher: optional(memberIdShape),
  purpose: optional(oneOf(...purposeNames)),
  reader: optional(memberIdShape),
  record: optional(recordIdShape),
  since: optional(integer(0)),
  until: optional(integer(0)),
});

/** What the console shows of the node as a whole, and who read what. */
@Controller('v1')
export class OverviewController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'overview', en: 'the node at a glance: ledger, outbox, peers, alerts, what the last days brought', zh: '节点概览：账本、发件箱、对端、告警、近日发布与访问', who: 'operator', roles: everyRole, answer: answers.overview, curl: `curl -s ${tokenHeader} $NODE/v1/overview` })
  @Get('overview')
  public async overview(@Operator() _operator: Caller): Promise<object> {
    return await this.services.overview();
  }

  /** Headers of accesses are on the ledger, for every member to see. */
  @Declare({ id: 'accesses', en: 'accesses on the ledger, newest first: who read whose records, for what; a page may be short', zh: '账本上的访问记录，由新到旧：谁因何用途读取了谁的记录；一页可能不满', who: 'signed-in', roles: everyRole, query: accessQuery, answer: answers.accesses, codes: ['BAD_ID'], curl: `curl -s ${tokenHeader} "$NODE/v1/accesses?publisher=$MEMBER&limit=5"` })
  @Get('accesses')
  public async accesses(@SignedIn() _caller: SignedInCaller, @Query() query: Record<string, string>): Promise<object> {
    const { cursor, limit = 100, ...filter } = readQuery({ query: accessQuery }, query) as Read<typeof accessQuery>;
    const from = cursor === undefined ? {} : { cursor: this.cursors.open('accesses', filter, cursor) };
    const { cursor: place, items } = await this.services.readModel.accesses({ ...filter, ...from, limit });
    return { items: items.map(viewOf), ...(place === undefined ? {} : { cursor: this.cursors.seal('accesses', filter, place) }) };
  }
}

function viewOf({ block, confirmed, disputed, id, ticket, transactionTime }: IndexedTicket & { readonly id: string }): object {
  const { basis, claims, expires, owner, publisher, purpose, reader, records, refused, slot } = ticket;
  return {
    at: transactionTime,
    basis: { digest: basis.digest, kind: basis.kind },
    block,
    claims,
    confirmed: confirmed !== undefined,
    disputed: disputed === true,
    expires,
    ...(owner === '' ? {} : { owner }),
    publisher,
    purpose,
    reader,
    records: records.map(({ recordId, version }) => ({ recordId, version })),
    ...(refused === undefined ? {} : { refused }),
    ...(slot === undefined ? {} : { slot }),
    ticket: id,
  };
}
