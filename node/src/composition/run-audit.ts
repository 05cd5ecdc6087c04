import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { ProtocolError } from '@huilian/protocol';
import type { AuditOptions, AuditReport } from '../adapters/cli/process-actions.js';
import { openLedger } from '../adapters/fabric/open-ledger.js';
import { openKeys } from '../adapters/keys/node-keys.js';
import { LevelStore } from '../adapters/level/level-store.js';
import { MarkFile } from '../adapters/level/mark-file.js';
import { MemoryStore } from '../adapters/memory/memory-store.js';
import { systemClock } from '../adapters/system/system-clock.js';
import { systemRandom } from '../adapters/system/system-random.js';
import { loadConfig, type NodeConfig } from '../config/config.js';
import { LedgerChecker } from '../core/audit/check-ledger.js';
import { NodeChecker } from '../core/audit/check-node.js';
import { Findings } from '../core/audit/findings.js';
import { PersonalMarks } from '../core/audit/personal-marks.js';
import { checkStoreFormat, storeFormat, storeFormatOf } from '../core/backup/store-format.js';
import { LedgerIndex } from '../core/indexing/ledger-index.js';
import { ReadModel } from '../core/indexing/read-model.js';
import { OutboxChain } from '../core/outbox/outbox-chain.js';
import type { LedgerBlock, Store } from '../core/ports.js';
import { Vault } from '../core/vault/vault.js';
import { recoverPublicKey } from './recover-public-key.js';

const ofLedger = ['chain', 'I2', 'I5', 'I6', 'I7', 'I13', 'I14', 'I17'];
const ofNode = ['I1', 'I3', 'I4', 'I9', 'I15', 'I16'];
/** A ledger that says nothing for so long is taken to have no more blocks. */
const quietMilliseconds = 2000;

/** Lines of files in turn, without the files in memory. */
async function* linesOf(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) {
    if (!existsSync(file)) throw new ProtocolError('NOT_FOUND', { file });
    yield* createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity });
  }
}

