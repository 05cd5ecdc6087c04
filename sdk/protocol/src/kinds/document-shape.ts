import { isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { claimNameShape } from '../ids.js';
import type { Shape } from '../shape.js';
import { isBoundedPattern } from './bounded-pattern.js';
import { fieldChecks } from './field-checks.js';

/** @throws SCHEMA_INVALID */
export function fault(reason: string): never {
  throw new ProtocolError('SCHEMA_INVALID', { reason });
}

/** The part of JSON Schema 2020-12 that a kind may use, and the keywords of its own. What is not here is refused. */
const keywords: ReadonlySet<string> = new Set([
  'type', 'properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties', 'items', 'minItems', 'maxItems',
  'pattern', 'minLength', 'maxLength', 'enum', 'const', 'minimum', 'maximum', 'allOf', 'if', 'then', 'else',
  'title', 'description', 'x-title-zh', 'x-code', 'x-code-when',
]);
const rootKeywords: ReadonlySet<string> = new Set([...keywords, '$schema', '$id', 'x-huilian']);
/** No `number`: what is counted is an integer, what is weighed or paid is a decimal string. */
const types: ReadonlySet<JsonValue> = new Set(['object', 'array', 'string', 'integer', 'boolean']);

function partsOf(value: JsonValue | undefined): readonly (readonly [string, JsonObject])[] {
  if (value === undefined) return [];
  if (!isJsonObject(value)) return fault('properties');
  return Object.entries(value).map(([name, part]) => (isJsonObject(part) ? [name, part] : fault('properties')));
}

/** Every object is closed, every list bounded, every pattern cheap. @throws SCHEMA_INVALID {reason} */
export function checkDocumentShape(document: JsonObject): void {
  checkKeywords(document, rootKeywords);
  if (document['type'] !== 'object' || document['additionalProperties'] !== false) fault('open-object');
  for (const [claim, shape] of partsOf(document['properties'])) {
    if (!isOf(claimNameShape, claim)) fault('claim-name');
    if (shape['type'] !== 'object' && shape['type'] !== 'array') fault('claim-type');
    checkShape(shape, 1);
    for (const [, field] of partsOf(shape['properties'])) checkCodeWords(field, shape);
  }
  for (const condition of listOf(document['allOf'])) checkCondition(condition);
}

/** Whether a value is of a shape, for callers that have an error of their own. */
export function isOf(shape: Shape<string>, value: JsonValue | undefined): boolean {
  try {
    return shape.read(value) === value;
  } catch {
    return false;
  }
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly JsonValue[]) : fault('all-of');
}

function checkKeywords(shape: JsonObject, allowed: ReadonlySet<string>): void {
  if (Object.keys(shape).some((keyword) => !allowed.has(keyword))) fault('keyword');
  if ('pattern' in shape && (typeof shape['pattern'] !== 'string' || !isBoundedPattern(shape['pattern']))) fault('pattern');
}

/** A part of the record: `depth` 1 is a claim, 2 its fields. */
function checkShape(shape: JsonObject, depth: number): void {
  checkKeywords(shape, keywords);
  const { type } = shape;
  if (type === undefined ? !('enum' in shape || 'const' in shape) : !types.has(type)) fault('type');
  if (type === 'object' && shape['additionalProperties'] !== false) fault('open-object');
  if (type === 'array' && (!isJsonObject(shape['items']) || typeof shape['maxItems'] !== 'number')) fault('unbounded-list');
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
  if (!isJsonObject(condition)) return fault('all-of');
  checkKeywords(condition, keywords);
  for (const word of ['if', 'then', 'else'] as const) if (condition[word] !== undefined) checkCondition(condition[word]);
  for (const [, part] of partsOf(condition['properties'])) checkCondition(part);
}
