import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Presets, SingleBar } from 'cli-progress';
import { Command, Option } from 'nest-commander';
import { bundledKinds, ProtocolError } from '@huilian/protocol';
import { StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { kindOfFile, syncFiles, type RefusedRow, type SyncReport } from './sync-files.js';

interface SyncOptions extends StateOptions {
  readonly kind?: string;
}

@Command({
  name: 'sync',
  arguments: '<files...>',
  description: 'publish the rows of CSV export files with national field names / 同步导出文件。Example: huilian sync --state ./state entity.csv credit.csv',
})
export class SyncCommand extends StateCommand<SyncOptions> {
  protected async act(files: readonly string[], options: SyncOptions): Promise<CommandResult> {
    const kinds = bundledKinds().map(({ kind }) => kind);
    const chosen = files.map((file) => ({ file, kind: kindOfFile(file, kinds, options.kind) }));
    const bar = progressBar(options.json !== true);
    const report = await syncFiles(NodeApi.open(stateFolder(options)), chosen, (share, accepted, refused) => {
      bar?.update(Math.floor(share * 100), { accepted, refused });
    }).finally(() => bar?.stop());
    return { json: report, text: describeSync(report), failed: false };
  }

  @Option({ flags: '--kind <kind>', description: 'kind of all rows, where the file names do not say / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }
}

/** A bar on standard error, where a person watches; undefined in pipes and with --json. */
export function progressBar(wanted: boolean): SingleBar | undefined {
  if (!wanted || !process.stderr.isTTY) return undefined;
  const bar = new SingleBar({ format: '{bar} {percentage}% | {accepted} accepted 已收 | {refused} refused 拒绝', stream: process.stderr }, Presets.shades_classic);
  bar.start(100, 0, { accepted: 0, refused: 0 });
  return bar;
}

/** The plain report of a sync: counts, then each refused row with its reasons in both languages. */
export function describeSync(report: SyncReport): string {
  const head = `${String(report.rows)} rows: ${String(report.accepted)} accepted, ${String(report.unchanged)} unchanged, ${String(report.refused.length)} refused / 共 ${String(report.rows)} 行：接收 ${String(report.accepted)}，未变 ${String(report.unchanged)}，拒绝 ${String(report.refused.length)}`;
  return [head, ...report.refused.map(describeRefusal)].join('\n');
}

function describeRefusal({ file, line, problems }: RefusedRow): string {
  const reasons = problems.map((problem) => `${problem.path || '/'} ${problem.code}: ${problem.en} / ${problem.zh}`);
  return `  ${file}:${String(line)} ${reasons.join('; ')}`;
}

@Command({
  name: 'publish',
  arguments: '[file]',
  description: 'publish records from an NDJSON file or standard input / 发布记录。Example: huilian publish records.ndjson',
})
export class PublishCommand extends StateCommand<StateOptions> {
  protected async act([file]: readonly string[], options: StateOptions): Promise<CommandResult> {
    const input = file === undefined || file === '-' ? process.stdin : createReadStream(file);
    const answers: Record<string, unknown>[] = [];
    const lines = createInterface({ input, crlfDelay: Infinity });
    for await (const answer of NodeApi.open(stateFolder(options)).stream('/v1/records', lines)) answers.push(answer);
    const refused = answers.filter((answer) => 'refused' in answer);
    const recordIds = answers.flatMap((answer) => (typeof answer['recordId'] === 'string' ? [answer['recordId']] : []));
    if (answers.length === 0) throw new ProtocolError('BAD_FIELD', { reason: 'the input holds no line' });
    const text = [...recordIds, `${String(recordIds.length)} accepted 已收, ${String(refused.length)} refused 拒绝`, ...refused.map((answer) => JSON.stringify(answer))];
    return { json: { recordIds, refused }, text: text.join('\n'), failed: refused.length > 0 };
  }
}
