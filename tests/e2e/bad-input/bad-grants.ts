import { beforeAll, describe, expect, it } from 'vitest';
import type { GrantEnvelope } from '@huilian/protocol';
import { expectRefusal, type RunningConsortium } from '../running-consortium.js';

/** Grants in their life: asked for, answered, used up, revoked. What is refused on every surface stands in refusals.json. */
export function badGrants(local: RunningConsortium): void {
  describe('a grant', () => {
    let entity: string;
    const terms = { claims: ['identity'], purpose: 'registration' } as const;

    async function read(grant: GrantEnvelope | undefined, asked: object = {}, reader = 'zhuhai-platform'): ReturnType<RunningConsortium['call']> {
      const client = await local.client(reader);
      const request = await client.prepare({ recordIds: [entity], ...terms, ...(grant === undefined ? {} : { grant }), ...asked });
      return await local.call(local.hostOf(reader), 'POST', '/v1/access-requests', { request, ...(grant === undefined ? {} : { grant }) }, reader);
    }

    beforeAll(async () => {
      [entity = ''] = await local.records('entity', 'guangzhou');
    });

    it('for a claim of the same name of another kind', async () => {
      const [qualification = ''] = await local.records('qualification', 'guangzhou');
      const asked = { recordIds: [qualification], claims: ['certificate'] };
      expect((await read(await local.grant({ claims: ['qualification/certificate'] }), asked)).status).toBe(200);
      expectRefusal(await read(await local.grant({ claims: ['personnel/certificate'] }), asked), 'GRANT_CLAIM_NOT_COVERED', 403);
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
