import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ConsortiumEvent, MemberClient } from '@huilian/sdk';
import { armFailpoints } from '../src/core/failpoints.js';
import { EventWorld, operatorToken, publish, startReceiver, take, wholeFeed, type Door, type Receiver } from './event-node.js';

const folder = mkdtempSync(path.join(tmpdir(), 'huilian-events-'));
let world: EventWorld;
let east: MemberClient;
let west: MemberClient;
let published = 0;

beforeAll(async () => {
  world = await EventWorld.start(folder);
  [east, west] = [await world.client('east-platform'), await world.client('west-platform')];
});

afterAll(async () => {
  await world.consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function opened(...options: Parameters<EventWorld['open']>): Promise<Door> {
  const door = await world.open(...options);
  onTestFinished(async () => { await door.close(); });
  return door;
}

async function receiving(): Promise<Receiver> {
  const receiver = await startReceiver();
  onTestFinished(async () => { await receiver.close(); });
  return receiver;
}

async function publishSome(client: MemberClient, count: number): Promise<void> {
  await publish(client, published, published + count);
  published += count;
}

/** Resolves once so many records more are on the feed. */
async function publishedAndIndexed(count: number): Promise<void> {
  const { cursor } = await east.events({}, 'now');
  await publishSome(east, count);
  const stop = new AbortController();
  await take(east.subscribe({ after: cursor, types: ['huilian.record.published'], signal: stop.signal }), count);
  stop.abort();
}

const ids = (events: readonly ConsortiumEvent[]): string[] => events.map(({ id }) => id);
const asOperator = { authorization: `Bearer ${operatorToken}` };

/** A raw consumer of the stream: reads only when it is told to. */
async function rawStream(url: string, route = '/v1/events'): Promise<{ readonly socket: Socket; text(): string; until(what: string): Promise<void> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => { socket.destroy(); });
  let text = '';
  const waiting = new Set<() => void>();
  socket.on('data', (chunk) => {
    text += chunk.toString('utf8');
    for (const look of [...waiting]) look();
  });
  socket.on('error', () => undefined);
  socket.write(`GET ${route} HTTP/1.1\r\nhost: node\r\naccept: text/event-stream\r\nauthorization: ${asOperator.authorization}\r\n\r\n`);
  const until = async (what: string): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => { reject(new Error(`no ${what} in ${String(text.length)} characters`)); }, 20_000);
      const look = (): void => {
        if (!text.includes(what)) return;
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  };
  return { socket, text: () => text, until };
}

