import { checkMapping, currencyCode, fieldSchema, isJsonObject, planOf, ProtocolError, spellingOf, type CellRule, type ColumnRule, type ImportRule, type KindDefinition, type MappingDocument } from '@huilian/protocol';
import { isTechnicalColumn, knownWords, namesOf } from './known-words.js';
import { likeness, plainName } from './name-likeness.js';
import { amountFormOf, dateFormOf, formOfColumn, isBuiltInForm, type ValueForm } from './value-forms.js';

interface Words {
  readonly zh: string;
  readonly en: string;
}

/** What the draft makes of a column, how sure it is, and why. */
interface ColumnGuess {
  readonly column: string;
  /** 0 to 100. */
  readonly confidence: number;
  /** Whether the draft says where the column goes; else it is open, and for a person to say. */
  readonly decided: boolean;
  readonly why: Words;
  /** `claim.field`. */
  readonly field?: string;
  readonly rule?: ColumnRule;
  /** Other fields that it might be, likeliest first. */
  readonly others?: readonly string[];
}

export interface MappingDraft {
  readonly mapping: MappingDocument;
  readonly columns: readonly ColumnGuess[];
  /** Required fields that no decided column gives. */
  readonly missing: readonly string[];
}

interface Field {
  readonly path: string;
  readonly rule: ImportRule;
  readonly names: readonly string[];
  readonly form: ValueForm;
}

interface Scored {
  readonly field: Field;
  readonly score: number;
  readonly name: string;
  readonly byForm: boolean;
}

/** Below this a guess is left open; and so is one that another field is nearly as good for. */
const sure = 0.62;
const lead = 0.06;
const mostOthers = 3;
const looksLikeData: ReadonlySet<ValueForm> = new Set(['uscc', 'id-number', 'date', 'datetime', 'phone', 'email', 'region', 'section-code', 'project-code', 'tender-project-code']);

/**
 * A first draft from a header row and sample rows, by the likeness of names (national, Chinese and English) and the forms of
 * values. What is not sure stays open and says so; nothing is invented: no unit, no code for a word that no national set numbers.
 * @throws BAD_FIELD where the header is no header
 */
export function draftMapping(kind: KindDefinition, header: readonly string[], samples: readonly (readonly string[])[]): MappingDraft {
  checkHeader(header);
  const fields = fieldsOf(kind);
  const columns = header.map((column, index) => ({ column, cells: samples.map((row) => (row[index] ?? '').trim()).filter((cell) => cell !== '') }));
  const scored = new Map(columns.map(({ cells, column }) => [column, scoresOf(column, cells, fields)]));
  const taken = assign(kind, header, scored);
  const guesses = columns.map(({ cells, column }) => guess(kind, column, cells, scored.get(column) ?? [], taken.get(column), header));
  const mapping: MappingDocument = { format: 'mapping/1', kind: kind.kind, schema: kind.version, columns: Object.fromEntries(guesses.map((entry) => [entry.column, ruleOfGuess(entry)])) };
  const missing = checkMapping(kind, mapping).flatMap(({ code, field }) => (code === 'required-field-lost' && field !== undefined ? [field] : []));
  return { mapping, columns: guesses, missing };
}

function checkHeader(header: readonly string[]): void {
  header.forEach((column, index) => {
    if (column.trim() === '') throw new ProtocolError('BAD_FIELD', { path: `/header/${String(index)}`, reason: 'empty' });
    if (header.indexOf(column) !== index) throw new ProtocolError('BAD_FIELD', { path: `/header/${String(index)}`, reason: 'twice' });
  });
  const data = header.filter((column) => looksLikeData.has(formOfColumn([column])?.form ?? 'text')).length;
  // A file without a header row: its first row is data, and no name for anything.
  if (data >= 2 && data * 4 >= header.length) throw new ProtocolError('BAD_FIELD', { path: '/header', reason: 'looks-like-data' });
}

// --- fields --------------------------------------------------------------------------------------------------------------------

