import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { anyObject, dictionary, kindShape, list, mappingNameShape, object, oneOf, optional, ProtocolError, recordIdShape, text, type Read } from '@huilian/protocol';
import { exportLetters } from '../../core/dead-letters/export-letters.js';
import { answers, pageQuery } from './answer-schemas.js';
import { Operator } from './caller.js';
import { Cursors } from './cursors.js';
import { daily, Declare, everyRole, jsonHeader, tokenHeader, type ActCall } from './declare-route.js';
import { readQuery } from './declared-guard.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const filter = {
  code: optional(text(/[A-Za-z0-9_-]{1,60}/, 60)),
  field: optional(text(/[A-Za-z0-9.]{1,81}/, 81)),
  file: optional(text(/[^/\\\u0000-\u001f]{1,255}/, 255)),
  kind: optional(kindShape),
  record: optional(recordIdShape),
};
const filterShape = object(filter);
const pageShape = object({ ...pageQuery, ...filter, order: optional(oneOf('newest', 'oldest')) });
const exportShape = object({ ...filter, format: optional(oneOf('csv', 'ndjson')) });
const letterIdShape = text(/\d{14}/, 14);
const mostCorrections = 1000;
const correctionShape = object({ id: letterIdShape, data: optional(anyObject()), mapping: optional(mappingNameShape), row: optional(dictionary(/[^\u0000-\u001f\u007f]{1,200}/, text(/[^]*/, 262_144), 500)) });
const retryShape = object({ corrections: optional(list(correctionShape, 1, mostCorrections)), cursor: pageQuery.cursor, filter: optional(filterShape) });
const listName = 'dead-letters';
/** What stands in an address may be anything. */
const letterObject = ({ params: { id } }: ActCall): string | undefined => (id !== undefined && /^\d{14}$/.test(id) ? id : undefined);

/** Rows that were refused: seen, exported, corrected and tried again by the operator of the node that refused them. */
@Controller('v1/dead-letters')
export class DeadLettersController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'deadLetters', en: 'rows that were refused, with reasons and suggestions; a page may be short', zh: '被拒绝的行，含原因与建议', who: 'operator', roles: everyRole, query: pageShape, answer: answers.deadLetters, codes: ['BAD_ID'], curl: `curl -s ${tokenHeader} "$NODE/v1/dead-letters?kind=entity&limit=20"` })
  @Get()
  public async list(@Operator() _operator: Caller, @Query() query: Record<string, string>): Promise<object> {
    const { cursor, limit = 100, order = 'newest', ...wanted } = readQuery({ query: pageShape }, query) as Read<typeof pageShape>;
    const question = { ...wanted, order };
    const from = cursor === undefined ? undefined : this.cursors.open(listName, question, cursor);
    const { place, ...page } = await this.services.letters.page(wanted, order, limit, from);
    return { ...page, ...(place === undefined ? {} : { cursor: this.cursors.seal(listName, question, place) }) };
  }

  @Declare({ id: 'exportDeadLetters', en: 'refused rows with their cells, to be corrected in a spreadsheet and tried again; formulas are neutralised in CSV', zh: '导出被拒绝的行（CSV 或 NDJSON）', who: 'operator', roles: daily, act: 'dead-letters.export', query: exportShape, answer: answers.exportedLetters, answerType: 'text/csv', codes: ['BAD_ID'], curl: `curl -s ${tokenHeader} "$NODE/v1/dead-letters/export?format=csv" -o refused.csv` })
  @Get('export')
  public export(@Operator() _operator: Caller, @Query() query: Record<string, string>, @Res() reply: FastifyReply): void {
    const { format = 'csv', ...wanted } = readQuery({ query: exportShape }, query) as Read<typeof exportShape>;
    void reply.status(200).header('content-type', format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson').send(Readable.from(exportLetters(this.services.letters, wanted, format), { objectMode: false }));
  }

  @Declare({ id: 'deadLetter', en: 'one refused row with its cells', zh: '单个被拒绝的行及其内容', who: 'operator', roles: daily, act: 'dead-letters.show', object: letterObject, answer: answers.deadLetter, codes: ['NOT_FOUND'], curl: `curl -s ${tokenHeader} $NODE/v1/dead-letters/$LETTER` })
  @Get(':id')
  public find(@Operator() _operator: Caller, @Param('id') id: string): object {
    return this.services.letters.open(id);
  }

  @Declare({
    id: 'retryDeadLetters', en: 'tries refused rows again, as they were or corrected; what comes in leaves the list', zh: '更正并重试被拒绝的行', who: 'operator', roles: daily, act: 'dead-letters.retry', secret: true, body: retryShape, bodyBytes: 4 * 1024 * 1024, answer: answers.retried, codes: ['NOT_FOUND', 'DISK_NEARLY_FULL', 'OUTBOX_TAIL_LOST', 'RESTORE_UNFINISHED'],
    curl: `curl -s ${tokenHeader} ${jsonHeader} -d '{"filter":{"kind":"entity"}}' $NODE/v1/dead-letters/retries`,
  })
  @Post('retries')
  @HttpCode(200)
  public async retry(@Operator() _operator: Caller, @Body() body: unknown): Promise<object> {
    const { corrections, cursor, filter: wanted } = retryShape.read(body);
    if ((corrections === undefined) === (wanted === undefined)) throw new ProtocolError('BAD_FIELD', { path: '/corrections', reason: 'one-of-corrections-filter' });
    const question = { ...wanted, order: 'retry' };
    const from = cursor === undefined ? {} : { from: this.cursors.open(listName, question, cursor) };
    const { place, ...report } = await this.services.letters.retry({ ...from, ...(corrections === undefined ? {} : { corrections }), ...(wanted === undefined ? {} : { filter: wanted }) });
    return { ...report, ...(place === undefined ? {} : { cursor: this.cursors.seal(listName, question, place) }) };
  }

  @Declare({ id: 'dropDeadLetter', en: 'takes one refused row off the list', zh: '移除单个被拒绝的行', who: 'operator', roles: daily, act: 'dead-letters.drop', object: letterObject, status: 204, codes: ['NOT_FOUND'], curl: `curl -s -X DELETE ${tokenHeader} $NODE/v1/dead-letters/$LETTER` })
  @Delete(':id')
  @HttpCode(204)
  public async drop(@Operator() _operator: Caller, @Param('id') id: string): Promise<void> {
    await this.services.letters.drop(id);
  }

  @Declare({ id: 'dropDeadLetters', en: 'takes the refused rows that fit off the list; at least one filter is needed', zh: '按条件移除被拒绝的行', who: 'operator', roles: daily, act: 'dead-letters.drop', query: filterShape, answer: answers.droppedLetters, codes: ['BAD_ID'], curl: `curl -s -X DELETE ${tokenHeader} "$NODE/v1/dead-letters?file=old.csv"` })
  @Delete()
  @HttpCode(200)
  public async dropAll(@Operator() _operator: Caller, @Query() query: Record<string, string>): Promise<object> {
    const wanted = readQuery({ query: filterShape }, query) as Read<typeof filterShape>;
    if (Object.keys(wanted).length === 0) throw new ProtocolError('BAD_FIELD', { path: '/file', reason: 'a-filter-is-needed' });
    return { dropped: await this.services.letters.dropAll(wanted) };
  }
}
