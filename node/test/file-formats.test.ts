import { mkdirSync, renameSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FilesSource, FileSource } from '../src/adapters/sources/file-source.js';
import { FolderSource } from '../src/adapters/sources/folder-source.js';
import { HttpSource, type HttpSettings } from '../src/adapters/sources/http-source.js';
import { makeWorkbook, type WorkbookCell, type WorkbookOptions } from './make-workbook.js';
import { readSource, type ReadSource } from './read-source.js';
import { temporaryFolder } from './temporary-folder.js';

const kinds = (): readonly string[] => ['entity', 'credit'];

describe('NDJSON', () => {
  const lines = ['{"A":"x","B":1}', '{"A":{"C":"y","D":[ "1","2"]},"B":null,"E":true}', '', '{"A":12345678901234567890,"B":0.10}', '[1]', 'not json', '{"A":[{}]}', '{"A":"last"}'];

  test('fields are cells, numbers keep their digits, what is no row is refused by its line', async () => {
    const file = path.join(temporaryFolder(), 'entity.ndjson');
    writeFileSync(file, lines.join('\n'));
    const { failure, positions, rows } = await readSource(new FilesSource([{ file, kind: 'entity' }]));
    expect(failure).toBeUndefined();
    expect(rows).toEqual(['1: x|1', '2: y|1;2||true', '4: 12345678901234567890|0.10', '5: ROW_UNREADABLE', '6: ROW_UNREADABLE', '7: ROW_UNREADABLE', '8: last']);
    expect((await readSource(new FileSource(file, kinds), { from: positions[2] ?? {} })).rows).toEqual(rows.slice(3));
  });

  test('a line of 10 MB is refused by its line', async () => {
    const file = path.join(temporaryFolder(), 'entity.jsonl');
    writeFileSync(file, `{"A":"x"}\n{"A":"${'q'.repeat(10_000_000)}"}\n{"A":"y"}\n`);
    expect((await readSource(new FilesSource([{ file }]))).rows).toEqual(['1: x', '2: ROW_TOO_LONG', '3: y']);
  });
});

