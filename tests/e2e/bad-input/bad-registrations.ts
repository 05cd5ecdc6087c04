import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { signRegistration } from '@huilian/sdk';
import { SampleCa } from '../../../node/src/composition/local/sample-ca.js';
import { expectRefusal, type Answer, type RunningConsortium } from '../running-consortium.js';

/** Registrations of an owner's key by somebody who is not its owner. */
export function badRegistrations(local: RunningConsortium): void {
  describe('a registration', () => {
    /** A fictional entity that has registered no key. */
    async function unregistered(): Promise<string> {
      const { items } = (await local.api('guangzhou').get('/v1/records?kind=entity&publisher=guangzhou&limit=100')) as { items: { header: { owner?: string } }[] };
      for (const { header } of items) {
        const owner = header.owner ?? '';
        if (owner !== '' && (await local.call('guangzhou', 'GET', `/v1/owners/${owner}`)).status === 404) return owner;
      }
      throw new Error('every sample entity is registered');
    }

    async function register(owner: string, certified: string, ca: SampleCa, change: { readonly expires?: number; readonly salt?: string; readonly chain?: readonly string[] } = {}): Promise<Answer> {
      const { certificate, privateKey } = await ca.certify(certified.slice(4), 'Invented entity');
      const { salt } = (await local.consortium()).domain;
      const statement = { expires: change.expires ?? Math.floor(Date.now() / 1000) + 3600, key: local.signer(local.stranger).address.toLowerCase(), owner, salt: change.salt ?? salt };
      const signed = await signRegistration(statement, privateKey as CryptoKey);
      return await local.call('guangzhou', 'POST', '/v1/owners', { statement: signed, chain: change.chain ?? [certificate, ca.base64] }, 'operator');
    }

    const trusted = async (): Promise<SampleCa> => await SampleCa.open(path.join(local.dir, 'sample-ca'));

    it('with a certificate of a CA that nobody voted for', async () => {
      const foreign = await SampleCa.open(path.join(local.dir, 'foreign-ca'));
      const owner = await unregistered();
      expectRefusal(await register(owner, owner, foreign), 'CA_UNKNOWN', 403);
      expectRefusal(await register(owner, owner, foreign, { chain: [(await foreign.certify(owner.slice(4), 'Invented entity')).certificate, (await trusted()).base64] }), 'CA_UNKNOWN', 403);
    });

    it('with the certificate of another company', async () => {
      expectRefusal(await register(await unregistered(), local.stranger, await trusted()), 'CERTIFICATE_OTHER_ENTITY', 403);
    });

    it('signed by another key than the certificate’s', async () => {
      const owner = await unregistered();
      const other = await (await trusted()).certify(owner.slice(4), 'Invented entity');
      expectRefusal(await register(owner, owner, await trusted(), { chain: [other.certificate, (await trusted()).base64] }), 'STATEMENT_BAD_SIGNATURE', 403);
    });

    it('that is over, or for another consortium', async () => {
      const owner = await unregistered();
      expectRefusal(await register(owner, owner, await trusted(), { expires: Math.floor(Date.now() / 1000) - 1 }), 'STATEMENT_EXPIRED', 403);
      expectRefusal(await register(owner, owner, await trusted(), { salt: `0x${'0'.repeat(64)}` }), 'GRANT_WRONG_DOMAIN', 403);
    });

    it('of an owner who has a key, with a certificate of its own', async () => {
      expectRefusal(await register(local.owner, local.owner, await trusted()), 'OWNER_EXISTS', 409);
    });

    it('leaves the owners as they were', async () => {
      expect((await local.call('guangzhou', 'GET', `/v1/owners/${await unregistered()}`)).status).toBe(404);
    });
  });
}
