import { limits, parseRecordId, ProtocolError } from '@huilian/protocol';
import { reachStep } from '../failpoints.js';
import type { ReadModel } from '../indexing/read-model.js';
import { DeadLetters } from '../outbox/dead-letters.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Clock, Keys, Random, Store } from '../ports.js';
import { OwnRecords } from '../vault/own-records.js';
import type { Vault } from '../vault/vault.js';
import { GroupCommit, type CommitLine } from './commit-groups.js';
import type { IntakeAnswer } from './intake-answer.js';
import { examineAhead, type LineChunk } from './examine-ahead.js';
import { RefusedLine, type ExaminedLine, type LineExaminer } from './examine-line.js';
import { RecordPreparation } from './prepare-record.js';
import { RecordSet } from './record-set.js';
import { readLines, type InputLine } from './read-lines.js';
import { readSubmission, type Submission } from './read-submission.js';

export interface IntakeSummary {
  readonly lines: number;
  readonly accepted: number;
  readonly unchanged: number;
  readonly refused: number;
}

export interface IntakeParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly outbox: Outbox;
  readonly readModel: ReadModel;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly random: Random;
  /** Other threads that work lines through; without them all is done in this one. */
  readonly examiner?: LineExaminer;
}

interface Counts {
  lines: number;
  accepted: number;
  unchanged: number;
  refused: number;
}

/** One stream of lines: what it counts, and which records and files it has seen. */
interface StreamState {
  readonly counts: Counts;
  readonly records: RecordSet;
  readonly files: Set<string>;
}

/** Takes records in: each line is judged by itself, what is accepted is on disk before it is acknowledged. */
export class Intake {
  private readonly preparation: RecordPreparation;
  private readonly commits: GroupCommit;
  private readonly deadLetters: DeadLetters;

  public constructor(private readonly parts: IntakeParts) {
    const { keys, outbox, random, readModel, store, vault } = parts;
    this.preparation = new RecordPreparation({ keys, outbox, random, readModel, records: new OwnRecords(store), vault });
    this.commits = new GroupCommit({ ...parts, onFinished: (version) => { this.preparation.finished(version); } });
    this.deadLetters = new DeadLetters(store);
  }

  /**
   * Reads NDJSON. Answers come in the order of the lines, those of a group together and followed by its receipt.
   * @throws STREAM_TRUNCATED {line} after all complete lines were acknowledged; STORAGE_FAILED (outcome of what was not
   * acknowledged unknown), DISK_NEARLY_FULL, OUTBOX_TAIL_LOST; RESTORE_UNFINISHED before anything is read
   */
  public async accept(chunks: AsyncIterable<string | Uint8Array>, onAnswers: (answers: readonly IntakeAnswer[]) => void | Promise<void>): Promise<IntakeSummary> {
    // What is published, and even which kinds there are, is not known yet.
    if (this.parts.outbox.isRestoring) throw new ProtocolError('RESTORE_UNFINISHED');
    const state: StreamState = { counts: { lines: 0, accepted: 0, unchanged: 0, refused: 0 }, records: new RecordSet(), files: new Set() };
    const stream = this.commits.open(onAnswers);
    let truncated: number | undefined;
    try {
      for await (const { examined, lines } of this.examined(readLines(chunks, limits.recordBytes))) {
        for (const [index, line] of lines.entries()) {
          const judging = this.judge(line, state, examined[index]);
          // Most lines wait for nothing.
          const judged = judging instanceof Promise ? await judging : judging;
          if (judged === 'truncated') truncated = line.number;
          else stream.add(judged);
        }
        await stream.ready();
      }
    } catch (error) {
      await stream.finish();
      if (error instanceof ProtocolError) throw error;
      // The connection broke: what came in whole is kept.
      throw new ProtocolError('STREAM_TRUNCATED', { line: state.counts.lines + 1 });
    }
    await stream.finish();
    if (truncated !== undefined) throw new ProtocolError('STREAM_TRUNCATED', { line: truncated });
    return state.counts;
  }

