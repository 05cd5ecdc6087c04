import { ProtocolError, signJws, type ErrorCode, type RecordProblem } from '@huilian/protocol';
import { passStep, reachStep } from '../failpoints.js';
import type { Arrival } from '../outbox/arrivals.js';
import type { GroupDraft } from '../outbox/outbox-chain.js';
import type { LetterPlace } from '../outbox/dead-letters.js';
import type { LetterDraft } from '../outbox/letter-book.js';
import type { Outbox } from '../outbox/outbox.js';
import type { Clock, Keys, Store, StoreWrite } from '../ports.js';
import { OwnRecords, type OwnRecord } from '../vault/own-records.js';
import type { Vault } from '../vault/vault.js';
import type { IntakeAnswer } from './intake-answer.js';
import type { PreparedVersion } from './prepare-record.js';

/** A judged line on its way to disk and to its answer. */
export type CommitLine =
  | { readonly what: 'version'; readonly line: number; readonly version: PreparedVersion; readonly warnings: readonly RecordProblem[]; readonly retried?: LetterPlace }
  | { readonly what: 'unchanged'; readonly line: number; readonly recordId: string; readonly version: number; readonly retried?: LetterPlace }
  | { readonly what: 'refused'; readonly line: number; readonly problems: readonly RecordProblem[]; readonly code: ErrorCode; readonly letter?: LetterDraft; /** One that was adopted. */ readonly kind?: string };

export interface CommitParts {
  readonly store: Store;
  readonly vault: Vault;
  readonly outbox: Outbox;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly onFinished: (version: PreparedVersion) => void;
}

/** Takes the answers of a group together. */
type Answer = (answers: readonly IntakeAnswer[]) => void | Promise<void>;

interface QueuedLine {
  readonly line: CommitLine;
  readonly stream: CommitStream;
}

const linesPerGroup = 500;
/** A stream waits before it reads on while this many lines of it are not answered. */
const linesAhead = 1000;
const acknowledgementType = 'huilian-acknowledgement+jwt';

/**
 * Writes the lines of all streams in groups: one synced write, then the high-water mark, then one signed receipt. While a
 * group is on its way to disk the next one gathers, so a lone line waits for nobody and a flood shares its writes.
 */
export class GroupCommit {
  private readonly records: OwnRecords;
  private queue: QueuedLine[] = [];
  private working = false;
  /** Answers go out in the order of the groups. */
  private answering: Promise<void> = Promise.resolve();

  public constructor(private readonly parts: CommitParts) {
    this.records = new OwnRecords(parts.store);
  }

  public open(answer: Answer): CommitStream {
    return new CommitStream(this, answer);
  }

  public add(stream: CommitStream, line: CommitLine): void {
    this.queue.push({ line, stream });
    if (!this.working) {
      this.working = true;
      // The lines that come in the same turn share the group.
      queueMicrotask(() => void this.work());
    }
  }

  private async work(): Promise<void> {
    while (this.queue.length > 0) {
      const group = this.queue.splice(0, linesPerGroup);
      try {
        await this.commit(group);
      } catch (error) {
        const known = this.endStreams(group, error);
        // What earlier groups stored is acknowledged first.
        this.answering = this.answering.then(() => { tell(group, known); });
      }
    }
    this.working = false;
  }

  private async commit(group: readonly QueuedLine[]): Promise<void> {
    const versions = group.flatMap(({ line }) => (line.what === 'version' ? [line.version] : []));
    const lines = group.map(({ line }) => line);
    // Most groups have nothing to do with dead letters.
    const ofLetters = this.touchesLetters(lines) ? lines : [];
    const arrivals = lines.flatMap(arrivalOf);
    const draft = arrivals.length > 0 || ofLetters.length > 0 ? await this.store(versions, ofLetters, arrivals) : undefined;
    for (const version of versions) this.parts.onFinished(version);
    const durable = draft === undefined ? undefined : this.parts.outbox.covered(draft);
    this.answering = this.answering.then(async () => {
      await durable;
      await passStep('P6');
      await this.answer(group, draft);
    }).catch((error: unknown) => {
      tell(group, this.endStreams(group, error));
    });
  }

