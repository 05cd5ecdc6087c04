import { closeSync, openSync, writeSync } from 'node:fs';

/** Owners of the sample data: invented, with codes that hold. */
const holders = [['91440105MA6NNHC07C', '广州溪午示例园林有限公司'], ['91440106MABAY5U732', '广州苍梧示例园林有限公司'], ['91440402MAQ6CU306B', '珠海沐川示例建设有限公司'], ['91110102MAQGEK6X80', '北京知行示例建设有限公司']] as const;
const linesAtOnce = 5000;

/** An export file of invented qualifications with national field names, each row a record of its own: from one number on, so many. */
export function writeCsv(file: string, from: number, rows: number): void {
  const out = openSync(file, 'w');
  try {
    writeSync(out, '统一社会信用代码,法人名称,资质名称,资质序列行业和专业类别,资质等级,资质证书编号,发证日期,资质证书有效期截止日期,发证机关\n');
    for (let written = 0; written < rows; written += linesAtOnce) {
      const lines = Array.from({ length: Math.min(linesAtOnce, rows - written) }, (_, index) => lineOf(from + written + index));
      writeSync(out, lines.join(''));
    }
  } finally {
    closeSync(out);
  }
}

function lineOf(number: number): string {
  const [uscc, name] = holders[number % holders.length] ?? holders[0];
  return `${uscc},${name},机电工程施工总承包,A10102,03,D44${String(number).padStart(11, '0')},20200702,20280626,示例住房和城乡建设部门\n`;
}
