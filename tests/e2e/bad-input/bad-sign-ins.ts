import { createHmac, createPublicKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { expectRefusal, type RunningConsortium } from '../running-consortium.js';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Sign-in and the outer shell of the door. */
export function badSignIns(local: RunningConsortium): void {
  describe('sign-in', () => {
    it('without a signature (alg none) is refused', async () => {
      const unsigned = `${part({ alg: 'none' })}.${part(local.assertionClaims('sample-bank'))}.`;
      expectRefusal(await local.exchange('beijing', unsigned), 'TOKEN_INVALID', 401);
    });

    it.each(['jwk', 'pem'])('by HMAC under the public key as %s is refused', async (form) => {
      const { crv, kty, x, y } = local.keys('sample-bank').signingKey;
      const jwk = { crv, kty, x, y };
      const secret = form === 'jwk' ? JSON.stringify(jwk) : createPublicKey({ key: jwk as Record<string, string>, format: 'jwk' }).export({ format: 'pem', type: 'spki' });
      const input = `${part({ alg: 'HS256' })}.${part(local.assertionClaims('sample-bank'))}`;
      expectRefusal(await local.exchange('beijing', `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`), 'TOKEN_INVALID', 401);
    });

    it('under a key of the caller’s own in the header is refused', async () => {
      const { crv, kty, x, y } = local.keys('zhuhai-platform').signingKey;
      const [, , signature = ''] = (await local.assertion('zhuhai-platform')).split('.');
      const forged = `${part({ alg: 'ES256', jwk: { crv, kty, x, y } })}.${part(local.assertionClaims('sample-bank'))}.${signature}`;
      expectRefusal(await local.exchange('beijing', forged), 'TOKEN_INVALID', 401);
    });

    const now = (): number => Math.floor(Date.now() / 1000);
    it.each<[string, () => Record<string, unknown>]>([
      ['for another audience', () => ({ aud: 'https://elsewhere.invalid/v1/token' })],
      ['that has expired', () => ({ iat: now() - 60, exp: now() - 1 })],
      ['that lives for an hour', () => ({ exp: now() + 3600 })],
      ['from the future', () => ({ iat: now() + 30, exp: now() + 60 })],
      ['by another issuer', () => ({ iss: 'zhuhai-platform' })],
      ['of a member elsewhere', () => ({ iss: 'zhuhai-platform', sub: 'zhuhai-platform' })],
      ['of nobody', () => ({ iss: 'no-such-member', sub: 'no-such-member' })],
      ['without an id', () => ({ jti: undefined })],
    ])('with an assertion %s is refused', async (_what, spoilt) => {
      const assertion = await local.assertion('sample-bank', { ...local.assertionClaims('sample-bank'), ...spoilt() });
      expectRefusal(await local.exchange('beijing', assertion), 'TOKEN_INVALID', 401);
    });

    it('with the same assertion works once, also for two at the same moment', async () => {
      const assertion = await local.assertion('sample-bank');
      const both = await Promise.all([local.exchange('beijing', assertion), local.exchange('beijing', assertion)]);
      expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
      for (const answer of both) if (answer.status !== 200) expectRefusal(answer, 'REPLAYED', 401);
      expectRefusal(await local.exchange('beijing', assertion), 'REPLAYED', 401);
    });
  });

  describe('the door', () => {
    it('does not let a bank publish, nor a member govern, nor anyone without a token search', async () => {
      expectRefusal(await local.call('beijing', 'POST', '/v1/records', '{}\n', 'sample-bank'), 'FORBIDDEN', 403);
      expectRefusal(await local.call('zhuhai', 'POST', '/v1/governance/approve', { proposal: '0'.repeat(64) }, 'zhuhai-platform'), 'FORBIDDEN', 403);
      expectRefusal(await local.call('zhuhai', 'GET', '/v1/status', undefined, 'zhuhai-platform'), 'FORBIDDEN', 403);
      // Counts and exports of headers are a member's to ask for, those of payloads are not.
      expect((await local.call('zhuhai', 'GET', '/v1/aggregates?by=kind,region&digits=2', undefined, 'zhuhai-platform')).status).toBe(200);
      for (const question of ['aggregates?by=place', 'aggregates?sum=contract.amount', 'aggregates?place=44', 'export/payloads?kind=credit']) {
        expectRefusal(await local.call('zhuhai', 'GET', `/v1/${question}`, undefined, 'zhuhai-platform'), 'FORBIDDEN', 403);
      }
      expectRefusal(await local.call('beijing', 'GET', '/v1/records'), 'TOKEN_INVALID', 401);
      const foreign = await fetch(`${local.api('zhuhai').url}/v1/status`, { headers: { authorization: `Bearer ${local.operatorToken('beijing')}` } });
      expect(foreign.status).toBe(401);
    });

    it('answers unknown routes, methods and paths with a code', async () => {
      for (const route of ['/', '/v1/nothing', '/v1/records/a', '/v1/../etc', '/v1/members/%E0%A4%A', `/v1/members/${'a'.repeat(300)}`]) {
        expectRefusal(await local.call('beijing', 'GET', route), 'NOT_FOUND', 404);
      }
      expectRefusal(await local.call('beijing', 'POST', '/v1/consortium', {}), 'METHOD_NOT_ALLOWED', 405);
    });

    it('refuses a body that is too large, no JSON, of another type, or has unknown fields', async () => {
      expectRefusal(await local.call('beijing', 'POST', '/v1/token', { client_assertion: 'a'.repeat(2 * 1024 * 1024) }), 'BODY_TOO_LARGE', 413);
      expectRefusal(await local.call('beijing', 'POST', '/v1/access-requests', { request: 'a.b.c', more: 1 }, 'sample-bank'), 'UNKNOWN_FIELD', 400);
      expectRefusal(await local.call('beijing', 'GET', '/v1/records?colour=red', undefined, 'sample-bank'), 'UNKNOWN_FIELD', 400);
      const send = async (body: string, type: string): Promise<void> => {
        const response = await fetch(`${local.api('beijing').url}/v1/revocations`, { method: 'POST', headers: { 'content-type': type }, body });
        expectRefusal({ status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> }, 'CANONICAL_INVALID');
      };
      await send('{"domain":', 'application/json');
      await send('<xml/>', 'application/xml');
      expectRefusal(await local.call('beijing', 'POST', '/v1/revocations', { __proto__: null, constructor: {} }), 'UNKNOWN_FIELD', 400);
    });

    it('keeps to one answer for one Idempotency-Key, also for two at the same moment', async () => {
      const key = crypto.randomUUID();
      const now = Math.floor(Date.now() / 1000);
      const terms = { owner: local.owner, claims: ['entity/identity'], purpose: 'registration', reference: `0x${'0'.repeat(64)}`, notBefore: now, expires: now + 60, maxUses: 1 };
      const { body: signedIn } = await local.exchange('beijing', await local.assertion('sample-bank'));
      const send = async (body: object): Promise<Record<string, unknown>> => {
        const headers = { 'content-type': 'application/json', 'idempotency-key': key, authorization: `Bearer ${String(signedIn['access_token'])}` };
        return (await (await fetch(`${local.api('beijing').url}/v1/asks`, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as Record<string, unknown>;
      };
      const [first, second] = await Promise.all([send(terms), send(terms)]);
      expect(first['id']).toMatch(/^[a-z2-7]{26}$/);
      expect(second).toEqual(first);
      expect(await send(terms)).toEqual(first);
      expect((await send({ ...terms, maxUses: 2 }))['code']).toBe('IDEMPOTENCY_MISMATCH');
    });
  });
}
