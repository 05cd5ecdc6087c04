import type { ExaminedLine, ExaminerKnowledge, LineExaminer } from './examine-line.js';
import type { InputLine } from './read-lines.js';

/** Lines that came together, each with what was found out about it elsewhere. */
export interface LineChunk {
  readonly lines: readonly InputLine[];
  readonly examined: readonly (ExaminedLine | undefined)[];
}

/** Chunks under way: enough to keep every thread busy, few enough to hold in memory. */
const chunksAhead = 4;
/** What a thread would cost more than it saves. */
const fewestLines = 8;

/**
 * Has the lines of a stream examined while earlier ones are judged and written. Chunks come out in the order they came in,
 * each as soon as it is ready, so that a slow stream waits for nobody; a stream that breaks gives what came before first.
 */
export async function* examineAhead(chunks: AsyncIterable<readonly InputLine[]>, examiner: LineExaminer | undefined, known: () => ExaminerKnowledge): AsyncGenerator<LineChunk> {
  if (examiner === undefined) {
    for await (const lines of chunks) yield { examined: [], lines };
    return;
  }
  const source = chunks[Symbol.asyncIterator]();
  const underWay: Promise<LineChunk>[] = [];
  let coming: Promise<IteratorResult<readonly InputLine[]> | { readonly failure: unknown }> | undefined;
  let failure: { readonly error: unknown } | undefined;
  const next = (): NonNullable<typeof coming> => source.next().catch((error: unknown) => ({ failure: error }));
  coming = next();
  while (coming !== undefined || underWay.length > 0) {
    const [head] = underWay;
    const waiting = underWay.length < chunksAhead ? coming : undefined;
    const first: Awaited<NonNullable<typeof coming>> | LineChunk | undefined = await Promise.race([waiting, head].filter((promise) => promise !== undefined));
    if (first !== undefined && 'examined' in first) {
      void underWay.shift();
      yield first;
    } else if (first !== undefined && 'failure' in first) {
      failure = { error: first.failure };
      coming = undefined;
    } else if (first?.done === true) coming = undefined;
    else if (first !== undefined) {
      underWay.push(examineChunk(first.value, examiner, known));
      coming = next();
    }
  }
  if (failure !== undefined) throw failure.error;
}

async function examineChunk(lines: readonly InputLine[], examiner: LineExaminer, known: () => ExaminerKnowledge): Promise<LineChunk> {
  // A line without an end may have been cut off: it is read where that is noticed.
  const whole = lines.flatMap(({ bytes, unterminated }, index) => (bytes === undefined || unterminated === true ? [] : [{ bytes, index }]));
  if (whole.length < fewestLines) return { examined: [], lines };
  const found = await examiner.examine(whole.map(({ bytes }) => bytes), known());
  const examined: (ExaminedLine | undefined)[] = [];
  for (const [at, { index }] of whole.entries()) examined[index] = found[at];
  return { examined, lines };
}
