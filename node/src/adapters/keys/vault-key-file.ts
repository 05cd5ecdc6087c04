import { createHash, randomBytes } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import type { VaultKeys } from '../../core/ports.js';
import { makeSecretFolder, readSecret, writeSecret } from './key-files.js';

/**
 * Keys of the vault, one line `check name key` each, in a file apart from the data and its backups. New keys are appended
 * and synced before anything is sealed under them; removing keys rewrites the file without them.
 */
export class VaultKeyFile implements VaultKeys {
  private queue: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private readonly keys: Map<string, Uint8Array>,
    private handle: FileHandle,
  ) {}

  /** An empty key file, for a new node. */
  public static async create(folder: string): Promise<void> {
    await makeSecretFolder(folder);
    await writeSecret(path.join(folder, 'keys'), '');
  }

  /** @throws KEYS_MISSING {reason: 'damaged'} when a line before the last cannot be read */
  public static async open(folder: string): Promise<VaultKeyFile> {
    const file = path.join(folder, 'keys');
    const { keys, torn } = parseKeys(file, (await readSecret(file)).toString('latin1'));
    // A torn last line was never synced, so nothing is sealed under it; left there it would spoil the next line.
    if (torn) await writeSecret(file, [...keys].map(([name, key]) => line(name, key)).join(''));
    return new VaultKeyFile(file, keys, await open(file, 'a', 0o600));
  }

  public find(name: string): Uint8Array | undefined {
    return this.keys.get(name);
  }

  public async ensure(names: readonly string[]): Promise<void> {
    if (names.every((name) => this.keys.has(name))) return;
    await this.inTurn(async () => {
      const missing = [...new Set(names)].filter((name) => !this.keys.has(name)).map((name) => [name, new Uint8Array(randomBytes(32))] as const);
      if (missing.length === 0) return;
      try {
        await this.handle.appendFile(missing.map(([name, key]) => line(name, key)).join(''), 'latin1');
        await this.handle.datasync();
      } catch {
        throw new ProtocolError('STORAGE_FAILED', { reason: 'vault-keys' });
      }
      for (const [name, key] of missing) this.keys.set(name, key);
    });
  }

  public async remove(names: readonly string[]): Promise<void> {
    await this.inTurn(async () => {
      const gone = new Set(names);
      const kept = [...this.keys].filter(([name]) => !gone.has(name));
      await writeSecret(this.file, kept.map(([name, key]) => line(name, key)).join(''));
      await this.handle.close();
      this.handle = await open(this.file, 'a', 0o600);
      for (const name of names) this.keys.delete(name);
    });
  }

  public async close(): Promise<void> {
    await this.queue.catch(() => undefined);
    await this.handle.close();
  }

  /** One change at a time. After a failed one nothing more is sealed: what the file holds is unknown. */
  private async inTurn(change: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(change).catch((error: unknown) => {
      const cause = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw error instanceof ProtocolError ? error : new ProtocolError('STORAGE_FAILED', { reason: 'vault-keys', cause });
    });
    this.queue.catch(() => undefined);
    await this.queue;
  }
}

function line(name: string, key: Uint8Array): string {
  const body = `${name} ${Buffer.from(key).toString('base64url')}`;
  return `${check(body)} ${body}\n`;
}

function check(body: string): string {
  return createHash('sha256').update(body, 'latin1').digest('hex').slice(0, 16);
}

function parseKeys(file: string, text: string): { keys: Map<string, Uint8Array>; torn: boolean } {
  const keys = new Map<string, Uint8Array>();
  const lines = text.split('\n');
  const tail = lines.pop();
  lines.forEach((entry, index) => {
    const [found = '', name = '', key = ''] = entry.split(' ');
    if (check(`${name} ${key}`) !== found) throw new ProtocolError('KEYS_MISSING', { file, reason: 'damaged', line: index + 1 });
    keys.set(name, new Uint8Array(Buffer.from(key, 'base64url')));
  });
  return { keys, torn: tail !== '' };
}
