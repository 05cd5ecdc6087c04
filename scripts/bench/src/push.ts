import { canonicalize, type Header } from '@huilian/protocol';
import { processorTime, timeSince, type ProcessorTime } from './processor-time.js';
import { until, type BenchConsortium, type CentreId } from './consortium.js';

export interface PushResult {
  readonly records: number;
  readonly recordIds: readonly string[];
  /** Seconds from the first byte up: until all was acknowledged (durable), and until all was settled in the read model. */
  readonly acknowledgedAfter: number;
  readonly settledAfter: number;
  readonly perSecond: number;
  readonly processor: ProcessorTime;
  readonly blockBytes: number;
}

interface AnswerLine {
  readonly recordId?: string;
  readonly row?: number;
  readonly unchanged?: boolean;
  readonly refused?: unknown;
  readonly error?: unknown;
}

/** Pushes lines through a node's HTTP door as an operator would, and waits until its outbox is settled. */
export async function push(consortium: BenchConsortium, centre: CentreId, lines: readonly string[]): Promise<PushResult> {
  await until(async () => (await consortium.status(centre)).outbox.pending === 0);
  // Rows refused on purpose by the walk-through lie there already.
  const dead = (await consortium.status(centre)).outbox.deadLettered;
  const ids = { ...consortium.ledgerProcesses(), ...consortium.nodeProcesses(), client: process.pid };
  const [before, blockBytes] = [processorTime(ids), consortium.blockBytes()];
  const started = performance.now();
  const response = await fetch(`${consortium.url(centre)}/v1/records`, {
    method: 'POST',
    headers: { authorization: `Bearer ${consortium.token(centre)}`, 'content-type': 'application/x-ndjson' },
    body: ReadableStream.from(chunks(lines)),
    duplex: 'half',
  } as RequestInit);
  const recordIds = await readAnswers(response, lines.length);
  const acknowledgedAfter = (performance.now() - started) / 1000;
  await until(async () => (await consortium.status(centre)).outbox.pending === 0, 10);
  if (centre === 'guangzhou') for (const id of recordIds) consortium.acknowledged.add(id);
  const settledAfter = (performance.now() - started) / 1000;
  if ((await consortium.status(centre)).outbox.deadLettered !== dead) throw new Error('the ledger refused a record: the run does not count');
  return {
    records: recordIds.length, recordIds, acknowledgedAfter, settledAfter, perSecond: recordIds.length / settledAfter,
    processor: timeSince(before, ids), blockBytes: consortium.blockBytes() - blockBytes,
  };
}

const chunkLines = 200;

async function* chunks(lines: readonly string[]): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for (let from = 0; from < lines.length; from += chunkLines) yield encoder.encode(`${lines.slice(from, from + chunkLines).join('\n')}\n`);
}

/** @throws where a line was refused or unchanged, or one has no answer: then the run does not count */
async function readAnswers(response: Response, expected: number): Promise<string[]> {
  if (!response.ok) throw new Error(`POST /v1/records: ${String(response.status)} ${await response.text()}`);
  const recordIds: string[] = [];
  for (const line of (await response.text()).split('\n')) {
    if (line === '') continue;
    const answer = JSON.parse(line) as AnswerLine;
    if (answer.error !== undefined || answer.refused !== undefined || answer.unchanged === true) throw new Error(`not a new record: ${line.slice(0, 300)}`);
    if (answer.recordId !== undefined) recordIds.push(answer.recordId);
  }
  if (recordIds.length !== expected) throw new Error(`${String(expected)} lines, ${String(recordIds.length)} answers`);
  return recordIds;
}

interface Page {
  readonly items: readonly { readonly recordId: string; readonly header: Header }[];
  readonly cursor?: string;
}

/**
 * Each acknowledged record: its header is on the ledger under the batch root that the event names, and the read model
 * of a node that did not publish it shows the same header. @throws naming the first that is not so
 */
export async function verifyPushed(consortium: BenchConsortium, at: CentreId, publisher: CentreId, recordIds: readonly string[], onLedger: ReadonlyMap<string, string>): Promise<number> {
  const wanted = new Set(recordIds);
  if (wanted.size !== recordIds.length) throw new Error('one record id was given twice');
  for (const id of wanted) if (!onLedger.has(id)) throw new Error(`${id} was acknowledged and is not on the ledger`);
  let cursor: string | undefined;
  do {
    const page: Page = await consortium.get(at, `/v1/records?publisher=${publisher}&limit=500${cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    for (const { header, recordId } of page.items) {
      if (!wanted.has(recordId)) continue;
      if (onLedger.get(recordId) !== canonicalize(header)) throw new Error(`${recordId}: the read model of ${at} shows another header than the ledger`);
      wanted.delete(recordId);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  if (wanted.size > 0) throw new Error(`${String(wanted.size)} records are not in the read model of ${at}`);
  return recordIds.length;
}
