import { pastPrefix } from '../indexing/index-keys.js';
import type { HighWaterMark } from '../outbox/high-water-mark.js';
import type { Store, StoreSnapshot } from '../ports.js';
import { backupFormat, encodeBackup, type BackupHeader } from './backup-file.js';
import { storeFormatOf } from './store-format.js';

export interface BackupSource {
  readonly store: Store;
  readonly mark: Pick<HighWaterMark, 'read'>;
  readonly memberId: string;
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Last block of the read model, -1 where there is none. */
  height(): number;
  /** Configuration files of the state folder. */
  files(): Readonly<Record<string, string>>;
  /** Takes the snapshot while nothing is sealed or erased: else half of an owner's rows could be under a key that is about to go. */
  quietly(take: () => StoreSnapshot): Promise<StoreSnapshot>;
}

const readModel = 'index/';

/** All of a node's data as it is now, but for the read model, which the ledger gives again. The node goes on meanwhile. */
export async function* streamBackup({ files, height, mark, memberId, now, quietly, store }: BackupSource): AsyncGenerator<Uint8Array> {
  // The mark first: rows are on disk before the mark covers them, so all of these are in the snapshot.
  const covered = mark.read() ?? null;
  const header: BackupHeader = {
    kind: 'huilian-backup', format: backupFormat, storeFormat: storeFormatOf(store), memberId, at: new Date(now()).toISOString(), height: height(), mark: covered, files: files(),
  };
  const snapshot = await quietly(() => store.snapshot());
  try {
    yield* encodeBackup(header, rowsOf(snapshot));
  } finally {
    await snapshot.close();
  }
}

async function* rowsOf(snapshot: StoreSnapshot): AsyncGenerator<readonly [string, Uint8Array]> {
  yield* snapshot.entries({ lt: readModel });
  yield* snapshot.entries({ gte: pastPrefix(readModel) });
}
