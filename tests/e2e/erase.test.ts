// Data that was read before is erased: at every door, in an old copy of the data, and in what an auditor sees.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { jweDigest, type GrantEnvelope } from '@huilian/protocol';
import type { MemberClient, OpenedAccess } from '@huilian/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditReport } from '../../node/src/adapters/cli/process-actions.js';
import { qualification } from '../../node/test/sample-lines.js';
import { huilian, type Run } from './main-job.js';
import { codeOf, expectRefusal, RunningConsortium } from './running-consortium.js';

const consortium = new RunningConsortium();
const { owner } = consortium;
const [bank, platform] = ['sample-bank', 'zhuhai-platform'];
const terms = { claims: ['certificate'], purpose: 'credit-check' } as const;
const folder = path.join(consortium.dir, 'nodes', 'zhuhai');
const backup = path.join(consortium.dir, 'backup-of-zhuhai');

/** What Zhuhai holds of the owner: published before the backup, and read. */
let [first, second]: string[] = [];
let grant: GrantEnvelope;
let readByBank: OpenedAccess;
let readByPlatform: OpenedAccess;
/** Of the second record, and live when its owner is erased. */
let readLater: OpenedAccess;
let repeated: { readonly body: string; readonly key: string };
let client: MemberClient;

async function command<T = Record<string, unknown>>(...args: readonly string[]): Promise<Run & { readonly answer: T; readonly error: string | undefined }> {
  const run = await huilian([...args, '--state', folder, '--json']);
  const parse = (text: string): unknown => { try { return JSON.parse(text) as unknown; } catch { return {}; } };
  const error = parse(run.stderr.trimEnd().split('\n').at(-1) ?? '') as { error?: { code?: string } };
  return { ...run, answer: parse(run.stdout) as T, error: error.error?.code };
}

interface Published {
  readonly recordIds: readonly string[];
  readonly refused: readonly { readonly code: string; readonly refused: readonly { readonly en: string; readonly zh: string }[] }[];
}

async function publish(numbers: readonly number[], ...more: readonly string[]): Promise<Awaited<ReturnType<typeof command<Published>>>> {
  const file = path.join(consortium.dir, 'lines.ndjson');
  writeFileSync(file, numbers.map((number) => `${JSON.stringify({ kind: 'qualification', data: qualification(number) })}\n`).join(''));
  const done = await command<Published>('publish', file, ...more);
  await consortium.whenLevel();
  return done;
}

async function grantTo(grantee: string, maxUses: number): Promise<GrantEnvelope> {
  return await consortium.grant({ claims: ['qualification/certificate'], grantee, purpose: 'credit-check', maxUses });
}

