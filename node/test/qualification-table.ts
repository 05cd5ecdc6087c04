/** What differs from the invented qualification of a number. */
export interface QualificationChange {
  readonly level?: string;
  readonly uscc?: string;
}

export const qualificationColumns = ['统一社会信用代码', '法人名称', '资质名称', '资质序列行业和专业类别', '资质等级', '资质证书编号', '发证日期', '资质证书有效期截止日期', '发证机关'] as const;

/** Cells of an invented qualification, a record of its own for each number. */
export function qualificationCells(number: number, { level = '03', uscc = '91440105MA6NNHC07C' }: QualificationChange = {}): readonly string[] {
  return [uscc, '广州溪午示例园林有限公司', '机电工程施工总承包', 'A10102', level, `D44010${String(number).padStart(7, '0')}`, '20200702', '20280626', '示例住房和城乡建设部门'];
}

/** A row of a CSV export with national field names. */
export function qualificationRow(number: number, change?: QualificationChange): string {
  return qualificationCells(number, change).join(',');
}

/** A whole CSV export: numbers from..to, without the last; some changed. */
export function qualificationTable(from: number, to: number, changes: Readonly<Record<number, QualificationChange>> = {}): string {
  return [qualificationColumns.join(','), ...Array.from({ length: to - from }, (_, index) => qualificationRow(from + index, changes[from + index]))].map((row) => `${row}\n`).join('');
}
