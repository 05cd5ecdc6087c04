import { BoundedMap, canonicalBytes, fromUtf8, ProtocolError, sha256Hex, type Header } from '@huilian/protocol';
import type { Store, StoreWrite } from '../ports.js';
import type { Mark } from './high-water-mark.js';
import { RowRanges, type Ranges } from './row-ranges.js';

/**
 * The rows that wait for the ledger, in groups as they were accepted: each group's bytes hold the hash of the group
 * before, so that a missing or changed one shows. Settled groups at the start are removed and the base moves on; one
 * settled out of turn leaves a stub that carries the chain.
 */

interface GroupBody {
  readonly from: number;
  readonly headers: readonly Header[];
  /** Head of the chain before this group. */
  readonly previous: string;
}

interface Link {
  readonly from: number;
  readonly to: number;
  readonly previous: string;
  /** SHA-256 of the group's bytes, hex. */
  readonly head: string;
  /** Absent for a stub, whose rows are all settled (or lost and said so). */
  readonly done?: RowRanges;
}

/** A group on its way to disk. */
export interface GroupDraft {
  readonly from: number;
  readonly to: number;
  readonly head: string;
  readonly previous: string;
  readonly headers: readonly Header[];
  readonly write: StoreWrite;
}

/** Rows that were acknowledged and are not there any more. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  readonly previous: string;
  readonly head: string;
}

/** Settling of rows: what to write, and what to remember once it is written. */
export interface Settlement {
  readonly writes: readonly StoreWrite[];
  commit(): void;
}

const groupPrefix = 'outbox/group/';
const stubPrefix = 'outbox/stub/';
const donePrefix = 'outbox/done/';
const baseKey = 'outbox/base';
/** What a batch or two are picked from; older groups are read again. */
const groupsKept = 16;
/** Chain head before the first row. */
const genesisHead = sha256Hex(new Uint8Array());

export class OutboxChain {
  private readonly cache = new BoundedMap<number, readonly Header[]>(groupsKept);

  private constructor(
    private readonly store: Store,
    private base: Mark,
    private links: Link[],
    /** Where the next group goes on. */
    private tail: Mark,
    private holesFound: readonly Hole[],
  ) {}

  /** Reads the chain and compares it with the high-water mark; what is missing stands in `holes`. */
  public static async open(store: Store, mark: Mark | undefined): Promise<OutboxChain> {
    const base = readJson<Mark>(store.get(baseKey)) ?? { to: 0, head: genesisHead };
    const { holes, links, tail } = walk(await readLinks(store), base, mark);
    return new OutboxChain(store, base, links, tail, holes);
  }

  public get holes(): readonly Hole[] {
    return this.holesFound;
  }

  /** Last row and head. */
  public get end(): Mark {
    return this.tail;
  }

  /** Last row and head on disk; undefined where all groups are settled and gone. */
  public get durableEnd(): Mark | undefined {
    const last = this.links.at(-1);
    return last && { to: last.to, head: last.head };
  }

  /** First row that is not known to be settled. */
  public get start(): number {
    return this.base.to + 1;
  }

  /** Whether anything was ever accepted. */
  public get isEmpty(): boolean {
    return this.tail.to === 0;
  }

  /** Adds a group at the end. One draft at a time goes to disk; it counts as soon as it is made. */
  public draft(headers: readonly Header[]): GroupDraft {
    const from = this.tail.to + 1;
    const to = this.tail.to + headers.length;
    const previous = this.tail.head;
    const value = canonicalBytes({ from, headers, previous } satisfies GroupBody);
    const head = sha256Hex(value);
    this.tail = { to, head };
    return { from, to, head, headers, previous, write: { key: groupPrefix + digits(from), value } };
  }

  /** Takes back the last draft, of which nothing was written. */
  public abandon({ from, previous }: GroupDraft): void {
    this.tail = { to: from - 1, head: previous };
  }

  /** The draft is on disk: its rows may be sent. */
  public stored({ from, head, headers, previous, to }: GroupDraft): void {
    // The next batch will ask for them.
    this.cache.set(from, headers);
    this.links.push({ from, to, head, previous, done: new RowRanges() });
  }

