import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ProtocolError } from '@huilian/protocol';
import { kindOfName } from '../../core/sync/kind-of-file.js';
import type { Position, Reading, Source, SourcePart, SourceRow } from '../../core/sync/source.js';
import { filePart, isReadable } from './file-source.js';
import { identify, isIdentity, unreadableFile, type FileIdentity } from './file-identity.js';

export interface FolderSettings {
  readonly path: string;
  readonly settleSeconds: number;
  readonly lookSeconds: number;
}

interface FoundFile {
  /** Where it lies, and by what its rows are told: its way from the folder. */
  readonly file: string;
  readonly name: string;
}

const mostDepth = 32;
const mostFiles = 100_000;
const mostName = 255;

/**
 * A folder that files are put into. Each is read once it is written to its end, known again by its content whatever its
 * name is then, and set aside where it cannot be read. Files themselves are never touched.
 */
export class FolderSource implements Source {
  /** What was found unready or new at the last look; only a hint for `changes`. */
  private looked = '';

  public constructor(
    private readonly settings: FolderSettings,
    private readonly kinds: () => readonly string[],
  ) {}

  public async *parts(from: Position | undefined, reading: Reading): AsyncGenerator<SourcePart> {
    const files = await this.walk((details) => { reading.warn({ code: details.code, details: { folder: details.name } }); });
    // The one that reading stopped in goes first, from where it stopped.
    const begun = typeof from?.['name'] === 'string' ? from['name'] : undefined;
    const ordered = [...files.filter(({ name }) => name === begun), ...files.filter(({ name }) => name !== begun)];
    for (const [index, found] of ordered.entries()) {
      if (reading.signal.aborted) return;
      const identity = await settled(found.file, this.settings.settleSeconds, reading.signal);
      if (identity === undefined) reading.warn({ code: 'still-written', details: { file: found.name } });
      if (identity === undefined || reading.remembers(identityMark(found, identity))) continue;
      const digest = await digestOf(found.file);
      const marks = [identityMark(found, identity), digest];
      const progress = (share: number): void => { reading.progress((index + share) / ordered.length); };
      yield this.part(found, marks, reading.remembers(digest), begun === found.name && isIdentity(from?.['file'], identity) ? from : undefined, { ...reading, progress });
    }
  }

  /** Looks again and again; the first look counts as a change, for nobody knows what came before. */
  public async *changes(signal: AbortSignal): AsyncGenerator<void> {
    while (!signal.aborted) {
      const files = await this.walk(() => undefined).catch(() => []);
      const states = await Promise.all(files.map(async ({ file, name }) => `${name} ${await stat(file).then(({ mtimeMs, size }) => `${String(size)} ${String(mtimeMs)}`, () => '')}`));
      const now = createHash('sha256').update(states.join('\n')).digest('hex');
      if (now !== this.looked) {
        this.looked = now;
        yield;
      }
      await delay(this.settings.lookSeconds * 1000, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A file known by its content under another name is done without being read. */
  private part({ file, name }: FoundFile, marks: readonly string[], known: boolean, from: Position | undefined, reading: Reading): SourcePart {
    const kind = kindOfName(path.basename(file), this.kinds());
    const inner = known ? undefined : filePart({ file, name, ...(kind === undefined ? {} : { kind }) }, from, reading);
    return {
      canBeSetAside: true,
      end: () => ({}),
      marks,
      name,
      ...(kind === undefined ? {} : { kind }),
      rows: async function* rows(): AsyncGenerator<readonly SourceRow[]> {
        for await (const group of inner?.rows() ?? []) yield group.map((row) => ({ ...row, position: { ...row.position, name } }));
      },
    };
  }

  /** @throws SOURCE_UNREADABLE where the folder itself is not there */
  private async walk(onRefused: (refused: { readonly code: string; readonly name: string }) => void): Promise<readonly FoundFile[]> {
    const root = await realpath(this.settings.path).catch((error: unknown) => { throw unreadableFile(this.settings.path, error); });
    const walk: Walk = { found: [], onRefused, root, visited: new Set([root]) };
    await visit(walk, root, []);
    return walk.found;
  }
}

interface Walk {
  readonly root: string;
  /** Folders by their real place: what is reached a second time is a circle, or a second way. */
  readonly visited: Set<string>;
  readonly found: FoundFile[];
  onRefused(refused: { readonly code: string; readonly name: string }): void;
}

async function visit(walk: Walk, folder: string, way: readonly string[]): Promise<void> {
  const entries = (await readdir(folder, { withFileTypes: true })).sort((left, right) => (left.name < right.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.') || entry.name.startsWith('~$')) continue;
    const names = [...way, entry.name];
    const name = names.join(' > ').replaceAll(/[\\\u0000-\u001f]/g, '?').slice(-mostName);
    const place = path.join(folder, entry.name);
    const real = entry.isSymbolicLink() ? await realpath(place).catch(() => undefined) : place;
    const state = real === undefined ? undefined : await stat(real).catch(() => undefined);
    const refusal = refusalOf(walk, real, state, names.length);
    if (refusal !== undefined) walk.onRefused({ code: refusal, name });
    else if (real !== undefined && state?.isDirectory() === true) {
      walk.visited.add(real);
      await visit(walk, real, names);
    } else if (real !== undefined && state?.isFile() === true && isReadable(entry.name)) walk.found.push({ file: real, name });
    if (walk.found.length > mostFiles) throw new ProtocolError('SOURCE_UNREADABLE', { reason: `more than ${String(mostFiles)} files` });
  }
}

function refusalOf({ root, visited }: Walk, real: string | undefined, state: { isDirectory(): boolean } | undefined, depth: number): string | undefined {
  if (real === undefined || state === undefined) return 'link-broken';
  if (!isInside(root, real)) return 'link-leads-outside';
  if (!state.isDirectory()) return undefined;
  if (visited.has(real)) return 'link-cycle';
  return depth > mostDepth ? 'too-deep' : undefined;
}

function isInside(root: string, place: string): boolean {
  return place === root || place.startsWith(`${root}${path.sep}`);
}

/** The file once it was not touched for a while; undefined where it still is, or is gone. */
async function settled(file: string, seconds: number, signal: AbortSignal): Promise<FileIdentity | undefined> {
  const before = await identify(file).catch(() => undefined);
  if (before === undefined || Date.now() - before.modified >= seconds * 1000) return before;
  await delay(seconds * 1000, undefined, { signal }).catch(() => undefined);
  const now = await identify(file).catch(() => undefined);
  return now !== undefined && isIdentity(before, now) ? now : undefined;
}

/** By place and state: known without reading it again. */
function identityMark({ file }: FoundFile, { head, inode, modified, size }: FileIdentity): string {
  return createHash('sha256').update(JSON.stringify([file, head, inode, modified, size])).digest('hex');
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw unreadableFile(file, error);
  }
  return hash.digest('hex');
}
