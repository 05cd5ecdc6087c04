import { idNumber, transactionCode } from './codes.mjs';

// Everything here is invented: names of companies and persons, addresses, certificates. Codes are synthetic with valid check characters.

/**
 * @typedef {object} Centre
 * @property {string} id
 * @property {string} city
 * @property {string} province
 * @property {string} region
 * @property {string[]} districts
 */
/** @typedef {{ uscc: string, name: string }} Tenderer */
/** @typedef {{ centre: Centre, district: string, uscc: string, name: string }} Entity */

/** @type {readonly Centre[]} */
export const centres = [
  { id: 'guangzhou', city: '广州', province: '广东省', region: '440100', districts: ['440103', '440104', '440105', '440106'] },
  { id: 'zhuhai', city: '珠海', province: '广东省', region: '440400', districts: ['440402', '440403', '440404'] },
  { id: 'beijing', city: '北京', province: '北京市', region: '110000', districts: ['110101', '110102', '110105', '110106'] },
];
export const words = ['青禾', '云杉', '远岫', '澄江', '鹿鸣', '望舒', '松涛', '白榆', '听澜', '沐川', '霁月', '知行', '南柯', '竹里', '溪午', '苍梧'];
export const trades = ['建设', '市政工程', '园林', '机电安装', '信息技术', '水利工程'];
const surnames = ['赵', '钱', '孙', '李', '周', '吴', '郑', '王', '冯', '陈'];
const givens = ['某甲', '某乙', '某丙', '某丁', '某戊', '某己', '某庚', '某辛'];

/**
 * Rows of the national export formats, by kind. Each call draws afresh.
 * @param {import('./seeded-draw.mjs').Draw} draw
 * @param {Readonly<Record<string, Tenderer>>} tenderers by centre
 */
export function rowMakers(draw, tenderers) {
  const { below, pick, digits, date } = draw;
  const person = () => pick(surnames) + pick(givens);
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
      ID_CARD: idNumber(draw, pick(entity.centre.districts), birth), ID_CARD_TYPE: '01', PERSON_NAME: person(), GENDER: String(1 + below(2)), BIRTHDATE: birth, REGION_CODE: entity.district,
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

  return { entityRow, qualificationRow, performanceRow, personnelRow, creditRow, supervisionRow, projectRow };
}
