import { Controller, Get, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { integer, object, oneOf, optional, text, type JsonObject, type Read } from '@huilian/protocol';
import { anyAccountNameShape } from '../../core/accounts/account.js';
import { acts } from '../../core/audit-log/acts.js';
import { answers, pageQuery } from './answer-schemas.js';
import { Cursors } from './cursors.js';
import { Declare, oversight, tokenHeader } from './declare-route.js';
import { readQuery } from './declared-guard.js';
import { NodeServices } from './node-services.js';
import { streamType } from './read-bodies.js';

const groups = [...new Set(acts.map((act) => act.slice(0, act.indexOf('.'))))];
const auditQuery = object({
  ...pageQuery,
  /** An act, or all of its first word. */
  act: optional(oneOf(...acts, ...groups)),
  object: optional(text(/[\x21-\x7e]+/, 200)),
  outcome: optional(text(/begun|done|[A-Z][A-Z0-9_]{2,40}/, 42)),
  since: optional(integer(0)),
  until: optional(integer(0)),
  who: optional(anyAccountNameShape),
});
const exportQuery = object({ from: optional(integer(1)) });
const lines: JsonObject = { type: 'string', description: 'one entry a line, oldest first; the last line is {checkpoint}, the head under the node\'s signature 每行一条，末行为签名的检查点' };

/** The node's chained log of administrative acts, for who oversees it. */
@Controller('v1')
export class AuditLogController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'auditLog', en: 'administrative acts of this node, newest first; a page may be short', zh: '管理操作日志', who: 'operator', roles: oversight, query: auditQuery, answer: answers.auditLog, curl: `curl -s ${tokenHeader} "$NODE/v1/audit-log?act=session&limit=5"` })
  @Get('audit-log')
  public async page(@Query() query: Record<string, string>): Promise<object> {
    const { cursor, limit = 100, ...filter } = readQuery({ query: auditQuery }, query) as Read<typeof auditQuery>;
    const from = cursor === undefined ? {} : { before: Number(this.cursors.open('audit-log', filter, cursor)) };
    const { before, items } = await this.services.audit.page(filter, { ...from, limit });
    return { items, ...(before === undefined ? {} : { cursor: this.cursors.seal('audit-log', filter, String(before)) }) };
  }

  @Declare({ id: 'auditCheckpoint', en: "number and digest of the newest entry, under the node's signature", zh: '日志末端的签名检查点', who: 'operator', roles: oversight, answer: answers.auditCheckpoint, curl: `curl -s ${tokenHeader} $NODE/v1/audit-log/checkpoint` })
  @Get('audit-log/checkpoint')
  public async checkpoint(): Promise<object> {
    return await this.services.audit.checkpoint();
  }

  @Declare({ id: 'auditExport', en: 'the whole log as NDJSON, oldest first, with a signed checkpoint as its last line', zh: '导出完整操作日志', who: 'operator', roles: oversight, act: 'audit-log.export', query: exportQuery, answer: lines, answerType: streamType, curl: `curl -s ${tokenHeader} $NODE/v1/audit-log/export` })
  @Get('audit-log/export')
  public export(@Query() query: Record<string, string>, @Res() reply: FastifyReply): void {
    const { from } = readQuery({ query: exportQuery }, query) as Read<typeof exportQuery>;
    void reply.status(200).header('content-type', streamType).send(Readable.from(this.lines(from ?? 1)));
  }

  private async *lines(from: number): AsyncGenerator<string> {
    const checkpoint = await this.services.audit.checkpoint();
    for await (const entry of this.services.audit.entries(from)) {
      // What is written meanwhile, the end of this very export among it, is after the checkpoint.
      if (entry.seq > checkpoint.seq) break;
      yield `${JSON.stringify(entry)}\n`;
    }
    yield `${JSON.stringify(checkpoint)}\n`;
  }
}
