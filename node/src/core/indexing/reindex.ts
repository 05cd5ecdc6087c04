import { ProtocolError } from '@huilian/protocol';
import type { Ledger, Store, StoreWrite } from '../ports.js';
import { foldBlock } from './fold-block.js';
import { indexKeys, pastPrefix } from './index-keys.js';
import type { LedgerIndex } from './ledger-index.js';
import { currentGeneration, type ReadModel } from './read-model.js';

const removalsPerWrite = 5000;

export interface ReindexParts {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly index: LedgerIndex;
  readonly readModel: ReadModel;
  readonly signal: AbortSignal;
  readonly onProgress?: (block: number, height: number) => void;
}

/**
 * Builds the read model again from block 0, beside the current one, which goes on serving and following; then the new
 * one takes its place and the old one is removed. Broken off, it leaves the current one as it is.
 * @throws BLOCK_FORK, LEDGER_UNAVAILABLE, STORAGE_FAILED
 */
export async function reindex({ index, ledger, onProgress, readModel, signal, store }: ReindexParts): Promise<{ readonly blocks: number }> {
  const current = currentGeneration(store);
  const next = current + 1;
  await removeRows(store, indexKeys(next).prefix);
  const keys = indexKeys(next);
  let hash = '';
  for await (const block of ledger.blocks(0, signal)) {
    if (block.number > 0 && block.previousHash !== hash) throw new ProtocolError('BLOCK_FORK', { block: block.number, reason: 'previous-hash' });
    await store.write(foldBlock(block, keys, (key) => store.get(key)).writes);
    hash = block.hash;
    onProgress?.(block.number, readModel.height());
    if (await index.flip(next, block.number)) {
      await removeRows(store, indexKeys(current).prefix);
      return { blocks: block.number + 1 };
    }
  }
  throw new ProtocolError('LEDGER_UNAVAILABLE', { reason: 'stopped' });
}

async function removeRows(store: Store, prefix: string): Promise<void> {
  let removals: StoreWrite[] = [];
  for await (const [key] of store.entries({ gte: prefix, lt: pastPrefix(prefix) })) {
    removals.push({ key, remove: true });
    if (removals.length < removalsPerWrite) continue;
    await store.write(removals);
    removals = [];
  }
  await store.write(removals);
}