describe('the stream', () => {
  test('tells a member from the founding on, then live, what a page tells too', async () => {
    await opened();
    const stop = new AbortController();
    const stream = east.subscribe({ signal: stop.signal });
    const before = await wholeFeed(east);
    expect(before.map(({ type }) => type)).toEqual(expect.arrayContaining(['huilian.consortium.founded', 'huilian.schema.adopted', 'huilian.member.admitted']));
    await publishSome(east, 25);
    const live = await take(stream, before.length + 25);
    stop.abort();
    expect(live).toEqual((await wholeFeed(west)).slice(0, live.length));
    expect(new Set(ids(live)).size).toBe(live.length);
  });

  test('goes on behind the last event after its node went away and came back', async () => {
    const first = await world.open();
    const { cursor } = await east.events({}, 'now');
    const stop = new AbortController();
    const stream = east.subscribe({ after: cursor, signal: stop.signal });
    await publishSome(east, 5);
    const seen = await take(stream, 3);
    await first.close();
    const more = take(stream, 6);
    await opened();
    // The node that came back knows no token of before; a publishing stream is not sent twice by itself.
    await east.webhooks();
    await publishSome(east, 4);
    seen.push(...(await more));
    stop.abort();
    expect(ids(seen)).toEqual(ids((await wholeFeed(east)).slice(-9)));
  });

  test('filters by type, kind, publisher, owner, subject; Last-Event-ID counts more than the address', async () => {
    const { url } = await opened();
    const all = await wholeFeed(east);
    const one = all.find(({ type }) => type === 'huilian.record.published') as ConsortiumEvent;
    const of = async (query: string, headers: Record<string, string> = {}): Promise<string[]> => {
      const answer = await fetch(`${url}/v1/events?limit=500&${query}`, { headers: { ...asOperator, ...headers } });
      return ids(((await answer.json()) as { items: ConsortiumEvent[] }).items);
    };
    const records = all.filter(({ type }) => type === 'huilian.record.published');
    expect(await of('type=huilian.record.published')).toEqual(ids(records));
    expect(await of(`kind=qualification&publisher=river&owner=${one.data.owner ?? ''}&subject=${one.data.subject ?? ''}`)).toEqual(ids(records));
    expect(await of('publisher=hill')).toEqual([]);
    expect(await of('type=huilian.member.admitted,huilian.consortium.founded')).toEqual(ids(all.filter(({ type }) => /member.admitted|founded/.test(type))));
    expect(await of('after=start', { 'last-event-id': all[4]?.id ?? '' })).toEqual(ids(all.slice(5)));
    const live = await rawStream(url, `/v1/events?after=${all.at(-2)?.id ?? ''}`);
    await live.until(`id: ${all.at(-1)?.id ?? ''}\n`);
    expect(live.text()).not.toContain(`id: ${all.at(-2)?.id ?? ''}\n`);
  });

  test.each([
    ['after=9e9', 'BAD_FIELD'], ['after=1/2', 'BAD_FIELD'], ['after=%00', 'BAD_FIELD'], ['limit=501', 'BAD_FIELD'], ['limit=-1', 'BAD_FIELD'], ['limit=1e9', 'BAD_FIELD'],
    ['type=everything', 'BAD_FIELD'], ['type=', 'BAD_FIELD'], ['owner=x', 'BAD_ID'], ['colour=red', 'UNKNOWN_FIELD'], ['types=a', 'UNKNOWN_FIELD'], ['kind=a&kind=b', 'BAD_FIELD'],
  ])('refuses %s', async (query, code) => {
    const { url } = await opened();
    for (const accept of ['application/json', 'text/event-stream']) {
      const answer = await fetch(`${url}/v1/events?${query}`, { headers: { ...asOperator, accept } });
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, code]);
    }
  });

  test('is for who signed in', async () => {
    const { url } = await opened();
    for (const headers of [{}, { authorization: 'Bearer not-a-token-of-anybody-at-all' }] as Record<string, string>[]) expect((await fetch(`${url}/v1/events`, { headers })).status).toBe(401);
  });

  test('has a cap for one caller and for all', async () => {
    const { url } = await opened({}, { perCaller: 2, inAll: 3 });
    const first = await rawStream(url);
    const second = await rawStream(url);
    for (const one of [first, second]) await one.until('HTTP/1.1 200');
    const third = await fetch(`${url}/v1/events`, { headers: { ...asOperator, accept: 'text/event-stream' } });
    expect([third.status, await third.json()]).toMatchObject([429, { code: 'TOO_MANY_SUBSCRIBERS' }]);
    const stop = new AbortController();
    await take(east.subscribe({ signal: stop.signal }), 1).finally(() => { stop.abort(); });
    first.socket.destroy();
    const again = await rawStream(url);
    await again.until('HTTP/1.1');
    expect(again.text()).toMatch(/^HTTP\/1.1 (?:200|429)/);
  });
});

