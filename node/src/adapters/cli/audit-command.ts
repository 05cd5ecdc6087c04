import { Presets, SingleBar } from 'cli-progress';
import { Command, Option } from './declared-commands.js';
import { parsePositive, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { ProcessActions, type AuditReport } from './process-actions.js';

interface AuditCommandOptions extends StateOptions {
  readonly acknowledged?: string;
  readonly ledgerOnly?: boolean;
  readonly log?: readonly string[];
  readonly to?: number;
}

@Command({
  name: 'audit',
  description:
    'replay the ledger against the rules, and a stopped node against the ledger; ends with 1 when something does not hold / 审计账本与节点。Example: huilian audit --state ./state --log ./state/node.log',
})
export class AuditCommand extends StateCommand<AuditCommandOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(_args: readonly string[], options: AuditCommandOptions): Promise<CommandResult> {
    const bar = process.stderr.isTTY && options.json !== true ? new SingleBar({ format: '{bar} {value}/{total} blocks 区块', stream: process.stderr }, Presets.shades_classic) : undefined;
    bar?.start(1, 0);
    try {
      const report = await this.actions.audit({
        acknowledged: options.acknowledged,
        ledgerOnly: options.ledgerOnly === true,
        logs: options.log ?? [],
        onProgress: (block, last) => {
          bar?.setTotal((last ?? block) + 1);
          bar?.update(block + 1);
        },
        state: stateFolder(options),
        to: options.to,
      });
      return { failed: report.findingCount > 0, json: report, text: describeAudit(report) };
    } finally {
      bar?.stop();
    }
  }

  @Option({ flags: '--ledger-only', description: 'blocks only, for a node that runs / 只查账本区块' })
  public parseLedgerOnly(): boolean {
    return true;
  }

  @Option({ flags: '--to <block>', description: 'last block (default: the height of the node) / 最后区块' })
  public parseTo(value: string): number {
    return Number(value) === 0 ? 0 : parsePositive(value, '--to');
  }

  @Option({ flags: '--log <file>', description: 'search a log for personal data; can be given again / 检查日志中的个人信息' })
  public parseLog(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }

  @Option({ flags: '--acknowledged <file>', description: 'record ids that were acknowledged, one a line / 已确认收到的记录编号' })
  public parseAcknowledged(value: string): string {
    return value;
  }
}

function describeAudit(report: AuditReport): string {
  const { blocks, checked, findingCount, findings, notChecked, ownVersions, reason, records, releases, seconds, tickets, transactions, transactionsPerSecond, valid } = report;
  const lines = [
    `ledger 账本     ${String(blocks)} blocks 区块, ${String(transactions)} transactions 交易 (${String(valid)} valid 有效), ${String(records)} record versions 记录版本, ${String(tickets)} tickets 凭据`,
    ...(ownVersions + releases === 0 ? [] : [`node 节点       ${String(ownVersions)} own versions 自有版本, ${String(releases)} releases 交付`]),
    `time 用时       ${seconds.toFixed(1)} s, ${String(transactionsPerSecond)} transactions a second 笔/秒`,
    `checked 已查    ${checked.join(' ')}`,
    ...(notChecked.length === 0 ? [] : [`not 未查        ${notChecked.join(' ')}${reason === undefined ? '' : ` (${reason})`}`]),
    ...findings.map(({ expected, found, invariant, place }) => `  ${invariant} ${place}: expected 应为 ${expected}; found 实为 ${found}`),
    findingCount === 0 ? 'nothing found / 未发现问题' : `${String(findingCount)} findings, see docs/operations/audit.md / 发现 ${String(findingCount)} 处问题`,
  ];
  return lines.join('\n');
}
