import { canonicalize, isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import { ProtocolError } from '../errors.js';
import { validators, type SchemaFault } from '../generated/validators.js';
import { kindDefinition } from './bundled-kinds.js';
import { fieldChecks } from './field-checks.js';
import { linkRules } from './link-rules.js';
import { valueAt, type KindDefinition, type LinkCheck, type RightsClass } from './kind-definition.js';

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
    fields = partsOf(definition.document['properties']).flatMap(([claim, shape]) =>
      partsOf(shape['properties']).flatMap(([field, rule]) => codedField(claim, field, rule)),
    );
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

function codeProblems(definition: KindDefinition, data: JsonObject): { problems: RecordProblem[]; warnings: RecordProblem[] } {
  const problems: RecordProblem[] = [];
  const warnings: RecordProblem[] = [];
  for (const { path, check: name, when } of codedFieldsOf(definition)) {
    const value = valueAt(data, path);
    const applies = when === undefined || valueAt(data, when.path) === when.equals;
    const check = typeof value === 'string' && applies ? fieldChecks.get(name)?.(value) : undefined;
    if (check === undefined) continue;
    if (!check.ok) problems.push({ path: pointer(path), code: `${name}-${check.reason}`, zh: '代码或日期校验不通过', en: 'the code or date fails its check' });
    else for (const warning of check.warnings) warnings.push({ path: pointer(path), code: warning, zh: '代码内部校验不符或已不在现行目录，请核对', en: 'an inner check of the code differs or its list has changed, please verify' });
  }
  return { problems, warnings };
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

/**
 * Checks a record's data: its schema, then the codes it carries, then how its fields fit together.
 * @throws SCHEMA_UNKNOWN for a kind this software does not bring along
 */
export function validateRecord(kind: string, version: number, data: unknown): RecordCheck {
  const definition = kindDefinition(kind, version);
  const validate = validators.get(`${kind}/${String(version)}`);
  if (definition === undefined || validate === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version });
  if (!validate(data) || !isJsonObject(data)) {
    // `if` only repeats what its branch has said.
    return { ok: false, problems: (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(schemaProblem), warnings: [] };
  }
  const codes = codeProblems(definition, data);
  const problems = [...codes.problems, ...linkProblems(definition, data, 'error')];
  return { ok: problems.length === 0, problems, warnings: [...codes.warnings, ...linkProblems(definition, data, 'warning')] };
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

/** @throws SCHEMA_UNKNOWN */
export function recordFacts(kind: string, version: number, data: JsonObject): RecordFacts {
  const definition = kindDefinition(kind, version);
  if (definition === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version });
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
