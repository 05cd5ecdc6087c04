import { Command, Option } from './declared-commands.js';
import { ProtocolError } from '@huilian/protocol';
import { loadConfig } from '../../config/config.js';
import { exitCodeOf, HuilianCommand, StateCommand, reportError, stateFolder, type CommandResult, type OutputOptions, type StateOptions } from './huilian-command.js';
import { ProcessActions } from './process-actions.js';

@Command({ name: 'start', description: 'run the node of a state folder until Ctrl-C / 运行节点。Example: huilian start --state ./state' })
export class StartCommand extends StateCommand<StateOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    await this.actions.runNode(stateFolder(options));
    return { json: { stopped: true }, text: 'node stopped / 节点已停止' };
  }
}

@Command({ name: 'reindex', description: 'rebuild the read model from the ledger beside the current one, then flip / 重建索引。Example: huilian reindex --state ./state' })
export class ReindexCommand extends StateCommand<StateOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const result = await this.actions.reindex(stateFolder(options), (height) => {
      if (options.json !== true && process.stderr.isTTY) process.stderr.write(`\rblock ${String(height)}`);
    });
    return { json: result, text: `\nread model rebuilt to block ${String(result.height)}, digest ${result.digest} / 索引已重建` };
  }
}

interface LedgerOptions extends OutputOptions {
  readonly dir?: string;
  readonly contract?: string;
  readonly chaincode?: string;
  readonly channel?: string;
  readonly org?: readonly string[];
  readonly port?: number;
}

@Command({
  name: 'ledger',
  arguments: '<action>',
  argsDescription: { action: 'start' },
  description:
    'embedded ledger for development and pilots / 内嵌账本。Example: huilian ledger start --contract ./chaincode --org Org1MSP --org Org2MSP --dir ./ledger',
})
export class LedgerCommand extends HuilianCommand<LedgerOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(args: readonly string[], options: LedgerOptions): Promise<CommandResult> {
    if (args[0] !== 'start') throw new ProtocolError('BAD_FIELD', { path: '<action>', reason: 'the only action is start' });
    if (options.contract === undefined || options.org === undefined) throw new ProtocolError('BAD_FIELD', { path: '--contract', reason: 'and --org are needed' });
    await this.actions.runLedger({
      dir: options.dir ?? 'ledger',
      contract: options.contract,
      chaincode: options.chaincode ?? 'huilian',
      channel: options.channel ?? 'huilian',
      organisations: options.org,
      port: options.port ?? 0,
    });
    return { json: { stopped: true }, text: 'ledger stopped / 账本已停止' };
  }

  @Option({ flags: '--dir <folder>', description: 'ledger folder (default ./ledger) / 账本目录' })
  public parseDir(value: string): string {
    return value;
  }

  @Option({ flags: '--contract <path>', description: 'module that exports `contracts` / 合约模块' })
  public parseContract(value: string): string {
    return value;
  }

  @Option({ flags: '--chaincode <name>', description: 'chaincode name (default huilian) / 链码名' })
  public parseChaincode(value: string): string {
    return value;
  }

  @Option({ flags: '--channel <name>', description: 'channel (default huilian) / 通道' })
  public parseChannel(value: string): string {
    return value;
  }

  @Option({ flags: '--org <mspId>', description: 'organisation, repeat for each / 组织，可重复' })
  public parseOrg(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }

  @Option({ flags: '--port <port>', description: 'TCP port on loopback (default: that of the last run, else a free one) / 端口' })
  public parsePort(value: string): number {
    return Number.parseInt(value, 10);
  }
}

interface LocalOptions extends OutputOptions {
  readonly state?: string;
  readonly once?: boolean;
  readonly engine?: string;
  readonly profile?: string;
  readonly client?: string;
  readonly break?: string;
  readonly with?: readonly string[];
  readonly kind?: string;
}

const sabotages = ['grant', 'payload', 'revocation'] as const;
const engines = ['embedded', 'fabric'] as const;
const profiles = ['raft', 'bft'] as const;
const clients = ['gateway', 'network'] as const;

