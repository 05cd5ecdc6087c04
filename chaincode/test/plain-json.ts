import { createHash } from 'node:crypto';
import { sortedJson } from './memory-stub.mjs';

/** What tests expect is spelled without the code under test. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonRecord = Readonly<Record<string, Json>>;

export { sortedJson } from './memory-stub.mjs';

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 of a document's sorted JSON. */
export function digestOf(value: Json): string {
  return sha256(sortedJson(value));
}
