import {
  checkCurrency,
  checkIdNumber,
  checkIndustry,
  checkInvestmentProjectCode,
  checkOrganisationCode,
  checkProjectCode,
  checkRegion,
  checkSectionCode,
  checkTenderProjectCode,
  checkUnifiedTransactionCode,
  checkUscc,
  type CodeCheck,
} from '../codes/index.js';
import { isCalendarDay } from '../codes/code-check.js';

/** Whether there is such a day. `YYYY-MM-DD`, time allowed after it. */
export function checkDay(text: string): CodeCheck {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  return isCalendarDay(year ?? 0, month ?? 0, day ?? 0) ? { ok: true, warnings: [] } : { ok: false, reason: 'no-such-day' };
}

function checkTime(text: string): CodeCheck {
  const inDay = Number(text.slice(11, 13)) < 24 && Number(text.slice(14, 16)) < 60 && Number(text.slice(17, 19)) < 60;
  return inDay ? checkDay(text) : { ok: false, reason: 'no-such-time' };
}

/** What a field may be checked as: the words of `x-code`. A problem's code is `<word>-<reason>`. */
export const fieldChecks: ReadonlyMap<string, (text: string) => CodeCheck> = new Map([
  ['uscc', checkUscc],
  ['organisation-code', checkOrganisationCode],
  ['id-number', checkIdNumber],
  ['region', checkRegion],
  ['industry', checkIndustry],
  ['currency', checkCurrency],
  ['project-code', checkProjectCode],
  ['tender-project-code', checkTenderProjectCode],
  ['section-code', checkSectionCode],
  ['investment-project-code', checkInvestmentProjectCode],
  ['unified-transaction-code', checkUnifiedTransactionCode],
  ['date', checkDay],
  ['time', checkTime],
]);
