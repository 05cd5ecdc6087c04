import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { NodeConfig } from '../src/config/config.js';
import { EventWorld, type Door } from './event-node.js';
import { byMachine, StaffBrowser, type Answered } from './staff-browser.js';

const folder = mkdtempSync(path.join(tmpdir(), 'huilian-directory-'));
const secret = 'an invented secret of the client';
const roles = { administrator: ['huilian-admins'], auditor: ['huilian-audit'] };
const flowCookie = 'huilian-directory';
let world: EventWorld;
let callback = '';
const running: ChildProcess[] = [];

beforeAll(async () => {
  world = await EventWorld.start(folder);
  callback = `${world.config.http.publicUrl}/v1/session/directory/callback`;
  writeFileSync(path.join(world.consortium.stateDir('river'), 'directory-secret'), `${secret}\n`, { mode: 0o600 });
});

afterAll(async () => {
  for (const child of running) child.disconnect();
  await world.consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

function settings(issuer: string): Pick<NodeConfig, 'oidc'> {
  return { oidc: { issuer, clientId: 'huilian-node', clientSecretFile: 'directory-secret', scope: 'openid profile', nameClaim: 'preferred_username', roleClaim: 'groups', roles, allowHttp: true } };
}

async function opened(issuer: string): Promise<Door> {
  const door = await world.open({}, {}, settings(issuer));
  onTestFinished(async () => { await door.close(); });
  return door;
}

/** oidc-provider, as a process. */
async function startProvider(): Promise<string> {
  const child = fork(path.join(import.meta.dirname, 'directory-provider.mjs'), [callback], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  running.push(child);
  const [{ issuer }] = (await once(child, 'message')) as [{ issuer: string }];
  return issuer;
}

/** What a person does at the directory: follows its redirects, gives a name, agrees. Answers where it sends the browser back. */
async function signInAtProvider(address: string, login: string): Promise<string> {
  const cookies = new Map<string, string>();
  let next = address;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 20; step += 1) {
    if (next.startsWith(callback)) return next;
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response: Response = await fetch(next, { redirect: 'manual', headers: { cookie }, ...(form === undefined ? {} : { method: 'POST', body: form }) });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    const page = await response.text();
    if (location !== null) {
      next = new URL(location, next).href;
      form = undefined;
      continue;
    }
    const [, prompt = ''] = /name="prompt" value="(\w+)"/.exec(page) ?? [];
    const [, action = next] = /action="([^"]+)"/.exec(page) ?? [];
    form = new URLSearchParams(prompt === 'login' ? { prompt, login, password: 'any' } : { prompt });
    next = new URL(action, next).href;
  }
  throw new Error(`the directory did not send ${login} back: ${next}`);
}

async function begun(browser: StaffBrowser): Promise<string> {
  const answer = await browser.call('GET', '/v1/session/directory', undefined, {});
  expect(answer.status).toBe(302);
  return answer.headers.get('location') ?? '';
}

async function comeBack(browser: StaffBrowser, address: string): Promise<Answered> {
  const { pathname, search } = new URL(address);
  return await browser.call('GET', `${pathname}${search}`, undefined, {});
}

const leadsTo = ({ headers, status }: Answered): unknown[] => [status, headers.get('location')];
const refusedWith = (code: string): unknown[] => [302, `/console/?refused=${code}`];

