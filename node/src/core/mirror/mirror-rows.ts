import { isJsonObject, parseRecordId, ProtocolError, type Header, type JsonObject, type JsonValue } from '@huilian/protocol';
import { columnValue, type KindColumn } from '../export/kind-columns.js';
import { heldData } from '../vault/held-data.js';
import type { Vault } from '../vault/vault.js';
import type { MirrorRow } from './ports.js';

/** Columns that the table of every kind has, with their types. */
export const mirrorColumns = {
  record_id: 'text', publisher: 'text', schema_version: 'integer', version: 'integer', status: 'text', contested: 'boolean', rights: 'text', subject: 'text', owner: 'text',
  published_at: 'timestamptz', block: 'bigint', batch_seq: 'bigint', batch_index: 'integer', digest: 'text', has_payload: 'boolean',
} as const;

/** Where a header stands, beside what it says. */
export interface HeaderPlace {
  readonly recordId: string;
  readonly block: number;
  readonly seq: number;
  readonly index: number;
  /** Unix seconds. */
  readonly time: number;
}

/**
 * Name of a payload's column: `contract.signedAt` is `contract_signed_at`. One that a column of every table has gets a low line at its
 * end; names stay under the 63 bytes of PostgreSQL.
 */
export function columnName(path: string): string {
  const name = path.replace('.', '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const free = Object.hasOwn(mirrorColumns, name) ? `${name}_` : name;
  return free.length <= 60 ? free : `${free.slice(0, 50)}_${String(sumOf(free))}`;
}

function sumOf(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 1_000_000_007;
  return sum;
}

/** The row of a header, with the fields of the payload where it is the node's own and there. */
export function mirrorRow(header: Header, place: HeaderPlace, columns: readonly KindColumn[], data: JsonObject | undefined): MirrorRow {
  const { digest, owner, rights, schema, status, subject, version } = header;
  const { block, index, recordId, seq, time } = place;
  const fields = data === undefined ? [] : columns.map(({ path, type }) => [columnName(path), databaseValue(type, columnValue(data, path))] as const);
  return {
    recordId,
    version,
    values: {
      record_id: recordId, publisher: parseRecordId(recordId).publisher, schema_version: schema, version, status, contested: false, rights, subject: subject === '' ? null : subject, owner: owner ?? null,
      published_at: new Date(time * 1000).toISOString(), block, batch_seq: seq, batch_index: index, digest, has_payload: data !== undefined,
      ...Object.fromEntries(fields),
    },
  };
}

/** Data of an own version; of a revoked one, which carries none, that of the version it ended. Undefined where there is none. */
export function ownData(vault: Vault, recordId: string, { status, version }: Header): JsonObject | undefined {
  try {
    return heldData(vault.open(recordId, status === 'revoked' ? version - 1 : version));
  } catch (error) {
    if (error instanceof ProtocolError && (error.code === 'ERASED' || error.code === 'PAYLOAD_MISSING' || error.code === 'VAULT_CORRUPT')) return undefined;
    throw error;
  }
}

/** A value that the column's type takes for sure: one that it would refuse is left out, and the record itself is not touched by that. */
function databaseValue(type: KindColumn['type'], value: JsonValue | undefined): JsonValue {
  return value === undefined || value === null ? null : (values[type](value) ?? null);
}

const values: Readonly<Record<KindColumn['type'], (value: Exclude<JsonValue, null>) => JsonValue | undefined>> = {
  amount: (value) => (/^-?\d{1,40}$/.test(String(value)) ? String(value) : undefined),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  date: (value) => (typeof value === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(value) && isInstant(value) ? value : undefined),
  time: (value) => (typeof value === 'string' && isInstant(value) ? new Date(value).toISOString() : undefined),
  json: withoutNul,
  text: (value) => withoutNul(typeof value === 'string' ? value : JSON.stringify(value)),
};

function isInstant(text: string): boolean {
  return !text.startsWith('0000') && !Number.isNaN(Date.parse(text));
}

/** PostgreSQL holds no U+0000 in a text. */
function withoutNul(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.includes('\u0000') ? value.replaceAll('\u0000', '\ufffd') : value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(withoutNul);
  if (isJsonObject(value)) return Object.fromEntries(Object.entries(value).map(([name, entry]) => [withoutNul(name) as string, withoutNul(entry)]));
  return value;
}
