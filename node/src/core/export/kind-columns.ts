import { isJsonObject, kindFromDocument, type JsonObject, type JsonValue, type KindDefinition } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';

/** How the values of a column are written: `amount` integer fen or another whole number, `json` whatever has parts. */
export type ColumnType = 'amount' | 'boolean' | 'date' | 'json' | 'text' | 'time';

/** A field of a kind as a column of a table. A claim that is a list is one column. */
export interface KindColumn {
  /** `claim.field`, or `claim` alone. */
  readonly path: string;
  readonly type: ColumnType;
  readonly personal: boolean;
}

/** Columns of a kind: the fields of all its adopted versions, those of the oldest first. Two versions that disagree about a type leave text. */
export async function kindColumns(readModel: ReadModel, kind: string): Promise<readonly KindColumn[]> {
  const versions = (await readModel.schemas()).filter((schema) => schema.kind === kind).sort((left, right) => left.version - right.version);
  const columns = new Map<string, KindColumn>();
  for (const { document } of versions) {
    for (const column of columnsOf(kindFromDocument(document))) {
      const before = columns.get(column.path);
      const type = before === undefined || before.type === column.type ? column.type : 'text';
      columns.set(column.path, { ...column, type, personal: column.personal || before?.personal === true });
    }
  }
  return [...columns.values()];
}

/** The value of a column in a record's data. */
export function columnValue(data: JsonObject, path: string): JsonValue | undefined {
  const [claim = '', field] = path.split('.');
  const value = data[claim];
  if (field === undefined) return value;
  return isJsonObject(value) ? value[field] : undefined;
}

/** A value as the text of a cell. */
export function cellText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function columnsOf({ claims, document: { properties } }: KindDefinition): readonly KindColumn[] {
  return Object.entries(isJsonObject(properties) ? properties : {}).flatMap(([claim, shape]) => {
    const personal = claims[claim]?.personal ?? [];
    const fields = isJsonObject(shape) && isJsonObject(shape['properties']) ? shape['properties'] : undefined;
    if (fields === undefined) return [{ path: claim, type: 'json' as const, personal: personal.length > 0 }];
    return Object.entries(fields).map(([field, declared]) => ({ path: `${claim}.${field}`, type: typeOf(declared), personal: personal.includes(field) }));
  });
}

const wholeNumber = /^\^\(\?:0\|\[1-9\]\[0-9\]\{0,\d{1,2}\}\)\$$/;

function typeOf(declared: JsonValue): ColumnType {
  if (!isJsonObject(declared)) return 'json';
  const { enum: words, pattern, type, 'x-code': code } = declared;
  if (type === 'boolean') return 'boolean';
  if (type === 'integer') return 'amount';
  if (type !== undefined && type !== 'string') return 'json';
  if (type === undefined) return Array.isArray(words) && words.every((word) => typeof word === 'string') ? 'text' : 'json';
  if (code === 'date' || code === 'time') return code;
  return typeof pattern === 'string' && wholeNumber.test(pattern) ? 'amount' : 'text';
}
