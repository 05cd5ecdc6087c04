import { checkJwsHeader, digestShape, integer, memberIdShape, object, parseJws, ProtocolError, timeShape, utf8, verifyEs256, type ErrorCode, type Es256Key, type JsonObject, type Read, type RecordProblem } from '@huilian/protocol';
import { errorOf } from './http-door.js';

/** A line of the stream: a record's data under its kind, or a row of an export file with national field names. */
export interface SubmittedRecord {
  readonly kind: string;
  readonly schema?: number;
  readonly rights?: 'owner' | 'public' | 'publisher';
  readonly data?: JsonObject;
  readonly row?: Readonly<Record<string, string>>;
  /** Name of a mapping that the node holds, by which the row is read. */
  readonly mapping?: string;
  /** To revoke, in place of the data: the record's id, or the values of its natural key. */
  readonly recordId?: string;
  readonly naturalKey?: readonly (string | number)[];
  /** Where a row comes from; refused rows with a source go to the node's dead-letter list. `line` counts within `run`, where there is one. */
  readonly source?: { readonly file: string; readonly line: number; readonly run?: string };
  /** The record must exist already: this is its next version. */
  readonly supersede?: boolean;
  /** The next version says that the record is revoked. */
  readonly revoke?: boolean;
}

/** What the node answers, in the order of the lines; each group is followed by its acknowledgement. */
export type PublishAnswer =
  | { readonly line: number; readonly recordId: string; readonly version: number; readonly row?: number; readonly unchanged?: true; readonly warnings?: readonly RecordProblem[] }
  | { readonly line: number; readonly refused: readonly RecordProblem[]; readonly code: ErrorCode }
  /** The node's signed receipt for a group of lines, durable at the node (see verifyAcknowledgement). */
  | { readonly acknowledged: string }
  | { readonly summary: { readonly lines: number; readonly accepted: number; readonly unchanged: number; readonly refused: number } };

const acknowledgementShape = object({ from: integer(1), head: digestShape, issuedAt: timeShape, publisher: memberIdShape, to: integer(1) });
/** Rows `from`..`to` of the publisher's outbox are durable; `head` is the hash chain's head at `to`. */
export type Acknowledgement = Read<typeof acknowledgementShape>;

/** Verifies a group's receipt by the publishing node's registered key. @throws RECEIPT_MISMATCH, RECEIPT_BAD_SIGNATURE */
export function verifyAcknowledgement(jws: string, publisher: string, key: Es256Key): Acknowledgement {
  const parsed = parseJws(jws, 'RECEIPT_MISMATCH');
  const kid = checkJwsHeader(parsed, 'huilian-acknowledgement+jwt', 'RECEIPT_MISMATCH');
  const acknowledgement = acknowledgementShape.read(parsed.payload);
  if (kid !== publisher || acknowledgement.publisher !== publisher) throw new ProtocolError('RECEIPT_MISMATCH', { reason: 'publisher' });
  if (!verifyEs256(key, parsed.signingInput, parsed.signature)) throw new ProtocolError('RECEIPT_BAD_SIGNATURE');
  return acknowledgement;
}

const chunkCharacters = 64 * 1024;

/** Lines as NDJSON bytes, taken from their source only as fast as they leave. */
export function linesUp(lines: Iterable<SubmittedRecord> | AsyncIterable<SubmittedRecord>): ReadableStream<Uint8Array> {
  const source = Symbol.asyncIterator in lines ? lines[Symbol.asyncIterator]() : lines[Symbol.iterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      let text = '';
      while (text.length < chunkCharacters) {
        const next = await source.next();
        if (next.done === true) {
          if (text !== '') controller.enqueue(utf8(text));
          controller.close();
          return;
        }
        text += `${JSON.stringify(next.value)}\n`;
        // A slow source is not made to wait for a full chunk.
        if (Symbol.asyncIterator in lines) break;
      }
      controller.enqueue(utf8(text));
    },
    async cancel(): Promise<void> {
      await source.return?.();
    },
  });
}

/** The same all at once, for browsers that cannot stream a body up over HTTP/1.1. */
export async function linesTogether(lines: Iterable<SubmittedRecord> | AsyncIterable<SubmittedRecord>): Promise<string> {
  const parts: string[] = [];
  for await (const line of lines) parts.push(`${JSON.stringify(line)}\n`);
  return parts.join('');
}

/**
 * The node's answers as they come. What was acknowledged before an error is safe.
 * @throws the node's error from the stream, EXCHANGE_FAILED where the answers end before their summary
 */
export async function* answersDown(response: Response, node: string): AsyncGenerator<PublishAnswer> {
  let complete = false;
  for await (const line of textLines(response, node)) {
    const answer = JSON.parse(line) as PublishAnswer | { readonly error: unknown };
    if ('error' in answer) throw errorOf(answer.error) ?? new ProtocolError('EXCHANGE_FAILED', { node, reason: 'answer' });
    complete = 'summary' in answer;
    yield answer;
  }
  if (!complete) throw new ProtocolError('EXCHANGE_FAILED', { node, reason: 'answers-cut-off' });
}

/** Lines of an answer as they come, without empty ones where those mean nothing. @throws EXCHANGE_FAILED where it breaks off */
export async function* textLines(response: Response, node: string, empty = false): AsyncGenerator<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  if (reader === undefined) return;
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw new ProtocolError('EXCHANGE_FAILED', { node, reason: 'answers-cut-off' });
      });
      if (done) break;
      const parts = (rest + value).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) if (empty || line !== '') yield line;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