describe('XLSX', () => {
  async function workbook(rows: readonly (readonly WorkbookCell[])[], options?: WorkbookOptions): Promise<{ readonly file: string; readonly read: ReadSource }> {
    const file = path.join(temporaryFolder(), 'entity.xlsx');
    await makeWorkbook(file, rows, options);
    return { file, read: await readSource(new FilesSource([{ file, kind: 'entity' }])) };
  }

  test('cells as a person sees them: texts, amounts without binary remainders, dates by their style', async () => {
    const { read } = await workbook([
      ['名称', '金额', '日期', '登记日期', '时间'],
      ['广州示例 & <公司>', 0.1 + 0.2, { xml: '<c s="1"><v>45292</v></c>' }, { xml: '<c s="2"><v>46022</v></c>' }, { xml: '<c s="1"><v>45292.75</v></c>' }],
      ['', '', '', '', ''],
      [{ xml: '<c t="inlineStr"><is><r><t>珠海</t></r><r><t>示例</t></r><rPh><t>zhuhai</t></rPh></is></c>' }, { xml: '<c s="3"><v>1234567.5</v></c>' }, '', { xml: '<c t="b"><v>1</v></c>' }, { xml: '<c t="str"><f>A1</f><v>text</v></c>' }],
      ['错误', { xml: '<c t="e"><v>#N/A</v></c>' }],
    ]);
    expect(read.failure).toBeUndefined();
    expect(read.rows).toEqual(['2: 广州示例 & <公司>|0.3|2024-01-01|2025-12-31|2024-01-01 18:00:00', '4: 珠海示例|1234567.5||true|text', '5: ROW_UNREADABLE']);
  });

  test('the other calendar, the first sheet that is shown, and what is not read of the rest', async () => {
    const { read } = await workbook([['A', 'B', 'C', 'D'], [{ xml: '<c s="1"><v>43830</v></c>' }, 1e21, 1.5e-7, 1e-30]], { is1904: true, sheets: [{ hidden: true, name: 'old' }, { name: 'rows' }, { name: 'more' }] });
    expect(read.rows).toEqual(['2: 2024-01-01|1000000000000000000000|0.00000015|0']);
    expect(read.warnings).toEqual([{ code: 'other-sheets-not-read', details: { file: 'entity.xlsx', sheets: 1 } }, { code: 'number-lost-digits', details: { file: 'entity.xlsx', line: 2 } }]);
  });

  test('a value under no column is a row that cannot be told; going on gives the rows behind', async () => {
    const { file, read } = await workbook([['A', 'B'], ['1', '2', '3'], ['4', '5'], ['6']]);
    expect(read.rows).toEqual(['2: ROW_UNREADABLE', '3: 4|5', '4: 6|']);
    expect((await readSource(new FileSource(file, kinds), { from: read.positions[1] ?? {} })).rows).toEqual(['4: 6|']);
  });

  test('the header once more is passed over and told; another one ends the reading behind the rows before it', async () => {
    const { read } = await workbook([['LEGAL_NAME', 'LEGAL_CODE', 'C'], ['x', '1', '2'], ['LEGAL_NAME', 'LEGAL_CODE', 'C', ''], ['y', '3', '4'], ['LEGAL_NAME', 'CODE', 'C'], ['z', '5', '6']]);
    expect(read.rows).toEqual(['2: x|1|2', '4: y|3|4']);
    expect(read.warnings).toEqual([{ code: 'header-repeated', details: { file: 'entity.xlsx', line: 3 } }]);
    expect(read.failure).toEqual({ code: 'SOURCE_CHANGED', details: { column: 'LEGAL_CODE', file: 'entity.xlsx', line: 5, reason: 'columns-changed' } });
  });

  test('a row of 10 MB is refused by its line', async () => {
    const { read } = await workbook([['A'], ['x'], [{ xml: `<c t="str"><v>${'q'.repeat(10_000_000)}</v></c>` }], ['y']]);
    expect(read.failure).toBeUndefined();
    expect(read.rows).toEqual(['2: x', '3: ROW_TOO_LONG', '4: y']);
  });

  test('a zip bomb is refused before it is inflated', async () => {
    const before = process.memoryUsage().rss;
    const { read } = await workbook([], { sheetXml: `<worksheet><sheetData>${' '.repeat(200_000_000)}</sheetData></worksheet>` });
    expect(read.failure).toEqual({ code: 'SOURCE_UNREADABLE', details: { file: 'entity.xlsx', reason: 'inflates-too-far' } });
    expect(read.rows).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(900_000_000);
  });

  test.each([
    ['no zip archive', Buffer.from('PK but not really'), 'not-a-workbook'],
    ['an empty file', Buffer.alloc(0), 'not-a-workbook'],
  ])('%s is refused', async (_name, content, reason) => {
    const file = path.join(temporaryFolder(), 'entity.xlsx');
    writeFileSync(file, content);
    expect((await readSource(new FilesSource([{ file }]))).failure).toMatchObject({ code: 'SOURCE_UNREADABLE', details: { reason } });
  });

  test('XML that is none, and entities that would grow, are refused', async () => {
    const bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><worksheet><sheetData><row r="1"><c t="str"><v>&b;</v></c></row></sheetData></worksheet>';
    for (const sheetXml of ['<worksheet><sheetData><row>', bomb]) expect((await workbook([], { sheetXml })).read.failure).toMatchObject({ code: 'SOURCE_UNREADABLE', details: { reason: 'a-part-is-no-xml' } });
  });
});

