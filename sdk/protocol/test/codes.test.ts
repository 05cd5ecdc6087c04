import { describe, expect, it } from 'vitest';
import * as protocol from '@huilian/protocol';

const ok = { ok: true, warnings: [] };

/** Each text that differs from the code in one place, where both characters are of the alphabet. */
function substitutions(code: string, alphabet: string): string[] {
  return [...code].flatMap((own, place) =>
    [...alphabet].filter((other) => other !== own && alphabet.includes(own)).map((other) => code.slice(0, place) + other + code.slice(place + 1)),
  );
}

/** Each code with two different neighbours exchanged. */
function transpositions(code: string): string[] {
  return [...code].slice(1).flatMap((right, index) => {
    const left = code.charAt(index);
    return left === right ? [] : [code.slice(0, index) + right + left + code.slice(index + 2)];
  });
}

describe('check characters', () => {
  // A weighted sum modulo a prime finds every single wrong character, and every exchange of neighbours.
  it('USCC: no single wrong character and no exchange of neighbours passes', () => {
    const code = '92440106MA59WXYN3M';
    const wrong = [...substitutions(code, '0123456789ABCDEFGHJKLMNPQRTUWXY'), ...transpositions(code)];
    expect(wrong.length).toBeGreaterThan(500);
    expect(wrong.filter((other) => protocol.checkUscc(other).ok)).toEqual([]);
  });

  it('identity number: no single wrong digit and no exchange of neighbours passes', () => {
    const code = '440106200002291238';
    const wrong = [...substitutions(code, '0123456789'), ...transpositions(code)];
    expect(wrong.filter((other) => protocol.checkIdNumber(other).ok)).toEqual([]);
  });

  it('organisation code: no single wrong digit passes', () => {
    // 2 x 1 = 2 and 11 - 2 = 9, by the weights of GB 11714.
    expect(protocol.checkOrganisationCode('000000019')).toEqual(ok);
    expect(substitutions('000000019', '0123456789').filter((other) => protocol.checkOrganisationCode(other).ok)).toEqual([]);
  });

  it('unified transaction code: a wrong check is told, not refused', () => {
    const code = 'A02-12440100MB2C000134-20240102-000002-V';
    expect(protocol.checkUnifiedTransactionCode(code)).toEqual(ok);
    for (const other of '0123456789ABCDEFGHIJKLMNOPQRSTUWXYZ*') {
      expect(protocol.checkUnifiedTransactionCode(code.slice(0, -1) + other)).toEqual({ ok: true, warnings: ['transaction-code-check'] });
    }
  });
});

describe('regions', () => {
  it('know today’s codes, and tell a retired one from one that never was', () => {
    expect(protocol.checkRegion('370116')).toEqual(ok);
    // Laiwu became part of Jinan in 2019; Chaohu ceased to be a prefecture in 2011.
    for (const code of ['371202', '341400']) expect(protocol.checkRegion(code)).toEqual({ ok: true, warnings: ['region-retired'] });
    expect(protocol.checkRegion('440199')).toEqual({ ok: false, reason: 'unknown-region' });
  });

  it('inside a code given out by others only a province that does not exist is wrong', () => {
    expect(protocol.checkSectionCode('A3712020000000001001001')).toEqual({ ok: true, warnings: ['region-retired'] });
    // A county set up after the list was made.
    expect(protocol.checkSectionCode('A6532280000000001001001')).toEqual({ ok: true, warnings: ['region-unlisted'] });
    expect(protocol.checkInvestmentProjectCode('2018-371202-78-01-053318')).toEqual({ ok: true, warnings: ['region-retired'] });
    expect(protocol.checkInvestmentProjectCode('2018-999999-78-01-053318')).toEqual({ ok: false, reason: 'region' });
  });

  it('have names down to the prefecture', () => {
    expect(protocol.regionName('440106')).toBe('广东省广州市');
    expect(protocol.regionName('440000')).toBe('广东省');
    expect(protocol.regionName('110105')).toBe('北京市');
    expect(protocol.regionName('429004')).toBe('湖北省省直辖县级行政区划');
    for (const code of ['990000', '4401', '', 'constructor']) expect(protocol.regionName(code)).toBeUndefined();
  });
});

describe('identity numbers', () => {
  it('are those of residents of Hong Kong, Macao and Taiwan too', () => {
    // Sums by the weights of GB 11643; sequence 001, born on 1 January 1990.
    for (const [region, check] of [['810000', idCheck('81000019900101001')], ['830000', idCheck('83000019900101001')]] as const) {
      expect(protocol.checkIdNumber(`${region}19900101001${check}`)).toEqual(ok);
    }
    expect(protocol.checkIdNumber(`84000019900101001${idCheck('84000019900101001')}`)).toEqual({ ok: false, reason: 'region' });
  });

  it('of people born in another age are refused', () => {
    for (const year of ['1700', '2100', '9999']) {
      expect(protocol.checkIdNumber(`440106${year}0101001${idCheck(`440106${year}0101001`)}`)).toEqual({ ok: false, reason: 'birth-date' });
    }
  });
});

/** ISO 7064 MOD 11-2 as a recurrence, where the implementation uses the standard's table of weights. */
function idCheck(body: string): string {
  let product = 0;
  for (const digit of body) product = ((product + Number(digit)) * 2) % 11;
  const check = (12 - product) % 11;
  return check === 10 ? 'X' : String(check);
}

describe('currencies', () => {
  it('have one stored spelling', () => {
    expect(protocol.currencyCode('156')).toBe('CNY');
    expect(protocol.currencyCode('CNY')).toBe('CNY');
    expect(protocol.currencyCode('840')).toBe('USD');
    for (const code of ['XTS', '963', 'RMB', 'constructor', '']) expect(protocol.currencyCode(code)).toBeUndefined();
  });
});
