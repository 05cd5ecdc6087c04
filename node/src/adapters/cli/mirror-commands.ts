import { setTimeout as sleep } from 'node:timers/promises';
import { Presets, SingleBar } from 'cli-progress';
import { ProtocolError, type ErrorCode } from '@huilian/protocol';
import { Command, SubCommand } from './declared-commands.js';
import { StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';

interface MirrorAnswer {
  readonly configured: boolean;
  readonly state: string;
  readonly block: number;
  readonly blocksBehind: number;
  readonly erasuresWaiting: number;
  readonly generation: number;
  readonly rebuilding?: { readonly generation: number; readonly block: number; readonly of: number };
  readonly problem?: { readonly code: ErrorCode; readonly reason: string; readonly cause: string; readonly since: number };
}

const lookMilliseconds = 300;

@SubCommand({ name: 'status', description: "how far the centre's own database is; ends with 1 where it is not followed / 镜像状态。Example: huilian mirror status --state ./state" })
export class MirrorStatusCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const mirror = (await NodeApi.open(stateFolder(options)).get('/v1/mirror')) as MirrorAnswer;
    return { json: mirror, text: describe(mirror), failed: mirror.configured && mirror.problem !== undefined };
  }
}

@SubCommand({ name: 'rebuild', description: 'make all tables again beside those that are shown, then show the new ones / 重建镜像。Example: huilian mirror rebuild --state ./state' })
export class RebuildMirrorCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const api = NodeApi.open(stateFolder(options));
    let mirror = (await api.post('/v1/mirror/rebuilds', {})) as MirrorAnswer;
    const bar = options.json === true || !process.stderr.isTTY ? undefined : new SingleBar({ format: 'rebuild 重建 {bar} {value}/{total} blocks', stream: process.stderr, clearOnComplete: true }, Presets.rect);
    bar?.start(Math.max(1, mirror.rebuilding?.of ?? 1), 0);
    try {
      while (mirror.rebuilding !== undefined) {
        await sleep(lookMilliseconds);
        mirror = (await api.get('/v1/mirror')) as MirrorAnswer;
        bar?.update(Math.max(0, mirror.rebuilding?.block ?? mirror.block));
      }
    } finally {
      bar?.stop();
    }
    const { problem } = mirror;
    // Away, it goes on by itself; here it has ended.
    if (problem !== undefined) throw new ProtocolError(problem.code, { reason: problem.reason, cause: problem.cause });
    return { json: mirror, text: describe(mirror) };
  }
}

@Command({ name: 'mirror', description: "the ledger followed into the centre's own PostgreSQL: status, rebuild / 本中心数据库镜像。Example: huilian mirror status --state ./state", subCommands: [MirrorStatusCommand, RebuildMirrorCommand] })
export class MirrorCommand extends StateCommand<StateOptions> {
  protected act(): Promise<CommandResult> {
    return Promise.reject(new ProtocolError('BAD_FIELD', { path: 'mirror', reason: 'one of status, rebuild' }));
  }
}

function describe({ block, blocksBehind, configured, erasuresWaiting, generation, problem, rebuilding, state }: MirrorAnswer): string {
  if (!configured) return 'no database is configured: mirror.connectionFile in huilian.json / 未配置镜像数据库';
  return [
    `mirror 镜像     ${state}, block 区块 ${String(block)}, ${String(blocksBehind)} behind 落后, generation 第 ${String(generation)} 代`,
    ...(rebuilding === undefined ? [] : [`rebuilding 重建中 generation ${String(rebuilding.generation)}, block ${String(rebuilding.block)} of ${String(rebuilding.of)}`]),
    ...(erasuresWaiting === 0 ? [] : [`${String(erasuresWaiting)} erasures are not in the tables yet / 待同步的删除`]),
    ...(problem === undefined ? [] : [`problem 问题    ${problem.code} ${problem.reason} (${problem.cause}) since ${new Date(problem.since * 1000).toISOString()}`]),
  ].join('\n');
}
