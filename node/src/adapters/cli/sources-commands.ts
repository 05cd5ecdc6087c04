import { Command, SubCommand } from './declared-commands.js';
import { errorCatalogue, ProtocolError } from '@huilian/protocol';
import type { RunRecord, SourceView } from '../../core/sync/sync-jobs.js';
import { given, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { describeSync } from './sync-command.js';

@SubCommand({ name: 'list', description: 'configured sources, each with its last run / 列出数据源。Example: huilian sources list --state ./state' })
export class ListSourcesCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const items = (await NodeApi.open(stateFolder(options)).all('/v1/sources')) as readonly SourceView[];
    const none = ['no source is configured: name them under sources in huilian.json / 未配置数据源'];
    return { json: { items }, text: (items.length === 0 ? none : items.map(describeSource)).join('\n') };
  }
}

@SubCommand({ name: 'show', arguments: '<source>', description: 'one source and its last runs, with what was refused / 查看数据源及同步记录。Example: huilian sources show enterprises --state ./state' })
export class ShowSourceCommand extends StateCommand<StateOptions> {
  protected async act([name]: readonly string[], options: StateOptions): Promise<CommandResult> {
    const api = NodeApi.open(stateFolder(options));
    const route = `/v1/sources/${encodeURIComponent(given(name, '<source>'))}`;
    const source = (await api.get(route)) as SourceView;
    const { items: runs } = (await api.get(`${route}/runs?limit=10`)) as { readonly items: readonly RunRecord[] };
    const [newest] = runs;
    const lines = [describeSource(source), ...runs.map((run) => `  ${describeRun(run)}`), ...(newest === undefined || newest.rows === 0 ? [] : [describeRecord(newest)])];
    return { json: { source, runs }, text: lines.join('\n') };
  }
}

@SubCommand({ name: 'stop', arguments: '<source>', description: 'stop the run under way; the next one goes on there / 停止正在进行的同步。Example: huilian sources stop enterprises --state ./state' })
export class StopSourceCommand extends StateCommand<StateOptions> {
  protected async act([name]: readonly string[], options: StateOptions): Promise<CommandResult> {
    const run = (await NodeApi.open(stateFolder(options)).delete(`/v1/sources/${encodeURIComponent(given(name, '<source>'))}/runs/current`)) as RunRecord;
    return { json: run, text: describeRun(run) };
  }
}

@SubCommand({ name: 'reload', description: 'have the running node take the sources as huilian.json has them now / 重新读取数据源配置。Example: huilian sources reload --state ./state' })
export class ReloadSourcesCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const { items } = (await NodeApi.open(stateFolder(options)).post('/v1/sources', {})) as { readonly items: readonly SourceView[] };
    return { json: { items }, text: items.map(describeSource).join('\n') };
  }
}

@Command({
  name: 'sources',
  description: 'sources that the node reads by itself: list, show, stop, reload / 数据源。Example: huilian sources list --state ./state',
  subCommands: [ListSourcesCommand, ShowSourceCommand, StopSourceCommand, ReloadSourcesCommand],
})
export class SourcesCommand extends StateCommand<StateOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: '<command>', reason: 'one of list, show, stop, reload' }));
  }
}

function describeSource({ current, everyMinutes, kind, last, name, next, type }: SourceView): string {
  const when = everyMinutes === 0 ? '' : `, every ${String(everyMinutes)} min 分钟`;
  const coming = next === undefined ? '' : `, next 下次 ${time(next)}`;
  const run = current ?? last;
  return `${name}  ${type}${kind === undefined ? '' : ` ${kind}`}${when}${coming}${run === undefined ? '  not read yet / 尚未读取' : `  ${describeRun(run)}`}`;
}

const stateWords: Readonly<Record<RunRecord['state'], string>> = { done: 'done 完成', failed: 'failed 失败', interrupted: 'interrupted 中断', running: 'running 进行中', stopped: 'stopped 已停止' };

function describeRun({ accepted, dryRun, error, refused, rows, run, share, started, state, unchanged }: RunRecord): string {
  const part = share === undefined || state !== 'running' ? '' : ` ${String(Math.floor(share * 100))}%`;
  const why = error === undefined ? '' : ` ${error.code}: ${errorCatalogue[error.code].en} / ${errorCatalogue[error.code].zh}${Object.entries(error.details).map(([name, value]) => ` ${name}=${String(value)}`).join('')}`;
  return `#${String(run)} ${time(started)} ${stateWords[state]}${part}${dryRun ? ' (dry run 试运行)' : ''}: ${String(rows)} rows, ${String(accepted)} accepted, ${String(unchanged)} unchanged, ${String(refused)} refused${why}`;
}

/** A run as the report of a sync. */
function describeRecord({ dryRun, refused, refusedRows, ...counts }: RunRecord): string {
  return describeSync({ ...counts, refused: refusedRows, refusedRows: refused }, dryRun);
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000', '');
}
