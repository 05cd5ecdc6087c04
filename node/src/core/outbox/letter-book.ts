import { beijingDay, canonicalBytes, fromUtf8, parseStrict, type JsonObject } from '@huilian/protocol';
import type { Store, StoreWrite } from '../ports.js';
import type { Vault } from '../vault/vault.js';
import { DeadLetters, droppedKey, letterId, letterPrefixes, letterRemovals, letterWrites, lettersOfRecord, placeKey, placesFrom, type DeadLetter, type LetterPlace, type ListedLetter } from './dead-letters.js';

/** A refused row on its way to the list. */
export interface LetterDraft {
  readonly letter: DeadLetter;
  /** The line as it was sent. */
  readonly content?: JsonObject;
  /** Whose it is, as far as the row says. */
  readonly owner?: string;
}

export interface LetterBookParts {
  readonly store: Store;
  readonly vault: Vault;
  /** Letters that are kept; the oldest go first. */
  readonly most: number;
}

/** Rows of the first layout, which had no ids and no content. */
const firstLayout = 'dead/';
/** Characters of a line that was refused; one that is bigger is listed without its row. */
const mostContent = 64 * 1024;
const mostProblems = 20;
const lettersPerWrite = 1000;
/** One bit of 2^24 for each record with a letter: a record without one is told by a look at memory. */
const filterBits = 24;

/**
 * The list as it is written. Additions and removals are handed out as writes, so that they go to disk together with what
 * they belong to; each counts from the moment it is made. A row that is sealed must be written within `Vault.sealing`.
 */
export class LetterBook extends DeadLetters {
  /** Letters whose removal is on its way to disk. */
  private readonly leaving = new Set<string>();
  private filter: Uint8Array | undefined;
  private trimming: Promise<void> | undefined;

  private constructor(
    private readonly parts: LetterBookParts,
    private next: number,
    private total: number,
    /** Refused rows by day and kind; accepted ones that the ledger refused name no kind. */
    private readonly perDay: Map<string, number>,
  ) {
    super(parts.store);
  }

  public static async open(parts: LetterBookParts): Promise<LetterBook> {
    let last = '';
    let total = 0;
    const perDay = new Map<string, number>();
    for await (const [key, value] of parts.store.entries({ gte: letterPrefixes.head, lt: `${letterPrefixes.head}~` })) {
      last = key;
      total += 1;
      countDay(perDay, JSON.parse(fromUtf8(value)) as DeadLetter, 1);
    }
    const book = new LetterBook(parts, last === '' ? 1 : Number(last.slice(letterPrefixes.head.length)) + 1, total, perDay);
    for await (const [key] of parts.store.entries({ gte: letterPrefixes.record, lt: `${letterPrefixes.record}~` })) book.note(key.slice(letterPrefixes.record.length, key.lastIndexOf('/')));
    await book.takeFirstLayout();
    return book;
  }

  public get count(): number {
    return this.total;
  }

  /** Refused rows of a kind on the list that came in on a day in Beijing. */
  public refusedOn(day: string, kind: string): number {
    return this.perDay.get(`${day}/${kind}`) ?? 0;
  }

  // --- coming ----------------------------------------------------------------------------------------------------------------

  /** The row of an import that was refused; one that was refused at the same place before is replaced. */
  public add({ content, letter, owner }: LetterDraft): StoreWrite[] {
    const before = this.idAt(letter);
    const id = before ?? letterId(this.next);
    const removed = before === undefined ? [] : this.replaced(before);
    if (before === undefined) {
      this.next += 1;
      this.total += 1;
    }
    if (letter.recordId !== undefined) this.note(letter.recordId);
    countDay(this.perDay, letter, 1);
    const text = content === undefined ? '' : JSON.stringify(content);
    const kept = text !== '' && text.length <= mostContent;
    const head = { ...letter, ...(letter.problems === undefined ? {} : { problems: letter.problems.slice(0, mostProblems) }), ...(kept ? { kept } : {}) };
    const row = kept ? [{ key: letterPrefixes.row + id, value: this.parts.vault.sealNote(contextOf(id), owner, text) }] : [];
    return [...removed, ...letterWrites(id, head), ...row];
  }

