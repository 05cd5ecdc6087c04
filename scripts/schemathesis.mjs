// Tries a running consortium by its own /openapi.json with schemathesis (PyPI):
//   node scripts/schemathesis.mjs [--requests 20000] [--seed 1]
// Of the events it asks for pages: a stream does not end by itself. Webhooks have a target on this machine.
// It makes a local consortium in a folder of its own, installs schemathesis into the user's cache folder where it is not there
// yet (needs python3 with venv and pip), and sends rounds of calls as the operator, as members and as nobody, until so many were
// sent. The first finding ends it with 1; without Python it ends with 3.
import { spawn, spawnSync } from 'node:child_process';
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const version = '4.32.5';
const root = path.join(import.meta.dirname, '..');
// What a schema cannot say (a signature that fits, a date within a term) is refused with 400 although the schema is met, so
// positive_data_acceptance is no fault here.
const checks = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance', 'response_schema_conformance', 'negative_data_rejection', 'missing_required_header', 'unsupported_method', 'ignored_auth', 'use_after_free', 'ensure_resource_availability'];

const webhooksAtOnce = 10;

const { values: options } = parseArgs({ options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } } });
const wanted = Number(options.requests);
const firstSeed = Number(options.seed);
if (!(wanted > 0) || !Number.isSafeInteger(firstSeed)) throw new Error('--requests and --seed are whole numbers');

const program = installed();
/** Takes whatever a webhook tells it. */
const target = createServer((call, answer) => { call.resume().on('end', () => answer.writeHead(204).end()); }).listen(0, '127.0.0.1');
await once(target, 'listening');
const listening = target.address();
const targetPort = listening !== null && typeof listening === 'object' ? listening.port : 0;
const folder = mkdtempSync(path.join(tmpdir(), 'huilian-schemathesis-'));
const state = path.join(folder, 'state');
/** @type {import('node:child_process').ChildProcess | undefined} */
let consortium;
let code = 1;
try {
  consortium = await start();
  code = await rounds();
} finally {
  if (consortium !== undefined && consortium.exitCode === null) {
    consortium.kill('SIGTERM');
    await once(consortium, 'exit');
  }
  if (code === 0) rmSync(folder, { recursive: true, force: true });
  else process.stdout.write(`state and logs are kept in ${folder}\n`);
}
process.exit(code);

/** Path of the program; installed on first use. */
function installed() {
  const home = path.join(process.env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'huilian', `schemathesis-${version}`);
  const found = path.join(home, 'bin', 'schemathesis');
  if (existsSync(found)) return found;
  process.stdout.write(`schemathesis ${version} is installed into ${home}\n`);
  mkdirSync(path.dirname(home), { recursive: true });
  for (const [command, ...args] of [['python3', '-m', 'venv', home], [path.join(home, 'bin', 'pip'), 'install', '--quiet', `schemathesis==${version}`]]) {
    if (spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0) continue;
    rmSync(home, { recursive: true, force: true });
    process.stderr.write('schemathesis cannot be installed: python3 with venv and pip, and PyPI, are needed\n');
    process.exit(3);
  }
  return found;
}

