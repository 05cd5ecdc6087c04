import type { JsonValue } from '../canonical.js';
import { isCalendarDay } from '../codes/code-check.js';
import { amount, entriesOf, transforms, type Transform } from './cell-transforms.js';
import type { CellReading, MappedValue } from './mapping-document.js';

type Cleaning = NonNullable<CellReading['clean']>[number];

const cleanings: Readonly<Record<Cleaning, (text: string) => string>> = {
  'half-width': (text) => text.replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0)).replaceAll('\u3000', ' ').trim(),
  'no-spaces': (text) => text.replace(/\s/g, ''),
  'upper-case': (text) => text.toUpperCase(),
  // Spreadsheets put it before digits that must stay text.
  'no-leading-quote': (text) => text.replace(/^['`‘’]/, '').trim(),
};

export function clean(text: string, steps: readonly Cleaning[] = []): string {
  return steps.reduce((cleaned, step) => cleanings[step](cleaned), text);
}

// --- dates -------------------------------------------------------------------------------------------------------------------

const datePieces: Readonly<Record<string, readonly [part: string, pattern: string]>> = {
  yyyy: ['year', '(\\d{4})'], MM: ['month', '(\\d{2})'], M: ['month', '(\\d{1,2})'], dd: ['day', '(\\d{2})'], d: ['day', '(\\d{1,2})'],
  HH: ['hour', '(\\d{2})'], H: ['hour', '(\\d{1,2})'], mm: ['minute', '(\\d{2})'], ss: ['second', '(\\d{2})'],
};
/** A day number of a spreadsheet, and of Unix time's first day in it. */
const excelWord = 'excel';
const excelEpochDay = 25_569;

interface DateForm {
  readonly pattern: RegExp;
  readonly parts: readonly string[];
}

/** A form of dates as a pattern; undefined where it is none. It cannot backtrack far: pieces have bounds and stand apart. */
function dateForm(format: string): DateForm | undefined {
  const parts: string[] = [];
  const source = format.replace(/yyyy|MM?|dd?|HH?|mm|ss|[^]/gu, (piece) => {
    const known = Object.hasOwn(datePieces, piece) ? datePieces[piece] : undefined;
    if (known === undefined) return piece.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    parts.push(known[0]);
    return known[1];
  });
  const whole = ['year', 'month', 'day'].every((part) => parts.includes(part)) && new Set(parts).size === parts.length;
  return whole ? { parts, pattern: new RegExp(`^${source}$`, 'u') } : undefined;
}

/** Whether a text names a form of dates; of times, where `withTime`. */
export function isDateFormat(format: string, withTime: boolean): boolean {
  if (format === excelWord) return true;
  const form = dateForm(format);
  if (form === undefined || /[A-Za-z]/.test(format.replace(/yyyy|MM?|dd?|HH?|mm|ss|T/g, ''))) return false;
  return withTime || !form.parts.includes('hour');
}

function two(value: string | number | undefined): string {
  return String(value ?? 0).padStart(2, '0');
}

function excelDay(text: string): readonly [date: string, time: string] | undefined {
  const parts = /^(\d{1,7})(?:\.(\d{1,10}))?$/.exec(text);
  if (parts === null) return undefined;
  const days = Number(parts[1]) - excelEpochDay;
  const seconds = Math.round(Number(`0.${parts[2] ?? '0'}`) * 86_400);
  const date = civilDate(days);
  return date === undefined || seconds >= 86_400 ? undefined : [date, `${two(Math.floor(seconds / 3600))}:${two(Math.floor((seconds % 3600) / 60))}:${two(seconds % 60)}`];
}

/** Days since 1970-01-01 as a day of the Gregorian calendar (H. Hinnant's civil_from_days). */
function civilDate(days: number): string | undefined {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return year < 1900 || year > 9999 ? undefined : `${String(year)}-${two(month)}-${two(day)}`;
}

type DateReader = (text: string) => readonly [date: string, time: string] | undefined;

/** Reads texts of one form: their date, and their time where they have one. */
function dateReader(format: string): DateReader {
  if (format === excelWord) return excelDay;
  const form = dateForm(format);
  if (form === undefined) return () => undefined;
  return (text) => {
    const found = form.pattern.exec(text);
    if (found === null) return undefined;
    const parts = new Map(form.parts.map((part, index) => [part, found[index + 1]]));
    return [`${parts.get('year') ?? ''}-${two(parts.get('month'))}-${two(parts.get('day'))}`, `${two(parts.get('hour'))}:${two(parts.get('minute'))}:${two(parts.get('second'))}`];
  };
}

/** The first form that a text has and that makes a day of the calendar. */
function byFormats(formats: readonly string[]): DateReader {
  const readers = formats.map(dateReader);
  return (text) => readers.map((read) => read(text)).find((found) => found !== undefined && isDay(found[0]));
}

function isDay(date: string): boolean {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number);
  return isCalendarDay(year, month, day);
}

