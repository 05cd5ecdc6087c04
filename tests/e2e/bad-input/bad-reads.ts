import { beforeAll, describe, expect, it } from 'vitest';
import { readRequest, signRequest, type AccessRequest, type PlacedHeader } from '@huilian/protocol';
import { buildRequest, es256Signer, generateMemberKeys, publicKeysOf, type GrantEnvelope, type MemberClient, type OpenedAccess } from '@huilian/sdk';
import { codeOf, expectRefusal, type Answer, type RunningConsortium } from '../running-consortium.js';

/** Requests that do not fit their records, their reader or each other, and releases that were changed on the way. */
export function badReads(local: RunningConsortium): void {
  const reader = 'zhuhai-platform';
  const claims = ['identity'];
  const purpose = 'registration';
  let client: MemberClient;
  let entity: string;
  let grant: GrantEnvelope;

  async function send(request: string, as = reader): Promise<Answer> {
    return await local.call(local.hostOf(as), 'POST', '/v1/access-requests', { request, grant }, as);
  }

  /** A good request with some of its terms changed before it is signed. */
  async function changed(change: (request: AccessRequest) => Partial<AccessRequest>, keys = local.keys(reader)): Promise<string> {
    const { request } = readRequest(await client.prepare({ recordIds: [entity], claims, purpose, grant }));
    const signed = await signRequest({ ...request, ...change(request) }, await es256Signer(keys.signingKey));
    return signed.jws;
  }

  beforeAll(async () => {
    client = await local.client(reader);
    [entity = ''] = await local.records('entity', 'guangzhou');
    grant = await local.grant({ maxUses: 50 });
  });

  describe('a request', () => {
    it('sent again answers the same ticket and byte-equal release, also twice at the same moment', async () => {
      const request = await client.prepare({ recordIds: [entity], claims, purpose, grant });
      const both = await Promise.all([client.send(request, grant), client.send(request, grant)]);
      const again = await client.send(request, grant);
      for (const { release, ticket } of both) expect([ticket, release]).toEqual([again.ticket, again.release]);
      expect((await client.resend(again.ticket)).release).toEqual(again.release);
    });

    it('whose id was used with another body', async () => {
      const first = await changed(() => ({}));
      expect((await send(first)).status).toBe(200);
      const { requestId } = readRequest(first).request;
      expectRefusal(await send(await changed(() => ({ claims: ['contact'], requestId }))), 'REQUEST_ID_REUSED', 409);
    });

    it('of a record that its publisher never published', async () => {
      const invented = ([placed]: readonly PlacedHeader[]): PlacedHeader[] => (placed === undefined ? [] : [{ ...placed, header: { ...placed.header, localId: `${'a'.repeat(25)}a` } }]);
      expectRefusal(await send(await changed(({ headers }) => ({ headers: invented(headers) }))), 'RECORD_UNKNOWN', 404);
    });

    it('of records of two publishers, or of one record twice', async () => {
      const [placed] = readRequest(await changed(() => ({}))).request.headers;
      if (placed === undefined) throw new Error('the request names a record');
      expectRefusal(await send(await changed(() => ({ headers: [placed, placed] }))), 'REQUEST_MIXED', 400);
      const [other = ''] = await local.records('performance', 'beijing');
      expect(await codeOf(client.open({ recordIds: [entity, other], claims, purpose, grant }))).toBe('REQUEST_MIXED');
    });

    it('may be prepared by hand as the SDK prepares it', async () => {
      const { placed } = await client.record(entity);
      const keys = local.keys(reader);
      const { domain } = await client.consortium();
      const jws = await buildRequest({ recordIds: [entity], claims, purpose, grant }, [placed], domain, { memberId: reader, encryptionKey: publicKeysOf(keys).encryptionKey, sign: await es256Signer(keys.signingKey) });
      expect((await send(jws)).status).toBe(200);
    });
  });

  describe('a release', () => {
    let access: OpenedAccess;

    beforeAll(async () => {
      access = await client.open({ recordIds: [entity], claims, purpose, grant });
    });

    const withJwe = (jwe: string): OpenedAccess => ({ ...access, release: { ...access.release, jwe } });

    it('reads as it was sent', async () => {
      expect((await client.read(access)).map(({ recordId }) => recordId)).toEqual([entity]);
    });

    it('changed on the way is refused by its reader', async () => {
      const { jwe } = access.release;
      for (const at of [10, jwe.length - 60, jwe.length - 2]) {
        expect(await codeOf(client.read(withJwe(`${jwe.slice(0, at)}${jwe[at] === 'A' ? 'B' : 'A'}${jwe.slice(at + 1)}`)))).toBe('RELEASE_HASH_MISMATCH');
      }
    });

    it('of another ticket does not pass for this one', async () => {
      const other = await client.open({ recordIds: [entity], claims, purpose, grant });
      expect(other.ticket).not.toBe(access.ticket);
      expect(await codeOf(client.read({ ...access, release: other.release }))).toBe('RELEASE_HASH_MISMATCH');
    });

    it('does not open under another key', async () => {
      const { encryptionKey } = await generateMemberKeys(reader);
      const thief = await local.client(reader, { ...local.keys(reader), encryptionKey });
      expect(await codeOf(thief.read(access))).toBe('PAYLOAD_DECRYPT_FAILED');
    });

    it('with more claims than its ticket says is refused by its reader', async () => {
      expect(await codeOf(client.read({ ...access, state: { ...access.state, claims: ['contact'] } }))).toBe('DISCLOSURE_INVALID');
    });

    it('goes to its reader only: not to the bank, not to the operator, not to nobody', async () => {
      const route = `/v1/tickets/${access.ticket}`;
      await local.whenLevel();
      for (const room of ['', '/release']) {
        expectRefusal(await local.call('beijing', 'GET', `${route}${room}`, undefined, 'sample-bank'), 'TICKET_OTHER_READER', 403);
        expectRefusal(await local.call('zhuhai', 'GET', `${route}${room}`, undefined, 'operator'), 'FORBIDDEN', 403);
        expectRefusal(await local.call('zhuhai', 'GET', `${route}${room}`), 'TOKEN_INVALID', 401);
      }
      expectRefusal(await local.call('beijing', 'GET', `/v1/evidence/${access.ticket}`, undefined, 'sample-bank'), 'TICKET_OTHER_READER', 403);
      expectRefusal(await local.call('beijing', 'GET', `/v1/tickets/${'0'.repeat(64)}/0/release`, undefined, 'sample-bank'), 'TICKET_UNKNOWN', 404);
    });

    it('is confirmed by its own reader only', async () => {
      const bank = await local.client('sample-bank');
      expect(await codeOf(bank.receipt(access))).toBe('TICKET_OTHER_READER');
      const impostor = await local.client(reader, { ...local.keys('sample-bank'), memberId: reader });
      expect(await codeOf(impostor.receipt(access))).toBe('TOKEN_INVALID');
      expect((await client.receipt(access)).digest).toMatch(/^[0-9a-f]{64}$/);
    });
  });
}
