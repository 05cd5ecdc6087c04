import { canonicalBytes, isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { limits } from '../limits.js';

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
  /** Columns that may carry the unit of an amount (0 yuan, 1 ten thousand yuan). */
  readonly unit?: readonly string[];
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
  readonly linkChecks: readonly LinkCheck[];
  readonly import: Readonly<Record<string, ImportRule>>;
  /** The whole schema document, whose canonical bytes are adopted by vote. */
  readonly document: JsonObject;
}

function fault(reason: string): never {
  throw new ProtocolError('SCHEMA_INVALID', { reason });
}

/** Reads a schema document. @throws SCHEMA_INVALID {reason} */
export function kindFromDocument(document: JsonObject): KindDefinition {
  if (canonicalBytes(document).length > limits.schemaDocumentBytes) fault('too-large');
  const facts = document['x-huilian'];
  if (!isJsonObject(facts)) return fault('x-huilian');
  const properties = document['properties'];
  const claims = facts['claims'];
  if (!isJsonObject(properties) || !isJsonObject(claims)) return fault('claims');
  if (Object.keys(properties).sort().join() !== Object.keys(claims).sort().join()) fault('claims-and-properties');
  if (document['additionalProperties'] !== false) fault('open-object');
  checkFacts(facts, properties);
  const { kind, version } = facts as unknown as { kind: string; version: number };
  return {
    ...(facts as unknown as Omit<KindDefinition, 'vct' | 'document' | 'requiredClaims'>),
    vct: `urn:huilian:record:${kind}:${String(version)}`,
    requiredClaims: Array.isArray(document['required']) ? (document['required'] as readonly string[]) : [],
    document,
  };
}

function checkFacts(facts: JsonObject, properties: JsonObject): void {
  const { kind, version, title, rights, defaultRights, naturalKey, subject, owner, sealed } = facts;
  if (typeof kind !== 'string' || !/^[a-z][a-z0-9-]{1,30}[a-z0-9]$/.test(kind) || kind === 'sealed') fault('kind');
  if (typeof version !== 'number' || version < 1 || version > 9999) fault('version');
  if (!isJsonObject(title) || typeof title['zh'] !== 'string' || typeof title['en'] !== 'string') fault('title');
  if (!isRightsList(rights) || !rights.includes(defaultRights as RightsClass)) fault('rights');
  if (!isPathList(naturalKey, properties) || naturalKey.length === 0) fault('natural-key');
  for (const place of [subject, owner]) if (place !== null && !isPath(place, properties)) fault('subject-or-owner');
  if (typeof sealed !== 'boolean') fault('sealed');
  checkRules(facts, properties);
}

function checkRules(facts: JsonObject, properties: JsonObject): void {
  const { rightsWhen, linkChecks } = facts;
  if (!Array.isArray(rightsWhen) || !Array.isArray(linkChecks) || !isJsonObject(facts['import'])) fault('rules');
  for (const rule of Object.values(facts['import'] as JsonObject)) {
    if (!isJsonObject(rule) || (rule['path'] !== '' && !isPath(rule['path'], properties))) fault('import');
  }
  for (const check of linkChecks as readonly JsonValue[]) {
    if (!isJsonObject(check) || !isPathList(check['paths'], properties)) fault('link-checks');
  }
}

function isRightsList(value: unknown): value is readonly RightsClass[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => entry === 'owner' || entry === 'publisher' || entry === 'public');
}

function isPathList(value: unknown, properties: JsonObject): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => isPath(entry, properties));
}

function isPath(value: unknown, properties: JsonObject): boolean {
  if (typeof value !== 'string') return false;
  const [claim = '', field = '', ...rest] = value.split('.');
  const shape = properties[claim];
  if (rest.length > 0 || !isJsonObject(shape) || !isJsonObject(shape['properties'])) return false;
  return Object.hasOwn(shape['properties'], field);
}

/** The value at a `claim.field` path of a record's data. */
export function valueAt(data: JsonObject, path: string): JsonValue | undefined {
  const [claim = '', field = ''] = path.split('.');
  const group = data[claim];
  return isJsonObject(group) ? group[field] : undefined;
}
