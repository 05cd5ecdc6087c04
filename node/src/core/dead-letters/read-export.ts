import { isJsonObject, ProtocolError, type JsonObject } from '@huilian/protocol';
import { isOwnColumn } from './export-letters.js';
import type { Correction } from './letter-desk.js';
import { plainCell } from './neutral-cells.js';

/**
 * A row of an export that came back corrected, as the order to try its letter again. @throws BAD_FIELD {path}
 */
export function correctionOf(cells: Readonly<Record<string, string>>): Correction {
  const id = plainCell(cells['_letter'] ?? '').trim();
  if (!/^\d{14}$/.test(id)) throw new ProtocolError('BAD_FIELD', { path: '/_letter', reason: 'not-of-an-export' });
  const mapping = plainCell(cells['_mapping'] ?? '').trim();
  const data = plainCell(cells['_data'] ?? '').trim();
  const row = Object.fromEntries(Object.entries(cells).filter(([column]) => !isOwnColumn(column)).map(([column, cell]) => [plainCell(column), plainCell(cell)]));
  return { id, ...(mapping === '' ? {} : { mapping }), ...(data === '' ? { row } : { data: dataOf(data) }) };
}

function dataOf(text: string): JsonObject {
  try {
    const data: unknown = JSON.parse(text);
    if (isJsonObject(data as JsonObject)) return data as JsonObject;
  } catch {
    // Falls through to the one refusal below.
  }
  throw new ProtocolError('BAD_FIELD', { path: '/_data', reason: 'not-an-object' });
}

/** The same of a line of an NDJSON export. @throws BAD_FIELD */
export function correctionOfLine(letter: JsonObject): Correction {
  const { data, id, mapping, row } = letter;
  if (typeof id !== 'string' || !/^\d{14}$/.test(id)) throw new ProtocolError('BAD_FIELD', { path: '/id', reason: 'not-of-an-export' });
  return { id, ...(typeof mapping === 'string' ? { mapping } : {}), ...(isJsonObject(row) ? { row: row as Record<string, string> } : {}), ...(isJsonObject(data) ? { data } : {}) };
}
