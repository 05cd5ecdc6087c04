import { isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { kindShape, memberIdShape } from '../ids.js';
import { bundledKinds, type KindDefinition } from '../kinds/index.js';
import { dictionary, list, literal, object, oneOf, optional, prose, text, type Read } from '../shape.js';

/**
 * A platform's own form said as data: where each of its fields comes from, how it is written there, and which record counts
 * where several disagree. Closed: what it does not say is not done.
 */

/** `kind/claim.field` */
const sourceShape = text(/[a-z][a-z0-9-]{1,30}[a-z0-9]\/[a-z][A-Za-z0-9]{0,39}\.[a-z][A-Za-z0-9]{0,39}/, 120);
/** `claim.field`, of the table's kind. */
const columnSourceShape = text(/[a-z][A-Za-z0-9]{0,39}\.[a-z][A-Za-z0-9]{0,39}/, 81);
/** Names of a form's fields are the platform's own. */
const fieldNames = /\p{L}[\p{L}\p{N}_.-]{0,63}/u;

/** How a value is written in the form; as it is in the record where absent. */
const transformShape = oneOf('date', 'date-compact', 'date-slash', 'date-zh', 'first', 'join', 'one-zero', 'wan-yuan', 'yes-no', 'yuan');
/** One word of the transforms. */
export type FormTransform = Read<typeof transformShape>;

/**
 * Which reading counts where records differ: the newest, that of a named centre, or none: then a person is asked. Readings that
 * the owner disputes come last.
 */
const preferShape = object({ centre: optional(memberIdShape), rule: oneOf('ask', 'centre', 'newest') });
export type Preference = Read<typeof preferShape>;

const mappedFieldShape = object({
  /** The first that has a value counts. */
  from: list(sourceShape, 1, 8),
  prefer: optional(preferShape),
  separator: optional(text(/[^\u0000-\u001f]{1,4}/, 4)),
  transform: optional(transformShape),
});
const columnShape = object({ from: columnSourceShape, separator: optional(text(/[^\u0000-\u001f]{1,4}/, 4)), transform: optional(transformShape) });
const tableShape = object({ columns: dictionary(fieldNames, columnShape, 64), kind: kindShape, prefer: optional(preferShape) });

export const fieldMapShape = object({
  fields: dictionary(fieldNames, mappedFieldShape, 500),
  form: prose(100),
  format: literal('field-map/1'),
  /** For the whole form, where a field says nothing else; `ask` where absent. */
  prefer: optional(preferShape),
  /** Lists of a form, such as all performance: one row for each thing of a kind, newest first. */
  tables: optional(dictionary(fieldNames, tableShape, 20)),
});
/** A field map as it is read. */
export type FieldMap = Read<typeof fieldMapShape>;
export type MappedField = Read<typeof mappedFieldShape>;
export type MappedTable = Read<typeof tableShape>;

/**
 * Reads a field map and holds it against the kinds: a field that no kind has and a transform that does not fit its value would
 * fill nothing, and nobody would know why. @throws BAD_FIELD {path, reason}, UNKNOWN_FIELD
 */
export function readFieldMap(value: unknown, kinds: readonly KindDefinition[] = bundledKinds()): FieldMap {
  const map = fieldMapShape.read(value);
  checkPreference(map.prefer, '/prefer');
  for (const [name, field] of Object.entries(map.fields)) {
    checkPreference(field.prefer, `/fields/${name}/prefer`);
    for (const from of field.from) {
      const [kind = '', path = ''] = from.split('/');
      checkSource(kinds, kind, path, field.transform, `/fields/${name}`);
    }
  }
  for (const [name, table] of Object.entries(map.tables ?? {})) {
    checkPreference(table.prefer, `/tables/${name}/prefer`);
    for (const [column, { from, transform }] of Object.entries(table.columns)) checkSource(kinds, table.kind, from, transform, `/tables/${name}/columns/${column}`);
  }
  return map;
}

/** Kinds that a field map names, ascending. @throws BAD_FIELD, UNKNOWN_FIELD for what is no field map */
export function kindsOfFieldMap(value: unknown): readonly string[] {
  const map = fieldMapShape.read(value);
  const sources = Object.values(map.fields).flatMap(({ from }) => from.map((source) => source.split('/')[0] ?? ''));
  return [...new Set([...sources, ...Object.values(map.tables ?? {}).map(({ kind }) => kind)])].sort();
}

function bad(path: string, reason: string): never {
  throw new ProtocolError('BAD_FIELD', { path, reason });
}

/** A centre is named exactly where the rule needs one. */
function checkPreference(prefer: Preference | undefined, path: string): void {
  if (prefer !== undefined && (prefer.rule === 'centre') !== (prefer.centre !== undefined)) bad(`${path}/centre`, 'rule');
}

function checkSource(kinds: readonly KindDefinition[], kind: string, path: string, transform: FormTransform | undefined, place: string): void {
  const versions = kinds.filter((definition) => definition.kind === kind);
  if (versions.length === 0) bad(`${place}/from`, 'kind-unknown');
  const shapes = versions.map((definition) => fieldShapeOf(definition, path)).filter((shape) => shape !== undefined);
  if (shapes.length === 0) bad(`${place}/from`, 'no-such-field');
  if (transform !== undefined && !shapes.some((shape) => fits[transform](shape))) bad(`${place}/transform`, 'does-not-fit');
}

/** The schema of a field of a claim that is one object. */
function fieldShapeOf({ document }: KindDefinition, path: string): JsonObject | undefined {
  const [claim = '', field = ''] = path.split('.');
  return childOf(childOf(document['properties'], claim)?.['properties'], field);
}

function childOf(value: JsonValue | undefined, name: string): JsonObject | undefined {
  const child = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return isJsonObject(child) ? child : undefined;
}

type Fits = (shape: JsonObject) => boolean;
const isDay: Fits = (shape) => shape['x-code'] === 'date' || shape['x-code'] === 'time';
const isList: Fits = (shape) => shape['type'] === 'array';
const isTruth: Fits = (shape) => shape['type'] === 'boolean';
/** Amounts are integers of fen as texts. */
const isAmount: Fits = (shape) => shape['type'] === 'string' && typeof shape['pattern'] === 'string' && !('x-code' in shape) && new RegExp(shape['pattern'], 'u').test('4001682200') && !new RegExp(shape['pattern'], 'u').test('a');
const fits: Readonly<Record<FormTransform, Fits>> = {
  date: isDay, 'date-compact': isDay, 'date-slash': isDay, 'date-zh': isDay, first: isList, join: isList, 'one-zero': isTruth, 'wan-yuan': isAmount, 'yes-no': isTruth, yuan: isAmount,
};

/** A value as a form writes it; undefined where the record's value is not what the transform reads. */
export function writeValue(value: JsonValue, transform: FormTransform | undefined, separator = '、'): JsonValue | undefined {
  if (transform === undefined) return value;
  if (Array.isArray(value)) return writeList(value as readonly JsonValue[], transform, separator);
  if (typeof value === 'boolean') return truths[transform]?.[value ? 1 : 0];
  return typeof value === 'string' ? writers[transform]?.(value) : undefined;
}

function writeList(items: readonly JsonValue[], transform: FormTransform, separator: string): JsonValue | undefined {
  if (transform === 'join') return items.map(String).join(separator);
  return transform === 'first' ? items[0] : undefined;
}

const truths: Readonly<Partial<Record<FormTransform, readonly [no: string, yes: string]>>> = { 'one-zero': ['0', '1'], 'yes-no': ['否', '是'] };

const writers: Readonly<Partial<Record<FormTransform, (text: string) => string | undefined>>> = {
  date: (text) => dayOf(text)?.join('-'),
  'date-compact': (text) => dayOf(text)?.join(''),
  'date-slash': (text) => dayOf(text)?.join('/'),
  'date-zh': (text) => {
    const [year, month, day] = dayOf(text)?.map(Number) ?? [];
    return day === undefined ? undefined : `${String(year)}年${String(month)}月${String(day)}日`;
  },
  'wan-yuan': (text) => withoutZeros(amount(text, 6)),
  yuan: (text) => amount(text, 2),
};

/** A decimal without the zeros at its end. */
function withoutZeros(decimal: string | undefined): string | undefined {
  const [whole, fraction = ''] = decimal?.split('.') ?? [];
  let end = fraction.length;
  while (end > 0 && fraction[end - 1] === '0') end -= 1;
  return end === 0 ? whole : `${whole ?? ''}.${fraction.slice(0, end)}`;
}

function dayOf(text: string): readonly string[] | undefined {
  return /^(\d{4})-(\d{2})-(\d{2})(?:T|$)/.exec(text)?.slice(1);
}

/** Integer fen with the point so many digits from the right: nothing is rounded. */
function amount(text: string, decimals: number): string | undefined {
  if (!/^(?:0|[1-9]\d{0,29})$/.test(text)) return undefined;
  const digits = text.padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}
