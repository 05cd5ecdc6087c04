import { canonicalize, type JsonObject, type JsonValue } from '../canonical.js';
import { transforms } from './cell-transforms.js';
import type { ImportRule, KindDefinition } from './kind-definition.js';
import type { RecordProblem } from './validate-record.js';

/** One row of an export file with national field names, as record data or with what is wrong with it. */
export interface ImportedRow {
  readonly data?: JsonObject;
  readonly problems: readonly RecordProblem[];
  readonly warnings: readonly RecordProblem[];
  /** As the file spells them. A file without a header row has data here: for the operator's eyes, not for logs. */
  readonly unknownColumns: readonly string[];
}

type Row = Readonly<Record<string, string>>;

/** The record as it grows, and what was wrong on the way. */
interface Draft {
  readonly data: Record<string, Record<string, JsonValue>>;
  readonly problems: RecordProblem[];
}

/** Without blanks around it, in NFC, with plain line ends: spreadsheets differ in these and mean the same. */
function textOf(cell: string | undefined): string {
  return (cell ?? '').replaceAll('\r\n', '\n').trim().normalize('NFC');
}

/**
 * Turns a row into record data; blank cells are absent. Refused, because data would be lost or guessed: a column the
 * kind does not know, two columns that disagree about a field, an amount without its unit.
 */
export function importRow(kind: KindDefinition, row: Row): ImportedRow {
  const draft: Draft = { data: {}, problems: [] };
  const unknownColumns: string[] = [];
  Object.entries(row).forEach(([column, cell], index) => {
    const rule = Object.hasOwn(kind.import, column) ? kind.import[column] : undefined;
    const text = textOf(cell);
    if (rule === undefined) {
      unknownColumns.push(column);
      draft.problems.push(unknownColumn(column, index + 1));
    } else if (text !== '' && rule.path !== '') {
      setField(draft, rule, text, unitOf(rule, row));
    }
  });
  fill(draft, kind, row);
  const { data, problems } = draft;
  return { ...(problems.length === 0 ? { data } : {}), problems, warnings: [], unknownColumns };
}

function unitOf(rule: ImportRule, row: Row): string | undefined {
  return rule.unit?.map((column) => textOf(Object.hasOwn(row, column) ? row[column] : '')).find((unit) => unit !== '');
}

function setField({ data, problems }: Draft, rule: ImportRule, text: string, unit: string | undefined): void {
  const [claim = '', field = ''] = rule.path.split('.');
  const path = `/${claim}/${field}`;
  if (rule.unit !== undefined && unit === undefined) {
    // Yuan or ten thousand yuan is not ours to guess.
    problems.push({ path, code: 'amount-unit-missing', zh: '缺少金额单位', en: 'the amount has no unit' });
    return;
  }
  const value = transforms.get(rule.transform)?.(text, unit);
  const before = data[claim]?.[field];
  if (value === undefined) problems.push({ path, code: `${rule.transform}-unreadable`, zh: '无法转换该值', en: 'the value cannot be converted' });
  else if (before !== undefined && canonicalize(before) !== canonicalize(value)) {
    problems.push({ path, code: 'columns-disagree', zh: '两列给出不同的值', en: 'two columns give different values' });
  } else (data[claim] ??= {})[field] = value;
}

/** What the columns of a row say without a cell of their own: an export of black-list entries need not say so in each. */
function fill({ data }: Draft, kind: KindDefinition, row: Row): void {
  for (const { column, path, value, copy } of kind.importFill) {
    const [claim = '', field = ''] = path.split('.');
    const [fromClaim = '', fromField = ''] = (copy ?? '').split('.');
    const filled = value ?? data[fromClaim]?.[fromField];
    if (!Object.hasOwn(row, column) || textOf(row[column]) === '' || filled === undefined) continue;
    if (data[claim]?.[field] === undefined) (data[claim] ??= {})[field] = filled;
  }
}

/** A national field name is shown; any other header cell could be data in the wrong place, so its position is. */
function unknownColumn(column: string, position: number): RecordProblem {
  const place = /^[A-Z]{2,}(?:_[A-Z]+)*$/.test(column) && column.length <= 40 ? column : `column-${String(position)}`;
  return { path: `/${place}`, code: 'unknown-column', zh: '未知列', en: 'unknown column' };
}
