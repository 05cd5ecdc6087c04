import { createHash, type Hash } from 'node:crypto';
import { concatBytes, isJsonObject, ProtocolError, utf8, fromUtf8, type JsonObject } from '@huilian/protocol';
import type { Mark } from '../outbox/high-water-mark.js';
import type { StoreWrite } from '../ports.js';

/**
 * A backup of one node's data as a stream of bytes:
 *
 *   header, one line of JSON | rows: 4 length of key, 4 length of value, key, value | ff ff ff ff | SHA-256 of all before
 *
 * Numbers are big-endian. Payloads stand in it as they stand in the store: sealed, under keys that are not in it.
 */
export interface BackupHeader {
  readonly kind: 'huilian-backup';
  readonly format: number;
  /** Format of the rows. */
  readonly storeFormat: number;
  readonly memberId: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Last block of the node's read model, which itself is not in the backup: it is made again from the ledger. */
  readonly height: number;
  /** End of the outbox: nothing acknowledged up to here is missing. */
  readonly mark: Mark | null;
  /** Configuration files of the state folder, by name. */
  readonly files: Readonly<Record<string, string>>;
}

export const backupFormat = 1;
const longestHeader = 1024 * 1024;
const end = 0xff_ff_ff_ff;
const lengthBytes = 8;
const digestBytes = 32;
const bytesPerChunk = 256 * 1024;
const rowsPerWrite = 1000;

/** The stream of a backup; a few hundred KiB of it are in memory at a time. */
export async function* encodeBackup(header: BackupHeader, rows: AsyncIterable<readonly [key: string, value: Uint8Array]>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let waiting: Uint8Array[] = [utf8(`${JSON.stringify(header)}\n`)];
  let bytes = 0;
  const take = (): Uint8Array => {
    const chunk = concatBytes(...waiting);
    hash.update(chunk);
    [waiting, bytes] = [[], 0];
    return chunk;
  };
  for await (const [name, value] of rows) {
    const key = utf8(name);
    waiting.push(lengths(key.length, value.length), key, value);
    bytes += key.length + value.length;
    if (bytes >= bytesPerChunk) yield take();
  }
  waiting.push(lengths(end, 0).subarray(0, 4));
  yield take();
  yield new Uint8Array(hash.digest());
}

function lengths(key: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(lengthBytes);
  bytes.writeUInt32BE(key, 0);
  bytes.writeUInt32BE(value, 4);
  return bytes;
}

export interface BackupReader {
  /** Called once, before any row. */
  header(header: BackupHeader): void | Promise<void>;
  rows?(writes: readonly StoreWrite[]): Promise<void>;
}

/**
 * Reads a backup to its end and answers the number of its rows. Whether it is whole is known only then: read it once
 * without `rows` before anything of it is believed.
 * @throws BACKUP_DAMAGED {reason}, BACKUP_NEWER {found, known}
 */
export async function decodeBackup(chunks: AsyncIterable<Uint8Array>, reader: BackupReader): Promise<number> {
  const source = new Source(chunks);
  await reader.header(readHeader(await source.line()));
  let rows = 0;
  let writes: StoreWrite[] = [];
  for (;;) {
    const key = Buffer.from(await source.bytes(4)).readUInt32BE(0);
    if (key === end) break;
    const value = Buffer.from(await source.bytes(4)).readUInt32BE(0);
    const name = keyOf(await source.bytes(key));
    writes.push({ key: name, value: Uint8Array.from(await source.bytes(value)) });
    rows += 1;
    if (writes.length < rowsPerWrite) continue;
    await reader.rows?.(writes);
    writes = [];
  }
  await reader.rows?.(writes);
  const digest = source.digest();
  if (Buffer.compare(digest, await source.bytes(digestBytes)) !== 0) throw damaged('digest');
  if (!(await source.isAtEnd())) throw damaged('more-follows');
  return rows;
}

function keyOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes);
  } catch {
    throw damaged('key');
  }
}

function readHeader(line: Uint8Array): BackupHeader {
  const header = parseHeader(line);
  if (header['kind'] !== 'huilian-backup') throw damaged('no-backup');
  if (typeof header['format'] !== 'number' || header['format'] > backupFormat) throw new ProtocolError('BACKUP_NEWER', { found: String(header['format']), known: backupFormat });
  return header as unknown as BackupHeader;
}

function parseHeader(line: Uint8Array): JsonObject {
  try {
    const header: unknown = JSON.parse(fromUtf8(line));
    if (isJsonObject(header)) return header;
  } catch {
    // Said below.
  }
  throw damaged('no-backup');
}

function damaged(reason: string): ProtocolError {
  return new ProtocolError('BACKUP_DAMAGED', { reason });
}

/** Bytes of a stream by count, hashed as they are taken. */
class Source {
  private readonly iterator: AsyncIterator<Uint8Array>;
  private readonly hash: Hash = createHash('sha256');
  private rest: Uint8Array = new Uint8Array();

  public constructor(chunks: AsyncIterable<Uint8Array>) {
    this.iterator = chunks[Symbol.asyncIterator]();
  }

  public async bytes(count: number): Promise<Uint8Array> {
    await this.fill(count);
    return this.take(count);
  }

  /** Up to the first line break, without it. */
  public async line(): Promise<Uint8Array> {
    for (let searched = 0; ; ) {
      const at = this.rest.indexOf(10, searched);
      if (at !== -1) return this.take(at + 1).subarray(0, at);
      searched = this.rest.length;
      if (searched > longestHeader) throw damaged('no-backup');
      await this.fill(searched + 1);
    }
  }

  /** SHA-256 of all that was taken. */
  public digest(): Uint8Array {
    return this.hash.copy().digest();
  }

  public async isAtEnd(): Promise<boolean> {
    return this.rest.length === 0 && (await this.iterator.next()).done === true;
  }

  private take(count: number): Uint8Array {
    const taken = this.rest.subarray(0, count);
    this.rest = this.rest.subarray(count);
    this.hash.update(taken);
    return taken;
  }

  private async fill(count: number): Promise<void> {
    const parts = [this.rest];
    let have = this.rest.length;
    while (have < count) {
      const { done, value } = await this.iterator.next();
      if (done === true) throw damaged('cut-off');
      parts.push(value);
      have += value.length;
    }
    if (parts.length > 1) this.rest = concatBytes(...parts);
  }
}
