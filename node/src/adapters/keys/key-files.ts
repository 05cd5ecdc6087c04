import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { isJsonObject, ProtocolError, type JsonObject } from '@huilian/protocol';

const draftBytes = 6;

/** Whole file or none, readable by its owner alone, on disk before it answers. */
export async function writeSecret(file: string, content: string | Uint8Array): Promise<void> {
  const draft = `${file}.${randomBytes(draftBytes).toString('hex')}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  await syncFolder(path.dirname(file));
}

/** What broken writes of a file left beside it: it may hold keys that were removed from the file since. */
export async function removeDrafts(file: string): Promise<void> {
  const folder = path.dirname(file);
  const start = `${path.basename(file)}.`;
  const left = (await readdir(folder)).filter((name) => name.startsWith(start) && /^[0-9a-f]{12}$/.test(name.slice(start.length)));
  for (const name of left) await rm(path.join(folder, name));
}

export async function makeSecretFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** A rename is on disk when its folder is; Windows offers no such call and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, constants.O_RDONLY);
  await handle.sync().finally(() => handle.close());
}

/** @throws KEYS_MISSING {file} */
export async function readSecret(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch {
    throw new ProtocolError('KEYS_MISSING', { file });
  }
}

/** @throws KEYS_MISSING {file, reason: 'not-json'} */
export async function readSecretJson(file: string): Promise<JsonObject> {
  const text = (await readSecret(file)).toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // The parser's message could quote the key: only the file is named.
  }
  throw new ProtocolError('KEYS_MISSING', { file, reason: 'not-json' });
}
