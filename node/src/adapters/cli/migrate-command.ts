import { Command, Option } from './declared-commands.js';
import type { MigrationReport } from '../../core/catalog/migrate-records.js';
import { given, parsePositive, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';

interface MigrateOptions extends StateOptions {
  readonly kind?: string;
  readonly from?: number;
  readonly to?: number;
  readonly dryRun?: boolean;
}

@Command({
  name: 'migrate',
  description:
    "publish this centre's records of a kind again under its next version, by the migration that a vote adopted / 按表决通过的转换规则将本方记录转换到新版本。Example: huilian migrate --kind forest-right --from 1 --to 2 --dry-run; huilian migrate --kind forest-right --from 1 --to 2",
})
export class MigrateCommand extends StateCommand<MigrateOptions> {
  protected async act(_args: readonly string[], options: MigrateOptions): Promise<CommandResult> {
    const dryRun = options.dryRun === true;
    const order = { kind: given(options.kind, '--kind'), from: given(options.from, '--from'), to: given(options.to, '--to'), dryRun };
    const report = await migrateAll(NodeApi.open(stateFolder(options)), order);
    const { accepted, records, refused, unchanged } = report;
    const head = `${String(records)} records: ${String(accepted)} ${dryRun ? 'would be carried over' : 'carried over'}, ${String(unchanged)} unchanged, ${String(refused.length)} refused / 共 ${String(records)} 条：${dryRun ? '可转换' : '已转换'} ${String(accepted)}，未变 ${String(unchanged)}，拒绝 ${String(refused.length)}`;
    const lines = refused.map(({ code, problems, recordId }) => `  ${recordId} ${code} ${problems.map((problem) => `${problem.path || '/'} ${problem.code}: ${problem.en} / ${problem.zh}`).join('; ')}`);
    return { json: report, text: [head, ...lines].join('\n'), failed: refused.length > 0 };
  }

  @Option({ flags: '--kind <kind>', description: 'kind of the records / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--from <n>', description: 'version they stand under / 原版本' })
  public parseFrom(value: string): number {
    return parsePositive(value, '--from');
  }

  @Option({ flags: '--to <n>', description: 'version they shall have / 新版本' })
  public parseTo(value: string): number {
    return parsePositive(value, '--to');
  }

  @Option({ flags: '--dry-run', description: 'say what would become of each, change nothing / 只试算，不发布' })
  public parseDryRun(): boolean {
    return true;
  }
}

/** Call after call until nothing is left; a call that fails leaves what the ones before it did. */
async function migrateAll(api: NodeApi, order: object): Promise<MigrationReport> {
  let all: MigrationReport = { records: 0, accepted: 0, unchanged: 0, refused: [] };
  let after: string | undefined;
  do {
    const { accepted, next, records, refused, unchanged } = (await api.post('/v1/migrations', { ...order, ...(after === undefined ? {} : { after }) })) as MigrationReport;
    all = { records: all.records + records, accepted: all.accepted + accepted, unchanged: all.unchanged + unchanged, refused: [...all.refused, ...refused] };
    after = next;
  } while (after !== undefined);
  return all;
}
