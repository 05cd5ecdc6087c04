import { Body, Controller, Get, Header, HttpCode, Post, Query } from '@nestjs/common';
import { acknowledgedShape, dayShape, declaredDaysShape, kindShape, memberIdShape, object, oneOf, optional, type Read } from '@huilian/protocol';
import { completenessCsv } from '../../core/completeness/completeness-csv.js';
import { dayStates } from '../../core/completeness/completeness-report.js';
import { answers, textAnswer } from './answer-schemas.js';
import { CallingMember, Operator } from './caller.js';
import { daily, Declare, everyRole, jsonHeader, ledgerCodes, tokenHeader } from './declare-route.js';
import { readQuery } from './declared-guard.js';
import { NodeServices } from './node-services.js';
import type { OperatorCaller } from './sign-in.js';

const reportQuery = object({ centre: optional(memberIdShape), from: optional(dayShape), kind: optional(kindShape), state: optional(oneOf(...dayStates)), to: optional(dayShape) });
const declarationShape = object({ days: declaredDaysShape });
const acknowledgementShape = object({ documents: acknowledgedShape });

/** Which centre is late with what: rows that its sources had and are not on the ledger, adopted documents that a member does not hold. */
@Controller('v1')
export class CompletenessController {
  public constructor(private readonly services: NodeServices) {}

  @Declare({ id: 'completeness', en: 'what every centre declared of each kind and day against what is on the ledger, who is late, and who holds which adopted document', zh: '完整性：各中心各种类每日应报与已上链，谁已逾期，以及目录文件的接收回执', who: 'operator', roles: everyRole, query: reportQuery, answer: answers.completeness, curl: `curl -s ${tokenHeader} "$NODE/v1/completeness?state=late"` })
  @Get('completeness')
  public async report(@Operator() _operator: OperatorCaller, @Query() query: Record<string, string>): Promise<object> {
    return await this.services.completeness.report(readQuery({ query: reportQuery }, query) as Read<typeof reportQuery>);
  }

  @Declare({ id: 'completenessExport', en: 'the same as CSV', zh: '导出完整性报告（CSV）', who: 'operator', roles: everyRole, query: reportQuery, answer: textAnswer, answerType: 'text/csv', curl: `curl -s ${tokenHeader} "$NODE/v1/completeness/export?centre=guangzhou"` })
  @Get('completeness/export')
  @Header('content-type', 'text/csv; charset=utf-8')
  @Header('content-disposition', 'attachment; filename="completeness.csv"')
  public async export(@Operator() _operator: OperatorCaller, @Query() query: Record<string, string>): Promise<string> {
    return completenessCsv(await this.services.completeness.report(readQuery({ query: reportQuery }, query) as Read<typeof reportQuery>));
  }

  @Declare({ id: 'declareRows', en: "how many new and changed rows this centre's sources hand over of a kind on a day; counts alone go onto the ledger, a later one corrects", zh: '申报某日某种类的应报行数', who: 'operator', roles: daily, act: 'records.declare', body: declarationShape, answer: answers.committed, also: [202], codes: ['NOT_RECORD_OWNER', 'SCHEMA_UNKNOWN', 'MEMBER_SUSPENDED', ...ledgerCodes], curl: `curl -s ${tokenHeader} ${jsonHeader} -d '{"days":[{"kind":"credit","day":"2026-11-30","expected":12}]}' $NODE/v1/declarations` })
  @Post('declarations')
  @HttpCode(200)
  public async declare(@Operator() _operator: OperatorCaller, @Body() body: unknown): Promise<object> {
    return await this.services.commands.declare(declarationShape.read(body).days);
  }

  @Declare({ id: 'acknowledge', en: 'the calling member holds these adopted documents, byte for byte; nodes say so of themselves', zh: '成员确认已收到目录文件', who: 'member', body: acknowledgementShape, answer: answers.committed, also: [202], codes: ['SCHEMA_UNKNOWN', 'MEMBER_SUSPENDED', ...ledgerCodes], curl: `curl -s ${tokenHeader} ${jsonHeader} -d "{\\"documents\\":[{\\"of\\":\\"schema\\",\\"id\\":\\"credit\\",\\"version\\":1,\\"digest\\":\\"$DIGEST\\"}]}" $NODE/v1/acknowledgements` })
  @Post('acknowledgements')
  @HttpCode(200)
  public async acknowledge(@CallingMember() member: string, @Body() body: unknown): Promise<object> {
    return await this.services.commands.acknowledge(member, acknowledgementShape.read(body).documents);
  }
}
