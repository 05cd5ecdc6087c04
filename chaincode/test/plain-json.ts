import { createHash } from 'node:crypto';

/** What tests expect is spelled without the code under test: sorted keys, no whitespace, ASCII keys only. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonRecord = Readonly<Record<string, Json>>;

export function sortedJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((entry: Json) => sortedJson(entry)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value as JsonRecord).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${fields.map(([key, entry]) => `${JSON.stringify(key)}:${sortedJson(entry)}`).join(',')}}`;
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 of a document's sorted JSON. */
export function digestOf(value: Json): string {
  return sha256(sortedJson(value));
}
