import type { ChildProcess } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ticket } from '@huilian/protocol';
import { LevelStore } from '../../node/src/adapters/level/level-store.js';
import type { AuditReport } from '../../node/src/adapters/cli/process-actions.js';
import { recoverPublicKey } from '../../node/src/composition/recover-public-key.js';
import { LedgerChecker } from '../../node/src/core/audit/check-ledger.js';
import { Findings } from '../../node/src/core/audit/findings.js';
import { OwnRecords } from '../../node/src/core/vault/own-records.js';
import { PersonalMarks } from '../../node/src/core/audit/personal-marks.js';
import type { BlockTransaction, LedgerBlock, StoreWrite } from '../../node/src/core/ports.js';
import { centreIds, huilian, stateFolder } from './main-job.js';
import { endProcess, ledgerArguments, readBlocks, startProcess } from './open-state.js';
import { personalHits } from './privacy/scan-state.js';
import { walkedThrough } from './walked-through.js';

const state = stateFolder();
let blocks: LedgerBlock[] = [];
let ledger: ChildProcess | undefined;

beforeAll(async () => {
  await walkedThrough(state.dir);
  blocks = await readBlocks(state.dir);
  ledger = await startProcess(ledgerArguments(state.dir));
}, 120_000);

afterAll(async () => {
  if (ledger !== undefined) await endProcess(ledger);
  const hits = await personalHits(state.dir);
  state.remove();
  expect(hits, 'personal data where none may be').toEqual([]);
});

const folderOf = (centre: string): string => path.join(state.dir, 'nodes', centre);

async function audit(folder: string, ...options: string[]): Promise<{ readonly code: number | null; readonly report: AuditReport }> {
  const run = await huilian(['audit', '--state', folder, '--json', ...options]);
  if (run.stdout === '') throw new Error(run.stderr);
  return { code: run.code, report: JSON.parse(run.stdout) as AuditReport };
}

/** The ledger alone, with blocks as given. */
function findingsIn(changed: readonly LedgerBlock[]): string[] {
  const findings = new Findings();
  const checker = new LedgerChecker({ channel: 'huilian', chaincode: 'huilian' }, findings, new PersonalMarks(), recoverPublicKey);
  for (const block of changed) checker.check(block);
  return findings.list.map(({ invariant }) => invariant);
}

type Change = (transaction: BlockTransaction) => BlockTransaction;

/** Changes the first valid call of a function (or the n-th). */
function changing(name: string, change: Change, skip = 0): LedgerBlock[] {
  let left = skip;
  let done = false;
  const changed = blocks.map((block) => ({
    ...block,
    transactions: block.transactions.map((transaction) => {
      if (done || transaction.code !== 'VALID' || transaction.function !== name || left-- > 0) return transaction;
      done = true;
      return change(transaction);
    }),
  }));
  if (!done) throw new Error(`no ${name} to change`);
  return changed;
}

