import { limits, ProtocolError, type JsonObject } from '@huilian/protocol';
import { reachStep } from '../failpoints.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { HeldMappings } from '../mapping/held-mappings.js';
import type { LetterDraft } from '../outbox/letter-book.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Clock, Keys, Random, Store } from '../ports.js';
import { OwnRecords } from '../vault/own-records.js';
import type { Vault } from '../vault/vault.js';
import { answerOf, GroupCommit, type CommitLine } from './commit-groups.js';
import type { IntakeAnswer } from './intake-answer.js';
import { examineAhead, type LineChunk } from './examine-ahead.js';
import { RefusedLine, type ExaminedLine, type LineExaminer } from './examine-line.js';
import { RecordPreparation, type Admit, type Prepared } from './prepare-record.js';
import { RecordSet } from './record-set.js';
import { SeenRecords } from './seen-records.js';
import { readLines, type InputLine } from './read-lines.js';
import { readSubmission, type Source, type Submission } from './read-submission.js';

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
  readonly mappings: HeldMappings;
  /** Other threads that work lines through; without them all is done in this one. */
  readonly examiner?: LineExaminer;
}

interface Counts {
  lines: number;
  accepted: number;
  unchanged: number;
  refused: number;
}

/** What is different about a stream. */
export interface AdmissionOptions {
  /** Its lines are dead letters that are tried again. */
  readonly retry?: boolean;
  /** Lines are judged, and nothing is kept: no record, no dead letter. */
  readonly dryRun?: boolean;
  /** Local ids that count as named by this stream already, 26 characters each, many in a text. */
  readonly seen?: AsyncIterable<string>;
}

/** One stream of lines: what it counts, and which records and files it has seen. */
interface StreamState {
  readonly counts: Counts;
  readonly records: SeenRecords;
  readonly files: Set<string>;
  /** Whether its lines are dead letters that are tried again: they clear no file, and leave the list once they come in. */
  readonly retry: boolean;
  /** Of a dry run: the records it judged, each with the first bits of the digest of its data. */
  readonly judged?: RecordSet;
  /** The row before said of its record what a row before that one had said. */
  isAgain: boolean;
}

const localIdCharacters = 26;
/** Of a digest in hex: as many as a number holds exactly. */
const markDigits = 12;

/** Takes records in: each line is judged by itself, what is accepted is on disk before it is acknowledged. */
export class Intake {
  private readonly preparation: RecordPreparation;
  private readonly commits: GroupCommit;

  public constructor(private readonly parts: IntakeParts) {
    const { clock, keys, mappings, outbox, random, readModel, store, vault } = parts;
    this.preparation = new RecordPreparation({ clock, keys, mappings: mappings.lookUp, outbox, random, readModel, records: new OwnRecords(store), vault });
    this.commits = new GroupCommit({ ...parts, onFinished: (version) => { this.preparation.finished(version); } });
  }