  /** Rows that are neither settled nor dead. */
  public get pendingCount(): number {
    return this.links.reduce((total, { done, from, to }) => total + (done === undefined ? 0 : to - from + 1 - done.count), 0);
  }

  /** Groups with rows left, from the one that holds a row on. */
  public *groupsFrom(row: number): Generator<{ readonly from: number; readonly to: number; isDone(row: number): boolean }> {
    for (let at = this.firstLinkTo(row); at < this.links.length; at += 1) {
      const { done, from, to } = this.links[at] as Link;
      if (done !== undefined) yield { from, to, isDone: (one) => done.has(one) };
    }
  }

  /** Rows that are neither settled nor dead, in order. */
  public *pendingRows(): Generator<number> {
    for (const { done, from, to } of this.links) for (let row = from; done !== undefined && row <= to; row += 1) if (!done.has(row)) yield row;
  }

  public isPending(row: number): boolean {
    const link = this.links[this.firstLinkTo(row)];
    return link?.done !== undefined && link.from <= row && !link.done.has(row);
  }

  /** Header of a row that is not settled yet. */
  public header(row: number): Header {
    const link = this.links[this.firstLinkTo(row)];
    const header = link && this.headers(link.from)[row - link.from];
    if (header === undefined) throw new ProtocolError('STORAGE_FAILED', { reason: 'outbox-row-missing', row });
    return header;
  }

  public headers(from: number): readonly Header[] {
    let headers = this.cache.get(from);
    if (headers === undefined) {
      headers = readJson<GroupBody>(this.store.get(groupPrefix + digits(from)))?.headers ?? [];
      this.cache.set(from, headers);
    }
    return headers;
  }

  /** Marks rows as settled (or dead): groups that are through become stubs, and those at the start go. */
  public settle(rows: Ranges): Settlement {
    const changed = new Map<number, RowRanges>();
    for (const [first, last] of rows) this.markDone(changed, first, last);
    const links = this.links.map((link) => this.changedLink(link, changed.get(link.from)));
    const writes = [...changed].map(([from, done]): StoreWrite => this.doneWrite(links, from, done));
    const kept = links.findIndex(({ done }) => done !== undefined);
    const passed = kept === -1 ? links : links.slice(0, kept);
    const last = passed.at(-1);
    const base = last === undefined ? this.base : { to: last.to, head: last.head };
    for (const link of passed) writes.push(...removals(link.from));
    for (const link of links.slice(passed.length)) if (link.done === undefined && changed.has(link.from)) writes.push(...stubWrites(link));
    if (last !== undefined) writes.push({ key: baseKey, value: canonicalBytes(base) });
    return {
      writes,
      commit: () => {
        // Groups may have been added since.
        this.links = [...links.slice(passed.length), ...this.links.slice(links.length)];
        this.base = base;
      },
    };
  }

  /** Puts stubs in place of the holes, so that the chain reads as whole from now on; what was lost stays on record. */
  public async acceptHoles(at: number): Promise<void> {
    if (this.holesFound.length === 0) return;
    const lost = this.holesFound.map(({ from, to }) => [from, to]);
    await this.store.write([
      ...this.holesFound.flatMap((hole) => stubWrites(hole)),
      { key: `outbox/lost/${digits(at)}`, value: canonicalBytes({ at, rows: lost }) },
    ]);
    this.holesFound = [];
  }

  private markDone(changed: Map<number, RowRanges>, first: number, last: number): void {
    for (let at = this.firstLinkTo(first); at < this.links.length; at += 1) {
      const { done, from, to } = this.links[at] as Link;
      if (from > last) return;
      if (done === undefined) continue;
      const ranges = changed.get(from) ?? new RowRanges(done.list());
      ranges.add(Math.max(first, from), Math.min(last, to));
      changed.set(from, ranges);
    }
  }

  private changedLink(link: Link, done: RowRanges | undefined): Link {
    if (done === undefined) return link;
    const { from, head, previous, to } = link;
    return done.count === to - from + 1 ? { from, head, previous, to } : { ...link, done };
  }

