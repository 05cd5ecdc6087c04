import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { errorCatalogue, isJsonObject, type JsonObject } from '@huilian/protocol';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { qualification } from '../../node/test/sample-lines.js';
import { curlExamples } from './http-door/curl-examples.js';
import { root } from './main-job.js';
import { expectRefusal, RunningConsortium, type Answer, type Centre } from './running-consortium.js';

const consortium = new RunningConsortium();
let document: JsonObject;
beforeAll(async () => {
  await consortium.start();
  document = (await consortium.api('guangzhou').get('/openapi.json')) as JsonObject;
}, 180_000);
afterAll(async () => {
  await consortium.stop();
});

const node = (): string => consortium.api('guangzhou').url;

/** Holds an answer against the document: its status is declared, its media type and its schema are the declared ones. */
function mustAnswerAs(method: string, route: string, answer: { status: number; type: string; body: unknown }): void {
  const operation = ((document['paths'] as JsonObject)[route] as JsonObject)[method] as JsonObject;
  const responses = operation['responses'] as JsonObject;
  const declared = (responses[String(answer.status)] ?? responses['default']) as { content?: Record<string, { schema: JsonObject }> };
  if (declared.content === undefined) {
    expect([204, 302], `${method} ${route}`).toContain(answer.status);
    expect(answer.body, `${method} ${route}`).toBe('');
    return;
  }
  const media = answer.type.split(';')[0] ?? '';
  expect(Object.keys(declared.content), `${method} ${route}`).toContain(media);
  const schema = declared.content[media]?.schema ?? {};
  const check = new Ajv2020({ strict: false }).compile({ ...schema, components: document['components'] });
  expect(check(answer.body), `${method} ${route} ${String(answer.status)} ${JSON.stringify(check.errors)}`).toBe(true);
}

async function callRaw(method: string, route: string, init: RequestInit = {}): Promise<{ status: number; type: string; body: unknown; headers: Headers }> {
  const response = await fetch(`${node()}${route}`, { method, redirect: 'manual', ...init });
  const type = response.headers.get('content-type') ?? '';
  // A stream of events does not end by itself.
  const text = type.startsWith('text/event-stream') ? '' : await response.text();
  if (type.startsWith('text/event-stream')) await response.body?.cancel();
  return { status: response.status, type, body: type.includes('application/json') ? (JSON.parse(text) as unknown) : text, headers: response.headers };
}

