import type { JsonObject, JsonValue } from '../canonical.js';
import { kindDefinition, valueAt, type KindDefinition } from '../kinds/index.js';
import { isReadable, placeOfRecord, standingOf, viewRecordShape } from './view-record.js';
import type { FindKind } from './merge-records.js';

/**
 * Link checks across records: what one record says against what others do. They give flags with reasons, never a refusal and
 * never a finding: a flag names the records to look at and holds no value of theirs.
 */
export const flagCodes = {
  'award-amount-differs': { check: 'award', zh: '业绩合同金额与中标公告金额不一致', en: 'the contract amount of the performance is not that of the award notice' },
  'award-winner-differs': { check: 'award', zh: '业绩单位与该标段中标人不一致', en: 'the award notice of the section names another winner' },
  'contract-before-award': { check: 'award', zh: '合同签订早于中标日期', en: 'the contract was signed before the award' },
  'section-of-two-projects': { check: 'award', zh: '同一标段编号属于两个项目', en: 'two projects use one section code' },
  'certificate-expired': { check: 'expiry', zh: '证书已过有效期', en: 'the certificate has expired' },
  'licence-expired': { check: 'expiry', zh: '营业执照已过有效期', en: 'the business licence has expired' },
  'declared-values-differ': { check: 'declared', zh: '同种类记录共享同一值，却在该种类声明须一致之处不同', en: 'records of a kind share a value and differ where their kind declares that they must not' },
  'certificate-under-two-holders': { check: 'certificate', zh: '同一证书编号登记在两个持有人名下', en: 'one certificate number stands under two holders' },
  'two-employers': { check: 'employer', zh: '同一人员在两个单位同时在职', en: 'one person is on the job at two employers' },
  'withdrawal-of-another': { check: 'blacklist', zh: '撤销所指黑名单条目属于另一主体', en: 'the withdrawal names a black-list entry of somebody else' },
  'withdrawal-without-entry': { check: 'blacklist', zh: '撤销未对应有效的黑名单条目', en: 'the withdrawal names no live black-list entry' },
} as const;
/** Why records are to be looked at. */
export type FlagCode = keyof typeof flagCodes;
export type LinkCheckName = (typeof flagCodes)[FlagCode]['check'];

/** Records to look at, and why; no value of theirs. */
export interface Flag {
  readonly code: FlagCode;
  /** The records to look at, ascending. */
  readonly recordIds: readonly string[];
}

/** A current record with all of its data, or the claims of it that whoever checks may read. */
export interface LinkedRecord {
  readonly recordId: string;
  readonly kind: string;
  readonly data: JsonObject;
}

/** What records must share to be compared: the check, and a value that may be personal. Nothing keeps it but as a keyed hash. */
export interface LinkKey {
  readonly check: Exclude<LinkCheckName, 'expiry'>;
  readonly value: string;
}

function texts(data: JsonObject, ...paths: readonly string[]): readonly string[] | undefined {
  const values = paths.map((path) => valueAt(data, path));
  return values.every((value): value is string => typeof value === 'string' && value !== '') ? values : undefined;
}

/** The groups in which a record is compared with others; `definition` is its kind in its version, where that is known. */
export function linkKeys({ data, kind }: LinkedRecord, definition: KindDefinition | undefined): readonly LinkKey[] {
  return [
    ...keyed('award', awardSection(kind, data)),
    ...keyed('certificate', certificateOf(kind, data)),
    ...keyed('employer', valueAt(data, 'employment.onJob') === true ? texts(data, 'person.idNumber')?.[0] : undefined),
    ...keyed('blacklist', kind === 'credit' ? entryCode(data) : undefined),
    ...declaredPairs(definition).flatMap(([shared, value]) => keyed('declared', sharedValue(data, shared) === undefined ? undefined : [kind, shared, value, sharedValue(data, shared)].join(' '))),
  ];
}

