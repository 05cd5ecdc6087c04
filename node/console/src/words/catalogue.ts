import type { Texts } from './texts.js';

/** Texts of the catalogue. */
export const catalogueWords = {
  'catalogue.title': { zh: '数据目录', en: 'Catalogue' },
  'catalogue.lead': { zh: '经表决采用的数据标准、代码集、规则与受信机构：现行、将生效与将停用。', en: 'Schemas, code sets, rules and trusted CAs that votes adopted: in force, to come, ending.' },
  'catalogue.kinds': { zh: '数据标准', en: 'Schemas' },
  'catalogue.codeSets': { zh: '代码集', en: 'Code sets' },
  'catalogue.ruleSets': { zh: '规则', en: 'Rule sets' },
  'catalogue.cas': { zh: '受信证书机构', en: 'Trusted CAs' },
  'catalogue.none': { zh: '还没有采用任何内容', en: 'Nothing was adopted yet' },
  'catalogue.codes': { zh: '代码数', en: 'Codes' },
  'catalogue.from': { zh: '自', en: 'from' },
  'catalogue.until': { zh: '至', en: 'until' },
  'catalogue.personal': { zh: '含个人信息', en: 'personal data' },
  'catalogue.migrations': { zh: '版本迁移', en: 'Migrations' },
  'catalogue.ends': { zh: '{what} 将于 {time} 停用。', en: '{what} retires on {time}.' },
  'catalogue.followedBy': { zh: '由第 {n} 版接替。', en: 'Version {n} follows.' },
  'termState.coming': { zh: '将生效', en: 'to come' },
  'termState.in-force': { zh: '现行', en: 'in force' },
  'termState.retired': { zh: '已停用', en: 'retired' },
} as const satisfies Texts;
