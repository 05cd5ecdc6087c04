import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { canonicalBytes, parseCanonicalObject, ProtocolError, type Es256Key } from '@huilian/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { openKeys } from '../src/adapters/keys/node-keys.js';
import { systemClock } from '../src/adapters/system/system-clock.js';
import { AuditLog, type AuditEntry } from '../src/core/audit-log/audit-log.js';
import { readCheckpoint, verifyAuditLog } from '../src/core/audit-log/verify-audit-log.js';
import type { Store } from '../src/core/ports.js';
import { EventWorld, operatorToken, type Door } from './event-node.js';
import { byMachine, StaffBrowser } from './staff-browser.js';

const folder = mkdtempSync(path.join(tmpdir(), 'huilian-audit-log-'));
const password = 'seven unrelated invented words';
let world: EventWorld;
let door: Door;
let url = '';

beforeAll(async () => {
  world = await EventWorld.start(folder);
  door = await world.open();
  ({ url } = door);
});

afterAll(async () => {
  await door.close();
  await world.consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

const registeredKey = (): Es256Key => door.node.services.readModel.member('river')?.document.signingKey as Es256Key;

async function page(query: string): Promise<AuditEntry[]> {
  const { body, status } = await byMachine(url, 'GET', `/v1/audit-log?${query}`);
  expect(status).toBe(200);
  return body['items'] as AuditEntry[];
}

describe('the log of administrative acts', () => {
  test('has each act before it is done and with its outcome: who, role, act, object', async () => {
    await byMachine(url, 'POST', '/v1/accounts', { name: 'overseer', role: 'auditor', password });
    await byMachine(url, 'POST', '/v1/accounts', { name: 'overseer', role: 'auditor', password });
    const browser = new StaffBrowser(url);
    await browser.signIn('overseer', password);
    await browser.call('POST', '/v1/governance/approve', { proposal: 'ab'.repeat(32) });
    await byMachine(url, 'POST', '/v1/governance/approve', { proposal: 'ab'.repeat(32) });
    await byMachine(url, 'POST', '/v1/backups');
    const told = (await page('limit=20')).map(({ act, object, outcome, role, who }) => [who, role, act, object, outcome]).reverse();
    const proposal = 'ab'.repeat(32);
    expect(told).toEqual([
      ['machine', 'machine', 'account.add', 'overseer', 'begun'],
      ['machine', 'machine', 'account.add', 'overseer', 'done'],
      ['machine', 'machine', 'account.add', 'overseer', 'begun'],
      ['machine', 'machine', 'account.add', 'overseer', 'ACCOUNT_EXISTS'],
      ['overseer', 'auditor', 'session.sign-in', undefined, 'done'],
      ['overseer', 'auditor', 'governance.approve', proposal, 'FORBIDDEN'],
      ['machine', 'machine', 'governance.approve', proposal, 'begun'],
      ['machine', 'machine', 'governance.approve', proposal, 'PROPOSAL_UNKNOWN'],
      ['machine', 'machine', 'backup.make', undefined, 'begun'],
      ['machine', 'machine', 'backup.make', undefined, 'CONFIG_INVALID'],
    ]);
    const [last, begun] = await page('limit=2');
    expect(last?.of).toBe(begun?.seq);
  });

  test('is read by who oversees, in pages and by act, person, outcome and time; nobody changes it', async () => {
    expect((await page('act=account')).map(({ act }) => act)).toEqual(Array.from({ length: 4 }, () => 'account.add'));
    expect((await page('who=overseer&outcome=FORBIDDEN')).length).toBe(1);
    expect(await page('until=1000')).toEqual([]);
    const whole = await page('limit=500');
    const paged: AuditEntry[] = [];
    let cursor = '';
    do {
      const { body } = await byMachine(url, 'GET', `/v1/audit-log?limit=3${cursor}`);
      paged.push(...(body['items'] as AuditEntry[]));
      cursor = typeof body['cursor'] === 'string' ? `&cursor=${body['cursor']}` : '';
    } while (cursor !== '');
    expect(paged).toEqual(whole);
    expect((await byMachine(url, 'GET', '/v1/audit-log?act=everything')).status).toBe(400);
    await byMachine(url, 'POST', '/v1/accounts', { name: 'worker', role: 'operator', password });
    const worker = new StaffBrowser(url);
    await worker.signIn('worker', password);
    for (const route of ['/v1/audit-log', '/v1/audit-log/checkpoint', '/v1/audit-log/export']) expect((await worker.call('GET', route)).status).toBe(403);
    expect((await byMachine(url, 'DELETE', '/v1/audit-log')).status).toBe(405);
  });

  test('is exported whole, and the export proves itself', async () => {
    const text = await (await fetch(`${url}/v1/audit-log/export`, { headers: { authorization: `Bearer ${operatorToken}` } })).text();
    const rows = text.trimEnd().split('\n').map((line) => JSON.parse(line) as AuditEntry & { checkpoint?: string });
    const { checkpoint = '' } = rows.pop() ?? {};
    const signed = readCheckpoint(checkpoint, 'river', registeredKey());
    expect(rows.at(-1)).toMatchObject({ act: 'audit-log.export', outcome: 'begun', seq: signed.seq });
    expect(await verifyAuditLog(each(rows), [signed])).toEqual({ head: { digest: signed.digest, seq: signed.seq } });
  });

  test('an act that cannot be written is not done', async () => {
    const { store } = door.node.services;
    const write = store.write.bind(store);
    store.write = async (writes) => {
      if (writes.some(({ key }) => key.startsWith('audit-log/'))) throw new ProtocolError('DISK_NEARLY_FULL');
      await write(writes);
    };
    try {
      expect((await byMachine(url, 'POST', '/v1/accounts', { name: 'never-made', role: 'operator', password })).status).toBe(507);
      expect((await new StaffBrowser(url).signIn('overseer', password)).status).toBe(507);
    } finally {
      store.write = write;
    }
    expect((await byMachine(url, 'GET', '/v1/accounts/never-made')).status).toBe(404);
  });
});

async function* each<T>(rows: readonly T[]): AsyncGenerator<T> {
  for (const row of rows) yield await Promise.resolve(row);
}

describe('a log that was changed', () => {
  const keys = 'river';

  /** A log of ten acts, its checkpoint after five and at the end, and its store to be changed. */
  async function tenActs(): Promise<{ readonly store: Store; readonly early: string; readonly late: string; read(): Promise<AuditEntry[]> }> {
    const { memberId, sign } = await keysOfRiver();
    const store = new MemoryStore();
    const log = await AuditLog.open(store, systemClock, { memberId, sign });
    let early = '';
    for (let number = 0; number < 10; number += 1) {
      if (number === 5) early = (await log.checkpoint()).checkpoint;
      await log.append({ role: 'machine', who: 'machine' }, 'backup.make', 'done', { object: `backup-${String(number)}` });
    }
    const { checkpoint: late } = await log.checkpoint();
    const read = async (): Promise<AuditEntry[]> => {
      const rows: AuditEntry[] = [];
      for await (const [, value] of store.entries({ gte: 'audit-log/', lt: 'audit-log0' })) rows.push(parseCanonicalObject(value) as unknown as AuditEntry);
      return rows;
    };
    return { early, late, read, store };
  }

  let opened: Awaited<ReturnType<typeof openKeys>> | undefined;
  async function keysOfRiver(): Promise<Awaited<ReturnType<typeof openKeys>>> {
    opened ??= await openKeys(world.consortium.stateDir(keys));
    return opened;
  }
  afterAll(async () => { await opened?.close(); });

  const key = (seq: number): string => `audit-log/${String(seq).padStart(12, '0')}`;

  test.each<[string, (rows: AuditEntry[]) => AuditEntry[], object]>([
    ['an outcome changed', (rows) => rows.map((row) => (row.seq === 4 ? { ...row, outcome: 'FORBIDDEN' } : row)), { reason: 'chain', seq: 5 }],
    ['an entry dropped', (rows) => rows.filter(({ seq }) => seq !== 4), { reason: 'chain', seq: 4 }],
    ['two entries in another order', (rows) => [...rows.slice(0, 3), rows[4], rows[3], ...rows.slice(5)] as AuditEntry[], { reason: 'chain', seq: 4 }],
    ['the tail cut off', (rows) => rows.slice(0, 7), { reason: 'tail', seq: 8 }],
    ['everything removed', () => [], { reason: 'tail', seq: 1 }],
  ])('is found out: %s', async (_what, change, broken) => {
    const { early, late, read } = await tenActs();
    const checkpoints = [early, late].map((one) => readCheckpoint(one, 'river', registeredKey()));
    expect(await verifyAuditLog(each(await read()), checkpoints)).not.toHaveProperty('broken');
    expect((await verifyAuditLog(each(change(await read())), checkpoints)).broken).toEqual(broken);
  });

  test('is found out by its checkpoints where it was written anew, links and all', async () => {
    const { early, late, read, store } = await tenActs();
    const before = await read();
    await store.write(before.filter(({ seq }) => seq >= 3).map(({ seq }) => ({ key: key(seq), remove: true as const })));
    const { memberId, sign } = await keysOfRiver();
    const forged = await AuditLog.open(store, systemClock, { memberId, sign });
    for (let number = 2; number < 10; number += 1) await forged.append({ role: 'machine', who: 'machine' }, 'backup.make', 'done', { object: `other-${String(number)}` });
    const checkpoints = [early, late].map((one) => readCheckpoint(one, 'river', registeredKey()));
    expect((await verifyAuditLog(each(await read()), [])).broken).toBeUndefined();
    expect((await verifyAuditLog(each(await read()), checkpoints)).broken).toEqual({ reason: 'checkpoint', seq: 5 });
  });

  test('a row that is no row any more ends the chain where it stands', async () => {
    const { store } = await tenActs();
    await store.write([{ key: key(4), value: canonicalBytes({ seq: 4 }) }]);
    const { memberId, sign } = await keysOfRiver();
    const log = await AuditLog.open(store, systemClock, { memberId, sign });
    expect((await verifyAuditLog(log.entries(), [])).broken).toEqual({ reason: 'chain', seq: 4 });
  });

  test('a checkpoint of another, of another key, or changed is none', async () => {
    const { late } = await tenActs();
    const [head = '', , tail = ''] = late.split('.');
    const payload = Buffer.from(JSON.stringify({ at: 1, digest: '', log: 'audit-log', member: 'river', seq: 0 })).toString('base64url');
    const other = (door.node.services.readModel.member('hill')?.document.signingKey ?? {}) as Es256Key;
    for (const [compact, member, signer] of [[`${head}.${payload}.${tail}`, 'river', registeredKey()], [late, 'hill', registeredKey()], [late, 'river', other], ['no checkpoint', 'river', registeredKey()]] as const) {
      expect(() => readCheckpoint(compact, member, signer)).toThrow(expect.objectContaining({ code: 'AUDIT_CHECKPOINT_INVALID' }) as Error);
    }
    expect(new ProtocolError('AUDIT_LOG_BROKEN').entry.http).toBe(422);
  });
});
