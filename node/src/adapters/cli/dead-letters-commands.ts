import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import { Command, Option, SubCommand } from './declared-commands.js';
import { isJsonObject, ProtocolError, type JsonValue } from '@huilian/protocol';
import type { Correction, OpenedLetter, RetryReport, ShownLetter } from '../../core/dead-letters/letter-desk.js';
import { correctionOf, correctionOfLine } from '../../core/dead-letters/read-export.js';
import { given, HuilianCommand, parsePositive, StateCommand, stateFolder, type CommandResult, type OutputOptions, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { confirm } from './terminal.js';

interface FilterOptions extends StateOptions {
  readonly code?: string;
  readonly field?: string;
  readonly file?: string;
  readonly kind?: string;
}

/** Options that choose letters. */
abstract class FilteredCommand<Options extends FilterOptions> extends StateCommand<Options> {
  @Option({ flags: '--file <name>', description: 'rows of this source file, or source / 来源文件' })
  public parseFile(value: string): string {
    return value;
  }

  @Option({ flags: '--kind <kind>', description: 'rows of this kind / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--code <code>', description: 'rows refused with this code, or with a problem of this code / 拒绝代码' })
  public parseCode(value: string): string {
    return value;
  }

  @Option({ flags: '--field <claim.field>', description: 'rows with a problem in this field / 字段' })
  public parseField(value: string): string {
    return value;
  }
}

function filterOf({ code, field, file, kind }: FilterOptions): Record<string, string> {
  return Object.fromEntries(Object.entries({ code, field, file, kind }).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

interface ListOptions extends FilterOptions {
  readonly limit?: number;
}

@SubCommand({
  name: 'list',
  description: 'refused rows: where they stand, why, and what can be done; newest first / 列出被拒绝的行。Example: huilian dead-letters list --file entity.csv --field identity.uscc',
})
export class ListLettersCommand extends FilteredCommand<ListOptions> {
  protected async act(_args: readonly string[], options: ListOptions): Promise<CommandResult> {
    const api = NodeApi.open(stateFolder(options));
    const { limit = 20 } = options;
    const items: ShownLetter[] = [];
    let page: { readonly items: readonly ShownLetter[]; readonly total: number; readonly dropped?: { readonly count: number }; readonly cursor?: string } | undefined;
    do {
      const query = new URLSearchParams({ ...filterOf(options), limit: String(Math.min(500, limit - items.length)), ...(page?.cursor === undefined ? {} : { cursor: page.cursor }) });
      page = (await api.get(`/v1/dead-letters?${query.toString()}`)) as NonNullable<typeof page>;
      items.push(...page.items);
    } while (page.cursor !== undefined && items.length < limit);
    const dropped = page.dropped === undefined ? [] : [`${String(page.dropped.count)} older ones had to go for newer ones / 较早的 ${String(page.dropped.count)} 行已让位`];
    const more = page.cursor === undefined ? [] : ['there are more: --limit / 还有更多：--limit'];
    return { json: { items, total: page.total, ...(page.dropped === undefined ? {} : { dropped: page.dropped }) }, text: [...items.flatMap(describeLetter), `${String(page.total)} on the list / 列表共 ${String(page.total)} 行`, ...dropped, ...more].join('\n') };
  }

  @Option({ flags: '--limit <n>', description: 'at most so many (default: 20) / 最多条数' })
  public parseLimit(value: string): number {
    return parsePositive(value, '--limit');
  }
}

function describeLetter({ code, file, id, kind, line, problems, recordId }: ShownLetter): readonly string[] {
  const place = file === undefined ? (recordId ?? '') : `${file}:${String(line)}`;
  return [`${id} ${place} ${kind ?? ''} ${code}`, ...problems.flatMap((problem) => [`  ${problem.path || '/'} ${problem.code}: ${problem.en} / ${problem.zh}`, `    → ${problem.suggestion.en} / ${problem.suggestion.zh}`])];
}

@SubCommand({ name: 'show', arguments: '<id>', description: 'one refused row with its cells / 显示被拒绝的行。Example: huilian dead-letters show 00000000000001' })
export class ShowLetterCommand extends StateCommand<StateOptions> {
  protected async act([id]: readonly string[], options: StateOptions): Promise<CommandResult> {
    const letter = (await NodeApi.open(stateFolder(options)).get(`/v1/dead-letters/${encodeURIComponent(given(id, '<id>'))}`)) as OpenedLetter;
    const cells = Object.entries(letter.row ?? {}).map(([column, cell]) => `  ${column}: ${cell}`);
    return { json: letter, text: [...describeLetter(letter), ...cells, ...(letter.data === undefined ? [] : [JSON.stringify(letter.data, undefined, 2)])].join('\n') };
  }
}

interface ExportOptions extends FilterOptions {
  readonly format?: string;
}

@SubCommand({
  name: 'export',
  arguments: '<output>',
  description: 'refused rows with their cells into a file, to be corrected and tried again; .ndjson for NDJSON, else CSV / 导出被拒绝的行。Example: huilian dead-letters export refused.csv --file entity.csv',
})
export class ExportLettersCommand extends FilteredCommand<ExportOptions> {
  protected async act([output]: readonly string[], options: ExportOptions): Promise<CommandResult> {
    const file = given(output, '<output>');
    const query = new URLSearchParams({ ...filterOf(options), format: isNdjson(file) ? 'ndjson' : 'csv' });
    const bytes = await NodeApi.open(stateFolder(options)).bytes(`/v1/dead-letters/export?${query.toString()}`);
    // What a refused row holds may be personal: only its user reads the file.
    await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(file, { mode: 0o600 }));
    return { json: { file }, text: `written 已写入 ${file}` };
  }
}

function isNdjson(file: string): boolean {
  return /\.(?:ndjson|jsonl)$/i.test(file);
}

interface RetryOptions extends FilterOptions {
  readonly id?: readonly string[];
}

const correctionsPerCall = 500;

@SubCommand({
  name: 'retry',
  arguments: '[corrected]',
  description: 'tries refused rows again: those of a corrected export, those named by --id, or those that fit / 重试被拒绝的行。Example: huilian dead-letters retry refused.csv; huilian dead-letters retry --id 00000000000001; huilian dead-letters retry --file entity.csv',
})
export class RetryLettersCommand extends FilteredCommand<RetryOptions> {
  protected async act([corrected]: readonly string[], options: RetryOptions): Promise<CommandResult> {
    const api = NodeApi.open(stateFolder(options));
    const filter = filterOf(options);
    const ways = [corrected, options.id, Object.keys(filter).length === 0 ? undefined : filter].filter((way) => way !== undefined).length;
    if (ways !== 1) throw new ProtocolError('BAD_FIELD', { path: '<corrected>', reason: 'one of a corrected file, --id or a filter' });
    const report = corrected === undefined && options.id === undefined ? await retryFiltered(api, filter) : await retryAll(api, corrected === undefined ? named(options.id ?? []) : correctionsOf(corrected));
    const text = `${String(report.retried)} tried 重试: ${String(report.accepted)} accepted 已收, ${String(report.unchanged)} unchanged 未变, ${String(report.refused)} refused 拒绝${report.notKept === 0 ? '' : `, ${String(report.notKept)} without a row 无内容`}`;
    const still = report.results.filter(({ outcome }) => outcome === 'refused').map(({ code, id }) => `  ${id} ${code ?? ''}`);
    return { json: report, text: [text, ...still].join('\n'), failed: report.refused > 0 || report.notKept > 0 };
  }

  @Option({ flags: '--id <id>', description: 'a letter, repeat for each / 编号' })
  public parseId(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }
}

const nothing: RetryReport = { retried: 0, accepted: 0, unchanged: 0, refused: 0, notKept: 0, results: [] };

function added(left: RetryReport, right: RetryReport): RetryReport {
  return {
    retried: left.retried + right.retried, accepted: left.accepted + right.accepted, unchanged: left.unchanged + right.unchanged,
    refused: left.refused + right.refused, notKept: left.notKept + right.notKept, results: [...left.results, ...right.results],
  };
}

async function retryFiltered(api: NodeApi, filter: Readonly<Record<string, string>>): Promise<RetryReport> {
  let report = nothing;
  let cursor: string | undefined;
  do {
    const part = (await api.post('/v1/dead-letters/retries', { filter, ...(cursor === undefined ? {} : { cursor }) })) as RetryReport & { readonly cursor?: string };
    report = added(report, part);
    ({ cursor } = part);
  } while (cursor !== undefined);
  return report;
}

async function retryAll(api: NodeApi, corrections: AsyncIterable<Correction>): Promise<RetryReport> {
  let report = nothing;
  let some: Correction[] = [];
  const send = async (): Promise<void> => {
    if (some.length > 0) report = added(report, (await api.post('/v1/dead-letters/retries', { corrections: some })) as RetryReport);
    some = [];
  };
  for await (const correction of corrections) {
    some.push(correction);
    if (some.length >= correctionsPerCall) await send();
  }
  await send();
  return report;
}

async function* named(ids: readonly string[]): AsyncGenerator<Correction> {
  await Promise.resolve();
  for (const id of ids) yield { id };
}

/** Rows of an export that came back. @throws CSV_INVALID, BAD_FIELD */
async function* correctionsOf(file: string): AsyncGenerator<Correction> {
  if (isNdjson(file)) {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) if (line !== '') yield correctionOfLine(parsed(line));
    return;
  }
  const parser = createReadStream(file).pipe(parse({ bom: true, columns: true, relax_column_count: true, skip_empty_lines: true }));
  try {
    for await (const row of parser as AsyncIterable<Record<string, string>>) yield correctionOf(row);
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError('CSV_INVALID', { file: path.basename(file), reason: (error as { code?: string }).code ?? 'unreadable' });
  }
}

function parsed(line: string): Readonly<Record<string, JsonValue>> {
  try {
    const value = JSON.parse(line) as JsonValue;
    if (isJsonObject(value)) return value;
  } catch {
    // Falls through to the one refusal below.
  }
  throw new ProtocolError('BAD_FIELD', { path: '<corrected>', reason: 'not NDJSON' });
}

interface DropOptions extends FilterOptions {
  readonly id?: readonly string[];
  readonly yes?: boolean;
}

@SubCommand({
  name: 'drop',
  description: 'takes refused rows off the list for good: those named by --id, or those that fit / 移除被拒绝的行。Example: huilian dead-letters drop --file old.csv --yes',
})
export class DropLettersCommand extends FilteredCommand<DropOptions> {
  protected async act(_args: readonly string[], options: DropOptions): Promise<CommandResult> {
    const api = NodeApi.open(stateFolder(options));
    const filter = filterOf(options);
    if ((options.id === undefined) === (Object.keys(filter).length === 0)) throw new ProtocolError('BAD_FIELD', { path: '--id', reason: 'one of --id or a filter' });
    if (!(await confirm('take these rows off the list for good? 确定移除？', options.yes === true))) return { json: { dropped: 0 }, text: 'nothing was dropped / 未移除', failed: true };
    for (const id of options.id ?? []) await api.delete(`/v1/dead-letters/${encodeURIComponent(id)}`);
    const dropped = options.id?.length ?? ((await api.delete(`/v1/dead-letters?${new URLSearchParams(filter).toString()}`)) as { readonly dropped: number }).dropped;
    return { json: { dropped }, text: `${String(dropped)} dropped 已移除` };
  }

  @Option({ flags: '--id <id>', description: 'a letter, repeat for each / 编号' })
  public parseId(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }

  @Option({ flags: '--yes', description: 'do not ask / 不再询问' })
  public parseYes(): boolean {
    return true;
  }
}

@Command({
  name: 'dead-letters',
  description: 'rows that were refused: list, show, export, retry, drop / 被拒绝的行。Example: huilian dead-letters list',
  subCommands: [ListLettersCommand, ShowLetterCommand, ExportLettersCommand, RetryLettersCommand, DropLettersCommand],
})
export class DeadLettersCommand extends HuilianCommand<OutputOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: '<command>', reason: 'list, show, export, retry or drop' }));
  }
}
