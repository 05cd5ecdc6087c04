import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isJsonObject, ProtocolError, type ErrorCode, type JsonObject } from '@huilian/protocol';
import type { MemberKeys } from '@huilian/sdk';

/** Files that commands read and write. What they hold never gets into an error, only the file's name. */

/** @throws BAD_FIELD {path, reason: the system's code} */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ProtocolError('BAD_FIELD', { path: file, reason: `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}` });
  }
}

/** @throws BAD_FIELD, or the given code where the file holds no JSON object */
export function readJsonFile(file: string, code: ErrorCode = 'BAD_FIELD'): JsonObject {
  const text = readText(file);
  const value = parse(text);
  if (!isJsonObject(value)) throw new ProtocolError(code, { path: file, reason: 'not a JSON object' });
  return value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Writes JSON that only its user reads; folders are made. @throws BAD_FIELD {path, reason} */
export function writeJsonFile(file: string, content: unknown): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw new ProtocolError('BAD_FIELD', { path: file, reason: `cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}` });
  }
}

/** Writes what comes into a file that only its user reads, and answers how many lines it is. @throws BAD_FIELD {path, reason}; what the bytes end with */
export async function writeLines(file: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  let lines = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      for (const byte of chunk) if (byte === 10) lines += 1;
      yield chunk;
    }
  };
  try {
    await pipeline(counted(), createWriteStream(file, { mode: 0o600 }));
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new ProtocolError('BAD_FIELD', { path: file, reason: `cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}` });
  }
  return lines;
}

/** A member's private keys, as `huilian init` wrote them. @throws BAD_FIELD */
export function readMemberKeys(file: string): MemberKeys {
  const { encryptionKey, memberId, signingKey } = readJsonFile(file);
  const isKey = (key: unknown): boolean => isJsonObject(key) && typeof key['d'] === 'string';
  if (typeof memberId !== 'string' || !isKey(encryptionKey) || !isKey(signingKey)) {
    throw new ProtocolError('BAD_FIELD', { path: file, reason: 'not a member-keys.json' });
  }
  return { encryptionKey, memberId, signingKey } as unknown as MemberKeys;
}