describe('a watched folder', () => {
  const settled = (file: string): void => { utimesSync(file, new Date(2026, 0, 1), new Date(2026, 0, 1)); };
  const folderOf = (files: Readonly<Record<string, string>>): string => {
    const folder = temporaryFolder();
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), content);
      settled(path.join(folder, name));
    }
    return folder;
  };

  /** Reads all there is, and remembers it as a run would. */
  async function look(folder: string, done: Set<string>, settleSeconds = 5): Promise<ReadSource & { readonly names: string[] }> {
    const source = new FolderSource({ lookSeconds: 1, path: folder, settleSeconds }, kinds);
    const names: string[] = [];
    const read = await readSource({
      parts: async function* parts(from, reading) {
        for await (const part of source.parts(from, reading)) {
          names.push(part.name);
          yield part;
          for (const mark of part.marks ?? []) done.add(mark);
        }
      },
    }, { remembers: (mark) => done.has(mark) });
    return { ...read, names };
  }

  test('is read once: what was read is known by its content, whatever its name is then', async () => {
    const folder = folderOf({ '.hidden.csv': 'A\n9\n', 'credit.csv': 'A\n1\n', 'notes.pdf': 'no', 'sub/entity.ndjson': '{"A":"2"}\n' });
    const done = new Set<string>();
    const first = await look(folder, done);
    expect(first.rows).toEqual(['2: 1', '1: 2']);
    expect(first.names).toEqual(['credit.csv', 'sub > entity.ndjson']);
    expect((await look(folder, done)).names).toEqual([]);
    renameSync(path.join(folder, 'credit.csv'), path.join(folder, 'credit-moved.csv'));
    writeFileSync(path.join(folder, 'entity.csv'), 'A\n3\n');
    settled(path.join(folder, 'entity.csv'));
    expect((await look(folder, done)).rows).toEqual(['2: 3']);
  });

  test('waits for a file that is still written to', async () => {
    const folder = folderOf({ 'credit.csv': 'A\n1\n' });
    writeFileSync(path.join(folder, 'entity.csv'), 'A\n2\n');
    const writing = setInterval(() => { writeFileSync(path.join(folder, 'entity.csv'), 'A\n2\n3\n', { flag: 'a' }); }, 50);
    const done = new Set<string>();
    const first = await look(folder, done, 1);
    clearInterval(writing);
    expect(first.names).toEqual(['credit.csv']);
    expect(first.warnings).toEqual([{ code: 'still-written', details: { file: 'entity.csv' } }]);
    writeFileSync(path.join(folder, 'entity.csv'), 'A\n2\n');
    expect((await look(folder, done, 1)).rows).toEqual(['2: 2']);
  });

  test('follows no circle of links and none that leads out, and says so', async () => {
    const outside = folderOf({ 'credit.csv': 'A\n9\n' });
    const folder = folderOf({ 'deep/credit.csv': 'A\n1\n' });
    symlinkSync(folder, path.join(folder, 'deep', 'round'));
    symlinkSync(path.join(folder, 'deep'), path.join(folder, 'again'));
    symlinkSync(outside, path.join(folder, 'out'));
    symlinkSync(path.join(folder, 'nowhere'), path.join(folder, 'zero.csv'));
    const read = await look(folder, new Set());
    expect(read.rows).toEqual(['2: 1']);
    expect(read.warnings.map(({ code, details }) => `${code} ${String(details['folder'])}`).sort()).toEqual(['link-broken zero.csv', 'link-cycle again > round', 'link-cycle deep', 'link-leads-outside out']);
  });

  test('tells of a change, and of the first look', async () => {
    const folder = folderOf({});
    const stop = new AbortController();
    onTestFinished(() => { stop.abort(); });
    const changes = new FolderSource({ lookSeconds: 1, path: folder, settleSeconds: 0 }, kinds).changes(stop.signal)[Symbol.asyncIterator]();
    expect(await changes.next()).toMatchObject({ done: false });
    const next = changes.next();
    writeFileSync(path.join(folder, 'credit.csv'), 'A\n1\n');
    expect(await next).toMatchObject({ done: false });
  });
});

