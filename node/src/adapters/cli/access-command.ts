import path from 'node:path';
import { Command, Option } from './declared-commands.js';
import { errorBody, ProtocolError, readGrantEnvelope, readPurpose, type ErrorBody, type GrantEnvelope } from '@huilian/protocol';
import type { MemberClient, OpenedAccess, ReadRecord } from '@huilian/sdk';
import { readJsonFile, readMemberKeys, writeJsonFile } from './command-files.js';
import { given, NodeCommand, nodeUrl, parseList, type CommandResult, type NodeOptions } from './huilian-command.js';

interface AccessOptions extends NodeOptions {
  readonly memberKeys?: string;
  readonly record?: readonly string[];
  readonly claims?: readonly string[];
  readonly purpose?: string;
  readonly grant?: string;
  readonly ask?: string;
  readonly policy?: string;
  readonly out?: string;
}

@Command({
  name: 'access',
  description:
    'read granted claims of records of one publisher: ticket, decrypted records, receipt / 访问数据。Example: huilian access --member-keys member-keys.json --node https://node.example.org --record guangzhou/credit/ID --claims entry,score --purpose credit-check --grant grant.json --out reads',
})
export class AccessCommand extends NodeCommand<AccessOptions> {
  protected async act(_args: readonly string[], options: AccessOptions): Promise<CommandResult> {
    const keys = readMemberKeys(given(options.memberKeys, '--member-keys'));
    const terms = { recordIds: given(options.record, '--record'), claims: given(options.claims, '--claims'), purpose: readPurpose(given(options.purpose, '--purpose')) };
    const { MemberClient } = await import('@huilian/sdk');
    const client = await MemberClient.connect(nodeUrl(options), keys);
    const grant = await grantOf(client, options);
    const access = await client.open({ ...terms, ...(grant === undefined ? {} : { grant }), ...(options.policy === undefined ? {} : { policy: options.policy }) });
    const records = await client.read(access);
    // What was read is kept before anything else can fail: the use is spent.
    const out = options.out === undefined ? undefined : path.join(options.out, `${access.ticket.replace('/', '-')}.json`);
    if (out !== undefined) writeJsonFile(out, { ticket: access.ticket, records });
    return describeRead(access, records, await receiptOf(client, access), out);
  }

  @Option({ flags: '--member-keys <file>', description: "the reader's keys, as huilian init wrote them / 成员密钥文件" })
  public parseMemberKeys(value: string): string {
    return value;
  }

  @Option({ flags: '--record <id>', description: 'record id, repeat for each / 记录标识' })
  public parseRecord(value: string, before: readonly string[] = []): readonly string[] {
    return [...before, value];
  }

  @Option({ flags: '--claims <list>', description: 'claims without their kind, separated by commas / 数据项' })
  public parseClaims(value: string): readonly string[] {
    return parseList(value, '--claims');
  }

  @Option({ flags: '--purpose <purpose>', description: "as in the owner's grant / 用途" })
  public parsePurpose(value: string): string {
    return value;
  }

  @Option({ flags: '--grant <file>', description: "the owner's grant, as huilian grant wrote it / 授权文件" })
  public parseGrant(value: string): string {
    return value;
  }

  @Option({ flags: '--ask <id>', description: 'take the grant that answered this ask / 已答复的请求' })
  public parseAsk(value: string): string {
    return value;
  }

  @Option({ flags: '--policy <digest>', description: "for the publisher's own kinds: its policy / 开放策略" })
  public parsePolicy(value: string): string {
    return value;
  }

  @Option({ flags: '--out <folder>', description: 'keep what was read here, a file per ticket / 输出目录' })
  public parseOut(value: string): string {
    return value;
  }
}

async function grantOf(client: MemberClient, { ask, grant }: AccessOptions): Promise<GrantEnvelope | undefined> {
  if (grant !== undefined) return readGrantEnvelope(readJsonFile(grant));
  if (ask === undefined) return undefined;
  const answered = (await client.findAsk(ask)).grant;
  if (answered === undefined) throw new ProtocolError('GRANT_REQUIRED', { ask });
  return answered;
}

type Receipt = { readonly digest: string } | { readonly error: ErrorBody };

async function receiptOf(client: MemberClient, access: OpenedAccess): Promise<Receipt> {
  try {
    return { digest: (await client.receipt(access)).digest };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { error: errorBody(error) };
  }
}

function describeRead({ ticket }: OpenedAccess, records: readonly ReadRecord[], receipt: Receipt, out: string | undefined): CommandResult {
  const failed = 'error' in receipt;
  const end = failed ? `receipt not sent / 回执未送达: ${receipt.error.code}` : `receipt 回执 ${receipt.digest}`;
  const shown = out === undefined ? records.map(({ claims, recordId, version }) => `${recordId}  v${String(version)}\n${JSON.stringify(claims, null, 2)}`) : [`written to 已写入 ${out}`];
  return { json: { ticket, records, receipt, ...(out === undefined ? {} : { out }) }, text: [`ticket 凭证 ${ticket}`, ...shown, end].join('\n'), failed };
}
