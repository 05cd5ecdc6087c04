import { isJsonObject, kindFromDocument, valueAt, type JsonObject, type KindDefinition } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { PayloadValues } from './own-values.js';

/** Fields of a kind and version that the columns read, as `claim.field`. */
interface KindFields {
  readonly region?: string;
  /** Codes of a project, or that begin with one; the first that is filled counts. */
  readonly codes: readonly string[];
  /** Position among the kind's amounts, path, and the field that names its currency. */
  readonly amounts: readonly (readonly [position: number, path: string, currency: string | undefined])[];
}

const codeOrder = ['project-code', 'tender-project-code', 'section-code'];
const [projectLetters, regionStart, regionEnd] = [17, 1, 7];

/** What the columns look for in payloads of each kind: said by the document that the consortium adopted, whatever kind it is. */
export class PayloadFields {
  /** By `kind/version`. */
  private readonly fields = new Map<string, KindFields | undefined>();
  /** Paths of amounts by kind, in the order in which versions brought them. */
  private readonly amounts = new Map<string, string[]>();

  public constructor(private readonly readModel: ReadModel) {}

  /** Position of an amount among those of a kind; undefined where it has none of that path. */
  public amountPosition(kind: string, path: string): number | undefined {
    const position = this.amounts.get(kind)?.indexOf(path) ?? -1;
    return position === -1 ? undefined : position;
  }

  /** Whether an adopted kind has an amount of that path. */
  public async hasAmount(path: string): Promise<boolean> {
    const isKnown = (): boolean => [...this.amounts.values()].some((paths) => paths.includes(path));
    // An adopted kind stays, so that only a path that is not known is looked for.
    if (!isKnown()) for (const { kind, version } of await this.readModel.schemas()) this.of(kind, version);
    return isKnown();
  }

  /** Claims of a kind that hold any of it. */
  public claims(kind: string, version: number): ReadonlySet<string> {
    const fields = this.of(kind, version);
    const paths = fields === undefined ? [] : [...(fields.region === undefined ? [] : [fields.region]), ...fields.codes, ...fields.amounts.flatMap(([, path, currency]) => [path, currency ?? path])];
    return new Set(paths.map((path) => path.split('.')[0] ?? ''));
  }

  public read(kind: string, version: number, data: JsonObject): PayloadValues {
    const fields = this.of(kind, version);
    if (fields === undefined) return { amounts: [], place: '', project: '' };
    const code = fields.codes.map((path) => valueAt(data, path)).find((value) => typeof value === 'string') ?? '';
    const region = fields.region === undefined ? undefined : valueAt(data, fields.region);
    const amounts: (string | undefined)[] = [];
    for (const [position, path, currency] of fields.amounts) amounts[position] = amountOf(data, path, currency);
    const place = typeof region === 'string' ? region : code.slice(regionStart, regionEnd);
    return { amounts, place: /^\d{6}$/.test(place) ? place : '', project: code.slice(0, projectLetters) };
  }

  private of(kind: string, version: number): KindFields | undefined {
    const name = `${kind}/${String(version)}`;
    const known = this.fields.get(name);
    if (known !== undefined) return known;
    const adopted = this.readModel.schema(kind, version);
    if (adopted === undefined) return undefined;
    const fields = this.fieldsOf(kindFromDocument(adopted.document));
    this.fields.set(name, fields);
    return fields;
  }

  private fieldsOf(definition: KindDefinition): KindFields {
    const coded = codedFields(definition.document);
    const [region] = coded.filter(([code]) => code === 'region').map(([, path]) => path);
    const codes = codeOrder.flatMap((wanted) => coded.filter(([code]) => code === wanted).map(([, path]) => path));
    const known = this.amounts.get(definition.kind) ?? [];
    this.amounts.set(definition.kind, known);
    const rules = Object.values(definition.import);
    const currencies = [...new Set(rules.filter(({ transform }) => transform === 'currency').map(({ path }) => path))].sort();
    const paths = [...new Set(rules.filter(({ transform }) => transform === 'amount').map(({ path }) => path))].sort();
    for (const path of paths) if (!known.includes(path)) known.push(path);
    const amounts = paths.map((path) => [known.indexOf(path), path, currencyOf(path, currencies)] as const);
    return { ...(region === undefined ? {} : { region }), codes, amounts };
  }
}

/** The currency stated in the same claim, else the only one the kind has. */
function currencyOf(path: string, currencies: readonly string[]): string | undefined {
  const claim = `${path.split('.')[0] ?? ''}.`;
  return currencies.find((currency) => currency.startsWith(claim)) ?? (currencies.length === 1 ? currencies[0] : undefined);
}

/** Amounts of one currency add up; one that names none is in yuan. */
function amountOf(data: JsonObject, path: string, currency: string | undefined): string | undefined {
  const amount = valueAt(data, path);
  if (typeof amount !== 'string' || !/^\d{1,18}$/.test(amount)) return undefined;
  const named = currency === undefined ? undefined : valueAt(data, currency);
  return named === undefined || named === 'CNY' || named === '156' ? amount : 'foreign';
}

/** Fields with a code of their own, by path, so that the order does not hang on how the document was written. */
function codedFields({ properties }: JsonObject): readonly (readonly [code: string, path: string])[] {
  const found: (readonly [string, string])[] = [];
  for (const [claim, shape] of isJsonObject(properties) ? Object.entries(properties) : []) {
    const fields = isJsonObject(shape) && isJsonObject(shape['properties']) ? shape['properties'] : {};
    for (const [field, { 'x-code': code }] of Object.entries(fields) as [string, JsonObject][]) if (typeof code === 'string') found.push([code, `${claim}.${field}`]);
  }
  return found.sort(([, left], [, right]) => (left < right ? -1 : 1));
}