  /** An accepted row that the ledger refused, or that was taken back before it was published. */
  public addAccepted(letter: DeadLetter): StoreWrite[] {
    return this.add({ letter });
  }

  /** Lets the oldest go where there are more than are kept. */
  public async trim(): Promise<void> {
    if (this.total <= this.parts.most) return;
    this.trimming ??= this.dropOldest().finally(() => { this.trimming = undefined; });
    await this.trimming;
  }

  private async dropOldest(): Promise<void> {
    while (this.total > this.parts.most) {
      const oldest: ListedLetter[] = [];
      for await (const letter of this.all()) {
        oldest.push(letter);
        if (oldest.length >= Math.min(lettersPerWrite, this.total - this.parts.most)) break;
      }
      if (oldest.length === 0) return;
      const dropped = { count: (this.dropped?.count ?? 0) + oldest.length, until: oldest.at(-1)?.at ?? 0 };
      await this.remove(oldest, [{ key: droppedKey, value: canonicalBytes(dropped) }]);
    }
  }

  // --- going -----------------------------------------------------------------------------------------------------------------

  /** A record came in: letters about it have done their work. */
  public async settledBy(recordId: string): Promise<readonly StoreWrite[]> {
    if (!this.mayHave(recordId)) return [];
    const ids: string[] = [];
    for await (const [, id] of this.store.entries(lettersOfRecord(recordId))) ids.push(fromUtf8(id));
    return ids.flatMap((id) => this.leave(id));
  }

