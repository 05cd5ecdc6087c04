import type { JsonObject, JsonValue } from '../canonical.js';
import type { ImportRule, KindDefinition } from './kind-definition.js';
import type { RecordProblem } from './validate-record.js';

/** One row of an export file with national field names, as record data or with what is wrong with it. */
export interface ImportedRow {
  readonly data?: JsonObject;
  readonly problems: readonly RecordProblem[];
  readonly warnings: readonly RecordProblem[];
  readonly unknownColumns: readonly string[];
}

type Row = Readonly<Record<string, string>>;
type Transform = (text: string, rule: ImportRule, row: Row) => JsonValue | undefined;

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

/** N14,6 with unit 0 (yuan) or 1 (ten thousand yuan, whose sixth decimal is one fen) to integer fen. */
function amount(text: string, rule: ImportRule, row: Row): string | undefined {
  const parts = /^(\d{1,14})(?:\.(\d{1,6}))?$/.exec(text);
  const unit = (rule.unit ?? []).map((column) => row[column]?.trim()).find((value) => value !== undefined && value !== '') ?? '0';
  const decimals = { '0': 2, '1': 6 }[unit];
  if (parts === null || decimals === undefined) return undefined;
  const fraction = (parts[2] ?? '').padEnd(6, '0');
  // A fraction of a fen has no place to go.
  if (/[1-9]/.test(fraction.slice(decimals))) return undefined;
  return BigInt((parts[1] ?? '') + fraction.slice(0, decimals)).toString();
}

const categories: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'credit-category': { 违法违规: 'violation', 黑名单: 'blacklist', 撤销: 'withdrawal', 奖励: 'award', 履约: 'fulfilment', 社会信用: 'social', 评分: 'score' },
  'supervision-category': { 监管事项: 'matter', 报警: 'alert', 投诉: 'complaint' },
};

function category(text: string, rule: ImportRule): string {
  return categories[rule.transform]?.[text] ?? text;
}

const transforms: Readonly<Record<string, Transform>> = {
  text: (text) => text,
  date8,
  datetime14,
  amount,
  boolean01: (text) => ({ '0': false, '1': true, 否: false, 是: true })[text],
  list: (text) => text.split(/[;；]/).map((entry) => entry.trim()).filter((entry) => entry !== ''),
  currency: (text) => (text === '156' ? 'CNY' : text),
  'credit-category': category,
  'supervision-category': category,
};

/** Turns a row into record data; blank cells are absent. Columns the kind does not know are problems: data would be lost. */
export function importRow(kind: KindDefinition, row: Row): ImportedRow {
  const data: Record<string, Record<string, JsonValue>> = {};
  const problems: RecordProblem[] = [];
  const unknownColumns: string[] = [];
  for (const [column, cell] of Object.entries(row)) {
    const rule = Object.hasOwn(kind.import, column) ? kind.import[column] : undefined;
    const text = cell.trim().normalize('NFC');
    if (rule === undefined) unknownColumns.push(column);
    else if (text !== '' && rule.path !== '') setField(data, problems, rule, text, row);
  }
  for (const column of unknownColumns) problems.push(unknownColumn(column));
  return { ...(problems.length === 0 ? { data } : {}), problems, warnings: [], unknownColumns };
}

function setField(data: Record<string, Record<string, JsonValue>>, problems: RecordProblem[], rule: ImportRule, text: string, row: Row): void {
  const value = transforms[rule.transform]?.(text, rule, row);
  const [claim = '', field = ''] = rule.path.split('.');
  if (value === undefined) problems.push({ path: `/${claim}/${field}`, code: `${rule.transform}-unreadable`, zh: '无法转换该值', en: 'the value cannot be converted' });
  else (data[claim] ??= {})[field] = value;
}

function unknownColumn(column: string): RecordProblem {
  // A header cell is shown only where it looks like a name; anything else could be data in the wrong place.
  const name = /^[\p{L}\p{N}_]{1,40}$/u.test(column) ? column : '?';
  return { path: `/${name}`, code: 'unknown-column', zh: '未知列', en: 'unknown column' };
}
