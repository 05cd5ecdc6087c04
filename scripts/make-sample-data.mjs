// Writes the sample export files of the local consortium: fictional companies and persons, synthetic valid codes.
//   node scripts/make-sample-data.mjs [folder]      the same bytes every time
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'network-config', 'local', 'data');

let state = 20260701;
/** mulberry32: small, seeded, good enough for samples. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (limit) => Math.floor(random() * limit);
const pick = (list) => list[below(list.length)];
const digits = (count) => Array.from({ length: count }, () => below(10)).join('');
const date = (from, to) => `${from + below(to - from + 1)}${String(1 + below(12)).padStart(2, '0')}${String(1 + below(28)).padStart(2, '0')}`;

const usccAlphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';

function organisationCode() {
  const body = `MA${Array.from({ length: 6 }, () => pick([...'0123456789ABCDEFGHJKLMNPQRTUWXY'])).join('')}`;
  const weights = [3, 7, 9, 10, 5, 8, 4, 2];
  const check = (11 - (weights.reduce((sum, weight, index) => sum + weight * parseInt(body[index], 36), 0) % 11)) % 11;
  return body + (check === 10 ? 'X' : String(check));
}

function uscc(prefix, region) {
  const body = prefix + region + organisationCode();
  let sum = 0;
  let weight = 1;
  for (const character of body) {
    sum += usccAlphabet.indexOf(character) * weight;
    weight = (weight * 3) % 31;
  }
  return body + usccAlphabet[(31 - (sum % 31)) % 31];
}

function idNumber(region, birth) {
  const body = region + birth + digits(3);
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  return body + '10X98765432'[weights.reduce((sum, weight, index) => sum + weight * Number(body[index]), 0) % 11];
}

function transactionCode(kind, owner, day, sequence) {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*';
  let product = 0;
  for (const character of kind + owner + day + sequence) product = ((product + alphabet.indexOf(character)) * 2) % 37;
  return `${kind}-${owner}-${day}-${sequence}-${alphabet[(38 - product) % 37]}`;
}

/** Another character in one place: a code that fails its check. */
const broken = (code) => code.slice(0, -1) + (code.endsWith('0') ? '1' : '0');

const centres = [
  { id: 'guangzhou', city: '广州', province: '广东省', region: '440100', districts: ['440103', '440104', '440105', '440106'], entities: 14, projects: 10 },
  { id: 'zhuhai', city: '珠海', province: '广东省', region: '440400', districts: ['440402', '440403', '440404'], entities: 9, projects: 8 },
  { id: 'beijing', city: '北京', province: '北京市', region: '110000', districts: ['110101', '110102', '110105', '110106'], entities: 11, projects: 9 },
];
const words = ['青禾', '云杉', '远岫', '澄江', '鹿鸣', '望舒', '松涛', '白榆', '听澜', '沐川', '霁月', '知行', '南柯', '竹里', '溪午', '苍梧'];
const trades = ['建设', '市政工程', '园林', '机电安装', '信息技术', '水利工程'];
const surnames = ['赵', '钱', '孙', '李', '周', '吴', '郑', '王', '冯', '陈'];
const givens = ['某甲', '某乙', '某丙', '某丁', '某戊', '某己', '某庚', '某辛'];
const person = () => pick(surnames) + pick(givens);

const entities = centres.flatMap((centre) =>
  Array.from({ length: centre.entities }, (_, index) => {
    const district = pick(centre.districts);
    return { centre, district, uscc: uscc('91', district), name: `${centre.city}${words[(index + centre.entities) % words.length]}示例${pick(trades)}有限公司` };
  }),
);
const tenderers = Object.fromEntries(centres.map((centre) => [centre.id, { uscc: uscc('12', centre.region === '110000' ? '110100' : centre.region), name: `${centre.city}市示例项目建设中心` }]));
const main = entities[0];
const others = [entities[1], entities[2]];

const projectCode = (centre) => `${pick(['A', 'E', 'I'])}${pick(centre.districts)}${digits(10)}`;

