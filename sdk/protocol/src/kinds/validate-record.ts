import { canonicalize, isJsonObject, type JsonObject, type JsonValue } from '../canonical.js';
import {
  checkIdNumber,
  checkIndustry,
  checkInvestmentProjectCode,
  checkOrganisationCode,
  checkProjectCode,
  checkRegion,
  checkSectionCode,
  checkTenderProjectCode,
  checkUnifiedTransactionCode,
  checkUscc,
  type CodeCheck,
} from '../codes/index.js';
import { isCalendarDay } from '../codes/code-check.js';
import { ProtocolError } from '../errors.js';
import { validators, type SchemaFault } from '../generated/validators.js';
import { kindDefinition } from './bundled-kinds.js';
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

function checkDate(text: string): CodeCheck {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  return isCalendarDay(year ?? 0, month ?? 0, day ?? 0) ? { ok: true, warnings: [] } : { ok: false, reason: 'no-such-day' };
}

function checkTime(text: string): CodeCheck {
  const inDay = Number(text.slice(11, 13)) < 24 && Number(text.slice(14, 16)) < 60 && Number(text.slice(17, 19)) < 60;
  return inDay ? checkDate(text) : { ok: false, reason: 'no-such-time' };
}

/** Code checks a schema names by `x-code`. */
const codeChecks: Readonly<Record<string, (text: string) => CodeCheck>> = {
  uscc: checkUscc,
  'organisation-code': checkOrganisationCode,
  'id-number': checkIdNumber,
  region: checkRegion,
  industry: checkIndustry,
  'project-code': checkProjectCode,
  'tender-project-code': checkTenderProjectCode,
  'section-code': checkSectionCode,
  'investment-project-code': checkInvestmentProjectCode,
  'unified-transaction-code': checkUnifiedTransactionCode,
  date: checkDate,
  time: checkTime,
};

const codedFields = new WeakMap<KindDefinition, readonly (readonly [path: string, check: string])[]>();

/** The fields of a kind that carry a code, found once. */
function codedFieldsOf(definition: KindDefinition): readonly (readonly [string, string])[] {
  let fields = codedFields.get(definition);
  if (fields === undefined) {
    fields = Object.entries(definition.document['properties'] as JsonObject).flatMap(([claim, shape]) =>
      Object.entries((isJsonObject(shape) && isJsonObject(shape['properties']) ? shape['properties'] : {}) as JsonObject).flatMap(([field, rule]) =>
        isJsonObject(rule) && typeof rule['x-code'] === 'string' ? [[`${claim}.${field}`, rule['x-code']] as const] : [],
      ),
    );
    codedFields.set(definition, fields);
  }
  return fields;
}

function pointer(path: string): string {
  return `/${path.replace('.', '/')}`;
}

function codeProblems(definition: KindDefinition, data: JsonObject): { problems: RecordProblem[]; warnings: RecordProblem[] } {
  const problems: RecordProblem[] = [];
  const warnings: RecordProblem[] = [];
  for (const [path, name] of codedFieldsOf(definition)) {
    const value = valueAt(data, path);
    const check = typeof value === 'string' ? codeChecks[name]?.(value) : undefined;
    if (check === undefined) continue;
    if (!check.ok) problems.push({ path: pointer(path), code: `${name}-${check.reason}`, zh: '代码或日期校验不通过', en: 'the code or date fails its check' });
    else for (const warning of check.warnings) warnings.push({ path: pointer(path), code: warning, zh: '代码内部校验不符，请核对', en: 'an inner check of the code differs, please verify' });
  }
  return { problems, warnings };
}

/** Link checks inside one record; true where the values agree or one is absent. */
const linkRules: Readonly<Record<string, (left: string, right: string) => boolean>> = {
  prefix: (left, right) => right.startsWith(left),
  'dates-ordered': (left, right) => left.slice(0, 10) <= right.slice(0, 10),
  'birth-date-in-id': (left, right) => left.slice(6, 14) === right.replaceAll('-', ''),
  'organisation-code-in-uscc': (left, right) => left.slice(8, 17) === right,
};

function linkProblem(check: LinkCheck, data: JsonObject): RecordProblem | undefined {
  const [left, right] = check.paths.map((path) => valueAt(data, path));
  const agrees = linkRules[check.code];
  if (agrees === undefined || typeof left !== 'string' || typeof right !== 'string' || agrees(left, right)) return undefined;
  return { path: pointer(check.paths[1] ?? ''), code: check.code, zh: check.zh, en: check.en };
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
    return { ok: false, problems: (validate.errors ?? []).map(schemaProblem), warnings: [] };
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
