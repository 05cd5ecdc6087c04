import {
  buildPayload,
  canonicalize,
  checkRecord,
  factsOf,
  importRow,
  localId,
  organisationId,
  planOf,
  ProtocolError,
  recordId as recordIdOf,
  sha256Text,
  valueAt,
  type CodesInUse,
  type CompiledKind,
  type Header,
  type ImportedRow,
  type ImportPlan,
  type JsonObject,
  type KindDefinition,
  type RecordFacts,
  type RecordProblem,
  type RightsClass,
} from '@huilian/protocol';
import type { ExaminingTerms } from '../catalog/adopted-kinds.js';
import { sealContent, sealingContext, type SealedContent } from '../vault/sealed-row.js';
import { planFor, type HeldMapping, type MappingLookup } from '../mapping/held-mappings.js';
import { readSubmission, type Submission } from './read-submission.js';

/** A line that is refused, with everything that is wrong with it. */
export class RefusedLine extends Error {
  public constructor(
    public readonly error: ProtocolError,
    public readonly problems: readonly RecordProblem[],
  ) {
    super(error.message);
  }

  public static of(error: ProtocolError): RefusedLine {
    const { details, entry } = error;
    const reason = details['reason'];
    const path = typeof details['path'] === 'string' ? details['path'] : '';
    return new RefusedLine(error, [{ path, code: typeof reason === 'string' ? reason : error.code, zh: entry.zh, en: entry.en }]);
  }
}

/** What a line says of a record, apart from what the node knows of it. */
export interface DescribedRecord extends Placed {
  readonly facts: RecordFacts;
  /** Canonical text of each claim, made once for the digest and the payload. */
  readonly claimTexts: ReadonlyMap<string, string>;
  /** SHA-256 of the canonical data with schema and rights, hex. */
  readonly digest: string;
  readonly localId: string;
}

interface Placed {
  readonly rights: RightsClass;
  readonly subject: string;
  readonly owner?: string;
}

/** Schema version that a line is read by: its own, else that of its mapping; undefined leaves it to the node. @throws MAPPING_UNKNOWN, BAD_FIELD */
export function schemaOf({ kind, mapping: name, schema }: Submission, mappings: MappingLookup): number | undefined {
  if (name === undefined) return schema;
  const mapping = mappings(name);
  if (mapping === undefined) throw new ProtocolError('MAPPING_UNKNOWN', { mapping: name });
  if (mapping.kind !== kind) throw new ProtocolError('BAD_FIELD', { path: '/mapping', reason: 'other-kind' });
  if (schema !== undefined && schema !== mapping.schema) throw new ProtocolError('BAD_FIELD', { path: '/schema', reason: 'other-than-mapping' });
  return mapping.schema;
}

/** How a line's row is read: by the kind's own rules, or with its mapping over them. @throws MAPPING_UNKNOWN */
function planOfLine(definition: KindDefinition, name: string | undefined, mappings: MappingLookup): ImportPlan {
  if (name === undefined) return planOf(definition);
  const mapping = mappings(name);
  if (mapping === undefined) throw new ProtocolError('MAPPING_UNKNOWN', { mapping: name });
  return planFor(definition, mapping);
}

/** The row of a line as its kind or its mapping reads it; undefined where it brings data. */
export function importLine(definition: KindDefinition, { mapping, row }: Submission, mappings: MappingLookup): ImportedRow | undefined {
  return row === undefined ? undefined : importRow(definition, row, planOfLine(definition, mapping, mappings));
}

/** What lines are read and checked by, beside their kind. */
export interface ReadingTerms {
  readonly codes: CodesInUse;
  readonly mappings: MappingLookup;
}

/** Validated data of a line, imported where it came as a row. @throws RefusedLine, MAPPING_UNKNOWN */
export function readData(definition: CompiledKind, submission: Submission, { codes, mappings }: ReadingTerms): { data: JsonObject; warnings: readonly RecordProblem[] } {
  const imported = importLine(definition, submission, mappings);
  if (imported !== undefined && imported.data === undefined) throw refusal(definition, imported.problems);
  const data = imported?.data ?? submission.data ?? {};
  const check = checkRecord(definition, data, codes);
  if (!check.ok) throw refusal(definition, check.problems);
  return { data, warnings: check.warnings };
}

function refusal({ kind, version }: KindDefinition, problems: readonly RecordProblem[]): RefusedLine {
  return new RefusedLine(new ProtocolError('RECORD_INVALID', { kind, version, problems: problems.length }), problems);
}

