import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ProtocolError } from '@huilian/protocol';
import { writeBackupFile } from '../adapters/backups/backup-files.js';
import { LevelStore } from '../adapters/level/level-store.js';
import { MarkFile } from '../adapters/level/mark-file.js';
import { systemClock } from '../adapters/system/system-clock.js';
import type { NodeConfig } from '../config/config.js';
import { streamBackup } from '../core/backup/stream-backup.js';
import { bringUpToDate } from '../core/backup/store-format.js';
import { ReadModel } from '../core/indexing/read-model.js';

const configurationFiles = ['huilian.json', 'member.json'];

/** Files of a state folder that a backup carries along: no keys, no tokens. */
export function stateFiles(stateDir: string): Readonly<Record<string, string>> {
  return Object.fromEntries(configurationFiles.filter((name) => existsSync(path.join(stateDir, name))).map((name) => [name, readFileSync(path.join(stateDir, name), 'utf8')]));
}

/**
 * The store of a state folder in this software's format. Data of an older one is backed up first and then converted.
 * @throws STORAGE_FAILED, STORE_NEWER, BACKUP_FAILED
 */
export async function openStore(stateDir: string, config: NodeConfig, { onConverted, onFailure }: { readonly onConverted?: (backup: string) => void; readonly onFailure?: (error: ProtocolError) => void } = {}): Promise<LevelStore> {
  const store = await LevelStore.open(path.join(stateDir, 'data'), { diskFloorBytes: config.diskFloorBytes, ...(onFailure === undefined ? {} : { onFailure }) });
  try {
    await bringUpToDate(store, async (found) => {
      const file = path.join(config.backups.folder ?? stateDir, `${config.memberId}-format-${String(found)}-${new Date(systemClock.now()).toISOString().replace(/[-:.]/g, '')}.backup`);
      await backUpStopped(stateDir, config, store, file);
      onConverted?.(file);
    });
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Backs up the store of a node that does not run. Answers the bytes of the file. @throws BACKUP_FAILED */
export async function backUpStopped(stateDir: string, { memberId }: NodeConfig, store: LevelStore, file: string, onBytes?: (bytes: number) => void): Promise<number> {
  const mark = await MarkFile.open(path.join(stateDir, 'outbox.hwm'));
  try {
    const stream = streamBackup({
      store, mark, memberId, now: () => systemClock.now(), height: () => new ReadModel(store).height(), files: () => stateFiles(stateDir), quietly: (take) => Promise.resolve(take()),
    });
    return await writeBackupFile(file, stream, onBytes);
  } finally {
    await mark.close();
  }
}