describe('signing in by the staff directory', () => {
  test('begins a session with the role of the person\'s group; the role of now counts, and a disabled account stays out', async () => {
    const door = await opened(await startProvider());
    const browser = new StaffBrowser(door.url);
    expect((await browser.call('GET', '/v1/session/methods')).body).toEqual({ directory: true, password: true });
    const address = await begun(browser);
    expect(Object.fromEntries(new URL(address).searchParams)).toMatchObject({ response_type: 'code', code_challenge_method: 'S256', state: expect.any(String) as string, nonce: expect.any(String) as string, redirect_uri: callback });
    const back = await comeBack(browser, await signInAtProvider(address, 'li.lei'));
    expect(leadsTo(back)).toEqual([302, '/console/']);
    expect(browser.cookie(flowCookie)).toBeUndefined();
    const { body } = await browser.call('GET', '/v1/session');
    expect(body).toMatchObject({ account: expect.stringMatching(/^sso-li\.lei-[a-z2-7]{10}$/) as string, role: 'administrator', source: 'directory' });
    expect((await browser.call('GET', '/v1/accounts')).status).toBe(200);
    const name = String(body['account']);
    const [row] = (await byMachine(door.url, 'GET', `/v1/audit-log?who=${name}`)).body['items'] as object[];
    expect(row).toMatchObject({ act: 'session.sign-in', outcome: 'done', role: 'administrator' });
    for (const [route, change] of [['role', { role: 'auditor' }], ['password', { password: 'seven unrelated invented words' }]] as const) {
      expect((await byMachine(door.url, 'POST', `/v1/accounts/${name}/${route}`, change)).body).toMatchObject({ code: 'ACCOUNT_OF_DIRECTORY' });
    }
    await byMachine(door.url, 'POST', `/v1/accounts/${name}/disable`);
    expect((await browser.call('GET', '/v1/session')).body).toMatchObject({ code: 'SESSION_ENDED' });
    expect(leadsTo(await comeBack(browser, await signInAtProvider(await begun(browser), 'li.lei')))).toEqual(refusedWith('ACCOUNT_DISABLED'));
    // Nothing of an account is usable as a password's.
    expect((await browser.signIn(name, secret)).body).toMatchObject({ code: 'SIGN_IN_FAILED' });
    const auditor = new StaffBrowser(door.url);
    await comeBack(auditor, await signInAtProvider(await begun(auditor), 'han.mei'));
    expect((await auditor.call('GET', '/v1/session')).body).toMatchObject({ role: 'auditor' });
    const visitor = new StaffBrowser(door.url);
    expect(leadsTo(await comeBack(visitor, await signInAtProvider(await begun(visitor), 'visitor')))).toEqual(refusedWith('ROLE_UNMAPPED'));
    expect(visitor.cookie()).toBeUndefined();
    expect(door.logged.join()).not.toContain(secret);
  });

  test('is for the browser that began it, once, with the state it was given', async () => {
    const door = await opened(await startProvider());
    const browser = new StaffBrowser(door.url);
    const back = await signInAtProvider(await begun(browser), 'li.lei');
    // Another browser that is handed the address gets nothing, and neither does the same one with another state.
    expect(leadsTo(await comeBack(new StaffBrowser(door.url), back))).toEqual(refusedWith('DIRECTORY_SIGN_IN_FAILED'));
    const forged = new URL(back);
    forged.searchParams.set('state', 'another');
    expect(leadsTo(await comeBack(browser, forged.href))).toEqual(refusedWith('DIRECTORY_SIGN_IN_FAILED'));
    expect(leadsTo(await comeBack(browser, back))).toEqual(refusedWith('DIRECTORY_SIGN_IN_FAILED'));
    const again = await signInAtProvider(await begun(browser), 'li.lei');
    const kept = browser.cookie(flowCookie) ?? '';
    expect(leadsTo(await comeBack(browser, again))).toEqual([302, '/console/']);
    browser.plant(flowCookie, kept);
    expect(leadsTo(await comeBack(browser, again))).toEqual(refusedWith('DIRECTORY_SIGN_IN_FAILED'));
    await begun(browser);
    expect(leadsTo(await comeBack(browser, `${callback}?error=access_denied&state=x`))).toEqual(refusedWith('DIRECTORY_SIGN_IN_FAILED'));
    const { items } = (await byMachine(door.url, 'GET', '/v1/audit-log?act=session&outcome=DIRECTORY_SIGN_IN_FAILED')).body as { items: object[] };
    // The one with another state and the one that was denied; who comes back from nowhere is not written down.
    expect(items.length).toBe(2);
    for (let failure = 2; failure < 20; failure += 1) {
      await begun(browser);
      await comeBack(browser, `${callback}?error=access_denied&state=x`);
    }
    const locked = await browser.call('GET', '/v1/session/directory', undefined, {});
    expect([locked.status, locked.body]).toMatchObject([429, { code: 'SIGN_IN_LOCKED', details: { by: 'address' } }]);
  });

  test('is refused while the directory is away, and works once it is there', async () => {
    const door = await opened('http://127.0.0.1:9');
    const answer = await new StaffBrowser(door.url).call('GET', '/v1/session/directory', undefined, {});
    expect([answer.status, answer.body['code']]).toEqual([503, 'DIRECTORY_UNAVAILABLE']);
  });

  test('is not there where no directory is configured', async () => {
    const door = await world.open();
    onTestFinished(async () => { await door.close(); });
    const browser = new StaffBrowser(door.url);
    expect((await browser.call('GET', '/v1/session/methods')).body).toEqual({ directory: false, password: true });
    for (const route of ['directory', 'directory/callback']) expect((await browser.call('GET', `/v1/session/${route}`)).status).toBe(404);
  });
});

