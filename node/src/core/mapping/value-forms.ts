import { checkIdNumber, checkIndustry, checkRegion, checkSectionCode, checkTenderProjectCode, checkProjectCode, currencyCode } from '@huilian/protocol';

/** What a cell looks like, apart from what its column is called. */
export type ValueForm = 'uscc' | 'id-number' | 'region' | 'date' | 'datetime' | 'amount' | 'boolean' | 'project-code' | 'tender-project-code' | 'section-code' | 'phone' | 'email' | 'currency' | 'industry' | 'text';

/** Forms of dates as exports write them, most precise first; each is one of those that a mapping may name. */
const dateForms: readonly (readonly [format: string, pattern: RegExp])[] = [
  ['yyyyMMddHHmmss', /^\d{14}$/], ['yyyyMMdd', /^(?:18|19|20|99)\d{6}$/], ['yyyy-MM-dd HH:mm:ss', /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/], ['yyyy-MM-dd', /^\d{4}-\d{2}-\d{2}$/],
  ['yyyy-MM-ddTHH:mm:ss', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/], ['yyyy-M-d H:mm:ss', /^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}:\d{2}$/], ['yyyy-M-d H:mm', /^\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{2}$/], ['yyyy-M-d', /^\d{4}-\d{1,2}-\d{1,2}$/],
  ['yyyy/M/d H:mm:ss', /^\d{4}\/\d{1,2}\/\d{1,2} \d{1,2}:\d{2}:\d{2}$/], ['yyyy/M/d H:mm', /^\d{4}\/\d{1,2}\/\d{1,2} \d{1,2}:\d{2}$/], ['yyyy/M/d', /^\d{4}\/\d{1,2}\/\d{1,2}$/],
  ['yyyy.M.d', /^\d{4}\.\d{1,2}\.\d{1,2}$/], ['yyyy年M月d日 H:mm', /^\d{4}年\d{1,2}月\d{1,2}日 \d{1,2}:\d{2}$/], ['yyyy年M月d日', /^\d{4}年\d{1,2}月\d{1,2}日$/],
  ['M/d/yyyy', /^\d{1,2}\/\d{1,2}\/\d{4}$/],
];
const builtIn: ReadonlySet<string> = new Set(['yyyyMMdd', 'yyyyMMddHHmmss', 'yyyy-MM-dd', 'yyyy-MM-dd HH:mm:ss', 'yyyy-MM-ddTHH:mm:ss']);

/** The form of a date or time; undefined for what is none. */
export function dateFormOf(text: string): string | undefined {
  return dateForms.find(([, pattern]) => pattern.test(text))?.[0];
}

/** Whether the import rules read a form of dates without being told. */
export function isBuiltInForm(format: string): boolean {
  return builtIn.has(format);
}

export interface AmountForm {
  readonly thousands: boolean;
  /** The unit is written behind the number. */
  readonly inCell: boolean;
}

export function amountFormOf(text: string): AmountForm | undefined {
  const parts = /^[¥￥]? ?(\d{1,3}(?:,\d{3})+|\d{1,14})(?:\.\d{1,10})? ?(分|元|千元|万元|万|百万元|亿元|亿)?$/.exec(text);
  return parts === null ? undefined : { thousands: parts[1]?.includes(',') === true, inCell: parts[2] !== undefined };
}

const booleanWords: ReadonlySet<string> = new Set(['是', '否', '0', '1', '有', '无', 'Y', 'N', 'true', 'false', 'TRUE', 'FALSE', '√', '×']);

/** By its shape: a mistyped check character makes no other column of it. */
function looksLikeUscc(text: string): boolean {
  const code = text.normalize('NFKC').toUpperCase().replace(/\s/g, '');
  return /^[1-9ANY][1-9]\d{6}[0-9A-Z]{10}$/.test(code) && !checkIdNumber(code).ok;
}

const forms: readonly (readonly [ValueForm, (text: string) => boolean])[] = [
  ['uscc', looksLikeUscc],
  ['id-number', (text) => checkIdNumber(text.toUpperCase()).ok],
  ['section-code', (text) => checkSectionCode(text).ok],
  ['tender-project-code', (text) => checkTenderProjectCode(text).ok],
  ['project-code', (text) => checkProjectCode(text).ok],
  ['region', (text) => checkRegion(text).ok],
  ['email', (text) => /^[^@\s]{1,64}@[^@\s]{1,120}\.[a-z]{2,}$/i.test(text)],
  ['phone', (text) => /^(?:1\d{10}|0\d{2,3}-?\d{7,8}(?:-\d{1,5})?)$/.test(text)],
  ['datetime', (text) => /H/.test(dateFormOf(text) ?? '')],
  ['date', (text) => dateFormOf(text) !== undefined],
  ['boolean', (text) => booleanWords.has(text)],
  ['currency', (text) => /^[A-Z]{3}$/.test(text) && currencyCode(text) !== undefined],
  ['industry', (text) => /^[A-T]\d{2,4}$/.test(text) && checkIndustry(text).ok],
  ['amount', (text) => amountFormOf(text) !== undefined],
];

/** The form that nearly all of a column's filled cells have, and how many do. */
export function formOfColumn(cells: readonly string[]): { readonly form: ValueForm; readonly share: number } | undefined {
  const filled = cells.map((cell) => cell.trim()).filter((cell) => cell !== '');
  if (filled.length === 0) return undefined;
  for (const [form, fits] of forms) {
    const share = filled.filter(fits).length / filled.length;
    if (share >= 0.8) return { form, share };
  }
  return { form: 'text', share: 1 };
}