function entityRow(entity) {
  const unit = pick(['0', '1']);
  return {
    LEGAL_NAME: entity.name, BIDDER_CODE_TYPE: '1', LEGAL_CODE: entity.uscc, LEGAL_ROLE: pick(['03', '03;06', '03;02', '06']),
    LICENSE_NO: entity.uscc, LICENSE_END_DATE: date(2030, 2045), TAX_CERT_NO: entity.uscc, LEGAL_REPRESENT: person(), LEGAL_TYPE: String(1 + below(8)),
    REPRESENT_PHONE: `1990000${digits(4)}`, LEGAL_INDUSTRY: pick(['E47', 'E48', 'E49', 'I65', '481']), CREDIT_RATE: pick(['AAA', 'AA', 'A', '']),
    COUNTRY_REGION: 'CHN', LEGAL_UNIT_ADDRESS: `${entity.centre.city}市示例路${1 + below(200)}号`, REGION_CODE: entity.district,
    REGISTER_PROVINCE: entity.centre.province, REGISTER_CITY: `${entity.centre.city}市`, BASIC_BANK: '示例银行', BASIC_BRANCH_BANK: `${entity.centre.city}示例支行`,
    BASIC_ACCOUNT_NO: `6200${digits(12)}`, BASIC_ACCOUNT_NAME: entity.name, REG_CAPITAL: unit === '1' ? `${100 + below(9000)}.${digits(2)}` : `${1 + below(90)}00000`,
    REG_CAP_CURRENCY: pick(['CNY', '156']), REG_UNIT: unit, LEGAL_CONTACT: person(), LEGAL_CONTACT_PHONE: `020-0000${digits(4)}`,
    LEGAL_CONTACT_ADDRESS: `${entity.centre.city}市示例街${1 + below(99)}号`, LEGAL_WEB: 'https://sample.invalid', LEGAL_ZIP_CODE: `51${digits(4)}`,
    LEGAL_EMAIL: `contact${below(900)}@sample.invalid`, LEGAL_STATUS: '1', PLATFORM_CODE: tenderers[entity.centre.id].uscc, DATA_TIMESTAMP: `${date(2026, 2026)}120000`,
  };
}

function qualificationRow(entity, index) {
  return {
    统一社会信用代码: entity.uscc, 法人名称: entity.name, 资质名称: pick(['建筑工程施工总承包', '市政公用工程施工总承包', '机电工程施工总承包', '水利水电工程施工总承包']),
    资质序列行业和专业类别: pick(['A10101', 'A10102', 'B20301', 'C10200']), 资质等级: pick(['01', '02', '03']), 资质证书编号: `D${entity.uscc.slice(2, 8)}${String(index).padStart(2, '0')}${digits(5)}`,
    发证日期: date(2019, 2024), 资质证书有效期截止日期: date(2027, 2030), 发证机关: '示例住房和城乡建设部门',
  };
}

function performanceRow(entity, centre) {
  const tender = `${projectCode(centre)}001`;
  const title = `${centre.city}示例${pick(['学校', '道路', '医院', '污水处理厂', '数据中心'])}${pick(['新建', '改造', '扩建'])}工程`;
  return {
    BIDDER_NO: entity.uscc, BIDDER_NAME: entity.name, SECTION_NO: tender, BID_SECTION_CODE: `${tender}${String(1 + below(5)).padStart(3, '0')}`, SECTION_NAME: title,
    BID_SECTION_NAME: `${title}施工${1 + below(5)}标段`, TENDER_NO: tenderers[centre.id].uscc, TENDER_NAME: tenderers[centre.id].name,
    BID_AMOUNT: `${10 + below(9000)}.${digits(4)}`, TRADE_TYPE: pick(['A01', 'A02', 'A03', 'A07']), CURRENCY: 'CNY', MONEY_UNIT: '1',
    CONTRACT_SIGN_DATE: `${date(2021, 2024)}093000`, COMPLETE_TIME: date(2025, 2025), END_TIME: date(2026, 2026), EVALUATE: pick(['合格', '优良', '']),
  };
}

function personnelRow(entity) {
  const birth = date(1970, 1998);
  return {
    ID_CARD: idNumber(pick(entity.centre.districts), birth), ID_CARD_TYPE: '01', PERSON_NAME: person(), GENDER: String(1 + below(2)), BIRTHDATE: birth, REGION_CODE: entity.district,
    PERSON_EDU: pick(['大专', '本科', '硕士']), PERSON_PHONE: `1990001${digits(4)}`, UNIT_CODE: entity.uscc, UNIT_NAME: entity.name, ON_JOB: '1', JOB: pick(['项目经理', '技术负责人', '安全员']),
    TECH_TITLE: pick(['工程师', '高级工程师', '助理工程师']), WORK_START_DATE: date(2017, 2024), WORKING_EXPERIENCE: '示例从业经历', QUAL_NAME: pick(['一级建造师', '二级建造师', '造价工程师']),
    QUAL_TYPE: pick(['J10001', 'J20002', 'Z10003']), CERT_NO: `R${digits(10)}`, CERT_END_DATE: date(2027, 2030), CONSENT_DATE: date(2025, 2026), CONSENT_SCOPE: '公共资源交易活动中的资格核验',
  };
}

