import { canonicalize, isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { kindDefinition, valueAt, type KindDefinition } from '../kinds/index.js';
import { attestersOf, isReadable, placeOfRecord, standingOf, verdictOn, viewRecordShape, type ReadableRecord, type RecordNote, type Standing, type ViewRecord } from './view-record.js';

/** Which record says a value, and what stands behind it. */
export interface ClaimSource {
  readonly recordId: string;
  readonly version: number;
  /** The centre that verified it. */
  readonly centre: string;
  /** When, by the ledger: Unix seconds of the transaction that published this version. */
  readonly verifiedAt: number;
  readonly standing: Standing;
  /** Other centres that attested this version, ascending. */
  readonly attestedBy: readonly string[];
  /** Other centres that found it to differ, ascending. */
  readonly contradictedBy: readonly string[];
  /** The owner's own word on this claim. */
  readonly verdict?: 'confirm' | 'dispute';
}

/** One reading of a claim, and every record that has exactly it, newest first. */
export interface Alternative {
  readonly value: JsonValue;
  readonly from: readonly ClaimSource[];
}

/** A claim as all centres have it: readings side by side, newest first, those that may still be relied on before others. */
export interface MergedClaim {
  readonly claim: string;
  readonly alternatives: readonly Alternative[];
  /** Readings of current records contradict each other. Lists do not: one that names less denies nothing. */
  readonly disagree: boolean;
  /** Fields in which they do, ascending. */
  readonly fields: readonly string[];
}

/** What several records are about: one company, one certificate, one contract. */
export interface Thing {
  readonly kind: string;
  /** The natural key by path; absent where the viewer may not read all of it: then the record stands by itself. */
  readonly key?: JsonObject;
  readonly records: readonly RecordNote[];
  readonly claims: readonly MergedClaim[];
  readonly disagree: boolean;
}

/** What all centres say, as far as one viewer may read it. */
export interface MergedRecords {
  readonly things: readonly Thing[];
  /** Records of which this viewer sees the header only. */
  readonly unreadable: readonly RecordNote[];
}

/** How a schema version is found: the bundled kinds, or those that a node adopted. */
export type FindKind = (kind: string, version: number) => KindDefinition | undefined;

/**
 * Merges what all centres say, claim by claim. Nothing is chosen and nothing is overwritten: readings that differ stand side
 * by side. The order of the records makes no difference; of one record id only the newest version counts.
 * @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID for what is no view record
 */
export function mergeRecords(records: readonly unknown[], find: FindKind = kindDefinition): MergedRecords {
  const newest = new Map<string, ViewRecord>();
  for (const [index, value] of records.entries()) {
    const record = viewRecordShape.read(value, `/${String(index)}`);
    const before = newest.get(record.recordId);
    if (before === undefined || before.version < record.version) newest.set(record.recordId, record);
  }
  const ordered = [...newest.values()].sort(byAge);
  const groups = new Map<string, { readonly key: JsonObject | undefined; readonly records: ReadableRecord[] }>();
  for (const record of ordered.filter(isReadable)) {
    const key = naturalKey(record, find);
    const { kind } = placeOfRecord(record);
    const id = key === undefined ? record.recordId : `${kind} ${canonicalize(key)}`;
    const group = groups.get(id) ?? { key, records: [] };
    group.records.push(record);
    groups.set(id, group);
  }
  const things = [...groups].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, group]) => thingOf(group.key, group.records));
  return { things, unreadable: ordered.filter((record) => !isReadable(record)).map(noteOf) };
}

/** Newest first; of one moment by id, so that every order of input comes to one output. */
function byAge(left: ViewRecord, right: ViewRecord): number {
  return right.publishedAt - left.publishedAt || (left.recordId < right.recordId ? -1 : 1);
}

function noteOf({ claims: _claims, whole: _whole, ...note }: ViewRecord): RecordNote {
  return note;
}

/** Undefined while a part of it is withheld. What the header says as well needs no claim. */
function naturalKey(record: ReadableRecord, find: FindKind): JsonObject | undefined {
  const { kind } = placeOfRecord(record);
  const definition = find(kind, record.schema);
  if (definition === undefined) return undefined;
  const values = definition.naturalKey.map((path) => [path, keyPart(record, definition, path)] as const);
  return values.every((entry): entry is readonly [string, JsonValue] => entry[1] !== undefined) ? Object.fromEntries(values) : undefined;
}

function keyPart(record: ReadableRecord, { owner, subject }: KindDefinition, path: string): JsonValue | undefined {
  if (path === owner && record.owner?.startsWith('org:') === true) return record.owner.slice('org:'.length);
  if (path === subject && record.subject !== '') return record.subject.slice('org:'.length);
  const [claim = ''] = path.split('.');
  const isShown = record.whole === true || Object.hasOwn(record.claims, claim);
  return isShown ? (valueAt(record.claims, path) ?? '') : undefined;
}

function thingOf(key: JsonObject | undefined, records: readonly ReadableRecord[]): Thing {
  const names = [...new Set(records.flatMap(({ claims }) => Object.keys(claims)))].sort();
  const claims = names.map((claim) => mergeClaim(claim, records));
  const { kind } = placeOfRecord(records[0] as ReadableRecord);
  return { kind, ...(key === undefined ? {} : { key }), records: records.map(noteOf), claims, disagree: claims.some(({ disagree }) => disagree) };
}

function mergeClaim(claim: string, records: readonly ReadableRecord[]): MergedClaim {
  const readings = new Map<string, { readonly value: JsonValue; readonly from: ClaimSource[] }>();
  for (const record of records) {
    const value = Object.hasOwn(record.claims, claim) ? record.claims[claim] : undefined;
    if (value === undefined) continue;
    const text = canonicalize(value);
    const reading = readings.get(text) ?? { value, from: [] };
    reading.from.push(sourceOf(record, claim));
    readings.set(text, reading);
  }
  const alternatives = [...readings.values()].sort((left, right) => Number(isLive(right)) - Number(isLive(left)));
  const fields = differingFields(alternatives.filter(isLive).map(({ value }) => value));
  return { claim, alternatives, disagree: fields.length > 0, fields };
}

/** Of records that are superseded, revoked or contested nothing is relied on: they are shown, and contradict nobody. */
function isLive({ from }: Alternative): boolean {
  return from.some(({ standing }) => standing === 'current');
}

/** A field that one record leaves out contradicts nothing. */
function differingFields(values: readonly JsonValue[]): readonly string[] {
  const groups = values.filter(isJsonObject);
  const names = [...new Set(groups.flatMap((group) => Object.keys(group)))].sort();
  return names.filter((name) => new Set(groups.flatMap((group) => (group[name] === undefined ? [] : [canonicalize(group[name])]))).size > 1);
}

function sourceOf(record: ReadableRecord, claim: string): ClaimSource {
  const verdict = verdictOn(record, claim);
  return {
    recordId: record.recordId,
    version: record.version,
    centre: placeOfRecord(record).centre,
    verifiedAt: record.publishedAt,
    standing: standingOf(record),
    attestedBy: attestersOf(record, 'agrees'),
    contradictedBy: attestersOf(record, 'differs'),
    ...(verdict === undefined ? {} : { verdict }),
  };
}
