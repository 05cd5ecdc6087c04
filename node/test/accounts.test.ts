import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fromUtf8 } from '@huilian/protocol';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startHttp } from '../src/adapters/http/start-http.js';
import { Accounts } from '../src/core/accounts/accounts.js';
import { PasswordHasher } from '../src/core/accounts/password-hash.js';
import { Sessions } from '../src/core/accounts/sessions.js';
import { SignInStaff } from '../src/core/accounts/sign-in-staff.js';
import { FailureCounts } from '../src/core/accounts/sign-in-failures.js';
import { systemRandom } from '../src/adapters/system/system-random.js';
import type { Clock } from '../src/core/ports.js';
import { EventWorld, operatorToken, type Door } from './event-node.js';
import { byMachine, StaffBrowser, type Answered } from './staff-browser.js';

const folder = mkdtempSync(path.join(tmpdir(), 'huilian-accounts-'));
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

const codeOf = ({ body, status }: Answered): unknown[] => [status, body['code']];
let made = 0;

/** A new account, made on the machine, and a browser of its person. */
async function person(role: string): Promise<{ readonly name: string; readonly browser: StaffBrowser }> {
  made += 1;
  const name = `person-${String(made)}`;
  expect((await byMachine(url, 'POST', '/v1/accounts', { name, role, password })).status).toBe(201);
  return { name, browser: new StaffBrowser(url) };
}

async function signedIn(role: string): Promise<{ readonly name: string; readonly browser: StaffBrowser }> {
  const one = await person(role);
  expect((await one.browser.signIn(one.name, password)).status).toBe(200);
  return one;
}

/** Rows of the audit log, newest first. */
async function audited(fits: (row: Record<string, unknown>) => boolean): Promise<Record<string, unknown>[]> {
  const { items } = await door.node.services.audit.page({}, { limit: 500 });
  return items.map((row) => ({ ...row })).filter(fits);
}

