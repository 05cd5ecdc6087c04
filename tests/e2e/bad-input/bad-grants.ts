import { beforeAll, describe, expect, it } from 'vitest';
import { domainOf, type Grant, type GrantEnvelope } from '@huilian/protocol';
import { expectRefusal, type RunningConsortium } from '../running-consortium.js';

/** Order of secp256k1 (SEC 2 §2.4.1). */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** The other spelling of the same signature: n - s, and the other recovery bit. */
function highTwin(signature: string): string {
  const s = order - BigInt(`0x${signature.slice(66, 130)}`);
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, '0')}${signature.endsWith('1b') ? '1c' : '1b'}`;
}

/** Grants that do not permit what is read under them. */
export function badGrants(local: RunningConsortium): void {
  describe('a grant', () => {
    let entity: string;
    const now = (): number => Math.floor(Date.now() / 1000);
    const terms = { claims: ['identity'], purpose: 'registration' } as const;

    async function read(grant: GrantEnvelope | undefined, asked: object = {}, reader = 'zhuhai-platform'): ReturnType<RunningConsortium['call']> {
      const client = await local.client(reader);
      const request = await client.prepare({ recordIds: [entity], ...terms, ...(grant === undefined ? {} : { grant }), ...asked });
      return await local.call(local.hostOf(reader), 'POST', '/v1/access-requests', { request, ...(grant === undefined ? {} : { grant }) }, reader);
    }

    beforeAll(async () => {
      [entity = ''] = await local.records('entity', 'guangzhou');
    });

    it('that is good permits: the refusals below are for what they change', async () => {
      expect((await read(await local.grant({}))).status).toBe(200);
    });

    it('that is missing', async () => {
      expectRefusal(await read(undefined), 'GRANT_REQUIRED', 403);
    });

    it('signed by somebody else', async () => {
      expectRefusal(await read(await local.grant({}, local.stranger)), 'GRANT_BAD_SIGNATURE', 403);
    });

    it.each<[string, (grant: Grant) => Partial<Grant>]>([
      ['use count', ({ maxUses }) => ({ maxUses: maxUses + 1 })],
      ['term', ({ expires }) => ({ expires: expires + 1 })],
      ['claims', ({ claims }) => ({ claims: [...claims, 'entity/registration'] })],
      ['nonce', () => ({ nonce: `0x${'1'.repeat(64)}` })],
    ])('whose %s was altered after signing', async (_what, change) => {
      const good = await local.grant({});
      expectRefusal(await read({ ...good, grant: { ...good.grant, ...change(good.grant) } }), 'GRANT_BAD_SIGNATURE', 403);
    });

    it.each<[string, () => Partial<Grant>, string]>([
      ['that has expired', () => ({ notBefore: now() - 3600, expires: now() - 1 }), 'GRANT_EXPIRED'],
      ['that is not valid yet', () => ({ notBefore: now() + 600 }), 'GRANT_NOT_YET_VALID'],
      ['for another reader', () => ({ grantee: 'sample-bank' }), 'GRANT_WRONG_GRANTEE'],
      ['for another purpose', () => ({ purpose: 'credit-check' }), 'GRANT_WRONG_PURPOSE'],
      ['for another claim', () => ({ claims: ['entity/contact'] }), 'GRANT_CLAIM_NOT_COVERED'],
      ['of somebody who does not own the record', () => ({ owner: local.stranger }), 'GRANT_NOT_OWNER'],
    ])('%s', async (_what, change, code) => {
      expectRefusal(await read(await local.grant(change())), code, 403);
    });

    it('for a claim of the same name of another kind', async () => {
      const [qualification = ''] = await local.records('qualification', 'guangzhou');
      const asked = { recordIds: [qualification], claims: ['certificate'] };
      expect((await read(await local.grant({ claims: ['qualification/certificate'] }), asked)).status).toBe(200);
      expectRefusal(await read(await local.grant({ claims: ['personnel/certificate'] }), asked), 'GRANT_CLAIM_NOT_COVERED', 403);
    });

    it('whose signature is spelt otherwise: the high-s twin, upper case, v 0', async () => {
      const good = await local.grant({});
      for (const signature of [highTwin(good.signature), `0x${good.signature.slice(2).toUpperCase()}`, `${good.signature.slice(0, 130)}${good.signature.endsWith('1b') ? '00' : '01'}`]) {
        expectRefusal(await read({ ...good, signature }), 'GRANT_NONCANONICAL_SIG', 400);
      }
    });

    it('signed for another consortium', async () => {
      const domain = domainOf({ chaincode: 'huilian', channel: 'another', charter: 'a'.repeat(64), founding: 'b'.repeat(64) });
      const { grant } = await local.grant({});
      const other = await local.wallet(local.owner).signGrant(domain, grant);
      expectRefusal(await read(other), 'GRANT_WRONG_DOMAIN', 403);
      expectRefusal(await read({ ...other, domain: (await local.consortium()).domain }), 'GRANT_BAD_SIGNATURE', 403);
    });

    it('copied by another member', async () => {
      expectRefusal(await read(await local.grant({}), {}, 'sample-bank'), 'GRANT_WRONG_GRANTEE', 403);
    });

    it('of another reader’s signed request', async () => {
      const grant = await local.grant({});
      const request = await (await local.client('zhuhai-platform')).prepare({ recordIds: [entity], ...terms, grant });
      expectRefusal(await local.call('beijing', 'POST', '/v1/access-requests', { request, grant }, 'sample-bank'), 'REQUEST_NOT_READER', 403);
    });

    it('other than the one the request names', async () => {
      const client = await local.client('zhuhai-platform');
      const request = await client.prepare({ recordIds: [entity], ...terms, grant: await local.grant({}) });
      expectRefusal(await local.call('zhuhai', 'POST', '/v1/access-requests', { request, grant: await local.grant({}) }, 'zhuhai-platform'), 'REQUEST_MALFORMED', 400);
    });

    it('whose uses are spent; a refused read spends none', async () => {
      const grant = await local.grant({ maxUses: 1 });
      expectRefusal(await read(grant, { claims: ['registration'] }), 'GRANT_CLAIM_NOT_COVERED', 403);
      expect((await read(grant)).status).toBe(200);
      expectRefusal(await read(grant), 'GRANT_EXHAUSTED', 403);
    });

    it('as the answer to an ask: only the owner’s, only of its terms', async () => {
      const { expires, maxUses, notBefore, reference } = (await local.grant({})).grant;
      const ask = await (await local.client('zhuhai-platform')).ask({ owner: local.owner, claims: ['entity/identity'], purpose: 'registration', expires, maxUses, notBefore, reference });
      const asked = { claims: ['entity/identity'], expires, maxUses, notBefore, reference };
      const answer = async (grant: GrantEnvelope, id = ask.id): ReturnType<RunningConsortium['call']> => await local.call('zhuhai', 'POST', `/v1/asks/${id}/grant`, grant);
      expectRefusal(await answer(await local.grant(asked, local.stranger)), 'GRANT_BAD_SIGNATURE', 403);
      expectRefusal(await answer(await local.grant({ ...asked, maxUses: maxUses + 1 })), 'BAD_FIELD', 400);
      expectRefusal(await answer(await local.grant({ ...asked, grantee: 'sample-bank' })), 'BAD_FIELD', 400);
      expectRefusal(await answer(await local.grant(asked), 'a'.repeat(26)), 'NOT_FOUND', 404);
      expect((await local.call('zhuhai', 'GET', `/v1/asks/${ask.id}`)).body).not.toHaveProperty('grant');
      expect((await answer(await local.grant(asked))).status).toBe(200);
    });

    it('that was revoked, and no revocation by a stranger', async () => {
      const grant = await local.grant({});
      const first = await read(grant);
      const { basis } = first.body['state'] as { basis: { digest: string } };
      const { domain } = await local.consortium();
      const forged = await local.wallet(local.stranger).signRevocation(domain, { owner: local.owner, grant: basis.digest });
      expectRefusal(await local.call('zhuhai', 'POST', '/v1/revocations', forged), 'REVOCATION_BAD_SIGNATURE', 403);
      const revocation = await local.wallet(local.owner).signRevocation(domain, { owner: local.owner, grant: basis.digest });
      expect((await local.call('zhuhai', 'POST', '/v1/revocations', revocation)).status).toBe(200);
      expectRefusal(await read(grant), 'GRANT_REVOKED', 403);
      await local.whenLevel();
      expectRefusal(await local.call('zhuhai', 'GET', `/v1/tickets/${String(first.body['ticket'])}/release`, undefined, 'zhuhai-platform'), 'TICKET_ENDED', 403);
    });
  });
}