  /**
   * Reads NDJSON. Answers come in the order of the lines, those of a group together and followed by its receipt.
   * @throws STREAM_TRUNCATED {line} after all complete lines were acknowledged; STORAGE_FAILED (outcome of what was not
   * acknowledged unknown), DISK_NEARLY_FULL, OUTBOX_TAIL_LOST; RESTORE_UNFINISHED before anything is read
   */
  public async accept(chunks: AsyncIterable<string | Uint8Array>, onAnswers: (answers: readonly IntakeAnswer[]) => void | Promise<void>, options: AdmissionOptions = {}): Promise<IntakeSummary> {
    // What is published, and even which kinds there are, is not known yet.
    if (this.parts.outbox.isRestoring) throw new ProtocolError('RESTORE_UNFINISHED');
    const state = await stateOf(options);
    const stream = state.judged === undefined ? this.commits.open(onAnswers) : new JudgedOnly(onAnswers);
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
    return examineAhead(chunks, this.parts.examiner, () => ({ ...this.preparation.terms(), mappings: this.parts.mappings.all }));
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
    const { counts } = state;
    const { source } = examined;
    const prepared = this.preparation.prepareExamined(examined, this.admission(line.number, source, state));
    if (prepared === undefined) return undefined;
    const settled = this.settled(prepared, state);
    counts.lines += 1;
    counts[settled.what === 'unchanged' ? 'unchanged' : 'accepted'] += 1;
    const judged = { line: line.number, ...settled, ...retriedAt(source, state) };
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

  private prepare(line: number, submission: Submission, state: StreamState): CommitLine {
    if (submission.unreadable !== undefined) throw RefusedLine.of(new ProtocolError(submission.unreadable));
    // Lines that say what they change may follow each other; two plain rows of one record that differ contradict each other.
    const plain = !submission.supersede && !submission.revoke;
    state.isAgain = false;
    const admit: Admit = plain ? this.admission(line, submission.source, state) : () => undefined;
    return { line, ...this.settled(this.preparation.prepare(submission, admit), state), ...retriedAt(submission.source, state) };
  }

  private admission(line: number, source: Source | undefined, state: StreamState): Admit {
    return (recordId, isSame, digest) => {
      const localId = recordId.slice(recordId.lastIndexOf('/') + 1);
      const first = state.records.add(localId, line, source);
      const mark = Number.parseInt(digest.slice(0, markDigits), 16);
      state.isAgain = state.judged?.add(localId, mark) === mark;
      if (first !== undefined && !isSame && !state.isAgain) throw contradiction(recordId, first);
    };
  }

  /** In a dry run nobody else may take a version for one that is on its way to disk, and a row said twice changes nothing. */
  private settled(prepared: Prepared, { isAgain, judged }: StreamState): Prepared {
    if (judged === undefined || prepared.what !== 'version') return prepared;
    this.preparation.finished(prepared.version);
    return isAgain ? { recordId: prepared.version.recordId, version: prepared.version.header.version, what: 'unchanged' } : prepared;
  }

  private refusal(line: number, submission: Submission | undefined, error: unknown): CommitLine {
    const known = error instanceof ProtocolError ? RefusedLine.of(error) : error;
    if (!(known instanceof RefusedLine)) throw error;
    const { error: { code }, problems } = known;
    const adopted = submission !== undefined && this.parts.readModel.schema(submission.kind, 1) !== undefined ? { kind: submission.kind } : {};
    return { what: 'refused', line, code, problems, ...adopted, ...(submission?.source === undefined ? {} : { letter: this.letterOf(submission, submission.source, known) }) };
  }

  private letterOf(submission: Submission, source: Source, { error: { code }, problems }: RefusedLine): LetterDraft {
    const { kind, mapping, source: _source, ...line } = submission;
    const named = this.preparation.namedBy(submission);
    const letter = { at: Math.floor(this.parts.clock.now() / 1000), code, ...source, kind, problems, ...(mapping === undefined ? {} : { mapping }), ...(named === undefined ? {} : { recordId: named.recordId }) };
    // What was erased on request is not kept in another place, and what cannot be read not at all.
    const content = code === 'ERASED' || submission.unreadable !== undefined ? {} : { content: { kind, ...(mapping === undefined ? {} : { mapping }), ...line } as unknown as JsonObject };
    return { letter, ...content, ...(named?.owner === undefined ? {} : { owner: named.owner }) };
  }

  private async noteFile({ source }: Pick<Submission, 'source'>, { files, judged, retry }: StreamState): Promise<void> {
    if (judged !== undefined || source === undefined || files.has(source.file)) return;
    files.add(source.file);
    if (!retry) await this.parts.outbox.letters.clearFrom(source);
  }
}

function retriedAt(source: Source | undefined, { retry }: StreamState): { readonly retried?: Source } {
  return retry && source !== undefined ? { retried: source } : {};
}

/** The row names both places: its own, and that of the row it contradicts. */
function contradiction(record: string, first: string): RefusedLine {
  return new RefusedLine(new ProtocolError('DUPLICATE_IN_FILE', { record, first }), [{
    path: '',
    code: 'contradicts-row',
    zh: `与 ${first} 行为同一记录而内容不同`,
    en: `the same record as the row at ${first}, with other content`,
  }]);
}

async function stateOf({ dryRun = false, retry = false, seen }: AdmissionOptions): Promise<StreamState> {
  const records = new SeenRecords();
  for await (const ids of seen ?? []) for (let at = 0; at < ids.length; at += localIdCharacters) records.remember(ids.slice(at, at + localIdCharacters));
  return { counts: { lines: 0, accepted: 0, unchanged: 0, refused: 0 }, files: new Set(), isAgain: false, records, retry, ...(dryRun ? { judged: new RecordSet() } : {}) };
}

/** Takes judged lines where nothing is kept, with the same answers. */
class JudgedOnly {
  private waiting: IntakeAnswer[] = [];

  public constructor(private readonly onAnswers: (answers: readonly IntakeAnswer[]) => void | Promise<void>) {}

  public add(line: CommitLine): void {
    this.waiting.push(answerOf(line, undefined));
  }

  public async ready(): Promise<void> {
    const answers = this.waiting;
    this.waiting = [];
    if (answers.length > 0) await this.onAnswers(answers);
  }

  public async finish(): Promise<void> {
    await this.ready();
  }
}
