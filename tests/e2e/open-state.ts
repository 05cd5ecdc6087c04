import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { GatewayLedger } from '../../node/src/adapters/fabric/gateway-ledger.js';
import { LevelStore } from '../../node/src/adapters/level/level-store.js';
import { MemoryStore } from '../../node/src/adapters/memory/memory-store.js';
import { systemClock } from '../../node/src/adapters/system/system-clock.js';
import { RefusalLog } from '../../node/src/core/exchange/refusal-log.js';
import { LedgerIndex } from '../../node/src/core/indexing/ledger-index.js';
import { ReadModel } from '../../node/src/core/indexing/read-model.js';
import { DeadLetters } from '../../node/src/core/outbox/dead-letters.js';
import type { LedgerBlock } from '../../node/src/core/ports.js';
import { centreIds, root } from './main-job.js';

export interface OpenNode {
  readonly store: LevelStore;
  readonly readModel: ReadModel;
  readonly refusals: RefusalLog;
  readonly deadLetters: DeadLetters;
}

/** Opens a stopped node's store for reading. */
async function openNode(state: string, centre: string): Promise<OpenNode> {
  const store = await LevelStore.open(path.join(state, 'nodes', centre, 'data'), { diskFloorBytes: 0 });
  return { store, readModel: new ReadModel(store), refusals: await RefusalLog.open(store, systemClock), deadLetters: new DeadLetters(store) };
}

/** Opens a stopped node's store, and closes it whatever happens. */
export async function withNode<T>(state: string, centre: string, use: (node: OpenNode) => Promise<T>): Promise<T> {
  const node = await openNode(state, centre);
  try {
    return await use(node);
  } finally {
    await node.store.close();
  }
}

/** Starts a command of the built program that says over IPC when it is ready. What it writes goes to the end of the log, or nowhere. */
export async function startProcess(args: readonly string[], log?: string): Promise<ChildProcess> {
  const output = log === undefined ? 'ignore' : openSync(log, 'a');
  const child = spawn(process.execPath, [path.join(root, 'node', 'bin', 'huilian.js'), ...args], { stdio: ['ignore', output, output, 'ipc'] });
  if (typeof output === 'number') closeSync(output);
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => { resolve(); });
    child.once('exit', (code) => { reject(new Error(`${args.join(' ')} ended with ${String(code)}`)); });
  });
  return child;
}

export async function endProcess(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

export function ledgerArguments(state: string): string[] {
  const organisations = centreIds.flatMap((id) => ['--org', `${id.charAt(0).toUpperCase()}${id.slice(1)}MSP`]);
  return ['ledger', 'start', '--dir', path.join(state, 'ledger'), '--contract', path.join(root, 'chaincode', 'dist', 'index.js'), ...organisations];
}

/** Every block of a stopped local consortium up to the height of a read model, through the ledger's own deliver service. */
export async function readBlocks(state: string): Promise<LedgerBlock[]> {
  const last = await withNode(state, 'guangzhou', (node) => Promise.resolve(node.readModel.height()));
  const process = await startProcess(ledgerArguments(state));
  const ledger = await GatewayLedger.open(path.join(state, 'ledger', 'connections', 'GuangzhouMSP.json'), 'huilian');
  try {
    const stop = new AbortController();
    const blocks: LedgerBlock[] = [];
    for await (const block of ledger.blocks(0, stop.signal)) {
      blocks.push(block);
      if (block.number === last) break;
    }
    stop.abort();
    return blocks;
  } finally {
    await ledger.close();
    await endProcess(process);
  }
}

/** The read model that a replay of these blocks gives. */
export async function replay(blocks: readonly LedgerBlock[]): Promise<ReadModel> {
  const store = new MemoryStore();
  const readModel = new ReadModel(store);
  const index = new LedgerIndex(store, readModel);
  for (const block of blocks) await index.apply(block);
  return readModel;
}
