import { expect, onTestFinished, test } from 'vitest';
import { kindDefinition, payloadDigest, type KindDefinition } from '@huilian/protocol';
import { ExaminingThreads } from '../src/adapters/threads/examining-threads.js';
import { noTerms } from '../src/core/catalog/adopted-kinds.js';
import { examineAhead } from '../src/core/intake/examine-ahead.js';
import type { LineExaminer } from '../src/core/intake/examine-line.js';
import type { IntakeAnswer } from '../src/core/intake/intake-answer.js';
import type { InputLine } from '../src/core/intake/read-lines.js';
import type { Keys } from '../src/core/ports.js';
import { startConsortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { publishLines, qualification } from './sample-lines.js';
import { temporaryFolder } from './temporary-folder.js';

const built = new URL('../dist/composition/examine-thread.js', import.meta.url);

/** Lines in one chunk, as a client that has many sends them. */
async function* together(lines: readonly (object | string)[]): AsyncGenerator<string> {
  await Promise.resolve();
  yield lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
}

async function nodeWith(examiner?: (keys: Keys) => LineExaminer): Promise<PublishingNode> {
  const consortium = await startConsortium(temporaryFolder());
  const node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river'), ...(examiner === undefined ? {} : { examiner }) });
  onTestFinished(async () => {
    await node.close();
    await consortium.stop();
  });
  node.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  await node.mappings.put('local', kindDefinition('qualification', 1) as KindDefinition, local);
  return node;
}

const local = {
  format: 'mapping/1', kind: 'qualification', schema: 1,
  columns: { 代码: { as: 'LEGAL_CODE' }, 名称: { as: 'QUAL_NAME' }, 类别: { as: 'QUAL_TYPE' }, 等级: { to: 'qualification.level', values: { 三级: '03' } }, 证书: { as: 'QUAL_CERT_NO' }, 至: { to: 'certificate.end', formats: ['yyyy/M/d'] } },
};

function mapped(from: number, to: number): object[] {
  const row = { 代码: '91440105MA6NNHC07C', 名称: '机电工程施工总承包', 类别: 'A10102', 等级: '三级', 至: '2028/6/26' };
  return Array.from({ length: to - from }, (_, index) => ({ kind: 'qualification', mapping: 'local', row: { ...row, 证书: `D-LOCAL-${String(from + index)}` } }));
}

/** What became of each line, but for what is drawn at random. */
function outcomes(answers: readonly IntakeAnswer[]): unknown[] {
  return answers.filter((answer) => !('acknowledged' in answer)).map((answer) => ('recordId' in answer ? { ...answer, recordId: '' } : answer));
}

const streams: readonly (readonly (object | string)[])[] = [
  [
    ...publishLines(0, 200),
    'not json',
    { kind: 'qualification', data: { ...qualification(300), unknown: {} } },
    { kind: 'qualification', data: qualification(301, { uscc: '91440105MA6NNHC07D' }) },
    { kind: 'qualification', data: qualification(5) },
    { kind: 'no-such-kind', data: {} },
    { kind: 'qualification', rights: 'public', data: qualification(302) },
    { kind: 'qualification', supersede: true, data: qualification(6, { level: '02' }) },
    { kind: 'qualification', schema: 1, data: qualification(303), source: { file: 'a.csv', line: 3 } },
    ` ${JSON.stringify({ kind: 'qualification', data: qualification(304) })} `,
  ],
  [...mapped(0, 60), { kind: 'qualification', mapping: 'of-nobody', row: {} }, { kind: 'entity', mapping: 'local', row: {} }, ...mapped(30, 60), { ...mapped(61, 62)[0], schema: 2 }],
  // The same again, some of it changed.
  [...publishLines(0, 100), ...publishLines(100, 120, { level: '01' })],
];

test('threads change nothing of what becomes of a line, and do nearly all of the work', async () => {
  let threads: ExaminingThreads | undefined;
  let examined = 0;
  onTestFinished(async () => { await threads?.close(); });
  const plain = await nodeWith();
  const threaded = await nodeWith(({ localIdKey, memberId }) => {
    threads = new ExaminingThreads(built, 2, { localIdKey, memberId }, (error) => { throw error; });
    return {
      examine: async (lines, newest) => {
        const found = (await threads?.examine(lines, newest)) ?? [];
        examined += found.filter((line) => line !== undefined).length;
        return found;
      },
    };
  });
  for (const lines of streams) {
    const answers = await threaded.publish(together(lines));
    expect(outcomes(answers)).toEqual(outcomes(await plain.publish(together(lines))));
    for (const answer of answers) {
      if (!('version' in answer) || 'unchanged' in answer) continue;
      const { header, segment } = threaded.vault.open(answer.recordId, answer.version);
      expect(payloadDigest(segment)).toBe(header.digest);
    }
  }
  expect(examined).toBeGreaterThan(400);
  await Promise.all([threaded.drained(30_000), plain.drained(30_000)]);
}, 60_000);

test('a thread that cannot run gives its lines back, and all are published without it', async () => {
  const failures: unknown[] = [];
  const node = await nodeWith(({ localIdKey, memberId }) => new ExaminingThreads(new URL('file:///no/such/thread.js'), 1, { localIdKey, memberId }, (error) => { failures.push(error); }));
  const answers = await node.publish(together(publishLines(0, 30)));
  expect(outcomes(answers)).toHaveLength(30);
  expect(answers.every((answer) => !('refused' in answer))).toBe(true);
  expect(failures).toHaveLength(1);
}, 60_000);

const tenLines = (from: number): InputLine[] => Array.from({ length: 10 }, (_, index) => ({ bytes: Buffer.from('{}'), number: from + index }));
const slow: LineExaminer = { examine: async (lines) => await new Promise((resolve) => { setTimeout(() => { resolve(lines.map(() => undefined)); }, 20); }) };

test('lines that have come are not held back by a stream that says no more for now', async () => {
  let go: () => void = () => undefined;
  async function* stalling(): AsyncGenerator<readonly InputLine[]> {
    yield tenLines(1);
    await new Promise<void>((resolve) => { go = resolve; });
    yield tenLines(11);
  }
  const chunks = examineAhead(stalling(), slow, () => ({ ...noTerms, mappings: new Map() }))[Symbol.asyncIterator]();
  expect((await chunks.next()).value).toMatchObject({ lines: [{ number: 1 }, {}, {}, {}, {}, {}, {}, {}, {}, {}] });
  go();
  expect((await chunks.next()).value).toMatchObject({ lines: [{ number: 11 }, {}, {}, {}, {}, {}, {}, {}, {}, {}] });
  expect((await chunks.next()).done).toBe(true);
});

test('a stream that breaks gives what came whole before it', async () => {
  async function* breaking(): AsyncGenerator<readonly InputLine[]> {
    for (let chunk = 0; chunk < 20; chunk += 1) yield await Promise.resolve(tenLines(1 + chunk * 10));
    throw new Error('the connection broke');
  }
  const seen: number[] = [];
  await expect((async () => {
    for await (const { lines } of examineAhead(breaking(), slow, () => ({ ...noTerms, mappings: new Map() }))) seen.push(lines[0]?.number ?? 0);
  })()).rejects.toThrow('the connection broke');
  expect(seen).toEqual(Array.from({ length: 20 }, (_, chunk) => 1 + chunk * 10));
});
