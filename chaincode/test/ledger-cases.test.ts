import { describe, expect, it } from 'vitest';
import { errorCatalogue, ledgerFunctions, parseErrorMessage } from '@huilian/protocol';
import { ledgerItems } from './cases/ledger-items.js';
import { checkCase } from './check-case.js';
import { worlds } from './cases/ledger-case.js';
import { changed, invoke } from './memory-ledger.js';

// Each case is built and signed anew with fresh keys; the frozen copies under tests/vectors run in ledger-vectors.test.ts.
describe.each(ledgerItems)('$item', ({ invalid, valid }) => {
  it.each(valid)('$name', async (made) => {
    await checkCase(made);
  });

  it.each(invalid)('refuses $name: $code', async (made) => {
    await checkCase(made);
  });
});

describe('the cases together', () => {
  it('meet every code that the ledger decides', () => {
    const met = new Set(ledgerItems.flatMap(({ invalid }) => invalid.map(({ code }) => code)));
    const decided = Object.entries(errorCatalogue).filter(([, { stage }]) => stage === 'ledger');
    expect(decided.map(([code]) => code).filter((code) => !met.has(code))).toEqual([]);
  });

  it('meet every function, accepted and refused', () => {
    const called = (side: 'invalid' | 'valid'): string[] => [...new Set(ledgerItems.flatMap((item) => item[side].map((made) => made.call.function)))].sort();
    expect(called('valid')).toEqual(Object.values(ledgerFunctions).sort());
    expect(called('invalid')).toEqual(Object.values(ledgerFunctions).sort());
  });

  it('come to the same on every endorser\'s clock that accepts them', async () => {
    for (const { call, given, state } of ledgerItems.flatMap(({ valid }) => valid)) {
      const world = changed(worlds[given], state ?? {});
      const [early, late] = await Promise.all([-180, 180].map((skew) => invoke(world, { ...call, endorserTime: call.time + skew })));
      expect(early).toEqual(late);
    }
  });

  it('name only codes of the catalogue', () => {
    const codes = ledgerItems.flatMap(({ invalid }) => invalid.map(({ code }) => code ?? ''));
    expect(codes.filter((code) => parseErrorMessage(code)?.code !== code)).toEqual([]);
  });
});
