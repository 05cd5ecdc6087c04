import { Command, Option } from './declared-commands.js';
import { memberKinds, ProtocolError, type MemberKind } from '@huilian/protocol';
import { StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { ProcessActions } from './process-actions.js';

interface InitCommandOptions extends StateOptions {
  readonly member?: string;
  readonly kind?: MemberKind;
  readonly organisation?: string;
  readonly host?: string;
  readonly nameZh?: string;
  readonly nameEn?: string;
  readonly region?: string;
  readonly contact?: string;
  readonly connection?: string;
  readonly httpPort?: number;
  readonly exchangePort?: number;
  readonly exchangeHost?: string;
}

@Command({
  name: 'init',
  description:
    'make keys and configuration of a new member / 初始化成员。Example: huilian init --state ./gz --member guangzhou --organisation GuangzhouMSP --connection ./ledger/connections/GuangzhouMSP.json --region 440100 --name-zh 广州 --name-en Guangzhou --contact https://example.org',
})
export class InitCommand extends StateCommand<InitCommandOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act(_args: readonly string[], options: InitCommandOptions): Promise<CommandResult> {
    const { contact, member, nameEn, nameZh, organisation, region } = options;
    if (member === undefined || organisation === undefined || region === undefined || nameZh === undefined || nameEn === undefined || contact === undefined) {
      throw new ProtocolError('BAD_FIELD', { path: 'init', reason: 'needs --member --organisation --region --name-zh --name-en --contact' });
    }
    const document = await this.actions.initialise({
      state: stateFolder(options),
      member,
      kind: options.kind ?? 'centre',
      organisation,
      nameZh,
      nameEn,
      region,
      contact,
      httpPort: options.httpPort ?? 8480,
      exchangePort: options.exchangePort ?? 8481,
      ...(options.exchangeHost === undefined ? {} : { exchangeHost: options.exchangeHost }),
      ...(options.host === undefined ? {} : { host: options.host }),
      ...(options.connection === undefined ? {} : { connection: options.connection }),
    });
    return { json: document, text: `${JSON.stringify(document, null, 2)}\nkeep the folder ${stateFolder(options)} safe: it holds private keys / 请妥善保管该目录，内有私钥` };
  }

  @Option({ flags: '--member <id>', description: 'member id / 成员标识' })
  public parseMember(value: string): string {
    return value;
  }

  @Option({ flags: '--kind <kind>', description: 'centre (default), platform, institution, supervisor / 成员类别' })
  public parseKind(value: string): MemberKind {
    const kind = memberKinds.find((known) => known === value);
    if (kind === undefined) throw new ProtocolError('BAD_FIELD', { path: '--kind', reason: `one of ${memberKinds.join(', ')}` });
    return kind;
  }

  @Option({ flags: '--organisation <mspId>', description: 'MSP id of the own or the host organisation / 组织' })
  public parseOrganisation(value: string): string {
    return value;
  }

  @Option({ flags: '--host <centre>', description: 'centre that serves this member / 接入中心' })
  public parseHost(value: string): string {
    return value;
  }

  @Option({ flags: '--name-zh <name>', description: 'Chinese name / 中文名称' })
  public parseNameZh(value: string): string {
    return value;
  }

  @Option({ flags: '--name-en <name>', description: 'English name / 英文名称' })
  public parseNameEn(value: string): string {
    return value;
  }

  @Option({ flags: '--region <code>', description: 'administrative division, six digits / 行政区划代码' })
  public parseRegion(value: string): string {
    return value;
  }

  @Option({ flags: '--contact <url>', description: 'page or switchboard, never a person / 联系方式（网页或总机）' })
  public parseContact(value: string): string {
    return value;
  }

  @Option({ flags: '--connection <file>', description: 'connection file of the ledger (centres) / 账本连接文件' })
  public parseConnection(value: string): string {
    return value;
  }

  @Option({ flags: '--http-port <port>', description: 'HTTP port (default 8480) / HTTP 端口' })
  public parseHttpPort(value: string): number {
    return Number.parseInt(value, 10);
  }

  @Option({ flags: '--exchange-host <address>', description: 'IP address or name by which other centres reach this node (default: this machine alone) / 其他中心访问本节点的地址' })
  public parseExchangeHost(value: string): string {
    return value;
  }

  @Option({ flags: '--exchange-port <port>', description: 'libp2p port (default 8481) / 交换端口' })
  public parseExchangePort(value: string): number {
    return Number.parseInt(value, 10);
  }
}
