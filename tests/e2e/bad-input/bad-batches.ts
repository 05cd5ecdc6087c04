import { describe, it } from 'vitest';
import { encodeBatchArgument, type PlacedHeader } from '@huilian/protocol';
import { expectRefusal, type RunningConsortium } from '../running-consortium.js';

/** What an organisation's own client may publish past its node. What the contract refuses of it stands in refusals.json. */
export function badBatches(local: RunningConsortium): void {
  describe('a batch sent past the node', () => {
    it('with two digests for one version makes the record contested, and nobody reads it', async () => {
      const [contested = ''] = await local.records('credit', 'zhuhai');
      const { header } = ((await local.api('zhuhai').get(`/v1/records/${contested}`)) as { placed: PlacedHeader }).placed;
      const other = { ...header, digest: 'b'.repeat(64) };
      const zhuhai = await local.ledgerOf('ZhuhaiMSP');
      await (await zhuhai.submit('publish', encodeBatchArgument({ headers: [other], previous: [], publisher: 'zhuhai', seq: 900_000 }))).committed();
      await zhuhai.close();
      await local.whenLevel();
      const grant = await local.grant({ claims: ['credit/entry'], grantee: 'sample-bank', purpose: 'credit-check' });
      const request = await (await local.client('sample-bank')).prepare({ recordIds: [contested], claims: ['entry'], purpose: 'credit-check', grant });
      expectRefusal(await local.call('beijing', 'POST', '/v1/access-requests', { request, grant }, 'sample-bank'), 'RECORD_CONTESTED', 409);
    });
  });
}