@Command({
  name: 'local',
  arguments: '<action>',
  argsDescription: { action: 'up' },
  description: 'a whole consortium on this machine: ledger, three centres, a bank, sample data, walk-through / 本机联盟演示。Example: huilian local up --once; huilian local up --with entity.csv',
})
export class LocalCommand extends HuilianCommand<LocalOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  // Prints its own report as it goes; the last line of standard output must stay the summary.
  public override async run(args: string[], options: LocalOptions = {}): Promise<void> {
    try {
      if (args[0] !== 'up') throw new ProtocolError('BAD_FIELD', { path: '<action>', reason: 'the only action is up' });
      const engine = oneOf('--engine', engines, options.engine ?? 'embedded');
      const profile = oneOf('--profile', profiles, options.profile ?? 'raft');
      process.exitCode = await this.actions.runLocal({
        state: options.state ?? process.env['HUILIAN_STATE'] ?? (engine === 'embedded' ? 'state' : `state-${profile}`),
        once: options.once === true,
        engine,
        profile,
        client: oneOf('--client', clients, options.client ?? 'gateway'),
        ...(options.with === undefined ? {} : { with: options.with }),
        ...(options.kind === undefined ? {} : { kind: options.kind }),
        ...(options.break === undefined ? {} : { sabotage: oneOf('--break', sabotages, options.break) }),
      });
    } catch (error) {
      reportError(error, options.json === true);
      process.exitCode = exitCodeOf(error);
    }
  }

  protected act(): Promise<CommandResult> {
    return Promise.resolve({ json: {}, text: '' });
  }

  @Option({ flags: '--state <folder>', description: 'state folder; a second start resumes it (default ./state, on Fabric ./state-raft or ./state-bft) / 状态目录' })
  public parseState(value: string): string {
    return value;
  }

  @Option({ flags: '--once', description: 'end after the walk-through / 演示后退出' })
  public parseOnce(): boolean {
    return true;
  }

  @Option({ flags: '--engine <engine>', description: 'embedded (default) or fabric: Hyperledger Fabric from its own commands on FABRIC_BIN or PATH / 账本引擎' })
  public parseEngine(value: string): string {
    return value;
  }

  @Option({ flags: '--profile <profile>', description: 'Fabric network: raft (default) or bft / Fabric 网络配置' })
  public parseProfile(value: string): string {
    return value;
  }

  @Option({ flags: '--client <client>', description: 'how a new node reaches the ledger: gateway (default) or network, the older client with a static profile and wallet / 账本客户端' })
  public parseClient(value: string): string {
    return value;
  }

  @Option({ flags: '--with <file>', description: 'your own rows (CSV, TSV, XLSX, NDJSON with national field names), walked through after the sample; repeat for each / 用您自己的数据演示' })
  public parseWith(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }

  @Option({ flags: '--kind <kind>', description: 'with --with: kind of the rows, where the file names do not say / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--break <step>', description: 'sabotage a step (grant, payload, revocation): must end non-zero / 破坏某一步' })
  public parseBreak(value: string): string {
    return value;
  }
}

/** @throws ProtocolError BAD_FIELD */
function oneOf<T extends string>(flag: string, allowed: readonly T[], value: string): T {
  const found = allowed.find((each) => each === value);
  if (found === undefined) throw new ProtocolError('BAD_FIELD', { path: flag, reason: `one of ${allowed.join(', ')}` });
  return found;
}

@Command({
  name: 'config',
  arguments: '<action>',
  argsDescription: { action: 'check' },
  description: 'print the effective configuration without secrets / 检查配置。Example: huilian config check --state ./state',
})
export class ConfigCommand extends StateCommand<StateOptions> {
  protected act(args: readonly string[], options: StateOptions): Promise<CommandResult> {
    if (args[0] !== 'check') throw new ProtocolError('BAD_FIELD', { path: '<action>', reason: 'the only action is check' });
    const config = loadConfig(stateFolder(options));
    return Promise.resolve({ json: config, text: JSON.stringify(config, null, 2) });
  }
}