function first(name: string, fits: (transaction: BlockTransaction) => boolean = () => true): BlockTransaction {
  const found = blocks.flatMap(({ transactions }) => transactions).find((transaction) => transaction.code === 'VALID' && transaction.function === name && fits(transaction));
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

const changedWrite = (transaction: BlockTransaction, type: string, change: (text: string) => string): BlockTransaction => ({
  ...transaction,
  writes: transaction.writes.map(({ key, value }) => ({ key, value: value !== undefined && key.startsWith(`\u0000${type}\u0000`) ? Buffer.from(change(Buffer.from(value).toString())) : value })),
});
const writesOf = (transaction: BlockTransaction, type: string): BlockTransaction['writes'] => transaction.writes.filter(({ key }) => key.startsWith(`\u0000${type}\u0000`));
const grantOpen = (transaction: BlockTransaction): boolean => writesOf(transaction, 'slot').length > 0;

/** Puts a transaction at the start of the block that holds another. */
function before(there: BlockTransaction, put: BlockTransaction): LedgerBlock[] {
  return blocks.map((block) => (block.transactions.includes(there) ? { ...block, transactions: [put, ...block.transactions] } : block));
}

describe('a whole consortium', () => {
  it.each(centreIds)('%s: nothing is found, blocks, data and logs', async (centre) => {
    const acknowledged = path.join(state.dir, 'acknowledged');
    writeFileSync(acknowledged, '');
    const { code, report } = await audit(folderOf(centre), '--log', path.join(state.dir, 'logs', `${centre}.log`), '--acknowledged', acknowledged);
    expect(report.findings).toEqual([]);
    expect(code).toBe(0);
    expect(report.notChecked).toEqual([]);
    expect(report.records).toBe(332);
    expect(report.ownVersions).toBeGreaterThan(50);
    expect(report.blocks).toBe(blocks.length);
  });

  it('blocks alone, to a height, for a person', async () => {
    const run = await huilian(['audit', '--state', folderOf('beijing'), '--ledger-only', '--to', '10']);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain('11 blocks');
    expect(run.stdout).toContain('I1 I3 I4 I9 I15 I16 (ledger only)');
    expect(run.stdout).toContain('nothing found / 未发现问题');
  });
});

describe('planted in blocks', () => {
  it('nothing, nothing found', () => {
    expect(findingsIn(blocks)).toEqual([]);
  });

  it.each<readonly [string, string, () => LedgerBlock[]]>([
    ['chain', 'another previous hash', () => blocks.map((block) => (block.number === 5 ? { ...block, previousHash: 'ab'.repeat(32) } : block))],
    ['chain', 'a block left out', () => blocks.filter(({ number }) => number !== 7)],
    ['I2', 'a batch published again', () => before(first('access:open'), { ...first('records:publish'), id: 'ab'.repeat(32) })],
    ['I2', 'another digest of a record that was served', () => {
      const [served] = (JSON.parse(Buffer.from(writesOf(first('access:open'), 'ticket')[0]?.value ?? '').toString()) as Ticket).records;
      return changing('access:open', (transaction) => changedWrite(transaction, 'ticket', (text) => JSON.stringify({ ...(JSON.parse(text) as Ticket), records: [{ ...served, digest: '0'.repeat(64) }] })), 1);
    }],
    ['I5', 'a use taken twice', () => {
      const slot = writesOf(first('access:open', grantOpen), 'slot');
      const [, second] = blocks.flatMap(({ transactions }) => transactions).filter((transaction) => transaction.code === 'VALID' && transaction.function === 'access:open' && grantOpen(transaction));
      return blocks.map((block) => ({ ...block, transactions: block.transactions.map((transaction) => (transaction === second ? { ...transaction, writes: [...transaction.writes, ...slot] } : transaction)) }));
    }],
    ['I6', 'a ticket after its grant was revoked', () => {
      const revoke = first('access:revokeGrant');
      const [, , grant = ''] = (revoke.writes[0]?.key ?? '').split('\u0000').slice(1);
      return before(first('access:open', (transaction) => writesOf(transaction, 'slot').some(({ key }) => key.includes(grant))), { ...revoke, time: revoke.time - 3600 });
    }],
    ['I7', 'a ticket for a request of last year', () => changing('access:open', (transaction) => ({ ...transaction, time: transaction.time + 365 * 86_400 }))],
    ['I7', 'a ticket with more claims than were asked for', () => changing('access:open', (transaction) => changedWrite(transaction, 'ticket', (text) => text.replace('"claims":[', '"claims":["attachments",')))],
    ['I7', 'a registration of another key', () => changing('entities:register', (transaction) => changedWrite(transaction, 'owner', (text) => text.replace(/"key":"0x[0-9a-f]{40}"/, `"key":"0x${'1'.repeat(40)}"`)))],
    ['I13', 'a batch by another organisation', () => changing('records:publish', (transaction) => ({ ...transaction, organisation: transaction.organisation === 'ZhuhaiMSP' ? 'BeijingMSP' : 'ZhuhaiMSP' }))],
    ['I13', 'a member written by a publication', () => changing('records:publish', (transaction) => ({ ...transaction, writes: [...transaction.writes, ...writesOf(first('governance:found', (found) => writesOf(found, 'member').length > 0), 'member')] }))],
    ['I14', 'another root', () => changing('records:publish', (transaction) => changedWrite(transaction, 'batch', (text) => text.replace(/"root":"[0-9a-f]{64}"/, `"root":"${'0'.repeat(64)}"`)))],
    ['I17', 'a telephone of a person', () => changing('governance:found', (transaction) => ({ ...transaction, response: Buffer.from('{"contact":"13900000000"}') }))],
    ['I17', 'an identity number', () => changing('governance:propose', (transaction) => ({ ...transaction, response: Buffer.from('{"note":"11010519491231002X"}') }))],
  ])('%s: %s', (invariant, _what, plant) => {
    expect(findingsIn(plant())).toContain(invariant);
  });
});

describe('planted in a node', () => {
  /** Writes into a copy of a node's folder. */
  async function planted(centre: string, name: string, plant: (store: LevelStore) => Promise<readonly StoreWrite[]>): Promise<string> {
    const copy = path.join(state.dir, 'copies', name);
    cpSync(folderOf(centre), copy, { recursive: true });
    const store = await LevelStore.open(path.join(copy, 'data'), { diskFloorBytes: 0 });
    await store.write(await plant(store));
    await store.close();
    return copy;
  }

  async function firstOf(store: LevelStore, prefix: string): Promise<{ readonly key: string; readonly value: Uint8Array }> {
    for await (const [key, value] of store.entries({ gte: prefix, lt: `${prefix}~`, limit: 1 })) return { key, value };
    throw new Error(`no ${prefix}`);
  }

  const changedJson = (value: Uint8Array, change: (text: string) => string): Uint8Array => Buffer.from(change(Buffer.from(value).toString()));

  it('data of an older format is not looked at before the node converted it', async () => {
    const copy = await planted('zhuhai', 'older', () => Promise.resolve([{ key: 'store/format', remove: true }]));
    const run = await huilian(['audit', '--state', copy, '--json']);
    expect({ code: run.code, error: run.stderr }).toEqual({ code: 1, error: expect.stringContaining('"code":"STORE_OLDER"') as string });
  });

  it.each<readonly [string, string, string, (store: LevelStore) => Promise<readonly StoreWrite[]>]>([
    ['I1', 'a version that is nowhere', 'zhuhai', async (store) => {
      const records = new OwnRecords(store);
      for await (const [id, record] of records.all()) return [records.put(id, { ...record, versions: [[9, 1], ...record.versions] })];
      throw new Error('no own record');
    }],
    ['I1', 'a row of a record that is not as it was written', 'zhuhai', async (store) => {
      const { key, value } = await firstOf(store, 'record/');
      return [{ key, value: changedJson(value, (text) => text.replace('"versions":[', '"versions":[[9,1],')) }];
    }],
    ['I3', 'other bytes than the reader confirmed', 'guangzhou', async (store) => {
      const { key, value } = await firstOf(store, 'exchange/release/');
      return [{ key, value: changedJson(value, (text) => text.replace(/"jwe":"([^"]*)[^"]{3}"/, '"jwe":"$1AAA"')) }];
    }],
    ['I4', 'a release without a ticket', 'guangzhou', async (store) => {
      const { value } = await firstOf(store, 'exchange/release/');
      return [{ key: `exchange/release/${'ab'.repeat(32)}/0`, value }];
    }],
    ['I9', 'a row of the read model less', 'beijing', async (store) => [{ key: (await firstOf(store, 'index/')).key, remove: true }]],
    ['I15', 'a payload that does not open', 'guangzhou', async (store) => {
      const { key, value } = await firstOf(store, 'vault/row/');
      const broken = Buffer.from(value);
      broken[broken.length - 20] = (broken[broken.length - 20] ?? 0) ^ 1;
      return [{ key, value: broken }];
    }],
    ['I16', 'an IV used again', 'zhuhai', async (store) => [{ key: 'vault/row/000000999999', value: (await firstOf(store, 'vault/row/')).value }]],
    ['I17', 'an identity number among the dead letters', 'zhuhai', () => Promise.resolve([{ key: 'letter/at/00000000000001', value: Buffer.from('{"at":1,"code":"X","recordId":"11010519491231002X"}') }])],
  ])('%s: %s', async (invariant, what, centre, plant) => {
    const { code, report } = await audit(await planted(centre, what.replaceAll(' ', '-'), plant));
    expect(report.findings.map((finding) => finding.invariant)).toContain(invariant);
    expect(code).toBe(1);
  });

  it('I17: a name of a record in a log; I1: an acknowledged record that is nowhere', async () => {
    const [log, acknowledged] = [path.join(state.dir, 'planted.log'), path.join(state.dir, 'planted.acknowledged')];
    const people = readFileSync(path.join(import.meta.dirname, '../../network-config/local/data/guangzhou/personnel.csv'), 'utf8').split('\n');
    const nameAt = (people[0] ?? '').replace('\u{feff}', '').split(',').indexOf('PERSON_NAME');
    writeFileSync(log, `{"level":"info","message":"looked at ${people[1]?.split(',')[nameAt] ?? ''}"}\n`);
    writeFileSync(acknowledged, `{"recordId":"guangzhou/credit/${'a'.repeat(26)}"}\n`);
    const { code, report } = await audit(folderOf('guangzhou'), '--log', log, '--acknowledged', acknowledged);
    expect(report.findings.map(({ invariant }) => invariant).sort()).toEqual(['I1', 'I17']);
    expect(JSON.stringify(report)).not.toContain(people[1]?.split(',')[nameAt]);
    expect(code).toBe(1);
  });
});
