import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LetterDesk } from '../src/core/dead-letters/letter-desk.js';
import { exportLetters } from '../src/core/dead-letters/export-letters.js';
import { neutralCell, plainCell } from '../src/core/dead-letters/neutral-cells.js';
import { correctionOf } from '../src/core/dead-letters/read-export.js';
import { AdoptedKinds } from '../src/core/catalog/adopted-kinds.js';
import type { IntakeAnswer } from '../src/core/intake/intake-answer.js';
import { LetterBook } from '../src/core/outbox/letter-book.js';
import { systemClock } from '../src/adapters/system/system-clock.js';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { stream } from './sample-lines.js';

const uscc = '91440105MA6NNHC07C';
const owner = `org:${uscc}`;

let folder: string;
let consortium: Consortium;
let node: PublishingNode;
let desk: LetterDesk;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-letters-'));
  consortium = await startConsortium(folder);
  node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  node.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  desk = new LetterDesk({ intake: node.intake, kinds: new AdoptedKinds(node.readModel, systemClock), letters: node.outbox.letters, mappings: node.mappings });
});

afterAll(async () => {
  await node.close();
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

const columns = { LEGAL_CODE: uscc, LEGAL_NAME: '广州溪午示例园林有限公司', QUAL_NAME: '机电工程施工总承包', QUAL_TYPE: 'A10102', QUAL_LEVEL: '03', QUAL_CERT_END_DATE: '20280626' };

function row(number: number, change: Record<string, string> = {}): Record<string, string> {
  return { ...columns, QUAL_CERT_NO: `D-LETTER-${String(number)}`, ...change };
}

async function publish(file: string, rows: readonly Record<string, string>[], more: Record<string, unknown> = {}, from = 2): Promise<string[]> {
  const answers = await node.publish(stream(...rows.map((cells, index) => ({ kind: 'qualification', row: cells, source: { file, line: from + index }, ...more }))));
  return answers.flatMap((answer: IntakeAnswer) => ('acknowledged' in answer ? [] : ['refused' in answer ? answer.code : 'unchanged' in answer ? 'unchanged' : 'accepted']));
}

async function lettersOf(file: string) {
  return (await desk.page({ file }, 'oldest', 100)).items;
}

describe('a refused row', () => {
  test('is listed with its place, field, reason and suggestion, and without what it holds', async () => {
    expect(await publish('a.csv', [row(1), row(2, { LEGAL_CODE: '91440105MA6NNHC07D' }), row(3, { QUAL_CERT_END_DATE: '2028年6月26日' })])).toEqual(['accepted', 'RECORD_INVALID', 'RECORD_INVALID']);
    const letters = await lettersOf('a.csv');
    expect(letters).toMatchObject([
      { file: 'a.csv', line: 3, kind: 'qualification', code: 'RECORD_INVALID', kept: true, problems: [{ path: '/holder/uscc', code: 'uscc-check-character', suggestion: { zh: expect.stringContaining('C') as string } }] },
      { line: 4, problems: [{ path: '/certificate/end', code: 'date8-unreadable', suggestion: { mapping: { formats: ['yyyy年M月d日'] } } }] },
    ]);
    const text = JSON.stringify(letters);
    for (const value of ['91440105MA6NNHC07D', '2028年6月26日', 'D-LETTER']) expect(text).not.toContain(value);
    expect(desk.open(letters[0]?.id ?? '').row).toEqual(row(2, { LEGAL_CODE: '91440105MA6NNHC07D' }));
  });

  test('lies sealed: nothing of it can be read in the store', async () => {
    const [letter] = await lettersOf('a.csv');
    for await (const [key, bytes] of node.store.entries({ gte: 'letter/', lt: 'letter/~' })) {
      const text = Buffer.from(bytes).toString('utf8');
      expect([key, /广州溪午|D-LETTER|91440105MA6NNHC07D/.test(text)]).toEqual([key, false]);
    }
    expect(letter?.kept).toBe(true);
  });

  test('leaves the list when its file comes again in order; from where the file goes on, and not before', async () => {
    expect(await publish('a.csv', [row(3)], {}, 4)).toEqual(['accepted']);
    expect((await lettersOf('a.csv')).map(({ line }) => line)).toEqual([3]);
    expect(await publish('a.csv', [row(1), row(2), row(3)])).toEqual(['unchanged', 'accepted', 'unchanged']);
    expect(await lettersOf('a.csv')).toEqual([]);
  });

  test('leaves the list when its record comes in from anywhere', async () => {
    await publish('b.csv', [row(10, { QUAL_LEVEL: 'third' })]);
    expect(await lettersOf('b.csv')).toHaveLength(1);
    await publish('other.csv', [row(10)]);
    expect(await lettersOf('b.csv')).toEqual([]);
  });

  test('of one run of a source stays when another run comes', async () => {
    const bad = row(11, { QUAL_LEVEL: 'third' });
    await node.publish(stream({ kind: 'qualification', row: bad, source: { file: 'database', line: 1, run: '7' } }));
    await node.publish(stream({ kind: 'qualification', row: row(12), source: { file: 'database', line: 1, run: '8' } }, { kind: 'qualification', row: row(13, { QUAL_LEVEL: 'x' }), source: { file: 'database', line: 2, run: '8' } }));
    expect((await lettersOf('database')).map(({ line, run }) => [run, line])).toEqual([['7', 1], ['8', 2]]);
    await desk.dropAll({ file: 'database' });
  });

  test('that names a mapping which is not here is refused with its code, and is good once the mapping is put in', async () => {
    const local = { 企业: uscc, 证书: 'D-LETTER-20', 名称: '机电工程施工总承包', 类别: 'A10102', 等级: '三级', 至: '2028/6/26' };
    expect(await publish('local.csv', [local], { mapping: 'local-export' })).toEqual(['MAPPING_UNKNOWN']);
    const kind = new AdoptedKinds(node.readModel, systemClock).find('qualification');
    const held = { format: 'mapping/1', kind: 'qualification', schema: 1, columns: { 企业: { as: 'LEGAL_CODE' }, 证书: { as: 'QUAL_CERT_NO' }, 名称: { as: 'QUAL_NAME' }, 类别: { as: 'QUAL_TYPE' }, 等级: { to: 'qualification.level', values: { 三级: '03' } }, 至: { to: 'certificate.end', formats: ['yyyy/M/d'] } } };
    await node.mappings.put('local-export', kind, held);
    expect(await desk.retry({ filter: { file: 'local.csv' } })).toMatchObject({ retried: 1, accepted: 1, refused: 0 });
    expect(await lettersOf('local.csv')).toEqual([]);
    expect(await publish('wrong.csv', [local], { mapping: 'local-export', kind: 'entity' })).toEqual(['BAD_FIELD']);
    await desk.dropAll({ file: 'wrong.csv' });
  });
});

describe('working off the list', () => {
  test('a row is corrected and tried again; one that is still wrong keeps its place with the new reason', async () => {
    await publish('c.csv', [row(30, { QUAL_LEVEL: '' }), row(31, { LEGAL_CODE: '1' })]);
    const [first, second] = await lettersOf('c.csv');
    const report = await desk.retry({ corrections: [{ id: first?.id ?? '', row: row(30) }, { id: second?.id ?? '', row: row(31, { QUAL_TYPE: '?' }) }] });
    expect(report).toMatchObject({ retried: 2, accepted: 1, refused: 1, results: [{ id: first?.id, outcome: 'accepted' }, { id: second?.id, outcome: 'refused', code: 'RECORD_INVALID' }] });
    expect(await lettersOf('c.csv')).toMatchObject([{ id: second?.id, line: 3, problems: [{ path: '/qualification/type' }] }]);
    await desk.drop(second?.id ?? '');
    expect(await lettersOf('c.csv')).toEqual([]);
    await expect(desk.drop(second?.id ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('an export comes back as it was, formulas neutralised on the way', async () => {
    const formulas = row(40, { LEGAL_NAME: '=HYPERLINK("http://sample.invalid")', QUAL_NAME: "'=1+1", QUAL_LEVEL: '@SUM' });
    await publish('d.csv', [formulas]);
    let csv = '';
    for await (const text of exportLetters(desk, { file: 'd.csv' }, 'csv')) csv += text;
    const { parse } = await import('csv-parse/sync');
    const [read] = parse(csv, { bom: true, columns: true }) as Record<string, string>[];
    for (const cell of Object.values(read ?? {})) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
    expect(correctionOf(read ?? {}).row).toEqual(formulas);
    let lines = '';
    for await (const text of exportLetters(desk, { file: 'd.csv' }, 'ndjson')) lines += text;
    expect(JSON.parse(lines)).toMatchObject({ file: 'd.csv', row: formulas });
    await desk.dropAll({ file: 'd.csv' });
  });

  test.each(['=1', "'=1", "''=1", '-1', '@x', '\tx', '\rx', 'plain', "'plain", '', '1=1'])('the cell %j is itself again after an export', (cell) => {
    expect(plainCell(neutralCell(cell))).toBe(cell);
    expect(neutralCell(cell)).not.toMatch(/^[=+\-@\t\r]/);
  });

  test('filters choose by field, code and kind, and pages go on where they ended', async () => {
    await publish('e.csv', Array.from({ length: 25 }, (_, index) => row(50 + index, index % 2 === 0 ? { QUAL_LEVEL: 'x' } : { QUAL_TYPE: 'x' })));
    const byField = await desk.page({ file: 'e.csv', field: 'qualification.level' }, 'oldest', 100);
    expect(byField.items.map(({ line }) => line)).toEqual(Array.from({ length: 13 }, (_, index) => 2 + 2 * index));
    const seen: string[] = [];
    let place: string | undefined;
    do {
      const page = await desk.page({ kind: 'qualification', code: 'RECORD_INVALID' }, 'newest', 10, place);
      seen.push(...page.items.map(({ id }) => id));
      ({ place } = page);
    } while (place !== undefined);
    expect(seen).toEqual([...seen].sort().reverse());
    expect(new Set(seen).size).toBe(25);
    expect((await desk.page({ kind: 'entity' }, 'newest', 10)).items).toEqual([]);
    expect(await desk.dropAll({ file: 'e.csv' })).toBe(25);
    expect(desk.count).toBe(0);
  });

  test('what the node has is what it has after it was opened again', async () => {
    await publish('f.csv', [row(80, { QUAL_LEVEL: 'x' })]);
    const again = await LetterBook.open({ most: 10, store: node.store, vault: node.vault });
    expect(again.count).toBe(1);
    expect(again.content((await lettersOf('f.csv'))[0]?.id ?? '')).toMatchObject({ row: row(80, { QUAL_LEVEL: 'x' }) });
    await desk.dropAll({ file: 'f.csv' });
  });
});

describe('erasing', () => {
  test('of one record leaves the refused rows of its owner readable under the next key, and takes those about the record', async () => {
    const other = { LEGAL_CODE: '91440106MABAY5U732', LEGAL_NAME: '广州苍梧示例园林有限公司' };
    const [accepted] = (await node.publish(stream({ kind: 'qualification', row: row(95, other) }))) as { recordId: string }[];
    await publish('h.csv', [row(96, { ...other, QUAL_LEVEL: 'x' }), row(95, { ...other, QUAL_LEVEL: 'x' })]);
    expect(await lettersOf('h.csv')).toMatchObject([{ line: 2 }, { line: 3, recordId: accepted?.recordId }]);
    await node.drained();
    await node.erasing.erase({ recordIds: [accepted?.recordId ?? ''] });
    const [left, ...more] = await lettersOf('h.csv');
    expect([left?.line, more]).toEqual([2, []]);
    expect(desk.open(left?.id ?? '').row).toEqual(row(96, { ...other, QUAL_LEVEL: 'x' }));
    await desk.dropAll({ file: 'h.csv' });
  });

  test('takes every letter that names the owner, in any column, and leaves the others readable', async () => {
    await publish('g.csv', [row(90, { QUAL_LEVEL: 'x' }), row(91, { LEGAL_CODE: '', QUAL_NAME: `某公司${uscc.toLowerCase()}` }), { ...row(92, { QUAL_LEVEL: 'x' }), LEGAL_CODE: '91440106MABAY5U732' }]);
    expect(await lettersOf('g.csv')).toHaveLength(3);
    await node.drained();
    await node.erasing.erase({ owner });
    const [left, ...more] = await lettersOf('g.csv');
    expect([left?.line, more]).toEqual([4, []]);
    expect(desk.open(left?.id ?? '').row).toMatchObject({ LEGAL_CODE: '91440106MABAY5U732' });
    // A source that still has the record is told so, and its row is not kept in another place.
    expect(await publish('g.csv', [row(1)])).toEqual(['ERASED']);
    const [erased] = await lettersOf('g.csv');
    expect([erased?.code, erased?.kept, desk.open(erased?.id ?? '').row]).toEqual(['ERASED', undefined, undefined]);
  });
});

describe('bounds', () => {
  test('the oldest go for newer ones, and it is said', async () => {
    const store = new MemoryStore();
    const book = await LetterBook.open({ most: 3, store, vault: node.vault });
    for (let line = 1; line <= 5; line += 1) await store.write(book.add({ letter: { at: 100 + line, code: 'RECORD_INVALID', file: 'x.csv', line } }));
    await book.trim();
    expect((await book.list()).map(({ line }) => line)).toEqual([3, 4, 5]);
    expect([book.count, book.dropped]).toEqual([3, { count: 2, until: 102 }]);
  });

  test('letters of the layout before this one are taken over', async () => {
    const store = new MemoryStore();
    await store.write([
      { key: 'dead/file/0123456789abcdef0123456789abcdef/0000000007', value: Buffer.from('{"at":5,"code":"RECORD_INVALID","file":"old.csv","kind":"entity","line":7,"problems":[]}') },
      { key: 'dead/row/00000000000009', value: Buffer.from('{"at":6,"code":"VERSION_ORDER","recordId":"river/entity/aaaaaaaaaaaaaaaaaaaaaaaaaa","version":2}') },
    ]);
    const book = await LetterBook.open({ most: 10, store, vault: node.vault });
    expect(await book.list()).toMatchObject([{ file: 'old.csv', line: 7 }, { code: 'VERSION_ORDER', version: 2 }]);
    expect((await book.page({ file: 'old.csv' }, 'newest', 10)).items).toHaveLength(1);
  });
});
