import { isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { kindShape } from '../ids.js';
import { anyObject, integer, object, optional, prose, text, type Read } from '../shape.js';
import { valueAt, type KindDefinition } from './kind-definition.js';

/**
 * A migration says how every field of one version of a kind becomes a field of a later one. It is adopted by vote, and
 * refused where anything would be lost without a word: each old field is the source of a new one or is listed as dropped
 * with a reason, each field that the new version always needs is fed.
 */
const wordsShape = object({ en: prose(300), zh: prose(300) });
const migrationShape = object({
  /** Old fields that have no place in the new version, each with why. */
  dropped: optional(anyObject()),
  /** New field (`claim.field`, or a claim that is a list) to where its value comes from. */
  fields: anyObject(),
  from: integer(1, 9999),
  kind: kindShape,
  title: optional(wordsShape),
  to: integer(1, 9999),
});
/** Where a new field's value comes from: an old field, each value of a closed list changed as `values` says, and `value` where that is absent; or `value` alone. */
const feedShape = object({
  from: optional(text(/[A-Za-z][A-Za-z0-9]{0,59}(?:\.[A-Za-z][A-Za-z0-9]{0,59})?/, 121)),
  value: optional({ schema: {}, read: (value): JsonValue => readPlain(value) }),
  values: optional(anyObject()),
});
type Feed = Read<typeof feedShape>;

export interface Migration {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly fields: ReadonlyMap<string, Feed>;
  readonly dropped: ReadonlyMap<string, { readonly en: string; readonly zh: string }>;
}

function readPlain(value: unknown): JsonValue {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  throw new ProtocolError('BAD_FIELD', { reason: 'not-plain' });
}

function invalid(reason: string, path?: string): never {
  throw new ProtocolError('PROPOSAL_INVALID', { reason, ...(path === undefined ? {} : { path }) });
}

/** Reads the document alone, without the kinds it speaks of. @throws BAD_FIELD, UNKNOWN_FIELD, PROPOSAL_INVALID {reason} */
export function readMigration(document: JsonObject): Migration {
  const { dropped, fields, from, kind, to } = migrationShape.read(document);
  if (to <= from) invalid('migration-order');
  return {
    kind,
    from,
    to,
    fields: new Map(Object.entries(fields).map(([path, feed]) => [path, feedShape.read(feed, `/fields/${path}`)])),
    dropped: new Map(Object.entries(dropped ?? {}).map(([path, words]) => [path, wordsShape.read(words, `/dropped/${path}`)])),
  };
}

/** A field of a kind, or a claim that is a list: its shape, and whether every record has it. */
interface Place {
  readonly claim: string;
  readonly shape: JsonObject;
  readonly always: boolean;
  /** Every record that has the claim has it. */
  readonly required: boolean;
}

function placesOf({ document, requiredClaims }: KindDefinition): ReadonlyMap<string, Place> {
  const claims = isJsonObject(document['properties']) ? document['properties'] : {};
  return new Map(Object.entries(claims).flatMap(([claim, shape]): (readonly [string, Place])[] => {
    if (!isJsonObject(shape)) return [];
    const there = requiredClaims.includes(claim);
    if (shape['type'] === 'array' || !isJsonObject(shape['properties'])) return [[claim, { claim, shape, always: there, required: there }]];
    const needed = Array.isArray(shape['required']) ? (shape['required'] as readonly JsonValue[]) : [];
    return Object.entries(shape['properties']).map(([field, part]) => {
      const required = needed.includes(field);
      return [`${claim}.${field}`, { claim, shape: isJsonObject(part) ? part : {}, always: there && required, required }] as const;
    });
  }));
}

/**
 * Holds a migration against the two versions it leads between.
 * @throws PROPOSAL_INVALID {reason, path}: unknown-field, field-lost (neither mapped nor dropped), mapped-and-dropped,
 * not-fed (the new version needs it), other-type, value-lost (a value of the old list has no place in the new one),
 * natural-key, subject, owner (a record would become another one)
 */
export function checkMigration(migration: Migration, from: KindDefinition, to: KindDefinition): void {
  const [old, next] = [placesOf(from), placesOf(to)];
  for (const [path, feed] of migration.fields) checkFeed(path, feed, old, next);
  checkNothingLost(migration, old);
  checkFed(migration, old, next);
  checkSame('natural-key', migration, from.naturalKey, to.naturalKey);
  checkSame('subject', migration, paths(from.subject), paths(to.subject));
  checkSame('owner', migration, paths(from.owner), paths(to.owner));
}

function paths(path: string | null): readonly string[] {
  return path === null ? [] : [path];
}

function checkFeed(path: string, { from, value, values }: Feed, old: ReadonlyMap<string, Place>, next: ReadonlyMap<string, Place>): void {
  const target = next.get(path);
  if (target === undefined) return invalid('unknown-field', path);
  if (from === undefined && (value === undefined || values !== undefined)) invalid('feed', path);
  if (value !== undefined && !fits(value, target.shape)) invalid('other-type', path);
  if (from === undefined) return;
  const source = old.get(from);
  if (source === undefined) return invalid('unknown-field', from);
  checkValues(path, source.shape, target.shape, values);
}

function checkValues(path: string, source: JsonObject, target: JsonObject, values: JsonObject | undefined): void {
  if (source['type'] !== target['type'] && values === undefined) invalid('other-type', path);
  for (const value of Object.values(values ?? {})) if (!fits(value, target)) invalid('value-lost', path);
  const listed = Array.isArray(target['enum']) ? (target['enum'] as readonly JsonValue[]) : undefined;
  if (listed === undefined) return;
  // Of an open text nobody can say beforehand whether it is on the list: each record is checked when it is carried over.
  for (const value of Array.isArray(source['enum']) ? (source['enum'] as readonly JsonValue[]) : []) {
    if (!listed.includes(changed(value, values))) invalid('value-lost', path);
  }
}

function changed(value: JsonValue, values: JsonObject | undefined): JsonValue {
  return values !== undefined && Object.hasOwn(values, String(value)) ? (values[String(value)] ?? value) : value;
}

function fits(value: JsonValue, { enum: listed, type }: JsonObject): boolean {
  if (Array.isArray(listed) && !listed.includes(value)) return false;
  return type === undefined || type === (typeof value === 'number' ? 'integer' : typeof value);
}

function checkNothingLost({ dropped, fields }: Migration, old: ReadonlyMap<string, Place>): void {
  const mapped = new Set([...fields.values()].map(({ from }) => from));
  for (const path of dropped.keys()) if (!old.has(path)) invalid('unknown-field', path);
  for (const path of old.keys()) {
    if (!mapped.has(path) && !dropped.has(path)) invalid('field-lost', path);
    if (mapped.has(path) && dropped.has(path)) invalid('mapped-and-dropped', path);
  }
}

/** What the new version always needs comes from what the old one always has, or has a value of its own. */
function checkFed({ fields }: Migration, old: ReadonlyMap<string, Place>, next: ReadonlyMap<string, Place>): void {
  const begun = new Set([...fields.keys()].map((path) => path.split('.')[0] ?? ''));
  for (const [path, { always, claim, required }] of next) {
    const feed = fields.get(path);
    const sure = feed !== undefined && (feed.value !== undefined || (feed.from !== undefined && old.get(feed.from)?.always === true));
    if (always && !sure) invalid('not-fed', path);
    // A claim that may be missing must be whole where a part of it comes over.
    if (!always && required && feed === undefined && begun.has(claim)) invalid('not-fed', path);
  }
}

/** The same fields in the same order, unchanged: else a record would become another record, or another's. */
function checkSame(reason: string, { fields }: Migration, old: readonly string[], next: readonly string[]): void {
  const same = old.length === next.length && next.every((path, index) => {
    const feed = fields.get(path);
    return feed?.from === old[index] && feed?.values === undefined && feed?.value === undefined;
  });
  if (!same) invalid(reason);
}

/** A record's data under the new version, `to`. What comes of it is checked like any record. */
export function migrateData({ fields }: Migration, { requiredClaims }: KindDefinition, data: JsonObject): JsonObject {
  const out: Record<string, JsonValue> = {};
  for (const [path, { from, value, values }] of fields) {
    const [claim = '', field] = path.split('.');
    const source = from === undefined ? undefined : from.includes('.') ? valueAt(data, from) : data[from];
    const found = source === undefined ? value : changed(source, values);
    if (found === undefined) continue;
    if (field === undefined) out[claim] = found;
    else out[claim] = { ...(isJsonObject(out[claim]) ? out[claim] : {}), [field]: found };
  }
  // A claim that may be missing and only has what every record gets says nothing of this one.
  return Object.fromEntries(Object.entries(out).filter(([claim]) => requiredClaims.includes(claim) || isFromRecord(fields, claim, data)));
}

function isFromRecord(fields: Migration['fields'], claim: string, data: JsonObject): boolean {
  const feeds = [...fields].filter(([path]) => path.split('.')[0] === claim).map(([, feed]) => feed);
  const sources = feeds.flatMap(({ from }) => (from === undefined ? [] : [from]));
  return sources.length === 0 || sources.some((from) => (from.includes('.') ? valueAt(data, from) : data[from]) !== undefined);
}
