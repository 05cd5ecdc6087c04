import { appendFileSync, createReadStream, existsSync } from 'node:fs';
import { Command, Option, SubCommand } from './declared-commands.js';
import { fromUtf8, isJsonObject, ProtocolError, type Es256Key, type JsonObject, type MemberState } from '@huilian/protocol';
import type { AuditEntry } from '../../core/audit-log/audit-log.js';
import { readCheckpoint, verifyAuditLog, type AuditCheckpoint } from '../../core/audit-log/verify-audit-log.js';
import type { Link } from '../../core/chained-log.js';
import { readLines } from '../../core/intake/read-lines.js';
import { readText, writeLines } from './command-files.js';
import { given, parsePositive, StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';

const mostLineBytes = 64 * 1024;

interface ListOptions extends StateOptions {
  readonly act?: string;
  readonly limit?: number;
  readonly who?: string;
}

@SubCommand({ name: 'list', description: 'administrative acts of the running node, newest first / 管理操作。Example: huilian audit-log list --act session --limit 20' })
export class ListAuditLogCommand extends StateCommand<ListOptions> {
  protected async act(_args: readonly string[], options: ListOptions): Promise<CommandResult> {
    const { act, limit = 50, who } = options;
    const filter = Object.entries({ act, who }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]]));
    const api = NodeApi.open(stateFolder(options));
    const items: AuditEntry[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams([...filter, ['limit', String(Math.min(limit - items.length, 500))], ...(cursor === undefined ? [] : [['cursor', cursor] as [string, string]])]);
      const page = (await api.get(`/v1/audit-log?${query.toString()}`)) as { items: AuditEntry[]; cursor?: string };
      items.push(...page.items);
      ({ cursor } = page);
    } while (cursor !== undefined && items.length < limit);
    return { json: { items }, text: items.length === 0 ? 'no entries / 没有记录' : items.map(describe).join('\n') };
  }

  @Option({ flags: '--act <act>', description: 'an act, or all of its first word: account, backup, session … / 操作' })
  public parseAct(value: string): string {
    return value;
  }

  @Option({ flags: '--who <account>', description: 'an account, or machine / 操作者' })
  public parseWho(value: string): string {
    return value;
  }

  @Option({ flags: '--limit <n>', description: 'at most so many (default 50) / 最多条数' })
  public parseLimit(value: string): number {
    return parsePositive(value, '--limit');
  }
}

interface VerifyOptions extends StateOptions {
  readonly checkpoints?: string;
}

@SubCommand({
  name: 'verify',
  arguments: '[file]',
  description:
    'follow the chain of the running node\'s log, or of an exported one, and hold it against earlier checkpoints; ends with 1 where it does not fit / 验证操作日志。Example: huilian audit-log verify --checkpoints /media/audit/checkpoints; huilian audit-log verify audit-log.ndjson',
})
export class VerifyAuditLogCommand extends StateCommand<VerifyOptions> {
  protected async act([file]: readonly string[], options: VerifyOptions): Promise<CommandResult> {
    const api = NodeApi.open(stateFolder(options));
    const signer = await signerOf(api);
    const read = new ExportedLog();
    const bytes = file === undefined ? await api.bytes('/v1/audit-log/export') : bytesOf(file);
    const earlier = checkpointsIn(options.checkpoints).map((compact) => signer(compact));
    const { broken, head } = await verifyAuditLog(read.entries(bytes), earlier);
    if (broken !== undefined) throw new ProtocolError('AUDIT_LOG_BROKEN', { reason: broken.reason, seq: broken.seq });
    const now = signer(read.checkpoint);
    if (now.seq !== head.seq || now.digest !== head.digest) throw new ProtocolError('AUDIT_LOG_BROKEN', { reason: 'checkpoint', seq: head.seq });
    if (options.checkpoints !== undefined) appendFileSync(options.checkpoints, `${read.checkpoint}\n`, { mode: 0o600 });
    const held = earlier.length === 0 ? 'no earlier checkpoint was given: that nothing is missing at the end is shown by the next run with --checkpoints / 未提供先前的检查点' : `fits ${String(earlier.length)} earlier checkpoints / 与 ${String(earlier.length)} 个先前检查点相符`;
    return { json: { ...head, checkpoint: read.checkpoint, earlier: earlier.length }, text: `${String(head.seq)} entries, each follows from the one before / 共 ${String(head.seq)} 条，链条完整\n${held}\nhead 末端 ${head.digest}\ncheckpoint 检查点 ${read.checkpoint}` };
  }

  @Option({ flags: '--checkpoints <file>', description: 'earlier checkpoints, one a line, best on another medium; the new one is added / 检查点文件' })
  public parseCheckpoints(value: string): string {
    return value;
  }
}

@SubCommand({ name: 'export', arguments: '<file>', description: 'the whole log as NDJSON, with a signed checkpoint as its last line / 导出操作日志。Example: huilian audit-log export audit-log.ndjson' })
export class ExportAuditLogCommand extends StateCommand<StateOptions> {
  protected async act([file]: readonly string[], options: StateOptions): Promise<CommandResult> {
    const entries = await writeLines(given(file, '<file>'), await NodeApi.open(stateFolder(options)).bytes('/v1/audit-log/export'));
    return { json: { entries: entries - 1, file }, text: `${String(file)}: ${String(entries - 1)} entries and a checkpoint / 已导出` };
  }
}

@Command({
  name: 'audit-log',
  description: 'the log of administrative acts of this node (the ledger is held against its rules by huilian audit): list, verify, export / 管理操作日志。Example: huilian audit-log verify --checkpoints ./checkpoints',
  subCommands: [ListAuditLogCommand, VerifyAuditLogCommand, ExportAuditLogCommand],
})
export class AuditLogCommand extends StateCommand<StateOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: '<command>', reason: 'one of list, verify, export' }));
  }
}

/** Reads checkpoints by the key that the ledger has for this node's member. */
async function signerOf(api: NodeApi): Promise<(compact: string) => AuditCheckpoint> {
  const { node } = (await api.get('/v1/consortium')) as { node: string };
  const { document } = (await api.get(`/v1/members/${node}`)) as MemberState;
  return (compact) => readCheckpoint(compact, node, document.signingKey as Es256Key);
}

function checkpointsIn(file: string | undefined): readonly string[] {
  return file === undefined || !existsSync(file) ? [] : readText(file).split('\n').filter((line) => line !== '');
}

/** An export as it comes: entries, and the checkpoint of its last line. */
class ExportedLog {
  public checkpoint = '';

  public async *entries(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Link> {
    for await (const lines of readLines(bytes, mostLineBytes)) {
      for (const { bytes: line } of lines) {
        const row = rowOf(line);
        if (typeof row['checkpoint'] === 'string') this.checkpoint = row['checkpoint'];
        else yield row as unknown as Link;
      }
    }
  }
}

/** @throws BAD_FIELD {path, reason} */
async function* bytesOf(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file)) yield chunk as Uint8Array;
  } catch (error) {
    throw new ProtocolError('BAD_FIELD', { path: file, reason: `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}` });
  }
}

/** What is no row breaks the chain where it stands. */
function rowOf(line: Uint8Array | undefined): JsonObject {
  try {
    const row: unknown = JSON.parse(fromUtf8(line ?? new Uint8Array()));
    return isJsonObject(row) ? row : {};
  } catch {
    return {};
  }
}

function describe({ act, at, object, outcome, role, seq, who }: AuditEntry): string {
  return `${String(seq).padStart(6)}  ${new Date(at * 1000).toISOString()}  ${who} (${role})  ${act}  ${object ?? '-'}  ${outcome}`;
}