describe('a session', () => {
  test('begins with name and password, says who it is, and ends', async () => {
    const { browser, name } = await person('operator');
    const begun = await browser.signIn(name, password);
    expect([begun.status, begun.body]).toMatchObject([200, { account: name, role: 'operator', source: 'local' }]);
    const { ends, idleEnds } = begun.body as { ends: number; idleEnds: number };
    expect(ends - Date.now() / 1000).toBeGreaterThan(11.9 * 3600);
    expect(ends - idleEnds).toBeGreaterThan(11 * 3600);
    expect((await browser.call('GET', '/v1/session')).body).toMatchObject({ account: name, role: 'operator' });
    expect((await browser.call('GET', '/v1/status')).status).toBe(200);
    const cookie = browser.cookie() ?? '';
    expect((await browser.call('DELETE', '/v1/session')).status).toBe(204);
    expect(browser.cookie()).toBeUndefined();
    browser.plant('huilian-session', cookie);
    expect(codeOf(await browser.call('GET', '/v1/session'))).toEqual([401, 'SESSION_ENDED']);
  });

  test('has a cookie that scripts, other sites and plain connections do not get', async () => {
    const { browser, name } = await person('auditor');
    const plain = (await browser.signIn(name, password)).headers.getSetCookie();
    expect(plain).toEqual([expect.stringMatching(/^huilian-session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/)]);
    const secure = await startHttp(door.node.services, { host: '127.0.0.1', port: 0, publicUrl: 'https://node.example.invalid', metricsToken: 'an-invented-token-of-the-monitoring', operatorToken });
    onTestFinished(async () => { await secure.close(); });
    const behindTls = (await new StaffBrowser(secure.url).signIn(name, password)).headers.getSetCookie();
    expect(behindTls).toEqual([expect.stringMatching(/^__Host-huilian-session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=43200$/)]);
  });

  test('is never one that somebody brought along, and another sign-in ends the one before', async () => {
    const { browser, name } = await person('operator');
    const planted = 'A'.repeat(43);
    browser.plant('huilian-session', planted);
    await browser.signIn(name, password);
    const first = browser.cookie() ?? '';
    expect(first).not.toBe(planted);
    await browser.signIn(name, password);
    const thief = new StaffBrowser(url);
    for (const id of [planted, first]) {
      thief.plant('huilian-session', id);
      expect(codeOf(await thief.call('GET', '/v1/session'))).toEqual([401, 'SESSION_ENDED']);
    }
  });

  test('is listed for its person, and for an administrator with those of others; each may be ended', async () => {
    const { browser, name } = await signedIn('operator');
    const second = new StaffBrowser(url);
    await second.signIn(name, password);
    const own = (await browser.call('GET', '/v1/sessions')).body['items'] as { account: string; handle: string; current: boolean }[];
    expect(own.map(({ account, current }) => [account, current])).toEqual([[name, false], [name, true]]);
    const { browser: stranger } = await signedIn('operator');
    expect(codeOf(await stranger.call('DELETE', `/v1/sessions/${own[0]?.handle ?? ''}`))).toEqual([404, 'NOT_FOUND']);
    expect((await browser.call('DELETE', `/v1/sessions/${own[0]?.handle ?? ''}`)).status).toBe(204);
    expect(codeOf(await second.call('GET', '/v1/session'))).toEqual([401, 'SESSION_ENDED']);
    const { browser: administrator } = await signedIn('administrator');
    const all = (await administrator.call('GET', '/v1/sessions')).body['items'] as { account: string; handle: string }[];
    expect((await administrator.call('DELETE', `/v1/sessions/${all.find(({ account }) => account === name)?.handle ?? ''}`)).status).toBe(204);
    expect(codeOf(await browser.call('GET', '/v1/session'))).toEqual([401, 'SESSION_ENDED']);
  });

  test('changes nothing for a page that is not this node\'s', async () => {
    const { browser } = await signedIn('operator');
    const attempts: Record<string, string>[] = [{}, { 'x-huilian-request': 'console', 'sec-fetch-site': 'cross-site' }, { 'x-huilian-request': 'console', 'sec-fetch-site': 'same-site' }];
    for (const headers of attempts) expect(codeOf(await browser.call('DELETE', '/v1/session', undefined, headers))).toEqual([403, 'CROSS_SITE_REFUSED']);
    expect((await browser.call('GET', '/v1/session')).status).toBe(200);
    expect((await browser.call('DELETE', '/v1/session', undefined, { 'x-huilian-request': 'console', 'sec-fetch-site': 'same-origin' })).status).toBe(204);
  });

  test('is not kept in the store, and neither are passwords but for their scrypt', async () => {
    const { browser, name } = await signedIn('operator');
    const kept: string[] = [];
    for await (const [key, value] of door.node.services.store.entries({})) kept.push(key, Buffer.from(value).toString('latin1'));
    for (const secret of [password, browser.cookie() ?? '-']) expect([...kept, ...door.logged].filter((text) => text.includes(secret))).toEqual([]);
    const row = JSON.parse(fromUtf8(door.node.services.store.get(`account/${name}`) ?? new Uint8Array())) as { password: object };
    expect(row.password).toMatchObject({ algorithm: 'scrypt', n: 32_768, r: 8, p: 3 });
    const { body } = await byMachine(url, 'GET', `/v1/accounts/${name}`);
    expect(body).not.toHaveProperty('password');
  });
});

