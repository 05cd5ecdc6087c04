/** What a style says of numbers shown by it. */
const dateFormats: ReadonlySet<number> = new Set([14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 45, 46, 47, 50, 51, 52, 53, 54, 55, 56, 57, 58]);
const day = 86_400_000;
/** Excel counts days as if 1900 had been a leap year; before March 1900 nobody's data goes back. */
const epoch1900 = Date.UTC(1899, 11, 30);
const epoch1904 = Date.UTC(1904, 0, 1);
const mostDigits = 15;

/** Whether a number format shows a date or a time: by its number, or by letters of its code outside quotes and brackets. */
export function isDateFormat(id: number, code: string | undefined): boolean {
  if (code === undefined) return dateFormats.has(id);
  return /[dmyhs年月日时分秒]/i.test(code.replaceAll(/"[^"]*"|\[[^\]]*\]|\\.|_.|\*./g, '')) && !/^general$/i.test(code);
}

/** A serial number as a date, with its time where it has one; undefined where no calendar has it. */
export function dateOfSerial(serial: number, is1904: boolean): string | undefined {
  const time = (is1904 ? epoch1904 : epoch1900) + Math.round(serial * day / 1000) * 1000;
  const date = new Date(time);
  if (!Number.isFinite(serial) || serial < 0 || Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999) return undefined;
  const [days = '', clock = ''] = date.toISOString().split('T');
  return Number.isInteger(serial) ? days : `${days} ${clock.slice(0, 8)}`;
}

/** A number as a person sees it in the sheet: fifteen digits, no binary remainder, no exponent. */
export function textOfNumber(text: string): string | undefined {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) return undefined;
  if (/^-?\d{1,15}$/.test(text)) return text;
  return plain(Number(value.toPrecision(mostDigits)));
}

/** Whether so many digits were typed that the sheet kept only the first of them: a code that should have been text. */
export function hasLostDigits(text: string): boolean {
  return Math.abs(Number(text)) >= 10 ** mostDigits;
}

function plain(value: number): string {
  const text = String(value);
  if (!text.includes('e')) return text;
  return Math.abs(value) >= 1 ? BigInt(Math.round(value)).toString() : value.toFixed(20).replace(/(?<!0)0+$/, '').replace(/\.$/, '');
}

/** `AB12` → 27, counted from 0; undefined without letters. */
export function columnOf(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]{1,3}/.exec(reference ?? '')?.[0];
  return letters === undefined ? undefined : [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}
