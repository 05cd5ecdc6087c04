import { accepted, rejected, type CodeCheck } from './code-check.js';
import { currencyTable } from './currency-table.js';

let byEither: ReadonlyMap<string, string> | undefined;

/** The alphabetic code of a currency given in either spelling (`CNY`, `156`); undefined for what is not listed. */
export function currencyCode(code: string): string | undefined {
  byEither ??= new Map(currencyTable.split(' ').flatMap((entry) => [[entry.slice(0, 3), entry.slice(0, 3)], [entry.slice(3), entry.slice(0, 3)]]));
  return byEither.get(code);
}

/** Currency, GB/T 12406: three letters or three digits. Which of the two a C3 field wants is not certain, so both pass; stored are the letters. */
export function checkCurrency(code: string): CodeCheck {
  if (!/^(?:[A-Z]{3}|\d{3})$/.test(code)) return rejected('characters');
  return currencyCode(code) === undefined ? rejected('unknown-currency') : accepted();
}