/** A directory that means ill, or is broken: its ID tokens are what a test says. */
class BadProvider {
  private constructor(
    public readonly issuer: string,
    private readonly server: Server,
    private readonly keys: { readonly own: CryptoKey; readonly other: CryptoKey },
  ) {}

  private nonce = '';
  public idToken: (good: JWTPayload, sign: (claims: JWTPayload, key?: 'other' | 'own') => Promise<string>) => Promise<string> | string = async (good, sign) => await sign(good);

  public static async start(): Promise<BadProvider> {
    const own = await generateKeyPair('RS256', { extractable: true });
    const other = await generateKeyPair('RS256', { extractable: true });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const provider = new BadProvider(issuer, server, { other: other.privateKey, own: own.privateKey });
    const jwk = { ...(await exportJWK(own.publicKey)), alg: 'RS256', kid: 'one', use: 'sig' };
    const documents: Record<string, object> = {
      '/.well-known/openid-configuration': { issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`, response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'] },
      '/keys': { keys: [jwk] },
    };
    server.on('request', (request, response) => {
      const said = documents[request.url ?? ''];
      void (said === undefined ? provider.tokens() : Promise.resolve(said)).then((body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)));
    });
    return provider;
  }

  /** The person agreed at once. */
  public agree(address: string): string {
    const { searchParams } = new URL(address);
    this.nonce = searchParams.get('nonce') ?? '';
    return `${callback}?${new URLSearchParams({ code: 'any', state: searchParams.get('state') ?? '' }).toString()}`;
  }

  public async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async tokens(): Promise<object> {
    const now = Math.floor(Date.now() / 1000);
    const good = { aud: 'huilian-node', exp: now + 300, groups: ['huilian-admins'], iat: now, iss: this.issuer, nonce: this.nonce, preferred_username: 'li.lei', sub: 'subject' };
    const sign = async (claims: JWTPayload, key: 'other' | 'own' = 'own'): Promise<string> => await new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(this.keys[key]);
    return { access_token: 'any', id_token: await this.idToken(good, sign), token_type: 'bearer', expires_in: 300 };
  }
}

describe('an ID token', () => {
  let provider: BadProvider;
  let door: Door;
  beforeAll(async () => {
    provider = await BadProvider.start();
    door = await world.open({}, {}, settings(provider.issuer));
  });
  afterAll(async () => {
    await door.close();
    await provider.close();
  });

  async function tried(): Promise<{ readonly answer: Answered; readonly browser: StaffBrowser }> {
    const browser = new StaffBrowser(door.url);
    return { answer: await comeBack(browser, provider.agree(await begun(browser))), browser };
  }

  test('that is good lets in: what the others change is what they are refused for', async () => {
    provider.idToken = async (good, sign) => await sign(good);
    const { answer, browser } = await tried();
    expect(leadsTo(answer)).toEqual([302, '/console/']);
    expect((await browser.call('GET', '/v1/session')).body).toMatchObject({ role: 'administrator' });
  });

  test.each<[string, BadProvider['idToken']]>([
    ['of another nonce', async (good, sign) => await sign({ ...good, nonce: 'another' })],
    ['without a nonce', async ({ nonce: _nonce, ...good }, sign) => await sign(good)],
    ['of another issuer', async (good, sign) => await sign({ ...good, iss: 'https://other.example.invalid' })],
    ['for another client', async (good, sign) => await sign({ ...good, aud: 'other-client' })],
    ['that is over', async (good, sign) => await sign({ ...good, exp: Math.floor(Date.now() / 1000) - 60, iat: Math.floor(Date.now() / 1000) - 300 })],
    ['by a key that the directory does not publish', async (good, sign) => await sign(good, 'other')],
    ['without a signature', (good) => new UnsecuredJWT(good).encode()],
    ['without a subject', async ({ sub: _sub, ...good }, sign) => await sign(good)],
  ])('%s lets nobody in', async (_what, idToken) => {
    provider.idToken = idToken;
    const { answer, browser } = await tried();
    expect(leadsTo(answer)).toEqual(refusedWith('DIRECTORY_SIGN_IN_FAILED'));
    expect(browser.cookie()).toBeUndefined();
  });

  test.each<[string, unknown]>([['no group', undefined], ['a group of another', ['huilian-admin']], ['groups that are no texts', [{ name: 'huilian-admins' }, 1]], ['a list in a text', '["huilian-admins"]']])('with %s gives no role', async (_what, groups) => {
    provider.idToken = async (good, sign) => await sign({ ...good, groups });
    const { answer, browser } = await tried();
    expect(leadsTo(answer)).toEqual(refusedWith('ROLE_UNMAPPED'));
    expect(browser.cookie()).toBeUndefined();
  });
});
