import { Controller, Get, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { anyOwnerShape, kindShape, memberIdShape, object, oneOf, optional, ownerIdShape, ProtocolError, type Read } from '@huilian/protocol';
import type { ExportOrder } from '../../core/export/export-records.js';
import { textAnswer } from './answer-schemas.js';
import { Operator, SignedIn } from './caller.js';
import { readQuery } from './declared-guard.js';
import { daily, Declare, everyRole, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { OperatorCaller, SignedInCaller } from './sign-in.js';

const yesOrNo = optional(oneOf('true', 'false'));
const format = optional(oneOf('csv', 'ndjson'));
const status = optional(oneOf('active', 'revoked', 'contested'));
const headersQuery = object({ bom: yesOrNo, format, kind: optional(kindShape), owner: optional(anyOwnerShape), publisher: optional(memberIdShape), status, subject: optional(ownerIdShape) });
const payloadsQuery = object({ bom: yesOrNo, format, kind: optional(kindShape), owner: optional(anyOwnerShape), personal: yesOrNo, status, subject: optional(ownerIdShape) });
const types = { csv: 'text/csv; charset=utf-8', ndjson: 'application/x-ndjson' } as const;
/** Each keeps a walk through the store open. */
const mostAtOnce = 4;

/** Query results as a file: headers for every signed-in caller, own payloads for those who work with them. */
@Controller('v1/export')
export class ExportController {
  private underWay = 0;

  public constructor(private readonly services: NodeServices) {}

  @Declare({
    id: 'exportHeaders', en: 'headers of records as CSV or NDJSON; whole only where the answer ends by itself', zh: '导出记录头', who: 'signed-in', roles: everyRole, query: headersQuery,
    answer: textAnswer, answerType: 'text/csv', codes: ['BAD_ID'], curl: `curl -s ${tokenHeader} "$NODE/v1/export?format=csv&kind=credit"`,
  })
  @Get()
  public async headers(@SignedIn() _caller: SignedInCaller, @Query() query: Record<string, string>, @Res() reply: FastifyReply): Promise<void> {
    const { bom, format: wanted, ...filter } = readQuery({ query: headersQuery }, query) as Read<typeof headersQuery>;
    await this.send(reply, { ...formOf(wanted, bom), content: 'headers', filter, personal: false });
  }

  @Declare({
    id: 'exportPayloads', en: "this centre's own records with their data as CSV or NDJSON; whole only where the answer ends by itself", zh: '导出本方数据', who: 'operator', roles: daily, act: 'records.export', query: payloadsQuery,
    answer: textAnswer, answerType: 'text/csv', codes: ['BAD_ID'], curl: `curl -s ${tokenHeader} "$NODE/v1/export/payloads?kind=performance&bom=true"`,
  })
  @Get('payloads')
  public async payloads(@Operator() _operator: OperatorCaller, @Query() query: Record<string, string>, @Res() reply: FastifyReply): Promise<void> {
    const { bom, format: wanted, personal, ...filter } = readQuery({ query: payloadsQuery }, query) as Read<typeof payloadsQuery>;
    await this.send(reply, { ...formOf(wanted, bom), content: 'payloads', filter, personal: personal === 'true' });
  }

  /** @throws RATE_LIMITED, BAD_FIELD */
  private async send(reply: FastifyReply, order: ExportOrder): Promise<void> {
    if (this.underWay >= mostAtOnce) throw new ProtocolError('RATE_LIMITED', { reason: 'exports-under-way' });
    const pieces = await this.services.exportRecords(order);
    void reply.status(200)
      .header('content-type', types[order.format])
      .header('content-disposition', `attachment; filename="records.${order.format}"`)
      .send(Readable.from(this.counted(pieces), { objectMode: false }));
  }

  /** What fails in the middle breaks the answer off: nobody takes a part for the whole. */
  private async *counted(pieces: AsyncGenerator<string>): AsyncGenerator<string> {
    this.underWay += 1;
    try {
      yield* pieces;
    } catch (error) {
      this.services.reportFault(error);
      throw error;
    } finally {
      this.underWay -= 1;
    }
  }
}

/** @throws BAD_FIELD */
function formOf(wanted: ExportOrder['format'] = 'csv', bom?: 'false' | 'true'): Pick<ExportOrder, 'bom' | 'format'> {
  if (bom === 'true' && wanted !== 'csv') throw new ProtocolError('BAD_FIELD', { path: '/bom', reason: 'csv-only' });
  return { bom: bom === 'true', format: wanted };
}