function creditRow(entity, scope) {
  const award = below(3) > 0;
  return {
    CREDIT_CODE: `CR-${entity.uscc.slice(8, 17)}-${digits(6)}`, CREDIT_CATEGORY: award ? '奖励' : '履约', BODY_CODE: entity.uscc, BODY_NAME: entity.name, BODY_TYPE: '1', BODY_ROLE: '03',
    RECORD_REASON: award ? '示例优质工程奖' : '按期履约评价良好', RECORD_DATE: `${date(2023, 2025)}100000`, GOVERNMENT: '示例行政监督部门', DOCUMENT_CODE: `示例〔2025〕${1 + below(300)}号`,
    SCORE_SYSTEM_NAME: '示例信用评价体系', YEAR: '2025', SCORE: `${80 + below(20)}.${digits(2)}`, PROVINCE_RANK: String(1 + below(500)), SCOPE: scope,
  };
}

function supervisionRow(centre, entity) {
  const tender = `${projectCode(centre)}001`;
  const category = pick(['监管事项', '报警', '投诉']);
  const row = {
    监管事项编号: `SV-${centre.id.toUpperCase()}-${digits(8)}`, 监管类别: category, 标段编号: `${tender}001`, 交易环节: pick(['开标', '评标', '定标']),
    监管部门名称: `${centre.city}示例行政监督部门`, 主体代码: entity.uscc, 主体名称: entity.name, 是否处理: pick(['是', '否']), 处理结果: '示例处理结果',
  };
  if (category === '报警') return { ...row, 监管节点: pick(['投标文件递交', '评标打分']), 报警级别: String(1 + below(3)), 报警信息: '示例报警信息' };
  if (category === '投诉') return { ...row, 投诉人: '示例投诉单位', 投诉内容: '示例投诉内容', 受理日期: date(2025, 2026) };
  return { ...row, 审批事项: '示例核准事项', 法律依据: '示例依据条款', 监管内容: '示例监管内容' };
}

function projectRow(centre, index) {
  const code = projectCode(centre);
  const day = date(2024, 2026);
  return {
    PROJECT_CODE: code, PROJECT_NAME: `${centre.city}示例项目第${index + 1}期`, REGION_CODE: code.slice(1, 7), INVEST_PROJECT_CODE: `2024-${code.slice(1, 7)}-48-01-${digits(6)}`,
    TENDER_PROJECT_CODE: `${code}001`, TENDER_PROJECT_TYPE: pick(['A01', 'A02', 'A07']), BID_SECTION_CODE: `${code}001001`, BID_SECTION_NAME: '施工一标段',
    UNIFIED_DEAL_CODE: transactionCode('A02', tenderers[centre.id].uscc, day, digits(6)), CONTRACT_RECKON_PRICE: `${500 + below(90000)}.${digits(2)}`, PRICE_UNIT: '1',
    TENDERER_CODE: tenderers[centre.id].uscc, TENDERER_NAME: tenderers[centre.id].name, PUBLISHED: index % 4 === 3 ? '0' : '1', PUBLISH_DATE: day,
  };
}

/** The award of the section that a performance row is about, as the centre's own project file has it. */
function awardRow(centre, { SECTION_NO, BID_SECTION_CODE, SECTION_NAME, BID_SECTION_NAME, BIDDER_NO, BIDDER_NAME, BID_AMOUNT, CONTRACT_SIGN_DATE }) {
  const day = `${CONTRACT_SIGN_DATE.slice(0, 6)}01`;
  return {
    PROJECT_CODE: SECTION_NO.slice(0, 17), PROJECT_NAME: SECTION_NAME, REGION_CODE: SECTION_NO.slice(1, 7), RELATE_CODE: '0',
    TENDER_PROJECT_CODE: SECTION_NO, TENDER_PROJECT_TYPE: 'A01', BID_SECTION_CODE, BID_SECTION_NAME,
    TENDERER_CODE: tenderers[centre.id].uscc, TENDERER_NAME: tenderers[centre.id].name, WIN_BIDDER_CODE: BIDDER_NO, WIN_BIDDER_NAME: BIDDER_NAME,
    BID_AMOUNT, MONEY_UNIT: '1', WIN_BIDDER_DATE: day, PUBLISHED: '1', PUBLISH_DATE: day,
  };
}

