import { accepted, rejected, isCompactDate, type CodeCheck } from './code-check.js';
import { checkUscc } from './entity-codes.js';
import { checkEmbeddedRegion } from './region-codes.js';

/**
 * Project, tender project and section codes: one letter and 16 digits (the first six a region); a tender project adds
 * three digits, a section three more, so that each is a prefix of the next. A county that the list has not or no longer
 * is a warning: the code was given out once and stays.
 */
export function checkProjectCode(code: string): CodeCheck {
  return checkTradeCode(code, 17);
}
export function checkTenderProjectCode(code: string): CodeCheck {
  return checkTradeCode(code, 20);
}
export function checkSectionCode(code: string): CodeCheck {
  return checkTradeCode(code, 23);
}
/** Any of the three lengths. */
export function checkAnyProjectCode(code: string): CodeCheck {
  return [17, 20, 23].includes(code.length) ? checkTradeCode(code, code.length) : rejected('length');
}

function checkTradeCode(code: string, length: number): CodeCheck {
  if (code.length !== length) return rejected('length');
  if (!/^[A-Z]\d+$/.test(code)) return rejected('characters');
  return checkEmbeddedRegion(code.slice(1, 7));
}

/** Investment project code, 24 characters: `yyyy-rrrrrr-ii-tt-nnnnnn`. */
export function checkInvestmentProjectCode(code: string): CodeCheck {
  const parts = /^(\d{4})-(\d{6})-\d{2}-\d{2}-\d{6}$/.exec(code);
  if (parts === null) return rejected('characters');
  if (Number(parts[1]) < 1990 || Number(parts[1]) > 2999) return rejected('year');
  return checkEmbeddedRegion(parts[2] ?? '');
}

const mod37Alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*';

/** Check character of ISO 7064 MOD 37-2. */
function mod37Check(text: string): string {
  let product = 0;
  for (const character of text) product = ((product + mod37Alphabet.indexOf(character)) * 2) % 37;
  return mod37Alphabet.charAt((38 - product) % 37);
}

/**
 * Unified transaction code, 40 characters: class 3 - USCC 18 - date 8 - sequence 6 - check 1. The check is MOD 37-2 over
 * the 35 characters before it in the one implementation seen; codes from the field fail it, so a wrong check is a
 * warning, and so is a wrong USCC check character.
 */
export function checkUnifiedTransactionCode(code: string): CodeCheck {
  if (code.length !== 40) return rejected('length');
  const parts = /^([A-Z]\d{2})-([0-9A-Z]{18})-(\d{8})-(\d{6})-([0-9A-Z*])$/.exec(code);
  if (parts === null) return rejected('characters');
  const [, category = '', uscc = '', date = '', sequence = '', check] = parts;
  const owner = checkUscc(uscc);
  if (!owner.ok && owner.reason !== 'check-character') return rejected('uscc');
  if (!isCompactDate(date)) return rejected('date');
  return accepted(
    ...(owner.ok ? [] : ['uscc-check']),
    ...(mod37Check(category + uscc + date + sequence) === check ? [] : ['transaction-code-check']),
  );
}

/** Industry class, GB/T 4754-2017: section letter and two digits, or three digits. The rule for C3 fields is not certain, so both pass. */
export function checkIndustry(code: string): CodeCheck {
  const [letter, first, last] = industryRange(code) ?? [];
  if (letter !== undefined && first !== undefined && last !== undefined) {
    const division = Number(code.slice(1));
    return division >= first && division <= last ? accepted() : rejected('unknown-division');
  }
  if (!/^\d{3}$/.test(code)) return rejected('characters');
  return Number(code.slice(0, 2)) >= 1 && Number(code.slice(0, 2)) <= 97 ? accepted() : rejected('unknown-division');
}

/** Divisions of each section of GB/T 4754-2017, A to T. */
const industrySections: Readonly<Record<string, readonly [number, number]>> = {
  A: [1, 5], B: [6, 12], C: [13, 43], D: [44, 46], E: [47, 50], F: [51, 52], G: [53, 60], H: [61, 62], I: [63, 65], J: [66, 69],
  K: [70, 70], L: [71, 72], M: [73, 75], N: [76, 79], O: [80, 82], P: [83, 83], Q: [84, 85], R: [86, 90], S: [91, 96], T: [97, 97],
};

function industryRange(code: string): readonly [string, number, number] | undefined {
  if (!/^[A-T]\d{2}$/.test(code)) return undefined;
  const range = industrySections[code.charAt(0)];
  return range && [code.charAt(0), ...range];
}
