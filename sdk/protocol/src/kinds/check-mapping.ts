import { isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { isDateFormat } from './cell-reading.js';
import { fieldChecks } from './field-checks.js';
import { partsOf, ruleOf, transformOf } from './import-plan.js';
import type { KindDefinition } from './kind-definition.js';
import { mappingShape, type CellReading, type ColumnRule, type MappedValue, type MappingDocument } from './mapping-document.js';

/** One thing wrong with a mapping: where in the document, a closed word, and the field it is about. */
export interface MappingProblem {
  /** JSON pointer into the document. */
  readonly path: string;
  readonly code: string;
  /** `claim.field`. */
  readonly field?: string;
  readonly zh: string;
  readonly en: string;
}

const words: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  'other-kind': ['该映射属于另一种类', 'the mapping is for another kind'],
  'other-version': ['该映射属于另一版本', 'the mapping is for another schema version'],
  'column-open': ['该列尚未决定去向', 'it is still open where this column goes'],
  'unknown-national-column': ['该种类没有此国标字段', 'the kind has no such national column'],
  'unknown-field': ['该种类没有此字段', 'the kind has no such field'],
  'no-cell-field': ['该字段不能由一个单元格给出', 'a cell cannot give this field'],
  'format-unreadable': ['日期格式无法识别', 'the form of dates is not understood'],
  'parameter-unused': ['该参数与转换方式不符', 'this parameter does not go with the transform'],
  'unit-missing': ['金额没有单位：请给出 unit 或 unitColumns', 'the amount has no unit: give unit or unitColumns'],
  'split-shape': ['拆分须给出 by，或与各部分一一对应的 lengths', 'a split needs by, or lengths, one for each part'],
  'value-not-allowed': ['该字段不允许此取值', 'the field does not take this value'],
  'required-field-lost': ['必填字段没有任何列给出', 'no column gives this required field'],
};

class Problems {
  public readonly list: MappingProblem[] = [];

  public add(code: string, path: string, field?: string): void {
    const [zh, en] = words[code] ?? ['', ''];
    this.list.push({ path, code, ...(field === undefined ? {} : { field }), zh, en });
  }
}

/** Everything that is wrong with a mapping for this kind and version; none where rows may be mapped by it. */
export function checkMapping(kind: KindDefinition, mapping: MappingDocument): readonly MappingProblem[] {
  const problems = new Problems();
  if (mapping.kind !== kind.kind) problems.add('other-kind', '/kind');
  else if (mapping.schema !== kind.version) problems.add('other-version', '/schema');
  if (problems.list.length > 0) return problems.list;
  const units = unitColumnsOf(kind, mapping);
  for (const [column, rule] of Object.entries(mapping.columns)) checkColumn(kind, rule, `/columns/${pointerPart(column)}`, units, problems);
  (mapping.joins ?? []).forEach((join, index) => { checkCell(kind, join.to, join, `/joins/${String(index)}`, units, problems); });
  (mapping.constants ?? []).forEach(({ to, value }, index) => {
    const path = `/constants/${String(index)}`;
    if (isCellField(kind, to, path, problems) && !fits(kind, to, value)) problems.add('value-not-allowed', `${path}/value`, to);
  });
  for (const field of lostFields(kind, mapping)) problems.add('required-field-lost', '', field);
  return problems.list;
}

/** Reads a mapping and holds it against its kind. @throws BAD_FIELD, UNKNOWN_FIELD, MAPPING_INVALID {path, reason, field?, problems} */
export function readMapping(kind: KindDefinition, document: unknown): MappingDocument {
  const mapping = mappingShape.read(document);
  const problems = checkMapping(kind, mapping);
  const [first] = problems;
  if (first === undefined) return mapping;
  throw new ProtocolError('MAPPING_INVALID', { path: first.path, reason: first.code, ...(first.field === undefined ? {} : { field: first.field }), problems: problems.length });
}

function pointerPart(column: string): string {
  return column.replaceAll('~', '~0').replaceAll('/', '~1');
}

// --- columns -----------------------------------------------------------------------------------------------------------------

function checkColumn(kind: KindDefinition, rule: ColumnRule, path: string, units: ReadonlySet<string>, problems: Problems): void {
  if ('open' in rule) problems.add('column-open', path);
  if ('as' in rule && !Object.hasOwn(kind.import, rule.as)) problems.add('unknown-national-column', `${path}/as`);
  if ('to' in rule) checkCell(kind, rule.to, rule, path, units, problems);
  if (!('split' in rule)) return;
  const { by, into, lengths } = rule.split;
  if ((by === undefined) === (lengths === undefined) || (lengths !== undefined && lengths.length !== into.length)) problems.add('split-shape', `${path}/split`);
  into.forEach((part, index) => {
    if ('to' in part) checkCell(kind, part.to, part, `${path}/split/into/${String(index)}`, units, problems);
  });
}

function checkCell(kind: KindDefinition, to: string, reading: CellReading, path: string, units: ReadonlySet<string>, problems: Problems): void {
  if (!isCellField(kind, to, path, problems)) return;
  const transform = transformOf(kind, to, reading);
  checkParameters(reading, transform, path, problems);
  (reading.formats ?? []).forEach((format, index) => {
    if (!isDateFormat(format, transform === 'datetime14')) problems.add('format-unreadable', `${path}/formats/${String(index)}`, to);
  });
  if (transform === 'amount' && reading.unit === undefined && reading.unitColumns === undefined) {
    const own = ruleOf(kind, to)?.unit ?? [];
    if (!own.some((column) => units.has(column))) problems.add('unit-missing', path, to);
  }
  for (const [text, value] of Object.entries(reading.values ?? {})) {
    if (!fits(kind, to, transform === 'list' && typeof value === 'string' ? [value] : value)) problems.add('value-not-allowed', `${path}/values/${pointerPart(text)}`, to);
  }
}

