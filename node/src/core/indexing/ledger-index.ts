import { ProtocolError } from '@huilian/protocol';
import { passStep, reachStep } from '../failpoints.js';
import { Mutex } from '../mutex.js';
import type { LedgerBlock, Store, StoreWrite } from '../ports.js';
import { foldBlock } from './fold-block.js';
import type { IndexedBatch, RecordWatcher } from './fold-step.js';
import { generationKey, indexKeys } from './index-keys.js';
import { encodeRow } from './index-rows.js';
import { currentGeneration, type ReadModel } from './read-model.js';

/** Who settles own batches in the very write that indexes them. */
export interface BatchSettler {
  /** Calls `write` once with the settling writes; resolves when it did. */
  settle(batches: readonly IndexedBatch[], write: (writes: readonly StoreWrite[]) => Promise<void>): Promise<void>;
}

/** What became of a block that was offered to the index. */
export type BlockOutcome = 'applied' | 'known' | 'gap';

/** Folds blocks into the store, one synced write per block: index rows, settled outbox rows, checkpoint. */
export class LedgerIndex {
  private readonly mutex = new Mutex();

  public constructor(
    private readonly store: Store,
    private readonly readModel: ReadModel,
    private readonly settler?: BatchSettler,
    private readonly watcher?: RecordWatcher,
  ) {}

  /**
   * @returns 'known' for a block indexed before, 'gap' for one that does not follow the last: fetch from there again
   * @throws BLOCK_FORK {block}: another hash at a known height, or a block that does not follow the last by its hash
   */
  public async apply(block: LedgerBlock): Promise<BlockOutcome> {
    return await this.mutex.run(async () => {
      const height = this.readModel.height();
      if (block.number > height + 1) return 'gap';
      if (block.number <= height) {
        if (this.readModel.blockHash(block.number) !== block.hash) throw fork(block, 'known-height');
        return 'known';
      }
      if (block.number > 0 && this.readModel.lastBlock()?.hash !== block.previousHash) throw fork(block, 'previous-hash');
      await passStep('E0');
      await this.append(block);
      return 'applied';
    });
  }

  /** Makes another generation the current one when it stands at exactly the same block; answers whether it did. */
  public async flip(generation: number, height: number): Promise<boolean> {
    return await this.mutex.run(async () => {
      if (height !== this.readModel.height()) return false;
      await this.store.write([{ key: generationKey, value: encodeRow(generation) }]);
      this.readModel.generationChanged();
      return true;
    });
  }

  private async append(block: LedgerBlock): Promise<void> {
    reachStep('E1');
    const keys = indexKeys(currentGeneration(this.store));
    this.watcher?.begin();
    const { batches, writes } = foldBlock(block, keys, (key) => this.store.get(key), this.watcher);
    reachStep('E2');
    this.readModel.blockComes();
    if (this.settler === undefined || batches.length === 0) await this.store.write(writes);
    else {
      await this.settler.settle(batches, async (settling) => {
        await this.store.write([...writes, ...settling]);
      });
    }
    await passStep('E3');
    if (batches.length > 0) reachStep('P11');
    this.watcher?.commit();
    this.readModel.blockIndexed(block);
  }
}

function fork(block: LedgerBlock, reason: string): ProtocolError {
  return new ProtocolError('BLOCK_FORK', { block: block.number, reason });
}
