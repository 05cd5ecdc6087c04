import { isJsonObject, type JsonValue } from '@huilian/protocol';
import type { ReadRecord } from './read-release.js';

/** Where each field of a platform's own form comes from: `kind/claim.field`. */
export type FormMap = Readonly<Record<string, string>>;

/** One field of a filled form: the value, and the record that vouches for it. */
export interface FilledField {
  readonly value: JsonValue;
  /** Record and version the value was verified in. */
  readonly from: { readonly recordId: string; readonly version: number };
}

/** A form with what could be filled, and the names of the fields that no claim gave a value. */
export interface FilledForm {
  readonly fields: Readonly<Record<string, FilledField>>;
  /** Form fields that nothing granted could fill. */
  readonly missing: readonly string[];
}

/** Fills a form with verified claims; nothing is typed, nothing is guessed. */
export function fillForm(form: FormMap, records: readonly ReadRecord[]): FilledForm {
  const filled = Object.entries(form).map(([field, source]) => [field, findValue(source, records)] as const);
  return {
    fields: Object.fromEntries(filled.flatMap(([field, found]) => (found === undefined ? [] : [[field, found] as const]))),
    missing: filled.filter(([, found]) => found === undefined).map(([field]) => field),
  };
}

function findValue(source: string, records: readonly ReadRecord[]): FilledField | undefined {
  const [, kind, claim = '', field = ''] = /^([^/]+)\/([^.]+)\.(.+)$/.exec(source) ?? [];
  for (const { claims, recordId, version } of records) {
    const group = claims[claim];
    const value = recordId.split('/')[1] === kind && isJsonObject(group) ? group[field] : undefined;
    if (value !== undefined) return { value, from: { recordId, version } };
  }
  return undefined;
}
