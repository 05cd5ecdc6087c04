import { canonicalBytes, isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { kindShape } from '../ids.js';
import { limits } from '../limits.js';
import { transforms } from './cell-transforms.js';
import { isInheritedName } from './closed-names.js';
import { checkDocumentShape, fault, isOf, isWords } from './document-shape.js';
import { isAcross, linkRules } from './link-rules.js';

export type RightsClass = 'owner' | 'publisher' | 'public';

export interface Title {
  readonly zh: string;
  readonly en: string;
}

export interface ClaimDefinition extends Title {
  /** Field names in the claim that are personal data. */
  readonly personal: readonly string[];
}

export interface LinkCheck extends Title {
  /** `prefix`, `dates-ordered`, …: what is compared; `across-…` checks need more than this record. */
  readonly code: string;
  /** `claim.field` paths. */
  readonly paths: readonly string[];
  readonly severity: 'error' | 'warning' | 'across';
}

/** How one national column becomes a field. */
export interface ImportRule {
  /** `claim.field`, or empty for columns that only help others or are ignored. */
  readonly path: string;
  readonly transform: string;
  /** Columns that may carry the unit of an amount (0 yuan, 1 ten thousand yuan); one of them must. */
  readonly unit?: readonly string[];
}

/** What a row says by having a column: where `column` is filled and `path` is still empty, it gets `value`, or what stands at `copy`. */
export interface ImportFill {
  readonly column: string;
  readonly path: string;
  readonly value?: JsonValue;
  readonly copy?: string;
}

/** A kind of record as its adopted document declares it. */
export interface KindDefinition {
  readonly kind: string;
  readonly version: number;
  readonly title: Title;
  readonly vct: string;
  readonly rights: readonly RightsClass[];
  readonly defaultRights: RightsClass;
  /** The first entry whose field equals the value decides the rights class. */
  readonly rightsWhen: readonly { readonly path: string; readonly equals: JsonValue; readonly rights: RightsClass }[];
  /** `claim.field` paths whose values make two rows the same record. */
  readonly naturalKey: readonly string[];
  /** Path of the USCC the header's subject is made of; null where the header's subject is empty. */
  readonly subject: string | null;
  /** Path of the USCC of the owner; null for publisher-owned kinds. */
  readonly owner: string | null;
  readonly claims: Readonly<Record<string, ClaimDefinition>>;
  readonly requiredClaims: readonly string[];
  readonly sealed: boolean;
  /** Path of the date or time from which the record's codes are; the day it comes in where absent. */
  readonly dated?: string;
  readonly linkChecks: readonly LinkCheck[];
  readonly import: Readonly<Record<string, ImportRule>>;
  /** In order; the first that applies to a path wins. */
  readonly importFill: readonly ImportFill[];
  /** The whole schema document, whose canonical bytes are adopted by vote. */
  readonly document: JsonObject;
}

const mostColumnCharacters = 100;

/** The facts of `x-huilian` and what each must be. A fact that is not here is refused. */
const facts: Readonly<Record<string, (value: JsonValue | undefined, properties: JsonObject) => boolean>> = {
  kind: (value) => value !== 'sealed' && isOf(kindShape, value) && !isInheritedName(value as string),
  version: (value) => typeof value === 'number' && value >= 1 && value <= 9999,
  title: (value) => isJsonObject(value) && hasExactly(value, ['en', 'zh']) && isTitle(value),
  rights: (value) => isList(value, isRights) && value.length > 0,
  defaultRights: isRights,
  rightsWhen: (value, properties) =>
    isList(value, (entry) => hasExactly(entry, ['equals', 'path', 'rights']) && isPath(entry['path'], properties) && isRights(entry['rights'])),
  naturalKey: (value, properties) => isList(value, (entry) => isPath(entry, properties)) && value.length > 0,
  subject: (value, properties) => value === null || isPath(value, properties),
  owner: (value, properties) => value === null || isPath(value, properties),
  claims: (value, properties) =>
    isJsonObject(value) &&
    Object.keys(value).sort().join() === Object.keys(properties).sort().join() &&
    Object.entries(value).every(([claim, entry]) => isClaim(entry, properties[claim])),
  sealed: (value) => typeof value === 'boolean',
  dated: (value, properties) => value === undefined || isPath(value, properties),
  linkChecks: (value, properties) => isList(value, (entry) => isLinkCheck(entry, properties)),
  import: (value, properties) => isJsonObject(value) && Object.entries(value).every(([column, rule]) => isColumn(column) && isImportRule(rule, properties)),
  importFill: (value, properties) => value === undefined || isList(value, (entry) => isImportFill(entry, properties)),
};

/** Reads a schema document: its closed shape and its facts. @throws SCHEMA_INVALID {reason} */
export function kindFromDocument(document: JsonObject): KindDefinition {
  if (canonicalBytes(document).length > limits.schemaDocumentBytes) fault('too-large');
  checkDocumentShape(document);
  const declared = document['x-huilian'];
  const properties = document['properties'];
  if (!isJsonObject(declared) || !isJsonObject(properties)) return fault('x-huilian');
  if (Object.keys(declared).some((fact) => !Object.hasOwn(facts, fact))) fault('unknown-fact');
  for (const [fact, fits] of Object.entries(facts)) if (!fits(declared[fact], properties)) fault(kebab(fact));
  checkTogether(declared);
  checkDated(declared, document);
  const { kind, version } = declared as unknown as { kind: string; version: number };
  return {
    ...(declared as unknown as Omit<KindDefinition, 'vct' | 'document' | 'requiredClaims' | 'importFill'>),
    importFill: (declared['importFill'] ?? []) as unknown as readonly ImportFill[],
    vct: `urn:huilian:record:${kind}:${String(version)}`,
    requiredClaims: Array.isArray(document['required']) ? (document['required'] as readonly string[]) : [],
    document,
  };
}

/** Rights a record may get are rights the kind allows, and whose subject must authorise names whose it is. */
function checkTogether(declared: JsonObject): void {
  const { rights, defaultRights, rightsWhen, owner } = declared as unknown as KindDefinition;
  const given = [defaultRights, ...rightsWhen.map((rule) => rule.rights)];
  if (!given.every((entry) => rights.includes(entry))) fault('rights');
  if (rights.includes('owner') !== (owner !== null)) fault('owner');
}

function checkDated({ dated }: JsonObject, document: JsonObject): void {
  if (typeof dated === 'string' && !['date', 'time'].includes(fieldAt(document, dated)?.['x-code'] as string)) fault('dated');
}

/**
 * What a kind needs to be of use, beyond being read: a subject or owner is a unified code; an owner, and something of the natural
 * key, stands in every record: else some records would be refused row by row. Asked of a kind before it is proposed.
 * @throws SCHEMA_INVALID {reason: subject | owner | natural-key}
 */
export function checkUsableKind({ document, naturalKey, owner, subject }: KindDefinition): void {
  for (const [fact, path] of [['subject', subject], ['owner', owner]] as const) {
    if (path !== null && fieldAt(document, path)?.['x-code'] !== 'uscc') fault(fact);
  }
  if (owner !== null && !isAlwaysThere(document, owner)) fault('owner');
  if (!naturalKey.some((path) => isAlwaysThere(document, path))) fault('natural-key');
}

/** The shape of the field at a `claim.field` path that leads somewhere. */
function fieldAt(document: JsonObject, path: string): JsonObject | undefined {
  const [claim = '', field = ''] = path.split('.');
  return (document['properties'] as Readonly<Record<string, { readonly properties: Readonly<Record<string, JsonObject>> }>>)[claim]?.properties[field];
}

function isAlwaysThere(document: JsonObject, path: string): boolean {
  const [claim = '', field = ''] = path.split('.');
  const shape = (document['properties'] as Readonly<Record<string, JsonObject>>)[claim];
  const requires = (part: JsonObject | undefined, name: string): boolean => Array.isArray(part?.['required']) && part['required'].includes(name);
  return requires(document, claim) && requires(shape, field);
}

/** The words of `x-code` in a kind: checks that this software brings along, and code sets adopted by vote. */
export function namedCodes(definition: KindDefinition): readonly string[] {
  const claims = definition.document['properties'];
  const words = (isJsonObject(claims) ? Object.values(claims) : []).flatMap((shape) => Object.values(isJsonObject(shape) && isJsonObject(shape['properties']) ? shape['properties'] : {}))
    .flatMap((field) => (isJsonObject(field) && typeof field['x-code'] === 'string' ? [field['x-code']] : []));
  return [...new Set(words)].sort();
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function isList(value: JsonValue | undefined, fits: (entry: JsonValue) => boolean): value is readonly JsonValue[] {
  return Array.isArray(value) && (value as readonly JsonValue[]).every(fits);
}

function hasExactly(value: JsonValue, names: readonly string[], optional: readonly string[] = []): value is JsonObject {
  if (!isJsonObject(value)) return false;
  return names.every((name) => Object.hasOwn(value, name)) && Object.keys(value).every((name) => names.includes(name) || optional.includes(name));
}

function isRights(value: JsonValue | undefined): value is RightsClass {
  return value === 'owner' || value === 'publisher' || value === 'public';
}

function isTitle(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && isWords(value['zh']) && isWords(value['en']);
}

/** A header cell: seen, and short enough for a line. */
function isColumn(name: string): boolean {
  return isWords(name) && name.length <= mostColumnCharacters && !isInheritedName(name);
}

function fieldsOf(shape: JsonValue | undefined): JsonObject {
  const properties = isJsonObject(shape) && isJsonObject(shape['items']) ? shape['items']['properties'] : isJsonObject(shape) ? shape['properties'] : undefined;
  return isJsonObject(properties) ? properties : {};
}

function isClaim(entry: JsonValue, shape: JsonValue | undefined): boolean {
  if (!hasExactly(entry, ['en', 'personal', 'zh']) || !isTitle(entry)) return false;
  return isList(entry['personal'], (field) => typeof field === 'string' && Object.hasOwn(fieldsOf(shape), field));
}

function isLinkCheck(entry: JsonValue, properties: JsonObject): boolean {
  if (!hasExactly(entry, ['code', 'en', 'paths', 'severity', 'zh']) || !isTitle(entry) || typeof entry['code'] !== 'string') return false;
  if (!isList(entry['paths'], (path) => isPath(path, properties)) || entry['paths'].length === 0) return false;
  if (entry['severity'] === 'across') return isAcross(entry['code']);
  return (entry['severity'] === 'error' || entry['severity'] === 'warning') && linkRules.has(entry['code']);
}

function isImportRule(rule: JsonValue, properties: JsonObject): boolean {
  if (!hasExactly(rule, ['path', 'transform'], ['unit']) || typeof rule['transform'] !== 'string') return false;
  if (rule['unit'] !== undefined && !isList(rule['unit'], (column) => typeof column === 'string')) return false;
  if (rule['path'] === '') return rule['transform'] === 'ignore' || rule['transform'] === 'unit';
  return isPath(rule['path'], properties) && transforms.has(rule['transform']);
}

function isImportFill(entry: JsonValue, properties: JsonObject): boolean {
  if (!hasExactly(entry, ['column', 'path'], ['copy', 'value']) || typeof entry['column'] !== 'string' || !isPath(entry['path'], properties)) return false;
  return (entry['value'] !== undefined) !== (entry['copy'] !== undefined && isPath(entry['copy'], properties));
}

/** `claim.field` of a claim that is one object. */
function isPath(value: JsonValue | undefined, properties: JsonObject): boolean {
  if (typeof value !== 'string') return false;
  const [claim = '', field = '', ...rest] = value.split('.');
  const shape = Object.hasOwn(properties, claim) ? properties[claim] : undefined;
  if (rest.length > 0 || !isJsonObject(shape) || !isJsonObject(shape['properties'])) return false;
  return Object.hasOwn(shape['properties'], field);
}

/** Claim and field of each path that kinds name, taken apart once: every record is asked for them. */
const pathParts = new Map<string, readonly [claim: string, field: string]>();
const mostPaths = 4096;

function partsOfPath(path: string): readonly [claim: string, field: string] {
  const known = pathParts.get(path);
  if (known !== undefined) return known;
  const [claim = '', field = ''] = path.split('.');
  if (pathParts.size < mostPaths) pathParts.set(path, [claim, field]);
  return [claim, field];
}

/** The value at a `claim.field` path of a record's data. */
export function valueAt(data: JsonObject, path: string): JsonValue | undefined {
  const [claim, field] = partsOfPath(path);
  const group = data[claim];
  return isJsonObject(group) ? group[field] : undefined;
}
