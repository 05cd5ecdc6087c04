import {
  canonicalize,
  fromUtf8,
  isJsonObject,
  kindShape,
  mappingNameShape,
  memberIdShape,
  parseStrict,
  ProtocolError,
  type JsonObject,
  type JsonValue,
  type RightsClass,
} from '@huilian/protocol';

/** One line of `POST /v1/records`. */
export interface Submission {
  readonly kind: string;
  /** Version of the kind's schema; the newest adopted one where absent. */
  readonly schema?: number;
  readonly rights?: RightsClass;
  /** The record, by claims … */
  readonly data?: JsonObject;
  /** … or a row with national column names, or with those of the mapping that the node holds under this name … */
  readonly row?: Readonly<Record<string, string>>;
  readonly mapping?: string;
  /** … or, to revoke, the record's id or the values of its natural key. */
  readonly recordId?: string;
  readonly naturalKey?: readonly JsonValue[];
  /** … or a row of the source that no reader could make sense of: it is refused with this code, and kept by its place. */
  readonly unreadable?: UnreadableRow;
  /** Where the row came from, for the dead-letter list. */
  readonly source?: Source;
  /** The record must exist; a new version of it. */
  readonly supersede: boolean;
  readonly revoke: boolean;
}

const unreadableRows = ['ROW_TOO_LONG', 'ROW_UNREADABLE'] as const;
type UnreadableRow = (typeof unreadableRows)[number];

/**
 * A row's place: line of a file, or number within a run of a database or HTTP source. Where there is a run, the same
 * number in another run is another row.
 */
export interface Source {
  readonly file: string;
  readonly line: number;
  readonly run?: string;
}

const fields = new Set(['kind', 'schema', 'rights', 'data', 'row', 'mapping', 'recordId', 'naturalKey', 'unreadable', 'source', 'supersede', 'revoke']);

/**
 * Reads a line. @param data 'data-unchecked' leaves it to the caller to refuse data that has no canonical form
 * @throws CANONICAL_INVALID, BAD_FIELD {path}, UNKNOWN_FIELD {path}
 */
export function readSubmission(bytes: Uint8Array, data: 'checked' | 'data-unchecked' = 'checked'): Submission {
  const value = readJson(bytes, data === 'checked');
  if (!isJsonObject(value)) return bad('', 'not-an-object');
  const unknown = Object.keys(value).find((name) => !fields.has(name));
  if (unknown !== undefined) throw new ProtocolError('UNKNOWN_FIELD', { path: /^[A-Za-z0-9_-]{1,40}$/.test(unknown) ? `/${unknown}` : '/?' });
  const submission: Submission = {
    kind: kindShape.read(value['kind'], '/kind'),
    supersede: flag(value, 'supersede'),
    revoke: flag(value, 'revoke'),
    ...optional(value, 'schema', readSchemaVersion),
    ...optional(value, 'rights', readRights),
    ...optional(value, 'data', readObject),
    ...optional(value, 'row', readRow),
    ...optional(value, 'mapping', (field, path) => mappingNameShape.read(field, path)),
    ...optional(value, 'recordId', readText),
    ...optional(value, 'naturalKey', readValues),
    ...optional(value, 'unreadable', readUnreadable),
    ...optional(value, 'source', readSource),
  };
  checkSubject(submission);
  return submission;
}

/**
 * Most lines come compact and in the order of their keys: what JSON.parse read and JSON.stringify writes back the same
 * holds no duplicate key. Every other spelling goes through the strict reader, which is several times slower.
 */
function readJson(bytes: Uint8Array, checkData: boolean): JsonValue {
  const text = fromUtf8(bytes);
  try {
    const value = JSON.parse(text) as JsonValue;
    if (JSON.stringify(value) === text) {
      if (checkData || !isJsonObject(value)) canonicalize(value);
      else for (const [name, part] of Object.entries(value)) if (name !== 'data') canonicalize(part);
      return value;
    }
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
  }
  return parseStrict(text);
}

function checkSubject({ data, mapping, naturalKey, recordId, revoke, row, supersede, unreadable }: Submission): void {
  const given = [data, row, recordId, naturalKey, unreadable].filter((part) => part !== undefined).length;
  if (given !== 1) bad('/data', 'one-of-data-row-record-id-natural-key');
  if (mapping !== undefined && row === undefined) bad('/mapping', 'only-with-row');
  if (revoke && supersede) bad('/revoke', 'revoke-or-supersede');
  if (!revoke && data === undefined && row === undefined && unreadable === undefined) bad('/data', 'missing');
}

function bad(path: string, reason: string): never {
  throw new ProtocolError('BAD_FIELD', { path, reason });
}

function flag(value: JsonObject, name: 'supersede' | 'revoke'): boolean {
  const found = value[name] ?? false;
  return typeof found === 'boolean' ? found : bad(`/${name}`, 'not-boolean');
}

function optional<const N extends keyof Submission>(value: JsonObject, name: N, read: (field: JsonValue, path: string) => NonNullable<Submission[N]>): Partial<Pick<Submission, N>> {
  const field = value[name];
  return field === undefined ? {} : ({ [name]: read(field, `/${name}`) } as Partial<Pick<Submission, N>>);
}

function readSchemaVersion(field: JsonValue, path: string): number {
  return typeof field === 'number' && field >= 1 && field <= 9999 ? field : bad(path, 'range');
}

function readRights(field: JsonValue, path: string): RightsClass {
  return field === 'owner' || field === 'publisher' || field === 'public' ? field : bad(path, 'not-listed');
}

function readObject(field: JsonValue, path: string): JsonObject {
  return isJsonObject(field) ? field : bad(path, 'not-an-object');
}

function readText(field: JsonValue, path: string): string {
  return typeof field === 'string' ? field : bad(path, 'not-a-string');
}

function readValues(field: JsonValue, path: string): readonly JsonValue[] {
  return Array.isArray(field) ? (field as readonly JsonValue[]) : bad(path, 'not-an-array');
}

function readRow(field: JsonValue, path: string): Readonly<Record<string, string>> {
  const row = readObject(field, path);
  return Object.values(row).every((cell) => typeof cell === 'string') ? (row as Record<string, string>) : bad(path, 'cells-are-text');
}

function readUnreadable(field: JsonValue, path: string): UnreadableRow {
  return unreadableRows.find((code) => code === field) ?? bad(path, 'not-listed');
}

function readSource(field: JsonValue, path: string): Source {
  const { file, line, run, ...unknown } = readObject(field, path);
  const fits = typeof file === 'string' && /^[^/\\\u0000-\u001f]{1,255}$/.test(file) && typeof line === 'number' && line >= 1 && line <= 9_999_999_999;
  const fitsRun = run === undefined || (typeof run === 'string' && /^[A-Za-z0-9-]{1,40}$/.test(run));
  return fits && fitsRun && Object.keys(unknown).length === 0 ? { file, line, ...(run === undefined ? {} : { run }) } : bad(path, 'source');
}

/** Checks that an id names a record of this publisher and kind. @throws BAD_ID, NOT_RECORD_OWNER */
export function readOwnRecordId(id: string, publisher: string, kind: string): string {
  const [member = '', recordKind] = id.split('/');
  if (memberIdShape.read(member, '/recordId') !== publisher) throw new ProtocolError('NOT_RECORD_OWNER', { publisher: member });
  if (recordKind !== kind) throw new ProtocolError('BAD_ID', { path: '/recordId', reason: 'other-kind' });
  return id;
}
