import { regionName } from '@huilian/protocol';
import { Command, Option } from './declared-commands.js';
import { parsePositive, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';

interface CountOptions extends StateOptions {
  readonly by?: string;
  readonly digits?: string;
  readonly from?: string;
  readonly kind?: string;
  readonly limit?: number;
  readonly order?: string;
  readonly place?: string;
  readonly project?: string;
  readonly publisher?: string;
  readonly region?: string;
  readonly rights?: string;
  readonly status?: string;
  readonly sum?: string;
  readonly to?: string;
}

interface Counted {
  readonly groups: readonly { readonly key: Readonly<Record<string, string>>; readonly records: number; readonly sum?: string; readonly amounts?: number; readonly foreign?: number }[];
  readonly groupCount: number;
  readonly height: number;
  readonly complete: { readonly headers: boolean; readonly payloads: boolean };
}

@Command({
  name: 'count',
  description:
    'count records by groups, and sum amounts of own ones / 统计记录数与金额。Example: huilian count --by kind,month; huilian count --by place --digits 4 --kind performance --sum contract.amount --order sum',
})
export class CountCommand extends StateCommand<CountOptions> {
  protected async act(_args: readonly string[], { json: _json, state, ...asked }: CountOptions): Promise<CommandResult> {
    const parameters = new URLSearchParams(Object.entries(asked).map(([name, value]): [string, string] => [name, String(value)]));
    const counted = (await NodeApi.open(stateFolder(state === undefined ? {} : { state })).get(`/v1/aggregates?${parameters.toString()}`)) as Counted;
    return { json: counted, text: describe(counted, asked.sum !== undefined) };
  }

  @Option({ flags: '--by <dimensions>', description: 'groups, with commas: publisher, kind, month, region, rights, status; of own payloads: place, project / 分组维度' })
  public parseBy(value: string): string {
    return value;
  }

  @Option({ flags: '--digits <n>', description: 'of a division: 2 province, 4 prefecture, 6 county (default) / 行政区划位数' })
  public parseDigits(value: string): string {
    return value;
  }

  @Option({ flags: '--from <month>', description: 'published in this month or later, for example 2026-01 / 起始月份' })
  public parseFrom(value: string): string {
    return value;
  }

  @Option({ flags: '--to <month>', description: 'published in this month or before / 截止月份' })
  public parseTo(value: string): string {
    return value;
  }

  @Option({ flags: '--kind <kind>', description: 'kind of record / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--publisher <member>', description: 'centre that published / 发布方' })
  public parsePublisher(value: string): string {
    return value;
  }

  @Option({ flags: '--region <digits>', description: 'subjects registered there: 2, 4 or 6 digits / 主体登记地' })
  public parseRegion(value: string): string {
    return value;
  }

  @Option({ flags: '--rights <class>', description: 'owner, publisher or public / 确权类别' })
  public parseRights(value: string): string {
    return value;
  }

  @Option({ flags: '--status <status>', description: 'active, revoked or contested / 状态' })
  public parseStatus(value: string): string {
    return value;
  }

  @Option({ flags: '--place <digits>', description: 'own payloads about this division: 2, 4 or 6 digits / 数据所在地' })
  public parsePlace(value: string): string {
    return value;
  }

  @Option({ flags: '--project <code>', description: 'own payloads of this project / 项目编号' })
  public parseProject(value: string): string {
    return value;
  }

  @Option({ flags: '--sum <path>', description: 'sum this amount of own payloads, for example contract.amount / 金额字段' })
  public parseSum(value: string): string {
    return value;
  }

  @Option({ flags: '--order <order>', description: 'key (default), records or sum / 排序' })
  public parseOrder(value: string): string {
    return value;
  }

  @Option({ flags: '--limit <n>', description: 'at most so many groups (default 1000) / 最多组数' })
  public parseLimit(value: string): number {
    return parsePositive(value, '--limit');
  }
}

function describe({ complete, groupCount, groups, height }: Counted, withSum: boolean): string {
  const lines = groups.map(({ amounts = 0, foreign = 0, key, records, sum = '0' }) => {
    const names = Object.entries(key).map(([dimension, value]) => nameOf(dimension, value));
    const amount = withSum ? `  ${yuan(sum)} 元 in ${String(amounts)}${foreign === 0 ? '' : `, ${String(foreign)} in another currency 其他币种`}` : '';
    return `${names.join('  ')}${names.length === 0 ? '' : '  '}${String(records)}${amount}`;
  });
  const cut = groupCount > groups.length ? [`${String(groupCount)} groups in all / 共 ${String(groupCount)} 组`] : [];
  const waiting = !complete.headers || (withSum && !complete.payloads) ? ['not complete yet: the columns are being built / 尚未完整：索引构建中'] : [];
  return [...lines, ...cut, ...waiting, `block 区块 ${String(height)}`].join('\n');
}

function nameOf(dimension: string, value: string): string {
  if (value === '') return '-';
  const region = dimension === 'region' || dimension === 'place' ? regionName(value.padEnd(6, '0')) : undefined;
  return region === undefined ? value : `${value} ${region}`;
}

/** Fen as yuan. */
function yuan(fen: string): string {
  const digits = fen.padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
