import { isIP } from 'node:net';
import { Command, Option } from './declared-commands.js';
import { digestShape, ProtocolError } from '@huilian/protocol';
import { given, NodeCommand, nodeUrl, type CommandResult, type NodeOptions } from './huilian-command.js';
import { ProcessActions } from './process-actions.js';

interface ReaderCommandOptions extends NodeOptions {
  readonly memberKeys?: string;
  readonly charter?: string;
  readonly host?: string;
  readonly patience?: number;
  readonly port?: number;
  readonly tokenFile?: string;
}

const defaultPort = 8490;
const defaultPatienceSeconds = 15;

@Command({
  name: 'reader',
  description:
    "a sidecar on loopback for an institution's own systems: ask, open, read, receipt over REST / 本机读取服务。Example: huilian reader --node https://node.example.org --member-keys member-keys.json --charter 9c1b…",
})
export class ReaderCommand extends NodeCommand<ReaderCommandOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(_args: readonly string[], options: ReaderCommandOptions): Promise<CommandResult> {
    await this.actions.runReader({
      node: nodeUrl(options),
      memberKeys: given(options.memberKeys, '--member-keys'),
      charter: digestShape.read(given(options.charter, '--charter'), '--charter'),
      host: options.host ?? '127.0.0.1',
      port: options.port ?? defaultPort,
      patienceSeconds: options.patience ?? defaultPatienceSeconds,
      ...(options.tokenFile === undefined ? {} : { tokenFile: options.tokenFile }),
    });
    return { json: { stopped: true }, text: 'reader stopped / 读取服务已停止' };
  }

  @Option({ flags: '--member-keys <file>', description: "the institution's keys, as huilian init wrote them / 成员密钥文件" })
  public parseMemberKeys(value: string): string {
    return value;
  }

  @Option({ flags: '--charter <fingerprint>', description: "the charter's fingerprint, 64 hex digits, from a source you trust / 章程指纹" })
  public parseCharter(value: string): string {
    return value;
  }

  @Option({ flags: '--host <address>', description: 'loopback address to listen on (default 127.0.0.1) / 监听的本机地址' })
  public parseHost(value: string): string {
    const loopback = value === '::1' || (isIP(value) === 4 && value.startsWith('127.'));
    if (!loopback) throw new ProtocolError('BAD_FIELD', { path: '--host', reason: 'a loopback address: this door serves programs of its own machine only' });
    return value;
  }

  @Option({ flags: '--port <port>', description: `port (default ${String(defaultPort)}; 0 for a free one) / 端口` })
  public parsePort(value: string): number {
    if (!/^[0-9]{1,5}$/.test(value) || Number(value) > 65_535) throw new ProtocolError('BAD_FIELD', { path: '--port', reason: 'a port' });
    return Number(value);
  }

  @Option({ flags: '--patience <seconds>', description: `how long one call may wait for a node that asks to be tried again, 0 to 60 (default ${String(defaultPatienceSeconds)}) / 等待秒数` })
  public parsePatience(value: string): number {
    if (!/^[0-9]{1,2}$/.test(value) || Number(value) > 60) throw new ProtocolError('BAD_FIELD', { path: '--patience', reason: '0 to 60 seconds' });
    return Number(value);
  }

  @Option({ flags: '--token-file <file>', description: 'bearer token, made at first start with mode 0600 (default: reader-token beside the keys) / 令牌文件' })
  public parseTokenFile(value: string): string {
    return value;
  }
}