describe('an API', () => {
  type Answer = (request: IncomingMessage, response: ServerResponse, address: URL) => void;

  /** @param gone its address stays, and nobody listens there any more */
  async function serve(answer: Answer, gone = false): Promise<string> {
    const server = createServer((request, response) => { answer(request, response, new URL(request.url ?? '/', 'http://127.0.0.1')); });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const close = async (): Promise<void> => { server.closeAllConnections(); await new Promise((resolve) => server.close(resolve)); };
    if (gone) await close();
    else onTestFinished(close);
    return url;
  }

  const settings = (url: string, more: Partial<HttpSettings> = {}): HttpSettings => ({ headers: {}, items: '/data', mostPages: 100, name: 'api', rowsPerSecond: 1_000_000, timeoutMilliseconds: 5000, url, ...more });
  const rowsOf = (page: number): object[] => [{ amount: page, id: `row ${String(page)}` }, { id: `more ${String(page)}` }];
  const json = (response: ServerResponse, body: unknown): void => { response.setHeader('content-type', 'application/json').end(JSON.stringify(body)); };
  const all = ['1: 1|row 1', '2: more 1', '3: 2|row 2', '4: more 2', '5: 3|row 3', '6: more 3'];

  test('by cursor, by page number, by a link in the answer and by a Link header, with a secret from a file', async () => {
    const secret = path.join(temporaryFolder(), 'secret');
    writeFileSync(secret, 'invented-token\n');
    const seen: string[] = [];
    const url = await serve((request, response, { pathname, searchParams }) => {
      seen.push(`${String(request.headers['x-key'])} ${String(request.headers['x-centre'])}`);
      const page = Number(searchParams.get('at') ?? 1);
      const next = page < 3 ? String(page + 1) : '';
      if (pathname === '/header' && next !== '') response.setHeader('link', `</header?at=1>; rel="first", </header?at=${next}>; rel="next"`);
      json(response, { data: page > 3 ? [] : rowsOf(page), ...(next === '' ? {} : { next: pathname === '/link' ? `/link?at=${next}` : next }) });
    });
    const common = { headers: { 'x-centre': 'sample' }, secret: { file: secret, header: 'x-key', prefix: 'Key ' } };
    const paging: readonly (readonly [string, NonNullable<HttpSettings['next']>])[] = [
      ['/cursor', { by: 'cursor', first: 1, parameter: 'at', pointer: '/next' }],
      ['/page', { by: 'page', first: 1, parameter: 'at' }],
      ['/link', { by: 'link', first: 1, parameter: 'at', pointer: '/next' }],
      ['/header', { by: 'link', first: 1, parameter: 'at' }],
    ];
    for (const [place, next] of paging) {
      const { failure, rows } = await readSource(new HttpSource(settings(`${url}${place}`, { ...common, next })));
      expect(failure, place).toBeUndefined();
      expect(rows, place).toEqual(all);
    }
    expect(new Set(seen)).toEqual(new Set(['Key invented-token sample']));
  });

  test('goes on in the middle of a page, and asks later for what changed since', async () => {
    const asked: (string | null)[] = [];
    const url = await serve((_request, response, { searchParams }) => {
      asked.push(searchParams.get('since'));
      json(response, { data: rowsOf(Number(searchParams.get('page'))).slice(0, Number(searchParams.get('page')) > 3 ? 0 : 2) });
    });
    const source = new HttpSource(settings(url, { next: { by: 'page', first: 1, parameter: 'page' }, since: { overlapSeconds: 60, parameter: 'since' } }), () => Date.UTC(2026, 0, 1, 12));
    const whole = await readSource(source);
    expect(whole.rows).toEqual(all);
    expect((await readSource(source, { from: whole.positions[2] ?? {} })).rows).toEqual(all.slice(3));
    expect(new Set(asked)).toEqual(new Set([null]));
    const later = await readSource(source, { from: whole.ends[0] ?? {} });
    expect(later.rows.at(0)).toBe('1: 1|row 1');
    expect(asked.at(-1)).toBe('2026-01-01T11:59:00.000Z');
  });

  test.each<[string, Answer, string, Partial<HttpSettings>, object]>([
    ['a server that is overloaded', (_request, response) => { response.writeHead(503).end(); }, 'SOURCE_UNAVAILABLE', {}, { status: 503 }],
    ['a refusal', (_request, response) => { response.writeHead(403).end(); }, 'SOURCE_UNREADABLE', {}, { status: 403 }],
    ['a redirect, which would carry the secret away', (_request, response) => { response.writeHead(302, { location: 'http://127.0.0.2/' }).end(); }, 'SOURCE_UNREADABLE', {}, { status: 302 }],
    ['an answer without rows', (_request, response) => { json(response, { rows: [] }); }, 'SOURCE_UNREADABLE', {}, {}],
    ['an answer that is no JSON', (_request, response) => { response.end('<html>'); }, 'SOURCE_UNREADABLE', {}, {}],
    ['a page without end', (_request, response) => { const more = (): void => { if (!response.destroyed) response.write('x'.repeat(1_000_000), more); }; more(); }, 'SOURCE_UNREADABLE', {}, {}],
    ['no answer in time', () => undefined, 'SOURCE_UNAVAILABLE', { timeoutMilliseconds: 200 }, { reason: 'no-answer-in-time' }],
    ['a next page elsewhere', (_request, response) => { json(response, { data: [], next: 'http://127.0.0.2/' }); }, 'SOURCE_UNREADABLE', { next: { by: 'link', first: 1, parameter: 'page', pointer: '/next' } }, {}],
    ['a cursor that does not move', (_request, response) => { json(response, { data: [], next: 'same' }); }, 'SOURCE_UNREADABLE', { next: { by: 'cursor', first: 1, parameter: 'at', pointer: '/next' } }, {}],
    ['pages without end', (_request, response) => { json(response, { data: [{ a: '1' }] }); }, 'SOURCE_UNREADABLE', { next: { by: 'page', first: 1, parameter: 'page' } }, {}],
  ])('%s', async (_name, answer, code, more, details) => {
    const { failure } = await readSource(new HttpSource(settings(await serve(answer), more)));
    expect(failure).toMatchObject({ code, details });
  });

  test('nobody there', async () => {
    const url = await serve(() => undefined, true);
    expect((await readSource(new HttpSource(settings(url)))).failure).toMatchObject({ code: 'SOURCE_UNAVAILABLE', details: { reason: 'ECONNREFUSED' } });
  });
});
