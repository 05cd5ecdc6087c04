import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import { writeBackupFile } from '../adapters/backups/backup-files.js';
import type { BackupReport } from '../adapters/cli/process-actions.js';
import { LevelStore } from '../adapters/level/level-store.js';
import { loadConfig } from '../config/config.js';
import { checkStoreFormat } from '../core/backup/store-format.js';
import { backUpStopped } from './open-store.js';

/**
 * Backs up a node's data into a file: what a running node streams, or, without `stream`, the store of a stopped one.
 * @throws BACKUP_FAILED, STORE_NEWER, STORAGE_FAILED {reason: 'locked'} while the node runs
 */
export async function runBackup(stateDir: string, file: string, stream: AsyncIterable<Uint8Array> | undefined, onBytes: (bytes: number) => void): Promise<BackupReport> {
  if (stream !== undefined) return { file, bytes: await writeBackupFile(file, stream, onBytes) };
  const config = loadConfig(stateDir);
  const store = await LevelStore.open(path.join(stateDir, 'data'), { diskFloorBytes: 0 });
  try {
    checkStoreFormat(store);
    return { file, bytes: await backUpStopped(stateDir, config, store, file, onBytes) };
  } catch (error) {
    throw error instanceof ProtocolError ? error : new ProtocolError('BACKUP_FAILED', { file, cause: 'unknown' });
  } finally {
    await store.close();
  }
}
