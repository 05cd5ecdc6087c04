import type { KindDefinition } from '@huilian/protocol';

type Words = Readonly<Record<string, string | boolean>>;

/** Roles of data set 100, as the national dictionary numbers them. */
const roles: Words = { 招标人: '01', 招标代理: '02', 招标代理机构: '02', 投标人: '03', 采购人: '04', 采购代理: '05', 采购代理机构: '05', 供应商: '06', 出让人: '07', 受让人: '08', 竞得人: '09' };
/** Types of tender projects of data sets 501 and 110. */
const tradeTypes: Words = { 房建: 'A01', 房屋建筑: 'A01', 市政: 'A02', 公路: 'A03', 铁路: 'A04', 民航: 'A05', 水运: 'A06', 水利: 'A07', 能源: 'A08', 邮电: 'A09', 桥梁: 'A10', 轨道: 'A11', 矿产冶金: 'A12', 信息网络: 'A13', 工业制造: 'A14', 渔港: 'A97', 园林: 'A98', 其他: 'A99' };
/** GB/T 2261.1. */
const genders: Words = { 男: '1', 女: '2' };
const identityDocuments: Words = { 居民身份证: '01', 身份证: '01' };
const currencies: Words = { 人民币: 'CNY', 人民币元: 'CNY', 美元: 'USD', 港币: 'HKD', 欧元: 'EUR' };
const countries: Words = { 中国: 'CHN', 中华人民共和国: 'CHN' };
const flags: Words = { 有: true, 无: false, Y: true, N: false, true: true, false: false, TRUE: true, FALSE: false, '√': true, '×': false, 是: true, 否: false, 1: true, 0: false };
const withoutEnd: Words = { 长期: '9999-12-31', 长期有效: '9999-12-31', 永久: '9999-12-31', 无固定期限: '9999-12-31' };

const byField: readonly (readonly [RegExp, Words])[] = [
  [/^identity\.roles$|^body\.role$/, roles], [/^contract\.tradeType$|^tender\.type$/, tradeTypes], [/\.gender$/, genders], [/\.idType$/, identityDocuments], [/\.currency$/, currencies], [/\.country$/, countries],
];

/** Words that a national code set or plain sense gives one value for a field; what is not here is for people to decide. */
export function knownWords(path: string, transform: string): Words {
  if (transform === 'boolean01') return flags;
  if (transform === 'date8') return withoutEnd;
  return byField.find(([pattern]) => pattern.test(path))?.[1] ?? {};
}

/** Columns that platforms keep for themselves. */
const technical = /^(?:序号|行号|编号序号|id|rowid|row_id|uuid|guid|主键|创建时间|创建人|更新时间|修改时间|修改人|create_?time|create_?by|update_?time|update_?by|is_?deleted|删除标记|版本号)$/i;

export function isTechnicalColumn(column: string): boolean {
  return technical.test(column.trim());
}

/** Names by which a field may be called: its columns in the national data sets and in Chinese, and its titles. */
export function namesOf(kind: KindDefinition, path: string, titles: readonly string[]): readonly string[] {
  return [...Object.entries(kind.import).flatMap(([column, rule]) => (rule.path === path ? [column] : [])), ...titles];
}
