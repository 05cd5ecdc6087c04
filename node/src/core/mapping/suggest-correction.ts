import { checkUscc, errorCatalogue, fieldSchema, isErrorCode, regionName, spellingOf, checkRegion, type ImportPlan, type RecordProblem } from '@huilian/protocol';
import { dateFormOf, amountFormOf } from './value-forms.js';
import { likeness } from './name-likeness.js';

/** What a person can do about a problem. It never repeats what stands in the row. */
export interface Suggestion {
  readonly zh: string;
  readonly en: string;
  /** What the cell would be, where the text that is there leaves no other way. */
  readonly value?: string;
  /** What a mapping would say for the column. */
  readonly mapping?: Readonly<Record<string, unknown>>;
}

/** What is known of the place of a problem. */
export interface ProblemPlace {
  readonly problem: RecordProblem;
  readonly code: string;
  readonly plan?: ImportPlan;
  readonly row?: Readonly<Record<string, string>>;
}

type Suggest = (cell: string, place: ProblemPlace) => Suggestion | undefined;

const usccAlphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';

/** `claim.field` of a problem's pointer. */
export function fieldOf({ path }: Pick<RecordProblem, 'path'>): string {
  return path.slice(1).split('/').slice(0, 2).join('.');
}

/** Columns of a row that lead to a field. */
export function columnsTo({ plan, row }: Pick<ProblemPlace, 'plan' | 'row'>, field: string): readonly string[] {
  if (plan === undefined || row === undefined) return [];
  const leads = ({ claim, field: name }: { readonly claim: string; readonly field: string }): boolean => `${claim}.${name}` === field;
  const joined = plan.joins.filter(({ cell }) => leads(cell)).flatMap(({ columns }) => columns);
  return Object.keys(row).filter((column) => {
    const known = plan.columns.get(spellingOf(plan, column));
    return joined.includes(column) || (known?.cell !== undefined && leads(known.cell)) || known?.split?.parts.some((part) => part !== undefined && leads(part)) === true;
  });
}

// --- codes ---------------------------------------------------------------------------------------------------------------------

function halfWidth(text: string): string {
  return text.normalize('NFKC').toUpperCase().replace(/\s/g, '');
}

function cleaned(text: string, isGood: (text: string) => boolean): Suggestion | undefined {
  const better = halfWidth(text);
  if (better === text || !isGood(better)) return undefined;
  return {
    zh: '改为半角大写、去掉空格后校验通过；整列如此时可在映射中设置 clean', en: 'in capitals, half width and without blanks it passes; where a whole column is so, let the mapping clean it',
    value: better, mapping: { clean: ['half-width', 'no-spaces', 'upper-case'] },
  };
}

/** The only check character that would fit the 17 before it. */
export function usccCheckCharacter(code: string): string | undefined {
  return [...usccAlphabet].find((character) => checkUscc(code.slice(0, 17) + character).ok);
}

const suggestUscc: Suggest = (cell) => {
  const better = cleaned(cell, (text) => checkUscc(text).ok);
  if (better !== undefined) return better;
  const code = halfWidth(cell);
  if (code.length !== 18) return { zh: `应为 18 位，此处为 ${String(code.length)} 位；请对照营业执照`, en: `18 characters are needed, here are ${String(code.length)}; compare with the business licence` };
  if (/[IOSVZ]/.test(code)) return { zh: '代码中不会出现字母 I、O、S、V、Z：多为把数字 1、0、5、2 录成了字母', en: 'the letters I, O, S, V, Z never occur: most often a digit 1, 0, 5 or 2 was typed as a letter' };
  const check = usccCheckCharacter(code);
  return check === undefined ? undefined : { zh: `按前 17 位，末位校验码应为 ${check}；多为其中一位录错，请对照营业执照，勿直接改末位`, en: `for the 17 characters before it the check character would be ${check}; most often one of them is mistyped: compare with the business licence, do not just change the last` };
};

const idWeights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

const suggestIdNumber: Suggest = (cell) => {
  const code = halfWidth(cell);
  if (code.length === 15) return { zh: '这是 15 位旧号码；请填写 18 位公民身份号码', en: 'this is an old number of 15 digits; give the one of 18' };
  if (code.length !== 18) return { zh: `应为 18 位，此处为 ${String(code.length)} 位；请对照证件`, en: `18 characters are needed, here are ${String(code.length)}; compare with the document` };
  if (!/^\d{17}/.test(code)) return undefined;
  const check = '10X98765432'.charAt(idWeights.reduce((sum, weight, index) => sum + weight * Number(code.charAt(index)), 0) % 11);
  return check === code.charAt(17)
    ? { zh: '校验码相符，但地区或出生日期不存在；请对照证件', en: 'the check character fits, but its region or birth date does not exist; compare with the document' }
    : { zh: `按前 17 位，末位校验码应为 ${check}；请对照证件查找录错的一位`, en: `for the 17 digits before it the check character would be ${check}; look for the mistyped one in the document` };
};

