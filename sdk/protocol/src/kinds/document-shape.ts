import { isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { isClaimName } from '../payload.js';
import { prose, type Shape } from '../shape.js';
import { isBoundedPattern } from './bounded-pattern.js';
import { isCodeSetName, isFieldName, isInheritedName } from './closed-names.js';

/** @throws SCHEMA_INVALID */
export function fault(reason: string): never {
  throw new ProtocolError('SCHEMA_INVALID', { reason });
}

type Reading = (value: JsonValue | undefined) => boolean;
const isText: Reading = (value) => typeof value === 'string';
const words = prose(500);
/** A title or description: bounded, and nothing in it that is not seen. */
export const isWords: Reading = (value) => isOf(words, value);
const isCount: Reading = (value) => typeof value === 'number' && value >= 0;
const isNumber: Reading = (value) => typeof value === 'number';
const isNames: Reading = (value) => Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
const isPlain: Reading = (value) => value === null || typeof value !== 'object';
const mostValues = 1000;
const isValues: Reading = (value) => Array.isArray(value) && value.length > 0 && value.length <= mostValues && value.every(isPlain) && new Set(value).size === value.length;

/** The part of JSON Schema 2020-12 that a kind may use, and the keywords of its own. What is not here is refused. */
const partKeywords: Readonly<Record<string, Reading>> = {
  type: isText, properties: isJsonObject, required: isNames, additionalProperties: (value) => value === false, minProperties: isCount, maxProperties: isCount,
  items: isJsonObject, minItems: isCount, maxItems: isCount, pattern: (value) => typeof value === 'string' && isBoundedPattern(value),
  minLength: isCount, maxLength: isCount, enum: isValues, const: isPlain, minimum: isNumber, maximum: isNumber,
  title: isWords, description: isWords, 'x-title-zh': isWords, 'x-code': isText, 'x-code-when': isJsonObject,
};
const mostConditions = 64;
const rootKeywords: Readonly<Record<string, Reading>> = {
  ...partKeywords, $schema: isWords, $id: isWords, 'x-huilian': isJsonObject, allOf: (value) => Array.isArray(value) && value.length <= mostConditions,
};
/** Conditions look at values and ask for more fields; the fields are described elsewhere. */
const conditionKeywords: Readonly<Record<string, Reading>> = {
  type: isText, properties: isJsonObject, required: isNames, enum: isValues, const: isPlain, if: isJsonObject, then: isJsonObject, else: isJsonObject,
};
/** No `number`: what is counted is an integer, what is weighed or paid is a decimal string. */
const types: ReadonlySet<JsonValue> = new Set(['object', 'array', 'string', 'integer', 'boolean']);
/** Deeper than any form has boxes in boxes. */
const deepest = 8;

function partsOf(value: JsonValue | undefined): readonly (readonly [string, JsonObject])[] {
  if (value === undefined) return [];
  if (!isJsonObject(value)) return fault('properties');
  return Object.entries(value).map(([name, part]) => {
    // SD-JWT gives `_sd` and `...` a meaning of its own, wherever they stand; they are no field names either.
    if (!isFieldName(name)) fault('field-name');
    return isJsonObject(part) ? [name, part] : fault('properties');
  });
}

/** Every object is closed, every list bounded, every pattern cheap. @throws SCHEMA_INVALID {reason} */
export function checkDocumentShape(document: JsonObject): void {
  checkKeywords(document, rootKeywords);
  if (document['type'] !== 'object' || document['additionalProperties'] !== false) fault('open-object');
  for (const claim of Object.keys(isJsonObject(document['properties']) ? document['properties'] : {})) {
    if (!isClaimName(claim) || isInheritedName(claim)) fault('claim-name');
  }
  for (const [, shape] of partsOf(document['properties'])) {
    if (shape['type'] !== 'object' && shape['type'] !== 'array') fault('claim-type');
    checkShape(shape, 1);
    for (const [, field] of partsOf(shape['properties'])) checkCodeWords(field, shape);
  }
  checkRequired(document);
  for (const condition of (document['allOf'] ?? []) as readonly JsonValue[]) checkCondition(condition, document);
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
  if (depth > deepest) fault('too-deep');
  if (type === 'object' && shape['additionalProperties'] !== false) fault('open-object');
  if (type === 'array' && (!('items' in shape) || !('maxItems' in shape))) fault('unbounded-list');
  if (depth !== 2 && ('x-code' in shape || 'x-code-when' in shape)) fault('x-code');
  if (isJsonObject(shape['items'])) checkShape(shape['items'], depth + 2);
  for (const [, part] of partsOf(shape['properties'])) checkShape(part, depth + 1);
}

/** `x-code` names a check of a text field, or a code set adopted by vote; `x-code-when` limits it to one value of another field of the claim. */
function checkCodeWords(field: JsonObject, claim: JsonObject): void {
  const { 'x-code': word, 'x-code-when': when } = field;
  if (word !== undefined && (typeof word !== 'string' || !isCodeSetName(word) || field['type'] !== 'string')) fault('x-code');
  if (when === undefined) return;
  if (word === undefined || !isJsonObject(when) || Object.keys(when).sort().join() !== 'equals,field') return fault('x-code-when');
  const known = partsOf(claim['properties']).some(([name]) => name === when['field']);
  if (!known) fault('x-code-when');
}

/**
 * `if`, `then`, `else` say what else is required of a part of the record; they describe none, so they are open, and speak
 * only of what is described: what asks for more can be met by no record.
 */
function checkCondition(condition: JsonValue, described: JsonObject): void {
  if (!isJsonObject(condition)) return fault('allOf');
  checkKeywords(condition, conditionKeywords);
  const parts = isJsonObject(described['properties']) ? described['properties'] : {};
  for (const word of ['if', 'then', 'else'] as const) if (condition[word] !== undefined) checkCondition(condition[word], described);
  if ('if' in condition !== ('then' in condition || 'else' in condition)) fault('if');
  for (const name of (condition['required'] ?? []) as readonly string[]) if (!Object.hasOwn(parts, name)) fault('condition-required');
  for (const [name, part] of partsOf(condition['properties'])) {
    const of = Object.hasOwn(parts, name) ? parts[name] : undefined;
    if (!isJsonObject(of)) return fault('condition-properties');
    checkCondition(part, of);
  }
}
