import { readFileSync } from 'node:fs';
import type { LedgerCase } from './cases/ledger-case.js';
import type { LedgerCall, World } from './memory-ledger.js';

/** A frozen case: one state, one call, what it comes to (docs/protocol/ledger.md says how to read it). */
export interface LedgerVector {
  readonly name: string;
  readonly input: LedgerCall & { readonly given: string; readonly state?: LedgerCase['state'] };
  readonly expect?: LedgerCase['expect'];
  readonly code?: string;
}

export interface VectorFile {
  readonly item: string;
  readonly about: string;
  readonly given: Readonly<Record<string, World>>;
  readonly cases: readonly LedgerVector[];
}

export const sides = ['valid', 'invalid'] as const;
export type Side = (typeof sides)[number];

const folder = new URL('../../tests/vectors/', import.meta.url);

export function vectorFile(side: Side, item: string): URL {
  return new URL(`${side}/${item}.json`, folder);
}

export function readVectors(side: Side, item: string): VectorFile {
  return JSON.parse(readFileSync(vectorFile(side, item), 'utf8')) as VectorFile;
}

/** The case that a vector froze, apart from the world it names. */
export function caseOf({ input: { given: _world, state, ...call }, name: _name, ...outcome }: LedgerVector): Omit<LedgerCase, 'given' | 'name'> {
  return { call, ...(state === undefined ? {} : { state }), ...outcome };
}