describe('the description of the routes', () => {
  it('is OpenAPI 3.1 by a validator that is not ours', async () => {
    expect(await new Validator().validate(structuredClone(document) as Record<string, unknown>)).toEqual({ valid: true });
    expect((await new Validator().validate({ ...structuredClone(document), info: {} } as Record<string, unknown>)).valid).toBe(false);
  });

  it('holds what the routes answer: each with good values, unknown values, no token and an unknown parameter', async () => {
    const operator = { authorization: `Bearer ${consortium.operatorToken('guangzhou')}` };
    const [recordId = ''] = await consortium.records('entity', 'guangzhou');
    const [publisher = '', kind = '', localId = ''] = recordId.split('/');
    const good: Record<string, string> = { publisher, kind, localId, owner: consortium.owner, id: 'guangzhou', code: 'GRANT_EXPIRED', transaction: '0'.repeat(64), index: '0' };
    let seen = 0;
    for (const [route, methods] of Object.entries(document['paths'] as JsonObject)) {
      for (const method of Object.keys(methods as JsonObject)) {
        const filled = route.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(good[name] ?? 'x'));
        const unknown = route.replace(/\{(\w+)\}/g, '~');
        const json: RequestInit & { headers: Record<string, string> } = method === 'post' ? { body: '{}', headers: { 'content-type': 'application/json' } } : { headers: {} };
        const answers = [
          await callRaw(method.toUpperCase(), filled, { ...json, headers: { ...json.headers, ...operator } }),
          await callRaw(method.toUpperCase(), unknown, { ...json, headers: { ...json.headers, ...operator } }),
          await callRaw(method.toUpperCase(), filled, json),
        ];
        const stray = await callRaw(method.toUpperCase(), `${filled}?planted=1`, { ...json, headers: { ...json.headers, ...operator } });
        if (route !== '/v1/owners/{owner}' || stray.status !== 200) expect([400, 403], `${method} ${route} with an unknown parameter: ${String(stray.status)}`).toContain(stray.status);
        for (const answer of [...answers, stray]) {
          expect(answer.status, `${method} ${route}`).toBeLessThan(500);
          mustAnswerAs(method, route, answer);
        }
        seen += 1;
      }
    }
    expect(seen).toBeGreaterThan(30);
  }, 60_000);

  it('holds the answers of real members: a sign-in and a search', async () => {
    const signedIn = await consortium.exchange('beijing', await consortium.assertion('sample-bank'));
    mustAnswerAs('post', '/v1/token', { status: signedIn.status, type: 'application/json', body: signedIn.body });
    const form = new URLSearchParams({ client_assertion: await consortium.assertion('zhuhai-platform'), client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', grant_type: 'client_credentials' });
    expect((await fetch(`${consortium.api('zhuhai').url}/v1/token`, { method: 'POST', body: form })).status).toBe(200);
    expect((await callRaw('POST', '/v1/revocations', { body: form })).status).toBe(400);
  });

  it('has a page that takes nothing from elsewhere, and a page for each code', async () => {
    const page = await callRaw('GET', '/docs');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(String(page.body)).not.toMatch(/https?:\/\//);
    for (const code of Object.keys(errorCatalogue)) {
      const { body, status, type } = await callRaw('GET', `/errors/${code}`);
      expect([status, type]).toEqual([200, 'text/html; charset=utf-8']);
      expect(String(body)).toContain(errorCatalogue[code as keyof typeof errorCatalogue].next.zh);
    }
    const refused = await callRaw('GET', '/v1/members/no-such-member');
    expect((refused.body as { help: string }).help).toBe('/errors/MEMBER_UNKNOWN');
  });
});

curlExamples(consortium);

describe('what is no good call', () => {
  it('another method than the address takes is told which it takes', async () => {
    for (const [method, route, allow] of [['DELETE', '/v1/members', 'GET, HEAD'], ['PUT', '/v1/records?limit=1', 'GET, HEAD, POST'], ['GET', '/v1/token', 'POST']] as const) {
      const answer = await callRaw(method, route);
      expect([answer.status, answer.headers.get('allow'), (answer.body as { code: string }).code]).toEqual([405, allow, 'METHOD_NOT_ALLOWED']);
    }
    expect((await callRaw('DELETE', '/v1/nowhere')).status).toBe(404);
  });

  const post = async (route: string, body: string | Buffer, type = 'application/json'): Promise<Answer> => {
    const { body: answer, headers, status } = await callRaw('POST', route, { body: body as BodyInit, headers: { 'content-type': type, authorization: `Bearer ${consortium.operatorToken('guangzhou')}` } });
    return { status, headers, body: isJsonObject(answer) ? { ...answer } : {} };
  };

  it.each([
    ['a key twice', '{"proposal":"a","proposal":"b"}'],
    ['__proto__', '{"__proto__":{"role":"operator"}}'],
    ['a byte order mark', '\ufeff{}'],
    ['bad UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['nothing', ''],
    ['100,000 levels', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['a million keys', `{${Array.from({ length: 100_001 }, (_, at) => `"k${String(at)}":1`).join(',')}}`.slice(0, 1_000_000)],
  ])('%s in a body is refused with 400', async (_name, body) => {
    const answer = await post('/v1/governance/approve', body);
    expectRefusal(answer, 'CANONICAL_INVALID', 400);
  });

  it('a constructor is a field like any unknown one', async () => {
    expectRefusal(await post('/v1/governance/approve', '{"constructor":{"prototype":{}}}'), 'UNKNOWN_FIELD', 400);
  });

  it('one byte over the size is 413, whole or in chunks', async () => {
    const over = `{"proposal":"${'a'.repeat(1_048_576)}"}`;
    expectRefusal(await post('/v1/governance/approve', over), 'BODY_TOO_LARGE', 413);
    expectRefusal(await post('/v1/token', `{"client_assertion":"${'a'.repeat(20_000)}"}`), 'BODY_TOO_LARGE', 413);
  });

  it('a compressed body is not inflated', async () => {
    const { status } = await callRaw('POST', '/v1/token', { body: Buffer.alloc(1000), headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } });
    expect(status).toBe(400);
  });

  it.each(['limit=1000000000', 'limit=-1', 'limit=1.5', 'limit=1e2', 'cursor=AAAAAAAAAAAAAAAAAAAAAAAA', 'cursor=../../..', 'kind=entity&kind=credit', 'planted=1', 'status=gone'])('records?%s is refused with 400', async (query) => {
    const answer = await consortium.call('guangzhou', 'GET', `/v1/records?${query}`, undefined, 'operator');
    expect(answer.status).toBe(400);
  });

  it('a cursor goes on where its page ended, for its own question only', async () => {
    const all: string[] = [];
    let cursor = '';
    do {
      const { body } = await consortium.call('guangzhou', 'GET', `/v1/records?limit=25${cursor}`, undefined, 'operator');
      all.push(...(body['items'] as { recordId: string }[]).map(({ recordId }) => recordId));
      cursor = typeof body['cursor'] === 'string' ? `&cursor=${body['cursor']}` : '';
      if (cursor !== '') {
        expectRefusal(await consortium.call('guangzhou', 'GET', `/v1/records?kind=entity${cursor}`, undefined, 'operator'), 'BAD_FIELD', 400);
        expectRefusal(await consortium.call('guangzhou', 'GET', `/v1/members?limit=1${cursor}`), 'BAD_FIELD', 400);
        expectRefusal(await consortium.call('zhuhai', 'GET', `/v1/records?limit=25${cursor}`, undefined, 'operator'), 'BAD_FIELD', 400);
      }
    } while (cursor !== '');
    const { body } = await consortium.call('guangzhou', 'GET', '/v1/records?limit=500', undefined, 'operator');
    expect(all).toEqual((body['items'] as { recordId: string }[]).map(({ recordId }) => recordId));
    expect(new Set(all).size).toBe(all.length);
  }, 60_000);

  it('an assertion is used once, also after a restart; a key of idempotency has a grammar', async () => {
    const assertion = await consortium.assertion('sample-bank');
    expect((await consortium.exchange('beijing', assertion)).status).toBe(200);
    expectRefusal(await consortium.exchange('beijing', assertion), 'REPLAYED', 401);
    await consortium.end('beijing');
    await consortium.startNode('beijing');
    expectRefusal(await consortium.exchange('beijing', assertion), 'REPLAYED', 401);
    const { status } = await callRaw('POST', '/v1/revocations', { body: '{}', headers: { 'content-type': 'application/json', 'idempotency-key': 'two words' } });
    expect(status).toBe(400);
  });

  it('a head or a body that comes too slowly is closed within 10 seconds', async () => {
    const { hostname, port } = new URL(node());
    const closedAfter = async (sent: string): Promise<number> => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      socket.resume();
      const began = performance.now();
      socket.write(sent);
      await once(socket, 'close');
      return performance.now() - began;
    };
    const head = 'POST /v1/token HTTP/1.1\r\nhost: node\r\n';
    const times = await Promise.all([closedAfter(''), closedAfter(head), closedAfter(`${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`), closedAfter(`${head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n`)]);
    for (const time of times) expect(time).toBeLessThan(10_500);
  }, 20_000);

  it('1,000 connections that say nothing cost little, are closed, and hold nobody up', async () => {
    const { hostname, port } = new URL(node());
    const residentKib = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${String(consortium.processOf('guangzhou').pid)}/status`, 'utf8'))?.[1]);
    const before = process.platform === 'linux' ? residentKib() : 0;
    const sockets = Array.from({ length: 1000 }, () => connect(Number(port), hostname).on('error', () => undefined).resume());
    const closed = Promise.all(sockets.map(async (socket) => { await once(socket, 'close'); }));
    expect((await consortium.call('guangzhou', 'GET', '/v1/consortium')).status).toBe(200);
    await closed;
    if (process.platform === 'linux') expect(residentKib() - before).toBeLessThan(64 * 1024);
  }, 40_000);

  it('both lengths in one head are refused', async () => {
    const { hostname, port } = new URL(node());
    const socket = connect(Number(port), hostname);
    socket.write('POST /v1/token HTTP/1.1\r\nhost: node\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('a flood of bad sign-ins is answered 429 with the time to wait, others are served meanwhile', async () => {
    const seen = new Map<number, number>();
    let limited: Answer | undefined;
    const began = Date.now();
    for (let round = 0; round < 60 && limited === undefined; round += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, async () => await consortium.exchange('beijing', 'a.b.c')));
      for (const answer of answers) {
        seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
        if (answer.status === 429) limited = answer;
      }
    }
    expect([...seen.keys()].sort()).toEqual([401, 429]);
    // A minute's worth at once, and what came back since.
    expect(seen.get(401)).toBeLessThanOrEqual(600 + (Date.now() - began) / 100);
    expectRefusal(limited as Answer, 'RATE_LIMITED', 429);
    expect(Number(limited?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await consortium.call('beijing', 'GET', '/v1/consortium')).status).toBe(200);
  }, 120_000);
});

describe('a node with settings of its own', () => {
  const change = async (centre: Centre, http: object, others: object = {}): Promise<void> => {
    const file = path.join(consortium.dir, 'nodes', centre, 'huilian.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as { http: object };
    await consortium.end(centre);
    writeFileSync(file, JSON.stringify({ ...config, ...others, http: { ...config.http, ...http } }));
    await consortium.startNode(centre);
  };
  const lines = `${JSON.stringify({ kind: 'qualification', data: qualification(920001) })}\n`;

  it('says by the status that it takes no records, whatever their number, and goes on answering', async () => {
    await change('zhuhai', {}, { diskFloorBytes: 2 ** 50 });
    expectRefusal(await consortium.call('zhuhai', 'POST', '/v1/records', lines, 'operator'), 'DISK_NEARLY_FULL', 507);
    expectRefusal(await consortium.call('zhuhai', 'POST', '/v1/records', lines.repeat(3000), 'operator'), 'DISK_NEARLY_FULL', 507);
    expect((await consortium.call('zhuhai', 'GET', '/v1/records?limit=1', undefined, 'operator')).status).toBe(200);
    await change('zhuhai', {}, { diskFloorBytes: 0 });
    const taken = await consortium.call('zhuhai', 'POST', '/v1/records', lines, 'operator');
    expect(taken).toMatchObject({ status: 200, body: { lines: expect.arrayContaining([{ summary: { accepted: 1, lines: 1, refused: 0, unchanged: 0 } }]) as unknown } });
  }, 60_000);

  it('counts calls by the address that a trusted proxy names, and not those of the operator', async () => {
    await change('zhuhai', { callsPerMinute: 60, trustedProxies: ['127.0.0.1'] });
    const from = async (address: string, token?: string): Promise<number> =>
      (await fetch(`${consortium.api('zhuhai').url}/v1/consortium`, { headers: { 'x-forwarded-for': address, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } })).status;
    const statuses = await Promise.all(Array.from({ length: 61 }, async () => await from('198.51.100.7')));
    expect(statuses.filter((status) => status === 429)).toHaveLength(1);
    expect(await from('198.51.100.8')).toBe(200);
    expect(await from('198.51.100.7', consortium.operatorToken('zhuhai'))).toBe(200);
    // Without that setting a caller's own word on where it comes from counts for nothing.
    await change('zhuhai', { callsPerMinute: 60, trustedProxies: [] });
    const invented = await Promise.all(Array.from({ length: 61 }, async (_item, at) => await from(`198.51.100.${String(at)}`)));
    expect(invented.filter((status) => status === 429)).toHaveLength(1);
  }, 60_000);
});

async function runGuide(page: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn(process.execPath, [path.join(root, 'scripts', 'run-guide.mjs'), path.join(root, page)], { cwd: root, env: { ...process.env, ...variables }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number];
  expect(code, output).toBe(0);
  return output;
}

describe('docs/operations/tls.md', () => {
  it('runs to its end: TLS by an own certificate, nothing older, nothing plain, renewed without a restart', async () => {
    await consortium.end('zhuhai');
    const output = await runGuide('docs/operations/tls.md', { NODE: path.join(consortium.dir, 'nodes', 'zhuhai') });
    expect(output).toContain('{"status":"up"}');
    expect(output).toContain('{"ready":true,"reasons":[]}');
  }, 120_000);
});

describe('docs/protocol/http.md', () => {
  it('signs a member in without the SDK', async () => {
    const output = await runGuide('docs/protocol/http.md', { MEMBER_KEYS: path.join(consortium.dir, 'members', 'guangzhou-platform', 'member-keys.json'), NODE: consortium.api('guangzhou').url });
    expect((JSON.parse(output) as { items: unknown[] }).items).toHaveLength(1);
  });

  it('has a line for each operation, and only for those', () => {
    const page = readFileSync(path.join(import.meta.dirname, '../../docs/protocol/http.md'), 'utf8');
    const named = [...page.matchAll(/^\| `([A-Z]+ \/[^`]*)` \|/gm)].map(([, operation]) => operation);
    const declared = Object.entries(document['paths'] as JsonObject).flatMap(([route, methods]) => Object.keys(methods as JsonObject).map((method) => `${method.toUpperCase()} ${route}`));
    expect(named).toEqual(declared);
  });
});
