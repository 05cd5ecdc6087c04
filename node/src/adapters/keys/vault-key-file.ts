import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import type { Erasure, VaultKeys } from '../../core/ports.js';
import { readHolderKeyName } from '../../core/vault/holder-keys.js';
import { makeSecretFolder, readSecret, removeDrafts, writeSecret } from './key-files.js';

/** First word of an erasure's line. */
const erasedWord = 'erased';

/** `none` where no second place is configured, `unreachable` where it cannot be written now. */
export type KeyCopyState = 'kept' | 'none' | 'unreachable';

/**
 * Keys of the vault, one line `check name key` each, and what was erased, one line `check erased time generation scope
 * holder record#version …` each, in a file apart from the data and its backups. New keys are appended and synced before
 * anything is sealed under them; an erasure rewrites the file without the keys that it ends. One copy of it lies in a
 * second place and is replaced whole: it gets new keys after the file and loses ended ones before it, so that a crash
 * never leaves a key in the copy alone. Software from before the erasures takes their lines for damage and does not start.
 */
export class VaultKeyFile implements VaultKeys {
  private queue: Promise<void> = Promise.resolve();
  /** Keys that the copy does not hold yet: nothing is sealed under them. */
  private readonly uncopied = new Set<string>();
  private state: KeyCopyState;