const parametersOf: Readonly<Record<string, readonly (keyof CellReading)[]>> = {
  date8: ['formats'], datetime14: ['formats'], amount: ['unit', 'unitColumns', 'thousands'], list: ['separator'],
};

function checkParameters(reading: CellReading, transform: string, path: string, problems: Problems): void {
  const allowed = parametersOf[transform] ?? [];
  for (const name of ['formats', 'separator', 'thousands', 'unit', 'unitColumns'] as const) {
    if (reading[name] !== undefined && !allowed.includes(name)) problems.add('parameter-unused', `${path}/${name}`);
  }
  if (reading.otherwise !== undefined && reading.values === undefined) problems.add('parameter-unused', `${path}/otherwise`);
  if (reading.unit !== undefined && reading.unitColumns !== undefined) problems.add('parameter-unused', `${path}/unitColumns`);
}

/** National unit columns that the mapping's file has, by their own name or another. */
function unitColumnsOf(kind: KindDefinition, { columns }: MappingDocument): ReadonlySet<string> {
  return new Set(Object.values(columns).flatMap((rule) => ('as' in rule && kind.import[rule.as]?.transform === 'unit' ? [rule.as] : [])));
}

// --- fields ------------------------------------------------------------------------------------------------------------------

/** The schema of a field of a claim that is one object. */
export function fieldSchema({ document }: KindDefinition, path: string): JsonObject | undefined {
  const [claim, field] = partsOf(path);
  return objectAt(objectAt(objectAt(objectAt(document, 'properties'), claim), 'properties'), field);
}

function objectAt(value: JsonObject | undefined, name: string): JsonObject | undefined {
  const found = value !== undefined && Object.hasOwn(value, name) ? value[name] : undefined;
  return isJsonObject(found) ? found : undefined;
}

function isCellField(kind: KindDefinition, to: string, path: string, problems: Problems): boolean {
  const schema = fieldSchema(kind, to);
  const nested = schema?.['type'] === 'object' || (schema?.['type'] === 'array' && objectAt(schema, 'items')?.['type'] !== 'string');
  if (schema === undefined) problems.add('unknown-field', `${path}/to`, to);
  else if (nested) problems.add('no-cell-field', `${path}/to`, to);
  return schema !== undefined && !nested;
}

/** Whether a field of the kind takes a value: its type, its list or pattern, its code. */
function fits(kind: KindDefinition, to: string, value: MappedValue): boolean {
  const schema = fieldSchema(kind, to) ?? {};
  if (schema['type'] === 'array') return typeof value === 'object' && value.every((entry) => takes(objectAt(schema, 'items') ?? {}, entry));
  return typeof value !== 'object' && takes(schema, value);
}

function takes(schema: JsonObject, value: string | boolean): boolean {
  if (schema['enum'] !== undefined) return (schema['enum'] as readonly JsonValue[]).includes(value);
  if (schema['type'] === 'boolean') return typeof value === 'boolean';
  if (typeof value !== 'string' || schema['type'] !== 'string') return false;
  const { pattern, 'x-code': code } = schema;
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) return false;
  return typeof code !== 'string' || fieldChecks.get(code)?.(value).ok !== false;
}

// --- what is lost ------------------------------------------------------------------------------------------------------------

/** Fields that every record needs, or every record with a claim that the mapping feeds, and that nothing feeds. */
function lostFields(kind: KindDefinition, mapping: MappingDocument): readonly string[] {
  const fed = fedFields(kind, mapping);
  const claims = new Set([...kind.requiredClaims, ...[...fed].map((path) => partsOf(path)[0])]);
  const properties = objectAt(kind.document, 'properties');
  return [...claims].flatMap((claim) => {
    const required = objectAt(properties, claim)?.['required'];
    return ((required ?? []) as readonly string[]).map((field) => `${claim}.${field}`).filter((path) => !fed.has(path));
  });
}

function fedFields(kind: KindDefinition, { columns, constants = [], joins = [] }: MappingDocument): ReadonlySet<string> {
  const rules = Object.values(columns);
  const national = new Set(rules.flatMap((rule) => ('as' in rule ? [rule.as] : [])));
  const fed = new Set([
    ...rules.flatMap(pathsOf),
    ...[...national].flatMap((column) => (Object.hasOwn(kind.import, column) ? [kind.import[column]?.path ?? ''] : [])),
    ...kind.importFill.flatMap(({ column, path }) => (national.has(column) ? [path] : [])),
    ...joins.map(({ to }) => to),
  ]);
  fed.delete('');
  const claims = new Set([...fed].map((path) => partsOf(path)[0]));
  for (const { ifClaim = false, to } of constants) if (!ifClaim || claims.has(partsOf(to)[0])) fed.add(to);
  return fed;
}

function pathsOf(rule: ColumnRule): readonly string[] {
  if ('to' in rule) return [rule.to];
  return 'split' in rule ? rule.split.into.flatMap((part) => ('to' in part ? [part.to] : [])) : [];
}
