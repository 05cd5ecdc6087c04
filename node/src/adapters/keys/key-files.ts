import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { isJsonObject, ProtocolError, type JsonObject } from '@huilian/protocol';

/** Whole file or none, readable by its owner alone, on disk before it answers. */
export async function writeSecret(file: string, content: string | Uint8Array): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
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
