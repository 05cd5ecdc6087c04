import type { JsonValue } from '../canonical.js';

type Values = readonly (JsonValue | undefined)[];

/** Two texts are compared only where both are there; what must be there is the schema's to say. */
function both(agree: (left: string, right: string) => boolean): (values: Values) => boolean {
  return ([left, right]) => typeof left !== 'string' || typeof right !== 'string' || agree(left, right);
}

/** Dates by day; two times of one length by the second. */
function inOrder(left: string, right: string): boolean {
  return left.length === right.length ? left <= right : left.slice(0, 10) <= right.slice(0, 10);
}

/** Link checks inside one record, by their code: whether the values at the check's paths agree. */
export const linkRules: ReadonlyMap<string, (values: Values) => boolean> = new Map([
  ['prefix', both((left, right) => right.startsWith(left))],
  ['dates-ordered', both(inOrder)],
  // Numbers of other identity documents carry no birth date.
  ['birth-date-in-id', both((left, right) => !/^\d{17}[\dX]$/.test(left) || left.slice(6, 14) === right.replaceAll('-', ''))],
  ['organisation-code-in-uscc', both((left, right) => left.slice(8, 17) === right)],
  ['one-of-present', (values: Values): boolean => values.some((value) => value !== undefined)],
]);

/** Checks that need more records than one are named here and made by the node. */
export function isAcross(code: string): boolean {
  return /^across-[a-z-]{1,40}$/.test(code);
}
