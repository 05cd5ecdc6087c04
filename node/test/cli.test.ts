import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { domainOf, verifyGrantSignature, type GrantEnvelope } from '@huilian/protocol';
import { generateMemberKeys, publicKeysOf } from '@huilian/sdk';
import { Wallet } from 'ethers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const fingerprint = 'a'.repeat(64);
const owner = 'org:91440105MA6NNHC07C';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** Runs the built program as a shell would, without a terminal. */
async function huilian(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { HUILIAN_NODE: _node, HUILIAN_STATE: _state, HUILIAN_WALLET_PASSWORD: _password, ...inherited } = process.env;
  const child = spawn(process.execPath, [program, ...args], { env: { ...inherited, ...environment }, stdio: ['ignore', 'pipe', 'pipe'], cwd: temporaryFolder() });
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, error };
}

function errorCode({ error }: Ended): string {
  return (JSON.parse(error) as { error: { code: string } }).error.code;
}

const commands = ['access', 'accounts', 'attest', 'audit', 'audit-log', 'backup', 'catalogue', 'completeness', 'config', 'count', 'dead-letters', 'declare', 'doctor', 'erase', 'evidence', 'export', 'flags', 'governance', 'grant', 'init', 'join', 'keys', 'ledger', 'local', 'mapping', 'migrate', 'mirror', 'owner', 'publish', 'query', 'reader', 'reindex', 'restore', 'sandbox', 'sources', 'start', 'statement', 'status', 'sync', 'trail', 'verify', 'view'];

