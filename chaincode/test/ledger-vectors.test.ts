import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { worlds, type LedgerCase } from './cases/ledger-case.js';
import { ledgerItems, type LedgerItem } from './cases/ledger-items.js';
import { checkCaseOn } from './check-case.js';
import type { LedgerCall, World } from './memory-ledger.js';

/**
 * Frozen copies of the cases, for whoever writes these rules in another language: one state, one call, what it comes to
 * (docs/protocol/ledger.md says how to read them). After a change of the protocol they are frozen anew with
 * HUILIAN_WRITE_VECTORS=1 npx vitest run --project chaincode ledger-vectors
 */
const folder = new URL('../../tests/vectors/', import.meta.url);
const freezing = process.env['HUILIAN_WRITE_VECTORS'] === '1';

interface Vector {
  readonly name: string;
  readonly input: LedgerCall & { readonly given: string; readonly state?: LedgerCase['state'] };
  readonly expect?: LedgerCase['expect'];
  readonly code?: string;
}

interface VectorFile {
  readonly item: string;
  readonly about: string;
  readonly given: Readonly<Record<string, World>>;
  readonly cases: readonly Vector[];
}

type Side = 'valid' | 'invalid';
const sides = ['valid', 'invalid'] as const;
const fileOf = (side: Side, item: string): URL => new URL(`${side}/${item}.json`, folder);

function vectorOf({ call, code, expect: expected, given, name, state }: LedgerCase): Vector {
  return { name, input: { given, ...(state === undefined ? {} : { state }), ...call }, ...(code === undefined ? { expect: expected } : { code }) };
}

function freeze(side: Side, { about, item, ...cases }: LedgerItem): void {
  const used = new Set(cases[side].map(({ given }) => given));
  const given = Object.fromEntries(Object.entries(worlds).filter(([name]) => used.has(name as keyof typeof worlds)));
  const file: VectorFile = { item, about: `${about}; invented`, given, cases: cases[side].map(vectorOf) };
  writeFileSync(fileOf(side, item), `${JSON.stringify(file, undefined, 1)}\n`);
}

if (freezing) for (const item of ledgerItems) for (const side of sides) freeze(side, item);

function read(side: Side, item: string): VectorFile {
  return JSON.parse(readFileSync(fileOf(side, item), 'utf8')) as VectorFile;
}

describe.each(ledgerItems)('frozen $item', (made) => {
  it.each(sides)('has every %s case', (side) => {
    expect(existsSync(fileOf(side, made.item))).toBe(true);
    expect(read(side, made.item).cases.map(({ name }) => name)).toEqual(made[side].map(({ name }) => name));
  });

  describe.each(sides)('%s', (side) => {
    const { cases, given } = read(side, made.item);
    it.each(cases)('$name', async ({ input, ...outcome }) => {
      const { given: world, state, ...call } = input;
      await checkCaseOn(given[world] ?? {}, { call, ...(state === undefined ? {} : { state }), ...outcome, name: '' });
    });
  });
});