  /** Seals and stores a group in one write. @param lines those of a group that changes the list of dead letters; none where it does not */
  private async store(versions: readonly PreparedVersion[], lines: readonly CommitLine[], arrivals: readonly Arrival[]): Promise<GroupDraft | undefined> {
    const { outbox, store, vault } = this.parts;
    const { letters } = outbox;
    const draft = await vault.sealing(async () => {
      this.checkErased(versions);
      const refused = lines.some((line) => line.what === 'refused' && line.letter !== undefined);
      await vault.prepare([...versions.map(({ header }) => header.owner), ...(refused ? [undefined] : [])]);
      const arrived = outbox.arrivals.draft(arrivals);
      const notes = [...(await this.letterWrites(lines)), ...arrived.writes];
      if (versions.length === 0) {
        await store.write(notes).finally(() => { letters.left(notes); });
        arrived.commit();
        return undefined;
      }
      await passStep('P3');
      const drafted = outbox.draft(versions.map(({ header }) => header));
      try {
        await store.write([...this.writes(versions, drafted.from), drafted.write, ...notes]);
      } catch (error) {
        outbox.abandon(drafted);
        throw error;
      } finally {
        letters.left(notes);
      }
      arrived.commit();
      outbox.written(drafted);
      await passStep('P4');
      return drafted;
    });
    await letters.trim();
    return draft;
  }

  private touchesLetters(lines: readonly CommitLine[]): boolean {
    return lines.some((line) => {
      if (line.what === 'refused') return line.letter !== undefined;
      return line.retried !== undefined || this.parts.outbox.letters.mayHave(recordOf(line));
    });
  }

  /** Letters of what was refused, without those whose record comes in later in the group; and the end of those that what came in was waited for by. */
  private async letterWrites(lines: readonly CommitLine[]): Promise<StoreWrite[]> {
    const { letters } = this.parts.outbox;
    const writes: StoreWrite[] = [];
    const lastIn = new Map(lines.flatMap((line, index) => (line.what === 'refused' ? [] : [[recordOf(line), index] as const])));
    for (const [index, line] of lines.entries()) {
      if (line.what === 'refused') {
        if (line.letter !== undefined && (lastIn.get(line.letter.letter.recordId ?? '') ?? -1) < index) writes.push(...letters.add(line.letter));
        continue;
      }
      if (line.retried !== undefined) writes.push(...letters.settledAt(line.retried));
      if (letters.mayHave(recordOf(line))) writes.push(...(await letters.settledBy(recordOf(line))));
    }
    return writes;
  }

  /** A record that was erased since its version was prepared does not come back with it. @throws ERASED */
  private checkErased(versions: readonly PreparedVersion[]): void {
    const { vault } = this.parts;
    const back = versions.find(({ afterErasure, header, payload, recordId, sealed }) => {
      const erased = vault.erasedVersion(recordId);
      return erased !== undefined && afterErasure !== true && (payload ?? sealed) !== undefined && header.version <= erased + 1;
    });
    if (back !== undefined) throw new ProtocolError('ERASED', { record: back.recordId });
  }

  private writes(versions: readonly PreparedVersion[], from: number): StoreWrite[] {
    const { vault } = this.parts;
    const inGroup = new Map<string, OwnRecord>();
    const writes: StoreWrite[] = [];
    for (const [index, { header, payload, record, recordId, sealed }] of versions.entries()) {
      const row = from + index;
      // Versions of one record in a row: the later one was prepared before the earlier one had its row.
      const versionsBefore = header.version === 1 ? [] : (inGroup.get(recordId) ?? this.records.read(recordId))?.versions ?? record.versions;
      const whole = { ...record, versions: [...versionsBefore, [header.version, row] as const] };
      inGroup.set(recordId, whole);
      writes.push(this.records.put(recordId, vault.cover(recordId, whole, header.digest)));
      if (sealed !== undefined) writes.push(vault.wrap(row, recordId, header, sealed));
      else if (payload !== undefined) writes.push(vault.seal(row, recordId, { segment: payload.segment, disclosures: payload.disclosures, header }));
    }
    reachStep('P2');
    return writes;
  }

  private async answer(group: readonly QueuedLine[], draft: GroupDraft | undefined): Promise<void> {
    const receipt = draft === undefined ? undefined : await this.receipt(draft);
    let row = draft?.from ?? 0;
    const answers = new Map<CommitStream, { list: IntakeAnswer[]; acknowledged: boolean }>();
    for (const { line, stream } of group) {
      const own = answers.get(stream) ?? { list: [], acknowledged: false };
      own.list.push(answerOf(line, row));
      answers.set(stream, own);
      if (line.what !== 'version') continue;
      own.acknowledged = true;
      row += 1;
    }
    for (const [stream, { acknowledged, list }] of answers) {
      stream.answer(list.length, acknowledged && receipt !== undefined ? [...list, { acknowledged: receipt }] : list);
    }
  }

  private async receipt({ from, head, to }: GroupDraft): Promise<string> {
    const { clock, keys } = this.parts;
    const payload = { from, head, issuedAt: Math.floor(clock.now() / 1000), publisher: keys.memberId, to };
    return await signJws({ alg: 'ES256', kid: keys.memberId, typ: acknowledgementType }, payload, keys.sign);
  }

