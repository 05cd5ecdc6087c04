import { canonicalize, isJsonObject, type JsonValue } from '../canonical.js';
import { readFieldMap, writeValue, type FieldMap, type MappedField, type Preference } from './field-map.js';
import type { KindDefinition } from '../kinds/index.js';
import type { ClaimSource, MergedRecords, Thing } from './merge-records.js';
import { placeOfRecord } from './view-record.js';

/** Which record a value of the form was taken from. */
export interface ValueSource extends ClaimSource {
  readonly kind: string;
  /** `claim.field` */
  readonly path: string;
}

/** A value of a form with what stands behind it. */
export interface PrefilledValue {
  /** As the form writes it. */
  readonly value: JsonValue;
  readonly from: ValueSource;
  /** Other centres that verified the same value, ascending. */
  readonly alsoBy: readonly string[];
  /** The owner disputes every record that says so. */
  readonly disputed: boolean;
}

/** Readings among which the map's rule chose, or among which a person must. */
export interface OpenChoice {
  /** Field of the form; `table[row].column` in a table. */
  readonly field: string;
  /** Records of one thing contradict each other, or several things of the kind could be meant. */
  readonly why: 'disagree' | 'several';
  readonly rule: Preference['rule'];
  /** Absent where a person must choose. */
  readonly chosen?: PrefilledValue;
  readonly readings: readonly PrefilledValue[];
}

/** How many fields came from where, which are missing, which disagree. */
export interface ReuseReport {
  /** Fields of the form, cells of its tables among them. */
  readonly total: number;
  readonly filled: number;
  /** Filled fields by the centre that verified them, and by kind of record. */
  readonly byCentre: Readonly<Record<string, number>>;
  readonly byKind: Readonly<Record<string, number>>;
  /** `not-granted`: there are records, whose claim this viewer may not read. `empty`: they say nothing of it. */
  readonly missing: readonly { readonly field: string; readonly why: 'empty' | 'no-record' | 'not-granted' }[];
  readonly choices: readonly OpenChoice[];
  /** Filled with a value that the owner disputes. */
  readonly disputed: readonly string[];
}

/** A form as far as records fill it, and what was reused. */
export interface PrefilledForm {
  readonly form: string;
  readonly fields: Readonly<Record<string, PrefilledValue>>;
  readonly tables: Readonly<Record<string, readonly Readonly<Record<string, PrefilledValue>>[]>>;
  readonly report: ReuseReport;
}

/**
 * Fills a platform's own form from merged records: nothing is typed, nothing is guessed. Every value names the record, centre and
 * ledger time behind it; what differs between centres is chosen by the map's rule or left to a person, and said in either case.
 * Only current records fill; of those the owner disputes, only where nothing else is there.
 * @throws BAD_FIELD, UNKNOWN_FIELD for what is no field map
 */
export function prefill(view: MergedRecords, fieldMap: unknown, kinds?: readonly KindDefinition[]): PrefilledForm {
  const map = readFieldMap(fieldMap, kinds);
  const filling = new Filling(map, view);
  const fields = Object.entries(map.fields).flatMap(([name, field]) => filling.field(name, field));
  const tables = Object.entries(map.tables ?? {}).map(([name, { columns, kind, prefer }]) => {
    const things = view.things.filter((thing) => thing.kind === kind && thing.records.some((record) => record.status === 'active' && !record.contested)).sort((left, right) => ageOf(right) - ageOf(left));
    if (things.length === 0) filling.miss(name, kind, Object.values(columns)[0]?.from ?? '');
    const rows = things.map((thing, row) => {
      const cells = Object.entries(columns).flatMap(([column, { from, separator, transform }]) =>
        filling.cell(`${name}[${String(row)}].${column}`, column, thing, { from: [`${kind}/${from}`], ...(prefer === undefined ? {} : { prefer }), ...(separator === undefined ? {} : { separator }), ...(transform === undefined ? {} : { transform }) }));
      return Object.fromEntries(cells);
    });
    return [name, rows] as const;
  });
  return { form: map.form, fields: Object.fromEntries(fields), tables: Object.fromEntries(tables), report: filling.report() };
}

function ageOf({ records }: Thing): number {
  return Math.max(...records.map(({ publishedAt }) => publishedAt));
}

type Filled = readonly (readonly [name: string, value: PrefilledValue])[];

/** A form as it is filled, and what is said about it. */
class Filling {
  private total = 0;
  private readonly filled: PrefilledValue[] = [];
  private readonly missing: ReuseReport['missing'][number][] = [];
  private readonly choices: OpenChoice[] = [];
  private readonly disputed: string[] = [];

