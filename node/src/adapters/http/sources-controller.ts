import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { boolean, object, optional } from '@huilian/protocol';
import { parameter } from './act-objects.js';
import { answers } from './answer-schemas.js';
import { Operator } from './caller.js';
import { Cursors, listQuery, readPage } from './cursors.js';
import { administrators, daily, Declare, everyRole, jsonHeader, tokenHeader } from './declare-route.js';
import { NodeServices } from './node-services.js';
import type { Caller } from './sign-in.js';

const runShape = object({ dryRun: optional(boolean()), fromStart: optional(boolean()) });

/** Configured sources and their runs. */
@Controller('v1/sources')
export class SourcesController {
  public constructor(
    private readonly services: NodeServices,
    private readonly cursors: Cursors,
  ) {}

  @Declare({ id: 'sources', en: 'configured sources, each with its last run', zh: '数据源列表', who: 'operator', roles: everyRole, query: listQuery, answer: answers.sources, curl: `curl -s ${tokenHeader} $NODE/v1/sources` })
  @Get()
  public list(@Operator() _operator: Caller, @Query() query: Record<string, string>): object {
    return this.cursors.page('sources', this.services.sources.list(), readPage(query));
  }

  @Declare({ id: 'reloadSources', en: 'takes the sources as huilian.json has them now: those that changed begin anew, the others go on', zh: '重新读取数据源配置', who: 'operator', roles: administrators, act: 'source.reload', answer: answers.sources, codes: ['CONFIG_INVALID'], curl: `curl -s -X POST ${tokenHeader} $NODE/v1/sources` })
  @Post()
  @HttpCode(200)
  public async reload(@Operator() _operator: Caller): Promise<object> {
    await this.services.sources.reload();
    return { items: this.services.sources.list() };
  }

  @Declare({ id: 'source', en: 'one source: when it is read next, and the run under way', zh: '单个数据源', who: 'operator', roles: everyRole, answer: answers.source, codes: ['SOURCE_UNKNOWN'], curl: `curl -s ${tokenHeader} $NODE/v1/sources/$SOURCE` })
  @Get(':source')
  public find(@Operator() _operator: Caller, @Param('source') name: string): object {
    return this.services.sources.find(name);
  }

  @Declare({ id: 'runSource', en: 'reads a source now; a dry run keeps nothing, from the start reads all again', zh: '立即同步（可试运行或从头读）', who: 'operator', roles: daily, act: 'source.run', object: parameter('source'), body: runShape, answer: answers.run, status: 202, codes: ['SOURCE_UNKNOWN', 'SYNC_RUNNING', 'CONFIG_INVALID'], curl: `curl -s -X POST ${tokenHeader} ${jsonHeader} -d '{"dryRun":true}' $NODE/v1/sources/$SOURCE/runs` })
  @Post(':source/runs')
  @HttpCode(202)
  public run(@Operator() _operator: Caller, @Param('source') name: string, @Body() body: unknown): object {
    const { dryRun = false, fromStart = false } = runShape.read(body);
    return this.services.sources.run(name, { dryRun, fromStart });
  }

  @Declare({ id: 'sourceRuns', en: 'runs of a source, newest first: counts, warnings, the first refused rows', zh: '同步记录', who: 'operator', roles: everyRole, query: listQuery, answer: answers.runs, codes: ['SOURCE_UNKNOWN'], curl: `curl -s ${tokenHeader} "$NODE/v1/sources/$SOURCE/runs?limit=5"` })
  @Get(':source/runs')
  public async runs(@Operator() _operator: Caller, @Param('source') name: string, @Query() query: Record<string, string>): Promise<object> {
    return this.cursors.page(`runs ${name}`, await this.services.sources.runs(name), readPage(query));
  }

  @Declare({ id: 'stopRun', en: 'stops the run under way: what was sent is acknowledged, and the next one goes on there', zh: '停止正在进行的同步', who: 'operator', roles: daily, act: 'source.stop', object: parameter('source'), answer: answers.run, codes: ['SOURCE_UNKNOWN', 'NOT_FOUND'], curl: `curl -s -X DELETE ${tokenHeader} $NODE/v1/sources/$SOURCE/runs/current` })
  @Delete(':source/runs/current')
  public async stop(@Operator() _operator: Caller, @Param('source') name: string): Promise<object> {
    return await this.services.sources.stopRun(name);
  }
}
