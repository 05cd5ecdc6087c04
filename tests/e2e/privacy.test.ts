// The scan for personal data finds what is planted, in every place and every spelling; so its silence at the end of each
// running consortium means something.
import { createServer, type Server } from 'node:http';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { Level } from 'level';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toBase32 } from '@huilian/protocol';
import { LevelStore } from '../../node/src/adapters/level/level-store.js';
import { centreIds } from './main-job.js';
import { HeardAnswers } from './privacy/heard-answers.js';
import { PersonalScan, type Hit } from './privacy/personal-scan.js';
import { misplaced, plantedValues } from './privacy/planted-values.js';
import { scanDoors, scanState } from './privacy/scan-state.js';
import { inventedIds } from './privacy/try-out-hashes.js';

const planted = Object.entries(misplaced).map(([name, value]) => ({ name, value }));
const around = (value: Buffer): Buffer => Buffer.concat([Buffer.from('before '), value, Buffer.from(' after')]);
const json = (value: string): string => JSON.stringify(value).replaceAll(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

const spellings: readonly [string, (value: string) => Buffer, boolean?][] = [
  ['as it is', (value) => Buffer.from(value)],
  ['UTF-16, low byte first', (value) => Buffer.from(value, 'utf16le')],
  ['UTF-16, high byte first', (value) => Buffer.from(value, 'utf16le').swap16()],
  ['hex', (value) => Buffer.from(Buffer.from(value).toString('hex'))],
  ['JSON escapes', (value) => Buffer.from(json(value))],
  ['percent escapes', (value) => Buffer.from(encodeURIComponent(value))],
  ...[0, 1, 2].flatMap((lead): [string, (value: string) => Buffer][] => [
    [`base64 at ${String(lead)}`, (value) => Buffer.from(Buffer.from(`${'x'.repeat(lead)}${value} and more`).toString('base64'))],
    [`base64url at ${String(lead)}`, (value) => Buffer.from(Buffer.from(`${'x'.repeat(lead)}${value} and more`).toString('base64url'))],
  ]),
  ['gzip', (value) => gzipSync(`before ${value}`)],
  ['zlib', (value) => deflateSync(`before ${value}`)],
  ['gzip in gzip', (value) => gzipSync(gzipSync(`before ${value}`))],
];

describe('the scan for personal data', () => {
  it.each(spellings)('finds every planted value %s', (_how, spell) => {
    for (const { name, value } of planted) {
      const scan = new PersonalScan(planted);
      scan.bytes('anywhere', around(spell(value)));
      expect(scan.hits.map((hit) => hit.planted), name).toContain(name);
    }
  });

  it('finds them in raw deflate, as batches travel, and names the place without the value', () => {
    const scan = new PersonalScan(planted);
    scan.bytes('arguments', deflateRawSync(`{"name":"${misplaced.name}"}`), true);
    expect(scan.hits).toEqual([{ channel: 'arguments (inflated)', encoding: 'utf-8', planted: 'name' }]);
    for (const value of Object.values(misplaced)) expect(JSON.stringify(scan.hits)).not.toContain(value);
  });

  it('is silent about bytes that hold none of them', () => {
    const scan = new PersonalScan(plantedValues());
    for (let at = 0; at < 64; at += 1) scan.bytes('noise', createHash('sha512').update(String(at)).digest(), true);
    scan.text('text', 'GRANT_EXPIRED guangzhou/entity/aaaaaaaaaaaaaaaaaaaaaaaaaa 授权已过期');
    expect(scan.hits).toEqual([]);
  });

  it('knows the sample data of every centre', () => {
    for (const place of centreIds) for (const kind of ['entity', 'personnel']) expect(plantedValues().filter(({ name }) => name.startsWith(`${place} ${kind}`)).length, `${place} ${kind}`).toBeGreaterThan(5);
  });
});

describe('every place', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'huilian-scan-'));
  const { name: person } = misplaced;
  let server: Server;
  let url = '';

  beforeAll(async () => {
    server = createServer((request, response) => {
      if (request.url === '/openapi.json') response.end(JSON.stringify({ paths: { '/feed': { get: {} }, '/metrics': { get: {} }, '/v1/records/{id}': { get: {} }, '/v1/token': { post: {} } } }));
      else if (request.url === '/feed') response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${misplaced.phone}\n\n`);
      else if (request.url?.startsWith('/v1/events') === true) response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${misplaced.email}\n\n`);
      else response.writeHead(request.url === '/refused' ? 400 : 200, { 'content-type': 'application/json' }).end(JSON.stringify({ asked: request.headers.authorization, value: person }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    mkdirSync(path.join(dir, 'logs'), { recursive: true });
    mkdirSync(path.join(dir, 'ledger', 'store'), { recursive: true });
    appendFileSync(path.join(dir, 'logs', 'beijing.log'), `{"message":"refused ${person}"}\n`);
    const store = await LevelStore.open(path.join(dir, 'nodes', 'zhuhai', 'data'), { diskFloorBytes: 0 });
    await store.write([{ key: `dead/${misplaced.phone}`, value: Buffer.from(misplaced.email) }]);
    await store.close();
    const ledger = new Level<Buffer, Buffer>(path.join(dir, 'ledger', 'store'), { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    await ledger.put(Buffer.from('B0'), gzipSync(misplaced.idNumber));
    await ledger.close();
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(dir, { force: true, recursive: true });
  });

  it('on the disks is looked at: blocks, logs, keys and values of a store', async () => {
    const scan = new PersonalScan(planted);
    await scanState(scan, dir, true);
    const found = scan.hits.map(({ channel, planted: what }) => `${channel}: ${what}`);
    expect(found).toEqual(expect.arrayContaining(['blocks (inflated): idNumber', 'logs: name', 'keys of zhuhai: phone', 'store of zhuhai: email']));
  });

  it('at the doors is looked at: arguments, writes, answers of transactions, open pages', async () => {
    const scan = new PersonalScan(planted);
    const transaction = { args: [deflateRawSync(misplaced.account)], code: 'VALID', endorsements: [], function: 'records:publish', id: '0', organisation: '', proposalResponse: Buffer.from(misplaced.phone), response: Buffer.from(misplaced.address), time: 0, writes: [{ key: misplaced.idNumber, value: Buffer.from(misplaced.email) }] };
    await scanDoors(scan, { api: () => ({ url }), operatorToken: () => misplaced.account, transactionsSince: () => Promise.resolve([transaction]) });
    const found = new Set(scan.hits.map(({ channel, planted: what }) => `${channel}: ${what}`));
    for (const what of ['phone', 'address', 'idNumber', 'email']) expect(found).toContain(`ledger records:publish: ${what}`);
    expect(found).toContain('arguments of records:publish (inflated): account');
    expect(found).toContain('/metrics: name');
    // The operator's token was sent, and a feed that never ends was heard.
    expect(found).toContain('/metrics: account');
    expect(found).toContain('/feed: phone');
    expect(found).toContain('feed: email');
  });

  it('that refuses over HTTP is heard, and what is answered to its asker is not', async () => {
    const heard = new HeardAnswers();
    heard.listen();
    await (await fetch(`${url}/refused`)).text();
    await (await fetch(`${url}/granted`)).text();
    await expect.poll(() => heard.stop()).toEqual([JSON.stringify({ value: person })]);
  });
});

describe('a number of a person', () => {
  const [first = ''] = inventedIds(1).map(({ id }) => id);
  const scanned = (bytes: Buffer): readonly Hit[] => {
    const scan = new PersonalScan([{ name: 'first', value: first }]);
    scan.bytes('anywhere', around(bytes));
    return scan.hits;
  };

  it.each<[string, Buffer]>([
    ['sha256 hex', Buffer.from(createHash('sha256').update(first).digest('hex'))],
    ['sm3', createHash('sm3').update(`personnel\u0000${first}`).digest()],
    ['md5 hex upper', Buffer.from(createHash('md5').update(first).digest('hex').toUpperCase())],
    ['sha512 base64', Buffer.from(createHash('sha512').update(JSON.stringify(first)).digest('base64'))],
    ['sha1 base64url', Buffer.from(createHash('sha1').update(`idNumber:${first}`).digest('base64url'))],
    ['sha256 base32', Buffer.from(toBase32(createHash('sha256').update(first).digest()))],
  ])('whose bare hash stands somewhere as %s is found out', (encoding, bytes) => {
    expect(scanned(bytes).map((hit) => hit.encoding)).toContain(encoding);
  });

  it('whose hash is keyed is not', () => {
    expect(scanned(createHash('sha256').update('a key of 256 bits').update(first).digest())).toEqual([]);
  });
});
