import type { Texts } from './texts.js';

/** Texts of the page by month. */
export const monthsWords = {
  'months.title': { zh: '各中心每月发布', en: 'Publications by month' },
  'months.lead': { zh: '每个中心每类数据最近六个月发布的现行记录数。此前有而本月没有的排在最前。', en: 'Current records of each centre and kind by the month of publication. Those that came before and not this month stand first.' },
  'months.state': { zh: '本月', en: 'This month' },
  'months.quiet': { zh: '尚未发布', en: 'nothing yet' },
  'months.came': { zh: '已发布', en: 'published' },
} as const satisfies Texts;
