/** Rows of a credit export, all invented; codes never repeat within a drill. */
export class InventedRows {
  private next = 0;

  public constructor(private readonly tag: string) {}

  public get made(): number {
    return this.next;
  }

  public row(): Readonly<Record<string, string>> {
    this.next += 1;
    return {
      CREDIT_CODE: `DRILL-${this.tag}-${String(this.next).padStart(6, '0')}`, CREDIT_CATEGORY: '奖励', BODY_CODE: '91440105MA6NNHC07C',
      BODY_NAME: '广州溪午示例园林有限公司', BODY_TYPE: '1', BODY_ROLE: '03', RECORD_REASON: '示例优质工程奖', RECORD_DATE: '20250902100000',
      GOVERNMENT: '示例行政监督部门', DOCUMENT_CODE: '示例〔2025〕253号', SCORE_SYSTEM_NAME: '示例信用评价体系', YEAR: '2025', SCORE: '88.09',
      PROVINCE_RANK: '335', SCOPE: '2',
    };
  }

  public line(): string {
    return JSON.stringify({ kind: 'credit', row: this.row() });
  }

  /** A CSV file's text. */
  public csv(count: number): string {
    const rows = Array.from({ length: count }, () => this.row());
    const names = Object.keys(rows[0] ?? {});
    return [names, ...rows.map((row) => names.map((name) => row[name]))].map((cells) => cells.join(',')).join('\n') + '\n';
  }
}
