import { openLedger } from '../adapters/fabric/open-ledger.js';
import { systemClock } from '../adapters/system/system-clock.js';
import { systemRandom } from '../adapters/system/system-random.js';
import { loadConfig } from '../config/config.js';
import { LedgerFollower } from '../core/indexing/follow-ledger.js';
import { LedgerIndex } from '../core/indexing/ledger-index.js';
import { ReadModel } from '../core/indexing/read-model.js';
import { reindex } from '../core/indexing/reindex.js';
import { openStore } from './open-store.js';

/** Rebuilds the read model of a stopped node from the ledger and flips to the new generation. */
export async function runReindex(stateDir: string, onProgress: (height: number) => void): Promise<{ readonly height: number; readonly digest: string }> {
  const config = loadConfig(stateDir);
  const store = await openStore(stateDir, config);
  const ledger = await openLedger(config.ledger);
  const readModel = new ReadModel(store);
  const index = new LedgerIndex(store, readModel);
  // The current generation follows meanwhile, so that both can stand at the same block when they change places.
  const follower = new LedgerFollower({ clock: systemClock, index, ledger, onAlarm: () => undefined, random: systemRandom, readModel });
  follower.start();
  try {
    await reindex({ index, ledger, onProgress: (block) => { onProgress(block); }, readModel, signal: new AbortController().signal, store });
    return { height: readModel.height(), digest: await readModel.digest() };
  } finally {
    await follower.stop();
    await ledger.close();
    await store.close();
  }
}
