import { Command, Option, SubCommand } from './declared-commands.js';
import { bytes32Shape, grantDigest, ownerIdShape, type Domain, type GrantEnvelope } from '@huilian/protocol';
import type { Ask, HttpDoor } from '@huilian/sdk';
import { writeJsonFile } from './command-files.js';
import { termsOfAsk, termsOfOptions, wordsOf, type GrantOptions, type GrantTerms } from './grant-terms.js';
import { given, NodeCommand, nodeUrl, parseList, parsePositive, type CommandResult, type NodeOptions } from './huilian-command.js';
import { confirm } from './terminal.js';
import { openWalletFile } from './wallet-file.js';

interface RevokeOptions extends NodeOptions {
  readonly wallet?: string;
  readonly grant?: string;
  readonly owner?: string;
}

@SubCommand({
  name: 'revoke',
  description:
    'end a grant before its time / 撤销授权。Example: huilian grant revoke --wallet wallet.json --owner org:91440105MA6NNHC07C --grant 0x… --node https://node.example.org',
})
export class RevokeGrantCommand extends NodeCommand<RevokeOptions> {
  protected async act(_args: readonly string[], options: RevokeOptions): Promise<CommandResult> {
    const revocation = { grant: bytes32Shape.read(given(options.grant, '--grant'), '--grant'), owner: ownerIdShape.read(given(options.owner, '--owner'), '--owner') };
    const door = await doorOf(options);
    const { wallet } = await openWalletFile(given(options.wallet, '--wallet'));
    const answer = await door.post<object>('/v1/revocations', await wallet.signRevocation(await domainOf(door), revocation));
    return { json: { ...answer, ...revocation }, text: `grant ${revocation.grant} is revoked / 授权已撤销` };
  }

  @Option({ flags: '--wallet <file>', description: "the owner's wallet / 钱包文件" })
  public parseWallet(value: string): string {
    return value;
  }

  @Option({ flags: '--grant <digest>', description: '0x and 64 hex digits, as `huilian grant` and the trail show it / 授权摘要' })
  public parseGrant(value: string): string {
    return value;
  }

  @Option({ flags: '--owner <id>', description: 'org: and the unified social credit code / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }
}

@Command({
  name: 'grant',
  description:
    'sign who may read what, or answer an ask; shown in words first / 签署授权。Example: huilian grant --wallet wallet.json --owner org:91440105MA6NNHC07C --grantee sample-bank --claims credit/entry,credit/score --purpose credit-check --uses 2 --days 90 --out grant.json --node https://node.example.org; huilian grant --ask ID --wallet wallet.json --node https://node.example.org',
  subCommands: [RevokeGrantCommand],
})
export class GrantCommand extends NodeCommand<GrantOptions> {
  protected async act(_args: readonly string[], options: GrantOptions): Promise<CommandResult> {
    const walletFile = given(options.wallet, '--wallet');
    const door = await doorOf(options);
    const ask = options.ask === undefined ? undefined : await door.get<Ask>(`/v1/asks/${encodeURIComponent(options.ask)}`);
    const terms = ask === undefined ? termsOfOptions(options) : termsOfAsk(ask, options.owner);
    const { adoptedKinds } = await import('@huilian/sdk');
    const kinds = await adoptedKinds(door, terms.grant['claims'] as readonly string[]);
    const words = await wordsOf(terms, door, ask?.note, kinds);
    process.stderr.write(`${[...words.zh, '', ...words.en].join('\n')}\n`);
    if (!(await confirm('sign this? 签署以上授权？', options.yes === true))) return { json: { signed: false }, text: 'not signed / 未签署', failed: true };
    const domain = await domainOf(door);
    const { wallet } = await openWalletFile(walletFile);
    const envelope = await wallet.signGrant(domain, terms.grant, kinds);
    if (options.out !== undefined) writeJsonFile(options.out, envelope);
    if (ask !== undefined) await door.post(`/v1/asks/${ask.id}/grant`, envelope);
    return describeSigned(terms, envelope, options.out, ask?.id);
  }

  @Option({ flags: '--wallet <file>', description: "the owner's wallet; its password in HUILIAN_WALLET_PASSWORD or typed / 钱包文件" })
  public parseWallet(value: string): string {
    return value;
  }

  @Option({ flags: '--owner <id>', description: 'org: and the unified social credit code / 权属人' })
  public parseOwner(value: string): string {
    return value;
  }

  @Option({ flags: '--grantee <member>', description: 'member who may read / 被授权成员' })
  public parseGrantee(value: string): string {
    return value;
  }

  @Option({ flags: '--claims <list>', description: 'kind/claim, separated by commas / 数据项' })
  public parseClaims(value: string): readonly string[] {
    return parseList(value, '--claims');
  }

  @Option({ flags: '--purpose <purpose>', description: 'registration, qualification-check, performance-check, credit-check, guarantee-assessment, supervision / 用途' })
  public parsePurpose(value: string): string {
    return value;
  }

  @Option({ flags: '--project <code>', description: 'project or bid code; only its salted digest is signed / 项目编号' })
  public parseProject(value: string): string {
    return value;
  }

  @Option({ flags: '--uses <n>', description: 'how often at most / 最多次数' })
  public parseUses(value: string): number {
    return parsePositive(value, '--uses');
  }

  @Option({ flags: '--days <n>', description: 'how long from now, at most 366 / 有效天数' })
  public parseDays(value: string): number {
    return parsePositive(value, '--days');
  }

  @Option({ flags: '--ask <id>', description: "answer this reader's ask, exactly as it asks / 答复请求" })
  public parseAsk(value: string): string {
    return value;
  }

  @Option({ flags: '--out <file>', description: 'write the signed grant here, for the reader / 输出文件' })
  public parseOut(value: string): string {
    return value;
  }

  @Option({ flags: '--yes', description: 'sign without asking / 不再询问' })
  public parseYes(): boolean {
    return true;
  }
}

async function doorOf(options: NodeOptions): Promise<HttpDoor> {
  const { HttpDoor } = await import('@huilian/sdk');
  return new HttpDoor(nodeUrl(options));
}

async function domainOf(door: HttpDoor): Promise<Domain> {
  return (await door.get<{ domain: Domain }>('/v1/consortium')).domain;
}

function describeSigned({ referenceSalt }: GrantTerms, envelope: GrantEnvelope, out: string | undefined, ask: string | undefined): CommandResult {
  const digest = grantDigest(envelope.domain, envelope.grant);
  const salt = referenceSalt === undefined ? {} : { referenceSalt };
  const json = { signed: true, digest, grant: envelope, ...salt, ...(out === undefined ? {} : { out }), ...(ask === undefined ? {} : { ask }) };
  // Where it goes nowhere else, the text is the grant itself, ready for a file.
  if (out === undefined && ask === undefined) return { json, text: JSON.stringify(envelope, null, 2) };
  const lines = [`grant 授权 ${digest}`, ...(out === undefined ? [] : [`written to 已写入 ${out}`]), ...(ask === undefined ? [] : [`answered ask 已答复 ${ask}`])];
  return { json, text: [...lines, ...(referenceSalt === undefined ? [] : [`salt of the project code, for the reader 项目编号盐值 ${referenceSalt}`])].join('\n') };
}