  private constructor(
    private readonly file: string,
    private readonly keys: Map<string, Uint8Array>,
    private readonly ended: Erasure[],
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
    const { erasures, keys, torn } = parseKeys(file, (await readSecret(file)).toString('latin1'));
    await removeDrafts(file);
    // A torn last line was never synced, so nothing is sealed under it; left there it would spoil the next line.
    if (torn) await writeSecret(file, textOf(keys, erasures));
    const opened = new VaultKeyFile(file, keys, erasures, await open(file, 'a', 0o600), copy);
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

  public names(): Iterable<string> {
    return this.keys.keys();
  }

  public erasures(): readonly Erasure[] {
    return this.ended;
  }

  public async ensure(names: readonly string[]): Promise<void> {
    if (names.every((name) => this.keys.has(name) && !this.uncopied.has(name))) return;
    await this.inTurn(async () => {
      await this.append(names);
      if (names.some((name) => this.uncopied.has(name))) await this.replaceCopy(this.keys, this.ended);
    });
  }

  public async end(erasure: Erasure): Promise<void> {
    await this.inTurn(async () => {
      const kept = withoutEnded(this.keys, [erasure]);
      await this.replaceCopy(kept, [...this.ended, erasure]);
      await this.replaceFile(kept, [erasure]);
    });
  }

  public async close(): Promise<void> {
    await this.queue.catch(() => undefined);
    await this.handle.close();
  }

  private async replaceFile(kept: ReadonlyMap<string, Uint8Array>, added: readonly Erasure[]): Promise<void> {
    await writeSecret(this.file, textOf(kept, [...this.ended, ...added]));
    await this.handle.close();
    this.handle = await open(this.file, 'a', 0o600);
    this.ended.push(...added);
    for (const name of [...this.keys.keys()]) if (!kept.has(name)) this.keys.delete(name);
  }

  private async append(names: readonly string[]): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.keys.has(name)).map((name) => [name, new Uint8Array(randomBytes(32))] as const);
    if (missing.length === 0) return;
    await this.handle.appendFile(textOf(missing, []), 'latin1');
    await this.handle.datasync();
    for (const [name, key] of missing) {
      this.keys.set(name, key);
      if (this.copy !== undefined) this.uncopied.add(name);
    }
  }

  /** @throws KEY_COPY_FAILED: the copy is as it was, and the next change tries again */
  private async replaceCopy(keys: Iterable<readonly [string, Uint8Array]>, erasures: readonly Erasure[]): Promise<void> {
    if (this.copy === undefined) return;
    try {
      await writeSecret(this.copy, textOf(keys, erasures));
    } catch (error) {
      this.state = 'unreachable';
      throw new ProtocolError('KEY_COPY_FAILED', { file: this.copy, cause: (error as NodeJS.ErrnoException).code ?? 'unknown' });
    }
    this.state = 'kept';
    this.uncopied.clear();
  }

  /**
   * Makes the copy like the file. Keys that it alone holds are never written over: the file may be an old one that was put
   * back. An erasure that it alone names broke off between the two writes and is finished here.
   */
  private async compareCopy(copy: string): Promise<void> {
    const found = await readCopy(copy);
    if (found === undefined) {
      this.state = 'unreachable';
      return;
    }
    for (const [name, key] of found.keys) {
      if (Buffer.compare(this.keys.get(name) ?? new Uint8Array(), key) === 0) continue;
      await this.handle.close();
      throw new ProtocolError('KEY_COPY_DIFFERS', { file: this.file, copy });
    }
    await removeDrafts(copy).catch(() => undefined);
    const added = found.erasures.slice(this.ended.length);
    if (added.length > 0) await this.replaceFile(withoutEnded(this.keys, added), added);
    await this.replaceCopy(this.keys, this.ended).catch(() => undefined);
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

function withoutEnded(keys: ReadonlyMap<string, Uint8Array>, erasures: readonly Erasure[]): ReadonlyMap<string, Uint8Array> {
  const last = new Map(erasures.map(({ generation, holder }) => [holder, generation]));
  return new Map([...keys].filter(([name]) => {
    const { generation, holder } = readHolderKeyName(name);
    return generation > (last.get(holder) ?? 0);
  }));
}

function textOf(keys: Iterable<readonly [string, Uint8Array]>, erasures: readonly Erasure[]): string {
  return [...erasures.map(describe), ...[...keys].map(([name, key]) => `${name} ${Buffer.from(key).toString('base64url')}`)].map(line).join('');
}

function describe({ at, generation, holder, records, scope }: Erasure): string {
  return [erasedWord, String(at), String(generation), scope, holder, ...records.map(([recordId, version]) => `${recordId}#${String(version)}`)].join(' ');
}

/** Undefined for a body that is no line of an erasure. */
function readErasure(fields: readonly string[]): Erasure | undefined {
  const [word, at, generation, scope, holder, ...records] = fields;
  if (word !== erasedWord || holder === undefined || (scope !== 'owner' && scope !== 'records')) return undefined;
  return { at: Number(at), generation: Number(generation), holder, records: records.map(readErasedRecord), scope };
}

function readErasedRecord(field: string): readonly [string, number] {
  const at = field.lastIndexOf('#');
  return [field.slice(0, at), Number(field.slice(at + 1))];
}

/** What can be read of the copy; undefined where it cannot be looked at. */
async function readCopy(copy: string): Promise<KeyLines | undefined> {
  try {
    return parseLines((await readFile(copy)).toString('latin1'));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? parseLines('') : undefined;
  }
}

function line(body: string): string {
  return `${check(body)} ${body}\n`;
}

function check(body: string): string {
  return createHash('sha256').update(body, 'latin1').digest('hex').slice(0, 16);
}

function parseKeys(file: string, text: string): KeyLines {
  const lines = parseLines(text);
  const [first] = lines.damaged;
  if (first !== undefined) throw new ProtocolError('KEYS_MISSING', { file, reason: 'damaged', line: first });
  return lines;
}

interface KeyLines {
  readonly keys: Map<string, Uint8Array>;
  readonly erasures: Erasure[];
  /** Numbers of the lines that are not whole. */
  readonly damaged: readonly number[];
  readonly torn: boolean;
}

function parseLines(text: string): KeyLines {
  const keys = new Map<string, Uint8Array>();
  const erasures: Erasure[] = [];
  const damaged: number[] = [];
  const lines = text.split('\n');
  const tail = lines.pop();
  lines.forEach((entry, index) => {
    const body = entry.slice(entry.indexOf(' ') + 1);
    const [name = '', key = '', ...more] = body.split(' ');
    const erasure = more.length === 0 ? undefined : readErasure([name, key, ...more]);
    const whole = entry === line(body).slice(0, -1) && (more.length === 0 || erasure !== undefined);
    if (!whole) damaged.push(index + 1);
    else if (erasure !== undefined) erasures.push(erasure);
    else keys.set(name, new Uint8Array(Buffer.from(key, 'base64url')));
  });
  return { keys, erasures, damaged, torn: tail !== '' };
}
