import { Command } from './declared-commands.js';
import { StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';

interface NodeStatus {
  readonly exchange: readonly string[];
  readonly height: number;
  readonly ledger: { readonly state: string; readonly problem?: string };
  readonly member: string;
  readonly memoryMiB?: Readonly<Record<string, number>>;
  readonly vaultKeyCopy: 'kept' | 'none' | 'unreachable';
  readonly outbox: { readonly pending: number; readonly inFlight: number; readonly settled: number; readonly deadLettered: number };
}

@Command({ name: 'status', description: 'how the running node is / 节点状态。Example: huilian status --state ./state --json' })
export class StatusCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const status = (await NodeApi.open(stateFolder(options)).get('/v1/status')) as NodeStatus;
    return { json: status, text: describeStatus(status) };
  }
}

const copyWords = { kept: 'kept 已保存', none: 'none: vaultKeyCopy in huilian.json 未配置', unreachable: 'cannot be written 无法写入' } as const;

function describeStatus({ exchange, height, ledger, member, outbox, vaultKeyCopy }: NodeStatus): string {
  return [
    `node 节点       ${member}`,
    `ledger 账本     ${ledger.state}, block 区块 ${String(height)}${ledger.problem === undefined ? '' : `, last problem 最近问题 ${ledger.problem}`}`,
    `outbox 发件箱   ${String(outbox.pending)} pending 待发, ${String(outbox.inFlight)} batches in flight 在途批次, ${String(outbox.settled)} settled 已结, ${String(outbox.deadLettered)} dead-lettered 死信`,
    `exchange 交换   ${exchange.join(' ')}`,
    `key copy 密钥副本 ${copyWords[vaultKeyCopy]}`,
  ].join('\n');
}
