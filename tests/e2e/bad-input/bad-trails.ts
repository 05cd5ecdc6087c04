import { describe, expect, it } from 'vitest';
import { toHex, type TrailRequestEnvelope } from '@huilian/protocol';
import { expectRefusal, type RunningConsortium } from '../running-consortium.js';

/** Somebody else's trail, or the owner's own request taken and used again. */
export function badTrails(local: RunningConsortium): void {
  describe('a trail request', () => {
    async function request(signedBy = local.owner): Promise<TrailRequestEnvelope> {
      return await local.wallet(signedBy).signTrailRequest((await local.consortium()).domain, local.owner);
    }

    it('signed by a stranger', async () => {
      expectRefusal(await local.call('guangzhou', 'POST', '/v1/trails', await request(local.stranger)), 'STATEMENT_BAD_SIGNATURE', 403);
    });

    it('for another owner than signed', async () => {
      const signed = await request(local.stranger);
      expectRefusal(await local.call('guangzhou', 'POST', '/v1/trails', { ...signed, request: { ...signed.request, owner: local.stranger } }), 'STATEMENT_BAD_SIGNATURE', 403);
    });

    it('used again, also at the same moment, also at another centre', async () => {
      const signed = await request();
      const both = await Promise.all([local.call('guangzhou', 'POST', '/v1/trails', signed), local.call('guangzhou', 'POST', '/v1/trails', signed)]);
      expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
      for (const centre of ['guangzhou', 'zhuhai', 'beijing'] as const) expectRefusal(await local.call(centre, 'POST', '/v1/trails', signed), 'REPLAYED', 401);
    });

    it('that is old', async () => {
      const { domain } = await local.consortium();
      const old = { owner: local.owner, issuedAt: Math.floor(Date.now() / 1000) - 301, nonce: `0x${toHex(crypto.getRandomValues(new Uint8Array(32)))}` };
      const fields = [{ name: 'owner', type: 'string' }, { name: 'issuedAt', type: 'uint64' }, { name: 'nonce', type: 'bytes32' }];
      const signature = await local.signer(local.owner).signTypedData({ ...domain }, { TrailRequest: fields }, old);
      expectRefusal(await local.call('guangzhou', 'POST', '/v1/trails', { domain, request: old, signature, suite: 'eip712-secp256k1' }), 'STATEMENT_EXPIRED', 403);
    });

    it('of an owner nobody knows', async () => {
      const signed = await request();
      expectRefusal(await local.call('guangzhou', 'POST', '/v1/trails', { ...signed, request: { ...signed.request, owner: 'org:91440101MA5CK8T02A' } }), 'OWNER_UNKNOWN', 404);
    });

    it('of its owner shows the refusals of this run to nobody else but it', async () => {
      const { body, status } = await local.call('guangzhou', 'POST', '/v1/trails', await request());
      expect(status).toBe(200);
      expect(body['missing']).toEqual([]);
      const refusals = (body['refusals'] as { refusals: { code: string; owner: string }[] }[]).flatMap((centre) => centre.refusals);
      expect(new Set(refusals.map(({ owner }) => owner))).toEqual(new Set([local.owner]));
      expect(refusals.map(({ code }) => code)).toEqual(expect.arrayContaining(['GRANT_CLAIM_NOT_COVERED', 'GRANT_EXHAUSTED', 'GRANT_REVOKED', 'REQUEST_ID_REUSED']));
    });
  });
}