  /** Whether a record may have letters; most have none, and are told by a look at memory. */
  public mayHave(recordId: string): boolean {
    if (this.total === 0 || this.filter === undefined) return false;
    const bit = bitOf(recordId);
    return ((this.filter[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }

  /** A row came in that was refused at this place before. */
  public settledAt(place: LetterPlace): StoreWrite[] {
    const id = this.idAt(place);
    return id === undefined ? [] : this.leave(id);
  }

  /** The removals are on disk, or never will be. */
  public left(writes: readonly StoreWrite[]): void {
    for (const { key } of writes) if (key.startsWith(letterPrefixes.head)) this.leaving.delete(key.slice(letterPrefixes.head.length));
  }

  /** A file is imported again from a line on: what its last import left there is out of date. A run leaves what other runs found. */
  public async clearFrom(place: LetterPlace): Promise<void> {
    if (place.run !== undefined) return;
    let letters: ListedLetter[] = [];
    for await (const [, id] of this.store.entries(placesFrom(place))) {
      const letter = this.find(fromUtf8(id));
      if (letter !== undefined) letters.push(letter);
      if (letters.length < lettersPerWrite) continue;
      await this.remove(letters);
      letters = [];
    }
    await this.remove(letters);
  }

  /** Takes letters from the list. Answers how many were on it. */
  public async remove(letters: readonly ListedLetter[], further: readonly StoreWrite[] = []): Promise<number> {
    const before = this.total;
    const writes = letters.flatMap(({ id }) => this.leave(id));
    if (writes.length + further.length > 0) await this.store.write([...writes, ...further]);
    this.left(writes);
    return before - this.total;
  }

  private leave(id: string): StoreWrite[] {
    const letter = this.leaving.has(id) ? undefined : this.find(id);
    if (letter === undefined) return [];
    this.leaving.add(id);
    this.total -= 1;
    countDay(this.perDay, letter, -1);
    return letterRemovals(letter);
  }

  /** What an earlier letter at the same place leaves behind: it may have been about another record. */
  private replaced(id: string): StoreWrite[] {
    const letter = this.find(id);
    if (letter !== undefined) countDay(this.perDay, letter, -1);
    return letter === undefined ? [] : letterRemovals(letter).filter(({ key }) => !key.startsWith(letterPrefixes.head));
  }

  private idAt({ file, line, run }: Partial<LetterPlace>): string | undefined {
    if (file === undefined || line === undefined) return undefined;
    const bytes = this.store.get(placeKey({ file, line, ...(run === undefined ? {} : { run }) }));
    const id = bytes && fromUtf8(bytes);
    return id !== undefined && this.leaving.has(id) ? undefined : id;
  }

  // --- the row of a letter ---------------------------------------------------------------------------------------------------

  /** The line as it was sent; undefined where it is not kept, or was erased. @throws VAULT_CORRUPT */
  public content(id: string): JsonObject | undefined {
    const sealed = this.store.get(letterPrefixes.row + id);
    const text = sealed && this.parts.vault.openNote(contextOf(id), sealed);
    return text === undefined ? undefined : (parseStrict(text) as JsonObject);
  }

  // --- erasing ---------------------------------------------------------------------------------------------------------------

  /** Puts rows under the key in force of their holder, before its older keys end. Only within `Vault.sealing`. */
  public async rewrap(owner: string | undefined): Promise<void> {
    let writes: StoreWrite[] = [];
    for await (const [key, sealed] of this.store.entries({ gte: letterPrefixes.row, lt: `${letterPrefixes.row}~` })) {
      const after = this.parts.vault.rewrapNote(contextOf(key.slice(letterPrefixes.row.length)), owner, sealed);
      if (after !== undefined) writes.push({ key, value: after });
      if (writes.length < lettersPerWrite) continue;
      await this.store.write(this.stillHere(writes));
      writes = [];
    }
    if (writes.length > 0) await this.store.write(this.stillHere(writes));
  }

  /** A row that was taken off the list meanwhile does not come back. */
  private stillHere(writes: readonly StoreWrite[]): readonly StoreWrite[] {
    return writes.filter(({ key }) => !this.leaving.has(key.slice(letterPrefixes.row.length)) && this.store.get(key) !== undefined);
  }

  /** Takes away every letter about these records, and every one whose row names the owner. Answers how many there were. */
  public async erase(recordIds: ReadonlySet<string>, owner: string | undefined): Promise<number> {
    const uscc = owner?.slice(owner.indexOf(':') + 1).toUpperCase();
    let count = 0;
    let found: ListedLetter[] = [];
    for await (const letter of this.all()) {
      const isOf = (letter.code !== 'ERASED' && recordIds.has(letter.recordId ?? '')) || (uscc !== undefined && this.names(letter, uscc));
      if (isOf) found.push(letter);
      if (found.length < lettersPerWrite) continue;
      count += await this.remove(found);
      found = [];
    }
    return count + (await this.remove(found));
  }

  private names({ id, kept }: ListedLetter, uscc: string): boolean {
    const sealed = kept === true ? this.store.get(letterPrefixes.row + id) : undefined;
    return sealed !== undefined && this.parts.vault.openNote(contextOf(id), sealed)?.toUpperCase().includes(uscc) === true;
  }

  // --- which records have letters --------------------------------------------------------------------------------------------

  private note(recordId: string): void {
    this.filter ??= new Uint8Array(2 ** (filterBits - 3));
    const bit = bitOf(recordId);
    this.filter[bit >> 3] = (this.filter[bit >> 3] ?? 0) | (1 << (bit & 7));
  }

  /** Letters of the layout before this one. */
  private async takeFirstLayout(): Promise<void> {
    let writes: StoreWrite[] = [];
    for await (const [key, bytes] of this.store.entries({ gte: firstLayout, lt: `${firstLayout}~` })) {
      writes.push(...this.add({ letter: JSON.parse(fromUtf8(bytes)) as DeadLetter }), { key, remove: true });
      if (writes.length < lettersPerWrite) continue;
      await this.store.write(writes);
      writes = [];
    }
    if (writes.length > 0) await this.store.write(writes);
  }
}

function countDay(perDay: Map<string, number>, { at, kind }: DeadLetter, by: number): void {
  if (kind === undefined) return;
  const place = `${beijingDay(at)}/${kind}`;
  perDay.set(place, (perDay.get(place) ?? 0) + by);
}

/** What a letter's row is sealed for. */
function contextOf(id: string): string {
  return letterPrefixes.row + id;
}

const base32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Local ids are hashes: the last 25 bits of one place it. */
function bitOf(recordId: string): number {
  let value = 0;
  for (let at = recordId.length - 6; at < recordId.length - 1; at += 1) value = value * 32 + Math.max(0, base32.indexOf(recordId[at] ?? ''));
  return value % 2 ** filterBits;
}