  /** A line of a stream that has ended: nothing of it is kept. */
  public drop(line: CommitLine): void {
    if (line.what === 'version') this.parts.onFinished(line.version);
  }

  /** The streams of the group end; lines of theirs that wait are dropped with them. */
  private endStreams(group: readonly QueuedLine[], error: unknown): ProtocolError {
    const known = error instanceof ProtocolError ? error : new ProtocolError('INTERNAL', { reason: 'intake' });
    if (known.code === 'STORAGE_FAILED') this.parts.outbox.storageFailed(known);
    const failed = streamsOf(group);
    const dropped = this.queue.filter(({ stream }) => failed.has(stream));
    this.queue = this.queue.filter(({ stream }) => !failed.has(stream));
    for (const { line } of [...group, ...dropped]) this.drop(line);
    for (const stream of failed) stream.end();
    return known;
  }
}

function arrivalOf(line: CommitLine): readonly Arrival[] {
  if (line.what === 'version') return [{ as: 'accepted', kind: line.version.header.kind }];
  return line.what === 'refused' && line.letter === undefined && line.kind !== undefined ? [{ as: 'unlisted', kind: line.kind }] : [];
}

function recordOf(line: Exclude<CommitLine, { what: 'refused' }>): string {
  return line.what === 'version' ? line.version.recordId : line.recordId;
}

function streamsOf(group: readonly QueuedLine[]): ReadonlySet<CommitStream> {
  return new Set(group.map(({ stream }) => stream));
}

function tell(group: readonly QueuedLine[], error: ProtocolError): void {
  for (const stream of streamsOf(group)) stream.fail(error);
}

/** The lines of one caller. */
export class CommitStream {
  private outstanding = 0;
  private gone = false;
  private ended = false;
  private sending: Promise<void> = Promise.resolve();
  private failure: ProtocolError | undefined;
  private readonly waiting: { readonly below: number; readonly resolve: () => void; readonly reject: (error: ProtocolError) => void }[] = [];

  public constructor(
    private readonly commits: GroupCommit,
    private readonly onAnswer: Answer,
  ) {}

  public add(line: CommitLine): void {
    if (this.ended) {
      this.commits.drop(line);
      return;
    }
    this.outstanding += 1;
    this.commits.add(this, line);
  }

  /** A group of its lines failed: it takes no more. */
  public end(): void {
    this.ended = true;
  }

  /** Resolves while not too much is under way. @throws what the group's write met */
  public async ready(): Promise<void> {
    await this.below(linesAhead);
  }

  /** Resolves when every line is answered. @throws what the group's write met */
  public async finish(): Promise<void> {
    await this.below(1);
  }

  /** Answers in order, at the pace this caller reads: others do not wait for it. */
  public answer(lines: number, answers: readonly IntakeAnswer[]): void {
    this.sending = this.sending.then(async () => {
      await this.send(answers);
      this.answered(lines);
    });
  }

  /** Behind the answers that are still on their way to the caller. */
  public fail(error: ProtocolError): void {
    this.sending = this.sending.then(() => {
      this.failure ??= error;
      for (const { reject } of this.waiting.splice(0)) reject(this.failure);
    });
  }

  /** A caller that went away hears no more; what it sent is kept. */
  private async send(answers: readonly IntakeAnswer[]): Promise<void> {
    if (this.gone) return;
    try {
      await this.onAnswer(answers);
    } catch {
      this.gone = true;
    }
  }

  private answered(lines: number): void {
    this.outstanding -= lines;
    for (const waiter of this.waiting.splice(0)) {
      if (!this.ended && this.outstanding < waiter.below) waiter.resolve();
      else this.waiting.push(waiter);
    }
  }

  private async below(below: number): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (!this.ended && this.outstanding < below) return;
    await new Promise<void>((resolve, reject) => {
      this.waiting.push({ below, resolve, reject });
    });
  }
}

/** The answer to a judged line. @param row in the outbox; undefined where it gets none, for nothing is kept */
export function answerOf(line: CommitLine, row: number | undefined): IntakeAnswer {
  switch (line.what) {
    case 'version': {
      const { header, recordId } = line.version;
      const warnings = line.warnings.length === 0 ? {} : { warnings: line.warnings };
      const kept = row === undefined ? { dryRun: true as const } : { row };
      return { line: line.line, recordId, version: header.version, ...kept, ...warnings };
    }
    case 'unchanged':
      return { line: line.line, recordId: line.recordId, version: line.version, unchanged: true };
    case 'refused':
      return { line: line.line, refused: line.problems, code: line.code };
  }
}
