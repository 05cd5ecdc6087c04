import path from 'node:path';
import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { JsonObject, PlacedHeader } from '@huilian/protocol';
import { buildRequest, es256Signer, publicKeysOf } from '@huilian/sdk';
import { readJson, root } from '../main-job.js';
import { expectRefusal, type Answer, type RunningConsortium } from '../running-consortium.js';

const [sample] = readJson<{ cases: { input: { body: JsonObject; entry: JsonObject; score: JsonObject } }[] }>(path.join(root, 'tests', 'vectors', 'valid', 'kind-credit.json')).cases;

/** Streams that break, lines that are wrong, and reads of records that are no longer what they were. */
export function badRecords(local: RunningConsortium): void {
  const credit = (code: string, change: object = {}): JsonObject => ({ ...sample?.input, ...change, entry: { ...sample?.input.entry, code } });
  const line = (code: string, more: object = {}): string => JSON.stringify({ kind: 'credit', data: credit(code), ...more });

  async function publish(body: string): Promise<Record<string, unknown>[]> {
    const answer = await local.call('guangzhou', 'POST', '/v1/records', body, 'operator');
    expect(answer.status).toBe(200);
    return answer.body['lines'] as Record<string, unknown>[];
  }

  async function publishOne(code: string, more: object = {}): Promise<string> {
    const [first] = await publish(`${line(code, more)}\n`);
    expect(first).toHaveProperty('recordId');
    await local.whenLevel();
    return String(first?.['recordId']);
  }

  describe('a stream of records', () => {
    it('that ends inside a line: all lines before are safe, and the last answer says so', async () => {
      const answers = await publish(`${line('BAD-1')}\n${line('BAD-2')}\n${line('BAD-3').slice(0, -10)}`);
      const { error } = answers.at(-1) as { error: Record<string, unknown> };
      expectRefusal({ status: 400, headers: new Headers(), body: error }, 'STREAM_TRUNCATED');
      expect(error['details']).toEqual({ line: 3 });
      expect(answers.at(-2)).toHaveProperty('acknowledged');
      const accepted = answers.flatMap(({ recordId }) => (typeof recordId === 'string' ? [recordId] : []));
      expect(accepted, JSON.stringify(answers)).toHaveLength(2);
      await local.whenLevel();
      for (const id of accepted) expect((await local.call('beijing', 'GET', `/v1/records/${id}`, undefined, 'sample-bank')).status).toBe(200);
      const again = await publish(`${line('BAD-1')}\n${line('BAD-2')}\n${line('BAD-3')}\n`);
      expect(again.at(-1)).toEqual({ summary: { lines: 3, accepted: 1, unchanged: 2, refused: 0 } });
    });

    it('whose connection breaks: what came in whole is on the ledger', async () => {
      const url = new URL('/v1/records', local.api('guangzhou').url);
      await new Promise<void>((resolve, reject) => {
        const headers = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${local.operatorToken('guangzhou')}` };
        const call = httpRequest(url, { method: 'POST', headers });
        call.once('response', (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (part: string) => {
            text += part;
            // Cut where the node waits for the rest of a line.
            if (text.includes('acknowledged')) call.destroy();
          }).once('close', resolve).on('error', () => undefined);
        });
        call.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'ECONNRESET') reject(error); });
        call.write(`${line('CUT-1')}\n${line('CUT-2').slice(0, 20)}`);
      });
      const again = await publish(`${line('CUT-1')}\n`);
      expect(again.at(-1)).toEqual({ summary: { lines: 1, accepted: 0, unchanged: 1, refused: 0 } });
    });

    it('refuses each wrong line by itself, and takes the good ones between', async () => {
      const answers = await publish([
        line('ONE-1'),
        '{"kind":"credit","kind":"credit"}',
        line('ONE-2', { colour: 'red' }),
        line('ONE-3', { schema: 9 }),
        JSON.stringify({ kind: 'horoscope', data: {} }),
        JSON.stringify({ kind: 'credit', data: credit('ONE-4', { surprise: {} }) }),
        JSON.stringify({ kind: 'credit', data: credit('ONE-5', { body: { ...sample?.input.body, uscc: '91440105MA6NNHC07D' } }) }),
        line('ONE-6', { recordId: 'x'.repeat(300 * 1024) }),
        line('ONE-7'),
      ].join('\n') + '\n');
      const codes = answers.flatMap((answer) => (typeof answer['line'] === 'number' ? [answer['code']] : []));
      expect(codes).toEqual([undefined, 'CANONICAL_INVALID', 'UNKNOWN_FIELD', 'SCHEMA_UNKNOWN', 'SCHEMA_UNKNOWN', 'RECORD_INVALID', 'RECORD_INVALID', 'BODY_TOO_LARGE', undefined]);
      expect(answers.at(-1)).toEqual({ summary: { lines: 9, accepted: 2, unchanged: 0, refused: 7 } });
    });

    it('with an Idempotency-Key is answered like one without', async () => {
      const response = await fetch(`${local.api('guangzhou').url}/v1/records`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': 'a-key', authorization: `Bearer ${local.operatorToken('guangzhou')}` },
        body: `${line('KEY-1')}\n`,
      });
      expect(await response.text()).toContain('"summary":{"lines":1,"accepted":1');
    });
  });

  describe('a read', () => {
    const reader = 'zhuhai-platform';

    async function readPlaced(recordId: string, version?: number): Promise<Answer> {
      const client = await local.client(reader);
      const { placed } = await client.record(recordId, version);
      const grant = await local.grant({ claims: ['credit/entry'], purpose: 'credit-check' });
      const keys = local.keys(reader);
      const { domain } = await client.consortium();
      const request = await buildRequest({ recordIds: [recordId], claims: ['entry'], purpose: 'credit-check', grant }, [placed], domain, { memberId: reader, encryptionKey: publicKeysOf(keys).encryptionKey, sign: await es256Signer(keys.signingKey) });
      return await local.call('zhuhai', 'POST', '/v1/access-requests', { request, grant }, reader);
    }

    it('of a version that was superseded, while the new one is read', async () => {
      const id = await publishOne('OLD-1');
      expect((await readPlaced(id)).status).toBe(200);
      const changed = JSON.stringify({ kind: 'credit', data: credit('OLD-1', { score: { ...sample?.input.score, score: '12.00' } }), supersede: true });
      expect((await publish(`${changed}\n`))[0]).toMatchObject({ recordId: id, version: 2 });
      await local.whenLevel();
      expectRefusal(await readPlaced(id, 1), 'RECORD_STALE', 409);
      expect((await readPlaced(id)).status).toBe(200);
    });

    it('of a record that was revoked, under its last header or the one before', async () => {
      const id = await publishOne('GONE-1');
      expect((await publish(`${JSON.stringify({ kind: 'credit', recordId: id, revoke: true })}\n`))[0]).toMatchObject({ recordId: id, version: 2 });
      await local.whenLevel();
      expectRefusal(await readPlaced(id), 'RECORD_REVOKED', 410);
      const before = await readPlaced(id, 1);
      expect(['RECORD_STALE', 'RECORD_REVOKED']).toContain(before.body['code']);
    });

    it('of a record of another publisher is not published over', async () => {
      const [foreign = ''] = await local.records('performance', 'beijing');
      const [answer] = await publish(`${JSON.stringify({ kind: 'performance', recordId: foreign, revoke: true })}\n`);
      expect(answer).toMatchObject({ code: 'NOT_RECORD_OWNER' });
      const { placed } = (await local.api('beijing').get(`/v1/records/${foreign}`)) as { placed: PlacedHeader };
      expect(placed.header.status).toBe('active');
    });
  });
}
