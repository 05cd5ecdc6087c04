// Writes the sample export files of the local consortium: fictional companies and persons, synthetic valid codes.
//   node scripts/make-sample-data.mjs [folder]      the same bytes every time
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { uscc } from './sample-data/codes.mjs';
import { centres, rowMakers, trades, words } from './sample-data/rows.mjs';
import { seededDraw } from './sample-data/seeded-draw.mjs';

const folder = process.argv[2] ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'network-config', 'local', 'data');

const draw = seededDraw(20260701);
const { pick } = draw;

/** Another character in one place: a code that fails its check. */
const broken = (code) => code.slice(0, -1) + (code.endsWith('0') ? '1' : '0');

const sizes = { guangzhou: { entities: 14, projects: 10 }, zhuhai: { entities: 9, projects: 8 }, beijing: { entities: 11, projects: 9 } };

const entities = centres.flatMap((centre) =>
  Array.from({ length: sizes[centre.id].entities }, (_, index) => {
    const district = pick(centre.districts);
    return { centre, district, uscc: uscc(draw, '91', district), name: `${centre.city}${words[(index + sizes[centre.id].entities) % words.length]}示例${pick(trades)}有限公司` };
  }),
);
const tenderers = Object.fromEntries(centres.map((centre) => [centre.id, { uscc: uscc(draw, '12', centre.region === '110000' ? '110100' : centre.region), name: `${centre.city}市示例项目建设中心` }]));
const main = entities[0];
const others = [entities[1], entities[2]];

const { entityRow, qualificationRow, performanceRow, personnelRow, creditRow, supervisionRow, projectRow } = rowMakers(draw, tenderers);

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
    ['region that does not exist', (row) => ({ ...row, LEGAL_CODE: uscc(draw, '91', '440103'), REGION_CODE: '440199' }), 'region-unknown-region'],
    ['no name', (row) => ({ ...row, LEGAL_CODE: uscc(draw, '91', '440103'), LEGAL_NAME: '' }), 'required'],
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
  add('project', [...Array.from({ length: sizes[centre.id].projects }, (_, index) => projectRow(centre, index)), ...won.map((row) => awardRow(centre, row))]);
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