/** A consortium with its sample data, whose nodes count no calls: all come from one address here. */
async function start() {
  const local = [path.join(root, 'node', 'bin', 'huilian.js'), 'local', 'up', '--state', state];
  const made = spawnSync(process.execPath, [...local, '--once'], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`the consortium did not come up: ${made.stderr}`);
  for (const centre of readdirSync(path.join(state, 'nodes'))) {
    const file = path.join(state, 'nodes', centre, 'huilian.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...config, http: { ...config.http, callsPerMinute: 10_000_000, signaturesPerMinute: 1_000_000 }, webhooks: { allowHttp: true, allowPrivate: ['127.0.0.0/8'] } }));
  }
  const child = spawn(process.execPath, local, { stdio: ['ignore', 'pipe', 'inherit'] });
  child.once('exit', (status) => { if (status !== 0 && status !== null) process.stderr.write(`the consortium ended with ${status}\n`); });
  let said = '';
  await new Promise((resolve) => child.stdout.on('data', (chunk) => {
    said += chunk;
    if (said.includes('Ctrl-C')) resolve(undefined);
  }));
  return child;
}

async function rounds() {
  const callers = [{ node: 'guangzhou', as: 'operator' }, { node: 'beijing', as: 'sample-bank' }, { node: 'zhuhai', as: 'zhuhai-platform' }, { node: 'zhuhai' }];
  let sent = 0;
  // Each caller has both turns, however few are wanted.
  for (let round = 0; sent < wanted || round < 2 * callers.length; round += 1) {
    const caller = callers[round % callers.length];
    // Every other turn of all callers asks for things that exist, with good values only.
    const known = Math.floor(round / callers.length) % 2 === 1;
    const { cases, output, status } = await runOnce(caller, known, firstSeed + round);
    writeFileSync(path.join(folder, `round-${round + 1}.log`), output);
    sent += cases;
    const who = `${caller.as ?? 'nobody'} at ${caller.node}, ${known ? 'names that exist' : 'names as they come'}`;
    process.stdout.write(`round ${round + 1}: ${cases} cases as ${who}; ${sent} in all; ${status === 0 ? 'no finding' : 'findings'}\n`);
    if (status !== 0 || cases === 0) {
      process.stdout.write(output);
      return 1;
    }
  }
  const faults = faultsInLogs();
  process.stdout.write(`${sent} cases, seeds ${firstSeed} onwards, ${faults.length} faults in the logs\n${faults.join('\n')}`);
  return faults.length === 0 ? 0 : 1;
}

/**
 * @param {{ node: string, as?: string }} caller
 * @param {boolean} known
 * @param {number} seed
 */
async function runOnce({ as, node }, known, seed) {
  const url = urlOf(node);
  const token = as === undefined ? undefined : as === 'operator' ? operatorToken(node) : await memberToken(as, url);
  const args = ['run', `${url}/openapi.json`, ...(token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`]), '--checks', checks.join(','), '--seed', String(seed), '--max-examples', '40', '--mode', known ? 'positive' : 'all', '--workers', '1', '--continue-on-failure', '--warnings', 'off', '--exclude-path-regex', '^/docs', '--header', 'Accept: application/json', '--no-color'];
  const env = { ...process.env, SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: path.join(root, 'scripts', 'schemathesis'), PYTHONDONTWRITEBYTECODE: '1', HUILIAN_KNOWN: JSON.stringify(known ? { ...(await names(url)), ...(await webhooks(url, token)) } : {}) };
  const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  if (child.exitCode === null) await once(child, 'exit');
  return { cases: Number(/([\d,]+) generated/.exec(output)?.[1]?.replaceAll(',', '') ?? 0), output, status: child.exitCode };
}

/** Names that exist, by the parameter they stand for: one record's, one owner's. */
async function names(url) {
  const operator = { headers: { authorization: `Bearer ${operatorToken('guangzhou')}` } };
  const { items } = await (await fetch(`${urlOf('guangzhou')}/v1/records?publisher=guangzhou&limit=50`, operator)).json();
  const members = await (await fetch(`${url}/v1/members`)).json();
  const owners = items.flatMap(({ header }) => (header.owner === undefined ? [] : [header.owner]));
  const of = (part) => items.map(({ recordId }) => recordId.split('/')[part]);
  return { kind: of(1), localId: of(2), member: members.items.map(({ document }) => document.id), owner: owners, publisher: of(0) };
}

/**
 * Webhooks of the caller, to be looked at, tried and removed.
 * @param {string} url
 * @param {string | undefined} token
 */
async function webhooks(url, token) {
  if (token === undefined) return {};
  /** @type {string[]} */
  const ids = [];
  for (let made = 0; made < webhooksAtOnce; made += 1) {
    const body = JSON.stringify({ url: `http://127.0.0.1:${targetPort}/` });
    const answer = await fetch(`${url}/v1/webhooks`, { method: 'POST', body, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
    // The rounds before may have left as many as there may be.
    if (answer.ok) ids.push((await answer.json()).id);
  }
  const { items } = await (await fetch(`${url}/v1/webhooks`, { headers: { authorization: `Bearer ${token}` } })).json();
  return { id: [...ids, ...items.map(({ id }) => id)] };
}

/** Faults that nodes noted while they were tried. */
function faultsInLogs() {
  const logs = path.join(state, 'logs');
  return readdirSync(logs).flatMap((file) => readFileSync(path.join(logs, file), 'utf8').split('\n').filter((line) => /"level":"error"/.test(line)).map((line) => `${file}: ${line}`));
}

function urlOf(node) {
  const { http } = JSON.parse(readFileSync(path.join(state, 'nodes', node, 'huilian.json'), 'utf8'));
  return `http://${http.host}:${http.port}`;
}

function operatorToken(node) {
  return readFileSync(path.join(state, 'nodes', node, 'operator-token'), 'utf8').trim();
}

/** Signs in as RFC 7523 says. */
async function memberToken(member, url) {
  const { signingKey } = JSON.parse(readFileSync(path.join(state, 'members', member, 'member-keys.json'), 'utf8'));
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: 'ES256' })}.${part({ aud: `${url}/v1/token`, exp: now + 60, iat: now, iss: member, jti: randomUUID(), sub: member })}`;
  const signature = sign('sha256', Buffer.from(input), { key: createPrivateKey({ key: signingKey, format: 'jwk' }), dsaEncoding: 'ieee-p1363' });
  const body = new URLSearchParams({ client_assertion: `${input}.${signature.toString('base64url')}`, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', grant_type: 'client_credentials' });
  const answer = await (await fetch(`${url}/v1/token`, { method: 'POST', body })).json();
  if (answer.access_token === undefined) throw new Error(`no token for ${member}: ${JSON.stringify(answer)}`);
  return answer.access_token;
}
