import { fork } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { Postgresql } from '@huilian/local-postgresql';
import { bundledKinds, canonicalBytes, parseCanonicalObject, proposalId, type ProtocolError } from '@huilian/protocol';
import { GatewayLedger } from '../src/adapters/fabric/gateway-ledger.js';
import { PostgresqlMirror } from '../src/adapters/postgresql/postgresql-mirror.js';
import { systemClock as clock } from '../src/adapters/system/system-clock.js';
import { systemRandom as random } from '../src/adapters/system/system-random.js';
import type { IndexedRecord } from '../src/core/indexing/read-model.js';
import { MirrorTables } from '../src/core/mirror/mirror-tables.js';
import { Mirror, type MirrorStatus } from '../src/core/mirror/mirror.js';
import { heldData } from '../src/core/vault/held-data.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { postgresqlTest as test } from './postgresql.js';
import { PublishingNode } from './publishing-node.js';
import { performance as performanceRow, qualification, stream } from './sample-lines.js';

const person = {
  person: { idNumber: '440103198508031522', idType: '01', name: '孙某甲', gender: '1', birthDate: '1985-08-03', region: '440105', education: '硕士', phone: '19900018949' },
  employment: { employer: '91440105MA6NNHC07C', employerName: '广州溪午示例园林有限公司', onJob: true, position: '项目经理', title: '高级工程师', since: '2018-03-02' },
  certificate: { name: '二级建造师', type: 'J10001', number: 'R3390524856', end: '2027-07-05' },
  consent: { givenOn: '2026-06-12', scope: '公共资源交易活动中的资格核验' },
};

let folder: string;
let consortium: Consortium;
let postgresql: Postgresql;
let node: PublishingNode;
let other: PublishingNode;
let schemas = 0;

async function openNode(centre: 'hill' | 'river'): Promise<PublishingNode> {
  const opened = await PublishingNode.open({ stateDir: consortium.stateDir(centre), connectionFile: consortium.connectionFile(centre), maxHeaders: 20 });
  opened.start();
  return opened;
}

async function publish(at: PublishingNode, ...lines: readonly object[]): Promise<string[]> {
  const answers = await at.publish(stream(...lines));
  await at.drained();
  await node.readModel.whenHeight(at.readModel.height(), AbortSignal.timeout(20_000));
  expect(answers.filter((answer) => 'refused' in answer)).toEqual([]);
  return answers.flatMap((answer) => ('recordId' in answer ? [answer.recordId] : []));
}

interface Opened {
  readonly mirror: Mirror;
  readonly schema: string;
  readonly problems: readonly ProtocolError[];
}

/** A mirror of `river` in a schema of its own. */
async function opened({ personal = [], role, schema = `mirror_${String((schemas += 1))}` }: { readonly personal?: readonly string[]; readonly role?: string; readonly schema?: string } = {}): Promise<Opened> {
  const problems: ProtocolError[] = [];
  const { readModel, vault } = node;
  const database = new PostgresqlMirror({ connectionString: postgresql.connectionString(role), memberId: 'river', schema });
  const mirror = new Mirror({ clock, database, memberId: 'river', onProblem: (error) => { problems.push(error); }, random, readModel, tables: new MirrorTables(readModel, personal), vault });
  mirror.start();
  onTestFinished(async () => { await mirror.stop(); });
  return await Promise.resolve({ mirror, schema, problems });
}

