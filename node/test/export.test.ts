import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { csvLine } from '../src/core/export/csv-lines.js';
import { exportRecords, type ExportOrder } from '../src/core/export/export-records.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { qualification, stream } from './sample-lines.js';

const formulas = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx', '=HYPERLINK("http://invented.invalid","x")', '＝1+1', '－1'];
const person = {
  person: { idNumber: '440103198508031522', idType: '01', name: '孙某甲', gender: '1', birthDate: '1985-08-03', region: '440105', education: '硕士', phone: '19900018949' },
  employment: { employer: '91440105MA6NNHC07C', employerName: '广州溪午示例园林有限公司', onJob: true, position: '项目经理', title: '高级工程师', since: '2018-03-02', experience: '=示例,"从业"\n经历' },
  certificate: { name: '二级建造师', type: 'J10001', number: 'R3390524856', end: '2027-07-05' },
  consent: { givenOn: '2026-06-12', scope: '+公共资源交易活动中的资格核验' },
};
const headers: ExportOrder = { bom: false, content: 'headers', filter: {}, format: 'csv', personal: false };
const many = 450;

let folder: string;
let consortium: Consortium;
let node: PublishingNode;
let ids: readonly string[];

async function publish(...lines: readonly object[]): Promise<string[]> {
  const answers = await node.publish(stream(...lines));
  await node.drained();
  expect(answers.filter((answer) => 'refused' in answer)).toEqual([]);
  return answers.flatMap((answer) => ('recordId' in answer ? [answer.recordId] : []));
}

async function exported(order: Partial<ExportOrder>): Promise<string> {
  let text = '';
  for await (const piece of await exportRecords({ memberId: 'river', readModel: node.readModel, vault: node.vault }, { ...headers, ...order })) text += piece;
  return text;
}

function table(text: string): Record<string, string>[] {
  return parse(text, { bom: true, columns: true });
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-export-'));
  consortium = await startConsortium(folder, ['personnel', 'qualification']);
  node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  node.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  ids = await publish(...Array.from({ length: many }, (_, index) => ({ kind: 'qualification', data: qualification(index) })), { kind: 'personnel', data: person });
});

afterAll(async () => {
  await node.close();
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('no cell begins as a formula does, and each reads as it was behind its apostrophe', () => {
  const rows: string[][] = parse(csvLine(formulas) + csvLine(['plain', ' =1', '1-1', '', '2026-01-01', 'a"b,c\nd']), { relax_column_count: true });
  expect(rows[0]).toEqual(formulas.map((cell) => `'${cell}`));
  expect(rows[1]).toEqual(['plain', ' =1', '1-1', '', '2026-01-01', 'a"b,c\nd']);
});

test('headers come as a table and as lines, each record once', async () => {
  const rows = table(await exported({}));
  expect(rows.map(({ recordId }) => recordId).sort()).toEqual([...ids].sort());
  expect(rows.find(({ recordId }) => recordId === ids[0])).toMatchObject({ publisher: 'river', kind: 'qualification', version: '1', status: 'active', contested: 'false', rights: 'owner', subject: 'org:91440105MA6NNHC07C' });
  const lines = (await exported({ format: 'ndjson', filter: { kind: 'personnel' } })).trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toMatchObject([{ recordId: ids.at(-1), kind: 'personnel', version: 1 }]);
  expect(lines[0]).not.toHaveProperty('data');
});

test('own payloads come without personal fields unless they are asked for, and no field of theirs is a formula', async () => {
  const order = { content: 'payloads', filter: { kind: 'personnel' } } as const;
  const [row = {}] = table(await exported(order));
  expect(row).toMatchObject({ payload: 'held', 'employment.employerName': '广州溪午示例园林有限公司', 'employment.onJob': 'true', 'consent.scope': "'+公共资源交易活动中的资格核验" });
  expect(Object.keys(row).filter((name) => /person\.(?:name|idNumber|phone)|employment\.experience|certificate\.number/.test(name))).toEqual([]);
  const [whole = {}] = table(await exported({ ...order, personal: true, bom: true }));
  expect(whole).toMatchObject({ 'person.name': '孙某甲', 'employment.experience': `'${person.employment.experience}` });
  expect(JSON.parse(await exported({ ...order, format: 'ndjson' }))).toMatchObject({ payload: 'held', data: { person: { idType: '01', region: '440105' }, consent: person.consent } });
  expect(await exported({ ...order, format: 'ndjson' })).not.toMatch(/孙某甲|440103198508031522/);
  expect(JSON.parse(await exported({ ...order, format: 'ndjson', personal: true }))).toMatchObject({ data: person });
  await expect(exported({ content: 'payloads' })).rejects.toMatchObject({ code: 'BAD_FIELD', details: { path: '/kind' } });
});

test('an export shows the records as they were when it began', async () => {
  const pieces = await exportRecords({ memberId: 'river', readModel: node.readModel, vault: node.vault }, { ...headers, filter: { kind: 'qualification' } });
  let text = (await pieces.next()).value as string;
  text += (await pieces.next()).value as string;
  await publish({ kind: 'qualification', data: qualification(0, { level: '02' }) }, { kind: 'qualification', data: qualification(many) });
  for await (const piece of pieces) text += piece;
  const rows = table(text);
  expect(rows).toHaveLength(many);
  expect(rows.find(({ recordId }) => recordId === ids[0])).toMatchObject({ version: '1' });
  expect(table(await exported({ filter: { kind: 'qualification' } }))).toHaveLength(many + 1);
});

test('what is revoked or erased is said, with nothing of its data', async () => {
  await publish({ kind: 'qualification', recordId: ids[1], revoke: true });
  await node.erasing.erase({ recordIds: [ids[2] ?? ''] });
  const rows = table(await exported({ content: 'payloads', filter: { kind: 'qualification' } }));
  expect(rows.find(({ recordId }) => recordId === ids[1])).toMatchObject({ status: 'revoked', payload: 'none', 'holder.name': '' });
  expect(rows.find(({ recordId }) => recordId === ids[2])).toMatchObject({ status: 'active', payload: 'erased', 'holder.name': '' });
  expect(rows.find(({ recordId }) => recordId === ids[3])).toMatchObject({ payload: 'held', 'holder.name': '广州溪午示例园林有限公司' });
});