  private doneWrite(links: readonly Link[], from: number, done: RowRanges): StoreWrite {
    const through = links.some((link) => link.from === from && link.done === undefined);
    const key = donePrefix + digits(from);
    return through ? { key, remove: true } : { key, value: canonicalBytes(done.list()) };
  }

  /** Index of the first link that ends at or after a row. */
  private firstLinkTo(row: number): number {
    let low = 0;
    let high = this.links.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.links[middle]?.to ?? 0) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function digits(row: number): string {
  return String(row).padStart(14, '0');
}

function removals(from: number): StoreWrite[] {
  return [
    { key: groupPrefix + digits(from), remove: true },
    { key: stubPrefix + digits(from), remove: true },
  ];
}

function stubWrites({ from, head, previous, to }: Hole): StoreWrite[] {
  return [
    { key: groupPrefix + digits(from), remove: true },
    { key: stubPrefix + digits(from), value: canonicalBytes({ from, head, previous, to }) },
  ];
}

function readJson<T>(bytes: Uint8Array | undefined): T | undefined {
  return bytes === undefined ? undefined : (JSON.parse(fromUtf8(bytes)) as T);
}

async function readLinks(store: Store): Promise<Link[]> {
  const links: Link[] = [];
  for await (const [, bytes] of store.entries({ gte: stubPrefix, lt: `${stubPrefix}~` })) links.push(readJson<Link>(bytes) as Link);
  for await (const [key, bytes] of store.entries({ gte: groupPrefix, lt: `${groupPrefix}~` })) {
    const link = readGroup(Number(key.slice(groupPrefix.length)), bytes);
    if (link === undefined) continue;
    const done = new RowRanges(readJson<Ranges>(store.get(donePrefix + digits(link.from))));
    links.push({ ...link, done });
  }
  return links.sort((left, right) => left.from - right.from);
}

/** Undefined for bytes that are no group: the walk then finds a hole there. */
function readGroup(from: number, bytes: Uint8Array): Hole | undefined {
  try {
    const body = JSON.parse(fromUtf8(bytes)) as GroupBody;
    return body.from === from ? { from, to: from + body.headers.length - 1, previous: body.previous, head: sha256Hex(bytes) } : undefined;
  } catch {
    return undefined;
  }
}

interface Walk {
  readonly links: Link[];
  readonly holes: Hole[];
  readonly tail: Mark;
}

/** Follows the chain from the base to its end and on to the high-water mark. */
function walk(found: readonly Link[], base: Mark, mark: Mark | undefined): Walk {
  const links: Link[] = [];
  const holes: Hole[] = [];
  let end = base;
  for (const link of found) {
    if (link.from <= end.to) continue;
    if (link.from > end.to + 1) holes.push({ from: end.to + 1, to: link.from - 1, previous: end.head, head: link.previous });
    else if (link.previous !== end.head) dropLast(links, holes, base, link.previous);
    links.push(link);
    end = { to: link.to, head: link.head };
  }
  if (mark !== undefined) end = compareMark(links, holes, end, mark, base);
  return { links, holes, tail: end };
}

/** The group before is not the one that was acknowledged: its bytes changed. */
function dropLast(links: Link[], holes: Hole[], base: Mark, head: string): void {
  const damaged = links.pop();
  if (damaged === undefined) throw new ProtocolError('OUTBOX_TAIL_LOST', { reason: 'base', row: base.to });
  holes.push({ from: damaged.from, to: damaged.to, previous: damaged.previous, head });
}

function compareMark(links: Link[], holes: Hole[], end: Mark, mark: Mark, base: Mark): Mark {
  if (mark.to > end.to) {
    holes.push({ from: end.to + 1, to: mark.to, previous: end.head, head: mark.head });
    return mark;
  }
  const last = links.at(-1);
  // Inside the chain the next group vouches for a group; the last one has only the mark.
  if (last?.to === mark.to && last.head !== mark.head) {
    dropLast(links, holes, base, mark.head);
    return mark;
  }
  return end;
}
