// A centre loses its machine: keys from their export, data from its backup, the rest from the ledger.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ProtocolError } from '@huilian/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { qualification } from '../../node/test/sample-lines.js';
import { command, readJson } from './main-job.js';
import { RunningConsortium } from './running-consortium.js';

const consortium = new RunningConsortium();
const at = (...names: readonly string[]): string => path.join(consortium.dir, ...names);
const state = at.bind(undefined, 'nodes', 'guangzhou');
const { owner } = consortium;
const uscc = owner.slice(4);

const line = (number: number, level = '03'): string => `${JSON.stringify({ kind: 'qualification', rights: 'owner', data: qualification(number, { level, uscc }) })}\n`;

async function publish(...lines: readonly string[]): Promise<readonly { readonly recordId: string; readonly version?: number; readonly unchanged?: boolean }[]> {
  const { body, status } = await consortium.call('guangzhou', 'POST', '/v1/records', lines.join(''), 'operator');
  expect(status).toBe(200);
  return (body['lines'] as { recordId: string }[]).filter((answer) => 'recordId' in answer);
}

async function record(id: string): Promise<{ readonly versions: number; readonly contested: boolean }> {
  return ((await consortium.api('zhuhai').get(`/v1/records/${id}`)) as { record: { versions: number; contested: boolean } }).record;
}