async function when(mirror: Mirror, fits: (status: MirrorStatus) => boolean): Promise<MirrorStatus> {
  const until = Date.now() + 25_000;
  for (;;) {
    const status = mirror.status();
    if (fits(status)) return status;
    if (Date.now() > until) throw new Error(`the mirror stays ${JSON.stringify(status)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const level = ({ blocksBehind, erasuresWaiting, rebuilding, state }: MirrorStatus): boolean => state === 'following' && blocksBehind === 0 && erasuresWaiting === 0 && rebuilding === undefined;

/** All that the views show, record by record. */
async function shown(schema: string): Promise<Readonly<Record<string, unknown>>[]> {
  const views = await postgresql.query<{ name: string }>("SELECT table_name AS name FROM information_schema.columns JOIN information_schema.views USING (table_schema, table_name) WHERE table_schema = $1 AND column_name = 'has_payload' ORDER BY 1", [schema]);
  const rows: { record_id: string }[] = [];
  for (const { name } of views) rows.push(...(await postgresql.query<{ record_id: string }>(`SELECT * FROM "${schema}"."${name}"`)));
  return rows.sort((left, right) => (left.record_id < right.record_id ? -1 : 1));
}

async function allRecords(): Promise<IndexedRecord[]> {
  const found: IndexedRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await node.readModel.records({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.items);
    ({ cursor } = page);
  } while (cursor !== undefined);
  return found.sort((left, right) => (left.recordId < right.recordId ? -1 : 1));
}

/** What the read model and the vault say that the tables must hold. */
async function expectAsReadModel(schema: string): Promise<void> {
  const expected = (await allRecords()).filter(({ header, recordId }) => !node.vault.isErased(recordId, header.version)).map(({ contested, header, index, recordId, seq }) => {
    const payload = header.status === 'revoked' ? header.version - 1 : header.version;
    const held = recordId.startsWith('river/') && node.vault.has(recordId, payload) ? heldData(node.vault.open(recordId, payload)) : undefined;
    const level = (held?.['qualification'] as { level?: string } | undefined)?.level;
    return {
      record_id: recordId, version: header.version, status: header.status, contested, digest: header.digest, rights: header.rights, owner: header.owner ?? null, subject: header.subject === '' ? null : header.subject, batch_seq: String(seq), batch_index: index,
      has_payload: held !== undefined, ...(header.kind === 'qualification' ? { qualification_level: level ?? null } : {}),
    };
  });
  expect(await shown(schema)).toEqual(expected.map((row) => expect.objectContaining(row) as unknown));
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-mirror-'));
  [consortium, postgresql] = await Promise.all([startConsortium(folder, ['personnel', 'qualification']), Postgresql.start()]);
  [node, other] = [await openNode('river'), await openNode('hill')];
  for (const one of [node, other]) await one.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  await publish(other, ...[50, 51, 52].map((index) => ({ kind: 'qualification', data: qualification(index) })));
});

afterAll(async () => {
  await Promise.all([node.close(), other.close()]);
  await Promise.all([consortium.stop(), postgresql.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

test('tables follow what is published, superseded, revoked and erased, by all centres', async () => {
  const { mirror, schema } = await opened();
  await when(mirror, level);
  await expectAsReadModel(schema);
  const ids = await publish(node, ...Array.from({ length: 60 }, (_, index) => ({ kind: 'qualification', data: qualification(index) })), { kind: 'personnel', data: person });
  await publish(node, { kind: 'qualification', data: qualification(0, { level: '01' }) }, { kind: 'qualification', recordId: ids[1], revoke: true });
  await publish(node, { kind: 'qualification', data: qualification(0, { level: '02' }) });
  await node.erasing.erase({ recordIds: [ids[2] ?? ''] });
  mirror.wake();
  await when(mirror, level);
  await expectAsReadModel(schema);
  const rows = await shown(schema);
  expect(rows.find(({ record_id }) => record_id === ids[0])).toMatchObject({ version: 3, qualification_level: '02' });
  // Revoked, it is marked and keeps what it said.
  expect(rows.find(({ record_id }) => record_id === ids[1])).toMatchObject({ version: 2, status: 'revoked', holder_name: '广州溪午示例园林有限公司' });
  expect(rows.some(({ record_id }) => record_id === ids[2])).toBe(false);
  expect(rows.filter(({ publisher }) => publisher === 'hill').every(({ has_payload, holder_name }) => has_payload === false && holder_name === null)).toBe(true);
  // An erased record that is published again is there again.
  await publish(node, { kind: 'qualification', data: qualification(2), supersede: true });
  await when(mirror, level);
  await expectAsReadModel(schema);
});

test('personal fields are columns only where the configuration names them, and values have their types', async () => {
  const { mirror, schema } = await opened();
  await when(mirror, level);
  const [row = {}] = (await shown(schema)).filter(({ record_id }) => String(record_id).includes('/personnel/'));
  expect(row).toMatchObject({ employment_on_job: true, employment_employer_name: '广州溪午示例园林有限公司' });
  expect(Object.keys(row).filter((name) => /^person_(?:name|id_number|phone)|certificate_number/.test(name))).toEqual([]);
  expect(JSON.stringify(await postgresql.query(`SELECT * FROM "${schema}".personnel__g1`))).not.toMatch(/孙某甲|440103198508031522/);
  await mirror.stop();
  // Another choice makes the tables again by itself, and takes back what it no longer names.
  const wider = await opened({ schema, personal: ['personnel/person.name'] });
  await when(wider.mirror, (status) => level(status) && status.generation === 2);
  expect((await shown(schema)).filter(({ record_id }) => String(record_id).includes('/personnel/'))).toMatchObject([{ person_name: '孙某甲' }]);
  await wider.mirror.stop();
  const narrow = await opened({ schema });
  await when(narrow.mirror, (status) => level(status) && status.generation === 3);
  expect(JSON.stringify(await shown(schema))).not.toContain('孙某甲');
  expect(await postgresql.query("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'personnel\\_\\_g%' AND relnamespace = $1::regnamespace", [schema])).toEqual([{ relname: 'personnel__g3' }]);
  const types = await postgresql.query<{ column_name: string; data_type: string }>("SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = $1 AND table_name = 'qualification' AND column_name IN ('certificate_end', 'attachments', 'published_at')", [schema]);
  expect(Object.fromEntries(types.map(({ column_name, data_type }) => [column_name, data_type]))).toEqual({ certificate_end: 'date', attachments: 'jsonb', published_at: 'timestamp with time zone' });
});

test('a rebuild shows what following shows, under the views and rights that people built on', async () => {
  const { mirror, schema } = await opened();
  await when(mirror, level);
  await postgresql.query("DO $$ BEGIN CREATE ROLE analyst LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
  await postgresql.query(`CREATE VIEW "${schema}".expiring AS SELECT record_id, certificate_end FROM "${schema}".qualification`);
  await postgresql.query(`GRANT USAGE ON SCHEMA "${schema}" TO analyst`);
  await postgresql.query(`GRANT SELECT ON "${schema}".qualification, "${schema}".expiring TO analyst`);
  const before = await shown(schema);
  expect(mirror.rebuild().rebuilding).toBeDefined();
  expect(await when(mirror, (status) => level(status) && status.generation === 2)).toMatchObject({ generation: 2 });
  expect(await shown(schema)).toEqual(before);
  await expectAsReadModel(schema);
  const rights = await postgresql.query<{ may: boolean }>("SELECT has_table_privilege('analyst', $1, 'SELECT') AS may", [`${schema}.qualification`]);
  expect(rights).toEqual([{ may: true }]);
  expect(await postgresql.query("SELECT indexname AS name FROM pg_indexes WHERE schemaname = $1 AND tablename = 'qualification__g2' ORDER BY 1", [schema])).toEqual(['owner', 'pkey', 'publisher', 'subject'].map((name) => ({ name: `qualification__g2_${name}` })));
});

test('a kind that is adopted later gets its table when it is adopted', async () => {
  const { mirror, schema } = await opened();
  await when(mirror, level);
  const exists = async (): Promise<boolean> => (await postgresql.query('SELECT 1 FROM pg_class WHERE oid = to_regclass($1)', [`${schema}.performance`])).length === 1;
  expect(await exists()).toBe(false);
  const document = bundledKinds().find(({ kind }) => kind === 'performance')?.document;
  const proposal = { action: 'publish-schema', content: { document }, round: 1 } as const;
  const submit = async (centre: 'hill' | 'river', name: 'approve' | 'propose', argument: unknown): Promise<void> => {
    const ledger = await GatewayLedger.open(consortium.connectionFile(centre), 'huilian');
    await (await ledger.submit(name, canonicalBytes(argument))).committed();
    await ledger.close();
  };
  await submit('river', 'propose', proposal);
  await submit('hill', 'approve', { proposal: proposalId(parseCanonicalObject(canonicalBytes(proposal)) as never) });
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  await when(mirror, level);
  expect(await exists()).toBe(true);
  await publish(node, { kind: 'performance', data: performanceRow(1, { amount: '123456789012345678' }) });
  await when(mirror, level);
  const [row] = await postgresql.query(`SELECT contract_amount::text AS amount, contract_signed_at AS signed FROM "${schema}".performance`);
  expect(row).toEqual({ amount: '123456789012345678', signed: new Date('2022-10-21T09:30:00+08:00') });
});

describe('a database that is away or not as it was', () => {
  test('disturbs nobody, is told once, and gets what it missed, an erasure too', async () => {
    const { mirror, problems, schema } = await opened();
    await when(mirror, level);
    await postgresql.down();
    const ids = await publish(node, { kind: 'qualification', data: qualification(200) }, { kind: 'qualification', data: qualification(201) });
    await node.erasing.erase({ recordIds: [ids[0] ?? ''] });
    mirror.wake();
    expect(await when(mirror, ({ state }) => state === 'away')).toMatchObject({ erasuresWaiting: 1, problem: { code: 'MIRROR_FAILED', reason: 'away' } });
    await postgresql.up();
    await when(mirror, level);
    expect(problems.map(({ code, details }) => [code, details['reason']])).toEqual([['MIRROR_FAILED', 'away']]);
    await expectAsReadModel(schema);
    expect((await shown(schema)).some(({ record_id }) => record_id === ids[0])).toBe(false);
  });

  test('one of another chain, or of another node, is left as it is until a rebuild', async () => {
    const first = await opened();
    await when(first.mirror, level);
    await first.mirror.stop();
    await postgresql.query(`UPDATE "${first.schema}"._mirror SET hash = 'forged'`);
    const before = await shown(first.schema);
    const second = await opened({ schema: first.schema });
    await publish(node, { kind: 'qualification', data: qualification(300 + schemas) });
    expect(await when(second.mirror, ({ state }) => state === 'halted')).toMatchObject({ problem: { reason: 'other-chain' } });
    expect(await shown(first.schema)).toEqual(before);
    second.mirror.rebuild();
    await when(second.mirror, (status) => level(status) && status.generation === 2);
    await expectAsReadModel(first.schema);
    await second.mirror.stop();
    await postgresql.query(`UPDATE "${first.schema}"._mirror SET member = 'hill'`);
    const third = await opened({ schema: first.schema });
    expect(await when(third.mirror, ({ state }) => state === 'halted')).toMatchObject({ problem: { reason: 'other-node' } });
  });

  test('two that write do not mix: one goes on, the other waits its turn', async () => {
    const one = await opened();
    const two = await opened({ schema: one.schema });
    await publish(node, ...Array.from({ length: 40 }, (_, index) => ({ kind: 'qualification', data: qualification(400 + index) })));
    await when(one.mirror, level);
    await when(two.mirror, level);
    await expectAsReadModel(one.schema);
  });

  test('rights that are taken away are waited for', async () => {
    await postgresql.query("DO $$ BEGIN CREATE ROLE writer LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    const { mirror, schema } = await opened({ role: 'writer' });
    expect(await when(mirror, ({ state }) => state === 'away')).toMatchObject({ problem: { reason: 'denied', cause: '42501' } });
    await postgresql.query(`CREATE SCHEMA "${schema}" AUTHORIZATION writer`);
    await when(mirror, level);
    await expectAsReadModel(schema);
  });
});

test('killed at random moments, node or database, the tables are in the order of the ledger, and a rebuild goes on where it was', async () => {
  await publish(node, ...Array.from({ length: 500 }, (_, index) => ({ kind: 'qualification', data: qualification(1000 + index) })));
  await publish(node, ...Array.from({ length: 250 }, (_, index) => ({ kind: 'qualification', data: qualification(1000 + index * 2, { level: '01' }) })));
  // The child works on a copy of the data: a store has one process.
  const state = path.join(folder, 'copy');
  await node.close();
  cpSync(consortium.stateDir('river'), state, { recursive: true });
  node = await openNode('river');
  const program = fileURLToPath(new URL('follow-until-killed.mjs', import.meta.url));
  let seed = 20_261_201;
  const draw = (below: number): number => { seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648; return seed % below; };
  /** Follows, or rebuilds, to the end; or kills after so many steps and a moment. */
  const run = async (rebuild: boolean, steps?: number, what: 'database' | 'node' = 'node'): Promise<number | null> => {
    const child = fork(program, [state, postgresql.connectionString(), ...(rebuild ? ['rebuild'] : [])], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    if (steps !== undefined) {
      let left = steps;
      await Promise.race([ended, new Promise<void>((resolve) => child.on('message', () => { left -= 1; if (left <= 0) resolve(); }))]);
      await new Promise((resolve) => setTimeout(resolve, draw(15)));
      if (what === 'database') {
        await postgresql.kill();
        await postgresql.up();
        await new Promise((resolve) => setTimeout(resolve, draw(100)));
      }
      child.kill('SIGKILL');
    }
    return await ended;
  };
  const blocks = new Set<string>();
  for (let kill = 0; kill < 6; kill += 1) {
    await run(false, 1 + draw(6), kill % 3 === 1 ? 'database' : 'node');
    blocks.add(JSON.stringify(await postgresql.query('SELECT block FROM huilian._mirror').catch(() => [])));
  }
  expect(await run(false)).toBe(0);
  await expectAsReadModel('huilian');
  const followed = await shown('huilian');
  for (let kill = 0; kill < 2; kill += 1) await run(true, 2 + draw(6), kill === 1 ? 'database' : 'node');
  expect(await run(true)).toBe(0);
  expect(await shown('huilian')).toEqual(followed);
  // Some of the kills came in the middle, else this shows nothing.
  expect(blocks.size).toBeGreaterThan(2);
}, 120_000);
