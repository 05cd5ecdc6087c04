// The sandbox and the sidecar as their pages describe them: every request of docs/sandbox.md is sent as it stands, and
// docs/integrators.md is run from an empty folder.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../node/src/composition/local/free-ports.js';
import { huilian, readJson, root, stateFolder, type Run } from './main-job.js';
import { endProcess } from './open-state.js';

const state = stateFolder();
const sandbox = path.join(state.dir, 'sandbox');
const running: ChildProcess[] = [];
afterAll(async () => {
  for (const child of running.reverse()) await endProcess(child);
  state.remove();
});

interface Started {
  readonly child: ChildProcess;
  readonly ready: Readonly<Record<string, string>>;
  readonly log: () => string;
}

/** Starts a command of the built program; answers what it says when it is ready, and what it wrote by then and later. */
async function start(...args: readonly string[]): Promise<Started> {
  const child = spawn(process.execPath, [path.join(root, 'node', 'bin', 'huilian.js'), ...args], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  running.push(child);
  let log = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ready = await new Promise<Record<string, string>>((resolve, reject) => {
    child.once('message', (message) => { resolve(message as Record<string, string>); });
    child.once('exit', (code) => { reject(new Error(`${args.join(' ')} ended with ${String(code)}: ${log}`)); });
  });
  return { child, ready, log: () => log };
}

async function bash(script: string, cwd: string, environment: Readonly<Record<string, string>>): Promise<Run> {
  const child = spawn('bash', ['-c', script], { cwd, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

const jdk = Number(/version "(\d+)/.exec(spawnSync('java', ['-version'], { encoding: 'utf8' }).stderr ?? '')?.[1] ?? 0);
if (jdk < 17) console.warn('SKIPPED: no Java 17 or newer on PATH, so docs/integrators.md was not run / 未找到 Java 17，未执行集成指南');

/** The guide runs beside the cases: it has a sandbox and a sidecar of its own. */
const empty = path.join(state.dir, 'empty');
let guide: Promise<Run> | undefined;
beforeAll(async () => {
  if (jdk < 17) return;
  mkdirSync(empty);
  const [port = 0] = await freePorts(1);
  guide = bash(`node '${path.join(root, 'scripts', 'run-guide.mjs')}' '${path.join(root, 'docs', 'integrators.md')}'`, empty, { HUILIAN: root, PORT: String(port) });
});

/** A path as declared, with values for its names. */
function filled(route: string, values: Readonly<Record<string, string>>): string {
  return route.replace(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? 'x');
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content: { readonly 'application/json': { readonly schema: object } } }>>;
}

function mustAnswerAs(what: string, operation: Operation | undefined, components: object, { body, status }: { readonly body: unknown; readonly status: number }): void {
  const schema = operation?.responses[String(status)]?.content['application/json'].schema;
  expect(schema, `${what} is not described: ${JSON.stringify(body).slice(0, 200)}`).toBeDefined();
  const holds = new Ajv2020({ strict: false }).compile({ ...schema, components });
  expect(holds(body), `${what}: ${JSON.stringify(holds.errors)}`).toBe(true);
}

const page = readFileSync(path.join(root, 'docs', 'sandbox.md'), 'utf8');
const prologue = [...page.matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(([, block]) => block).join('\n');
const cases = [...page.matchAll(/^\| ([^|]+) \| `([^`]+)` \| `(\d+)` \| `([^`]+)` \|$/gm)].map(([, what = '', call = '', status = '', answer = '']) => ({ what, call, status, answer }));

interface SandboxFile {
  readonly charter: string;
  readonly nodes: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, { readonly keys: string; readonly node: string }>>;
  readonly records: Readonly<Record<string, string>>;
}

describe('the sandbox', () => {
  let reader: Started;
  let facts: SandboxFile;
  /** What came back, case by case. */
  let answers: readonly { readonly body: string; readonly status: string; readonly seconds: number }[];
  let token: string;
  let sandboxProcess: ChildProcess;

  const call = async (method: string, route: string, { headers = {}, body }: { headers?: Readonly<Record<string, string>>; body?: string } = {}): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Record<string, unknown> }> =>
    await new Promise((resolve, reject) => {
      const sent = request(`${reader.ready['url'] ?? ''}${route}`, { method, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => { resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) as Record<string, unknown> }); });
      });
      sent.on('error', reject);
      // A length that is only announced: the answer comes before the body would.
      if (headers['content-length'] === undefined) sent.end(body);
      else sent.flushHeaders();
    });
  const signedIn = (): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

  beforeAll(async () => {
    ({ child: sandboxProcess } = await start('sandbox', '--state', sandbox));
    facts = readJson<SandboxFile>(path.join(sandbox, 'sandbox.json'));
    const { keys = '', node = '' } = facts.members['sample-bank'] ?? {};
    reader = await start('reader', '--node', node, '--member-keys', keys, '--charter', facts.charter, '--port', '0', '--patience', '0');
    token = readFileSync(reader.ready['token'] ?? '', 'utf8').trim();
    const script = [
      'set -u',
      `huilian() { node '${path.join(root, 'node', 'bin', 'huilian.js')}' "$@"; }`,
      prologue,
      ...cases.map(({ call: request }) => `began=$(date +%s%N); printf '\\x1e'; ${request}; printf '\\x1f%s' $(( ($(date +%s%N) - began) / 1000000 ))`),
    ].join('\n');
    const run = await bash(script, state.dir, { SANDBOX: sandbox, READER: reader.ready['url'] ?? '' });
    expect(run.stderr).toBe('');
    answers = run.stdout.split('\x1e').slice(1).map((text) => {
      const [answer = '', milliseconds = ''] = text.split('\x1f');
      const lines = answer.trimEnd().split('\n');
      return { body: lines.slice(0, -1).join('\n'), status: lines.at(-1) ?? '', seconds: Number(milliseconds) / 1000 };
    });
  }, 180_000);

  it('has a request on its page for every record, grant, owner and member it made', () => {
    expect(cases.length).toBeGreaterThan(35);
    const made = readFileSync(path.join(sandbox, 'sandbox.env'), 'utf8').split('\n').flatMap((line) => /^((?:RECORD|GRANT|OWNER|KEYS)_\w+)=/.exec(line)?.[1] ?? []);
    expect(made.length).toBeGreaterThan(25);
    expect(made.filter((name) => !cases.some(({ call: sent }) => new RegExp(`\\$${name}\\b`).test(sent)))).toEqual([]);
  });

  it.each(cases.map((each, index) => [index, each.what, each.call, each] as const))('%i %s: %s', (index, _what, _call, { answer, status }) => {
    const found = answers[index];
    expect(`${found?.body ?? ''} ${found?.status ?? ''}`).toContain(answer);
    expect(found?.status).toBe(status);
  });

  it('delays where its page says so', () => {
    const secondsOf = (what: string): number => answers[cases.findIndex((each) => each.what === what)]?.seconds ?? 0;
    expect(secondsOf('answered after 3 seconds')).toBeGreaterThanOrEqual(3);
    expect(secondsOf('granted late')).toBeGreaterThanOrEqual(4.5);
  });

  it('has the same record ids wherever it is made', () => {
    expect(facts.records).toMatchObject({ credit: 'guangzhou/credit/yqedetze74w5asihwkcb4rjt5y', away: 'zhuhai/credit/dskedrdutxs5tpso7u76svpdsa' });
  });

  it('keeps its folder from the walk-through, and refuses the walk-through’s', async () => {
    const mixed = await huilian(['local', 'up', '--once', '--state', sandbox]);
    expect(mixed.code).not.toBe(0);
    expect(mixed.stderr).toContain('BAD_FIELD');
  });

  describe('the examples of the SDK, one after the other', () => {
    const examples = [...readFileSync(path.join(root, 'sdk', 'client', 'README.md'), 'utf8').matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, program = '']) => program);
    const said: readonly (readonly [who: string, expected: readonly RegExp[]])[] = [
      ['a platform publishes', [/^line 1: guangzhou\/qualification\/[a-z2-7]{26} v1$/m, /^durable to row \d+$/m]],
      ['a bank reads', [/value: 'CR-SANDBOX-credit'/, /value: '92\.50'/, /^GRANT_EXHAUSTED the grant has no uses left 授权次数已用完$/m]],
      ['an owner answers', [/^Sample Bank 信用核验 \[/m, /'registered'/, /'grant-revoked'/, /did not answer: \[ 'zhuhai' \]/]],
      ['anyone verifies', [/^holds +the content has the digests of the headers/m, /^not-provable-yet +no revocation came later/m, /^verified: true$/m]],
    ];

    it('are all expected here', () => { expect(examples).toHaveLength(said.length); });

    it.each(said.map(([who, expected], index) => [who, index, expected] as const))('%s', async (_who, index, expected) => {
      const child = spawn(process.execPath, ['--input-type=module', '--eval', examples[index] ?? ''], { cwd: root, env: { ...process.env, SANDBOX: sandbox, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
      let [out, error] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
      expect(await new Promise((resolve) => child.once('close', resolve)), error).toBe(0);
      for (const text of expected) expect(out).toMatch(text);
    }, 60_000);
  });

  describe('its sidecar', () => {
    it('answers nobody without its token, and tells why in both languages', async () => {
      const refusal = { code: 'TOKEN_INVALID', message: { zh: expect.stringMatching(/\p{Script=Han}/u) as string, en: expect.any(String) as string } };
      for (const authorization of ['', 'Bearer nothing-like-the-token-at-all', token]) {
        expect(await call('GET', '/v1/status', { headers: authorization === '' ? {} : { authorization } })).toMatchObject({ status: 401, body: refusal });
      }
      expect(await call('GET', '/v1/status', { headers: signedIn() })).toMatchObject({ status: 200, body: { reader: 'sample-bank', node: 'beijing', fingerprint: facts.charter } });
    });

    it('tells a sign-in that the node refuses from a wrong token of its own', async () => {
      const { keys = '', node = '' } = facts.members['suspended-bank'] ?? {};
      const { ready } = await start('reader', '--node', node, '--member-keys', keys, '--charter', facts.charter, '--port', '0', '--patience', '0');
      const headers = { authorization: `Bearer ${readFileSync(ready['token'] ?? '', 'utf8').trim()}` };
      const response = await fetch(`${ready['url'] ?? ''}/v1/records`, { headers });
      expect({ status: response.status, body: (await response.json()) as object }).toMatchObject({ status: 502, body: { code: 'EXCHANGE_FAILED', details: { reason: 'sign-in', refused: 'TOKEN_INVALID' } } });
    }, 30_000);

    it('refuses another Host name and every Origin, with the right token too', async () => {
      for (const host of ['reader.example.org', '127.0.0.1', '127.0.0.1:1', 'localhost.example.org']) {
        expect(await call('GET', '/v1/status', { headers: { ...signedIn(), host } }), host).toMatchObject({ status: 403, body: { code: 'FORBIDDEN', details: { reason: 'host' } } });
        expect((await call('GET', '/healthz', { headers: { host } })).status, host).toBe(403);
      }
      const page = await call('GET', '/v1/status', { headers: { ...signedIn(), origin: 'http://127.0.0.1' } });
      expect(page).toMatchObject({ status: 403, body: { details: { reason: 'origin' } } });
      expect(Object.keys(page.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    });

    it('reads strictly', async () => {
      const ask = async (body: string): Promise<unknown> => (await call('POST', '/v1/asks', { headers: signedIn(), body })).body['code'];
      expect(await ask('{"owner":"a","owner":"b"}')).toBe('CANONICAL_INVALID');
      expect(await ask('{')).toBe('CANONICAL_INVALID');
      expect(await ask('[]')).toBe('BAD_FIELD');
      const tooLarge = { ...signedIn(), 'content-type': 'application/json', 'content-length': String(5 * 1024 * 1024) };
      expect(await call('POST', '/v1/asks', { headers: tooLarge })).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
      expect((await call('GET', '/v1/records?surprise=1', { headers: signedIn() })).body['code']).toBe('UNKNOWN_FIELD');
      expect((await call('GET', '/v1/records?limit=1&limit=2', { headers: signedIn() })).body['code']).toBe('BAD_FIELD');
      expect(await call('GET', '/v1/nothing', { headers: signedIn() })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    });

    it('hands records out page by page', async () => {
      const first = (await call('GET', '/v1/records?kind=credit&limit=4', { headers: signedIn() })).body as { items: { recordId: string }[]; cursor: string };
      const second = (await call('GET', `/v1/records?kind=credit&limit=4&cursor=${encodeURIComponent(first.cursor)}`, { headers: signedIn() })).body as { items: { recordId: string }[] };
      expect(new Set([...first.items, ...second.items].map(({ recordId }) => recordId)).size).toBe(8);
    });

    it('sends a receipt when asked to, once its evidence can be had', async () => {
      const grant = readFileSync(path.join(sandbox, 'grants', 'good.json'), 'utf8');
      const opened = await call('POST', '/v1/tickets', { headers: signedIn(), body: `{"recordIds":["${facts.records['credit'] ?? ''}"],"claims":["score"],"purpose":"credit-check","grant":${grant}}` });
      const ticket = String(opened.body['ticket']);
      const read = async (body?: string): Promise<Record<string, unknown>> => (await call('POST', `/v1/tickets/${ticket}/read`, { headers: signedIn(), ...(body === undefined ? {} : { body }) })).body;
      expect(await read('{"receipt":false}')).toMatchObject({ records: [{ claims: { score: { score: '92.50' } } }] });
      expect(await call('GET', `/v1/tickets/${ticket}/evidence`, { headers: signedIn() })).toMatchObject({ status: 404 });
      expect((await call('POST', `/v1/tickets/${ticket}/receipt`, { headers: signedIn() })).body).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
      const evidence = (await call('GET', `/v1/tickets/${ticket}/evidence`, { headers: signedIn() })).body;
      const { records } = (await read()) as { records: { presentation: string }[] };
      const verify = async (file: unknown): Promise<unknown> => (await call('POST', '/v1/evidence/verify', { headers: signedIn(), body: JSON.stringify({ evidence: file, presentations: records.map(({ presentation }) => presentation) }) })).body['ok'];
      expect(await verify(evidence)).toBe(true);
      expect(await verify({ ...evidence, jweDigest: '0'.repeat(64) })).toBe(false);
    }, 30_000);

    it('describes itself in OpenAPI 3.1, and answers as it says', async () => {
      const { body } = await call('GET', '/openapi.json');
      expect(await new Validator().validate(structuredClone(body))).toEqual({ valid: true });
      expect((await new Validator().validate({ ...structuredClone(body), info: {} })).valid).toBe(false);
      const { components, paths } = body as { components: object; paths: Record<string, Record<string, Operation>> };
      const grant = JSON.parse(readFileSync(path.join(sandbox, 'grants', 'good.json'), 'utf8')) as object;
      const recordId = facts.records['credit-2'] ?? '';
      const opened = await call('POST', '/v1/tickets', { headers: signedIn(), body: JSON.stringify({ recordIds: [recordId], claims: ['entry'], purpose: 'credit-check', grant }) });
      const asked = await call('POST', '/v1/asks', { headers: signedIn(), body: JSON.stringify({ owner: 'org:91440105MAH000016C', claims: ['credit/entry'], purpose: 'credit-check', project: 'sample project' }) });
      const [transaction = '', index = ''] = String(opened.body['ticket']).split('/');
      const [publisher = '', kind = '', localId = ''] = (facts.records['public'] ?? '').split('/');
      const good: Readonly<Record<string, string>> = { transaction, index, publisher, kind, localId, id: (asked.body['ask'] as { id: string }).id };
      const answers = [{ route: '/v1/tickets', method: 'post', answer: opened }, { route: '/v1/asks', method: 'post', answer: asked }];
      for (const [route, operations] of Object.entries(paths)) {
        for (const method of Object.keys(operations)) {
          const body = method === 'post' ? { body: '{}' } : {};
          answers.push({ route, method, answer: await call(method.toUpperCase(), filled(route, good), { headers: signedIn(), ...body }) });
          answers.push({ route, method, answer: await call(method.toUpperCase(), filled(route, { transaction: '0'.repeat(64), index: '0' }), { headers: signedIn(), ...body }) });
          answers.push({ route, method, answer: await call(method.toUpperCase(), filled(route, good), body) });
        }
      }
      for (const { answer, method, route } of answers) {
        mustAnswerAs(`${method} ${route} ${String(answer.status)}`, paths[route]?.[method], components, answer);
      }
      const statuses = new Set(answers.map(({ answer }) => answer.status));
      for (const status of [200, 400, 401, 404]) expect(statuses).toContain(status);
    }, 30_000);

    it('has its token to itself, and logs no id, token or content', async () => {
      expect(statSync(reader.ready['token'] ?? '').mode & 0o777).toBe(0o600);
      const log = reader.log();
      expect(log).toContain('"route":"/v1/tickets/:transaction/:index/read"');
      for (const secret of [token, facts.records['credit'] ?? 'no record', '91440105MAH000016C', '92.50', 'CR-SANDBOX', '示例']) expect(log).not.toContain(secret);
    });

    it('does not start with keys that others can read, on another address than loopback, or for another consortium', async () => {
      const { keys = '', node = '' } = facts.members['sample-bank'] ?? {};
      const codeOf = ({ stderr }: Run): string => (JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}') as { error: { code: string } }).error.code;
      const loose = path.join(state.dir, 'loose-token');
      await bash(`umask 022; echo ${'x'.repeat(40)} > '${loose}'`, state.dir, {});
      const args = ['reader', '--json', '--node', node, '--member-keys', keys, '--port', '0'];
      expect(codeOf(await huilian([...args, '--charter', facts.charter, '--token-file', loose]))).toBe('CONFIG_INVALID');
      expect(codeOf(await huilian([...args, '--charter', '0'.repeat(64)]))).toBe('CHARTER_MISMATCH');
      const elsewhere = await huilian([...args, '--charter', facts.charter, '--host', '0.0.0.0']);
      expect(elsewhere.code).not.toBe(0);
      expect(elsewhere.stderr).toContain('BAD_FIELD');
    }, 30_000);
  });

  it('is found as it was by a second start, by its sidecar too, which signs in again by itself', async () => {
    await endProcess(sandboxProcess);
    expect((await call('GET', '/readyz')).status).toBe(503);
    await start('sandbox', '--state', sandbox);
    expect(readJson<SandboxFile>(path.join(sandbox, 'sandbox.json'))).toEqual(facts);
    expect((await call('GET', '/readyz')).status).toBe(200);
    const grant = readFileSync(path.join(sandbox, 'grants', 'good.json'), 'utf8');
    const opened = await call('POST', '/v1/tickets', { headers: signedIn(), body: `{"recordIds":["${facts.records['credit'] ?? ''}"],"claims":["entry"],"purpose":"credit-check","grant":${grant}}` });
    expect((await call('POST', `/v1/tickets/${String(opened.body['ticket'])}/read`, { headers: signedIn() })).body).toMatchObject({ records: [{ claims: { entry: { code: 'CR-SANDBOX-credit' } } }] });
  }, 60_000);
});

describe.skipIf(jdk < 17)('docs/integrators.md from an empty folder', () => {
  let run: Run;

  beforeAll(async () => {
    run = (await guide) as Run;
  }, 180_000);

  it('runs to its end as it stands', () => {
    const logs = ['sandbox.log', 'reader.log'].map((name) => path.join(empty, name)).filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8').slice(-1500));
    expect(run.code, `${run.stderr}\n${run.stdout.slice(-3000)}\n${logs.join('\n')}`).toBe(0);
  });

  it('reads one credit record through the sidecar and through the Java example, with the same content', () => {
    const read = readJson<{ records: { recordId: string; claims: object }[]; receipt: object }>(path.join(empty, 'read.json'));
    const java = readJson<{ records: { recordId: string; claims: object }[] }>(path.join(empty, 'java.json'));
    expect(read.records.map(({ claims }) => claims)).toEqual([
      { entry: { code: 'CR-SANDBOX-credit', category: 'award' }, score: { system: '示例信用评价体系', year: '2026', score: '92.50', rank: '12' } },
    ]);
    expect(java.records.map(({ claims, recordId }) => ({ claims, recordId }))).toEqual(read.records.map(({ claims, recordId }) => ({ claims, recordId })));
    expect(read.receipt).toMatchObject({ digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(run.stderr).toContain('REFUSED PAYLOAD_DIGEST_MISMATCH: ');
  });
});