describe('what one may do ends at once', () => {
  test.each([
    ['with another role', 'role', { role: 'auditor' }],
    ['with another password', 'password', { password: 'another few invented words' }],
    ['when the account is disabled', 'disable', undefined],
  ])('%s', async (_what, route, body) => {
    const { browser, name } = await signedIn('operator');
    expect((await byMachine(url, 'POST', `/v1/accounts/${name}/${route}`, body)).status).toBe(200);
    expect(codeOf(await browser.call('GET', '/v1/session'))).toEqual([401, 'SESSION_ENDED']);
  });

  test('an administrator that became an operator administers nothing more', async () => {
    const { browser, name } = await signedIn('administrator');
    expect((await browser.call('GET', '/v1/accounts')).status).toBe(200);
    await byMachine(url, 'POST', `/v1/accounts/${name}/role`, { role: 'operator' });
    await browser.signIn(name, password);
    expect(codeOf(await browser.call('POST', `/v1/accounts/${name}/role`, { role: 'administrator' }))).toEqual([403, 'FORBIDDEN']);
    expect((await browser.call('GET', '/v1/session')).body['role']).toBe('operator');
    const [row] = await audited(({ act, outcome, who }) => act === 'account.role' && outcome === 'FORBIDDEN' && who === name);
    expect(row).toMatchObject({ object: name, role: 'operator' });
  });

  test('a disabled account signs in no more, and is told so only by its password', async () => {
    const { browser, name } = await person('operator');
    await byMachine(url, 'POST', `/v1/accounts/${name}/disable`);
    expect(codeOf(await browser.signIn(name, 'a wrong one of many words'))).toEqual([401, 'SIGN_IN_FAILED']);
    expect(codeOf(await browser.signIn(name, password))).toEqual([403, 'ACCOUNT_DISABLED']);
    await byMachine(url, 'POST', `/v1/accounts/${name}/enable`);
    expect((await browser.signIn(name, password)).status).toBe(200);
  });

  test('one changes one\'s own password by the old one, and signs in again', async () => {
    const { browser, name } = await signedIn('auditor');
    const next = 'quite another set of words';
    expect(codeOf(await browser.call('POST', '/v1/session/password', { old: 'not the old one at all', password: next }))).toEqual([401, 'SIGN_IN_FAILED']);
    expect(codeOf(await browser.call('POST', '/v1/session/password', { old: password, password: 'short' }))).toEqual([422, 'PASSWORD_WEAK']);
    expect((await browser.call('POST', '/v1/session/password', { old: password, password: next })).status).toBe(204);
    expect(codeOf(await browser.signIn(name, password))).toEqual([401, 'SIGN_IN_FAILED']);
    expect((await browser.signIn(name, next)).status).toBe(200);
  });
});

describe('guessing', () => {
  test('is delayed after five failures, for an account and for a name that is none alike; an administrator ends it', async () => {
    const { browser, name } = await person('operator');
    const guess = async (account: string): Promise<unknown[][]> => {
      const answers: unknown[][] = [];
      for (let round = 0; round < 6; round += 1) answers.push(codeOf(await browser.signIn(account, `wrong number ${String(round)} of six`)));
      return answers;
    };
    const seen = await guess(name);
    expect(seen).toEqual([...Array.from({ length: 5 }, () => [401, 'SIGN_IN_FAILED']), [429, 'SIGN_IN_LOCKED']]);
    expect(await guess('nobody-of-this-name')).toEqual(seen);
    const right = await browser.signIn(name, password);
    expect([right.status, right.body]).toMatchObject([429, { code: 'SIGN_IN_LOCKED', details: { by: 'account', waitSeconds: expect.any(Number) as number } }]);
    expect((await byMachine(url, 'POST', `/v1/accounts/${name}/unlock`)).body).toMatchObject({ failures: 0 });
    expect((await browser.signIn(name, password)).status).toBe(200);
    // Each failure is written down; who has no account is not named, for the name may be a password.
    expect((await audited(({ outcome, who }) => outcome === 'SIGN_IN_FAILED' && who === name)).length).toBe(5);
    expect(await audited((row) => JSON.stringify(row).includes('nobody-of-this-name'))).toEqual([]);
  });

  test('of many names from one address is delayed too, and tries at the same moment count one by one', async () => {
    const clock: Clock & { seconds: number } = { seconds: 1_800_000_000, now: () => clock.seconds * 1000, sleep: () => Promise.resolve() };
    const sessions = new Sessions(clock, systemRandom, { idleSeconds: 60, mostSeconds: 3600 });
    const hasher = new PasswordHasher(systemRandom);
    const { audit, store } = door.node.services;
    const accounts = new Accounts({ clock, hasher, memberId: 'river', sessions, store });
    const staff = new SignInStaff({ accounts, audit, clock, hasher, sessions });
    await accounts.add('guessed', 'operator', password);
    const outcomes = await Promise.all(Array.from({ length: 12 }, async () => await staff.byPassword('guessed', 'a wrong one of many words', '192.0.2.7').then(() => 'in', (error: unknown) => (error as { code: string }).code)));
    expect(outcomes.filter((code) => code === 'SIGN_IN_FAILED').length).toBe(5);
    expect(outcomes.filter((code) => code === 'SIGN_IN_LOCKED').length).toBe(7);
    const counts = new FailureCounts(clock, 20);
    for (let failure = 0; failure < 19; failure += 1) counts.failed('192.0.2.7');
    expect(counts.waits('192.0.2.7')).toBe(0);
    const waits = Array.from({ length: 9 }, () => {
      counts.failed('192.0.2.7');
      return counts.waits('192.0.2.7');
    });
    expect(waits).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
    expect(counts.waits('192.0.2.8')).toBe(0);
    counts.forgive('192.0.2.7', 3);
    counts.failed('192.0.2.7');
    expect(counts.waits('192.0.2.7')).toBe(3600);
    clock.seconds += 25 * 3600;
    expect(counts.waits('192.0.2.7')).toBe(0);
  });

  test('meets no session that was left alone: idle and absolute end', async () => {
    const clock: Clock & { seconds: number } = { seconds: 1_800_000_000, now: () => clock.seconds * 1000, sleep: () => Promise.resolve() };
    const sessions = new Sessions(clock, systemRandom, { idleSeconds: 60, mostSeconds: 150 });
    const { id } = sessions.begin({ createdAt: 0, disabled: false, failures: 0, lockedUntil: 0, name: 'somebody', role: 'operator', source: 'local' });
    clock.seconds += 59;
    sessions.use(id);
    clock.seconds += 59;
    expect(sessions.find(id)).toBeDefined();
    clock.seconds += 1;
    expect(sessions.find(id)).toBeUndefined();
    const kept = sessions.begin({ createdAt: 0, disabled: false, failures: 0, lockedUntil: 0, name: 'somebody', role: 'operator', source: 'local' });
    for (let call = 0; call < 5; call += 1) {
      expect(sessions.find(kept.id)).toBeDefined();
      clock.seconds += 30;
      sessions.use(kept.id);
    }
    expect(sessions.find(kept.id)).toBeUndefined();
  });
});

