import { createInterface } from 'node:readline';
import { Wallet } from 'ethers';
import { importJWK, jwtVerify } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canonicalize, errorBody, signJws, type GrantEnvelope } from '@huilian/protocol';
import { es256Signer, grantFor, HttpDoor, memoryPin, MemberClient, OwnerWallet, ProtocolError, publicKeysOf, verifyAcknowledgement, type Ask, type ClientOptions, type Consortium, type PublishAnswer, type SubmittedRecord } from '../src/index.js';
import { makeAccess, makeConsortium, openedAt, subject, type Access } from './mini-consortium.js';
import { json, lost, refusal, startScriptedNode, type ScriptedNode } from './scripted-node.js';

let access: Access;
let node: ScriptedNode;
let consortium: Consortium;

beforeAll(async () => {
  access = await makeAccess(await makeConsortium());
  const { charter, domain, fingerprint, founding } = access.consortium;
  consortium = { chaincode: 'huilian', channel: 'huilian', charter, domain, fingerprint, founding, height: 5, node: 'heyuan' };
});
beforeEach(async () => {
  node = await startScriptedNode();
  node.on('GET /v1/consortium', json(consortium));
});
afterEach(async () => {
  await node.close();
});

const connect = async (options: ClientOptions = {}): Promise<MemberClient> => await MemberClient.connect(`${node.url}/`, access.bank, options);
async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'answered';
  } catch (error) {
    return error instanceof ProtocolError ? error.code : String(error);
  }
}

