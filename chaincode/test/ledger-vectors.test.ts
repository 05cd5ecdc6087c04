import { existsSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { worlds, type LedgerCase } from './cases/ledger-case.js';
import { ledgerItems, type LedgerItem } from './cases/ledger-items.js';
import { checkCaseOn } from './check-case.js';
import { caseOf, readVectors, sides, vectorFile, type LedgerVector, type Side, type VectorFile } from './vector-file.js';

// Frozen copies of the cases, for whoever writes these rules in another language. New cases are added, and those that are no
// more go, with HUILIAN_WRITE_VECTORS=1 npx vitest run --project chaincode ledger-vectors. What was frozen stays as it is: a
// case that a change of the protocol makes another one is deleted from its file first.
const freezing = process.env['HUILIAN_WRITE_VECTORS'] === '1';

function vectorOf({ call, code, expect: expected, name, state }: LedgerCase, given: string): LedgerVector {
  return { name, input: { given, ...(state === undefined ? {} : { state }), ...call }, ...(code === undefined ? { expect: expected } : { code }) };
}

function freeze(side: Side, { about, item, ...cases }: LedgerItem): void {
  const before: VectorFile = existsSync(vectorFile(side, item)) ? readVectors(side, item) : { item, about: `${about}; invented`, given: {}, cases: [] };
  const frozen = new Map(before.cases.map((vector) => [vector.name, vector]));
  // Every run makes keys of its own, so that cases which are new need the world of this run.
  const run = Object.keys(before.given).length === 0 ? '' : ` ${new Date().toISOString()}`;
  const kept = cases[side].map((made) => frozen.get(made.name) ?? vectorOf(made, `${made.given}${run}`));
  const used = new Set(kept.map(({ input }) => input.given));
  const fresh = Object.entries(worlds).map(([name, world]) => [`${name}${run}`, world] as const);
  const given = Object.fromEntries([...Object.entries(before.given), ...fresh].filter(([name]) => used.has(name)));
  writeFileSync(vectorFile(side, item), `${JSON.stringify({ ...before, given, cases: kept }, undefined, 1)}\n`);
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
