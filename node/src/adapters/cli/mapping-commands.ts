import { Command, Option, SubCommand } from './declared-commands.js';
import { bundledKinds, ProtocolError, type MappingProblem } from '@huilian/protocol';
import type { MappingDraft } from '../../core/mapping/draft-mapping.js';
import type { Preview, PreviewedRow } from '../../core/mapping/preview-rows.js';
import { readJsonFile, writeJsonFile } from './command-files.js';
import { given, HuilianCommand, parsePositive, StateCommand, stateFolder, type CommandResult, type OutputOptions, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { asRecords, readSample } from './sample-rows.js';
import { kindOfFile } from './sync-files.js';
import { table } from './text-table.js';

const defaultSamples = 50;

interface DraftOptions extends StateOptions {
  readonly kind?: string;
  readonly output?: string;
  readonly samples?: number;
}

@SubCommand({
  name: 'draft',
  arguments: '<file>',
  description: 'a first draft of a mapping from the header and first rows of a CSV export; what is not sure stays open / 生成映射草稿。Example: huilian mapping draft export.csv --kind qualification --output export.mapping.json',
})
export class DraftMappingCommand extends StateCommand<DraftOptions> {
  protected async act([file]: readonly string[], options: DraftOptions): Promise<CommandResult> {
    const name = given(file, '<file>');
    const sample = await readSample(name, options.samples ?? defaultSamples);
    const kind = kindOfFile(name, bundledKinds().map((definition) => definition.kind), options.kind);
    const draft = (await NodeApi.open(stateFolder(options)).post('/v1/mapping-drafts', { header: sample.header, kind, samples: sample.rows })) as MappingDraft;
    if (options.output !== undefined) writeJsonFile(options.output, draft.mapping);
    return { json: draft, text: `${describeDraft(draft)}${options.output === undefined ? '' : `\nwritten 已写入 ${options.output}`}` };
  }

  @Option({ flags: '--kind <kind>', description: 'kind of the rows, where the file name does not say / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--output <file>', description: 'writes the mapping here, to be edited / 写入文件' })
  public parseOutput(value: string): string {
    return value;
  }

  @Option({ flags: '--samples <n>', description: 'rows to look at, up to 200 (default: 50) / 样本行数' })
  public parseSamples(value: string): number {
    return Math.min(200, parsePositive(value, '--samples'));
  }
}

function describeDraft({ columns, missing }: MappingDraft): string {
  const rows = columns.map(({ column, confidence, decided, field, rule, why }) => [column, decided ? (field ?? Object.keys(rule ?? {})[0] ?? '') : `? ${field ?? ''}`, `${String(confidence)} %`, `${why.zh} / ${why.en}`]);
  const open = columns.filter(({ decided }) => !decided).length;
  const rest = [
    `${String(columns.length - open)} columns decided 已确定, ${String(open)} open 待定`,
    ...(missing.length === 0 ? [] : [`required fields without a column 缺少的必填字段: ${missing.join(', ')}`]),
  ];
  return [...table(['column 列', 'field 字段', 'sure 把握', 'why 理由'], rows), ...rest].join('\n');
}

@SubCommand({
  name: 'check',
  arguments: '<file>',
  description: 'everything that is wrong with a mapping file; nothing is stored / 检查映射文件。Example: huilian mapping check export.mapping.json',
})
export class CheckMappingCommand extends StateCommand<StateOptions> {
  protected async act([file]: readonly string[], options: StateOptions): Promise<CommandResult> {
    const mapping = readJsonFile(given(file, '<file>'));
    const { mappingProblems } = await preview(NodeApi.open(stateFolder(options)), mapping, {}, []);
    const text = mappingProblems.length === 0 ? 'the mapping fits its kind / 映射与种类相符' : mappingProblems.map(describeProblem).join('\n');
    return { json: { ok: mappingProblems.length === 0, problems: mappingProblems }, text, failed: mappingProblems.length > 0 };
  }
}

function describeProblem({ code, en, field, path, zh }: MappingProblem): string {
  return `${path === '' ? '/' : path} ${code}${field === undefined ? '' : ` ${field}`}: ${en} / ${zh}`;
}

async function preview(api: NodeApi, mapping: Readonly<Record<string, unknown>> | undefined, named: { readonly kind?: string; readonly name?: string }, rows: readonly Record<string, string>[]): Promise<Preview> {
  const kind = named.kind ?? (typeof mapping?.['kind'] === 'string' ? mapping['kind'] : undefined);
  if (kind === undefined) throw new ProtocolError('BAD_FIELD', { path: '--kind', reason: 'is needed' });
  const schema = mapping?.['schema'];
  return (await api.post('/v1/mapping-previews', { kind, rows, ...(typeof schema === 'number' ? { schema } : {}), ...(mapping === undefined ? {} : { mapping }), ...(named.name === undefined ? {} : { name: named.name }) })) as Preview;
}

interface PreviewOptions extends StateOptions {
  readonly file?: string;
  readonly kind?: string;
  readonly limit?: number;
  readonly mapping?: string;
}

@SubCommand({
  name: 'preview',
  arguments: '<file>',
  description: 'rows of a CSV export beside the fields that a mapping makes of them; nothing is published / 并排预览。Example: huilian mapping preview export.csv --file export.mapping.json; huilian mapping preview export.csv --mapping qualification-export --kind qualification',
})
export class PreviewMappingCommand extends StateCommand<PreviewOptions> {
  protected async act([file]: readonly string[], options: PreviewOptions): Promise<CommandResult> {
    const sample = await readSample(given(file, '<file>'), options.limit ?? 5);
    const mapping = options.file === undefined ? undefined : readJsonFile(options.file);
    const named = { ...(options.kind === undefined ? {} : { kind: options.kind }), ...(options.mapping === undefined ? {} : { name: options.mapping }) };
    const found = await preview(NodeApi.open(stateFolder(options)), mapping, named, asRecords(sample));
    return { json: found, text: describePreview(found), failed: found.mappingProblems.length > 0 || found.refused > 0 };
  }

  @Option({ flags: '--file <file>', description: 'mapping file that is not in the node yet / 映射文件' })
  public parseFile(value: string): string {
    return value;
  }

  @Option({ flags: '--mapping <name>', description: 'mapping that the node holds, with --kind / 节点中的映射' })
  public parseMapping(value: string): string {
    return value;
  }

  @Option({ flags: '--kind <kind>', description: 'kind of the rows, where no mapping file says / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--limit <n>', description: 'rows to show, up to 200 (default: 5) / 行数' })
  public parseLimit(value: string): number {
    return Math.min(200, parsePositive(value, '--limit'));
  }
}

function describePreview({ mappingProblems, ok, refused, rows }: Preview): string {
  const shown = rows.flatMap((row, index) => [`row 行 ${String(index + 1)}: ${row.ok ? 'good 通过' : 'refused 拒绝'}`, ...describeRow(row)]);
  return [...mappingProblems.map(describeProblem), ...shown, `${String(ok)} good 通过, ${String(refused)} refused 拒绝`].join('\n');
}

function describeRow({ cells, fields, problems }: PreviewedRow): readonly string[] {
  const valueOf = (path: string): string => {
    const [claim = '', field = ''] = path.split('.');
    const value = (fields[claim] as Readonly<Record<string, unknown>> | undefined)?.[field];
    return value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
  };
  const lines = cells.map((cell) => [cell.column, cell.cell, cell.fields.join(', '), cell.fields.map(valueOf).join(', ')]);
  const faults = problems.map(({ code, columns, en, path, suggestion, zh }) => `  ✗ ${path} ${code} [${columns.join(', ')}]: ${en} / ${zh}\n    → ${suggestion.en} / ${suggestion.zh}`);
  return [...table(['column 列', 'cell 单元格', 'field 字段', 'value 值'], lines), ...faults];
}

@SubCommand({
  name: 'put',
  arguments: '<name> <file>',
  description: 'holds a mapping in the node under a name, which sync and sources then give / 保存映射。Example: huilian mapping put qualification-export export.mapping.json',
})
export class PutMappingCommand extends StateCommand<StateOptions> {
  protected async act([name, file]: readonly string[], options: StateOptions): Promise<CommandResult> {
    const mapping = readJsonFile(given(file, '<file>'));
    const held = (await NodeApi.open(stateFolder(options)).put(`/v1/mappings/${encodeURIComponent(given(name, '<name>'))}`, mapping)) as { readonly name: string; readonly digest: string };
    return { json: held, text: `${held.name} ${held.digest}` };
  }
}

interface ListedMapping {
  readonly name: string;
  readonly at: number;
  readonly kind: string;
  readonly schema: number;
  readonly columns: number;
}

@SubCommand({ name: 'list', description: 'mappings that the node holds / 列出映射。Example: huilian mapping list --state ./state' })
export class ListMappingsCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const items = (await NodeApi.open(stateFolder(options)).all('/v1/mappings')) as readonly ListedMapping[];
    const rows = items.map(({ at, columns, kind, name, schema }) => [name, `${kind}/${String(schema)}`, String(columns), new Date(at * 1000).toISOString()]);
    return { json: { items }, text: items.length === 0 ? 'no mappings / 没有映射' : table(['name 名称', 'kind 种类', 'columns 列数', 'changed 更改'], rows).join('\n') };
  }
}