/** The platform's request again, as it was sent, under its Idempotency-Key. */
async function repeat(): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(`${consortium.api('zhuhai').url}/v1/access-requests`, {
    method: 'POST', body: repeated.body,
    headers: { authorization: `Bearer ${await consortium.tokenOf(platform, 'zhuhai')}`, 'content-type': 'application/json', 'idempotency-key': repeated.key },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function expectClosed({ ticket }: OpenedAccess, reader: string): Promise<void> {
  expectRefusal(await consortium.call(consortium.hostOf(reader), 'GET', `/v1/tickets/${ticket}/release`, undefined, reader), 'ERASED', 410);
}

beforeAll(async () => {
  await consortium.start();
  ({ answer: { recordIds: [first, second] } } = await publish([930001, 930002]) as unknown as { answer: { recordIds: string[] } });
  client = await consortium.client(bank);
  grant = await grantTo(bank, 3);
  readByBank = await client.open({ ...terms, recordIds: [first ?? ''], grant });
  const platformGrant = await grantTo(platform, 3);
  const request = await (await consortium.client(platform)).prepare({ ...terms, recordIds: [first ?? ''], grant: platformGrant });
  repeated = { body: JSON.stringify({ request, grant: platformGrant }), key: 'sample-read-1' };
  readByPlatform = (await repeat()).body as unknown as OpenedAccess;
  readLater = await client.open({ ...terms, recordIds: [second ?? ''], grant: await grantTo(bank, 1) });
  await consortium.end('zhuhai');
  for (const name of ['data', 'outbox.hwm', 'vault-keys']) cpSync(path.join(folder, name), path.join(backup, name), { recursive: true });
  await consortium.startNode('zhuhai');
  await consortium.whenLevel();
}, 300_000);
afterAll(async () => { await consortium.stop(); });

describe('one record', () => {
  it('is read, and the same call again answers the same bytes', async () => {
    expect((await client.read(readByBank))[0]?.claims).toHaveProperty('certificate');
    const { body, status } = await repeat();
    expect([status, (body as unknown as OpenedAccess).release]).toEqual([200, readByPlatform.release]);
    expect((await client.resend(readByBank.ticket)).release).toEqual(readByBank.release);
  });

  it('is erased by its operator alone, who says so twice', async () => {
    const order = { recordIds: [first] };
    for (const as of [undefined, platform]) expect((await consortium.call('zhuhai', 'POST', '/v1/erasures', order, as)).status).toBeGreaterThanOrEqual(401);
    expectRefusal(await consortium.call('guangzhou', 'POST', '/v1/erasures', order, 'operator'), 'NOT_RECORD_OWNER', 403);
    expect((await command('erase', first ?? '')).code).toBe(2);
    expect((await command('erase', first ?? '', '--owner', owner, '--yes')).code).toBe(2);
    expect(await command('erase', `${(first ?? '').slice(0, -2)}aa`, '--yes')).toMatchObject({ code: 1, error: 'NOT_FOUND' });
    const erased = await command('erase', '--kind', 'qualification', '--natural-key', owner.slice(4), '--natural-key', 'D44010501930001', '--yes');
    expect(erased).toMatchObject({ code: 0, answer: { erased: true, recordIds: [first], versions: 1, withdrawn: 0, already: [], backup: { made: expect.stringMatching(/^zhuhai-\d{8}T\d{9}Z\.backup$/) as string } } });
    const said = await huilian(['erase', first ?? '', '--yes', '--state', folder]);
    expect([said.code, said.stdout]).toEqual([0, expect.stringContaining('1 had been erased before / 1 条此前已删除')]);
  });

  it('answers ERASED to live tickets, to the same call again, and to a new request, which spends no use', async () => {
    await expectClosed(readByBank, bank);
    await expectClosed(readByPlatform, platform);
    expectRefusal({ ...(await repeat()), headers: new Headers() }, 'ERASED', 410);
    expect(await codeOf(client.open({ ...terms, recordIds: [first ?? ''], grant }))).toBe('ERASED');
    for (let use = 2; use <= 3; use += 1) {
      const access = await client.open({ ...terms, recordIds: [second ?? ''], grant });
      expect((await client.read(access))[0]?.recordId).toBe(second);
    }
    expect(await codeOf(client.open({ ...terms, recordIds: [second ?? ''], grant }))).toBe('GRANT_EXHAUSTED');
  });

  it('still takes the receipt of what was read, and proves it', async () => {
    await client.receipt(readByBank);
    const digest = jweDigest(readByPlatform.release.jwe);
    const reader = await consortium.client(platform);
    await reader.receipt(readByPlatform);
    for (const [at, ticket] of [[client, readByBank.ticket], [reader, readByPlatform.ticket]] as const) {
      expect((await at.evidence(ticket)).jweDigest).toBe(ticket === readByPlatform.ticket ? digest : jweDigest(readByBank.release.jwe));
    }
  });

  it('is not brought back by its source, and comes again where its owner asks for it', async () => {
    const refused = await publish([930001, 930002]);
    expect(refused).toMatchObject({ code: 1, answer: { recordIds: [second], refused: [{ line: 1, code: 'ERASED' }] } });
    expect(refused.answer.refused[0]?.refused[0]).toMatchObject({ en: expect.stringContaining('publish --supersede') as string, zh: expect.stringContaining('publish --supersede') as string });
    expect(await publish([930001], '--supersede')).toMatchObject({ code: 0, answer: { recordIds: [first], refused: [] } });
    const again = await client.open({ ...terms, recordIds: [first ?? ''], grant: await grantTo(bank, 1) });
    expect((await client.read(again))[0]?.claims).toHaveProperty('certificate');
  });
});

describe('an owner', () => {
  it('is erased wholly at this centre, and at no other', async () => {
    const held = (await Promise.all(['entity', 'credit', 'qualification', 'performance', 'personnel'].map(async (kind) => await consortium.records(kind, 'zhuhai')))).flat();
    expect(held).toEqual(expect.arrayContaining([first, second]));
    const erased = await command<{ recordIds: string[] }>('erase', '--owner', owner, '--yes');
    expect([erased.code, [...erased.answer.recordIds].sort()]).toEqual([0, [...held].sort()]);
    const fresh = await grantTo(bank, 2);
    for (const recordId of [first, second]) expect(await codeOf(client.open({ ...terms, recordIds: [recordId ?? ''], grant: fresh }))).toBe('ERASED');
    const [elsewhere = ''] = await consortium.records('credit', 'guangzhou');
    const creditGrant = await consortium.grant({ claims: ['credit/entry'], grantee: bank, purpose: 'credit-check' });
    expect(await client.read(await client.open({ claims: ['entry'], purpose: 'credit-check', recordIds: [elsewhere], grant: creditGrant }))).toHaveLength(1);
    expect(await command('erase', '--owner', owner, '--yes')).toMatchObject({ code: 0, answer: { recordIds: [], versions: 0 } });
  });

  it('stands in the list of erasures and in the log, with nothing of its data', async () => {
    const { answer } = await command<readonly object[]>('erase', '--list');
    expect(answer).toMatchObject([{ scope: 'owner', owner, recordIds: expect.arrayContaining([first]) as string[] }, { scope: 'records', owner, recordIds: [first] }]);
    expect(readFileSync(path.join(consortium.dir, 'logs', 'zhuhai.log'), 'utf8')).toMatch(/the operator erased data.*org:91440105MA6NNHC07C/);
  });

  it('stays erased over a restart, and the auditor finds nothing wrong', async () => {
    await consortium.end('zhuhai');
    const audit = await command<AuditReport>('audit');
    expect([audit.code, audit.answer.findings]).toEqual([0, []]);
    await consortium.startNode('zhuhai');
    await consortium.whenLevel();
    await expectClosed(readLater, bank);
  }, 60_000);
});

describe('a public record', () => {
  it('is not shown any more', async () => {
    const { items } = (await consortium.api('zhuhai').get('/v1/records?publisher=zhuhai&limit=500')) as { items: { recordId: string; header: { rights: string } }[] };
    const open = items.find(({ header }) => header.rights === 'public')?.recordId ?? '';
    expect((await consortium.call('beijing', 'GET', `/v1/records/${open}/public`, undefined, bank)).status).toBe(200);
    expect((await command('erase', open, '--yes')).code).toBe(0);
    for (const at of ['zhuhai', 'beijing'] as const) expectRefusal(await consortium.call(at, 'GET', `/v1/records/${open}/public`, undefined, at === 'zhuhai' ? platform : bank), 'ERASED', 410);
  });
});

describe('an old copy of the data folder', () => {
  it('opens nothing of the owner with the keys of now, and answers ERASED', async () => {
    await consortium.end('zhuhai');
    for (const name of ['data', 'outbox.hwm']) {
      rmSync(path.join(folder, name), { recursive: true });
      cpSync(path.join(backup, name), path.join(folder, name), { recursive: true });
    }
    expect(existsSync(path.join(folder, 'vault-keys', 'keys'))).toBe(true);
    await consortium.startNode('zhuhai');
    await consortium.whenLevel();
    expect(readFileSync(path.join(consortium.dir, 'logs', 'zhuhai.log'), 'utf8')).toContain('erasures were finished');
    await expectClosed(readLater, bank);
    const fresh = await grantTo(bank, 2);
    for (const recordId of [first, second]) expect(await codeOf(client.open({ ...terms, recordIds: [recordId ?? ''], grant: fresh }))).toBe('ERASED');
    expect(await publish([930001, 930002])).toMatchObject({ code: 1, answer: { recordIds: [], refused: [{ code: 'ERASED' }, { code: 'ERASED' }] } });
  }, 90_000);
});