function fieldsOf(kind: KindDefinition): readonly Field[] {
  const paths = [...new Set(Object.values(kind.import).map(({ path }) => path))].filter((path) => path !== '');
  return paths.flatMap((path) => {
    const rule = Object.values(kind.import).find((entry) => entry.path === path);
    const schema = fieldSchema(kind, path);
    if (rule === undefined || schema === undefined) return [];
    const [claim = ''] = path.split('.');
    const [zh, en] = [String(schema['x-title-zh'] ?? ''), String(schema['title'] ?? '')];
    const claimTitle = kind.claims[claim];
    const titles = [zh, en, ...(claimTitle === undefined ? [] : [`${claimTitle.zh}${zh}`, `${claimTitle.en} ${en}`])].filter((title) => title.trim() !== '');
    return [{ path, rule, names: namesOf(kind, path, titles), form: formOfField(rule, schema) }];
  });
}

function formOfField({ transform }: ImportRule, schema: NonNullable<ReturnType<typeof fieldSchema>>): ValueForm {
  const byTransform: Readonly<Record<string, ValueForm>> = { amount: 'amount', boolean01: 'boolean', date8: 'date', datetime14: 'datetime', currency: 'currency' };
  const byCode: Readonly<Record<string, ValueForm>> = { uscc: 'uscc', 'id-number': 'id-number', region: 'region', 'section-code': 'section-code', 'tender-project-code': 'tender-project-code', 'project-code': 'project-code', industry: 'industry' };
  const code = schema['x-code'];
  return byTransform[transform] ?? (typeof code === 'string' ? byCode[code] : undefined) ?? (/\[0-9\+\(\)/.test(String(schema['pattern'] ?? '')) ? 'phone' : 'text');
}

function agree(wanted: ValueForm, found: ValueForm): boolean {
  return wanted === found || (wanted === 'date' && found === 'datetime') || (wanted === 'datetime' && found === 'date');
}

/** Forms that nothing else looks like: a column of them is not of another field, whatever it is called. */
const tellingForms: ReadonlySet<ValueForm> = new Set(['uscc', 'id-number', 'region', 'section-code', 'tender-project-code', 'project-code', 'email']);

function scoresOf(column: string, cells: readonly string[], fields: readonly Field[]): readonly Scored[] {
  const found = formOfColumn(cells);
  return fields.map((field): Scored => {
    const best = field.names.map((name) => [name, likeness(column, name)] as const).reduce((left, right) => (right[1] > left[1] ? right : left), ['', 0] as const);
    const same = found !== undefined && agree(field.form, found.form);
    const against = found !== undefined && !same && (tellingForms.has(field.form) || tellingForms.has(found.form) || (field.form !== 'text' && found.form !== 'text' && field.form !== 'amount'));
    const change = same && field.form !== 'text' ? (tellingForms.has(field.form) ? 0.25 : 0.15) : against ? -0.35 : 0;
    return { field, name: best[0], score: Math.max(0, Math.min(1, best[1] + change)), byForm: change > 0 };
  }).sort((left, right) => right.score - left.score);
}

/** Each field to the column that fits it best, best first. */
function assign(kind: KindDefinition, header: readonly string[], scored: ReadonlyMap<string, readonly Scored[]>): ReadonlyMap<string, Scored> {
  const taken = new Map<string, Scored>();
  const gone = new Set<string>();
  for (const column of header) {
    const path = nationalRule(kind, column)?.rule.path;
    if (path !== undefined) gone.add(path);
  }
  const pairs = [...scored].flatMap(([column, scores]) => (nationalRule(kind, column) !== undefined ? [] : scores.map((score) => ({ column, score })))).sort((left, right) => right.score.score - left.score.score);
  for (const { column, score } of pairs) {
    if (taken.has(column) || gone.has(score.field.path) || score.score < 0.4) continue;
    taken.set(column, score);
    gone.add(score.field.path);
  }
  return taken;
}

// --- one column ----------------------------------------------------------------------------------------------------------------

function guess(kind: KindDefinition, column: string, cells: readonly string[], scores: readonly Scored[], taken: Scored | undefined, header: readonly string[]): ColumnGuess {
  const national = nationalGuess(kind, column, cells, scores, header);
  if (national !== undefined) return national;
  const unit = unitColumn(kind, column, cells);
  if (unit !== undefined) return { column, confidence: 85, decided: true, why: { zh: '取值是金额单位', en: 'its values are units of amounts' }, rule: { as: unit } };
  if (isTechnicalColumn(column)) return { column, confidence: 75, decided: true, why: { zh: '平台自用的技术列', en: 'a column that platforms keep for themselves' }, rule: { ignore: true } };
  const others = scores.filter(({ field, score }) => score >= 0.4 && field.path !== taken?.field.path).slice(0, mostOthers).map(({ field }) => field.path);
  const also = others.length === 0 ? {} : { others };
  if (taken === undefined) return { column, confidence: Math.round(100 * (scores[0]?.score ?? 0)), decided: false, why: { zh: '没有相近的字段，或相近的字段已由其他列给出', en: 'no field is like it, or one that is has another column' }, ...also };
  return { ...also, ...judged(kind, column, cells, scores, taken, header) };
}

function judged(kind: KindDefinition, column: string, cells: readonly string[], scores: readonly Scored[], taken: Scored, header: readonly string[]): ColumnGuess {
  const { byForm, field, name, score } = taken;
  const confidence = Math.round(100 * score);
  const base = { column, confidence, field: field.path };
  const rival = scores.find((other) => other.field.path !== field.path && other.score > score - lead && plainName(other.name) !== plainName(name));
  if (score < sure) return { ...base, decided: false, why: { zh: `与「${name}」有些相近，不足以确定`, en: `somewhat like ${name}, not enough to be sure` } };
  if (rival !== undefined && score < 0.95) return { ...base, decided: false, why: { zh: `「${name}」与「${rival.name}」都相近`, en: `like ${name}, and like ${rival.name} nearly as much` } };
  const built = buildRule(kind, column, cells, field, header);
  if ('open' in built) return { ...base, decided: false, why: built.open };
  const shape = byForm ? { zh: '，取值形式相符', en: ', and its values have the form' } : { zh: '', en: '' };
  return { ...base, decided: true, rule: built.rule, why: { zh: `列名与「${name}」相近${shape.zh}`, en: `named like ${name}${shape.en}` } };
}

function ruleOfGuess({ decided, others, rule, why, field }: ColumnGuess): ColumnRule {
  if (decided && rule !== undefined) return rule;
  const maybe = [...(field === undefined ? [] : [field]), ...(others ?? [])];
  const text = `${why.zh} / ${why.en}${maybe.length === 0 ? '' : ` (${maybe.join(', ')}?)`}`;
  return { open: text.slice(0, 500) };
}

/** The national column that a header is, in any dress, and its rule. */
function nationalRule(kind: KindDefinition, column: string): { readonly name: string; readonly rule: ImportRule } | undefined {
  const name = spellingOf(planOf(kind), column);
  const rule = Object.hasOwn(kind.import, name) ? kind.import[name] : undefined;
  return rule && { name, rule };
}

/** A column with a national name: as that, but where its values need more than the national rule gives them. */
function nationalGuess(kind: KindDefinition, column: string, cells: readonly string[], scores: readonly Scored[], header: readonly string[]): ColumnGuess | undefined {
  const found = nationalRule(kind, column);
  if (found === undefined) return undefined;
  const { name, rule: own } = found;
  const why = { zh: '国标字段名', en: 'a national column' };
  const field = scores.find((score) => score.field.path === own.path)?.field;
  if (field === undefined) return { column, confidence: 100, decided: true, why, rule: { as: name } };
  const built = buildRule(kind, column, cells, field, header);
  const base = { column, confidence: 100, field: own.path };
  if ('open' in built) return { ...base, decided: false, why: { zh: `${why.zh}；${built.open.zh}`, en: `${why.en}; ${built.open.en}` } };
  // Nothing but its field: the national rule says the same.
  return { ...base, decided: true, why, rule: Object.keys(built.rule).length === 1 ? { as: name } : built.rule };
}

function unitColumn(kind: KindDefinition, column: string, cells: readonly string[]): string | undefined {
  const words = new Set(cells);
  const isUnit = words.size > 0 && words.size <= 6 && [...words].every((word) => /^(?:[01]|分|元|千元|万元|百万元|亿元)$/.test(word)) && /单位|unit/i.test(column);
  if (!isUnit) return undefined;
  const units = Object.entries(kind.import).filter(([, { transform }]) => transform === 'unit').map(([name]) => name);
  return units.map((name) => [name, likeness(name, column)] as const).sort(([, left], [, right]) => right - left)[0]?.[0];
}

type Built = { readonly rule: ColumnRule } | { readonly open: Words };

function buildRule(kind: KindDefinition, column: string, cells: readonly string[], { form, path, rule: { transform } }: Field, header: readonly string[]): Built {
  if (form === 'amount') return amountRule(kind, column, cells, path, header);
  if (form === 'date' || form === 'datetime') {
    const formats = formatsOf(cells.filter((cell) => !Object.hasOwn(knownWords(path, 'date8'), cell)));
    const values = wordsOf(path, 'date8', cells);
    return { rule: { to: path, ...(formats.length === 0 ? {} : { formats }), ...(values === undefined ? {} : { values, otherwise: 'keep' as const }) } };
  }
  if (form === 'uscc' || form === 'id-number') return { rule: { to: path, ...(cells.some((cell) => cell !== cell.normalize('NFKC').toUpperCase().replace(/\s/g, '')) ? { clean: ['half-width', 'no-spaces', 'upper-case'] as const } : {}) } };
  return codeRule(kind, cells, path, transform);
}

function amountRule(kind: KindDefinition, column: string, cells: readonly string[], path: string, header: readonly string[]): Built {
  const forms = cells.map(amountFormOf);
  const thousands = forms.some((found) => found?.thousands === true) ? { thousands: true } : {};
  if (forms.length > 0 && forms.every((found) => found?.inCell === true)) return { rule: { to: path, unit: 'in-cell', ...thousands } };
  const inName = /(百万元|千元|万元|亿元|元|分)[)）\]】]?$/.exec(column.trim())?.[1] as NonNullable<CellRule['unit']> | undefined;
  if (inName !== undefined) return { rule: { to: path, unit: inName, ...thousands } };
  const own = Object.values(kind.import).find((rule) => rule.path === path)?.unit ?? [];
  const units = header.filter((name) => own.includes(name) || (/单位$/.test(name) && /金额|价|资本|币/.test(name)));
  const [unit] = units;
  if (unit !== undefined) return { rule: { to: path, ...(own.includes(unit) ? {} : { unitColumns: [unit] }), ...thousands } };
  return { open: { zh: '是金额，但看不出单位是元还是万元：请给出 unit', en: 'an amount, and nothing says whether in yuan or ten thousand yuan: give its unit' } };
}

