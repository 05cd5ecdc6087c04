import { parentPort, workerData } from 'node:worker_threads';
import type { MappingDocument } from '@huilian/protocol';
import { systemRandom } from '../adapters/system/system-random.js';
import type { ExamineAnswer, ExamineOrder, ThreadSettings } from '../adapters/threads/examining-threads.js';
import { packLines } from '../adapters/threads/packed-lines.js';
import { ToldKinds } from '../core/catalog/told-kinds.js';
import { examineLine } from '../core/intake/examine-line.js';

/** A thread of ExaminingThreads: lines in, what they say and their sealed contents out. */
const { localIdKey, memberId } = workerData as ThreadSettings;
const told = new ToldKinds();
// The key must stay one object: its HMAC key is remembered by it.
const held = { mappings: new Map<string, MappingDocument>() };
const examination = { localIdKey, mappings: (name: string): MappingDocument | undefined => held.mappings.get(name), memberId, randomBytes: (length: number): Uint8Array => systemRandom.bytes(length) };

parentPort?.on('message', ({ bytes, codeSets, documents, ends, id, mappings, newest, today }: ExamineOrder) => {
  if (mappings !== undefined) held.mappings = new Map(mappings);
  told.hear(documents, codeSets);
  const terms = { codes: told.codesOn(today), kind: (kind: string, version: number | undefined) => told.find(kind, version ?? newest[kind]) };
  const examined = ends.map((end, index) => examineLine(bytes.subarray(ends[index - 1] ?? 0, end), { ...examination, ...terms }));
  const packed = packLines(examined);
  parentPort?.postMessage({ ...packed, id } satisfies ExamineAnswer, [packed.bytes.buffer]);
});
