import { Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { object } from '@huilian/protocol';
import { inAnswer } from './act-objects.js';
import { answers, pageQuery } from './answer-schemas.js';
import { Operator } from './caller.js';
import { Cursors, listQuery, readPage } from './cursors.js';
import { administrators, Declare, everyRole, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const cursorQuery = object({ cursor: pageQuery.cursor });
const backupType = 'application/vnd.huilian.backup';

/** Backups of the node's data, and what a restored node lacks. */
@Controller('v1')
export class BackupsController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'backups', en: 'backups in the place that the node keeps them in, oldest first', zh: '备份列表', who: 'operator', roles: everyRole, query: listQuery, answer: answers.backups, curl: `curl -s ${tokenHeader} $NODE/v1/backups` })
  @Get('backups')
  public list(@Operator() _operator: Caller, @Query() query: Record<string, string>): object {
    return this.cursors.page('backups', this.services.backups.list.map(({ at, ...backup }) => ({ ...backup, at: Math.floor(at / 1000) })), readPage(query));
  }

  @Declare({ id: 'makeBackup', en: 'a backup now, into the place named in the configuration', zh: '立即备份到配置的位置', who: 'operator', roles: administrators, act: 'backup.make', object: inAnswer('name'), answer: answers.backup, codes: ['BACKUP_FAILED', 'CONFIG_INVALID'], curl: `curl -s -X POST ${tokenHeader} $NODE/v1/backups` })
  @Post('backups')
  @HttpCode(200)
  public async make(@Operator() _operator: Caller): Promise<object> {
    const { at, ...backup } = await this.services.backups.make();
    return { ...backup, at: Math.floor(at / 1000) };
  }

  @Declare({ id: 'downloadBackup', en: "a backup of the node's data as a stream: whole only with its last bytes, a SHA-256", zh: '下载备份', who: 'operator', roles: administrators, act: 'backup.download', answer: answers.backupFile, answerType: backupType, curl: `curl -s ${tokenHeader} $NODE/v1/backup -o node.backup` })
  @Get('backup')
  public download(@Operator() _operator: Caller, @Res() reply: FastifyReply): void {
    void reply.status(200).header('content-type', backupType).send(Readable.from(this.services.streamBackup(), { objectMode: false }));
  }

  @Declare({ id: 'missingPayloads', en: 'own records on the ledger whose content this node lacks, after a restore; a page may be short', zh: '恢复后缺少内容的本方记录', who: 'operator', roles: everyRole, query: cursorQuery, answer: answers.missingPayloads, curl: `curl -s ${tokenHeader} $NODE/v1/missing-payloads` })
  @Get('missing-payloads')
  public async missing(@Operator() _operator: Caller, @Query() { cursor }: Record<string, string>): Promise<object> {
    const from = cursor === undefined ? undefined : this.cursors.open('missing-payloads', {}, cursor);
    const { cursor: place, items } = await this.services.missingPayloads(from);
    return { items, ...(place === undefined ? {} : { cursor: this.cursors.seal('missing-payloads', {}, place) }) };
  }
}
