import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { encode } from 'iconv-lite';
import { describe, expect, test } from 'vitest';
import { FilesSource, FileSource } from '../src/adapters/sources/file-source.js';
import { readSource, type ReadSource } from './read-source.js';
import { temporaryFolder } from './temporary-folder.js';

function fileOf(content: Buffer | string, name = 'entity.csv'): string {
  const file = path.join(temporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}

async function readFile(content: Buffer | string, name?: string): Promise<ReadSource> {
  return await readSource(new FilesSource([{ file: fileOf(content, name), kind: 'entity' }]));
}

const table = '法人名称,代码\n广州示例园林有限公司,1\n"珠海\n示例",2\n';
const rows = ['2: 广州示例园林有限公司|1', '3: 珠海\n示例|2'];

describe('encodings are told by bytes', () => {
  const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
  test.each<[string, Buffer]>([
    ['UTF-8', Buffer.from(table)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${table}`)],
    ['GB18030', encode(table, 'gb18030')],
    ['UTF-16 LE with a byte order mark', utf16(`\ufeff${table}`)],
    ['UTF-16 BE with a byte order mark', utf16(`\ufeff${table}`).swap16()],
    ['UTF-16 LE without one', utf16(`NAME,CODE\n${table.split('\n').slice(1).join('\n')}`)],
  ])('%s', async (_name, content) => {
    const { failure, rows: found } = await readFile(content);
    expect(failure).toBeUndefined();
    expect(found).toEqual(rows);
  });

  test('GB18030 that begins long after the start of the file', async () => {
    const plain = Array.from({ length: 30_000 }, (_, index) => `row,${String(index)}\n`).join('');
    const { rows: found } = await readFile(Buffer.concat([Buffer.from(`A,B\n${plain}`), encode('北京示例,3\n', 'gb18030')]));
    expect(found).toHaveLength(30_001);
    expect(found.at(-1)).toBe('30002: 北京示例|3');
  });

  test('a row of another encoding is refused by its line, and no other', async () => {
    const mixed = Buffer.concat([encode('法人名称,代码\n广州示例,1\n', 'gb18030'), Buffer.from('珠海示例公司,2\n'), encode('北京示例,3\n', 'gb18030')]);
    expect((await readFile(mixed)).rows).toEqual(['2: 广州示例|1', '3: ROW_UNREADABLE', '4: 北京示例|3']);
    const other = Buffer.concat([Buffer.from('法人名称,代码\n广州示例,1\n北京示例,2\n'), encode('珠海示例公司,3\n', 'gb18030'), Buffer.from('佛山示例,4\n')]);
    expect((await readFile(other)).rows).toEqual(['2: 广州示例|1', '3: 北京示例|2', '4: ROW_UNREADABLE', '5: 佛山示例|4']);
  });
});

describe('rows', () => {
  test('quoted cells hold line ends, quotes and delimiters; blank lines are no rows', async () => {
    expect((await readFile('A,B\nx,1\n"y ""q"" ,z\r\nw",2\r\n\r\n,\nlast,3')).rows).toEqual(['2: x|1', '3: y "q" ,z\r\nw|2', '7: last|3']);
  });

  test.each([['tab', 'A\tB\n1\t2,3\n'], ['semicolon', 'A;B\n1;2,3\n']])('a %s delimits where the header says so', async (_name, content) => {
    expect((await readFile(content)).rows).toEqual(['2: 1|2,3']);
  });

  test('quotes that cannot be meant so cost their line and no row behind it', async () => {
    const { rows: found } = await readFile('A,B\nx 5" pipe,1\ny,2\n"never closed,3\nz,4\n"w","5"\n"v"u,6\nt,7\n');
    expect(found).toEqual(['2: ROW_UNREADABLE', '3: y|2', '4: ROW_UNREADABLE', '5: z|4', '6: w|5', '7: ROW_UNREADABLE', '8: t|7']);
  });

  test('a quote that is never closed costs its line, however long the file behind it', async () => {
    const behind = Array.from({ length: 60_000 }, (_, index) => `row ${String(index)},1`);
    const { rows: found } = await readFile(`A,B\nx,1\n"open,2\n${behind.join('\n')}\n`);
    expect(found).toHaveLength(60_002);
    expect([found[1], found[2], found.at(-1)]).toEqual(['3: ROW_TOO_LONG', '4: row 0|1', '60003: row 59999|1']);
  });

  test('a row of 10 MB is refused by its line, in one line or in many', async () => {
    const { rows: found } = await readFile(`A,B\nx,1\n${'q'.repeat(10_000_000)},2\ny,3\n"${'w\n'.repeat(5_000_000)}",4\nz,5\n`);
    expect(found).toEqual(['2: x|1', '3: ROW_TOO_LONG', '4: y|3', '5: ROW_TOO_LONG', '5000006: z|5']);
  });

  test('a cell too many or too few is a row that cannot be told', async () => {
    expect((await readFile('A,B,\n1,2,\n1\n1,2,3\n1,2,,4\n5,6,\n')).rows).toEqual(['2: 1|2', '3: ROW_UNREADABLE', '4: ROW_UNREADABLE', '5: ROW_UNREADABLE', '6: 5|6']);
  });
});

describe('what a file says of itself', () => {
  test('the header once more is passed over and told; another one ends the reading, with the column that is missing', async () => {
    const read = await readFile('LEGAL_NAME,LEGAL_CODE,C\nx,1,2\nLEGAL_NAME,LEGAL_CODE,C\nz,3,4\nLEGAL_NAME,C\nw,5\n');
    expect(read.rows).toEqual(['2: x|1|2', '4: z|3|4']);
    expect(read.warnings).toEqual([{ code: 'header-repeated', details: { file: 'entity.csv', line: 3 } }]);
    expect(read.failure).toEqual({ code: 'SOURCE_CHANGED', details: { file: 'entity.csv', line: 5, reason: 'columns-changed', column: 'LEGAL_CODE' } });
  });

  test('the same columns in another order are another header: rows behind it would be read under wrong names', async () => {
    const read = await readFile('LEGAL_NAME,LEGAL_CODE\nx,1\nLEGAL_CODE,LEGAL_NAME\n2,y\n');
    expect(read.rows).toEqual(['2: x|1']);
    expect(read.failure?.details).toEqual({ column: 'LEGAL_NAME', file: 'entity.csv', line: 3, reason: 'columns-changed' });
  });

  test('a column that is renamed is named by its place where its name could be data', async () => {
    expect((await readFile('甲,乙,丙\n1,2,3\n甲,乙,丁\n')).failure?.details).toMatchObject({ column: 'column-3', line: 3 });
  });

  test.each([
    ['a column twice', 'A,B,A\n1,2,3\n', 'column-twice'],
    ['a header that never ends', `"${'A,'.repeat(200_000)}`, 'header-too-long'],
    ['a header that is no text', Buffer.from([0x41, 0xff, 0x80, 0x0a]), 'header-not-of-its-encoding'],
  ])('%s is refused', async (_name, content, reason) => {
    expect((await readFile(content)).failure).toMatchObject({ code: 'SOURCE_UNREADABLE', details: { file: 'entity.csv', reason } });
  });

  test('a name that says no format, and a file that is not there', async () => {
    expect((await readFile('A\n1\n', 'entity.pdf')).failure?.code).toBe('SOURCE_UNREADABLE');
    expect((await readSource(new FilesSource([{ file: '/not/there.csv' }]))).failure).toEqual({ code: 'SOURCE_UNREADABLE', details: { file: 'there.csv', reason: 'ENOENT' } });
  });
});

describe('going on', () => {
  const content = (encoding: string): Buffer => encode(`法人名称,代码\n${Array.from({ length: 50 }, (_, index) => `"广州\n示例",${String(index)}\n`).join('')}`, encoding, { addBOM: encoding !== 'gb18030' });

  test.each(['utf8', 'gb18030', 'utf16le', 'utf16be'])('from any row of a file in %s gives the rows behind it', async (encoding) => {
    const source = new FileSource(fileOf(content(encoding)), () => ['entity']);
    const whole = await readSource(source);
    expect(whole.rows).toHaveLength(50);
    for (const at of [0, 7, 48]) {
      const rest = await readSource(source, { from: whole.positions[at] ?? {} });
      expect(rest.rows).toEqual(whole.rows.slice(at + 1));
    }
    // All of it was read, and it was not touched since.
    expect((await readSource(source, { from: whole.ends[0] ?? {} })).rows).toEqual([]);
  });

  test('a file that was written to, or replaced, is read from its beginning', async () => {
    const file = fileOf('A,B\nx,1\ny,2\n');
    const source = new FileSource(file, () => ['entity']);
    const { ends, positions } = await readSource(source);
    appendFileSync(file, 'z,3\n');
    expect((await readSource(source, { from: ends[0] ?? {} })).rows).toEqual(['2: x|1', '3: y|2', '4: z|3']);
    const middle = await readSource(source, { from: positions[0] ?? {} });
    expect(middle.rows).toHaveLength(3);
    expect(middle.warnings).toEqual([{ code: 'file-replaced', details: { file: 'entity.csv' } }]);
  });

  test('a file that is replaced while it is read is told, after the rows that were read', async () => {
    const file = fileOf(`A,B\n${'row,1\n'.repeat(60_000)}`);
    const source = new FilesSource([{ file, kind: 'entity' }]);
    let [read, failure]: [number, unknown] = [0, undefined];
    try {
      const reading = { progress: () => undefined, remembers: () => false, signal: new AbortController().signal, warn: () => undefined };
      for await (const part of source.parts(undefined, reading)) {
        for await (const rows of part.rows()) {
          if (read === 0) {
            writeFileSync(`${file}.new`, `A,B\n${'other,1\n'.repeat(60_000)}`);
            renameSync(`${file}.new`, file);
          }
          read += rows.length;
        }
      }
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ code: 'SOURCE_CHANGED', details: { file: 'entity.csv', reason: 'replaced-while-read' } });
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(60_000);
  });
});