async function readAcknowledged(file: string | undefined): Promise<string[]> {
  const ids: string[] = [];
  for await (const line of linesOf(file === undefined ? [] : [file])) {
    const text = line.trim();
    if (text === '') continue;
    const id = text.startsWith('{') ? (JSON.parse(text) as { readonly recordId?: string }).recordId : text;
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

/** The node's store, or why it cannot be looked at. */
async function openStore(state: string, config: NodeConfig, ledgerOnly: boolean): Promise<{ readonly store?: Store; readonly reason?: string }> {
  if (ledgerOnly) return { reason: 'ledger only' };
  try {
    const store = await LevelStore.open(path.join(state, 'data'), { diskFloorBytes: config.diskFloorBytes });
    // An audit changes nothing, so it does not convert either.
    if (checkStoreFormat(store) < storeFormat) throw new ProtocolError('STORE_OLDER', { found: storeFormatOf(store), known: storeFormat });
    return { store };
  } catch (error) {
    if (error instanceof ProtocolError && error.details['reason'] === 'locked') return { reason: 'the node runs; stop it to check its data too / 节点正在运行' };
    throw error;
  }
}

/** Blocks from the first to the last wanted, or until the ledger has no more. */
async function* blocksUpTo(config: NodeConfig, last: number | undefined): AsyncGenerator<LedgerBlock> {
  const ledger = await openLedger(config.ledger);
  const stop = new AbortController();
  const quiet = (): NodeJS.Timeout => setTimeout(() => { stop.abort(); }, quietMilliseconds);
  let timer = last === undefined ? quiet() : undefined;
  try {
    for await (const block of ledger.blocks(0, stop.signal)) {
      clearTimeout(timer);
      yield block;
      if (block.number === last) return;
      if (last === undefined) timer = quiet();
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    stop.abort();
    await ledger.close();
  }
}

async function openNodeChecker(options: AuditOptions, config: NodeConfig, store: Store, readModel: ReadModel, findings: Findings, marks: PersonalMarks): Promise<NodeChecker> {
  const keys = await openKeys(options.state);
  const mark = await MarkFile.open(path.join(options.state, 'outbox.hwm'));
  const outbox = await OutboxChain.open(store, mark.read()).finally(() => mark.close());
  const vault = new Vault(store, keys.vaultKeys, systemRandom, keys.memberId);
  const acknowledged = await readAcknowledged(options.acknowledged);
  return new NodeChecker({ acknowledged, clock: systemClock, log: linesOf(options.logs), memberId: config.memberId, outbox, readModel, store, vault }, findings, marks);
}

/**
 * Reads the configured ledger from its first block, holds it against the model and, where the node is stopped, the node's
 * data against both. Writes nothing. @throws CONFIG_INVALID, LEDGER_UNAVAILABLE, STORAGE_FAILED, NOT_FOUND {file}
 */
export async function runAudit(options: AuditOptions): Promise<AuditReport> {
  const config = loadConfig(options.state);
  const { reason, store } = await openStore(options.state, config, options.ledgerOnly);
  try {
    const [findings, marks] = [new Findings(), new PersonalMarks()];
    const readModel = store === undefined ? undefined : new ReadModel(store);
    const node = store === undefined || readModel === undefined ? undefined : await openNodeChecker(options, config, store, readModel, findings, marks);
    await node?.collectPersonalValues();
    const last = options.to ?? readModel?.height();
    const begun = performance.now();
    const ledger = await checkBlocks(options, config, last, findings, marks, readModel);
    const seconds = (performance.now() - begun - ledger.waited) / 1000;
    await node?.check();
    const { transactions } = ledger.checker.counts;
    return {
      ...ledger.checker.counts,
      ownVersions: node?.counts.ownVersions ?? 0,
      releases: node?.counts.releases ?? 0,
      lastBlock: ledger.lastHash,
      readModel: ledger.digest,
      seconds,
      transactionsPerSecond: Math.round(transactions / Math.max(seconds, 0.001)),
      checked: node === undefined ? ofLedger : [...ofLedger, ...ofNode].sort(byNumber),
      notChecked: node === undefined ? ofNode : [],
      reason,
      findings: findings.list,
      findingCount: findings.count,
    };
  } finally {
    await store?.close();
  }
}

function byNumber(left: string, right: string): number {
  return Number(left.replace(/\D/g, '')) - Number(right.replace(/\D/g, ''));
}

interface CheckedLedger {
  readonly checker: LedgerChecker;
  readonly lastHash: string;
  readonly digest: string | undefined;
  /** Milliseconds after the last block, in which another might have come. */
  readonly waited: number;
}

async function checkBlocks(options: AuditOptions, config: NodeConfig, last: number | undefined, findings: Findings, marks: PersonalMarks, readModel: ReadModel | undefined): Promise<CheckedLedger> {
  const checker = new LedgerChecker({ chaincode: config.ledger.chaincode }, findings, marks, recoverPublicKey);
  const replayStore = new MemoryStore();
  const replayed = new ReadModel(replayStore);
  const index = new LedgerIndex(replayStore, replayed);
  let lastHash = '';
  let checkedAt = performance.now();
  if (last === undefined || last >= 0) {
    for await (const block of blocksUpTo(config, last)) {
      checker.check(block);
      // The same fold that the node runs, from nothing: I9 holds where both end alike.
      if (readModel !== undefined && block.number <= readModel.height()) await index.apply(block);
      lastHash = block.hash;
      options.onProgress(block.number, last);
      checkedAt = performance.now();
    }
  }
  const waited = performance.now() - checkedAt;
  const digest = await readModel?.digest();
  const expected = digest === undefined ? undefined : await replayed.digest();
  if (readModel !== undefined && replayed.height() === readModel.height() && digest !== expected) {
    findings.add('I9', `read model at block ${String(readModel.height())}`, `digest ${expected ?? ''}`, digest ?? '');
  }
  return { checker, digest, lastHash, waited };
}
