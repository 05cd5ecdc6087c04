import type { Es256Key, joinRequestShape, MemberDocument, Read } from '@huilian/protocol';
import type { Source } from '../core/sync/source.js';
import { ProcessActions, type AuditOptions, type AuditReport, type BackupReport, type InitOptions, type KeyReport, type LedgerRunOptions, type LocalRunOptions, type ReaderRunOptions, type RestoreReport, type SandboxRunOptions } from '../adapters/cli/process-actions.js';

/** What the command line can run. Each is loaded when it is asked for: a command that needs no server starts at once. */
export class HuilianProcesses extends ProcessActions {
  public async initialise(options: InitOptions): Promise<MemberDocument> {
    return await (await import('./initialise.js')).initialise(options);
  }

  public async signJoin(stateDir: string, request: Read<typeof joinRequestShape>): Promise<string> {
    return await (await import('./sign-join.js')).signJoin(stateDir, request);
  }

  public async prepareKeys(stateDir: string, salt: string, registered: Es256Key): Promise<string | undefined> {
    return await (await import('./rotate-keys.js')).prepareKeys(stateDir, salt, registered);
  }

  public async adoptKeys(stateDir: string): Promise<string> {
    return await (await import('../adapters/keys/next-keys.js')).adoptNextKeys(stateDir);
  }

  public async runNode(stateDir: string): Promise<void> {
    await (await import('./run-node.js')).runNode(stateDir);
  }

  public async runLedger(options: LedgerRunOptions): Promise<void> {
    await (await import('./run-ledger.js')).runLedger(options);
  }

  public async runReader(options: ReaderRunOptions): Promise<void> {
    await (await import('./run-reader.js')).runReader(options);
  }

  public async runSandbox(options: SandboxRunOptions): Promise<void> {
    await (await import('./sandbox/run-sandbox.js')).runSandbox(options);
  }

  public async openFiles(files: readonly { readonly file: string; readonly kind: string }[]): Promise<Source> {
    return new (await import('../adapters/sources/file-source.js')).FilesSource(files);
  }

  public async listKeys(stateDir: string): Promise<KeyReport> {
    return await (await import('../adapters/keys/key-export.js')).listKeys(stateDir);
  }

  public async exportKeys(stateDir: string, file: string, passphrase: string): Promise<KeyReport> {
    return await (await import('../adapters/keys/key-export.js')).exportKeys(stateDir, file, passphrase, new Date());
  }

  public async importKeys(stateDir: string, file: string, passphrase: string): Promise<KeyReport> {
    return await (await import('../adapters/keys/key-export.js')).importKeys(stateDir, file, passphrase);
  }

  public async backup(stateDir: string, file: string, stream: AsyncIterable<Uint8Array> | undefined, onBytes: (bytes: number) => void): Promise<BackupReport> {
    return await (await import('./run-backup.js')).runBackup(stateDir, file, stream, onBytes);
  }

  public async restore(stateDir: string, file: string, onRows: (done: number, all: number) => void): Promise<RestoreReport> {
    return await (await import('./run-restore.js')).runRestore(stateDir, file, onRows);
  }

  public async reindex(stateDir: string, onProgress: (height: number) => void): Promise<{ readonly height: number; readonly digest: string }> {
    return await (await import('./run-reindex.js')).runReindex(stateDir, onProgress);
  }

  public async audit(options: AuditOptions): Promise<AuditReport> {
    return await (await import('./run-audit.js')).runAudit(options);
  }

  public async runLocal(options: LocalRunOptions): Promise<number> {
    return await (await import('./local/run-local.js')).runLocal(options);
  }
}