// Set 302, with the columns of the national export alone: which set a row is of follows from them.
const blacklistRow = (entity, code, day, revoked) => ({
  BLACKLIST_CODE: code, BODY_NAME: entity.name, BODY_CODE: entity.uscc, BODY_TYPE: '1', BODY_ROLE: '03', RECORD_REASON: '示例失信行为', RECORD_DATE: `${day}100000`,
  GOVERNMENT: '示例行政监督部门', DOCUMENT_CODE: '示例〔2024〕7号', REVOCATION_STATUS: revoked, CONFINED_ACTION: '1', SCOPE: '1',
});
// Set 303, whose field names are misspelt at the source.
const withdrawalRow = (entity, code, day) => ({
  BLACKLIST_CODE: code, BODY_NAME: entity.name, BODY_CODE: entity.uscc, BODY_TYPE: '1', BODY_ROLE: '03', REVOCATIONEASONS: '示例：已完成信用修复', ROPOSER: '示例行政监督部门', APPLICATION_DATE: day, SCOPE: '1',
});
const violationRow = (entity, code, day) => ({
  VIOLATING_CODE: code, VIOLATING_NAME: '示例：未按期签订合同', VIOLATING_TIME: `${day}090000`, BODY_NAME: entity.name, BODY_CODE: entity.uscc, BODY_TYPE: '1', BODY_ROLE: '03', AREA: entity.district,
  REWARD_PUNISHMENT_BODY: '示例行政监督部门', PUNISHMENT_BASIS: '示例依据条款', PUNISHMENT_RESULT: '警告（示例）', CONFINED_ACTION: '2', CONFINED_ACTION_START: `${day}090000`,
  CONFINED_ACTION_END: `${String(Number(day.slice(0, 4)) + 1)}${day.slice(4)}090000`, OPERATE_DATE: `${day}180000`, SCOPE: '2',
});
const scoreRow = (entity, quarter, score) => ({
  BODY_NAME: entity.name, BODY_CODE: entity.uscc, SCORE_SYSTEM_NAME: '示例施工企业信用评价', YEAR: '2026', QUARTER: quarter, SCORE: score, PROJECT_RANK: '2', PROVINCE_RANK: '31',
});

/**
 * What is wrong with the bad rows, each with the code the report must show.
 * @type {Record<string, [why: string, spoil: (row: Record<string, string>) => Record<string, string>, code: string][]>}
 */
const spoilers = {
  'guangzhou/entity.csv': [
    ['identity.uscc check character', (row) => ({ ...row, LEGAL_CODE: broken(row.LEGAL_CODE) }), 'uscc-check-character'],
    ['region that does not exist', (row) => ({ ...row, LEGAL_CODE: uscc('91', '440103'), REGION_CODE: '440199' }), 'region-unknown-region'],
    ['no name', (row) => ({ ...row, LEGAL_CODE: uscc('91', '440103'), LEGAL_NAME: '' }), 'required'],
  ],
  'guangzhou/qualification.csv': [['certificate ends before it was issued', (row) => ({ ...row, 资质证书编号: 'D-BAD-1', 发证日期: '20260101', 资质证书有效期截止日期: '20250101' }), 'dates-ordered']],
  'guangzhou/performance.csv': [['section of another tender project', (row) => ({ ...row, BID_SECTION_CODE: `A4401039999999999001001` }), 'prefix'], ['amount with letters', (row) => ({ ...row, BID_SECTION_CODE: `${row.SECTION_NO}009`, BID_AMOUNT: '12万' }), 'amount-unreadable'], ['amount without its unit', (row) => ({ ...row, BID_SECTION_CODE: `${row.SECTION_NO}008`, MONEY_UNIT: '' }), 'amount-unit-missing']],
  'guangzhou/personnel.csv': [['identity number check character', (row) => ({ ...row, ID_CARD: broken(row.ID_CARD) }), 'id-number-check-character'], ['a day that does not exist', (row) => ({ ...row, CERT_NO: 'R-BAD-1', CERT_END_DATE: '20270230' }), 'date-no-such-day']],
  'zhuhai/credit.csv': [['confined until before from', (row) => ({ ...row, CREDIT_CODE: 'CR-BAD-1', CONFINED_ACTION: '1', CONFINED_START: '20250601000000', CONFINED_END: '20250101000000' }), 'dates-ordered'], ['category not on the list', (row) => ({ ...row, CREDIT_CODE: 'CR-BAD-2', CREDIT_CATEGORY: '其他' }), 'not-listed']],
  'beijing/project.csv': [['same natural key twice', (row) => ({ ...row, PROJECT_NAME: '示例重复行' }), 'duplicate-in-file'], ['unreadable date', (row) => ({ ...row, BID_SECTION_CODE: `${row.TENDER_PROJECT_CODE}002`, PUBLISH_DATE: '2025年1月' }), 'date8-unreadable']],
  'beijing/entity.csv': [['letters the code may not have', (row) => ({ ...row, LEGAL_CODE: `91110101MAO0IS0ZVX` }), 'pattern']],
  'guangzhou/credit-9012-score.csv': [['no score', (row) => ({ ...row, QUARTER: '3', SCORE: '' }), 'required']],
};
/** A whole file with a column nobody knows: each of its rows is refused. */
const strayColumn = 'zhuhai/supervision-stray.csv';

