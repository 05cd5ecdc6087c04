import { isUtf8 } from 'node:buffer';

type Cells = [column: string, cell: string][];
/** What JSON.parse tells a reviver beside key and value: the text of a number as it stands there. */
type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

const mostDepth = 8;

/** Numbers as the text they were written with: an amount or a code must not go through a binary fraction. */
const keepNumbers: Reviver = (_key, value, { source }) => (typeof value === 'number' ? (source ?? String(value)) : value);

/** @throws SyntaxError */
export function parseJsonText(text: string): unknown {
  return JSON.parse(text, keepNumbers as Parameters<typeof JSON.parse>[1]);
}

/** A JSON object as a row; undefined for anything else. */
export function readJsonRow(bytes: Buffer): Readonly<Record<string, string>> | undefined {
  if (!isUtf8(bytes)) return undefined;
  try {
    return rowOfJson(parseJsonText(bytes.toString('utf8').replace(/^\ufeff/, '')));
  } catch {
    return undefined;
  }
}

/**
 * The fields of an object as cells: fields of an object within by `outer.inner`, null as a blank cell, a list of plain
 * values joined by `;`. Undefined for what is no object, or holds lists of objects, which no row has.
 */
export function rowOfJson(value: unknown): Readonly<Record<string, string>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const cells: Cells = [];
  return collect(value, '', cells, 0) ? (Object.fromEntries(cells) as Record<string, string>) : undefined;
}

function collect(object: object, prefix: string, cells: Cells, depth: number): boolean {
  if (depth > mostDepth) return false;
  return Object.entries(object).every(([name, value]) => {
    const column = `${prefix}${name}`;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return collect(value as object, `${column}.`, cells, depth + 1);
    const cell = cellOf(value);
    if (cell !== undefined) cells.push([column, cell]);
    return cell !== undefined;
  });
}

function cellOf(value: unknown): string | undefined {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return undefined;
  return value.every((item) => typeof item === 'string' || typeof item === 'boolean') ? value.join(';') : undefined;
}