  private examined(chunks: AsyncIterable<readonly InputLine[]>): AsyncIterable<LineChunk> {
    return examineAhead(chunks, this.parts.examiner, () => this.preparation.newest());
  }

  private judge(line: InputLine, state: StreamState, examined: ExaminedLine | undefined): CommitLine | Promise<CommitLine | 'truncated'> {
    reachStep('P0');
    const judged = examined && this.judgeExamined(line, state, examined);
    if (judged === undefined) return this.judgeUnexamined(line, state);
    reachStep('P1');
    return judged;
  }

  private async judgeUnexamined(line: InputLine, state: StreamState): Promise<CommitLine | 'truncated'> {
    const judged = await this.judgeRead(line, state);
    reachStep('P1');
    return judged;
  }

  /** Undefined where the line must be read after all; nothing was counted or noted then. */
  private judgeExamined(line: InputLine, state: StreamState, examined: ExaminedLine): CommitLine | Promise<CommitLine> | undefined {
    const { counts, records } = state;
    const prepared = this.preparation.prepareExamined(examined, (recordId) => {
      if (!records.add(examined.header.localId)) throw new ProtocolError('DUPLICATE_IN_FILE', { record: recordId });
    });
    if (prepared === undefined) return undefined;
    counts.lines += 1;
    counts[prepared.what === 'unchanged' ? 'unchanged' : 'accepted'] += 1;
    const judged = { line: line.number, ...prepared };
    const { source } = examined;
    return source === undefined || state.files.has(source.file) ? judged : this.noteFile(examined, state).then(() => judged);
  }

  private async judgeRead(line: InputLine, state: StreamState): Promise<CommitLine | 'truncated'> {
    const { counts } = state;
    let submission: Submission | undefined;
    try {
      if (line.bytes === undefined) throw new ProtocolError('BODY_TOO_LARGE', { most: limits.recordBytes });
      submission = readSubmission(line.bytes);
      await this.noteFile(submission, state);
      const judged = this.prepare(line.number, submission, state);
      counts.lines += 1;
      counts[judged.what === 'unchanged' ? 'unchanged' : 'accepted'] += 1;
      return judged;
    } catch (error) {
      // What cannot be read at the very end of a stream was cut off.
      if (line.unterminated === true && submission === undefined) return 'truncated';
      const refused = this.refusal(line.number, submission, error);
      counts.lines += 1;
      counts.refused += 1;
      return refused;
    }
  }

  private prepare(line: number, submission: Submission, { records }: StreamState): CommitLine {
    // Lines that say what they change may follow each other; two plain rows of one record contradict each other.
    const plain = !submission.supersede && !submission.revoke;
    const prepared = this.preparation.prepare(submission, (recordId) => {
      if (plain && !records.add(parseRecordId(recordId).localId)) throw new ProtocolError('DUPLICATE_IN_FILE', { record: recordId });
    });
    return { line, ...prepared };
  }

  private refusal(line: number, submission: Submission | undefined, error: unknown): CommitLine {
    const known = error instanceof ProtocolError ? RefusedLine.of(error) : error;
    if (!(known instanceof RefusedLine)) throw error;
    const { code } = known.error;
    const source = submission?.source;
    const letter = source && { at: Math.floor(this.parts.clock.now() / 1000), code, file: source.file, line: source.line, kind: submission?.kind ?? '', problems: known.problems };
    const write = source && letter && this.deadLetters.refusedRow(source.file, source.line, letter);
    return { what: 'refused', line, code, problems: known.problems, ...(write === undefined ? {} : { write }) };
  }

  private async noteFile({ source }: Pick<Submission, 'source'>, { files }: StreamState): Promise<void> {
    if (source === undefined || files.has(source.file)) return;
    files.add(source.file);
    await this.deadLetters.clearFile(source.file);
  }
}