  public constructor(
    private readonly map: FieldMap,
    private readonly view: MergedRecords,
  ) {}

  public field(name: string, field: MappedField): Filled {
    return this.fill(name, name, this.view.things, field);
  }

  public cell(label: string, column: string, thing: Thing, field: MappedField): Filled {
    return this.fill(label, column, [thing], field);
  }

  public miss(field: string, kind: string, path: string): void {
    this.missing.push({ field, why: this.whyMissing(kind, path) });
  }

  public report(): ReuseReport {
    const { choices, disputed, filled, missing, total } = this;
    return { total, filled: filled.length, byCentre: counted(filled.map(({ from }) => from.centre)), byKind: counted(filled.map(({ from }) => from.kind)), missing, choices, disputed };
  }

  private fill(label: string, name: string, things: readonly Thing[], field: MappedField): Filled {
    this.total += 1;
    for (const source of field.from) {
      const [kind = '', path = ''] = source.split('/');
      const readings = things.filter((thing) => thing.kind === kind).map((thing) => readingsOf(thing, path, field));
      if (readings.flat().length > 0) return this.choose(label, name, readings, field.prefer ?? this.map.prefer ?? { rule: 'ask' });
    }
    const [kind = '', path = ''] = (field.from[0] ?? '').split('/');
    this.miss(label, kind, path);
    return [];
  }

  private choose(label: string, name: string, byThing: readonly (readonly PrefilledValue[])[], prefer: Preference): Filled {
    const readings = byThing.flat().sort((left, right) => Number(left.disputed) - Number(right.disputed) || right.from.verifiedAt - left.from.verifiedAt);
    const values = new Set(readings.map(({ value }) => canonicalize(value)));
    const chosen = values.size === 1 ? readings[0] : preferred(readings, prefer);
    if (values.size > 1) this.choices.push({ field: label, why: byThing.some((of) => of.length > 1) ? 'disagree' : 'several', rule: prefer.rule, ...(chosen === undefined ? {} : { chosen }), readings });
    if (chosen === undefined) return [];
    this.filled.push(chosen);
    if (chosen.disputed) this.disputed.push(label);
    return [[name, chosen]];
  }

  private whyMissing(kind: string, path: string): ReuseReport['missing'][number]['why'] {
    const [claim = ''] = path.split('.');
    const things = this.view.things.filter((thing) => thing.kind === kind);
    const withheld = this.view.unreadable.some((record) => placeOfRecord(record).kind === kind);
    if (things.length === 0) return withheld ? 'not-granted' : 'no-record';
    return things.some((thing) => thing.claims.some((merged) => merged.claim === claim)) ? 'empty' : 'not-granted';
  }
}

/** Readings are in order: undisputed before disputed, then newest first. */
function preferred(readings: readonly PrefilledValue[], { centre, rule }: Preference): PrefilledValue | undefined {
  if (rule === 'newest') return readings[0];
  return rule === 'centre' ? readings.find(({ alsoBy, from }) => from.centre === centre || alsoBy.includes(centre ?? '')) : undefined;
}

/** The different values of one thing at a path, each by its newest record that stands. */
function readingsOf({ claims, kind }: Thing, path: string, { separator, transform }: Pick<MappedField, 'separator' | 'transform'>): readonly PrefilledValue[] {
  const [claim = '', field = ''] = path.split('.');
  const found = new Map<string, { readonly value: JsonValue; readonly sources: ClaimSource[] }>();
  for (const { from, value: group } of claims.find((merged) => merged.claim === claim)?.alternatives ?? []) {
    const raw = isJsonObject(group) && Object.hasOwn(group, field) ? group[field] : undefined;
    const value = raw === undefined ? undefined : writeValue(raw, transform, separator);
    const standing = from.filter((source) => source.standing === 'current');
    if (value === undefined || standing.length === 0) continue;
    const reading = found.get(canonicalize(value)) ?? { value, sources: [] };
    reading.sources.push(...standing);
    found.set(canonicalize(value), reading);
  }
  return [...found.values()].map(({ sources, value }) => {
    const undisputed = sources.filter(({ verdict }) => verdict !== 'dispute');
    const [newest] = (undisputed.length > 0 ? undisputed : sources).toSorted((left, right) => right.verifiedAt - left.verifiedAt);
    const centres = [...new Set(sources.map(({ centre }) => centre))].filter((centre) => centre !== newest?.centre).sort();
    return { value, from: { ...(newest as ClaimSource), kind, path }, alsoBy: centres, disputed: undisputed.length === 0 };
  });
}

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const name of [...names].sort()) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}
