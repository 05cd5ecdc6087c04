import { Command, Option } from './declared-commands.js';
import { ownerIdShape, type Domain } from '@huilian/protocol';
import { given, NodeCommand, nodeUrl, type CommandResult, type NodeOptions } from './huilian-command.js';
import { openWalletFile } from './wallet-file.js';

interface TrailOptions extends NodeOptions {
  readonly wallet?: string;
  readonly owner?: string;
}

interface TrailEntry {
  readonly at: number;
  readonly what: string;
  readonly attester?: string;
  readonly reader?: string;
  readonly publisher?: string;
  readonly purpose?: string;
  readonly claims?: readonly string[];
  readonly recordIds?: readonly string[];
  readonly ticket?: string;
  readonly grant?: string;
  readonly code?: string;
}

interface Trail {
  readonly entries: readonly TrailEntry[];
  readonly refusals: readonly { readonly centre: string; readonly refusals: readonly { readonly at: number; readonly code: string; readonly reader: string; readonly recordIds: readonly string[] }[] }[];
  readonly missing: readonly string[];
}

@Command({
  name: 'trail',
  description:
    "everything that happened to an owner's data, for the owner / 查看足迹。Example: huilian trail --wallet wallet.json --owner org:91440105MA6NNHC07C --node https://node.example.org",
})
export class TrailCommand extends NodeCommand<TrailOptions> {
  protected async act(_args: readonly string[], options: TrailOptions): Promise<CommandResult> {
    const owner = ownerIdShape.read(given(options.owner, '--owner'), '--owner');
    const { HttpDoor } = await import('@huilian/sdk');
    const door = new HttpDoor(nodeUrl(options));
    const { wallet } = await openWalletFile(given(options.wallet, '--wallet'));
    const { domain } = await door.get<{ domain: Domain }>('/v1/consortium');
    const trail = await door.post<Trail>('/v1/trails', await wallet.signTrailRequest(domain, owner));
    return { json: trail, text: describeTrail(trail) };
  }

  @Option({ flags: '--wallet <file>', description: "the owner's wallet / 钱包文件" })
  public parseWallet(value: string): string {
    return value;
  }

  @Option({ flags: '--owner <id>', description: 'org: and the unified social credit code / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }
}

function describeTrail({ entries, missing, refusals }: Trail): string {
  const refused = refusals.flatMap((centre) => centre.refusals.map((refusal) => ({ ...refusal, centre: centre.centre })));
  return [
    `on the ledger 链上 ${String(entries.length)}`,
    ...entries.map(describeEntry),
    `refused 被拒绝 ${String(refused.length)}`,
    ...refused.map(({ at, centre, code, reader, recordIds }) => `  ${time(at)}  ${code}  reader 读取方 ${reader}  at 中心 ${centre}  ${recordIds.join(' ')}`),
    ...(missing.length === 0 ? [] : [`did not answer, so their refusals are missing 未答复，其拒绝记录缺失: ${missing.join(', ')}`]),
  ].join('\n');
}

function describeEntry({ at, attester, claims, code, grant, publisher, purpose, reader, recordIds, ticket, what }: TrailEntry): string {
  const parts = { 'reader 读取方': reader, 'publisher 发布方': publisher, 'attested by 佐证中心': attester, 'purpose 用途': purpose, 'claims 数据项': claims?.join(','), 'ticket 凭证': ticket, 'grant 授权': grant, 'code 代码': code };
  const told = Object.entries(parts).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  return `  ${[time(at), what, whatWords[what] ?? '', ...told, ...(recordIds ?? [])].filter((part) => part !== '').join('  ')}`;
}

const whatWords: Readonly<Record<string, string>> = {
  registered: '登记密钥',
  'key-rotated': '更换密钥',
  'recovery-approved': '批准恢复',
  'recovery-objected': '反对恢复',
  published: '发布',
  superseded: '更新',
  revoked: '撤销记录',
  contested: '存在争议',
  attested: '中心佐证',
  stated: '权属人声明',
  opened: '访问',
  confirmed: '回执',
  refused: '退回',
  disputed: '争议未送达',
  'grant-revoked': '撤销授权',
};

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