const expected = [];
const files = new Map();

for (const centre of centres) {
  const own = entities.filter((entity) => entity.centre === centre);
  const add = (kind, rows) => files.set(`${centre.id}/${kind}.csv`, rows);
  add('entity', own.map(entityRow));
  add('qualification', own.flatMap((entity) => [1, 2].map((index) => qualificationRow(entity, index))));
  add('performance', [...own, ...own.slice(0, 6), ...(centre.id === 'guangzhou' ? [main] : [main, ...others])].map((entity) => performanceRow(entity, centre)));
  add('personnel', own.flatMap((entity) => [personnelRow(entity), personnelRow(entity)]));
  add('credit', [...own, ...(centre.id === 'guangzhou' ? [main] : [main])].map((entity, index) => creditRow(entity, index % 3 === 2 ? '1' : '2')));
  add('supervision', own.slice(0, 6).map((entity) => supervisionRow(centre, entity)));
  const won = files.get(`${centre.id}/performance.csv`).filter(({ BIDDER_NO }) => [main, ...others].some((bidder) => bidder.uscc === BIDDER_NO));
  add('project', [...Array.from({ length: centre.projects }, (_, index) => projectRow(centre, index)), ...won.map((row) => awardRow(centre, row))]);
}
const offenders = entities.filter((entity) => entity !== main && !others.includes(entity)).slice(3, 7);
files.set('guangzhou/credit-302-blacklist.csv', offenders.slice(0, 2).map((entity, index) => blacklistRow(entity, `BL-SAMPLE-${index + 1}`, '20240115', index === 0 ? '1' : '0')));
files.set('guangzhou/credit-303-withdrawal.csv', [withdrawalRow(offenders[0], 'BL-SAMPLE-1', '20250620')]);
files.set('zhuhai/credit-300-violation.csv', offenders.slice(2).map((entity, index) => violationRow(entity, `VI-SAMPLE-${index + 1}`, '20250310')));
files.set('guangzhou/credit-9012-score.csv', [scoreRow(main, '1', '96.5'), scoreRow(main, '2', '97.25'), scoreRow(others[0], '1', '91')]);
files.set(strayColumn, [{ ...supervisionRow(centres[1], entities[20]), 内部备注: '示例' }]);
expected.push({ file: strayColumn, line: 2, code: 'unknown-column', why: 'a column nobody knows' });

for (const [name, list] of Object.entries(spoilers)) {
  const rows = files.get(name);
  for (const [why, spoil, code] of list) {
    rows.push(spoil(rows[1]));
    expected.push({ file: name, line: rows.length + 1, code, why });
  }
}

const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

for (const [name, rows] of files) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column] ?? ''))].map((values) => values.map(cell).join(','));
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  // Exports of spreadsheets begin with a byte order mark; one file keeps that habit.
  writeFileSync(file, `${name === 'zhuhai/entity.csv' ? '\ufeff' : ''}${lines.join('\r\n')}\r\n`);
}
const bidder = ({ uscc: code, name, centre }) => ({ uscc: code, name, centre: centre.id });
writeFileSync(path.join(folder, 'bidders.json'), `${JSON.stringify({ about: 'fictional bidders that register a key / 虚构的投标人', main: bidder(main), others: others.map(bidder) }, null, 2)}\n`);
writeFileSync(path.join(folder, 'expected-refusals.json'), `${JSON.stringify(expected, null, 2)}\n`);
console.log(`${[...files.values()].reduce((sum, rows) => sum + rows.length, 0)} rows in ${files.size} files, ${expected.length} of them bad`);
