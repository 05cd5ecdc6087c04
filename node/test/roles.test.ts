import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Controller, Get } from '@nestjs/common';
import { es256Signer, generateMemberKeys, type MemberKeys } from '@huilian/sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Declare } from '../src/adapters/http/declare-route.js';
import { declaredRoutes, type DeclaredRoute } from '../src/adapters/http/open-api.js';
import { callerKinds, mayCall, rolesPage, rolesTable, type CallerKind } from '../src/adapters/http/route-callers.js';
import { controllers } from '../src/adapters/http/start-http.js';
import type { StaffRole } from '../src/core/accounts/account.js';
import { EventWorld, memberDocument, operatorToken, type Door } from './event-node.js';

const folder = mkdtempSync(path.join(tmpdir(), 'huilian-roles-'));
const routes = declaredRoutes(controllers);
let world: EventWorld;
let door: Door;
const tokens = new Map<CallerKind, string>([['machine', operatorToken], ['monitoring', 'an-invented-token-of-the-monitoring']]);

beforeAll(async () => {
  world = await EventWorld.start(folder);
  const bank = await generateMemberKeys('river-bank');
  await world.vote('admit', { member: memberDocument(bank, 'institution') });
  door = await world.open();
  tokens.set('member', await memberToken(bank));
  tokens.set('publisher', await memberToken(world.keysOf('east-platform')));
  for (const role of ['administrator', 'auditor', 'operator'] as const) await door.node.services.accounts.add(`the-${role}`, role, 'seven unrelated invented words');
});

afterAll(async () => {
  await door.close();
  await world.consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function memberToken(keys: MemberKeys): Promise<string> {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const input = `${part({ alg: 'ES256' })}.${part({ aud: `${door.url}/v1/token`, exp: now + 60, iat: now, iss: keys.memberId, jti: crypto.randomUUID(), sub: keys.memberId })}`;
  const assertion = `${input}.${Buffer.from(await (await es256Signer(keys.signingKey))(Buffer.from(input))).toString('base64url')}`;
  const body = { client_assertion: assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', grant_type: 'client_credentials' };
  const answer = await fetch(`${door.url}/v1/token`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return ((await answer.json()) as { access_token: string }).access_token;
}

/** What a caller brings: nothing, a token, or the cookie of a session of its own. */
function credentials(kind: CallerKind): Record<string, string> {
  if (kind === 'nobody') return {};
  const token = tokens.get(kind);
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  const row = door.node.services.accounts.row(`the-${kind as StaffRole}`);
  if (row === undefined) throw new Error(`nobody is ${kind}`);
  return { cookie: `huilian-session=${door.node.services.sessions.begin(row).id}`, 'x-huilian-request': 'console' };
}

/** How a caller fares at a route, with a call that changes nothing: names that nothing has, and an empty body. */
async function outcome({ body, method, path: address, stream }: DeclaredRoute, kind: CallerKind): Promise<'401' | '403' | 'served'> {
  const type = stream?.type ?? (body === undefined ? undefined : 'application/json');
  const headers = { ...credentials(kind), ...(type === undefined ? {} : { 'content-type': type }) };
  const response = await fetch(door.url + address.replace(/\{\w+\}/g, 'x'), { method, headers, redirect: 'manual', ...(type === undefined ? {} : { body: stream === undefined ? '{}' : '' }) });
  const text = await response.text();
  const code = response.headers.get('content-type')?.includes('application/json') === true ? (JSON.parse(text) as { code?: string }).code : undefined;
  if (response.status === 401 && code === 'TOKEN_INVALID') return '401';
  return response.status === 403 && code === 'FORBIDDEN' ? '403' : 'served';
}

describe('roles and routes', () => {
  test('each caller at each route fares as the table says', async () => {
    const wrong: string[] = [];
    let calls = 0;
    for (const route of routes) {
      for (const kind of callerKinds) {
        const expected = mayCall(route, kind) ? 'served' : kind === 'nobody' ? '401' : '403';
        const found = await outcome(route, kind);
        if (found !== expected) wrong.push(`${route.method} ${route.path} as ${kind}: ${found}, not ${expected}`);
        calls += 1;
      }
    }
    expect(wrong).toEqual([]);
    expect(calls).toBeGreaterThan(500);
  }, 120_000);

  test('an auditor changes nothing but its own session and password, an operator administers nothing', () => {
    const own = ['changePassword', 'endSession', 'signOut'];
    const changing = routes.filter(({ id, method, who }) => method !== 'GET' && who !== 'anyone' && !own.includes(id));
    // Asks by a body what a query must not say.
    expect(changing.filter((route) => mayCall(route, 'auditor')).map(({ id }) => id).filter((id) => !readingByBody.includes(id))).toEqual([]);
    for (const id of ['addAccount', 'setRole', 'setPassword', 'propose', 'approve', 'reject', 'erase', 'makeBackup', 'downloadBackup', 'auditLog', 'acceptLoss']) {
      const route = routes.find((one) => one.id === id) as DeclaredRoute;
      expect([id, mayCall(route, 'operator'), mayCall(route, 'administrator'), mayCall(route, 'machine')]).toEqual([id, false, true, true]);
    }
  });

  test('what the centre\'s side changes is an act, unless it says why not', () => {
    const silent = routes.filter(({ act, method, who }) => act === undefined && method !== 'GET' && who !== 'anyone' && who !== 'member').map(({ id }) => id);
    expect(silent.filter((id) => !readingByBody.includes(id))).toEqual([]);
  });

  test('every route of the centre\'s side names its roles, and the page of them is the one of the code', () => {
    expect(routes.filter(({ roles = [], who }) => who !== 'anyone' && who !== 'member' && roles.length === 0).map(({ id }) => id)).toEqual([]);
    expect(readFileSync(new URL('../../docs/protocol/roles.md', import.meta.url), 'utf8'), 'write it anew: node scripts/make-http-page.mjs').toBe(rolesPage(routes));
  });

  test('the door answers the same table', async () => {
    const answer = await fetch(`${door.url}/v1/roles?limit=500`, { headers: credentials('auditor') });
    expect(((await answer.json()) as { items: unknown }).items).toEqual(JSON.parse(JSON.stringify(rolesTable(routes))));
  });

  test('a route that names no role serves none of the centre\'s people', () => {
    @Controller('v1')
    class Silent {
      @Declare({ id: 'silent', en: 'names no role', zh: '未声明角色', who: 'operator' })
      @Get('silent')
      public silent(): object {
        return {};
      }
    }
    expect(rolesTable(declaredRoutes([Silent])).map(({ callers }) => callers)).toEqual([['machine']]);
  });
});

/** POST routes that read: what they are asked for may be personal and stands in no address. */
const readingByBody = ['draftMapping', 'followRecord', 'previewMapping'];
