import { isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { dayStart } from '../beijing-day.js';
import type { CodeCheck } from '../codes/index.js';
import { ProtocolError } from '../errors.js';
import { prose } from '../shape.js';
import { termState, type Term } from '../term.js';
import { checkDay, fieldChecks } from './field-checks.js';

/**
 * Code sets adopted by vote. A document with `codes` lists what a field of `x-code` may hold; a document without is for
 * people and other software, and no field can name it.
 *
 *   { codes: { <code>: { zh, en?, from?, until? } | <Chinese title> }, title?: { zh, en } }
 *
 * `from` is the first day on which a code is given, `until` the first on which it is given no more (YYYY-MM-DD).
 */
export interface CodeEntry {
  readonly zh: string;
  readonly en?: string;
  readonly from?: string;
  readonly until?: string;
}

export interface CodeSetVersion extends Term {
  readonly name: string;
  readonly version: number;
  readonly document: JsonObject;
}

const title = prose(200);
const code = prose(64);
const entryFields: ReadonlySet<string> = new Set(['en', 'from', 'until', 'zh']);

function invalid(reason: string): never {
  throw new ProtocolError('PROPOSAL_INVALID', { reason });
}

function isProse(shape: typeof title, value: JsonValue | undefined): value is string {
  try {
    return shape.read(value) === value;
  } catch {
    return false;
  }
}

/** The codes of a set's document; undefined where it lists none. @throws PROPOSAL_INVALID {reason} */
export function readCodes(document: JsonObject): ReadonlyMap<string, CodeEntry> | undefined {
  const { codes } = document;
  if (!isJsonObject(codes)) return undefined;
  return new Map(Object.entries(codes).map(([name, entry]) => [isProse(code, name) ? name : invalid('code'), readEntry(entry)]));
}

function readEntry(entry: JsonValue): CodeEntry {
  if (typeof entry === 'string') return isProse(title, entry) ? { zh: entry } : invalid('code-title');
  if (!isJsonObject(entry) || Object.keys(entry).some((field) => !entryFields.has(field))) return invalid('code-entry');
  const { en, from, until, zh } = entry;
  if (!isProse(title, zh) || (en !== undefined && !isProse(title, en))) return invalid('code-title');
  for (const day of [from, until]) if (day !== undefined && !isDay(day)) invalid('code-day');
  if (typeof from === 'string' && typeof until === 'string' && until <= from) invalid('code-term');
  return entry as unknown as CodeEntry;
}

function isDay(value: JsonValue): boolean {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && checkDay(value).ok;
}

/** Sets that this software brings along and that a vote may add to; of other checks the arithmetic is the rule. */
const amendable: ReadonlySet<string> = new Set(['currency', 'industry', 'region']);

/** Names of code sets that records may be checked against beside those that kinds name. */
export const amendableCodes: readonly string[] = [...amendable];

/** Whether a word of `x-code` needs a code set adopted by vote. */
export function needsCodeSet(word: string): boolean {
  return !fieldChecks.has(word);
}

interface ReadVersion extends Term {
  readonly version: number;
  readonly codes: ReadonlyMap<string, CodeEntry>;
}

/** The code sets that the ledger has, read once; answers what a code is worth on a day. */
export class GovernedCodes {
  private readonly sets = new Map<string, readonly ReadVersion[]>();

  /** All versions of each set, in any order. */
  public constructor(versions: readonly CodeSetVersion[]) {
    for (const { document, effective, name, retires, version } of versions) {
      const codes = readCodes(document);
      if (codes === undefined) continue;
      const read: ReadVersion = { codes, version, ...(effective === undefined ? {} : { effective }), ...(retires === undefined ? {} : { retires }) };
      this.sets.set(name, [...(this.sets.get(name) ?? []), read].sort((left, right) => left.version - right.version));
    }
  }

  /**
   * Checks a code against the version in force on a day (YYYY-MM-DD), where the vote's set knows it; else by what this
   * software brings along. Without a day, a code that is given no more is a warning: the record may be of before.
   */
  public check(word: string, value: string, today: string, day: string | undefined): CodeCheck {
    const bundled = fieldChecks.get(word);
    const versions = bundled === undefined || amendable.has(word) ? this.sets.get(word) : undefined;
    const entry = versions === undefined ? undefined : versionOn(versions, day ?? today)?.codes.get(value);
    if (entry !== undefined) return onDay(entry, today, day);
    return bundled?.(value) ?? { ok: false, reason: versions === undefined ? 'set-unknown' : 'unlisted' };
  }
}

const lastSecond = 86_399;

/** The version in force at the end of a day in Beijing; for what is older than the set, its first. */
function versionOn(versions: readonly ReadVersion[], day: string): ReadVersion | undefined {
  const at = dayStart(day) + lastSecond;
  return versions.filter((version) => termState(version, at) === 'in-force').at(-1) ?? versions.find((version) => termState(version, at) === 'coming') ?? versions.at(-1);
}

function onDay({ from, until }: CodeEntry, today: string, day: string | undefined): CodeCheck {
  if (from !== undefined && (day ?? today) < from) return { ok: false, reason: 'not-given-yet' };
  if (until === undefined || (day ?? today) < until) return { ok: true, warnings: [] };
  return day === undefined ? { ok: true, warnings: ['code-retired'] } : { ok: false, reason: 'given-no-more' };
}
