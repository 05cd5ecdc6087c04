import { Command, Option } from './declared-commands.js';
import { flagCodes, ownerIdShape, unreadableReasons, type Flag, type MergedClaim, type MergedRecords, type Thing } from '@huilian/protocol';
import { given, nodeUrl, StateCommand, stateFolder, type CommandResult, type NodeOptions, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { openWalletFile } from './wallet-file.js';

interface ViewOptions extends StateOptions, NodeOptions {
  readonly owner?: string;
  readonly kind?: string;
  readonly asOf?: string;
  readonly wallet?: string;
}

type View = MergedRecords & { readonly flags: readonly Flag[] };

@Command({
  name: 'view',
  description:
    "one view of an owner from all centres, claim by claim: as operator what this centre's vault holds, as the owner (--wallet) everything, each reading on the trail / 权属人视图。Example: huilian view --owner org:91440105MA6NNHC07C; huilian view --owner org:91440105MA6NNHC07C --wallet wallet.json --node https://node.example.org",
})
export class ViewCommand extends StateCommand<ViewOptions> {
  protected async act(_args: readonly string[], options: ViewOptions): Promise<CommandResult> {
    const owner = ownerIdShape.read(given(options.owner, '--owner'), '--owner');
    const view = options.wallet === undefined ? await ofVault(owner, options) : await ofOwner(owner, options.wallet, options);
    return { json: view, text: describe(view) };
  }

  @Option({ flags: '--owner <id>', description: 'org: and the unified social credit code / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }

  @Option({ flags: '--kind <kind>', description: 'one kind only / 数据种类' })
  public parseKind(value: string): string {
    return value;
  }

  @Option({ flags: '--as-of <day>', description: 'as operator: the day by which certificates have run out, YYYY-MM-DD / 截至日期' })
  public parseAsOf(value: string): string {
    return value;
  }

  @Option({ flags: '--wallet <file>', description: "read as the owner, with this wallet, at --node / 钱包文件" })
  public parseWallet(value: string): string {
    return value;
  }

  @Option({ flags: '--node <url>', description: 'with --wallet: address of a node (default: $HUILIAN_NODE) / 节点地址' })
  public parseNode(value: string): string {
    return value;
  }
}

async function ofVault(owner: string, { asOf, kind, ...options }: ViewOptions): Promise<View> {
  const given = Object.entries({ asOf, kind }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return (await NodeApi.open(stateFolder(options)).get(`/v1/owners/${encodeURIComponent(owner)}/view?${new URLSearchParams(given).toString()}`)) as View;
}

async function ofOwner(owner: string, walletFile: string, options: ViewOptions): Promise<View> {
  const { OwnerClient } = await import('@huilian/sdk');
  const { wallet } = await openWalletFile(walletFile);
  return await OwnerClient.connect(nodeUrl(options), owner, wallet).view(options.kind === undefined ? {} : { kind: options.kind });
}

function describe({ flags, things, unreadable }: View): string {
  return [
    ...things.flatMap(describeThing),
    ...(unreadable.length === 0 ? [] : ['headers only 仅记录头']),
    ...unreadable.map(({ recordId, unreadable: reason = 'ask-owner', version }) => `  ${recordId} v${String(version)}  ${unreadableReasons[reason].en} / ${unreadableReasons[reason].zh}`),
    ...(flags.length === 0 ? [] : ['to look at 疑点']),
    ...flags.map(({ code, recordIds }) => `  ${code}  ${flagCodes[code].en} / ${flagCodes[code].zh}  ${recordIds.join(' ')}`),
  ].join('\n');
}

function describeThing({ claims, disagree, kind, records }: Thing): string[] {
  return [`${kind}${disagree ? '  DISAGREE 不一致' : ''}`, ...records.map(({ digest, recordId, version }) => `  ${recordId} v${String(version)} ${digest}`), ...claims.flatMap(describeClaim)];
}

function describeClaim({ alternatives, claim, fields }: MergedClaim): string[] {
  const readings = alternatives.map(({ from, value }) => {
    const sources = from.map(({ attestedBy, centre, contradictedBy, standing, verdict, verifiedAt }) =>
      [centre, new Date(verifiedAt * 1000).toISOString().slice(0, 10), standing, ...attestedBy.map((id) => `attested by 佐证 ${id}`), ...contradictedBy.map((id) => `contradicted by 不符 ${id}`), ...(verdict === undefined ? [] : [`owner 权属人 ${verdict}`])].join(' '));
    return `      ${JSON.stringify(value)}  [${sources.join('; ')}]`;
  });
  return [`    ${claim}${fields.length === 0 ? '' : `  differs in 不一致字段 ${fields.join(', ')}`}`, ...readings];
}
