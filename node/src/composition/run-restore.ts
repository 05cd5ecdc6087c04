import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import { readBackupFile } from '../adapters/backups/backup-files.js';
import type { RestoreReport } from '../adapters/cli/process-actions.js';
import { makeSecretFolder, readSecret, readSecretJson, writeSecret } from '../adapters/keys/key-files.js';
import { keyFiles } from '../adapters/keys/node-keys.js';
import { LevelStore } from '../adapters/level/level-store.js';
import { MarkFile } from '../adapters/level/mark-file.js';
import { loadConfig } from '../config/config.js';
import type { BackupHeader } from '../core/backup/backup-file.js';
import { storeFormat } from '../core/backup/store-format.js';
import { restoredMark } from '../core/outbox/outbox.js';

/**
 * Puts a backup into a state folder that has the member's keys and no data. The file is read to its end before anything of it
 * is written, and the data takes its name last: a restore that breaks off is begun again.
 * @throws BACKUP_DAMAGED, BACKUP_NEWER, BACKUP_FAILED, STORE_NEWER, KEYS_MISSING, BAD_FIELD, CONFIG_INVALID {reason: 'other-member'}
 */
export async function runRestore(stateDir: string, file: string, onRows: (done: number, all: number) => void): Promise<RestoreReport> {
  if (!existsSync(file)) throw new ProtocolError('BAD_FIELD', { path: '<file>', file, reason: 'is not there' });
  let found: BackupHeader | undefined;
  const rows = await readBackupFile(file, { header: (header) => { found = header; } });
  if (found === undefined) throw new ProtocolError('BACKUP_DAMAGED', { reason: 'no-backup' });
  const header = found;
  if (header.storeFormat > storeFormat) throw new ProtocolError('STORE_NEWER', { found: header.storeFormat, known: storeFormat });
  await checkMember(stateDir, header.memberId);
  await refuseData(stateDir);
  await placeFiles(stateDir, header);
  await placeVaultKeys(stateDir);
  await placeData(stateDir, file, header, (done) => { onRows(done, rows); });
  return { member: header.memberId, at: header.at, rows, height: header.height, acknowledgedTo: header.mark?.to ?? 0 };
}

async function checkMember(stateDir: string, memberId: string): Promise<void> {
  const { memberId: own } = await readSecretJson(path.join(stateDir, 'keys', keyFiles.identity));
  if (own !== memberId) throw new ProtocolError('CONFIG_INVALID', { path: stateDir, reason: 'other-member', member: String(own), backup: memberId });
}

async function refuseData(stateDir: string): Promise<void> {
  const data = path.join(stateDir, 'data');
  const entries = await readdir(data).catch(() => []);
  if (entries.length > 0) throw new ProtocolError('BAD_FIELD', { path: '--state', folder: data, reason: 'holds data already; name a folder without' });
}

/** What the folder has already stays: the machine may be another one. */
async function placeFiles(stateDir: string, { files }: BackupHeader): Promise<void> {
  for (const name of ['huilian.json', 'member.json']) {
    const text = files[name];
    if (text !== undefined && !existsSync(path.join(stateDir, name))) await writeSecret(path.join(stateDir, name), text);
  }
}

/** From the second place, where the folder has none. @throws KEYS_MISSING {file} */
async function placeVaultKeys(stateDir: string): Promise<void> {
  const file = path.join(stateDir, 'vault-keys', 'keys');
  if (existsSync(file)) return;
  const { vaultKeyCopy } = loadConfig(stateDir);
  if (vaultKeyCopy === undefined) throw new ProtocolError('KEYS_MISSING', { file, reason: 'no-second-place' });
  const keys = await readSecret(vaultKeyCopy);
  await makeSecretFolder(path.dirname(file));
  await writeSecret(file, keys);
}

async function placeData(stateDir: string, file: string, header: BackupHeader, onRows: (done: number) => void): Promise<void> {
  const [data, draft, mark] = [path.join(stateDir, 'data'), path.join(stateDir, 'data.restoring'), path.join(stateDir, 'outbox.hwm')];
  await rm(draft, { recursive: true, force: true });
  const store = await LevelStore.open(draft, { diskFloorBytes: 0 });
  let done = 0;
  try {
    await store.write([restoredMark]);
    await readBackupFile(file, {
      header: () => undefined,
      rows: async (writes) => {
        await store.write(writes);
        onRows((done += writes.length));
      },
    });
  } finally {
    await store.close();
  }
  await rm(mark, { force: true });
  if (header.mark !== null) await writeMark(mark, header.mark);
  if ((await stat(data).catch(() => undefined)) !== undefined) await rm(data, { recursive: true });
  await rename(draft, data);
}

async function writeMark(file: string, mark: NonNullable<BackupHeader['mark']>): Promise<void> {
  const opened = await MarkFile.open(file);
  await opened.write(mark).finally(() => opened.close());
}
