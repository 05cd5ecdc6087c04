import path from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import { Command, Option } from './declared-commands.js';
import { ProtocolError } from '@huilian/protocol';
import { given, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';
import { ProcessActions } from './process-actions.js';

const mebibyte = 1024 * 1024;

@Command({
  name: 'backup',
  arguments: '[file]',
  description:
    "back up the node's data while it runs (or stopped): into FILE, or without it into the place named by backups.folder; keys are not in it / 备份节点数据（不含密钥）。Example: huilian backup /media/backups/node.backup --state ./state",
})
export class BackupCommand extends StateCommand<StateOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act([file]: readonly string[], options: StateOptions): Promise<CommandResult> {
    const state = stateFolder(options);
    if (file === undefined) {
      const made = (await NodeApi.open(state).post('/v1/backups', {})) as { name: string; bytes: number };
      return { json: made, text: said(made.name, made.bytes) };
    }
    // How much comes is not known before it came.
    const onBytes = (bytes: number): void => {
      if (options.json !== true && process.stderr.isTTY) process.stderr.write(`\r${String(Math.floor(bytes / mebibyte))} MiB`);
    };
    const made = await this.actions.backup(state, path.resolve(file), await runningNode(state), onBytes);
    return { json: made, text: said(made.file, made.bytes) };
  }
}

function said(name: string, bytes: number): string {
  return `${name}: ${String(bytes)} bytes, read again and found whole; payloads open only with the vault keys, which are not in it / 备份完成并已校验；不含密钥`;
}

/** What the running node streams; undefined where no node answers. */
async function runningNode(state: string): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    return await NodeApi.open(state).bytes('/v1/backup');
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'EXCHANGE_FAILED') return undefined;
    throw error;
  }
}

interface RestoreOptions extends StateOptions {
  readonly missing?: boolean;
}

@Command({
  name: 'restore',
  arguments: '[file]',
  description:
    'put a backup into a state folder that has its keys (huilian keys import) and no data; with --missing: list what was published after it / 恢复备份或列出缺少内容的记录。Example: huilian restore /media/backups/node.backup --state ./state; huilian restore --missing',
})
export class RestoreCommand extends StateCommand<RestoreOptions> {
  public constructor(private readonly actions: ProcessActions) {
    super();
  }

  protected async act([file]: readonly string[], options: RestoreOptions): Promise<CommandResult> {
    const state = stateFolder(options);
    if (options.missing === true) return await missing(state);
    const bar = options.json === true ? undefined : new SingleBar({ format: 'restore 恢复 {bar} {value}/{total} rows', stream: process.stderr, clearOnComplete: true }, Presets.rect);
    let begun = false;
    const restored = await this.actions.restore(state, path.resolve(given(file, '<file>')), (done, all) => {
      if (!begun) bar?.start(all, 0);
      begun = true;
      bar?.update(done);
    }).finally(() => { bar?.stop(); });
    const { acknowledgedTo, at, member, rows } = restored;
    return {
      json: restored,
      text: [
        `${member}: ${String(rows)} rows as of ${at}, outbox to row ${String(acknowledgedTo)} / 已恢复 ${String(rows)} 行`,
        'next 下一步:',
        '  huilian start               reads the ledger from its first block, then takes records / 读完账本后接收记录',
        '  huilian restore --missing   lists records published since this backup / 列出此备份之后发布的记录',
        '  huilian sync                the same sources again: what is unchanged is recognised / 重新同步数据源',
      ].join('\n'),
    };
  }

  @Option({ flags: '--missing', description: 'own records on the ledger whose content the running node lacks / 缺少内容的本方记录' })
  public parseMissing(): boolean {
    return true;
  }
}

async function missing(state: string): Promise<CommandResult> {
  const items = (await NodeApi.open(state).all('/v1/missing-payloads')) as readonly { readonly recordId: string; readonly version: number }[];
  const lines = items.map(({ recordId, version }) => `${recordId}  v${String(version)}`);
  const end = items.length === 0 ? 'nothing is missing / 没有缺少' : `${String(items.length)} records; import their sources again: each gets its next version / 请重新导入其来源，将发布下一版本`;
  return { json: { items }, text: [...lines, end].join('\n') };
}