/** A kind's own checks of the form `across-one-value`: records of it that have one value at the first path have one at the second. */
function declaredPairs(definition: KindDefinition | undefined): readonly (readonly [shared: string, value: string])[] {
  return (definition?.linkChecks ?? []).flatMap(({ code, paths: [shared, value] }) => (code === 'across-one-value' && shared !== undefined && value !== undefined ? [[shared, value] as const] : []));
}

function sharedValue(data: JsonObject, path: string): string | undefined {
  return texts(data, path)?.[0];
}

function keyed(check: LinkKey['check'], value: string | undefined): readonly LinkKey[] {
  return value === undefined ? [] : [{ check, value }];
}

function awardSection(kind: string, data: JsonObject): string | undefined {
  if (kind === 'performance') return texts(data, 'section.sectionCode')?.[0];
  return kind === 'project' ? texts(data, 'section.code')?.[0] : undefined;
}

/** Numbers are unique within what they certify: those of two kinds have nothing to do with each other. */
function certificateOf(kind: string, data: JsonObject): string | undefined {
  const number = texts(data, 'certificate.number')?.[0];
  return number === undefined ? undefined : `${kind} ${number}`;
}

function entryCode(data: JsonObject): string | undefined {
  const category = valueAt(data, 'entry.category');
  if (category === 'blacklist') return texts(data, 'entry.code')?.[0];
  return category === 'withdrawal' ? texts(data, 'withdrawal.blacklistCode')?.[0] : undefined;
}

/** What the records of one group come to. */
export function compareLinked(check: LinkKey['check'], records: readonly LinkedRecord[], find: (record: LinkedRecord) => KindDefinition | undefined): readonly Flag[] {
  return sortFlags(comparisons[check](records, find));
}

function flag(code: FlagCode, ...records: readonly LinkedRecord[]): Flag {
  return { code, recordIds: records.map(({ recordId }) => recordId).sort() };
}

type Comparison = (records: readonly LinkedRecord[], find: (record: LinkedRecord) => KindDefinition | undefined) => readonly Flag[];

const comparisons: Readonly<Record<LinkKey['check'], Comparison>> = {
  award: (records) => {
    const notices = records.filter(({ kind }) => kind === 'project');
    const performances = records.filter(({ kind }) => kind === 'performance');
    return [...performances.flatMap((performance) => notices.flatMap((notice) => againstNotice(performance, notice))), ...apart('section-of-two-projects', notices, ({ data }) => valueAt(data, 'project.code'))];
  },
  blacklist: (records) => {
    const entries = records.filter(({ data }) => valueAt(data, 'entry.category') === 'blacklist');
    return records.filter((record) => !entries.includes(record)).flatMap((withdrawal) => againstEntries(withdrawal, entries));
  },
  certificate: (records, find) => apart('certificate-under-two-holders', records, (record) => holderOf(record, find(record))),
  declared: (records, find) => {
    const pairs = new Map(records.flatMap((record) => declaredPairs(find(record)).map((pair) => [pair.join(' '), pair] as const)));
    return [...pairs.values()].flatMap(([shared, value]) => {
      const sharedValues = new Set(records.flatMap(({ data }) => sharedValue(data, shared) ?? []));
      return [...sharedValues].flatMap((one) => apart('declared-values-differ', records.filter(({ data }) => sharedValue(data, shared) === one), ({ data }) => valueAt(data, value)));
    });
  },
  employer: (records) => apart('two-employers', records, ({ data }) => valueAt(data, 'employment.employer')),
};

function againstNotice(performance: LinkedRecord, notice: LinkedRecord): readonly Flag[] {
  const winner = valueAt(notice.data, 'award.winner');
  const bidder = valueAt(performance.data, 'bidder.uscc');
  if (winner === undefined || bidder === undefined) return [];
  if (winner !== bidder) return [flag('award-winner-differs', performance, notice)];
  const amounts = [valueAt(performance.data, 'contract.amount'), valueAt(notice.data, 'award.amount')];
  const dates = texts({ ...performance.data, award: notice.data['award'] ?? {} }, 'contract.signedAt', 'award.awardedOn');
  return [
    ...(differ(amounts) ? [flag('award-amount-differs', performance, notice)] : []),
    ...(dates !== undefined && (dates[0] ?? '').slice(0, 10) < (dates[1] ?? '') ? [flag('contract-before-award', performance, notice)] : []),
  ];
}

