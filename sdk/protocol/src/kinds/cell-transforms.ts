import type { JsonValue } from '../canonical.js';
import { currencyCode } from '../codes/index.js';

/** A trimmed, non-empty cell (and, for amounts, its unit) as a field's value; undefined for what cannot be read. */
export type Transform = (text: string, unit: string | undefined) => JsonValue | undefined;

/** D8 `yyyyMMdd` or `yyyy-MM-dd` to a date. */
function date8(text: string): string | undefined {
  const parts = /^(\d{4})-?(\d{2})-?(\d{2})$/.exec(text);
  return parts === null ? undefined : `${parts[1] ?? ''}-${parts[2] ?? ''}-${parts[3] ?? ''}`;
}

/** D14 `yyyyMMddHHmmss` (or a plain date) to Beijing time. */
function datetime14(text: string): string | undefined {
  const parts = /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ]?(\d{2}):?(\d{2}):?(\d{2}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00'] = parts;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`;
}

/** Decimals down to one fen of an amount in yuan, in ten thousand yuan, and in what else is written beside amounts. */
const fenDecimals: ReadonlyMap<string, number> = new Map([['0', 2], ['元', 2], ['1', 6], ['万元', 6], ['分', 0], ['千元', 5], ['百万元', 8], ['亿元', 10]]);

/** N14,6 with its unit (0 yuan, 1 ten thousand yuan, whose sixth decimal is one fen) to integer fen. */
export function amount(text: string, unit = '0'): string | undefined {
  const parts = /^(\d{1,14})(?:\.(\d{1,10}))?$/.exec(text);
  const decimals = fenDecimals.get(unit);
  if (parts === null || decimals === undefined || (parts[2] ?? '').length > Math.max(6, decimals)) return undefined;
  const fraction = (parts[2] ?? '').padEnd(decimals, '0');
  // A fraction of a fen has no place to go.
  if (/[1-9]/.test(fraction.slice(decimals))) return undefined;
  return BigInt((parts[1] ?? '') + fraction.slice(0, decimals)).toString();
}

/** A closed set of words; others pass as they are and meet the schema's list. */
function words(entries: readonly (readonly [string, string])[]): Transform {
  const known = new Map(entries);
  return (text) => known.get(text) ?? text;
}

/** Entries of a list, blank ones left out. */
export function entriesOf(text: string, separator: string | RegExp = /[;；]/): readonly string[] {
  return text.split(separator).map((entry) => entry.trim()).filter((entry) => entry !== '');
}

const booleans: ReadonlyMap<string, boolean> = new Map([['0', false], ['1', true], ['否', false], ['是', true]]);

/** The transforms that an import rule may name. */
export const transformNames = ['text', 'date8', 'datetime14', 'amount', 'boolean01', 'list', 'currency', 'credit-category', 'supervision-category'] as const;

const readings: Readonly<Record<(typeof transformNames)[number], Transform>> = {
  text: (text): string => text,
  date8,
  datetime14,
  amount,
  boolean01: (text): boolean | undefined => booleans.get(text),
  list: (text): readonly string[] => entriesOf(text),
  currency: (text): string => currencyCode(text) ?? text,
  'credit-category': words([['违法违规', 'violation'], ['黑名单', 'blacklist'], ['撤销黑名单', 'withdrawal'], ['撤销', 'withdrawal'], ['奖励', 'award'], ['履约', 'fulfilment'], ['社会信用', 'social'], ['评分', 'score']]),
  'supervision-category': words([['监管事项', 'matter'], ['报警', 'alert'], ['投诉', 'complaint']]),
};

export const transforms: ReadonlyMap<string, Transform> = new Map<string, Transform>(Object.entries(readings));
