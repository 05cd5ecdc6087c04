import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { worlds, type LedgerCase } from './cases/ledger-case.js';
import { ledgerItems, type LedgerItem } from './cases/ledger-items.js';
import { checkCaseOn } from './check-case.js';
import { caseOf, readVectors, sides, vectorFile, type LedgerVector, type Side, type VectorFile } from './vector-file.js';

// Frozen copies of the cases, for whoever writes these rules in another language. After a change of the protocol they are
// frozen anew with HUILIAN_WRITE_VECTORS=1 npx vitest run --project chaincode ledger-vectors
const freezing = process.env['HUILIAN_WRITE_VECTORS'] === '1';

function vectorOf({ call, code, expect: expected, given, name, state }: LedgerCase): LedgerVector {
  return { name, input: { given, ...(state === undefined ? {} : { state }), ...call }, ...(code === undefined ? { expect: expected } : { code }) };
}

function freeze(side: Side, { about, item, ...cases }: LedgerItem): void {
  const used = new Set(cases[side].map(({ given }) => given));
  const given = Object.fromEntries(Object.entries(worlds).filter(([name]) => used.has(name as keyof typeof worlds)));
  const file: VectorFile = { item, about: `${about}; invented`, given, cases: cases[side].map(vectorOf) };
  writeFileSync(vectorFile(side, item), `${JSON.stringify(file, undefined, 1)}\n`);
}

if (freezing) for (const item of ledgerItems) for (const side of sides) freeze(side, item);

describe.each(ledgerItems)('frozen $item', (made) => {
  it.each(sides)('has every %s case', (side) => {
    expect(existsSync(vectorFile(side, made.item))).toBe(true);
    expect(readVectors(side, made.item).cases.map(({ name }) => name)).toEqual(made[side].map(({ name }) => name));
  });

  describe.each(sides)('%s', (side) => {
    const { cases, given } = readVectors(side, made.item);
    it.each(cases)('$name', async (vector) => {
      await checkCaseOn(given[vector.input.given] ?? {}, caseOf(vector));
    });
  });
});