function againstEntries(withdrawal: LinkedRecord, entries: readonly LinkedRecord[]): readonly Flag[] {
  const body = valueAt(withdrawal.data, 'body.uscc');
  if (entries.length === 0) return [flag('withdrawal-without-entry', withdrawal)];
  return entries.some(({ data }) => valueAt(data, 'body.uscc') === body) ? [] : [flag('withdrawal-of-another', withdrawal, ...entries)];
}

/** One flag for all records of a group whose values are not all the same. */
function apart(code: FlagCode, records: readonly LinkedRecord[], valueOf: (record: LinkedRecord) => JsonValue | undefined): readonly Flag[] {
  const known = records.filter((record) => valueOf(record) !== undefined);
  return differ(known.map(valueOf)) ? [flag(code, ...known)] : [];
}

function differ(values: readonly (JsonValue | undefined)[]): boolean {
  return new Set(values.filter((value) => value !== undefined)).size > 1;
}

/** A person's certificate is the person's, whoever employs it; a company's is its owner's. */
function holderOf({ data }: LinkedRecord, definition: KindDefinition | undefined): JsonValue | undefined {
  if (definition === undefined) return undefined;
  const holder = Object.hasOwn(definition.claims, 'person') ? 'person.idNumber' : definition.owner;
  return holder === null ? undefined : valueAt(data, holder);
}

/** What has run out by a day (`YYYY-MM-DD`). */
export function expiryFlags(record: LinkedRecord, asOf: string): readonly Flag[] {
  const past = (path: string): boolean => (texts(record.data, path)?.[0] ?? asOf) < asOf;
  return [
    ...(past('certificate.end') ? [flag('certificate-expired', record)] : []),
    ...(past('registration.licenceEnd') ? [flag('licence-expired', record)] : []),
  ];
}

/**
 * All flags among the records that a viewer may read, across centres. Only current records count. What is withheld is not
 * guessed: a withdrawal whose entry may lie elsewhere is flagged only where everything of the kind is at hand, which a viewer
 * of single records cannot know, so that check is left to the publisher's node.
 * @throws BAD_FIELD, UNKNOWN_FIELD, BAD_ID for what is no view record
 */
export function checkLinks(records: readonly unknown[], asOf: string, find: FindKind = kindDefinition): readonly Flag[] {
  const current = records.map((value, index) => viewRecordShape.read(value, `/${String(index)}`)).filter(isReadable).filter((record) => standingOf(record) === 'current');
  const schemas = new Map(current.map(({ recordId, schema }) => [recordId, schema]));
  const linked = current.map((record): LinkedRecord => ({ recordId: record.recordId, kind: placeOfRecord(record).kind, data: record.claims }));
  const definitionOf = (record: LinkedRecord): KindDefinition | undefined => find(record.kind, schemas.get(record.recordId) ?? 0);
  const groups = new Map<string, { readonly check: LinkKey['check']; readonly records: LinkedRecord[] }>();
  for (const record of linked) {
    for (const { check, value } of linkKeys(record, definitionOf(record))) {
      const group = groups.get(`${check} ${value}`) ?? { check, records: [] };
      group.records.push(record);
      groups.set(`${check} ${value}`, group);
    }
  }
  const compared = [...groups.values()].filter(({ check }) => check !== 'blacklist').flatMap((group) => compareLinked(group.check, group.records, definitionOf));
  return sortFlags([...compared, ...linked.flatMap((record) => expiryFlags(record, asOf))]);
}

/** By code, then by the records named; one of each. */
export function sortFlags(flags: readonly Flag[]): readonly Flag[] {
  const seen = new Map(flags.map((entry) => [`${entry.code} ${entry.recordIds.join(' ')}`, entry]));
  return [...seen].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, entry]) => entry);
}