/** Forms of dates that the import rules do not read by themselves. */
function formatsOf(cells: readonly string[]): readonly string[] {
  const found = [...new Set(cells.map((cell) => (/^\d{5}$/.test(cell) ? 'excel' : dateFormOf(cell))).filter((format) => format !== undefined))];
  return found.every(isBuiltInForm) ? [] : found.slice(0, 10);
}

function wordsOf(path: string, transform: string, cells: readonly string[]): Record<string, string | boolean> | undefined {
  const known = knownWords(path, transform);
  const used = [...new Set(cells)].filter((cell) => Object.hasOwn(known, cell));
  return used.length === 0 ? undefined : Object.fromEntries(used.map((cell) => [cell, known[cell] as string | boolean]));
}

/** Codes: as they stand where they fit, by the words of national sets, else open. */
function codeRule(kind: KindDefinition, cells: readonly string[], path: string, transform: string): Built {
  const schema = fieldSchema(kind, path) ?? {};
  const entries = transform === 'list' ? cells.flatMap((cell) => cell.split(/[;；、,，]/).map((entry) => entry.trim())).filter((entry) => entry !== '') : cells;
  const items = isJsonObject(schema['items']) ? schema['items'] : schema;
  const fits = (text: string): boolean => (typeof items['pattern'] === 'string' ? new RegExp(items['pattern'], 'u').test(text) : true);
  const separator = transform === 'list' ? (['、', ',', '，'].find((sign) => cells.some((cell) => cell.includes(sign)))) : undefined;
  const apart = separator === undefined ? {} : { separator };
  if (transform === 'boolean01') {
    const values = wordsOf(path, transform, cells);
    return { rule: { to: path, ...(cells.every((cell) => /^[01是否]$/.test(cell)) || values === undefined ? {} : { values }) } };
  }
  if (transform !== 'text' && transform !== 'list' && transform !== 'currency') return { rule: { to: path } };
  const values = wordsOf(path, transform, entries);
  const unknown = [...new Set(entries)].filter((entry) => !fits(entry) && currencyCode(entry) === undefined && values?.[entry] === undefined);
  if (unknown.length > 0 && unknown.length * 2 > new Set(entries).size) return { open: { zh: `取值须为代码，而 ${String(unknown.length)} 个词没有国标代码可对应：请在 values 中给出`, en: `codes are needed, and ${String(unknown.length)} words have none in a national set: give them in values` } };
  return { rule: { to: path, ...apart, ...(values === undefined ? {} : { values, otherwise: 'keep' as const }) } };
}
