import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GrantEnvelope } from '@huilian/protocol';
import { LevelStore } from '../../../node/src/adapters/level/level-store.js';
import { expectRefusal, type Answer, type RunningConsortium } from '../running-consortium.js';

/** What a node away or a damaged disk costs: never a use, never silence. */
export function nodesDown(local: RunningConsortium): void {
  const reader = 'zhuhai-platform';
  let entity: string;

  async function read(grant: GrantEnvelope): Promise<Answer> {
    const request = await (await local.client(reader)).prepare({ recordIds: [entity], claims: ['identity'], purpose: 'registration', grant });
    return await local.call('zhuhai', 'POST', '/v1/access-requests', { request, grant }, reader);
  }

  beforeAll(async () => {
    [entity = ''] = await local.records('entity', 'guangzhou');
  });

  describe("the publisher's node is down", () => {
    it('and a read says so without spending its use; back up, the same grant works', async () => {
      const grant = await local.grant({ maxUses: 1 });
      const { domain } = await local.consortium();
      await local.end('guangzhou');
      const refused = await read(grant);
      expectRefusal(refused, 'PUBLISHER_UNAVAILABLE', 503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);

      const request = await local.wallet(local.owner).signTrailRequest(domain, local.owner);
      const trail = await local.call('zhuhai', 'POST', '/v1/trails', request);
      expect(trail.status).toBe(200);
      expect(trail.body['missing']).toEqual(['guangzhou']);

      await local.startNode('guangzhou');
      await local.whenLevel();
      await expect.poll(async () => (await read(grant)).status, { timeout: 20_000, interval: 250 }).toBe(200);
      expectRefusal(await read(grant), 'GRANT_EXHAUSTED', 403);
    }, 60_000);
  });

  describe('a payload changed at rest', () => {
    /** Flips the last bit of every sealed payload of a stopped node; twice is as before. */
    async function flipPayloads(): Promise<void> {
      const store = await LevelStore.open(path.join(local.dir, 'nodes', 'guangzhou', 'data'), { diskFloorBytes: 0 });
      for await (const [key, value] of store.entries({ gte: 'vault/row/', lt: 'vault/row/~' })) {
        const changed = Uint8Array.from(value);
        changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
        await store.write([{ key, value: changed }]);
      }
      await store.close();
    }

    async function restartChanged(): Promise<void> {
      await local.end('guangzhou');
      await flipPayloads();
      await local.startNode('guangzhou');
      await local.whenLevel();
    }

    it('is never released, and its use is given back', async () => {
      const grant = await local.grant({ maxUses: 1 });
      await restartChanged();
      const refused = await read(grant);
      expectRefusal(refused, 'VAULT_CORRUPT', 500);
      expect(JSON.stringify(refused.body)).not.toContain('jwe');
      await restartChanged();
      expect((await read(grant)).status).toBe(200);
    }, 60_000);
  });
}
