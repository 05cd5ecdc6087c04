import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits, toBase32 } from '@huilian/protocol';
import type { IntakeAnswer } from '../src/core/intake/intake-answer.js';
import { RecordSet } from '../src/core/intake/record-set.js';
import { DeadLetters } from '../src/core/outbox/dead-letters.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { publishLines, qualification, stream } from './sample-lines.js';

let folder: string;
let consortium: Consortium;
let node: PublishingNode;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-intake-'));
  consortium = await startConsortium(folder);
  node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  node.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
});

afterAll(async () => {
  await node.close();
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What became of each line, in order. */
function outcomes(answers: readonly IntakeAnswer[]): string[] {
  return answers.flatMap((answer) => {
    if ('acknowledged' in answer) return [];
    if ('refused' in answer) return [answer.code];
    return ['unchanged' in answer ? 'unchanged' : `v${String(answer.version)}`];
  });
}

async function publish(...lines: readonly (object | string)[]): Promise<IntakeAnswer[]> {
  return await node.publish(stream(...lines));
}

const good = (at: number): object => ({ kind: 'qualification', data: qualification(at) });

test('each line is judged by itself: bad ones hold nobody up', async () => {
  const duplicateKey = JSON.stringify(good(3)).replace('"kind":"qualification"', '"kind":"qualification","kind":"qualification"');
  const answers = await publish(
    good(1),
    'not json',
    '[]',
    '{"kind":"qualification"}',
    { ...good(2), extra: 1 },
    duplicateKey,
    { kind: 'qualification', data: { ...qualification(4), unknown: {} } },
    { kind: 'qualification', data: qualification(5), row: {} },
    { kind: 'qualification', data: qualification(6, { uscc: '91440105MA6NNHC07D' }) },
    { kind: 'entity', data: {} },
    { kind: 'no-such-kind', data: {} },
    { kind: 'qualification', rights: 'public', data: qualification(7) },
    { kind: 'qualification', supersede: true, data: qualification(8) },
    { kind: 'qualification', revoke: true, recordId: `river/qualification/${'a'.repeat(26)}` },
    { kind: 'qualification', revoke: true, recordId: `hill/qualification/${'a'.repeat(26)}` },
    JSON.stringify(good(9)).replace('"03"', '3.0'),
    ` ${JSON.stringify(good(10))} `,
    good(11),
  );
  expect(outcomes(answers)).toEqual([
    'v1', 'CANONICAL_INVALID', 'BAD_FIELD', 'BAD_FIELD', 'UNKNOWN_FIELD', 'CANONICAL_INVALID', 'RECORD_INVALID', 'BAD_FIELD', 'RECORD_INVALID',
    'SCHEMA_UNKNOWN', 'SCHEMA_UNKNOWN', 'RIGHTS_NOT_ALLOWED', 'RECORD_UNKNOWN', 'RECORD_UNKNOWN', 'NOT_RECORD_OWNER', 'CANONICAL_INVALID', 'v1', 'v1',
  ]);
  expect(answers.flatMap((answer) => ('line' in answer ? [answer.line] : []))).toEqual(Array.from({ length: 18 }, (_, index) => index + 1));
});

test('a refusal says where and why in both languages, and never the value', async () => {
  const [answer] = await publish({ kind: 'qualification', data: qualification(20, { uscc: '91440105MA6NNHC07D' }) });
  expect(answer).toMatchObject({ line: 1, code: 'RECORD_INVALID', refused: [{ path: '/holder/uscc', zh: expect.any(String) as string, en: expect.any(String) as string }] });
  expect(JSON.stringify(answer)).not.toContain('91440105MA6NNHC07D');
});

test('one natural key twice in a stream: the same again is unchanged, other content is refused with both places, and may follow as a stated change', async () => {
  const answers = await publish(good(30), { kind: 'qualification', data: qualification(30, { level: '01' }) }, good(30), { kind: 'qualification', supersede: true, data: qualification(30, { level: '02' }) });
  expect(outcomes(answers)).toEqual(['v1', 'DUPLICATE_IN_FILE', 'unchanged', 'v2']);
  const from = (line: number, change?: { level: string }): object => ({ kind: 'qualification', data: qualification(31, change), source: { file: 'twice.csv', line } });
  const twice = await publish(from(2), from(3), from(7, { level: '01' }));
  expect(outcomes(twice)).toEqual(['v1', 'unchanged', 'DUPLICATE_IN_FILE']);
  expect(twice.at(-1)).toMatchObject({ line: 3, refused: [{ code: 'contradicts-row', en: expect.stringContaining('twice.csv:2') as string, zh: expect.stringContaining('twice.csv:2') as string }] });
  expect((await node.outbox.letters.list()).filter(({ file }) => file === 'twice.csv')).toMatchObject([{ code: 'DUPLICATE_IN_FILE', line: 7 }]);
  // Once the row says the same as the other, it is no contradiction.
  expect(outcomes(await publish(from(2), from(3), from(7)))).toEqual(['unchanged', 'unchanged', 'unchanged']);
  expect((await node.outbox.letters.list()).filter(({ file }) => file === 'twice.csv')).toEqual([]);
});

test('a new version may not change the subject of a record', async () => {
  const item = (uscc: string): object => ({
    kind: 'supervision',
    data: {
      item: { code: 'SV-GUANGZHOU-81603407', category: 'matter' },
      section: { sectionCode: 'E4401051850731402001001', step: '评标' },
      authority: { name: '广州示例行政监督部门' },
      party: { uscc, name: '虚构单位' },
      alert: { node: '投标文件递交', level: '3', info: '示例报警信息' },
      handling: { handled: true, result: '示例处理结果' },
    },
  });
  expect(outcomes(await publish(item('91440105MA6NNHC07C')))).toEqual(['v1']);
  expect(outcomes(await publish(item('91440106MABAY5U732')))).toEqual(['SUPERSEDE_CHANGES_OWNER']);
});

test('a record is revoked by its id, its natural key or its data, once', async () => {
  const [first] = (await publish(good(50), good(51), good(52))) as { recordId: string }[];
  const lines = [
    { kind: 'qualification', revoke: true, recordId: first?.recordId },
    { kind: 'qualification', revoke: true, naturalKey: ['91440105MA6NNHC07C', 'D44010501000051'] },
    { kind: 'qualification', revoke: true, data: qualification(52) },
    { kind: 'qualification', revoke: true, recordId: first?.recordId },
  ];
  expect(outcomes(await publish(...lines))).toEqual(['v2', 'v2', 'v2', 'unchanged']);
  await node.drained();
  expect(node.readModel.record(first?.recordId ?? '')?.header.status).toBe('revoked');
});

test('rows with national column names are taken, refused ones are listed without their content', async () => {
  const row = { 统一社会信用代码: '91440105MA6NNHC07C', 法人名称: '广州溪午示例园林有限公司', 资质名称: '机电工程施工总承包', 资质类别: 'A10102', 资质等级: '03', 资质证书编号: 'D44010501000061', 发证日期: '20200702', 证书有效期: '20280626', 发证机关: '示例住房和城乡建设部门' };
  const { 资质等级: _level, ...incomplete } = row;
  // The row says the same as the record with the same natural key, field by field.
  expect(outcomes(await publish(good(61), { kind: 'qualification', row: { ...row, 资质证书编号: 'D44010501000062' } }, { kind: 'qualification', supersede: true, row }))).toEqual(['v1', 'v1', 'unchanged']);
  const answers = await publish(
    { kind: 'qualification', row: incomplete, source: { file: 'qualification.csv', line: 2 } },
    { kind: 'qualification', row: { SECRET_COLUMN: '张三丰' }, source: { file: 'qualification.csv', line: 3 } },
  );
  expect(outcomes(answers)).toEqual(['RECORD_INVALID', 'RECORD_INVALID']);
  const letters = await new DeadLetters(node.store).list();
  expect(letters.map(({ file, line, kind, code }) => [file, line, kind, code])).toEqual([
    ['qualification.csv', 2, 'qualification', 'RECORD_INVALID'],
    ['qualification.csv', 3, 'qualification', 'RECORD_INVALID'],
  ]);
  expect(JSON.stringify(letters)).not.toContain('张三丰');
  // The file is imported again, corrected: its old entries go.
  await publish({ ...good(60), source: { file: 'qualification.csv', line: 2 } });
  expect(await new DeadLetters(node.store).list()).toEqual([]);
});

test('a stream cut inside a line keeps every complete line', async () => {
  async function* cut(): AsyncGenerator<string> {
    await Promise.resolve();
    yield `${JSON.stringify(good(70))}\n${JSON.stringify(good(71))}\n${JSON.stringify(good(72)).slice(0, 40)}`;
  }
  const answers: IntakeAnswer[] = [];
  const accepting = node.intake.accept(cut(), (group) => { answers.push(...group); });
  await expect(accepting).rejects.toMatchObject({ code: 'STREAM_TRUNCATED', details: { line: 3 } });
  expect(outcomes(answers)).toEqual(['v1', 'v1']);
  expect(answers.some((answer) => 'acknowledged' in answer)).toBe(true);
  expect(outcomes(await publish(good(70), good(71), good(72)))).toEqual(['unchanged', 'unchanged', 'v1']);
});

test('a stream that breaks keeps every complete line', async () => {
  async function* broken(): AsyncGenerator<string> {
    await Promise.resolve();
    yield `${JSON.stringify(good(80))}\n`;
    throw new Error('connection reset');
  }
  const answers: IntakeAnswer[] = [];
  await expect(node.intake.accept(broken(), (group) => { answers.push(...group); })).rejects.toMatchObject({ code: 'STREAM_TRUNCATED' });
  expect(outcomes(answers)).toEqual(['v1']);
});

test('a last line without a line end counts when it is whole, and chunks may end anywhere', async () => {
  const bytes = Buffer.from(`${JSON.stringify(good(90))}\r\n\n${JSON.stringify(good(91))}`);
  async function* slices(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 7) {
      await Promise.resolve();
      yield bytes.subarray(at, at + 7);
    }
  }
  const answers: IntakeAnswer[] = [];
  const summary = await node.intake.accept(slices(), (group) => { answers.push(...group); });
  expect(summary).toEqual({ lines: 2, accepted: 2, unchanged: 0, refused: 0 });
  expect(answers.flatMap((answer) => ('line' in answer ? [answer.line] : []))).toEqual([1, 3]);
});

test('a line over the limit is refused without being held', async () => {
  const answers = await publish(`{"kind":"${'x'.repeat(limits.recordBytes)}"}`, good(100));
  expect(outcomes(answers)).toEqual(['BODY_TOO_LARGE', 'v1']);
});

test('a reader of answers that stalls or fails holds only its own stream', async () => {
  let free: () => void = () => undefined;
  const stalled = new Promise<void>((resolve) => { free = resolve; });
  const slow = node.intake.accept(stream(good(110)), () => stalled);
  const failing = node.intake.accept(stream(good(111)), () => { throw new Error('gone'); });
  expect(outcomes(await publish(good(112)))).toEqual(['v1']);
  expect(await failing).toMatchObject({ accepted: 1 });
  free();
  expect(await slow).toMatchObject({ accepted: 1 });
});

test('streams at the same time: each hears of its own lines, and one record gets one version at a time', async () => {
  const level = (value: string): object => ({ kind: 'qualification', data: qualification(120, { level: value }) });
  const streams = await Promise.all(Array.from({ length: 8 }, async (_, index) => await publish(...publishLines(200 + index * 10, 210 + index * 10), level('01'))));
  for (const answers of streams) expect(outcomes(answers).slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'v1'));
  expect(streams.map((answers) => outcomes(answers)[10]).sort()).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged', 'unchanged', 'unchanged', 'unchanged', 'v1']);
  await node.drained();
});

test('a set of records tells what it has seen, however many', () => {
  const set = new RecordSet();
  const ids = Array.from({ length: 20_000 }, () => toBase32(randomBytes(16)));
  expect(ids.map((id, index) => set.add(id, index)).every((before) => before === undefined)).toBe(true);
  expect(ids.map((id) => set.add(id, 0))).toEqual(ids.map((_, index) => index));
  expect(set.add('a'.repeat(26), 7)).toBeUndefined();
  expect(set.add('a'.repeat(26), 8)).toBe(7);
});

test('nothing was lost on the way', async () => {
  await node.drained();
  expect(node.alarms).toEqual([]);
});
