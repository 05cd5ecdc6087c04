import { canonicalBytes, fromUtf8, sha256Hex, utf8, type RecordProblem } from '@huilian/protocol';
import type { Store, StoreRange, StoreWrite } from '../ports.js';

/** A row that was not published and why. Never its content, which lies apart and sealed. */
export interface DeadLetter {
  /** Unix seconds. */
  readonly at: number;
  /** A row of an import that was refused … */
  readonly file?: string;
  readonly line?: number;
  readonly run?: string;
  readonly kind?: string;
  readonly mapping?: string;
  readonly problems?: readonly RecordProblem[];
  /** … or an accepted one that the ledger refused, or that was erased before it was published. */
  readonly recordId?: string;
  readonly version?: number;
  readonly code: string;
}

/** A letter as it lies in the list. */
export interface ListedLetter extends DeadLetter {
  /** Fourteen digits, in the order in which letters came. */
  readonly id: string;
  /** Whether its row is kept, so that it can be shown, corrected and tried again. */
  readonly kept?: true;
}

/** Where a refused row came from. */
export interface LetterPlace {
  readonly file: string;
  readonly line: number;
  readonly run?: string;
}

export interface LetterFilter {
  readonly file?: string;
  readonly kind?: string;
  /** Code of the refusal, or of one of its problems. */
  readonly code?: string;
  /** `claim.field` or `claim` that a problem is about. */
  readonly field?: string;
  readonly record?: string;
}

export interface LetterPage {
  readonly items: readonly ListedLetter[];
  /** Where to go on; a page may be short, and even empty, and the list go on. */
  readonly place?: string;
}

export type LetterOrder = 'newest' | 'oldest';

/** Rows of the list: what is shown of a letter, its sealed row, and ways to find it by place and by record. */
export const letterPrefixes = { head: 'letter/at/', row: 'letter/row/', place: 'letter/file/', record: 'letter/record/' } as const;
export const droppedKey = 'letter/dropped';
const idLength = 14;
/** Letters that one page looks at, at most: where few fit the filter, a page is short instead of slow. */
const mostLooked = 5000;

/** Letters that had to go for newer ones. */
export interface DroppedLetters {
  readonly count: number;
  /** Unix seconds of the newest of them. */
  readonly until: number;
}

/** The list that an operator works off, as it is read. */
export class DeadLetters {
  public constructor(protected readonly store: Store) {}

  /** @param from place of the page before */
  public async page(filter: LetterFilter, order: LetterOrder, limit: number, from?: string): Promise<LetterPage> {
    const items: ListedLetter[] = [];
    let looked = 0;
    let place: string | undefined;
    for await (const [key, id] of this.ids(filter, order, from)) {
      const letter = this.find(id);
      looked += 1;
      place = key;
      if (letter !== undefined && fits(letter, filter)) items.push(letter);
      if (items.length >= limit || looked >= mostLooked) return { items, place };
    }
    return { items };
  }

  public find(id: string): ListedLetter | undefined {
    const bytes = this.store.get(letterPrefixes.head + id);
    return bytes && { id, ...(JSON.parse(fromUtf8(bytes)) as Omit<ListedLetter, 'id'>) };
  }

  /** All that fit, oldest first, or in the order of their lines where one file is asked for. */
  public async *all(filter: LetterFilter = {}): AsyncGenerator<ListedLetter> {
    for await (const [, id] of this.ids(filter, 'oldest')) {
      const letter = this.find(id);
      if (letter !== undefined && fits(letter, filter)) yield letter;
    }
  }

  public async list(): Promise<readonly ListedLetter[]> {
    const letters: ListedLetter[] = [];
    for await (const letter of this.all()) letters.push(letter);
    return letters;
  }

  /** What had to go for newer letters; undefined where nothing had to. */
  public get dropped(): DroppedLetters | undefined {
    const bytes = this.store.get(droppedKey);
    return bytes && (JSON.parse(fromUtf8(bytes)) as DroppedLetters);
  }

  /** Keys and letter ids in order: those of one file by line, of one record by the way to it, else all. */
  private async *ids({ file, record }: LetterFilter, order: LetterOrder, from?: string): AsyncGenerator<readonly [key: string, id: string]> {
    const prefix = file !== undefined ? filePrefix(file) : record !== undefined ? recordPrefix(record) : letterPrefixes.head;
    for await (const [key, value] of this.store.entries(rangeOf(prefix, order, from))) yield [key, prefix === letterPrefixes.head ? key.slice(prefix.length) : fromUtf8(value)];
  }
}

function rangeOf(prefix: string, order: LetterOrder, from: string | undefined): StoreRange {
  const whole = { gte: prefix, lt: `${prefix}~` };
  if (from === undefined) return order === 'newest' ? { ...whole, reverse: true } : whole;
  return order === 'newest' ? { gte: prefix, lt: from, reverse: true } : { gt: from, lt: `${prefix}~` };
}

function fits(letter: ListedLetter, { code, field, file, kind, record }: LetterFilter): boolean {
  const problems = letter.problems ?? [];
  return (file === undefined || letter.file === file)
    && (kind === undefined || letter.kind === kind)
    && (record === undefined || letter.recordId === record)
    && (code === undefined || letter.code === code || problems.some((problem) => problem.code === code))
    && (field === undefined || problems.some(({ path }) => path === pointer(field) || path.startsWith(`${pointer(field)}/`)));
}

function pointer(field: string): string {
  return `/${field.replace('.', '/')}`;
}

export function letterId(number: number): string {
  return String(number).padStart(idLength, '0');
}

function filePrefix(file: string): string {
  return `${letterPrefixes.place}${sha256Hex(utf8(file)).slice(0, 32)}/`;
}

function recordPrefix(recordId: string): string {
  return `${letterPrefixes.record}${recordId}/`;
}

/** Key of a source place. Runs of one source stand behind each other; a file has none. */
export function placeKey({ file, line, run = '' }: LetterPlace): string {
  return `${filePrefix(file)}${run}/${String(line).padStart(10, '0')}`;
}

/** Places of a file from a line on. */
export function placesFrom({ file, line }: LetterPlace): StoreRange {
  return { gte: placeKey({ file, line }), lt: `${filePrefix(file)}/~` };
}

function recordKey(recordId: string, id: string): string {
  return recordPrefix(recordId) + id;
}

/** Keys of the letters of a record. */
export function lettersOfRecord(recordId: string): StoreRange {
  return { gte: recordPrefix(recordId), lt: `${recordPrefix(recordId)}~` };
}

/** What is written of a letter beside its sealed row. */
export function letterWrites(id: string, letter: Omit<ListedLetter, 'id'>): StoreWrite[] {
  const { file, line, recordId, run } = letter;
  const value = utf8(id);
  return [
    { key: letterPrefixes.head + id, value: canonicalBytes(letter) },
    ...(file === undefined || line === undefined ? [] : [{ key: placeKey({ file, line, ...(run === undefined ? {} : { run }) }), value }]),
    ...(recordId === undefined ? [] : [{ key: recordKey(recordId, id), value }]),
  ];
}

export function letterRemovals({ file, id, line, recordId, run }: ListedLetter): StoreWrite[] {
  const keys = [
    letterPrefixes.head + id,
    letterPrefixes.row + id,
    ...(file === undefined || line === undefined ? [] : [placeKey({ file, line, ...(run === undefined ? {} : { run }) })]),
    ...(recordId === undefined ? [] : [recordKey(recordId, id)]),
  ];
  return keys.map((key) => ({ key, remove: true }));
}