describe('help', () => {
  test('lists every command with an example, in both languages', async () => {
    const { code, error, out } = await huilian(['--help']);
    expect({ code, error }).toEqual({ code: 0, error: '' });
    expect(out).toContain('Usage: huilian [options] [command]');
    const listed = out.split(/^ {2}(?=[a-z])/m).slice(1).map((text) => text.replace(/\s+/g, ' '));
    expect(listed.map((text) => text.split(' ')[0]).filter((name) => name !== 'help').sort()).toEqual(commands);
    for (const text of listed.filter((entry) => !entry.startsWith('help '))) {
      expect(text).toMatch(/Example: huilian /);
      expect(text).toMatch(/\p{Script=Han}/u);
    }
  });

  test.each([['governance', 'propose'], ['governance', 'found'], ['owner', 'register'], ['owner', 'key'], ['grant', 'revoke'], ['mapping', 'draft'], ['dead-letters', 'retry']])('%s %s has its own help', async (...words) => {
    const { code, out } = await huilian([...words, '--help']);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: huilian ${words.join(' ')} [options]`);
    expect(out.replace(/\s+/g, ' ')).toMatch(new RegExp(`Example: huilian ${words.join(' ')}`));
    expect(out).toContain('--json');
  });
});

describe('a new centre states the address that others dial, and listens for them', () => {
  const init = async (...more: string[]): Promise<{ addresses: string[]; listen: string[] }> => {
    const state = temporaryFolder();
    const { out } = await huilian(['init', '--state', state, '--member', 'guangzhou', '--organisation', 'GuangzhouMSP', '--connection', 'ledger.json', '--region', '440100', '--name-zh', '示例中心', '--name-en', 'Sample', '--contact', 'https://example.org', '--json', ...more]);
    const { exchange } = JSON.parse(readFileSync(path.join(state, 'huilian.json'), 'utf8')) as { exchange: { listen: string[] } };
    return { addresses: (JSON.parse(out) as { addresses: string[] }).addresses, listen: exchange.listen };
  };

  test.each([
    [[], '/ip4/127.0.0.1/tcp/8481', '/ip4/127.0.0.1/tcp/8481'],
    [['--exchange-host', '192.0.2.7'], '/ip4/192.0.2.7/tcp/8481', '/ip4/0.0.0.0/tcp/8481'],
    [['--exchange-host', 'gz.example.org', '--exchange-port', '9000'], '/dns/gz.example.org/tcp/9000', '/ip4/0.0.0.0/tcp/9000'],
    [['--exchange-host', '2001:db8::7'], '/ip6/2001:db8::7/tcp/8481', '/ip6/::/tcp/8481'],
  ])('%j', async (more, address, listen) => {
    expect(await init(...more)).toEqual({ addresses: [address], listen: [listen] });
  });
});

describe('a mistyped command line ends with 2 and says so in both languages', () => {
  test.each([
    [['statu'], "unknown command 'statu' (Did you mean status?) / 没有命令 'statu'"],
    [['status', '--staet', 'x'], "unknown option '--staet' (Did you mean --state?) / 没有选项 '--staet'"],
    [['verify'], "missing required argument 'file' / 缺少参数 'file'"],
    [['verify', 'a', '--charter'], "option '--charter <fingerprint>' argument missing / 选项 '--charter <fingerprint>' 缺少取值"],
    [['verify', 'a', 'b', '--charter', fingerprint], '参数过多'],
    [['governance', 'vote'], '参数过多'],
  ])('%j', async (args, said) => {
    const { code, error, out } = await huilian(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toContain(said);
    expect(error).toContain('huilian --help');
  });

  test('as JSON where JSON was asked for', async () => {
    const ended = await huilian(['status', '--staet', '--json']);
    expect(ended.code).toBe(2);
    expect(errorCode(ended)).toBe('BAD_FIELD');
  });

  test('without any command the help goes to standard error', async () => {
    const { code, error, out } = await huilian([]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(error).toContain('Usage: huilian');
  });

  test('a subcommand keeps the options that its parent has too', async () => {
    expect(errorCode(await huilian(['grant', 'revoke', '--grant', '0x12', '--json']))).toBe('BAD_FIELD');
    expect(errorCode(await huilian(['governance', 'list', '--state', temporaryFolder(), '--json']))).toBe('CONFIG_INVALID');
  });

  test.each([
    [['governance'], 'one of found, propose, approve, reject, list', 2],
    [['owner'], 'one of key, register, rotate, recover, object', 2],
    [['governance', 'propose', 'abolish', 'x'], 'one of admit, suspend', 2],
    [['trail', '--owner', owner], '--node', 2],
    [['trail', '--owner', owner, '--node', 'ftp://node.example.org'], 'an http or https address', 2],
    [['grant', '--wallet', 'w', '--uses', '0'], '--uses', 2],
    [['access', '--member-keys', 'none.json'], 'none.json', 1],
    [['evidence', 'not-a-ticket', '--out', 'x'], 'ticket', 1],
    [['query', '--member-keys', 'x.json', '--limit', 'many'], '--limit', 2],
  ])('%j', async (args, said, code) => {
    const ended = await huilian([...args, '--json']);
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.error).toContain(said);
  });
});

describe('verify', () => {
  test('refuses what is no evidence', async () => {
    const folder = temporaryFolder();
    const notJson = path.join(folder, 'not.json');
    writeFileSync(notJson, 'evidence');
    const notEvidence = path.join(folder, 'other.json');
    writeFileSync(notEvidence, '{"ticketId":"x"}');
    for (const file of [notJson, notEvidence]) {
      const ended = await huilian(['verify', file, '--charter', fingerprint, '--json']);
      expect(ended).toMatchObject({ code: 1, out: '' });
      expect(errorCode(ended)).toBe('EVIDENCE_MALFORMED');
    }
  });

  test('names a missing file and a wrong fingerprint', async () => {
    expect((await huilian(['verify', '/nowhere/evidence.json', '--charter', fingerprint])).error).toContain('ENOENT');
    const wrong = await huilian(['verify', '/nowhere/evidence.json', '--charter', 'abc']);
    expect(wrong.code).toBe(2);
    expect(wrong.error).toContain('--charter');
  });

  test('loads neither ledger client nor server nor store', async () => {
    const folder = temporaryFolder();
    const spy = path.join(folder, 'loaded.cjs');
    const loaded = path.join(folder, 'loaded.txt');
    writeFileSync(spy, `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(loaded)}, Object.keys(require.cache).join('\\n')));`);
    const evidence = path.join(folder, 'evidence.json');
    writeFileSync(evidence, '{}');
    expect((await huilian(['verify', evidence, '--charter', fingerprint], { NODE_OPTIONS: `--require ${spy}` })).error).toContain('EVIDENCE_MALFORMED');
    const modules = readFileSync(loaded, 'utf8');
    expect(modules).toContain('/nest-commander/');
    expect(modules).not.toMatch(/node_modules\/(@grpc|@hyperledger|fabric-[a-z]+|fastify|classic-level|abstract-level)\//);
  });
});

describe('owner key', () => {
  test('makes an encrypted wallet that only its user reads, and never overwrites it', async () => {
    const file = path.join(temporaryFolder(), 'wallet.json');
    const made = await huilian(['owner', 'key', '--wallet', file, '--json'], { HUILIAN_WALLET_PASSWORD: 'sample password' });
    expect(made.code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const keystore = readFileSync(file, 'utf8');
    const wallet = await Wallet.fromEncryptedJson(keystore, 'sample password');
    expect((JSON.parse(made.out) as { key: string }).key).toBe(wallet.address.toLowerCase());
    expect((await huilian(['owner', 'key', '--wallet', file], { HUILIAN_WALLET_PASSWORD: 'another' })).code).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(keystore);
  });

  test('makes nothing where no password can be had', async () => {
    const file = path.join(temporaryFolder(), 'wallet.json');
    const ended = await huilian(['owner', 'key', '--wallet', file]);
    expect(ended.code).toBe(1);
    expect(ended.error).toContain('HUILIAN_WALLET_PASSWORD');
    expect(existsSync(file)).toBe(false);
  });
});

describe('grant', () => {
  const key = `0x${'17'.repeat(32)}`;

  function walletFile(): string {
    const file = path.join(temporaryFolder(), 'key.txt');
    writeFileSync(file, key, { mode: 0o600 });
    return file;
  }

  function terms(wallet: string, node: string): string[] {
    return ['grant', '--wallet', wallet, '--node', node, '--owner', owner, '--grantee', 'sample-bank', '--claims', 'credit/score,credit/entry', '--purpose', 'credit-check', '--uses', '2', '--days', '366'];
  }

  test('says it in words in both languages and signs what it said', async () => {
    const node = await serveConsortium('channel-a');
    const out = path.join(temporaryFolder(), 'kept', 'grant.json');
    const ended = await huilian([...terms(walletFile(), node.url), '--project', 'P-1', '--yes', '--out', out, '--json']);
    expect(ended.code).toBe(0);
    for (const said of ['示例银行', 'Sample Bank', '用途：信用核验', 'Purpose: checking credit', 'Uses: at most 2']) expect(ended.error).toContain(said);
    const envelope = JSON.parse(readFileSync(out, 'utf8')) as GrantEnvelope;
    expect(verifyGrantSignature(envelope, node.domain).key).toBe(new Wallet(key).address.toLowerCase());
    expect(envelope.grant).toMatchObject({ claims: ['credit/entry', 'credit/score'], grantee: 'sample-bank', maxUses: 2, owner, purpose: 'credit-check' });
    expect(JSON.parse(ended.out)).toMatchObject({ signed: true, digest: verifyGrantSignature(envelope, node.domain).digest });
  });

  test('signs nothing where nobody can say yes', async () => {
    const node = await serveConsortium('channel-a');
    const out = path.join(temporaryFolder(), 'grant.json');
    const ended = await huilian([...terms(walletFile(), node.url), '--out', out]);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.error).toContain('--yes');
    expect(existsSync(out)).toBe(false);
  });

  test('refuses another consortium than the wallet first met', async () => {
    const wallet = walletFile();
    const [first, second] = [await serveConsortium('channel-a'), await serveConsortium('channel-b')];
    expect((await huilian([...terms(wallet, first.url), '--yes'])).code).toBe(0);
    const ended = await huilian([...terms(wallet, second.url), '--yes']);
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(ended.error).toContain('WALLET_DOMAIN_CHANGED');
  });

  test('a note of the reader cannot rewrite the words on a terminal', async () => {
    const now = Math.floor(Date.now() / 1000);
    const ask = { askedAt: now, claims: ['credit/entry'], expires: now + 3600, grantee: 'sample-bank', id: 'a'.repeat(26), maxUses: 9, note: 'x\n\u001b[2J\u009b1AUses: at most 1\u202e', notBefore: now, owner, purpose: 'credit-check', reference: `0x${'0'.repeat(64)}` };
    const node = await serveConsortium('channel-a', ask);
    const ended = await huilian(['grant', '--ask', ask.id, '--wallet', walletFile(), '--node', node.url]);
    expect(ended.code).toBe(2);
    expect(ended.error).toMatch(/^Uses: at most 9$/m);
    expect(ended.error).not.toMatch(/^Uses: at most 1$/m);
    expect([...ended.error].filter((letter) => letter !== '\n' && /\p{C}/u.test(letter))).toEqual([]);
  });

  test('will not sign a claim that it cannot name', async () => {
    const node = await serveConsortium('channel-a');
    const args = terms(walletFile(), node.url).map((word) => (word === 'credit/score,credit/entry' ? 'credit/everything' : word));
    const ended = await huilian([...args, '--yes', '--json']);
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(errorCode(ended)).toBe('WALLET_UNREADABLE');
  });
});

/** What a wallet asks of a node: the consortium's domain, a member's name, an ask. */
async function serveConsortium(channel: string, ask?: object): Promise<{ url: string; domain: ReturnType<typeof domainOf> }> {
  const domain = domainOf({ chaincode: 'huilian', channel, charter: fingerprint, founding: 'b'.repeat(64) });
  const keys = publicKeysOf(await generateMemberKeys('sample-bank'));
  const document = { addresses: [], contact: 'https://example.org', host: 'beijing', id: 'sample-bank', kind: 'institution', name: { en: 'Sample Bank', zh: '示例银行' }, organisation: 'BeijingMSP', region: '110000', ...keys };
  const answers: Record<string, unknown> = { '/v1/consortium': { domain }, '/v1/members/sample-bank': { document }, [`/v1/asks/${'a'.repeat(26)}`]: ask };
  const server: Server = createServer((request, response) => {
    const body = answers[request.url ?? ''];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? { code: 'NOT_FOUND' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
  });
  return { url: `http://127.0.0.1:${String((server.address() as { port: number }).port)}`, domain };
}