// --- amounts -----------------------------------------------------------------------------------------------------------------

const writtenUnit = /^([\d.,]+) ?(分|元|千元|万元|万|百万元|亿元|亿)$/;

function plainAmount(text: string, thousands: boolean): string | undefined {
  const bare = text.replace(/^[¥￥] ?/, '');
  if (!thousands) return bare;
  return /^\d{1,3}(?:,\d{3}){0,5}(?:\.\d{1,10})?$|^\d{1,14}(?:\.\d{1,10})?$/.test(bare) ? bare.replaceAll(',', '') : undefined;
}

function amountReading({ thousands = false, unit }: CellReading): Transform {
  return (text, fromColumn) => {
    const written = unit === 'in-cell' ? writtenUnit.exec(text.replace(/^[¥￥] ?/, '')) : undefined;
    if (written === null) return undefined;
    const number = plainAmount(written?.[1] ?? text, thousands);
    const word = written?.[2] ?? (unit === undefined ? fromColumn : unit);
    return number === undefined ? undefined : amount(number, word === '万' || word === '亿' ? `${word}元` : word);
  };
}

// --- all together ------------------------------------------------------------------------------------------------------------

function lookedUp(values: NonNullable<CellReading['values']>, text: string): MappedValue | undefined {
  return Object.hasOwn(values, text) ? values[text] : undefined;
}

function plainReading(reading: CellReading, transform: string): Transform {
  const { formats, separator } = reading;
  if (formats !== undefined) {
    const readDate = byFormats(formats);
    return (text) => {
      const found = readDate(text);
      return found && (transform === 'date8' ? found[0] : `${found[0]}T${found[1]}+08:00`);
    };
  }
  if (transform === 'amount') return amountReading(reading);
  if (transform === 'list') return (text) => entriesOf(text, separator);
  return transforms.get(transform) ?? ((): undefined => undefined);
}

/** How one cell is read by a mapping: cleaned, looked up in the table of values, transformed. */
export function readingOf(reading: CellReading, transform: string): Transform {
  const plain = plainReading(reading, transform);
  const { otherwise = 'refuse', values } = reading;
  const one = (text: string, unit: string | undefined): JsonValue | undefined => {
    const found = values && lookedUp(values, text);
    return found ?? (values === undefined || otherwise === 'keep' ? plain(text, unit) : undefined);
  };
  const whole = transform === 'list' && values !== undefined ? listOf(reading, values) : one;
  return (text, unit) => {
    const cleaned = clean(text, reading.clean);
    return cleaned === '' ? undefined : whole(cleaned, unit);
  };
}

function listOf({ otherwise = 'refuse', separator }: CellReading, values: NonNullable<CellReading['values']>): Transform {
  return (text) => {
    const entries = entriesOf(text, separator).map((entry) => lookedUp(values, entry) ?? (otherwise === 'keep' ? entry : undefined));
    return entries.every((entry) => entry !== undefined) ? entries.flat() : undefined;
  };
}