describe('signing in', () => {
  it('is a private-key JWT for this node, at most 60 seconds, used once', async () => {
    node.on('GET /v1/asks/a', json({ id: 'a' }));
    await Promise.all([(await connect()).findAsk('a'), (await connect()).findAsk('a')]);
    const key = await importJWK({ ...publicKeysOf(access.bank).signingKey }, 'ES256');
    const ids = new Set<string>();
    for (const { body } of node.of('POST /v1/token')) {
      const form = JSON.parse(body) as Record<string, string>;
      expect(form).toMatchObject({ grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' });
      const { payload } = await jwtVerify(form['client_assertion'] ?? '', key, { audience: `${node.url}/v1/token`, issuer: 'sample-bank', subject: 'sample-bank', algorithms: ['ES256'] });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(60);
      ids.add(payload.jti ?? '');
    }
    expect(ids.size).toBe(2);
  });

  it('is done once for many calls at the same time', async () => {
    node.on('GET /v1/asks/a', json({ id: 'a' }));
    const client = await connect();
    await Promise.all(Array.from({ length: 10 }, async () => await client.findAsk('a')));
    expect(node.of('POST /v1/token')).toHaveLength(1);
    expect(new Set(node.of('GET /v1/asks/a').map(({ authorization }) => authorization))).toEqual(new Set(['Bearer token-1']));
  });

  it('is renewed before the token ends, and once where the node refuses it', async () => {
    node.on('POST /v1/token', json({ access_token: 'short', expires_in: 30 }), json({ access_token: 'long', expires_in: 900 }));
    node.on('GET /v1/asks/a', json({ id: 'a' }));
    const client = await connect();
    await client.findAsk('a');
    await client.findAsk('a');
    expect(node.of('GET /v1/asks/a').map(({ authorization }) => authorization)).toEqual(['Bearer short', 'Bearer long']);

    node.on('GET /v1/asks/a', refusal('TOKEN_INVALID'), json({ id: 'a' }));
    expect(await client.findAsk('a')).toEqual({ id: 'a' });
    node.on('GET /v1/asks/a', refusal('TOKEN_INVALID'));
    const before = node.of('GET /v1/asks/a').length;
    expect(await codeOf(client.findAsk('a'))).toBe('TOKEN_INVALID');
    expect(node.of('GET /v1/asks/a').length - before).toBe(2);
  });

  it('is renewed once for all calls whose token was refused', async () => {
    const client = await connect();
    node.on('GET /v1/asks/a', (seen, response) => {
      const answer = seen.authorization === 'Bearer token-1' ? refusal('TOKEN_INVALID') : json({ id: 'a' });
      void answer(seen, response, undefined as never);
    });
    await Promise.all(Array.from({ length: 5 }, async () => await client.findAsk('a')));
    expect(node.of('POST /v1/token')).toHaveLength(2);
  });

  it('refused is said so', async () => {
    node.on('POST /v1/token', refusal('TOKEN_INVALID'));
    expect(await codeOf((await connect()).findAsk('a'))).toBe('TOKEN_INVALID');
  });
});

describe('trying again', () => {
  it('waits as long as the node says', async () => {
    node.on('GET /v1/asks/a', refusal('PUBLISHER_UNAVAILABLE', { 'retry-after': '1' }), json({ id: 'a' }));
    await (await connect()).findAsk('a');
    const [first, second] = node.of('GET /v1/asks/a');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('takes a date for Retry-After too', async () => {
    node.on('GET /v1/asks/a', refusal('RATE_LIMITED', { 'retry-after': new Date(Date.now() - 1000).toUTCString() }), json({ id: 'a' }));
    expect(await (await connect()).findAsk('a')).toEqual({ id: 'a' });
  });

  it('ends with the node\'s code where patience does', async () => {
    node.on('GET /v1/asks/a', refusal('LEDGER_UNAVAILABLE', { 'retry-after': '3600' }));
    expect(await codeOf((await connect()).findAsk('a'))).toBe('LEDGER_UNAVAILABLE');
    expect(node.of('GET /v1/asks/a')).toHaveLength(1);
    node.on('GET /v1/asks/a', refusal('LEDGER_UNAVAILABLE', { 'retry-after': '1' }));
    expect(await codeOf((await connect({ patienceSeconds: 0 })).findAsk('a'))).toBe('LEDGER_UNAVAILABLE');
    expect(node.of('GET /v1/asks/a')).toHaveLength(2);
  });

  it('repeats a lost call only where that does nothing twice', async () => {
    const client = await connect();
    node.on('GET /v1/asks/a', lost, json({ id: 'a' }));
    expect(await client.findAsk('a')).toEqual({ id: 'a' });
    node.on('POST /v1/asks', lost, json({ id: 'a' }));
    await client.ask({ owner: subject, claims: ['credit/score', 'credit/entry'], purpose: 'credit-check', reference: `0x${'1'.repeat(64)}`, notBefore: openedAt, expires: openedAt + 100, maxUses: 1 });
    const asks = node.of('POST /v1/asks');
    expect(asks).toHaveLength(2);
    expect(asks[0]?.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(asks[1]?.key).toBe(asks[0]?.key);
    expect((JSON.parse(asks[1]?.body ?? '') as { claims: string[] }).claims).toEqual(['credit/entry', 'credit/score']);
    node.on('POST /v1/trails', lost, json({}));
    const wallet = new OwnerWallet(Wallet.createRandom(), memoryPin());
    expect(await codeOf(client.trail(await wallet.signTrailRequest(consortium.domain, subject)))).toBe('EXCHANGE_FAILED');
    expect(node.of('POST /v1/trails')).toHaveLength(1);
  });

  it('asks again until an unknown outcome is settled', async () => {
    node.on('POST /v1/access-requests', refusal('OUTCOME_UNKNOWN'), json(access.opened));
    expect(await (await connect()).send(access.evidence.request, access.evidence.grant)).toEqual(access.opened);
    const sent = node.of('POST /v1/access-requests').map(({ body }) => body);
    expect(sent[1]).toBe(sent[0]);
    node.on('POST /v1/receipts', json({ digest: 'd' }, 202));
    expect(await (await connect()).receipt(access.opened)).toEqual({ digest: 'd' });
  });

  it('stops when it is told to', async () => {
    node.on('GET /slow', () => undefined);
    const stop = new AbortController();
    const call = new HttpDoor(node.url).get('/slow', { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });

  it('says what is no answer of a node', async () => {
    node.on('GET /v1/asks/a', json('teapot', 418));
    expect(await codeOf((await connect()).findAsk('a'))).toBe('EXCHANGE_FAILED');
    node.on('GET /v1/asks/a', json({ code: 'NO_SUCH_CODE', stage: 'node' }, 400));
    expect(await codeOf((await connect()).findAsk('a'))).toBe('EXCHANGE_FAILED');
    await node.close();
    expect(await codeOf((await connect({ patienceSeconds: 0.5 })).consortium())).toBe('EXCHANGE_FAILED');
    node = await startScriptedNode();
  });
});

describe('the consortium', () => {
  it('is checked: parts that belong together, and the fingerprint that was learnt elsewhere', async () => {
    const { fingerprint } = consortium;
    expect((await (await connect({ charterFingerprint: fingerprint })).consortium()).fingerprint).toBe(fingerprint);
    expect(await codeOf((await connect({ charterFingerprint: 'a'.repeat(64) })).consortium())).toBe('CHARTER_MISMATCH');
    const client = await connect();
    for (const change of [{ fingerprint: 'b'.repeat(64) }, { founding: 'b'.repeat(64) }, { domain: { ...consortium.domain, salt: `0x${'b'.repeat(64)}` } }]) {
      node.on('GET /v1/consortium', json({ ...consortium, ...change }));
      expect(await codeOf(client.consortium())).toBe('CHARTER_MISMATCH');
    }
    // A refusal is not remembered.
    node.on('GET /v1/consortium', json(consortium));
    expect((await client.consortium()).node).toBe('heyuan');
  });
});

describe('a ticket', () => {
  it('that answers another request is refused', async () => {
    const { state } = access.opened;
    for (const change of [{ claims: ['entry'] }, { reader: 'other-bank' }, { records: state.records.slice(1) }, { requestId: 'a'.repeat(26) }, { owner: '' }]) {
      node.on('POST /v1/access-requests', json({ ...access.opened, state: { ...state, ...change } }));
      expect(await codeOf((await connect()).send(access.evidence.request)), canonicalize(change)).toBe('EXCHANGE_FAILED');
    }
  });
});

describe('an owner\'s grant', () => {
  const wallet = new OwnerWallet(new Wallet(`0x${'17'.repeat(32)}`), memoryPin());
  const ask: Ask = { id: 'a'.repeat(26), askedAt: openedAt, grantee: 'sample-bank', owner: subject, claims: ['credit/entry'], purpose: 'credit-check', reference: `0x${'1'.repeat(64)}`, notBefore: openedAt, expires: openedAt + 1000, maxUses: 2 };
  const route = `GET /v1/asks/${ask.id}`;
  const sign = async (change: object = {}, by = wallet): Promise<GrantEnvelope> => await by.signGrant(consortium.domain, { ...grantFor(ask, `0x${'2'.repeat(64)}`), ...change });
  beforeEach(async () => {
    node.on(`GET /v1/owners/${encodeURIComponent(subject)}`, json({ ca: '', certificate: '', key: await wallet.key(), owner: subject, registeredAt: openedAt, sequence: 1 }));
  });

  it('is waited for and checked', async () => {
    const grant = await sign();
    node.on(route, json(ask), json(ask), json({ ...ask, grant }));
    expect(await (await connect()).whenGranted(ask)).toEqual(grant);
    expect(node.of(route)).toHaveLength(3);
  });

  it('is refused with other terms, by another key, for another consortium', async () => {
    const client = await connect();
    node.on(route, json({ ...ask, maxUses: 9, grant: await sign({ maxUses: 9 }) }));
    expect(await codeOf(client.whenGranted(ask))).toBe('BAD_FIELD');
    node.on(route, json({ ...ask, grant: await sign({}, new OwnerWallet(Wallet.createRandom(), memoryPin())) }));
    expect(await codeOf(client.whenGranted(ask))).toBe('GRANT_BAD_SIGNATURE');
    const elsewhere = { ...consortium.domain, salt: `0x${'3'.repeat(64)}` };
    node.on(route, json({ ...ask, grant: await new OwnerWallet(Wallet.createRandom(), memoryPin()).signGrant(elsewhere, grantFor(ask, `0x${'2'.repeat(64)}`)) }));
    expect(await codeOf(client.whenGranted(ask))).toBe('GRANT_WRONG_DOMAIN');
  });

  it('that does not come ends the waiting', async () => {
    node.on(route, json(ask));
    expect(await codeOf((await connect()).whenGranted(ask, { seconds: 0.5 }))).toBe('GRANT_REQUIRED');
    const stop = new AbortController();
    const waiting = (await connect()).whenGranted(ask, { signal: stop.signal });
    stop.abort(new Error('closed'));
    await expect(waiting).rejects.toThrow('closed');
  });
});

describe('publishing', () => {
  const line = (number: number): SubmittedRecord => ({ kind: 'credit', data: { entry: { code: String(number) } } });
  const collect = async (answers: AsyncIterable<PublishAnswer>): Promise<PublishAnswer[]> => {
    const all: PublishAnswer[] = [];
    for await (const answer of answers) all.push(answer);
    return all;
  };

  it('hears of a line before the next one leaves', async () => {
    node.on('POST /v1/records', async (_seen, response, request) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      let lines = 0;
      for await (const text of createInterface({ input: request })) {
        lines += 1;
        expect(JSON.parse(text)).toEqual(line(lines));
        response.write(`${JSON.stringify({ line: lines, recordId: 'heyuan/credit/x', version: 1 })}\n`);
      }
      response.end(`${JSON.stringify({ summary: { lines, accepted: lines, unchanged: 0, refused: 0 } })}\n`);
    });
    const answered: number[] = [];
    let heard: () => void = () => undefined;
    const source = async function* (): AsyncGenerator<SubmittedRecord> {
      for (let number = 1; number <= 3; number += 1) {
        const next = new Promise<void>((resolve) => (heard = resolve));
        yield line(number);
        // The next line is not even made before this one was answered.
        await next;
      }
    };
    for await (const answer of (await connect()).publish(source())) {
      if ('line' in answer) answered.push(answer.line);
      heard();
    }
    expect(answered).toEqual([1, 2, 3]);
  });

  it('takes lines only as fast as they leave', async () => {
    let made = 0;
    let atFirstAnswer = 0;
    const source = function* (): Generator<SubmittedRecord> {
      for (; made < 20_000; made += 1) yield { kind: 'credit', data: { entry: { text: 'x'.repeat(10_000) } } };
    };
    node.on('POST /v1/records', async (_seen, response, request) => {
      // Headers only: the body waits in the network until the client has heard something.
      response.writeHead(200).write(`${JSON.stringify({ line: 1, recordId: 'heyuan/credit/x', version: 1 })}\n`);
      await new Promise<void>((resolve) => (proceed = resolve));
      for await (const _chunk of request) continue;
      response.end(`${JSON.stringify({ summary: { lines: made, accepted: made, unchanged: 0, refused: 0 } })}\n`);
    });
    let proceed: () => void = () => undefined;
    for await (const answer of (await connect()).publish(source())) {
      if ('line' in answer) {
        atFirstAnswer = made;
        proceed();
      }
    }
    expect(made).toBe(20_000);
    expect(atFirstAnswer).toBeLessThan(10_000);
  });

  it('throws the node\'s error after what was acknowledged, and says when answers were cut off', async () => {
    const safe = { acknowledged: 'a.b.c' };
    node.on('POST /v1/records', (_seen, response) => {
      response.end(`${JSON.stringify(safe)}\n${JSON.stringify({ error: errorBody(new ProtocolError('STREAM_TRUNCATED', { line: 2 })) })}\n`);
    });
    const heard: PublishAnswer[] = [];
    const listen = async (): Promise<void> => {
      for await (const answer of (await connect()).publish([line(1)])) heard.push(answer);
    };
    expect(await codeOf(listen())).toBe('STREAM_TRUNCATED');
    expect(heard).toEqual([safe]);
    node.on('POST /v1/records', (_seen, response) => {
      response.end(`${JSON.stringify(safe)}\n`);
    });
    expect(await codeOf(listen())).toBe('EXCHANGE_FAILED');
    node.on('POST /v1/records', (_seen, response) => {
      response.write(`${JSON.stringify(safe)}\n`, () => response.destroy());
    });
    expect(await codeOf(listen())).toBe('EXCHANGE_FAILED');
    expect(heard).toEqual([safe, safe, safe]);
    node.on('POST /v1/records', refusal('FORBIDDEN'));
    expect(await codeOf(collect((await connect()).publish([line(1)])))).toBe('FORBIDDEN');
  });

  it('signs in again for the next stream where the node refused one', async () => {
    const summary = { summary: { lines: 1, accepted: 1, unchanged: 0, refused: 0 } };
    node.on('POST /v1/records', refusal('TOKEN_INVALID'), (_seen, response) => void response.end(`${JSON.stringify(summary)}\n`));
    const client = await connect();
    expect(await codeOf(collect(client.publish([line(1)])))).toBe('TOKEN_INVALID');
    expect(await collect(client.publish([line(1)]))).toEqual([summary]);
  });

  it('acknowledgements are the node\'s word for rows of its outbox', async () => {
    const [centre, other] = access.consortium.centres;
    if (centre === undefined || other === undefined) throw new Error('two centres');
    const payload = { from: 1, head: 'a'.repeat(64), issuedAt: openedAt, publisher: 'heyuan', to: 3 };
    const jws = await signJws({ alg: 'ES256', kid: 'heyuan', typ: 'huilian-acknowledgement+jwt' }, payload, await es256Signer(centre.keys.signingKey));
    expect(verifyAcknowledgement(jws, 'heyuan', publicKeysOf(centre.keys).signingKey)).toEqual(payload);
    expect(() => verifyAcknowledgement(jws, 'heyuan', publicKeysOf(other.keys).signingKey)).toThrow('RECEIPT_BAD_SIGNATURE');
    expect(() => verifyAcknowledgement(jws, 'qingyuan', publicKeysOf(centre.keys).signingKey)).toThrow('RECEIPT_MISMATCH');
  });
});

describe('searching', () => {
  it('follows the pages to the end', async () => {
    const found = (recordId: string): object => ({ recordId, contested: false });
    node.on('GET /v1/records', json({ items: [found('a'), found('b')], cursor: 'next page' }), json({ items: [found('c')] }));
    const ids: string[] = [];
    for await (const { recordId } of (await connect()).query({ subject, limit: 2 })) ids.push(recordId);
    expect(ids).toEqual(['a', 'b', 'c']);
    expect(node.of('GET /v1/records').map(({ route }) => route.split('?')[1])).toEqual([`subject=${encodeURIComponent(subject)}&limit=2`, `subject=${encodeURIComponent(subject)}&limit=2&cursor=next+page`]);
  });
});
