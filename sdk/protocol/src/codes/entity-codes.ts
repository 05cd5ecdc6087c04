import { accepted, rejected, isCompactDate, type CodeCheck } from './code-check.js';
import { isProvince } from './region-codes.js';

const usccAlphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
/** Values by character code. */
const usccValues = Int8Array.from({ length: 128 }, (_none, code) => usccAlphabet.indexOf(String.fromCharCode(code)));

/**
 * Unified social credit code, GB 32100-2015: 17 characters of an alphabet without I, O, S, V, Z, weights 3^i mod 31, and
 * a check character. The organisation code inside (characters 9-17) has a check of its own; a wrong one is a warning,
 * since real codes exist that fail it.
 */
export function checkUscc(code: string): CodeCheck {
  if (code.length !== 18) return rejected('length');
  if (!/^[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}$/.test(code)) return rejected('characters');
  let sum = 0;
  let weight = 1;
  for (let at = 0; at < 17; at += 1) {
    sum += (usccValues[code.charCodeAt(at)] ?? 0) * weight;
    weight = (weight * 3) % 31;
  }
  if (usccAlphabet[(31 - (sum % 31)) % 31] !== code[17]) return rejected('check-character');
  return checkOrganisationCode(code.slice(8, 17)).ok ? accepted() : accepted('organisation-code-check');
}

const organisationWeights = [3, 7, 9, 10, 5, 8, 4, 2];

/** 0-9 and A-Z as 0 to 35. */
function digitValue(code: number): number {
  return code < 58 ? code - 48 : code - 55;
}

/** Organisation code, GB 11714-1997: 8 characters and a check character modulo 11 (10 is X). */
export function checkOrganisationCode(code: string): CodeCheck {
  if (code.length !== 9) return rejected('length');
  if (!/^[0-9A-Z]{8}[0-9X]$/.test(code)) return rejected('characters');
  const sum = organisationWeights.reduce((total, weight, index) => total + weight * digitValue(code.charCodeAt(index)), 0);
  const check = (11 - (sum % 11)) % 11;
  return (check === 10 ? 'X' : String(check)) === code[8] ? accepted() : rejected('check-character');
}

const idWeights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** Residence permits of residents of Taiwan carry numbers of this standard that begin with 830000. */
const taiwanResidents = '83';

/**
 * Citizen identity number, GB 11643-1999: region, birth date, sequence and a check character (ISO 7064 MOD 11-2). Of the
 * region only the province is checked: numbers keep the code of their day, and counties come and go.
 */
export function checkIdNumber(code: string): CodeCheck {
  if (code.length !== 18) return rejected('length');
  if (!/^\d{17}[\dX]$/.test(code)) return rejected('characters');
  if (!isProvince(code.slice(0, 2)) && code.slice(0, 2) !== taiwanResidents) return rejected('region');
  if (!/^(?:18|19|20)$/.test(code.slice(6, 8)) || !isCompactDate(code.slice(6, 14))) return rejected('birth-date');
  const sum = idWeights.reduce((total, weight, index) => total + weight * Number(code.charAt(index)), 0);
  return '10X98765432'.charAt(sum % 11) === code.charAt(17) ? accepted() : rejected('check-character');
}
