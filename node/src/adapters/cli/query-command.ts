import { Command, Option } from './declared-commands.js';
import type { Header } from '@huilian/protocol';
import type { FoundRecord, RecordQuery } from '@huilian/sdk';
import { readMemberKeys } from './command-files.js';
import { nodeUrl, parsePositive, stateFolder, type CommandResult, type NodeOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { RecordFilterCommand, type RecordFilterOptions } from './record-filter-command.js';

interface QueryOptions extends RecordFilterOptions, NodeOptions {
  readonly limit?: number;
  readonly memberKeys?: string;
}

@Command({
  name: 'query',
  description:
    'find records on the ledger, as operator or as member / 查询记录。Example: huilian query --subject org:91440105MA6NNHC07C --kind qualification; huilian query --owner org:91440105MA6NNHC07C --member-keys member-keys.json --node https://node.example.org',
})
export class QueryCommand extends RecordFilterCommand<QueryOptions> {
  protected async act(_args: readonly string[], options: QueryOptions): Promise<CommandResult> {
    const { kind, limit = Number.POSITIVE_INFINITY, owner, publisher, subject } = options;
    const filter = Object.fromEntries(Object.entries({ kind, owner, publisher, subject }).filter(([, value]) => value !== undefined)) as RecordQuery;
    const items: FoundRecord[] = [];
    for await (const record of await source(options, filter)) {
      items.push(record);
      if (items.length === limit) break;
    }
    return { json: { items }, text: items.length === 0 ? 'no records / 没有记录' : items.map(describeRecord).join('\n') };
  }

  @Option({ flags: '--limit <n>', description: 'at most so many (default: all) / 最多条数' })
  public parseLimit(value: string): number {
    return parsePositive(value, '--limit');
  }

  @Option({ flags: '--member-keys <file>', description: 'ask as this member, at --node / 成员密钥文件' })
  public parseMemberKeys(value: string): string {
    return value;
  }

  @Option({ flags: '--node <url>', description: 'with --member-keys: address of a node (default: $HUILIAN_NODE) / 节点地址' })
  public parseNode(value: string): string {
    return value;
  }
}

async function source(options: QueryOptions, filter: RecordQuery): Promise<AsyncIterable<FoundRecord>> {
  if (options.memberKeys === undefined) return pages(NodeApi.open(stateFolder(options)), filter);
  const { MemberClient } = await import('@huilian/sdk');
  return (await MemberClient.connect(nodeUrl(options), readMemberKeys(options.memberKeys))).query(filter);
}

async function* pages(api: NodeApi, filter: RecordQuery): AsyncGenerator<FoundRecord> {
  let cursor: string | undefined;
  do {
    const parameters = new URLSearchParams({ ...filter, ...(cursor === undefined ? {} : { cursor }) } as Record<string, string>);
    const page = (await api.get(`/v1/records?${parameters.toString()}`)) as { items: FoundRecord[]; cursor?: string };
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

function describeRecord({ contested, header, recordId }: FoundRecord): string {
  const marks = [rightsWords[header.rights], ...(header.status === 'revoked' ? ['revoked 已撤销'] : []), ...(contested ? ['contested 有争议'] : [])];
  return `${recordId}  v${String(header.version)}  ${header.subject || '-'}  ${marks.join(', ')}`;
}

const rightsWords: Readonly<Record<Header['rights'], string>> = { owner: 'owner 权属人授权', publisher: 'publisher 发布方策略', public: 'public 公开' };
