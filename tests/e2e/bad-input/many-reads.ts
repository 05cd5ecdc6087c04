import { describe, expect, it } from 'vitest';
import { codeOf, type RunningConsortium } from '../running-consortium.js';

/** Many reads at the same moment: uses are counted exactly, and reads share transactions. */
export function manyReads(local: RunningConsortium): void {
  describe('32 reads at the same moment', () => {
    async function readAtOnce(maxUses: number): Promise<{ readonly codes: (string | undefined)[]; readonly opens: readonly { readonly tickets: number }[] }> {
      const reader = await local.client('zhuhai-platform');
      const [entity = ''] = await local.records('entity', 'guangzhou');
      const grant = await local.grant({ maxUses });
      const requests = await Promise.all(Array.from({ length: 32 }, async () => await reader.prepare({ recordIds: [entity], claims: ['identity'], purpose: 'registration', grant })));
      await local.whenLevel();
      const { height } = await local.consortium();
      const codes = await Promise.all(requests.map(async (request) => await codeOf(reader.send(request, grant))));
      await local.whenLevel();
      const opens = (await local.transactionsSince(height)).filter(({ code, function: name }) => name === 'access:open' && code === 'VALID');
      return { codes, opens: opens.map(({ response }) => ({ tickets: (JSON.parse(Buffer.from(response).toString('utf8')) as { ticket?: string }[]).filter(({ ticket }) => ticket !== undefined).length })) };
    }

    const tickets = (opens: readonly { readonly tickets: number }[]): number => opens.reduce((sum, open) => sum + open.tickets, 0);

    it('of a grant of 10 uses: exactly 10 tickets', async () => {
      const { codes, opens } = await readAtOnce(10);
      expect(codes.filter((code) => code === undefined)).toHaveLength(10);
      expect(codes.filter((code) => code === 'GRANT_EXHAUSTED')).toHaveLength(22);
      expect(tickets(opens)).toBe(10);
    });

    it('of a grant of 32 uses: a ticket each, in far fewer transactions', async () => {
      const { codes, opens } = await readAtOnce(32);
      expect(codes).toEqual(Array.from({ length: 32 }, () => undefined));
      expect(tickets(opens)).toBe(32);
      expect(opens.length).toBeLessThanOrEqual(8);
    });
  });
}
