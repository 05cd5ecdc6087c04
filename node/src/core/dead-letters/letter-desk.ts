import { isJsonObject, planOf, ProtocolError, utf8, type ImportPlan, type JsonObject } from '@huilian/protocol';
import type { AdoptedKinds } from '../catalog/adopted-kinds.js';
import { schemaOf } from '../intake/examine-line.js';
import type { Intake } from '../intake/intake.js';
import type { IntakeAnswer } from '../intake/intake-answer.js';
import { readSubmission, type Submission } from '../intake/read-submission.js';
import { planFor, type HeldMappings } from '../mapping/held-mappings.js';
import { suggestCorrection, type Suggestion } from '../mapping/suggest-correction.js';
import type { DroppedLetters, LetterFilter, LetterOrder, ListedLetter } from '../outbox/dead-letters.js';
import type { LetterBook } from '../outbox/letter-book.js';

interface ShownProblem {
  readonly path: string;
  readonly code: string;
  readonly zh: string;
  readonly en: string;
  readonly suggestion: Suggestion;
}

/** A letter for the operator. */
export interface ShownLetter extends Omit<ListedLetter, 'problems'> {
  readonly problems: readonly ShownProblem[];
}

/** The same with the line as it was sent: its cells, or its data. */
export interface OpenedLetter extends ShownLetter {
  readonly row?: Readonly<Record<string, string>>;
  readonly data?: JsonObject;
}

export interface ShownPage {
  readonly items: readonly ShownLetter[];
  readonly total: number;
  readonly dropped?: DroppedLetters;
  readonly place?: string;
}

/** A letter with its row, or its data, as a whole as it should have been; without either it is tried as it was. */
export interface Correction {
  readonly id: string;
  /** Empty cells of columns that the row did not have are left out: a file of corrected rows may hold rows of several sources. */
  readonly row?: Readonly<Record<string, string>>;
  readonly data?: JsonObject;
  readonly mapping?: string;
}

export interface RetryOrder {
  readonly corrections?: readonly Correction[];
  readonly filter?: LetterFilter;
  readonly from?: string;
}

export interface RetryReport {
  readonly retried: number;
  readonly accepted: number;
  readonly unchanged: number;
  readonly refused: number;
  /** Letters without a row that could be tried again. */
  readonly notKept: number;
  readonly results: readonly { readonly id: string; readonly outcome: 'accepted' | 'unchanged' | 'refused' | 'not-kept'; readonly code?: string }[];
  /** Where to go on, with a filter. */
  readonly place?: string;
}

export interface LetterDeskParts {
  readonly intake: Intake;
  readonly kinds: AdoptedKinds;
  readonly letters: LetterBook;
  readonly mappings: HeldMappings;
}

/** Letters of one call that are tried again by a filter. */
const retriesPerCall = 1000;

/** Works off the dead-letter list: shows, tries again, drops. */
export class LetterDesk {
  public constructor(private readonly parts: LetterDeskParts) {}

  public get count(): number {
    return this.parts.letters.count;
  }

  public async page(filter: LetterFilter, order: LetterOrder, limit: number, from?: string): Promise<ShownPage> {
    const { letters } = this.parts;
    const { items, place } = await letters.page(filter, order, limit, from);
    const { dropped } = letters;
    return { items: items.map((letter) => this.shown(letter)), total: letters.count, ...(dropped === undefined ? {} : { dropped }), ...(place === undefined ? {} : { place }) };
  }

  /** @throws NOT_FOUND {letter} */
  public open(id: string): OpenedLetter {
    const letter = this.find(id);
    const content = this.parts.letters.content(id);
    return { ...this.shown(letter, content), ...rowOf(content) };
  }

  /** All that fit, opened, in the order in which they came; of one file, in the order of its lines. */
  public async *export(filter: LetterFilter): AsyncGenerator<OpenedLetter> {
    for await (const letter of this.parts.letters.all(filter)) {
      const content = this.parts.letters.content(letter.id);
      yield { ...this.shown(letter, content), ...rowOf(content) };
    }
  }

  /** @throws NOT_FOUND {letter} */
  public async drop(id: string): Promise<void> {
    await this.parts.letters.remove([this.find(id)]);
  }

  /** Answers how many were dropped. */
  public async dropAll(filter: LetterFilter): Promise<number> {
    let count = 0;
    let some: ListedLetter[] = [];
    for await (const letter of this.parts.letters.all(filter)) {
      some.push(letter);
      if (some.length < retriesPerCall) continue;
      count += await this.parts.letters.remove(some);
      some = [];
    }
    return count + (await this.parts.letters.remove(some));
  }

  // --- trying again ------------------------------------------------------------------------------------------------------------

  /** Sends rows through intake again, corrected or as they were. What comes in leaves the list; the rest is listed with its new reason. @throws NOT_FOUND {letter} */
  public async retry({ corrections, filter = {}, from }: RetryOrder): Promise<RetryReport> {
    if (corrections !== undefined) return await this.retryThese(corrections);
    const { items, place } = await this.parts.letters.page(filter, 'oldest', retriesPerCall, from);
    const report = await this.retryThese(items.map(({ id }) => ({ id })));
    return { ...report, ...(place === undefined ? {} : { place }) };
  }

