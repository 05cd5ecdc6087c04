import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from './declared-commands.js';
import { StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';

interface FlagsOptions extends StateOptions {
  readonly code?: string;
  readonly record?: string;
  readonly run?: boolean;
}

interface FlagItem {
  readonly code: string;
  readonly recordIds: readonly string[];
  readonly since: number;
  readonly zh: string;
  readonly en: string;
}

interface Progress {
  readonly block: number;
  readonly day: string;
  readonly height: number;
}

const pollMilliseconds = 500;

@Command({
  name: 'flags',
  description:
    "records of this centre to look at, found by the link checks: award notices against performance, expired certificates, one number under two holders, two employers, withdrawals / 关联核查疑点。Example: huilian flags --code certificate-expired; huilian flags --run",
})
export class FlagsCommand extends StateCommand<FlagsOptions> {
  protected async act(_args: readonly string[], { code, record, run, ...options }: FlagsOptions): Promise<CommandResult> {
    const api = NodeApi.open(stateFolder(options));
    if (run === true) await whole(api);
    const filter = Object.entries({ code, recordId: record }).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const items: FlagItem[] = [];
    let cursor: string | undefined;
    do {
      const parameters = new URLSearchParams([...filter, ['limit', '500'], ...(cursor === undefined ? [] : [['cursor', cursor] as [string, string]])]);
      const page = (await api.get(`/v1/flags?${parameters.toString()}`)) as { items: FlagItem[]; cursor?: string };
      items.push(...page.items);
      ({ cursor } = page);
    } while (cursor !== undefined);
    return { json: { items }, text: items.length === 0 ? 'nothing to look at / 没有疑点' : items.map(describe).join('\n') };
  }

  @Option({ flags: '--code <code>', description: 'only flags with this code / 疑点代码' })
  public parseCode(value: string): string {
    return value;
  }

  @Option({ flags: '--record <id>', description: 'only flags that name this record / 记录标识' })
  public parseRecord(value: string): string {
    return value;
  }

  @Option({ flags: '--run', description: 'go through all records again first / 先重新核查全部记录' })
  public parseRun(): boolean {
    return true;
  }
}

/** Until a whole run is through. Where the node publishes meanwhile, the run waits for it. */
async function whole(api: NodeApi): Promise<void> {
  await api.post('/v1/flags/runs', {});
  for (;;) {
    const { checked } = (await api.get('/v1/flags?limit=1')) as { checked: Progress };
    if (checked.day !== '' && checked.block > checked.height) return;
    process.stderr.write(`\rchecking 核查中 ${String(checked.block)}/${String(checked.height + 1)}\u001b[K`);
    await pause(pollMilliseconds);
  }
}

function describe({ code, en, recordIds, zh }: FlagItem): string {
  return [`${code}  ${en} / ${zh}`, ...recordIds.map((id) => `  ${id}`)].join('\n');
}
