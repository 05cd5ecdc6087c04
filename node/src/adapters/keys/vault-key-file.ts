import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import type { VaultKeys } from '../../core/ports.js';
import { makeSecretFolder, readSecret, removeDrafts, writeSecret } from './key-files.js';

/** `none` where no second place is configured, `unreachable` where it cannot be written now. */
export type KeyCopyState = 'kept' | 'none' | 'unreachable';

/**
 * Keys of the vault, one line `check name key` each, in a file apart from the data and its backups. New keys are appended
 * and synced before anything is sealed under them; removing keys rewrites the file without them. One copy of it lies in a
 * second place and is replaced whole: it gets new keys after the file and loses removed ones before it, so that a crash
 * never leaves a key in the copy alone.
 */
export class VaultKeyFile implements VaultKeys {
  private queue: Promise<void> = Promise.resolve();
  /** Keys that the copy does not hold yet: nothing is sealed under them. */
  private readonly uncopied = new Set<string>();
  private state: KeyCopyState;

  private constructor(
    private readonly file: string,
    private readonly keys: Map<string, Uint8Array>,
    private handle: FileHandle,
    private readonly copy: string | undefined,
  ) {
    this.state = copy === undefined ? 'none' : 'kept';
  }

  /** An empty key file, for a new node. */
  public static async create(folder: string): Promise<void> {
    await makeSecretFolder(folder);
    await writeSecret(path.join(folder, 'keys'), '');
  }

  /**
   * @param copy file of the one copy, in a folder that exists; it is made like the key file here, if it can be reached
   * @throws KEYS_MISSING {reason: 'damaged'} when a line before the last cannot be read; KEY_COPY_DIFFERS where the copy holds
   * keys that the file does not
   */
  public static async open(folder: string, copy?: string): Promise<VaultKeyFile> {
    const file = path.join(folder, 'keys');
    const { keys, torn } = parseKeys(file, (await readSecret(file)).toString('latin1'));
    await removeDrafts(file);
    // A torn last line was never synced, so nothing is sealed under it; left there it would spoil the next line.
    if (torn) await writeSecret(file, textOf(keys));
    const opened = new VaultKeyFile(file, keys, await open(file, 'a', 0o600), copy);
    if (copy !== undefined) await opened.compareCopy(copy);
    return opened;
  }

  /** How the one copy stands. */
  public get copyState(): KeyCopyState {
    return this.state;
  }

  public find(name: string): Uint8Array | undefined {
    return this.keys.get(name);
  }

  public async ensure(names: readonly string[]): Promise<void> {
    if (names.every((name) => this.keys.has(name) && !this.uncopied.has(name))) return;
    await this.inTurn(async () => {
      await this.append(names);
      if (names.some((name) => this.uncopied.has(name))) await this.replaceCopy(this.keys);
    });
  }

  public async remove(names: readonly string[]): Promise<void> {
    await this.inTurn(async () => {
      const gone = new Set(names);
      const kept = new Map([...this.keys].filter(([name]) => !gone.has(name)));
      await this.replaceCopy(kept);
      await writeSecret(this.file, textOf(kept));
      await this.handle.close();
      this.handle = await open(this.file, 'a', 0o600);
      for (const name of names) this.keys.delete(name);
    });
  }

  public async close(): Promise<void> {
    await this.queue.catch(() => undefined);
    await this.handle.close();
  }

  private async append(names: readonly string[]): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.keys.has(name)).map((name) => [name, new Uint8Array(randomBytes(32))] as const);
    if (missing.length === 0) return;
    await this.handle.appendFile(textOf(missing), 'latin1');
    await this.handle.datasync();
    for (const [name, key] of missing) {
      this.keys.set(name, key);
      if (this.copy !== undefined) this.uncopied.add(name);
    }
  }

  /** @throws KEY_COPY_FAILED: the copy is as it was, and the next change tries again */
  private async replaceCopy(keys: Iterable<readonly [string, Uint8Array]>): Promise<void> {
    if (this.copy === undefined) return;
    try {
      await writeSecret(this.copy, textOf(keys));
    } catch (error) {
      this.state = 'unreachable';
      throw new ProtocolError('KEY_COPY_FAILED', { file: this.copy, cause: (error as NodeJS.ErrnoException).code ?? 'unknown' });
    }
    this.state = 'kept';
    this.uncopied.clear();
  }

  /** Makes the copy like the file. Keys that it alone holds are never written over: the file may be an old one that was put back. */
  private async compareCopy(copy: string): Promise<void> {
    const found = await readCopy(copy);
    if (found === undefined) {
      this.state = 'unreachable';
      return;
    }
    for (const [name, key] of found) {
      if (Buffer.compare(this.keys.get(name) ?? new Uint8Array(), key) === 0) continue;
      await this.handle.close();
      throw new ProtocolError('KEY_COPY_DIFFERS', { file: this.file, copy });
    }
    await removeDrafts(copy).catch(() => undefined);
    await this.replaceCopy(this.keys).catch(() => undefined);
  }

  /** One change at a time. After a failed one nothing more is sealed: what the file holds is unknown. A failed copy leaves the file known. */
  private async inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.queue.then(change).catch((error: unknown) => {
      const cause = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw error instanceof ProtocolError ? error : new ProtocolError('STORAGE_FAILED', { reason: 'vault-keys', cause });
    });
    this.queue = turn.catch((error: unknown) => {
      if (!isCopyFailure(error)) throw error;
    });
    this.queue.catch(() => undefined);
    await turn;
  }
}

function isCopyFailure(error: unknown): boolean {
  return error instanceof ProtocolError && error.code === 'KEY_COPY_FAILED';
}

function textOf(keys: Iterable<readonly [string, Uint8Array]>): string {
  return [...keys].map(([name, key]) => line(name, key)).join('');
}

/** Every line of the copy that can be read; undefined where it cannot be looked at. */
async function readCopy(copy: string): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
  try {
    return parseLines((await readFile(copy)).toString('latin1')).keys;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? new Map() : undefined;
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
  const { damaged: [first], keys, torn } = parseLines(text);
  if (first !== undefined) throw new ProtocolError('KEYS_MISSING', { file, reason: 'damaged', line: first });
  return { keys, torn };
}

/** The keys of all lines that are whole, and the numbers of those that are not. */
function parseLines(text: string): { keys: Map<string, Uint8Array>; damaged: readonly number[]; torn: boolean } {
  const keys = new Map<string, Uint8Array>();
  const damaged: number[] = [];
  const lines = text.split('\n');
  const tail = lines.pop();
  lines.forEach((entry, index) => {
    const [found = '', name = '', key = ''] = entry.split(' ');
    if (check(`${name} ${key}`) === found) keys.set(name, new Uint8Array(Buffer.from(key, 'base64url')));
    else damaged.push(index + 1);
  });
  return { keys, damaged, torn: tail !== '' };
}