  private async retryThese(corrections: readonly Correction[]): Promise<RetryReport> {
    const lines = corrections.map((correction) => ({ id: correction.id, line: this.lineOf(correction) }));
    const kept = lines.filter((entry): entry is { id: string; line: string } => entry.line !== undefined);
    const answers: IntakeAnswer[] = [];
    await this.parts.intake.accept(streamOf(kept.map(({ line }) => line)), (group) => { answers.push(...group); }, { retry: true });
    const byLine = new Map(answers.flatMap((answer) => ('line' in answer ? [[answer.line, answer] as const] : [])));
    const tried = kept.map(({ id }, index) => ({ id, ...outcomeOf(byLine.get(index + 1)) }));
    const notKept = lines.filter(({ line }) => line === undefined).map(({ id }) => ({ id, outcome: 'not-kept' as const }));
    const count = (outcome: string): number => tried.filter((result) => result.outcome === outcome).length;
    return { retried: tried.length, accepted: count('accepted'), unchanged: count('unchanged'), refused: count('refused'), notKept: notKept.length, results: [...tried, ...notKept] };
  }

  /** The line of a letter with its corrections; undefined where its row is not kept. */
  private lineOf(correction: Correction): string | undefined {
    const { file, kind = '', line, run } = this.find(correction.id);
    const content = this.parts.letters.content(correction.id);
    const said = saidBy(correction, content);
    if (file === undefined || line === undefined || said === undefined) return undefined;
    const { data: _data, row: _row, ...rest } = content ?? { kind };
    const source = { file, line, ...(run === undefined ? {} : { run }) };
    return JSON.stringify({ ...rest, ...said, ...(correction.mapping === undefined ? {} : { mapping: correction.mapping }), source });
  }

  // --- showing -----------------------------------------------------------------------------------------------------------------

  private find(id: string): ListedLetter {
    const letter = this.parts.letters.find(id);
    if (letter === undefined) throw new ProtocolError('NOT_FOUND', { letter: /^\d{14}$/.test(id) ? id : '?' });
    return letter;
  }

  private shown(letter: ListedLetter, content = letter.kept === true ? this.parts.letters.content(letter.id) : undefined): ShownLetter {
    const { code, problems = [], ...rest } = letter;
    const { plan, row } = this.placeOf(content);
    return { ...rest, code, problems: problems.map((problem) => ({ ...problem, suggestion: suggestCorrection({ code, problem, ...(plan === undefined ? {} : { plan }), ...(row === undefined ? {} : { row }) }) })) };
  }

  /** How the row was read, as far as its kind and mapping are still here. */
  private placeOf(content: JsonObject | undefined): { readonly plan?: ImportPlan; readonly row?: Submission['row'] } {
    if (content === undefined) return {};
    try {
      const submission = readSubmission(utf8(JSON.stringify(content)), 'data-unchecked');
      const definition = this.parts.kinds.find(submission.kind, schemaOf(submission, this.parts.mappings.lookUp));
      const mapping = submission.mapping === undefined ? undefined : this.parts.mappings.lookUp(submission.mapping);
      const plan = mapping === undefined ? planOf(definition) : planFor(definition, mapping);
      return { plan, ...(submission.row === undefined ? {} : { row: submission.row }) };
    } catch (error) {
      if (error instanceof ProtocolError) return {};
      throw error;
    }
  }
}

/** Row or data of a line that is tried again: corrected, or as it was. */
function saidBy({ data, row }: Correction, content: JsonObject | undefined): JsonObject | undefined {
  if (data !== undefined) return { data };
  const { data: dataBefore, row: rowBefore } = content ?? {};
  if (row === undefined) return content && { ...(rowBefore === undefined ? {} : { row: rowBefore }), ...(dataBefore === undefined ? {} : { data: dataBefore }) };
  const had = isJsonObject(rowBefore) ? rowBefore : {};
  return { row: Object.fromEntries(Object.entries(row).filter(([column, cell]) => cell !== '' || Object.hasOwn(had, column))) };
}

function rowOf(content: JsonObject | undefined): Pick<OpenedLetter, 'data' | 'row'> {
  const { data, row } = content ?? {};
  if (isJsonObject(row)) return { row: row as Record<string, string> };
  return isJsonObject(data) ? { data } : {};
}

function outcomeOf(answer: IntakeAnswer | undefined): Omit<RetryReport['results'][number], 'id'> {
  if (answer === undefined || 'acknowledged' in answer) throw new ProtocolError('INTERNAL', { reason: 'line-without-answer' });
  if ('refused' in answer) return { outcome: 'refused', code: answer.code };
  return { outcome: 'unchanged' in answer ? 'unchanged' : 'accepted' };
}

async function* streamOf(lines: readonly string[]): AsyncGenerator<string> {
  await Promise.resolve();
  for (const line of lines) yield `${line}\n`;
}
