import { isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { isClaimName } from '../payload.js';
import type { Shape } from '../shape.js';
import { isBoundedPattern } from './bounded-pattern.js';
import { fieldChecks } from './field-checks.js';

/** @throws SCHEMA_INVALID */
export function fault(reason: string): never {
  throw new ProtocolError('SCHEMA_INVALID', { reason });
}

type Reading = (value: JsonValue | undefined) => boolean;
const isText: Reading = (value) => typeof value === 'string';
const isCount: Reading = (value) => typeof value === 'number';
const isTexts: Reading = (value) => Array.isArray(value) && value.every(isText);

/** The part of JSON Schema 2020-12 that a kind may use, and the keywords of its own. What is not here is refused. */
const partKeywords: Readonly<Record<string, Reading>> = {
  type: isText, properties: isJsonObject, required: isTexts, additionalProperties: (value) => value === false, minProperties: isCount, maxProperties: isCount,
  items: isJsonObject, minItems: isCount, maxItems: isCount, pattern: (value) => typeof value === 'string' && isBoundedPattern(value),
  minLength: isCount, maxLength: isCount, enum: (value) => Array.isArray(value), const: () => true, minimum: isCount, maximum: isCount,
  title: isText, description: isText, 'x-title-zh': isText, 'x-code': isText, 'x-code-when': isJsonObject,
};
const rootKeywords: Readonly<Record<string, Reading>> = { ...partKeywords, $schema: isText, $id: isText, 'x-huilian': isJsonObject, allOf: (value) => Array.isArray(value) };
/** Conditions look at values and ask for more fields; the fields are described elsewhere. */
const conditionKeywords: Readonly<Record<string, Reading>> = {
  type: isText, properties: isJsonObject, required: isTexts, enum: (value) => Array.isArray(value), const: () => true, if: isJsonObject, then: isJsonObject, else: isJsonObject,
};
/** No `number`: what is counted is an integer, what is weighed or paid is a decimal string. */
const types: ReadonlySet<JsonValue> = new Set(['object', 'array', 'string', 'integer', 'boolean']);

function partsOf(value: JsonValue | undefined): readonly (readonly [string, JsonObject])[] {
  if (value === undefined) return [];
  if (!isJsonObject(value)) return fault('properties');
  return Object.entries(value).map(([name, part]) => {
    // SD-JWT gives these keys a meaning of its own, wherever they stand.
    if (name === '_sd' || name === '...') fault('field-name');
    return isJsonObject(part) ? [name, part] : fault('properties');
  });
}

/** Every object is closed, every list bounded, every pattern cheap. @throws SCHEMA_INVALID {reason} */
export function checkDocumentShape(document: JsonObject): void {
  checkKeywords(document, rootKeywords);
  if (document['type'] !== 'object' || document['additionalProperties'] !== false) fault('open-object');
  for (const [claim, shape] of partsOf(document['properties'])) {
    if (!isClaimName(claim)) fault('claim-name');
    if (shape['type'] !== 'object' && shape['type'] !== 'array') fault('claim-type');
    checkShape(shape, 1);
    for (const [, field] of partsOf(shape['properties'])) checkCodeWords(field, shape);
  }
  checkRequired(document);
  for (const condition of (document['allOf'] ?? []) as readonly JsonValue[]) checkCondition(condition);
}

/** Whether a value is of a shape, for callers that have an error of their own. */
export function isOf(shape: Shape<string>, value: JsonValue | undefined): boolean {
  try {
    return shape.read(value) === value;
  } catch {
    return false;
  }
}

function checkKeywords(shape: JsonObject, allowed: Readonly<Record<string, Reading>>): void {
  for (const [keyword, value] of Object.entries(shape)) {
    if (!Object.hasOwn(allowed, keyword)) fault('keyword');
    if (allowed[keyword]?.(value) !== true) fault(keyword);
  }
}

function checkRequired(shape: JsonObject): void {
  const known = new Set(partsOf(shape['properties']).map(([name]) => name));
  if (((shape['required'] ?? []) as readonly string[]).some((name) => !known.has(name))) fault('required');
}

/** A part of the record: `depth` 1 is a claim, 2 its fields. */
function checkShape(shape: JsonObject, depth: number): void {
  checkKeywords(shape, partKeywords);
  checkRequired(shape);
  const { type } = shape;
  if (type === undefined ? !('enum' in shape || 'const' in shape) : !types.has(type)) fault('type');
  if (type === 'object' && shape['additionalProperties'] !== false) fault('open-object');
  if (type === 'array' && (!('items' in shape) || !('maxItems' in shape))) fault('unbounded-list');
  if (depth !== 2 && ('x-code' in shape || 'x-code-when' in shape)) fault('x-code');
  if (isJsonObject(shape['items'])) checkShape(shape['items'], depth + 2);
  for (const [, part] of partsOf(shape['properties'])) checkShape(part, depth + 1);
}

/** `x-code` names a check of a text field; `x-code-when` limits it to one value of another field of the claim. */
function checkCodeWords(field: JsonObject, claim: JsonObject): void {
  const { 'x-code': word, 'x-code-when': when } = field;
  if (word !== undefined && (typeof word !== 'string' || !fieldChecks.has(word) || field['type'] !== 'string')) fault('x-code');
  if (when === undefined) return;
  if (word === undefined || !isJsonObject(when) || Object.keys(when).sort().join() !== 'equals,field') return fault('x-code-when');
  const known = partsOf(claim['properties']).some(([name]) => name === when['field']);
  if (!known) fault('x-code-when');
}

/** `if`, `then`, `else` say what else is required; they describe no part of the record, so they are open. */
function checkCondition(condition: JsonValue): void {
  if (!isJsonObject(condition)) return fault('allOf');
  checkKeywords(condition, conditionKeywords);
  for (const word of ['if', 'then', 'else'] as const) if (condition[word] !== undefined) checkCondition(condition[word]);
  for (const [, part] of partsOf(condition['properties'])) checkCondition(part);
}
