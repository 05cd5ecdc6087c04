import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalBytes, encodeBatchArgument, limits, type Header, type PlacedHeader } from '@huilian/protocol';
import type { GatewayLedger } from '../../../node/src/adapters/fabric/gateway-ledger.js';
import { codeOf, expectRefusal, type RunningConsortium } from '../running-consortium.js';

/** Batches of an organisation's own client, past its node, straight at the contract. */
export function badBatches(local: RunningConsortium): void {
  describe('a batch sent past the node', () => {
    const seq = 900_000;
    let guangzhou: GatewayLedger;
    let zhuhai: GatewayLedger;
    let placed: PlacedHeader;

    beforeAll(async () => {
      [guangzhou, zhuhai] = await Promise.all([local.ledgerOf('GuangzhouMSP'), local.ledgerOf('ZhuhaiMSP')]);
      const [entity = ''] = await local.records('entity', 'guangzhou');
      placed = ((await local.api('guangzhou').get(`/v1/records/${entity}`)) as { placed: PlacedHeader }).placed;
    });
    afterAll(async () => {
      await Promise.all([guangzhou.close(), zhuhai.close()]);
    });

    const batch = (headers: readonly Header[], previous: readonly PlacedHeader[] = []): Uint8Array => encodeBatchArgument({ headers, previous, publisher: 'guangzhou', seq });

    it('by another organisation', async () => {
      expect(await codeOf(zhuhai.submit('publish', batch([placed.header])))).toBe('NOT_RECORD_OWNER');
    });

    it('with bytes behind its end', async () => {
      expect(await codeOf(guangzhou.submit('publish', Uint8Array.from([...batch([placed.header]), 0])))).toBe('BATCH_TRAILING_BYTES');
    });

    it('that inflates to more than the limit', async () => {
      expect(await codeOf(guangzhou.submit('publish', deflateRawSync(Buffer.alloc(64 * 1024 * 1024))))).toBe('BATCH_TOO_LARGE');
    });

    it('that is larger than the limit as it comes', async () => {
      expect(await codeOf(guangzhou.submit('publish', new Uint8Array(limits.batchCompressedBytes + 1)))).toBe('ARG_TOO_LARGE');
    });

    it('with one header too many', async () => {
      const headers = Array.from({ length: limits.batchHeaders + 1 }, () => placed.header);
      expect(await codeOf(guangzhou.submit('publish', deflateRawSync(canonicalBytes({ headers, previous: [], publisher: 'guangzhou', seq }))))).toBe('BATCH_TOO_MANY');
    });

    it('that is not its own canonical form, or is no DEFLATE at all', async () => {
      const text = JSON.stringify({ seq, publisher: 'guangzhou', previous: [], headers: [placed.header] });
      expect(await codeOf(guangzhou.submit('publish', deflateRawSync(text)))).toBe('BATCH_NOT_CANONICAL');
      expect(await codeOf(guangzhou.submit('publish', Buffer.from('not deflate at all')))).toBe('BATCH_MALFORMED');
    });

    it('with one record twice', async () => {
      const argument = deflateRawSync(canonicalBytes({ headers: [placed.header, placed.header], previous: [], publisher: 'guangzhou', seq }));
      expect(await codeOf(guangzhou.submit('publish', argument))).toBe('BATCH_DUPLICATE_RECORD');
    });

    it('that supersedes out of order, another record, or for another owner', async () => {
      const next = (change: Partial<Header>): Header => ({ ...placed.header, digest: 'a'.repeat(64), version: 2, ...change });
      const submit = async (header: Header, previous: PlacedHeader): Promise<string | undefined> => await codeOf(guangzhou.submit('publish', batch([header], [previous])));
      expect(await submit(next({ version: 3 }), placed)).toBe('VERSION_ORDER');
      expect(await submit(next({ owner: local.stranger }), placed)).toBe('SUPERSEDE_CHANGES_OWNER');
      expect(await submit(next({}), { ...placed, path: ['0'.repeat(64), ...placed.path.slice(1)] })).toBe('MERKLE_PATH_INVALID');
      expect(await submit(next({ localId: `${'a'.repeat(25)}a` }), placed)).toBe('PREVIOUS_MISMATCH');
    });

    it('under a number that is taken', async () => {
      const argument = encodeBatchArgument({ headers: [placed.header], previous: [], publisher: 'guangzhou', seq: placed.seq });
      expect(await codeOf(guangzhou.submit('publish', argument))).toBe('BATCH_EXISTS');
    });

    it('leaves the record as it was', async () => {
      await local.whenLevel();
      const [entity = ''] = await local.records('entity', 'guangzhou');
      expect((await local.api('guangzhou').get(`/v1/records/${entity}`)) as object).toMatchObject({ placed });
    });

    it('with two digests for one version makes the record contested, and nobody reads it', async () => {
      const [contested = ''] = await local.records('credit', 'zhuhai');
      expect(contested).not.toBe('');
      const { header } = ((await local.api('zhuhai').get(`/v1/records/${contested}`)) as { placed: PlacedHeader }).placed;
      const other = { ...header, digest: 'b'.repeat(64) };
      await (await zhuhai.submit('publish', encodeBatchArgument({ headers: [other], previous: [], publisher: 'zhuhai', seq }))).committed();
      await local.whenLevel();
      const grant = await local.grant({ claims: ['credit/entry'], grantee: 'sample-bank', purpose: 'credit-check' });
      const request = await (await local.client('sample-bank')).prepare({ recordIds: [contested], claims: ['entry'], purpose: 'credit-check', grant });
      expectRefusal(await local.call('beijing', 'POST', '/v1/access-requests', { request, grant }, 'sample-bank'), 'RECORD_CONTESTED', 409);
    });
  });
}
