import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { AdmissionOptions, Intake } from '../core/intake/intake.js';

/** Groups of answers that wait for a client before its stream is held back. */
const groupsAhead = 2;

/** Has lines taken in; answers come in groups, as they were stored, and last the summary or the error that ended it. */
export function answerStream(intake: Intake, lines: AsyncIterable<Uint8Array>, options: AdmissionOptions, count: (answer: object) => void): AsyncIterable<readonly object[]> {
  const answers = new PassThrough({ objectMode: true, highWaterMark: groupsAhead });
  const say = async (group: readonly object[]): Promise<void> => {
    if (options.dryRun !== true) for (const answer of group) count(answer);
    // A client that does not read its answers holds its own stream back, and nobody else's.
    if (!answers.write(group) && !answers.destroyed) await once(answers, 'drain').catch(() => undefined);
  };
  const summary = intake.accept(lines, say, options);
  summary.then(() => answers.end(), () => answers.end());
  return answersThen(answers, summary);
}

/** All answers that were given, and only then the summary or the error that ended the stream: no acknowledgement is lost to it. */
async function* answersThen(answers: AsyncIterable<readonly object[]>, summary: Promise<object>): AsyncGenerator<readonly object[]> {
  yield* answers;
  yield [{ summary: await summary }];
}