const suggestRegion: Suggest = (cell) => {
  const code = halfWidth(cell);
  if (/^\d{2}$|^\d{4}$/.test(code)) {
    const whole = code.padEnd(6, '0');
    if (checkRegion(whole).ok) return { zh: `应为 6 位：${whole}（${regionName(whole) ?? ''}）`, en: `six digits are needed: ${whole}`, value: whole };
  }
  if (/^\d{6}$/.test(code)) {
    const prefecture = regionName(`${code.slice(0, 4)}00`);
    return { zh: `现行与停用代码中均无此代码${prefecture === undefined ? '' : `；前四位属于${prefecture}`}；请查 GB/T 2260`, en: `neither today's list nor the one of retired codes has it${prefecture === undefined ? '' : `; its first four digits are ${prefecture}`}; see GB/T 2260` };
  }
  return { zh: '应为 6 位行政区划代码；若导出的是地区名称，请在映射中用 values 逐一对应', en: 'a code of six digits is needed; where the export has names, give each its code in values of the mapping' };
};

// --- dates, amounts, words -----------------------------------------------------------------------------------------------------

const suggestDate: Suggest = (cell) => {
  const format = dateFormOf(cell);
  if (format !== undefined) return { zh: `该列写作 ${format}；在映射中设置 formats: ["${format}"]，或改为 yyyy-MM-dd`, en: `the column is written ${format}: give formats: ["${format}"] in the mapping, or write yyyy-MM-dd`, mapping: { formats: [format] } };
  if (/^\d{5}$/.test(cell)) return { zh: '像是电子表格的日期序号；在映射中设置 formats: ["excel"]', en: 'this looks like the day number of a spreadsheet: give formats: ["excel"] in the mapping', mapping: { formats: ['excel'] } };
  if (/^(?:长期|永久|无固定期限|长期有效)$/.test(cell)) return { zh: '「长期」请写作 9999-12-31，或在映射的 values 中对应', en: 'write 9999-12-31 for "without end", or put it into values of the mapping', value: '9999-12-31', mapping: { values: { [cell]: '9999-12-31' }, otherwise: 'keep' } };
  return { zh: '请写作 yyyy-MM-dd 或 yyyyMMdd', en: 'write it as yyyy-MM-dd or yyyyMMdd' };
};

const suggestAmount: Suggest = (cell) => {
  const form = amountFormOf(cell.normalize('NFKC'));
  if (form === undefined) return { zh: '应为数字，至多精确到分；不能为负数或含文字', en: 'a number is needed, down to one fen at most; nothing negative, no words' };
  const mapping = { ...(form.thousands ? { thousands: true } : {}), ...(form.inCell ? { unit: 'in-cell' } : {}) };
  if (Object.keys(mapping).length === 0) return { zh: '金额小于一分或单位不明；请核对金额单位', en: 'there is a fraction of a fen, or the unit is not known: check the unit of the amount' };
  return { zh: '数字带千分位或单位；在映射中按 mapping 所示设置，或去掉逗号与单位', en: 'the number has thousands separators or its unit in the cell: set the mapping so, or take them out', mapping };
};

const suggestUnit: Suggest = () => ({ zh: '金额列没有单位：请在映射中设置 unit（如 "元"、"万元"），或填写单位列', en: 'the amount has no unit: give unit ("元", "万元") in the mapping, or fill the column of units' });

const suggestBoolean: Suggest = (cell) => {
  const yes = /^(?:y|yes|true|t|有|√|是的)$/i.test(cell);
  const no = /^(?:n|no|false|f|无|×|不是)$/i.test(cell);
  if (!yes && !no) return { zh: '应为 是/否 或 1/0', en: 'yes or no is needed: 是, 否, 1 or 0' };
  return { zh: '应为 是/否 或 1/0；可在映射的 values 中对应', en: 'yes or no is needed: 是, 否, 1 or 0; or put the words into values of the mapping', value: yes ? '是' : '否', mapping: { values: { [cell]: yes } } };
};

const suggestListed: Suggest = (cell, place) => {
  const schema = schemaAt(place);
  const listed = Array.isArray(schema?.['enum']) ? (schema['enum'] as readonly unknown[]).map(String) : [];
  const near = listed.map((value) => [value, likeness(value, cell)] as const).sort(([, left], [, right]) => right - left)[0];
  const likely = near !== undefined && near[1] >= 0.6 ? { value: near[0] } : {};
  return listed.length === 0 ? undefined : { zh: `允许的取值：${listed.join('、')}`, en: `allowed values: ${listed.join(', ')}`, ...likely };
};

const suggestPattern: Suggest = (cell, place) => {
  const schema = schemaAt(place);
  const field = fieldOf(place.problem);
  const title = typeof schema?.['x-title-zh'] === 'string' ? schema['x-title-zh'] : field;
  const code = schema?.['x-code'];
  const byCode = typeof code === 'string' ? byCheck[code]?.(cell, place) : undefined;
  if (byCode !== undefined) return byCode;
  const pattern = typeof schema?.['pattern'] === 'string' ? schema['pattern'] : '';
  const isCode = /^\^\[0-9A-Z\](?:\{\d\})?\$$|^\^\[0-9\]|^\^0\[1-9\]/.test(pattern) && /\p{Script=Han}/u.test(cell);
  if (isCode) return { zh: `${title} 应为代码；导出的是名称，请在映射中用 values 给出名称与代码的对应`, en: `${field} takes a code, and the export has a name: give each name its code in values of the mapping`, mapping: { values: {} } };
  const better = cleaned(cell, (text) => pattern !== '' && new RegExp(pattern, 'u').test(text));
  return better ?? { zh: `${title} 的格式为 ${pattern}`, en: `${field} must match ${pattern}` };
};

