/** Invented qualifications: line `index` of a series, each a record of its own. */
export function qualification(index: number, change: { readonly level?: string; readonly uscc?: string } = {}): Record<string, unknown> {
  return {
    holder: { uscc: change.uscc ?? '91440105MA6NNHC07C', name: '广州溪午示例园林有限公司' },
    qualification: { name: '机电工程施工总承包', type: 'A10102', level: change.level ?? '03' },
    certificate: { number: `D44010501${String(index).padStart(6, '0')}`, issued: '2020-07-02', end: '2028-06-26', issuer: '示例住房和城乡建设部门' },
  };
}

/** NDJSON lines of a stream, in one chunk. */
export async function* stream(...lines: readonly (object | string)[]): AsyncGenerator<string> {
  await Promise.resolve();
  for (const line of lines) yield `${typeof line === 'string' ? line : JSON.stringify(line)}\n`;
}

export function publishLines(from: number, to: number, change: { readonly level?: string } = {}): object[] {
  return Array.from({ length: to - from }, (_, index) => ({ kind: 'qualification', data: qualification(from + index, change) }));
}

/** An invented performance in a section of its own: `index` gives its project, its county and its last digits. */
export function performance(index: number, contract: { readonly amount: string; readonly currency?: string }, completion?: { readonly settlement: string }): Record<string, unknown> {
  const county = ['440105', '440106', '440402'][index % 3] ?? '440105';
  const project = `E${county}${String(index % 5).padStart(10, '0')}`;
  return {
    bidder: { uscc: '91440105MA6NNHC07C', name: '广州溪午示例园林有限公司' },
    contract: { currency: 'CNY', ...contract, signedAt: '2022-10-21T09:30:00+08:00', tradeType: 'A07' },
    ...(completion === undefined ? {} : { completion: { completedOn: '2025-07-07', ...completion } }),
    section: { tenderProjectCode: `${project}001`, sectionCode: `${project}001${String(index).padStart(3, '0')}`, tenderProjectName: '广州示例医院改造工程', sectionName: '广州示例医院改造工程施工标段' },
    tenderer: { uscc: '12440100MA919LQ22D', name: '广州市示例项目建设中心' },
  };
}
