import { writeFileSync } from 'node:fs';
import { Command, Option } from './declared-commands.js';
import { beijingDay, ProtocolError } from '@huilian/protocol';
import { completenessCsv } from '../../core/completeness/completeness-csv.js';
import type { CompletenessReport, DayRow, ReceiptRow } from '../../core/completeness/completeness-report.js';
import { given, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';

interface ReportOptions extends StateOptions {
  readonly from?: string;
  readonly to?: string;
  readonly centre?: string;
  readonly kind?: string;
  readonly late?: boolean;
  readonly csv?: string;
}

@Command({
  name: 'completeness',
  description:
    'which centre is late with what: declared rows that are not on the ledger, adopted documents that a member does not hold / 完整性：哪个中心缺什么。Example: huilian completeness --late; huilian completeness --centre zhuhai --from 2026-11-01 --csv zhuhai.csv',
})
export class CompletenessCommand extends StateCommand<ReportOptions> {
  protected async act(_args: readonly string[], options: ReportOptions): Promise<CommandResult> {
    const { centre, csv, from, kind, late, to } = options;
    const state = late === true ? 'late' : undefined;
    const given = Object.entries({ centre, from, kind, state, to }).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const report = (await NodeApi.open(stateFolder(options)).get(`/v1/completeness?${new URLSearchParams(given).toString()}`)) as CompletenessReport;
    if (csv !== undefined) writeCsv(csv, report);
    return { json: report, text: describe(report) };
  }

  @Option({ flags: '--from <day>', description: 'first day (default: two weeks before the last) / 起始日' })
  public parseFrom(value: string): string {
    return value;
  }

  @Option({ flags: '--to <day>', description: 'last day (default: today) / 截止日' })
  public parseTo(value: string): string {
    return value;
  }

  @Option({ flags: '--centre <id>', description: 'one centre or member / 中心或成员' })
  public parseCentre(value: string): string {
    return value;
  }

  @Option({ flags: '--kind <kind>', description: 'one kind / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--late', description: 'only what is late / 只列逾期' })
  public parseLate(): boolean {
    return true;
  }

  @Option({ flags: '--csv <file>', description: 'write the report here as CSV / 输出 CSV' })
  public parseCsv(value: string): string {
    return value;
  }
}

interface DeclareOptions extends StateOptions {
  readonly kind?: string;
  readonly day?: string;
  readonly expected?: number;
}

@Command({
  name: 'declare',
  description: "how many new and changed rows this centre's sources hand over of a kind on a day; only the count goes onto the ledger / 申报应报行数。Example: huilian declare --kind credit --expected 12; huilian declare --kind credit --day 2026-11-30 --expected 0",
})
export class DeclareCommand extends StateCommand<DeclareOptions> {
  protected async act(_args: readonly string[], options: DeclareOptions): Promise<CommandResult> {
    const day = { kind: given(options.kind, '--kind'), day: options.day ?? beijingDay(Date.now() / 1000), expected: given(options.expected, '--expected') };
    const answer = await NodeApi.open(stateFolder(options)).post('/v1/declarations', { days: [day] });
    return { json: answer, text: `${day.kind} ${day.day}: ${String(day.expected)} declared / 已申报` };
  }

  @Option({ flags: '--kind <kind>', description: 'kind of the rows / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--day <day>', description: 'day in Beijing (default: today) / 日期（默认今天）' })
  public parseDay(value: string): string {
    return value;
  }

  @Option({ flags: '--expected <n>', description: 'how many, 0 for none / 行数' })
  public parseExpected(value: string): number {
    if (!/^(?:0|[1-9][0-9]{0,8})$/.test(value)) throw new ProtocolError('BAD_FIELD', { path: '--expected', reason: 'a whole number' });
    return Number(value);
  }
}

function writeCsv(file: string, report: CompletenessReport): void {
  try {
    writeFileSync(file, completenessCsv(report));
  } catch (error) {
    throw new ProtocolError('BAD_FIELD', { path: '--csv', reason: `cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}` });
  }
}

const stateWords = { complete: 'complete 完整', late: 'LATE 逾期', undeclared: 'not declared 未申报', waiting: 'waiting 待报' } as const;

function describe({ days, documents, from, late, to }: CompletenessReport): string {
  const who = late.map(({ days: lateDays, documents: lateDocuments, member, rows }) => `  ${member}  ${String(lateDays)} days 天, ${String(rows)} rows 行, ${String(lateDocuments)} documents 份文件`);
  return [
    ...(who.length === 0 ? ['nobody is late / 无逾期'] : ['late / 逾期', ...who]),
    `${from} … ${to}`,
    ...(days.length === 0 ? ['  nothing / 无'] : days.map(dayLine)),
    ...documents.filter(({ missing }) => missing.length > 0).map(receiptLine),
  ].join('\n');
}

function dayLine({ centre, confirmed, day, deadline, expected, kind, missing, published, received, refused, state }: DayRow): string {
  const here = received === undefined ? '' : `  received 收到 ${String(received)}, refused 拒绝 ${String(refused ?? 0)}, published 发布 ${String(published ?? 0)}`;
  const until = state === 'late' || state === 'waiting' ? `, ${String(missing)} missing 缺, until 截至 ${beijingMinute(deadline)}` : '';
  return `  ${day}  ${centre}  ${kind}  expected 应报 ${String(expected ?? '-')}${here}, confirmed 上链 ${String(confirmed)}${until}  ${stateWords[state]}`;
}

function receiptLine({ deadline, id, late, missing, of, version }: ReceiptRow): string {
  return `  ${of} ${id}${version === 0 ? '' : `/${String(version)}`}  not acknowledged by 未确认: ${missing.join(', ')}, until 截至 ${beijingMinute(deadline)}${late ? '  LATE 逾期' : ''}`;
}

/** Day and minute in Beijing. A deadline is the end of its hour. */
function beijingMinute(seconds: number): string {
  return `${beijingDay(seconds)} ${new Date((seconds + 8 * 3600) * 1000).toISOString().slice(11, 16)}`;
}
