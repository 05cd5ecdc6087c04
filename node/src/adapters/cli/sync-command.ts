import { Presets, SingleBar } from 'cli-progress';
import { Command, Option } from './declared-commands.js';
import { bundledKinds, ProtocolError } from '@huilian/protocol';
import type { SourceWarning } from '../../core/sync/source.js';
import type { RefusedRow, SyncReport } from '../../core/sync/sync-report.js';
import { parsePercent, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { ProcessActions } from './process-actions.js';
import { kindOfFile, syncFiles, type SyncProgress } from './sync-files.js';
import { namedSource, runSource } from './sync-source.js';

interface SyncOptions extends StateOptions {
  readonly kind?: string;
  readonly mapping?: string;
  readonly dryRun?: boolean;
  readonly fromStart?: boolean;
  readonly mostRefused?: number;
}

@Command({
  name: 'sync',
  arguments: '<files...>',
  description:
    'publish the rows of export files (CSV, TSV, XLSX, NDJSON) with national field names, or have the node read a source that is configured by its name / 同步导出文件或已配置的数据源。Example: huilian sync --state ./state entity.csv credit.csv; huilian sync --dry-run entity.csv; huilian sync enterprises',
})
export class SyncCommand extends StateCommand<SyncOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(files: readonly string[], options: SyncOptions): Promise<CommandResult> {
    const state = stateFolder(options);
    const source = namedSource(state, files);
    const bar = progressBar(options.json !== true);
    const onProgress = (share: number, accepted: number, refused: number): void => { bar?.update(Math.floor(share * 100), { accepted, refused }); };
    try {
      return source === undefined ? await this.syncFiles(NodeApi.open(state), files, options, onProgress) : await this.syncSource(NodeApi.open(state), source, options, onProgress);
    } finally {
      bar?.stop();
    }
  }

  private async syncFiles(api: NodeApi, files: readonly string[], options: SyncOptions, onProgress: SyncProgress): Promise<CommandResult> {
    if (options.fromStart === true) throw new ProtocolError('BAD_FIELD', { path: '--from-start', reason: 'files are always read from their first row; it is for a configured source' });
    const { dryRun = false, mapping, mostRefused } = options;
    const kinds = bundledKinds().map(({ kind }) => kind);
    const source = await this.actions.openFiles(files.map((file) => ({ file, kind: kindOfFile(file, kinds, options.kind) })));
    const { failure, report } = await syncFiles(api, source, { dryRun, onProgress, ...(mapping === undefined ? {} : { mapping }), ...(mostRefused === undefined ? {} : { mostRefused: mostRefused / 100 }) });
    return told(report, dryRun, failure, options, dryRun ? { dryRun, ...report } : report);
  }

  private async syncSource(api: NodeApi, source: string, options: SyncOptions, onProgress: SyncProgress): Promise<CommandResult> {
    const { dryRun = false, fromStart = false, kind, mapping, mostRefused } = options;
    const stray = kind !== undefined ? '--kind' : mapping !== undefined ? '--mapping' : mostRefused !== undefined ? '--most-refused' : undefined;
    if (stray !== undefined) throw new ProtocolError('BAD_FIELD', { path: stray, reason: `is a setting of the source: sources.${source} in huilian.json` });
    const run = await runSource(api, source, { dryRun, fromStart }, onProgress);
    const { error, refused, refusedRows, ...counts } = run;
    return told({ ...counts, refused: refusedRows, refusedRows: refused }, dryRun, error && new ProtocolError(error.code, error.details), options, run);
  }

  @Option({ flags: '--kind <kind>', description: 'kind of all rows, where the file names do not say / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--mapping <name>', description: 'mapping of the node that the rows are read by (huilian mapping list) / 字段映射' })
  public parseMapping(value: string): string {
    return value;
  }

  @Option({ flags: '--dry-run', description: 'say what would be accepted, unchanged or refused and why; publish nothing / 试运行，不发布' })
  public parseDryRun(): boolean {
    return true;
  }

  @Option({ flags: '--from-start', description: 'read a configured source from its beginning, also what was read before / 从头读取' })
  public parseFromStart(): boolean {
    return true;
  }

  @Option({ flags: '--most-refused <percent>', description: 'stop when more than this share of the rows is refused (default 50; 100: never) / 拒绝比例上限' })
  public parseMostRefused(value: string): number {
    return parsePercent(value, '--most-refused');
  }
}

/** @throws the failure, once what was taken and why the rest was not is said */
function told(report: SyncReport, dryRun: boolean, failure: unknown, { json }: SyncOptions, data: unknown): CommandResult {
  if (failure === undefined) return { json: data, text: describeSync(report, dryRun), failed: false };
  if (json !== true && report.rows > 0) process.stderr.write(`\n${describeSync(report, dryRun)}\n`);
  throw failure;
}

/** A bar on standard error, where a person watches; undefined in pipes and with --json. */
export function progressBar(wanted: boolean): SingleBar | undefined {
  if (!wanted || !process.stderr.isTTY) return undefined;
  const bar = new SingleBar({ format: '{bar} {percentage}% | {accepted} accepted 已收 | {refused} refused 拒绝', stream: process.stderr }, Presets.shades_classic);
  bar.start(100, 0, { accepted: 0, refused: 0 });
  return bar;
}

/** The plain report of a sync: counts, then each refused row with its reasons in both languages. */
export function describeSync(report: SyncReport, dryRun = false): string {
  const { accepted, refused, refusedRows, rows, unchanged, warnings } = report;
  const head = `${String(rows)} rows: ${String(accepted)} accepted, ${String(unchanged)} unchanged, ${String(refusedRows)} refused / 共 ${String(rows)} 行：接收 ${String(accepted)}，未变 ${String(unchanged)}，拒绝 ${String(refusedRows)}`;
  const dry = dryRun ? ['dry run, nothing was published / 试运行，未发布'] : [];
  const more = refusedRows > refused.length ? [`  … ${String(refusedRows - refused.length)} more / 另有 ${String(refusedRows - refused.length)} 行`] : [];
  return [...dry, head, ...refused.map(describeRefusal), ...more, ...warnings.map(describeWarning)].join('\n');
}

function describeRefusal({ file, line, problems }: RefusedRow): string {
  const reasons = problems.map((problem) => `${problem.path || '/'} ${problem.code}: ${problem.en} / ${problem.zh}`);
  return `  ${file}:${String(line)} ${reasons.join('; ')}`;
}

function describeWarning({ code, details }: SourceWarning): string {
  return `  ! ${code} ${Object.entries(details).map(([name, value]) => `${name}=${String(value)}`).join(' ')}`;
}