describe('an account', () => {
  test.each([
    ['eleven characters', 'abcdefgh1!z', 'too-short'],
    ['129 characters', `${'ab12 '.repeat(26)}`.slice(0, 129), 'too-long'],
    ['one character again and again', 'aaaaaaaaaaaaaaaa', 'too-few-different-characters'],
    ['a row of the alphabet', 'abcdefghijklmnop', 'a-sequence'],
    ['its own name', 'weak-one is my name', 'holds-a-name'],
    ['the name of the centre', 'the river of invention', 'holds-a-name'],
    ['a common one', 'passwordpassword', 'common'],
    ['a common one with figures', 'Administrator2026!', 'common'],
    ['a common one in another spelling', 'P@ssw0rdP@ssw0rd', 'common'],
  ])('is not made with a password of %s', async (_what, weak, reason) => {
    const answer = await byMachine(url, 'POST', '/v1/accounts', { name: 'weak-one', role: 'operator', password: weak });
    expect([answer.status, answer.body]).toMatchObject([422, { code: 'PASSWORD_WEAK', details: { reason } }]);
    expect(codeOf(await byMachine(url, 'GET', '/v1/accounts/weak-one'))).toEqual([404, 'ACCOUNT_UNKNOWN']);
  });

  test('is made once, has a closed role and a plain name', async () => {
    const { name } = await person('auditor');
    const add = async (account: object): Promise<unknown[]> => codeOf(await byMachine(url, 'POST', '/v1/accounts', { name: 'another', role: 'operator', password, ...account }));
    expect(await add({ name })).toEqual([409, 'ACCOUNT_EXISTS']);
    for (const bad of [{ name: 'sso-somebody' }, { name: 'Big' }, { name: '../x' }, { role: 'root' }]) expect(await add(bad)).toEqual([400, 'BAD_FIELD']);
    expect(await add({ password: '一二三四五六七八九十甲乙丙丁' })).toEqual([201, undefined]);
    expect((await new StaffBrowser(url).signIn('another', '一二三四五六七八九十甲乙丙丁')).status).toBe(200);
  });

  test('is not repeated by an idempotency key, which would keep a trace of the password', async () => {
    const headers = { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json', 'idempotency-key': 'once-more' };
    const add = async (): Promise<number> => (await fetch(`${url}/v1/accounts`, { method: 'POST', headers, body: JSON.stringify({ name: 'kept-once', role: 'operator', password }) })).status;
    expect([await add(), await add()]).toEqual([201, 409]);
  });
});
