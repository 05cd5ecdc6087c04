import { BoundedMap } from '../bounded-map.js';
import { canonicalize, type JsonObject, type JsonValue } from '../canonical.js';
import { clean } from './cell-reading.js';
import { planOf, type CellPlan, type ImportPlan, type SplitPlan } from './import-plan.js';
import type { KindDefinition } from './kind-definition.js';
import type { RecordProblem } from './validate-record.js';

/** One row of an export file with national field names, as record data or with what is wrong with it. */
export interface ImportedRow {
  /** Absent where there is a problem. */
  readonly data?: JsonObject;
  /** What could be read, whatever else is wrong. */
  readonly fields: JsonObject;
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
  readonly row: Row;
}

/** Without blanks around it, in NFC, with plain line ends: spreadsheets differ in these and mean the same. */
export function textOf(cell: string | undefined): string {
  return (cell ?? '').replaceAll('\r\n', '\n').trim().normalize('NFC');
}

/**
 * Turns a row into record data; blank cells are absent. Refused, because data would be lost or guessed: a column the
 * kind does not know, two columns that disagree about a field, an amount without its unit.
 * @param plan the kind's own rules where it is absent, else those with a mapping over them
 */
export function importRow(kind: KindDefinition, given: Row, plan: ImportPlan = planOf(kind)): ImportedRow {
  const row = asSpelt(plan, given);
  const draft: Draft = { data: {}, problems: [], row };
  const unknownColumns: string[] = [];
  Object.entries(row).forEach(([column, cell], index) => {
    const known = plan.columns.get(column);
    if (known === undefined) {
      unknownColumns.push(column);
      draft.problems.push(unknownColumn(column, index + 1));
      return;
    }
    const text = known.cell === undefined && known.split === undefined ? '' : textOf(cell);
    if (text === '') return;
    if (known.cell !== undefined) setField(draft, known.cell, text);
    if (known.split !== undefined) splitCell(draft, known.split, text);
  });
  for (const { between, cell, columns } of plan.joins) {
    const text = columns.map((column) => cellOf(row, column)).filter((part) => part !== '').join(between);
    if (text !== '') setField(draft, cell, text);
  }
  fill(draft, plan);
  const { data, problems } = draft;
  return { ...(problems.length === 0 ? { data } : {}), fields: data, problems, warnings: [], unknownColumns };
}

const mostSpellings = 1024;
const spellings = new WeakMap<ImportPlan, BoundedMap<string, string>>();

/**
 * The column of a plan that a file's column is, however it is dressed: databases fold national names to small letters, and
 * spreadsheets leave blanks around names. Itself where it is none.
 */
export function spellingOf(plan: ImportPlan, column: string): string {
  if (plan.columns.has(column)) return column;
  const known = spellings.get(plan) ?? new BoundedMap<string, string>(mostSpellings);
  spellings.set(plan, known);
  let spelling = known.get(column);
  if (spelling === undefined) {
    const bare = textOf(column);
    const national = /^[a-z][a-z_]*$/i.test(bare) ? bare.toUpperCase() : bare;
    spelling = [bare, national].find((name) => plan.columns.has(name)) ?? column;
    known.set(column, spelling);
  }
  return spelling;
}

/** The row under the plan's own names of its columns. Where two would come to be one, both stay as they are. */
function asSpelt(plan: ImportPlan, row: Row): Row {
  const columns = Object.keys(row);
  if (columns.every((column) => plan.columns.has(column))) return row;
  const spelt = columns.map((column) => spellingOf(plan, column));
  const times = new Map<string, number>();
  for (const name of spelt) times.set(name, (times.get(name) ?? 0) + 1);
  return Object.fromEntries(columns.map((column, index) => {
    const name = spelt[index] ?? column;
    return [times.get(name) === 1 ? name : column, row[column] ?? ''];
  }));
}

function cellOf(row: Row, column: string): string {
  return Object.hasOwn(row, column) ? textOf(row[column]) : '';
}

function setField({ data, problems, row }: Draft, { claim, field, read, transform, units }: CellPlan, text: string): void {
  const path = `/${claim}/${field}`;
  const unit = units?.map((column) => cellOf(row, column)).find((word) => word !== '');
  if (units !== undefined && unit === undefined) {
    // Yuan or ten thousand yuan is not ours to guess.
    problems.push({ path, code: 'amount-unit-missing', zh: '缺少金额单位', en: 'the amount has no unit' });
    return;
  }
  const value = read(text, unit);
  const before = data[claim]?.[field];
  if (value === undefined) problems.push({ path, code: `${transform}-unreadable`, zh: '无法转换该值', en: 'the value cannot be converted' });
  else if (before !== undefined && canonicalize(before) !== canonicalize(value)) {
    problems.push({ path, code: 'columns-disagree', zh: '两列给出不同的值', en: 'two columns give different values' });
  } else (data[claim] ??= {})[field] = value;
}

/** One cell into several fields; one that has more or fewer parts than the mapping says is refused, not cut. */
function splitCell(draft: Draft, split: SplitPlan, cell: string): void {
  const texts = partsOfCell(clean(cell, split.clean), split);
  if (texts === undefined) {
    const first = split.parts.find((part) => part !== undefined);
    draft.problems.push({ path: `/${first?.claim ?? ''}/${first?.field ?? ''}`, code: 'split-parts', zh: '单元格不能按映射拆分', en: 'the cell does not come apart as the mapping says' });
    return;
  }
  split.parts.forEach((part, index) => {
    const text = textOf(texts[index]);
    if (part !== undefined && text !== '') setField(draft, part, text);
  });
}

function partsOfCell(text: string, { by, lengths, parts }: SplitPlan): readonly string[] | undefined {
  if (lengths === undefined) {
    const texts = text.split(by ?? ' ');
    return texts.length === parts.length ? texts : undefined;
  }
  if (text.length !== lengths.reduce((sum, length) => sum + length, 0)) return undefined;
  let at = 0;
  return lengths.map((length) => text.slice(at, (at += length)));
}

/** What the columns of a row say without a cell of their own: an export of black-list entries need not say so in each. */
function fill({ data, row }: Draft, { constants, fills }: ImportPlan): void {
  for (const { columns, copy, path, value } of fills) {
    const filled = value ?? (copy && data[copy[0]]?.[copy[1]]);
    if (filled !== undefined && columns.some((column) => cellOf(row, column) !== '')) setEmpty(data, path, filled);
  }
  for (const { ifClaim, path, value } of constants) if (!ifClaim || data[path[0]] !== undefined) setEmpty(data, path, value);
}

function setEmpty(data: Draft['data'], [claim, field]: readonly [claim: string, field: string], value: JsonValue): void {
  if (data[claim]?.[field] === undefined) (data[claim] ??= {})[field] = value;
}

/** A national field name is shown; any other header cell could be data in the wrong place, so its position is. */
function unknownColumn(column: string, position: number): RecordProblem {
  const place = /^[A-Z]{2,}(?:_[A-Z]+)*$/.test(column) && column.length <= 40 ? column : `column-${String(position)}`;
  return { path: `/${place}`, code: 'unknown-column', zh: '未知列', en: 'unknown column' };
}
