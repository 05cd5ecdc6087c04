import { canonicalize, isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { validators, type SchemaFault, type Validator } from '../generated/validators.js';
import { kindDefinition } from './bundled-kinds.js';
import type { GovernedCodes } from './code-sets.js';
import type { CodeCheck } from '../codes/index.js';
import { fieldChecks } from './field-checks.js';
import { linkRules } from './link-rules.js';
import { valueAt, type KindDefinition, type LinkCheck, type RightsClass } from './kind-definition.js';

/** What checks data against a kind's schema; its faults stay on it until the next call. */
export type SchemaValidator = Validator;

/** A kind with its validator: compiled ahead of time, or by a node when the kind was adopted. */
export interface CompiledKind extends KindDefinition {
  readonly validate: SchemaValidator;
}

/** One thing wrong with a record: where, a closed word, and words for people. Never the value itself. */
export interface RecordProblem {
  /** `/claim/field`. */
  readonly path: string;
  readonly code: string;
  readonly zh: string;
  readonly en: string;
}

export interface RecordCheck {
  readonly ok: boolean;
  readonly problems: readonly RecordProblem[];
  readonly warnings: readonly RecordProblem[];
}

const faultWords: Readonly<Record<string, readonly [code: string, zh: string, en: string]>> = {
  required: ['required', '缺少必填项', 'a required field is missing'],
  additionalProperties: ['unknown-field', '未知字段', 'unknown field'],
  pattern: ['pattern', '格式不符', 'the value does not fit its format'],
  enum: ['not-listed', '不在允许的取值内', 'not one of the allowed values'],
  type: ['type', '类型不符', 'wrong type'],
  minItems: ['too-few', '项目过少', 'too few entries'],
  maxItems: ['too-many', '项目过多', 'too many entries'],
  minProperties: ['empty', '数据项为空', 'the claim is empty'],
};

function schemaProblem(found: SchemaFault): RecordProblem {
  const [code, zh, en] = faultWords[found.keyword] ?? ['schema', '不符合数据标准', 'does not meet the schema'];
  const missing = found.params['missingProperty'];
  return { path: typeof missing === 'string' ? `${found.instancePath}/${missing}` : found.instancePath, code, zh, en };
}

/** A field that carries a code: where it stands, which check it meets, and for which value of another field only. */
interface CodedField {
  readonly path: string;
  readonly check: string;
  readonly when?: { readonly path: string; readonly equals: JsonValue };
}

const codedFields = new WeakMap<KindDefinition, readonly CodedField[]>();

/** The fields of a kind that carry a code, found once. */
function codedFieldsOf(definition: KindDefinition): readonly CodedField[] {
  let fields = codedFields.get(definition);
  if (fields === undefined) {
    const named = partsOf(definition.document['properties']).flatMap(([claim, shape]) =>
      partsOf(shape['properties']).flatMap(([field, rule]) => codedField(claim, field, rule)),
    );
    // The header is made of these, so they are unified codes whether the document says so or not.
    const made = [...new Set([definition.subject, definition.owner])].filter((path) => path !== null && !named.some((field) => field.path === path && field.check === 'uscc'));
    fields = [...named, ...made.map((path) => ({ path: path ?? '', check: 'uscc' }))];
    codedFields.set(definition, fields);
  }
  return fields;
}

function partsOf(value: JsonValue | undefined): readonly (readonly [string, JsonObject])[] {
  return isJsonObject(value) ? Object.entries(value).flatMap(([name, part]) => (isJsonObject(part) ? [[name, part] as const] : [])) : [];
}

function codedField(claim: string, field: string, rule: JsonObject): readonly CodedField[] {
  const { 'x-code': check, 'x-code-when': when } = rule;
  if (typeof check !== 'string') return [];
  const limited = isJsonObject(when) && when['equals'] !== undefined ? { when: { path: `${claim}.${String(when['field'])}`, equals: when['equals'] } } : {};
  return [{ path: `${claim}.${field}`, check, ...limited }];
}

function pointer(path: string): string {
  return `/${path.replace('.', '/')}`;
}

/** The code sets of the ledger, and the day of a record that does not say its own (YYYY-MM-DD). */
export interface CodesInUse {
  readonly governed: GovernedCodes;
  readonly today: string;
}

function checkCode(name: string, value: string, day: string | undefined, codes: CodesInUse | undefined): CodeCheck {
  if (codes !== undefined) return codes.governed.check(name, value, codes.today, day);
  return fieldChecks.get(name)?.(value) ?? { ok: false, reason: 'set-unknown' };
}

function dayOf({ dated }: KindDefinition, data: JsonObject): string | undefined {
  const value = dated === undefined ? undefined : valueAt(data, dated);
  return typeof value === 'string' ? value.slice(0, 10) : undefined;
}

function codeProblems(definition: KindDefinition, data: JsonObject, codes: CodesInUse | undefined): { problems: RecordProblem[]; warnings: RecordProblem[] } {
  const problems: RecordProblem[] = [];
  const warnings: RecordProblem[] = [];
  const day = dayOf(definition, data);
  for (const { path, check: name, when } of codedFieldsOf(definition)) {
    const value = valueAt(data, path);
    const applies = when === undefined || valueAt(data, when.path) === when.equals;
    if (typeof value !== 'string' || !applies) continue;
    const check = checkCode(name, value, day, codes);
    if (!check.ok) problems.push({ path: pointer(path), code: `${name}-${check.reason}`, zh: '代码或日期校验不通过', en: 'the code or date fails its check' });
    else for (const warning of check.warnings) warnings.push({ path: pointer(path), code: warning, zh: '代码内部校验不符或已不在现行目录，请核对', en: 'an inner check of the code differs or its list has changed, please verify' });
  }
  return { problems, warnings };
}

/** Rows that say nothing of what tells them apart would all be one record. */
function keyProblems({ naturalKey }: KindDefinition, data: JsonObject): RecordProblem[] {
  if (naturalKey.some((path) => valueAt(data, path) !== undefined)) return [];
  return [{ path: pointer(naturalKey[0] ?? ''), code: 'natural-key', zh: '缺少识别该记录的字段', en: 'nothing tells this record from others' }];
}

function linkProblem(check: LinkCheck, data: JsonObject): RecordProblem | undefined {
  const agrees = linkRules.get(check.code);
  if (agrees === undefined || agrees(check.paths.map((path) => valueAt(data, path)))) return undefined;
  return { path: pointer(check.paths.at(-1) ?? ''), code: check.code, zh: check.zh, en: check.en };
}

function linkProblems(definition: KindDefinition, data: JsonObject, severity: 'error' | 'warning'): RecordProblem[] {
  return definition.linkChecks
    .filter((check) => check.severity === severity)
    .flatMap((check) => linkProblem(check, data) ?? []);
}

/** A kind that this software brings along. */
export function bundledKind(kind: string, version: number): CompiledKind | undefined {
  const definition = kindDefinition(kind, version);
  const validate = validators.get(`${kind}/${String(version)}`);
  return definition === undefined || validate === undefined ? undefined : { ...definition, validate };
}

/**
 * Checks a record's data: its schema, then the codes it carries, then how its fields fit together. Without the ledger's code
 * sets, codes are checked by what this software brings along.
 */
export function checkRecord(kind: CompiledKind, data: unknown, codesInUse?: CodesInUse): RecordCheck {
  const { validate } = kind;
  if (!validate(data) || !isJsonObject(data)) {
    // `if` only repeats what its branch has said.
    return { ok: false, problems: (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(schemaProblem), warnings: [] };
  }
  const codes = codeProblems(kind, data, codesInUse);
  const problems = [...codes.problems, ...keyProblems(kind, data), ...linkProblems(kind, data, 'error')];
  return { ok: problems.length === 0, problems, warnings: [...codes.warnings, ...linkProblems(kind, data, 'warning')] };
}

/** The same for a bundled kind. @throws SCHEMA_UNKNOWN for a kind this software does not bring along */
export function validateRecord(kind: string, version: number, data: unknown): RecordCheck {
  return checkRecord(bundled(kind, version), data);
}

const bundledOnes = new Map<string, CompiledKind>();

function bundled(kind: string, version: number): CompiledKind {
  const key = `${kind}/${String(version)}`;
  const found = bundledOnes.get(key) ?? bundledKind(kind, version);
  if (found === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version });
  bundledOnes.set(key, found);
  return found;
}

/** What the header needs to know of a valid record. */
export interface RecordFacts {
  readonly rights: RightsClass;
  /** `org:<USCC>` or empty. */
  readonly subject: string;
  /** Present exactly when rights is `owner`. */
  readonly owner?: string;
  /** Canonical JSON array of the natural key's values. */
  readonly naturalKey: string;
  /** Every claim name of the kind. */
  readonly claimNames: readonly string[];
}

/** Facts of a record of a bundled kind. @throws SCHEMA_UNKNOWN */
export function recordFacts(kind: string, version: number, data: JsonObject): RecordFacts {
  return factsOf(bundled(kind, version), data);
}

/** What a valid record of a kind says of itself. */
export function factsOf(definition: KindDefinition, data: JsonObject): RecordFacts {
  const rights = definition.rightsWhen.find((rule) => valueAt(data, rule.path) === rule.equals)?.rights ?? definition.defaultRights;
  const owner = definition.owner === null ? undefined : organisation(data, definition.owner);
  return {
    rights,
    subject: definition.subject === null ? '' : organisation(data, definition.subject),
    ...(rights === 'owner' && owner !== undefined ? { owner } : {}),
    naturalKey: canonicalize(definition.naturalKey.map((path): JsonValue => valueAt(data, path) ?? '')),
    claimNames: Object.keys(definition.claims),
  };
}

function organisation(data: JsonObject, path: string): string {
  const uscc = valueAt(data, path);
  return typeof uscc === 'string' ? `org:${uscc}` : '';
}