@SubCommand({ name: 'show', arguments: '<name>', description: 'one mapping, to be edited / 显示映射。Example: huilian mapping show qualification-export' })
export class ShowMappingCommand extends StateCommand<StateOptions> {
  protected async act([name]: readonly string[], options: StateOptions): Promise<CommandResult> {
    const { document } = (await NodeApi.open(stateFolder(options)).get(`/v1/mappings/${encodeURIComponent(given(name, '<name>'))}`)) as { readonly document: object };
    return { json: document, text: JSON.stringify(document, undefined, 2) };
  }
}

@SubCommand({ name: 'remove', arguments: '<name>', description: 'forgets a mapping; rows that name it are refused from then on / 删除映射。Example: huilian mapping remove qualification-export' })
export class RemoveMappingCommand extends StateCommand<StateOptions> {
  protected async act([name]: readonly string[], options: StateOptions): Promise<CommandResult> {
    await NodeApi.open(stateFolder(options)).delete(`/v1/mappings/${encodeURIComponent(given(name, '<name>'))}`);
    return { json: { removed: name }, text: `removed 已删除 ${given(name, '<name>')}` };
  }
}

@Command({
  name: 'mapping',
  description: "how the columns of a platform's own export become fields: draft, check, preview, put, list / 字段映射。Example: huilian mapping draft export.csv --kind qualification",
  subCommands: [DraftMappingCommand, CheckMappingCommand, PreviewMappingCommand, PutMappingCommand, ListMappingsCommand, ShowMappingCommand, RemoveMappingCommand],
})
export class MappingCommand extends HuilianCommand<OutputOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: '<command>', reason: 'draft, check, preview, put, list, show or remove' }));
  }
}
