import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import path from 'node:path';
import { ProtocolError, type JsonObject } from '@huilian/protocol';

/** What tells a file from another that was put in its place, or from itself after it was written to. */
export interface FileIdentity {
  readonly size: number;
  /** Modified, milliseconds. */
  readonly modified: number;
  /** Inode number, as text: it may exceed what a number holds. */
  readonly inode: string;
  /** SHA-256 of the first bytes, hex. */
  readonly head: string;
}

const headBytes = 65_536;

/** @throws SOURCE_UNREADABLE */
export async function identify(file: string): Promise<FileIdentity> {
  try {
    const handle = await open(file, 'r');
    try {
      const { ino, mtimeNs, size } = await handle.stat({ bigint: true });
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
      const head = createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('hex');
      return { head, inode: String(ino), modified: Number(mtimeNs / 1_000_000n), size: Number(size) };
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadableFile(file, error);
  }
}

/** @throws SOURCE_CHANGED where the file is not what it was when reading began */
export async function checkUnchanged(file: string, { inode, modified, size }: FileIdentity): Promise<void> {
  const now = await stat(file, { bigint: true }).catch(() => undefined);
  if (now !== undefined && String(now.ino) === inode && Number(now.size) === size && Number(now.mtimeNs / 1_000_000n) === modified) return;
  throw new ProtocolError('SOURCE_CHANGED', { file: path.basename(file), reason: now === undefined ? 'removed-while-read' : 'replaced-while-read' });
}

/** Whether a position that was saved belongs to this very file, as it is. */
export function isIdentity(saved: unknown, now: FileIdentity): boolean {
  const before = (typeof saved === 'object' && saved !== null ? saved : {}) as JsonObject;
  return before['size'] === now.size && before['modified'] === now.modified && before['inode'] === now.inode && before['head'] === now.head;
}

export function unreadableFile(file: string, error: unknown): ProtocolError {
  const { code } = error as NodeJS.ErrnoException;
  return new ProtocolError('SOURCE_UNREADABLE', { file: path.basename(file), reason: error instanceof TypeError ? 'not-of-its-encoding' : (code ?? 'unreadable') });
}