/** Which record it is, whose, and what its data hashes to. @throws RIGHTS_NOT_ALLOWED, CANONICAL_INVALID */
export function describeRecord(definition: KindDefinition, data: JsonObject, wanted: RightsClass | undefined, localIdKey: Uint8Array): DescribedRecord {
  const facts = factsOf(definition, data);
  const placed = placeOf(definition, facts, data, wanted);
  const claimTexts = new Map(Object.keys(data).sort().map((name) => [name, canonicalize(data[name])]));
  // The canonical text of {data, rights, schema}. Names of claims are plain letters and digits.
  const text = `{"data":{${[...claimTexts].map(([name, claim]) => `"${name}":${claim}`).join(',')}},"rights":"${placed.rights}","schema":${String(definition.version)}}`;
  return { ...placed, claimTexts, digest: sha256Text(text, 'hex'), facts, localId: localId(localIdKey, definition.kind, facts.naturalKey) };
}

/** Rights class, subject and owner of a record. @throws RIGHTS_NOT_ALLOWED */
function placeOf(definition: KindDefinition, facts: RecordFacts, data: JsonObject, wanted?: RightsClass): Placed {
  const rights = wanted ?? facts.rights;
  if (!definition.rights.includes(rights)) throw new ProtocolError('RIGHTS_NOT_ALLOWED', { kind: definition.kind, rights });
  if (rights !== 'owner') return { rights, subject: facts.subject };
  const uscc = definition.owner === null ? undefined : valueAt(data, definition.owner);
  if (typeof uscc !== 'string') throw new ProtocolError('RIGHTS_NOT_ALLOWED', { kind: definition.kind, rights, reason: 'no-owner' });
  return { rights, subject: facts.subject, owner: organisationId(uscc) };
}

/** Header of a version whose payload has this digest. */
export function headerOf({ kind, version: schema }: KindDefinition, { localId: local, owner, rights, subject }: DescribedRecord, version: number, digest: string): Header {
  return { digest, kind, localId: local, ...(owner === undefined ? {} : { owner }), rights, schema, status: 'active', subject, version };
}

/** A plain line worked through to its sealed content, as if it were the first version of its record. */
export interface ExaminedLine {
  readonly header: Header;
  readonly dataDigest: string;
  readonly sealed: SealedContent;
  readonly warnings: readonly RecordProblem[];
  /** Schema version that the line itself or its mapping named. */
  readonly named?: number;
  readonly source?: Submission['source'];
}

export interface Examination extends ReadingTerms {
  readonly memberId: string;
  readonly localIdKey: Uint8Array;
  /** A kind as it is adopted: the version named, or the one that new records follow. */
  readonly kind: (kind: string, version: number | undefined) => CompiledKind | undefined;
  readonly randomBytes: (length: number) => Uint8Array;
}

/**
 * All of a line's work that needs no knowledge of the node: reading, validating, hashing, payload, encryption. Undefined for
 * whatever is not a plain publication in order: that goes the usual way, which also says what is wrong.
 */
export function examineLine(line: Uint8Array, { codes, kind: kindOf, localIdKey, mappings, memberId, randomBytes }: Examination): ExaminedLine | undefined {
  try {
    // Nothing of the data is lost by this: the canonical text that is made of it below refuses the same.
    const submission = readSubmission(line, 'data-unchecked');
    const { kind, revoke, rights, source, supersede, unreadable } = submission;
    const schema = schemaOf(submission, mappings);
    const definition = kindOf(kind, schema);
    if (revoke || supersede || unreadable !== undefined || definition === undefined) return undefined;
    const { data, warnings } = readData(definition, submission, { codes, mappings });
    const described = describeRecord(definition, data, rights, localIdKey);
    const id = recordIdOf(memberId, kind, described.localId);
    const payload = buildPayload({ claimNames: described.facts.claimNames, claimTexts: described.claimTexts, data, recordId: id, schema: definition.version, subject: described.subject, version: 1 }, randomBytes);
    const header = headerOf(definition, described, 1, payload.digest);
    const content = JSON.stringify({ segment: payload.segment, disclosures: payload.disclosures, header });
    return {
      dataDigest: described.digest,
      header,
      sealed: sealContent(content, sealingContext(id, 1), randomBytes),
      warnings,
      ...(schema === undefined ? {} : { named: schema }),
      ...(source === undefined ? {} : { source }),
    };
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof RefusedLine) return undefined;
    throw error;
  }
}

/** What a line is examined with that may change while the node runs. */
export interface ExaminerKnowledge extends ExaminingTerms {
  readonly mappings: ReadonlyMap<string, HeldMapping>;
}

/** Examines lines elsewhere, several at a time; answers in their order. Whatever goes wrong there answers undefined. */
export interface LineExaminer {
  examine(lines: readonly Uint8Array[], known: ExaminerKnowledge): Promise<readonly (ExaminedLine | undefined)[]>;
}
