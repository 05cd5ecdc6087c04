/**
 * Names that every object answers to by itself. A claim, field, column or kind of such a name would be looked up and found
 * where nobody put it.
 */
const inherited: ReadonlySet<string> = new Set([
  '__defineGetter__', '__defineSetter__', '__lookupGetter__', '__lookupSetter__', '__proto__', 'constructor', 'hasOwnProperty', 'isPrototypeOf',
  'propertyIsEnumerable', 'prototype', 'toLocaleString', 'toString', 'valueOf',
]);

/** Whether an object has this name from its prototype. */
export function isInheritedName(name: string): boolean {
  return inherited.has(name);
}

/** Name of a field of a claim: plain letters and digits, so that paths, columns and pointers can hold it. */
export function isFieldName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9]{0,59}$/.test(name) && !isInheritedName(name);
}

/** Name of a code set adopted by vote, and of a check that this software brings along. */
export function isCodeSetName(name: string): boolean {
  return /^[a-z][a-z0-9-]{1,40}$/.test(name) && !isInheritedName(name);
}
