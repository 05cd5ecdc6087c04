import { Command, Option } from './declared-commands.js';
import { ProtocolError } from '@huilian/protocol';
import { given, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { confirmByWord } from './terminal.js';

interface EraseOptions extends StateOptions {
  readonly kind?: string;
  readonly list?: boolean;
  readonly naturalKey?: readonly string[];
  readonly owner?: string;
  readonly yes?: boolean;
}

interface Erased {
  readonly recordIds: readonly string[];
  readonly versions: number;
  readonly withdrawn: number;
  readonly already: readonly string[];
  readonly backup: { readonly made?: string; readonly code?: string };
}

interface PastErasure {
  readonly at: number;
  readonly scope: 'owner' | 'records';
  readonly owner?: string;
  readonly recordIds: readonly string[];
}

const warning =
  'Erased payloads never open again, in no copy of the data; older backups open nothing more of this owner. Headers and trail stay on the ledger.\n' +
  '删除后任何副本都无法打开，旧备份也不再能打开该权属人的数据；账本上的记录头与足迹保留。';

@Command({
  name: 'erase',
  arguments: '[recordIds...]',
  description:
    'erase records of this centre, or all it holds of an owner, for good / 永久删除数据。Example: huilian erase guangzhou/credit/ID; huilian erase --owner org:91440105MA6NNHC07C; huilian erase --kind entity --natural-key 91440105MA6NNHC07C --yes; huilian erase --list',
})
export class EraseCommand extends StateCommand<EraseOptions> {
  protected async act(recordIds: readonly string[], options: EraseOptions): Promise<CommandResult> {
    const api = NodeApi.open(stateFolder(options));
    if (options.list === true) return describeList((await api.all('/v1/erasures')) as readonly PastErasure[]);
    const order = orderOf(recordIds, options);
    if (options.yes !== true) process.stderr.write(`${describeOrder(order)}\n${warning}\n`);
    const meant = await confirmByWord('type erase (or 删除) to go on 输入以继续: ', /^(erase|删除)$/i, options.yes === true);
    if (!meant) return { json: { erased: false }, text: 'nothing was erased / 未删除', failed: true };
    return describeErased((await api.post('/v1/erasures', order)) as Erased);
  }

  @Option({ flags: '--owner <owner>', description: 'all that this centre holds of an owner, org:<USCC> / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }

  @Option({ flags: '--kind <kind>', description: 'with --natural-key: kind of the record / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--natural-key <value>', description: "with --kind: a value of the record's natural key, repeat for each in the kind's order / 自然键" })
  public parseNaturalKey(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }

  @Option({ flags: '--list', description: 'what was erased and when, newest first / 列出已删除的数据' })
  public parseList(): boolean {
    return true;
  }

  @Option({ flags: '--yes', description: 'do not ask / 不再询问' })
  public parseYes(): boolean {
    return true;
  }
}

type Order = { readonly recordIds: readonly string[] } | { readonly owner: string } | { readonly kind: string; readonly naturalKey: readonly string[] };

/** @throws BAD_FIELD where not exactly one thing is named */
function orderOf(recordIds: readonly string[], { kind, naturalKey, owner }: EraseOptions): Order {
  const byKey = kind !== undefined || naturalKey !== undefined;
  const named = [recordIds.length > 0, owner !== undefined, byKey].filter(Boolean).length;
  if (named !== 1) throw new ProtocolError('BAD_FIELD', { path: '--owner', reason: 'name either record ids, or --owner, or --kind and --natural-key' });
  if (owner !== undefined) return { owner };
  return byKey ? { kind: given(kind, '--kind'), naturalKey: given(naturalKey, '--natural-key') } : { recordIds };
}

function describeOrder(order: Order): string {
  if ('owner' in order) return `all data of 全部数据: ${order.owner}`;
  return 'kind' in order ? `record 记录: ${order.kind} ${order.naturalKey.join(' ')}` : ['records 记录:', ...order.recordIds].join('\n  ');
}

function describeErased(erased: Erased): CommandResult {
  const { already, recordIds, versions, withdrawn } = erased;
  const [records, held, waiting] = [String(recordIds.length), String(versions), String(withdrawn)];
  const lines = [
    `${records} records erased, ${held} versions / 已删除 ${records} 条记录、${held} 个版本`,
    ...(withdrawn === 0 ? [] : [`${waiting} rows were not published yet and never will be / ${waiting} 行尚未发布，不再发布`]),
    ...(already.length === 0 && recordIds.length > 0 ? [] : [`${String(already.length)} had been erased before / ${String(already.length)} 条此前已删除`]),
    ...(recordIds.length === 0 ? [] : describeBackup(erased.backup)),
  ];
  return { json: { erased: true, ...erased }, text: lines.join('\n'), failed: erased.backup.code !== undefined };
}

function describeBackup({ code, made }: Erased['backup']): readonly string[] {
  if (made !== undefined) return [`a new backup was made: ${made} / 已生成新备份`];
  const failed = code === undefined ? [] : [`the new backup failed: ${code} / 新备份失败`];
  return [...failed, 'older backups open nothing more of this owner\'s data: make a new backup now / 旧备份不再能打开该权属人的数据，请立即做新备份'];
}

function describeList(erasures: readonly PastErasure[]): CommandResult {
  const lines = erasures.flatMap(({ at, owner, recordIds, scope }) => [
    `${new Date(at * 1000).toISOString()}  ${scope === 'owner' ? `owner 权属人 ${owner ?? ''}` : 'records 记录'}  ${String(recordIds.length)}`,
    ...recordIds.map((recordId) => `  ${recordId}`),
  ]);
  return { json: erasures, text: lines.length === 0 ? 'nothing was erased / 没有删除记录' : lines.join('\n') };
}
