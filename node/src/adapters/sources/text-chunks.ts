import { createReadStream } from 'node:fs';
import { ProtocolError } from '@huilian/protocol';
import { unreadableFile } from './file-identity.js';
import type { TextEncoding } from './text-encoding.js';

/** The bytes of a text file from an offset on; of UTF-16 its text in UTF-8, where an offset is counted in that. */
export async function* textChunks(file: string, encoding: TextEncoding, offset: number): AsyncGenerator<Buffer> {
  try {
    if (encoding === 'utf-16le' || encoding === 'utf-16be') yield* behind(inUtf8(file, encoding), offset);
    else for await (const chunk of createReadStream(file, { start: offset })) yield chunk as Buffer;
  } catch (error) {
    throw error instanceof ProtocolError ? error : unreadableFile(file, error);
  }
}

async function* inUtf8(file: string, encoding: TextEncoding): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  for await (const chunk of createReadStream(file)) yield Buffer.from(decoder.decode(chunk as Buffer, { stream: true }), 'utf8');
  yield Buffer.from(decoder.decode(), 'utf8');
}

async function* behind(chunks: AsyncIterable<Buffer>, offset: number): AsyncGenerator<Buffer> {
  let left = offset;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
