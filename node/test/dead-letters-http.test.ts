import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beijingDay } from '@huilian/protocol';
import { EventWorld, operatorToken, type Door } from './event-node.js';

const folder = mkdtempSync(path.join(tmpdir(), 'huilian-letters-http-'));
let world: EventWorld;
let door: Door;

beforeAll(async () => {
  world = await EventWorld.start(folder);
  door = await world.open();
}, 60_000);

afterAll(async () => {
  await door.close();
  await world.consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>> & { readonly items?: readonly Letter[]; readonly cursor?: string };
}

interface Letter {
  readonly id: string;
  readonly line: number;
  readonly code: string;
  readonly problems: readonly { readonly path: string; readonly code: string; readonly suggestion: { readonly zh: string; readonly value?: string } }[];
}

async function call(method: string, route: string, body?: unknown): Promise<Answer> {
  const raw = typeof body === 'string';
  const response = await fetch(`${door.url}${route}`, {
    method,
    headers: { authorization: `Bearer ${operatorToken}`, ...(body === undefined ? {} : { 'content-type': raw ? 'application/x-ndjson' : 'application/json' }) },
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json');
  return { status: response.status, text, body: isJson ? (JSON.parse(text) as Answer['body']) : {} };
}

const mapping = {
  format: 'mapping/1', kind: 'qualification', schema: 1,
  columns: { 企业代码: { as: 'LEGAL_CODE' }, 资质: { as: 'QUAL_NAME' }, 类别: { as: 'QUAL_TYPE' }, 等级: { to: 'qualification.level', values: { 一级: '01', 二级: '02', 三级: '03' } }, 证书: { as: 'QUAL_CERT_NO' }, 有效期: { to: 'certificate.end', formats: ['yyyy/M/d'] } },
};
const good = { 企业代码: '91440105MA6NNHC07C', 资质: '机电工程施工总承包', 类别: 'A10102', 等级: '三级', 证书: 'D-HTTP-1', 有效期: '2028/6/26' };

function lines(rows: readonly Readonly<Record<string, string>>[], file = 'platform.csv'): string {
  return rows.map((row, index) => `${JSON.stringify({ kind: 'qualification', mapping: 'platform-export', row, source: { file, line: index + 2 } })}\n`).join('');
}

describe('mappings and refused rows through the door of a node', () => {
  test('a mapping that loses a required field is refused with the field named, and is not held', async () => {
    const { 证书: _certificate, ...lossy } = mapping.columns;
    const refused = await call('PUT', '/v1/mappings/platform-export', { ...mapping, columns: lossy });
    expect([refused.status, refused.body['code'], refused.body['details']]).toEqual([422, 'MAPPING_INVALID', { path: '', reason: 'required-field-lost', field: 'certificate.number', problems: 1 }]);
    expect((await call('GET', '/v1/mappings/platform-export')).body['code']).toBe('MAPPING_UNKNOWN');
    expect((await call('PUT', '/v1/mappings/Not-A-Name', mapping)).body['code']).toBe('BAD_FIELD');
    expect((await call('PUT', '/v1/mappings/platform-export', { ...mapping, kind: 'horoscope' })).body['code']).toBe('SCHEMA_UNKNOWN');
  });

  test('rows by a mapping that is not there wait on the list until it is, and then come in', async () => {
    await call('POST', '/v1/records', lines([good, { ...good, 证书: 'D-HTTP-2' }], 'early.csv'));
    const { body } = await call('GET', '/v1/dead-letters?file=early.csv');
    expect(body.items?.map(({ code }) => code)).toEqual(['MAPPING_UNKNOWN', 'MAPPING_UNKNOWN']);
    expect((await call('PUT', '/v1/mappings/platform-export', mapping)).status).toBe(200);
    expect((await call('GET', '/v1/mappings')).body.items).toMatchObject([{ name: 'platform-export', kind: 'qualification', schema: 1, columns: 6 }]);
    expect((await call('POST', '/v1/dead-letters/retries', { filter: { file: 'early.csv' } })).body).toMatchObject({ retried: 2, accepted: 2, refused: 0 });
    expect((await call('GET', '/v1/dead-letters?file=early.csv')).body.items).toEqual([]);
  });

  test('a refused row is listed, opened, corrected and taken; what is dropped is gone', async () => {
    const rows = [{ ...good, 证书: 'D-HTTP-3', 企业代码: '91440105MA6NNHC07D' }, { ...good, 证书: 'D-HTTP-4', 等级: '特级' }, { ...good, 证书: 'D-HTTP-5', 有效期: '2028年6月26日' }];
    const published = await call('POST', '/v1/records', lines(rows));
    expect(published.text.match(/"refused":\[/g)).toHaveLength(3);
    const first = await call('GET', '/v1/dead-letters?file=platform.csv&order=oldest&limit=2');
    const second = await call('GET', `/v1/dead-letters?file=platform.csv&order=oldest&limit=2&cursor=${first.body.cursor ?? ''}`);
    const letters = [...(first.body.items ?? []), ...(second.body.items ?? [])];
    expect(letters.map(({ line, problems: [problem] }) => [line, problem?.path, problem?.code])).toEqual([
      [2, '/holder/uscc', 'uscc-check-character'], [3, '/qualification/level', 'text-unreadable'], [4, '/certificate/end', 'date8-unreadable'],
    ]);
    // The list holds nothing of a row; one row that is asked for does.
    expect(first.text + second.text).not.toMatch(/91440105MA6NNHC07D|特级|D-HTTP/);
    expect((await call('GET', `/v1/dead-letters/${letters[0]?.id ?? ''}`)).body).toMatchObject({ row: rows[0], mapping: 'platform-export' });
    expect((await call('GET', `/v1/dead-letters?file=platform.csv&cursor=${first.body.cursor ?? ''}`)).body['code']).toBe('BAD_FIELD');

    const corrections = [{ id: letters[0]?.id, row: { ...rows[0], 企业代码: good.企业代码 } }, { id: letters[1]?.id, row: { ...rows[1], 等级: '超级' } }];
    expect((await call('POST', '/v1/dead-letters/retries', { corrections })).body).toMatchObject({ retried: 2, accepted: 1, refused: 1 });
    const exported = await call('GET', '/v1/dead-letters/export?file=platform.csv&format=ndjson');
    expect(exported.text.trim().split('\n').map((line) => (JSON.parse(line) as { row: Record<string, string> }).row)).toEqual([{ ...rows[1], 等级: '超级' }, rows[2]]);

    expect((await call('DELETE', `/v1/dead-letters/${letters[1]?.id ?? ''}`)).status).toBe(204);
    expect((await call('DELETE', `/v1/dead-letters/${letters[1]?.id ?? ''}`)).status).toBe(404);
    expect((await call('DELETE', '/v1/dead-letters')).body['code']).toBe('BAD_FIELD');
    expect((await call('DELETE', '/v1/dead-letters?file=platform.csv')).body).toEqual({ dropped: 1 });
    expect((await call('GET', '/v1/dead-letters')).body).toMatchObject({ items: [], total: 0 });
  });

  test('a preview keeps nothing, also under an idempotency key', async () => {
    const cell = 'D-HTTP-PREVIEW-ONLY';
    const response = await fetch(`${door.url}/v1/mapping-previews`, {
      method: 'POST', headers: { authorization: `Bearer ${operatorToken}`, 'content-type': 'application/json', 'idempotency-key': 'one' }, body: JSON.stringify({ kind: 'qualification', mapping, rows: [{ ...good, 证书: cell }] }),
    });
    expect(await response.json()).toMatchObject({ ok: 1, refused: 0, rows: [{ fields: { certificate: { number: cell } } }] });
    for await (const [key, bytes] of door.node.services.store.entries({})) expect(`${key} ${Buffer.from(bytes).toString('latin1')}`).not.toContain(cell);
    expect(door.logged.join('\n')).not.toMatch(/D-HTTP|91440105/);
  });
});

interface Report {
  readonly days: readonly Readonly<Record<string, unknown>>[];
  readonly documents: readonly { readonly of: string; readonly id: string; readonly version: number; readonly digest: string; readonly missing: readonly string[] }[];
}

describe('completeness of the day, as this node counted it', () => {
  const today = beijingDay(Date.now() / 1000);
  const report = async (): Promise<Report> => (await call('GET', `/v1/completeness?from=${today}`)).body as unknown as Report;
  const daysOf = async (): Promise<Report['days'][number] | undefined> => (await report()).days.find(({ centre, kind }) => centre === 'river' && kind === 'qualification');

  test('received, refused, published and confirmed rows stand beside what was declared, and survive a restart', async () => {
    const before = await daysOf();
    const count = (name: string): number => Number(before?.[name]);
    // Of the three tests above: two rows that came in late, one that was corrected; what was refused was dropped.
    expect([count('received'), count('refused'), count('published')]).toEqual([3, 0, 3]);
    const wrong = { ...good, 等级: '特级' };
    await call('POST', '/v1/records', lines([{ ...good, 证书: 'D-HTTP-7' }, wrong, { ...good, 证书: 'D-HTTP-8' }, { ...good, 证书: 'D-HTTP-7' }], 'day.csv'));
    // One that names no place, and is on no list.
    await call('POST', '/v1/records', `${JSON.stringify({ kind: 'qualification', mapping: 'platform-export', row: wrong })}\n`);
    expect((await call('POST', '/v1/declarations', { days: [{ kind: 'qualification', day: today, expected: 8 }] })).status).toBe(200);
    await door.node.services.commands.declare([{ kind: 'qualification', day: today, expected: 9 }]);
    await expect.poll(daysOf, { timeout: 20_000 }).toMatchObject({ expected: 9, received: 7, refused: 2, published: 5, confirmed: 5, missing: 4, state: 'waiting' });

    const { id } = (await call('GET', '/v1/dead-letters?file=day.csv')).body.items?.[0] ?? {};
    expect((await call('POST', '/v1/dead-letters/retries', { corrections: [{ id, row: { ...good, 证书: 'D-HTTP-9' } }] })).body).toMatchObject({ accepted: 1 });
    const corrected = { received: 7, refused: 1, published: 6, confirmed: 6, missing: 3 };
    await expect.poll(daysOf, { timeout: 20_000 }).toMatchObject(corrected);
    await door.close();
    door = await world.open();
    expect(await daysOf()).toMatchObject(corrected);
  });

  test('the node acknowledges what was adopted by itself; a member that it hosts by its client; who has not is named', async () => {
    const missing = async (): Promise<readonly string[] | undefined> => (await report()).documents.find(({ id }) => id === 'qualification')?.missing;
    await expect.poll(missing, { timeout: 20_000 }).toEqual(['east-platform', 'hill', 'west-platform']);
    const [{ digest, id, of, version } = { digest: '', id: '', of: '', version: 0 }] = (await report()).documents;
    const east = await world.client('east-platform');
    await expect(east.acknowledge([{ digest: '0'.repeat(64), id, of: of as 'schema', version }])).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN' });
    await east.acknowledge([{ digest, id, of: of as 'schema', version }]);
    await expect.poll(missing, { timeout: 20_000 }).toEqual(['hill', 'west-platform']);
  });

  test('as CSV, and as a metric', async () => {
    const { text } = await call('GET', `/v1/completeness/export?kind=qualification&from=${today}`);
    expect(text.split('\r\n').slice(1, 3).map((line) => line.split(',').filter((_cell, at) => at !== 10))).toEqual([
      ['rows', 'river', 'qualification', today, '9', '7', '1', '6', '6', '3', 'waiting'],
      ['document', 'hill', 'schema/qualification/1', '', '', '', '', '', '', '', 'waiting'],
    ]);
    const { text: metrics } = await call('GET', '/metrics');
    expect(metrics.split('\n').filter((line) => line.startsWith('huilian_completeness_late{'))).toEqual(['own', 'others'].flatMap((whose) => ['days', 'documents'].map((what) => `huilian_completeness_late{whose="${whose}",what="${what}"} 0`)));
  });

  test('no day that has not come is declared, and none of a kind that nobody adopted', async () => {
    const declare = async (day: object): Promise<unknown> => (await call('POST', '/v1/declarations', { days: [{ kind: 'qualification', day: today, expected: 1, ...day }] })).body['code'];
    expect([await declare({ day: '2999-01-01' }), await declare({ day: '2026-02-30' }), await declare({ kind: 'horoscope' }), await declare({ expected: -1 })]).toEqual(['BAD_FIELD', 'BAD_FIELD', 'SCHEMA_UNKNOWN', 'BAD_FIELD']);
    expect((await call('GET', '/v1/completeness?from=2020-01-01')).body['code']).toBe('BAD_FIELD');
  });
});
