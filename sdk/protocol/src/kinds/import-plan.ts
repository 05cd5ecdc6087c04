import type { JsonValue } from '../canonical.js';
import { readingOf } from './cell-reading.js';
import { transforms, type Transform } from './cell-transforms.js';
import type { ImportRule, KindDefinition } from './kind-definition.js';
import type { CellReading, ColumnRule, MappingDocument } from './mapping-document.js';

/** One field that a text goes to. */
export interface CellPlan {
  readonly claim: string;
  readonly field: string;
  readonly transform: string;
  readonly read: Transform;
  /** Columns that may carry the unit; one of them must, where there are any. */
  readonly units?: readonly string[];
}

export interface SplitPlan {
  readonly clean: CellReading['clean'];
  readonly by?: string;
  readonly lengths?: readonly number[];
  /** For each part in order; undefined for one that is left out. */
  readonly parts: readonly (CellPlan | undefined)[];
}

/** What becomes of a column: nothing, a field, or several. */
export interface ColumnPlan {
  readonly cell?: CellPlan;
  readonly split?: SplitPlan;
}

/** Where one of the columns is filled, the field gets the value, or what stands at another one, if it is empty. */
interface FillPlan {
  readonly columns: readonly string[];
  readonly path: readonly [claim: string, field: string];
  readonly value?: JsonValue;
  readonly copy?: readonly [claim: string, field: string];
}

interface JoinPlan {
  readonly columns: readonly string[];
  readonly between: string;
  readonly cell: CellPlan;
}

interface ConstantPlan {
  readonly path: readonly [claim: string, field: string];
  readonly value: JsonValue;
  readonly ifClaim: boolean;
}

/** How rows become records: the import rules of a kind, and what a mapping lays over them. */
export interface ImportPlan {
  readonly kind: KindDefinition;
  readonly columns: ReadonlyMap<string, ColumnPlan>;
  readonly fills: readonly FillPlan[];
  readonly joins: readonly JoinPlan[];
  readonly constants: readonly ConstantPlan[];
}

const plans = new WeakMap<KindDefinition, ImportPlan>();

/** The import rules of a kind alone, compiled once. */
export function planOf(kind: KindDefinition): ImportPlan {
  let plan = plans.get(kind);
  if (plan === undefined) {
    plan = {
      kind,
      columns: new Map(Object.entries(kind.import).map(([column, rule]) => [column, nationalPlan(rule)])),
      fills: kind.importFill.map(({ column, ...fill }) => fillPlan([column], fill)),
      joins: [],
      constants: [],
    };
    plans.set(kind, plan);
  }
  return plan;
}

/** The same with a mapping over it, which `checkMapping` found no fault in. */
export function mappedPlan(kind: KindDefinition, mapping: MappingDocument): ImportPlan {
  const rules = new Map(Object.entries(mapping.columns));
  const names = new NationalNames(rules);
  const columns = new Map<string, ColumnPlan>();
  for (const [column, rule] of Object.entries(kind.import)) columns.set(column, nationalPlan(rule, names));
  for (const { columns: joined } of mapping.joins ?? []) for (const column of joined) columns.set(column, {});
  for (const [column, rule] of rules) {
    const { into, units } = columnPlan(kind, rule, names);
    columns.set(column, into);
    for (const unit of units) if (!columns.has(unit)) columns.set(unit, {});
  }
  return {
    kind,
    columns,
    fills: kind.importFill.map(({ column, ...fill }) => fillPlan(names.of(column), fill)),
    joins: (mapping.joins ?? []).map(({ columns: joined, with: between = '', to, ...reading }) => ({ columns: joined, between, cell: cellPlan(kind, to, reading, names) })),
    constants: (mapping.constants ?? []).map(({ ifClaim = false, to, value }) => ({ path: partsOf(to), value, ifClaim })),
  };
}

/** Which columns of a file stand for a national column: itself, unless it has a rule of its own, and those mapped as it. */
class NationalNames {
  private readonly others = new Map<string, string[]>();

  public constructor(private readonly rules: ReadonlyMap<string, ColumnRule>) {
    for (const [column, rule] of rules) if ('as' in rule) this.others.set(rule.as, [...(this.others.get(rule.as) ?? []), column]);
  }

  public of(column: string): readonly string[] {
    return [...(this.rules.has(column) ? [] : [column]), ...(this.others.get(column) ?? [])];
  }
}

function columnPlan(kind: KindDefinition, rule: ColumnRule, names: NationalNames): { readonly into: ColumnPlan; readonly units: readonly string[] } {
  if ('as' in rule) {
    const national = Object.hasOwn(kind.import, rule.as) ? kind.import[rule.as] : undefined;
    return { into: national === undefined ? {} : nationalPlan(national, names), units: [] };
  }
  if ('to' in rule) return { into: { cell: cellPlan(kind, rule.to, rule, names) }, units: rule.unitColumns ?? [] };
  if (!('split' in rule)) return { into: {}, units: [] };
  const { by, into, lengths } = rule.split;
  const parts = into.map((part) => ('to' in part ? cellPlan(kind, part.to, part, names) : undefined));
  const units = into.flatMap((part) => ('to' in part ? (part.unitColumns ?? []) : []));
  return { into: { split: { clean: rule.clean, parts, ...(by === undefined ? {} : { by }), ...(lengths === undefined ? {} : { lengths }) } }, units };
}

function nationalPlan({ path, transform, unit }: ImportRule, names?: NationalNames): ColumnPlan {
  const read = transforms.get(transform);
  if (path === '' || read === undefined) return {};
  const [claim, field] = partsOf(path);
  return { cell: { claim, field, transform, read, ...(unit === undefined ? {} : { units: unit.flatMap((column) => names?.of(column) ?? [column]) }) } };
}

function cellPlan(kind: KindDefinition, to: string, reading: CellReading, names: NationalNames): CellPlan {
  const [claim, field] = partsOf(to);
  const own = ruleOf(kind, to);
  const transform = transformOf(kind, to, reading);
  const units = reading.unitColumns ?? own?.unit?.flatMap((column) => names.of(column));
  const needed = transform === 'amount' && reading.unit === undefined && units !== undefined;
  return { claim, field, transform, read: readingOf(reading, transform), ...(needed ? { units } : {}) };
}

/** The kind's own rule for a field: its first. */
export function ruleOf(kind: KindDefinition, path: string): ImportRule | undefined {
  return Object.values(kind.import).find((rule) => rule.path === path);
}

/** The transform of a cell: its own, else that of the kind's rule for the field. */
export function transformOf(kind: KindDefinition, path: string, { transform }: CellReading): string {
  return transform ?? ruleOf(kind, path)?.transform ?? 'text';
}

function fillPlan(columns: readonly string[], { copy, path, value }: { readonly path: string; readonly value?: JsonValue; readonly copy?: string }): FillPlan {
  return { columns, path: partsOf(path), ...(value === undefined ? {} : { value }), ...(copy === undefined ? {} : { copy: partsOf(copy) }) };
}

export function partsOf(path: string): readonly [claim: string, field: string] {
  const [claim = '', field = ''] = path.split('.');
  return [claim, field];
}