function schemaAt({ plan, problem }: ProblemPlace): Readonly<Record<string, unknown>> | undefined {
  return plan === undefined ? undefined : fieldSchema(plan.kind, fieldOf(problem));
}

// --- columns -------------------------------------------------------------------------------------------------------------------

function columnsThatGive({ plan }: ProblemPlace, field: string): readonly string[] {
  return plan === undefined ? [] : [...plan.columns].flatMap(([column, { cell }]) => (cell !== undefined && `${cell.claim}.${cell.field}` === field ? [column] : []));
}

const suggestRequired: Suggest = (_cell, place) => {
  const field = fieldOf(place.problem);
  const columns = columnsThatGive(place, field);
  const present = columnsTo(place, field);
  if (present.length > 0) return { zh: `列「${present.join('、')}」在该行为空；请补填`, en: `the column ${present.join(', ')} is empty in this row: fill it in` };
  return { zh: `没有给出 ${field} 的列；可用的列名：${columns.join('、')}`, en: `no column gives ${field}; columns that would: ${columns.join(', ')}` };
};

const suggestUnknownColumn: Suggest = (_cell, place) => {
  const named = place.problem.path.slice(1);
  const at = /^column-(\d+)$/.exec(named)?.[1];
  const column = at === undefined ? named : Object.keys(place.row ?? {})[Number(at) - 1];
  const near = column === undefined || place.plan === undefined ? undefined : [...place.plan.columns.keys()].map((known) => [known, likeness(known, column)] as const).sort(([, left], [, right]) => right - left)[0];
  if (near !== undefined && near[1] >= 0.6) return { zh: `可能是列「${near[0]}」；在映射中设置 as，不需要的列设置 ignore`, en: `this may be the column ${near[0]}: say so with as in a mapping; ignore what is not needed`, mapping: { as: near[0] } };
  return { zh: '在映射中说明该列的去向，或设置 ignore: true', en: 'say in a mapping where the column goes, or ignore: true', mapping: { ignore: true } };
};

const suggestDisagree: Suggest = (_cell, place) => {
  const columns = columnsTo(place, fieldOf(place.problem));
  return { zh: `列「${columns.join('、')}」给出不同的值；保留正确的一列`, en: `the columns ${columns.join(', ')} give different values: keep the right one` };
};

const suggestTable: Suggest = (cell, place) => {
  const pattern = suggestPattern(cell, place);
  return { zh: '映射的 values 中没有此词；请补充对应关系，或改正该单元格', en: 'values of the mapping does not have this word: add it, or correct the cell', ...(pattern?.value === undefined ? {} : { value: pattern.value }), mapping: { values: {} } };
};

const byCheck: Readonly<Record<string, Suggest>> = { uscc: suggestUscc, 'id-number': suggestIdNumber, region: suggestRegion, date: suggestDate, time: suggestDate };

const byCode: readonly (readonly [RegExp, Suggest])[] = [
  [/^uscc-/, suggestUscc], [/^id-number-/, suggestIdNumber], [/^region-/, suggestRegion], [/^(?:date8|datetime14)-unreadable$/, suggestDate],
  [/^(?:date|time)-no-such/, () => ({ zh: '历法中没有这一天或这一时刻；请核对', en: 'there is no such day or time: check it' })],
  [/^amount-unreadable$/, suggestAmount], [/^amount-unit-missing$/, suggestUnit], [/^boolean01-unreadable$/, suggestBoolean],
  [/-unreadable$/, suggestTable], [/^not-listed$/, suggestListed], [/^pattern$/, suggestPattern], [/^required$/, suggestRequired],
  [/^unknown-column$/, suggestUnknownColumn], [/^columns-disagree$/, suggestDisagree],
  [/^split-parts$/, () => ({ zh: '单元格的分段数与映射不符；请核对分隔符', en: 'the cell has more or fewer parts than the mapping says: check the separator' })],
  [/^contradicts-row$/, () => ({ zh: '两行只能有一行正确；改正或删除另一行后重试', en: 'only one of the two rows can be right: correct or drop the other and try again' })],
];

/** What can be done about a problem of a refused row; the next step of its code where nothing better is known. */
export function suggestCorrection(place: ProblemPlace): Suggestion {
  const { code, problem, row } = place;
  const [column] = columnsTo(place, fieldOf(problem));
  const cell = column === undefined ? '' : (row?.[column] ?? '').trim();
  const found = byCode.find(([pattern]) => pattern.test(problem.code))?.[1](cell, place);
  if (found !== undefined) return found;
  const { next } = errorCatalogue[isErrorCode(code) ? code : 'RECORD_INVALID'];
  return next;
}