/** Reads a record by a grant of one use; answers its claims' names, or the code of the refusal. */
async function read(id: string): Promise<string> {
  const client = await consortium.client('zhuhai-platform');
  const grant = await consortium.grant({ claims: ['qualification/qualification'], purpose: 'qualification-check', maxUses: 1 });
  try {
    const access = await client.open({ recordIds: [id], claims: ['qualification'], purpose: 'qualification-check', grant });
    return Object.keys((await client.read(access))[0]?.claims ?? {}).join();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}

async function setConfig(change: object): Promise<void> {
  const file = state('huilian.json');
  writeFileSync(file, JSON.stringify({ ...readJson<object>(file), ...change }));
  await consortium.end('guangzhou');
  await consortium.startNode('guangzhou');
  await consortium.whenLevel();
}

let ticket = '';
let kept = '';
let changed = '';
let after = '';

beforeAll(async () => {
  await consortium.start();
  mkdirSync(at('elsewhere'));
  writeFileSync(at('elsewhere', 'passphrase'), 'an invented passphrase', { mode: 0o600 });
  await setConfig({ vaultKeyCopy: at('elsewhere', 'guangzhou-vault-keys') });
}, 300_000);
afterAll(async () => { await consortium.stop(); });

describe('a machine is lost', () => {
  it('is backed up while it runs: into its place, and into a file', async () => {
    [kept = '', changed = ''] = (await publish(line(700001), line(700002))).map(({ recordId }) => recordId);
    await consortium.whenLevel();
    const placed = await command<{ name: string }>('backup', '--state', state());
    expect(placed.code).toBe(0);
    expect(readFileSync(at('backups', 'guangzhou', placed.answer.name)).length).toBeGreaterThan(1000);
    expect(await command('keys', 'export', at('elsewhere', 'keys.json'), '--passphrase-file', at('elsewhere', 'passphrase'), '--state', state())).toMatchObject({ code: 0 });
    // Rows that wait: the ledger is away while the backup is made.
    await consortium.end('ledger', 'SIGKILL');
    [after = ''] = (await publish(line(700003))).map(({ recordId }) => recordId);
    const made = await command<{ bytes: number }>('backup', at('elsewhere', 'guangzhou.backup'), '--state', state());
    expect(made).toMatchObject({ code: 0, answer: { bytes: readFileSync(at('elsewhere', 'guangzhou.backup')).length } });
    expect(await command('backup', at('elsewhere', 'guangzhou.backup'), '--state', state())).toMatchObject({ code: 1, error: { code: 'BAD_FIELD' } });
    await consortium.startLedger();
    await consortium.whenLevel();
    expect((await record(after)).versions).toBe(1);
  });

  it('goes on publishing, and is lost', async () => {
    await publish(line(700002, '02'), line(700004));
    await consortium.whenLevel();
    const client = await consortium.client('zhuhai-platform');
    const grant = await consortium.grant({ claims: ['qualification/qualification'], purpose: 'qualification-check', maxUses: 1 });
    ({ ticket } = await client.open({ recordIds: [kept], claims: ['qualification'], purpose: 'qualification-check', grant }));
    await consortium.end('guangzhou', 'SIGKILL');
    renameSync(state(), at('lost-machine'));
  });

  it('takes no data without keys, none of another member, and none that is damaged', async () => {
    const file = at('elsewhere', 'guangzhou.backup');
    expect(await command('restore', file, '--state', state())).toMatchObject({ code: 1, error: { code: 'KEYS_MISSING' } });
    expect(await command('keys', 'import', at('elsewhere', 'keys.json'), '--passphrase-file', at('elsewhere', 'passphrase'), '--state', state())).toMatchObject({ code: 0 });
    const damaged = Buffer.from(readFileSync(file));
    damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 1;
    writeFileSync(at('elsewhere', 'damaged.backup'), damaged);
    expect(await command('restore', at('elsewhere', 'damaged.backup'), '--state', state())).toMatchObject({ code: 1, error: { code: 'BACKUP_DAMAGED' } });
    expect(await command('restore', file, '--state', at('nodes', 'zhuhai'))).toMatchObject({ code: 1, error: { code: 'CONFIG_INVALID', details: { reason: 'other-member' } } });
    expect(await command('restore', at('elsewhere', 'not-there.backup'), '--state', state())).toMatchObject({ code: 2, error: { code: 'BAD_FIELD', details: { path: '<file>' } } });
    expect(await command('restore', '--state', state())).toMatchObject({ code: 2, error: { code: 'BAD_FIELD' } });
  });

  it('is restored by keys, backup and the second place of the vault keys, and reads the ledger before it takes records', async () => {
    const restored = await command<{ rows: number; member: string }>('restore', at('elsewhere', 'guangzhou.backup'), '--state', state());
    expect(restored).toMatchObject({ code: 0, answer: { member: 'guangzhou', acknowledgedTo: expect.any(Number) as number } });
    expect(await command('restore', at('elsewhere', 'guangzhou.backup'), '--state', state())).toMatchObject({ code: 2, error: { code: 'BAD_FIELD', details: { path: '--state' } } });
    await consortium.end('ledger', 'SIGKILL');
    await consortium.startNode('guangzhou');
    const { body, status } = await consortium.call('guangzhou', 'POST', '/v1/records', line(700005), 'operator');
    expect({ status, body: JSON.stringify(body) }).toMatchObject({ status: 503, body: expect.stringContaining('RESTORE_UNFINISHED') as string });
    expect((await consortium.call('guangzhou', 'GET', '/readyz')).body).toMatchObject({ ready: false, reasons: expect.arrayContaining(['restoring']) as string[] });
    await consortium.startLedger();
    await consortium.whenLevel();
    await expect.poll(async () => (await consortium.call('guangzhou', 'GET', '/readyz')).body['ready'], { timeout: 20_000 }).toBe(true);
  });

  it('has its payloads, doubles nothing, and names what was published since', async () => {
    // Released after the backup: what was sent is not known any more, so nothing else is sent for this ticket.
    const again = await consortium.call('zhuhai', 'GET', `/v1/tickets/${ticket}/release`, undefined, 'zhuhai-platform');
    expect(again).toMatchObject({ status: 403, body: { code: 'TICKET_ENDED', details: { reason: 'publisher-restored' } } });
    expect(await read(kept)).toBe('qualification');
    expect(await read(after)).toBe('qualification');
    for (const id of [kept, after]) expect(await record(id)).toMatchObject({ versions: 1, contested: false });
    const missing = await command<{ items: { recordId: string; version: number }[] }>('restore', '--missing', '--state', state());
    expect(missing.code).toBe(0);
    const items = missing.answer.items.map(({ recordId, version }) => `${recordId} ${String(version)}`);
    expect(items).toContain(`${changed} 2`);
    expect(items).toHaveLength(2);
    expect(await read(changed)).toBe('PAYLOAD_MISSING');
  });

  it('publishes what is imported again as the next version, never version 1 again', async () => {
    const answers = await publish(line(700001), line(700002, '02'), line(700003), line(700004), line(700005));
    expect(answers.map(({ unchanged, version }) => (unchanged === true ? 'unchanged' : version))).toEqual(['unchanged', 3, 'unchanged', 2, 1]);
    await consortium.whenLevel();
    for (const { recordId } of answers) expect((await record(recordId)).contested).toBe(false);
    expect(await read(changed)).toBe('qualification');
    expect((await command<{ items: object[] }>('restore', '--missing', '--state', state())).answer.items).toEqual([]);
  });

  it('holds against the rules: nothing acknowledged is lost, no key and IV came twice', async () => {
    await consortium.end('guangzhou');
    const audit = await command<{ findings: object[]; checked: string[] }>('audit', '--state', state());
    expect(audit.answer.findings).toEqual([]);
    expect(audit.answer.checked).toEqual(expect.arrayContaining(['I1', 'I9', 'I16']));
    // A stopped node is backed up as well, and its backup holds no key.
    expect(await command('backup', at('elsewhere', 'stopped.backup'), '--state', state())).toMatchObject({ code: 0 });
    const keys = readFileSync(state('vault-keys', 'keys'), 'latin1').trimEnd().split('\n').map((entry) => entry.split(' ').at(-1) ?? '');
    expect(keys.length).toBeGreaterThan(0);
    const bytes = readFileSync(at('elsewhere', 'stopped.backup'));
    for (const key of keys) for (const spelt of [Buffer.from(key), Buffer.from(key, 'base64url')]) expect(bytes.includes(spelt)).toBe(false);
    await consortium.startNode('guangzhou');
  });
});