describe('a webhook', () => {
  test('is told every event, signed, in order, each until it is taken; its secret is nowhere else', async () => {
    const { logged, node, url } = await opened();
    const receiver = await receiving();
    // Every third call fails before it is taken.
    receiver.answer('/in', (response, call) => response.writeHead(call % 3 === 0 ? 503 : 204).end());
    const { id, secret, state } = await east.createWebhook({ url: `${receiver.url}/in`, after: 'start', filter: { types: ['huilian.member.admitted', 'huilian.record.published'] } });
    expect([state, secret]).toEqual(['active', expect.stringMatching(/^whsec_/)]);
    await publishSome(east, 12);
    const wanted = async (): Promise<ConsortiumEvent[]> => (await wholeFeed(east)).filter(({ type }) => ['huilian.member.admitted', 'huilian.record.published'].includes(type));
    const count = (await wanted()).length;
    await receiver.when(() => receiver.events('/in', secret).length >= count);
    expect(receiver.events('/in', secret)).toEqual((await wanted()).slice(0, count));
    expect(receiver.calls[0]?.headers).toMatchObject({ 'content-type': 'application/cloudevents+json; charset=utf-8', 'webhook-id': (await wanted())[0]?.id });
    const kept: string[] = [];
    for await (const [key, value] of node.services.store.entries({})) kept.push(key, Buffer.from(value).toString('latin1'));
    const raw = secret.slice('whsec_'.length);
    for (const form of [secret, raw, Buffer.from(raw, 'base64').toString('latin1')]) expect([...kept, ...logged].filter((text) => text.includes(form))).toEqual([]);
    for (const route of ['/v1/webhooks', `/v1/webhooks/${id}`]) expect(await (await fetch(url + route, { headers: asOperator })).text()).not.toContain(raw);
    await east.deleteWebhook(id);
    await expect(east.webhook(id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test("goes on after a trouble of the node itself: what it does not know to be stored is told again, the operator hears of it", async () => {
    const { logged } = await opened();
    const receiver = await receiving();
    const { id, secret } = await east.createWebhook({ url: `${receiver.url}/in`, filter: { types: ['huilian.record.published'] } });
    let reached = 0;
    armFailpoints((step) => {
      reached += step === 'E4' ? 1 : 0;
      if (step === 'E4' && reached === 3) throw new Error('an invented trouble');
      return undefined;
    });
    onTestFinished(() => { armFailpoints(undefined); });
    await publishSome(east, 6);
    await receiver.when(() => receiver.events('/in', secret).length === 7);
    const told = ids(receiver.events('/in', secret));
    expect(told[3]).toBe(told[2]);
    expect([...new Set(told)]).toEqual(ids((await wholeFeed(east)).filter(({ type }) => type === 'huilian.record.published')).slice(-6));
    expect(logged.filter((line) => line.includes('webhook-delivery'))).toHaveLength(1);
    await east.deleteWebhook(id);
  });

  test('in batches: up to a hundred events in one call', async () => {
    await opened();
    const receiver = await receiving();
    const { id, secret } = await east.createWebhook({ url: `${receiver.url}/in`, after: 'start', batch: true });
    const whole = await wholeFeed(east);
    await receiver.when(() => receiver.events('/in', secret).length >= whole.length);
    expect(ids(receiver.events('/in', secret))).toEqual(ids(whole));
    expect(receiver.calls.length).toBe(Math.ceil(whole.length / 100));
    expect(receiver.calls[0]?.headers['content-type']).toBe('application/cloudevents-batch+json; charset=utf-8');
    await east.deleteWebhook(id);
  });

  test('one that hangs, one that fails and one that is away hold nobody up; they are told later, in order', async () => {
    const door = await opened({ timeoutMilliseconds: 400 });
    const receiver = await receiving();
    let well = false;
    receiver.answer('/hanging', (response) => { if (well) response.end(); });
    receiver.answer('/failing', (response) => { response.writeHead(well ? 200 : 500).end(); });
    const gone = await startReceiver();
    await gone.close();
    const hanging = await east.createWebhook({ url: `${receiver.url}/hanging` });
    const failing = await east.createWebhook({ url: `${receiver.url}/failing` });
    const away = await east.createWebhook({ url: `${gone.url}/away` });
    const good = await east.createWebhook({ url: `${receiver.url}/good` });
    await publishSome(east, 8);
    await receiver.when(() => receiver.events('/good', good.secret).length === 8);
    await receiver.when(() => receiver.calls.filter((call) => call.path === '/failing').length >= 3);
    expect(await Promise.all([failing, away].map(async (hook) => (await east.webhook(hook.id)).state))).toEqual(['failing', 'failing']);
    expect(await east.webhook(failing.id)).toMatchObject({ failing: { code: 'WEBHOOK_TARGET_FAILED', reason: 'status', status: 500 } });
    const status = (await (await fetch(`${door.url}/v1/status`, { headers: asOperator })).json()) as object;
    expect(status).toMatchObject({ outbox: { pending: 0 }, webhooks: { paused: 0 } });
    const [{ data: { recordId } = {} } = {}] = receiver.events('/good', good.secret);
    const follow = async (): Promise<unknown> => await (await fetch(`${door.url}/v1/doctor/records`, { method: 'POST', headers: { ...asOperator, 'content-type': 'application/json' }, body: JSON.stringify({ recordId }) })).json();
    const waiting = { stoppedAt: 'subscribers', steps: expect.arrayContaining([expect.objectContaining({ check: 'subscribers', level: 'warn', en: expect.stringMatching(new RegExp(`^3 of 4 webhooks.*${failing.id} \\(failing\\)`)) as string })]) as unknown };
    expect(await follow()).toMatchObject({ recordId, ...waiting });
    well = true;
    await receiver.when(() => [failing, hanging].every((hook, at) => receiver.events(at === 0 ? '/failing' : '/hanging', hook.secret).length === 8));
    const expected = ids(receiver.events('/good', good.secret));
    expect(ids(receiver.events('/failing', failing.secret))).toEqual(expected);
    expect(ids(receiver.events('/hanging', hanging.secret))).toEqual(expected);
    await east.deleteWebhook(away.id);
    await expect.poll(follow, { timeout: 10_000 }).not.toHaveProperty('stoppedAt');
    for (const hook of [hanging, failing, good]) await east.deleteWebhook(hook.id);
  });

  test('goes on where it stood after the node was stopped and started', async () => {
    const first = await world.open();
    const receiver = await receiving();
    let well = true;
    receiver.answer('/in', (response) => response.writeHead(well ? 200 : 500).end());
    const { id, secret } = await east.createWebhook({ url: `${receiver.url}/in` });
    await publishSome(east, 3);
    await receiver.when(() => receiver.events('/in', secret).length === 3);
    well = false;
    await publishSome(east, 3);
    const calls = receiver.calls.length;
    await receiver.when(() => receiver.calls.length > calls);
    await first.close();
    well = true;
    await opened();
    await receiver.when(() => receiver.events('/in', secret).length >= 6);
    expect(ids(receiver.events('/in', secret))).toEqual(ids((await wholeFeed(east)).slice(-6)));
    await east.deleteWebhook(id);
  });

  test('a target that says 410, or says nothing good for too long, is paused with an alarm until somebody resumes it', async () => {
    const door = await opened({ pauseAfterSeconds: 1 });
    const receiver = await receiving();
    let well = false;
    receiver.answer('/gone', (response) => response.writeHead(well ? 200 : 410).end());
    receiver.answer('/bad', (response) => response.writeHead(500).end());
    receiver.answer('/elsewhere', (response) => response.writeHead(302, { location: `${receiver.url}/good` }).end());
    const gone = await east.createWebhook({ url: `${receiver.url}/gone` });
    const bad = await east.createWebhook({ url: `${receiver.url}/bad` });
    const elsewhere = await east.createWebhook({ url: `${receiver.url}/elsewhere` });
    await publishSome(east, 2);
    const alarms = (): string[] => door.logged.filter((line) => line.includes('WEBHOOK_PAUSED'));
    await expect.poll(alarms, { timeout: 20_000 }).toHaveLength(3);
    expect(await east.webhook(gone.id)).toMatchObject({ state: 'paused', paused: { code: 'WEBHOOK_TARGET_FAILED', reason: 'gone' } });
    expect(await east.webhook(bad.id)).toMatchObject({ state: 'paused', paused: { code: 'WEBHOOK_TARGET_FAILED', reason: 'status' } });
    expect(await east.webhook(elsewhere.id)).toMatchObject({ state: 'paused', paused: { code: 'WEBHOOK_TARGET_FORBIDDEN', reason: 'redirect' } });
    expect(receiver.calls.filter((call) => call.path === '/good')).toEqual([]);
    for (const line of alarms()) expect(line).not.toContain(receiver.url);
    well = true;
    expect(await east.resumeWebhook(gone.id)).toMatchObject({ state: 'active' });
    await receiver.when(() => receiver.events('/gone', gone.secret).length === 2);
    for (const hook of [gone, bad, elsewhere]) await east.deleteWebhook(hook.id);
  });

  test('a trial is sent at once; a new secret signs beside the old one', async () => {
    await opened();
    const receiver = await receiving();
    const { id, secret } = await east.createWebhook({ url: `${receiver.url}/in` });
    const trial = await east.testWebhook(id);
    expect(receiver.events('/in', secret)).toMatchObject([{ id: trial.event, type: 'huilian.webhook.test', subject: id }]);
    const renewed = await east.renewWebhookSecret(id);
    expect(renewed.secret).not.toBe(secret);
    receiver.calls.length = 0;
    const second = await east.testWebhook(id);
    for (const one of [secret, renewed.secret]) expect(ids(receiver.events('/in', one))).toEqual([second.event]);
    const twice = await east.renewWebhookSecret(id);
    receiver.calls.length = 0;
    await east.testWebhook(id);
    expect(receiver.events('/in', twice.secret)).toHaveLength(1);
    expect(() => receiver.events('/in', secret)).toThrow('WEBHOOK_BAD_SIGNATURE');
    receiver.answer('/in', (response) => response.writeHead(404).end());
    await expect(east.testWebhook(id)).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FAILED', details: { reason: 'status', status: 404 } });
    await east.deleteWebhook(id);
  });

  test("another member's is not there; the operator sees it, but not its secret", async () => {
    const { url } = await opened();
    const receiver = await receiving();
    const { id } = await east.createWebhook({ url: `${receiver.url}/in` });
    expect(await west.webhooks()).toEqual([]);
    const foreign = [west.webhook(id), west.deleteWebhook(id), west.testWebhook(id), west.resumeWebhook(id), west.renewWebhookSecret(id)];
    for (const call of foreign) await expect(call).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const seen = (await (await fetch(`${url}/v1/webhooks`, { headers: asOperator })).json()) as { items: { id: string; subscriber: object }[] };
    expect(seen.items).toMatchObject([{ id, subscriber: { role: 'member', member: 'east-platform' } }]);
    expect((await fetch(`${url}/v1/webhooks/${id}/secret`, { method: 'POST', headers: asOperator })).status).toBe(404);
    expect((await fetch(`${url}/v1/webhooks/${id}`, { method: 'DELETE', headers: asOperator })).status).toBe(204);
    expect(await east.webhooks()).toEqual([]);
  });

  test('an address that is not allowed, an unknown field, one too many', async () => {
    await opened({ mostPerSubscriber: 2 });
    const receiver = await receiving();
    await expect(east.createWebhook({ url: 'https://169.254.169.254/' })).rejects.toMatchObject({ code: 'WEBHOOK_TARGET_FORBIDDEN' });
    await expect(east.createWebhook({ url: 'unix:/run/x' })).rejects.toMatchObject({ code: 'BAD_FIELD' });
    await expect(east.createWebhook({ url: receiver.url, secret: 'mine' } as never)).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    await expect(east.createWebhook({ url: receiver.url, after: '1/2' })).rejects.toMatchObject({ code: 'BAD_FIELD' });
    const results = await Promise.allSettled(Array.from({ length: 4 }, async () => await east.createWebhook({ url: receiver.url })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'TOO_MANY_SUBSCRIBERS' });
    for (const { id } of await east.webhooks()) await east.deleteWebhook(id);
  });

  test('the same call again by its Idempotency-Key makes no second one, and does not show the secret again', async () => {
    const { node, url } = await opened();
    const receiver = await receiving();
    const call = async (): Promise<Record<string, unknown>> => {
      const answer = await fetch(`${url}/v1/webhooks`, { method: 'POST', headers: { ...asOperator, 'content-type': 'application/json', 'idempotency-key': 'once' }, body: JSON.stringify({ url: receiver.url }) });
      expect(answer.status).toBe(201);
      return (await answer.json()) as Record<string, unknown>;
    };
    const { secret, ...first } = await call();
    expect(secret).toMatch(/^whsec_/);
    expect(await call()).toEqual(first);
    for await (const [, value] of node.services.store.entries({ gte: 'idempotency/', lt: 'idempotency0' })) expect(Buffer.from(value).toString('utf8')).not.toContain('whsec_');
    expect((await fetch(`${url}/v1/webhooks/${String(first['id'])}`, { method: 'DELETE', headers: asOperator })).status).toBe(204);
  });
});

// Last, for it stays so.
test('a suspended member is told nothing more: its stream ends, its webhook rests', async () => {
  const door = await opened({}, { heartbeatMilliseconds: 100 });
  const receiver = await receiving();
  const hook = await west.createWebhook({ url: `${receiver.url}/in` });
  const { cursor } = await west.events({}, 'now');
  const told: ConsortiumEvent[] = [];
  const stream = (async (): Promise<void> => {
    for await (const event of west.subscribe({ after: cursor })) told.push(event);
  })();
  const ended = expect(stream).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  await publishedAndIndexed(2);
  await receiver.when(() => receiver.events('/in', hook.secret).length === 2);
  await world.suspend('west-platform');
  await ended;
  await expect.poll(() => door.logged.filter((line) => line.includes('WEBHOOK_PAUSED')), { timeout: 20_000 }).toHaveLength(1);
  await publishedAndIndexed(2);
  const seen = [...told, ...receiver.events('/in', hook.secret)].map(({ type }) => type);
  expect(seen).not.toContain('huilian.member.suspended');
  expect(receiver.events('/in', hook.secret).filter(({ type }) => type === 'huilian.record.published')).toHaveLength(2);
});
