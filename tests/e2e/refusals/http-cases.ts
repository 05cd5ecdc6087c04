import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { misplaced } from '../privacy/planted-values.js';
import type { Centre } from '../running-consortium.js';
import type { AccessDoor } from './access-door.js';
import { answered, command, refusedBy, type Refused, type RefusalCase, type World } from './surfaces.js';

const hidden: readonly string[] = Object.values(misplaced);

/** What may stand in a URL, a body or a command, and what nobody but the operator may do. */
export function httpCases({ local }: World, door: AccessDoor): Record<string, RefusalCase> {
  const http = (send: () => ReturnType<World['local']['call']>): RefusalCase => ({ drivers: { http: async () => answered(await send()) }, hidden });
  const get = (route: string, as?: string): RefusalCase => http(async () => await local.call('beijing', 'GET', route, undefined, as));
  const post = (route: string, body: unknown, as?: string): RefusalCase => http(async () => await local.call('zhuhai', 'POST', route, body, as));
  const bank = 'sample-bank';
  const place = misplaced.name + misplaced.idNumber;

  /** Bytes as they are, as no client library would send them. */
  async function raw(headers: Record<string, string>, body: Uint8Array | string, route = '/v1/revocations', centre: Centre = 'zhuhai'): Promise<Refused | undefined> {
    const url = new URL(route, local.api(centre).url);
    const { status, text } = await new Promise<{ status: number; text: string }>((resolve, reject) => {
      const call = httpRequest(url, { headers, method: 'POST' }, (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (part: string) => (received += part)).once('end', () => { resolve({ status: response.statusCode ?? 0, text: received }); });
      });
      call.once('error', reject);
      call.end(body);
    });
    const answer = JSON.parse(text) as Record<string, unknown>;
    return answered({ body: answer, headers: new Headers(), status });
  }
  const bytes = (body: Uint8Array | string, type = 'application/json', route = '/v1/revocations'): RefusalCase => ({ drivers: { http: async () => await raw({ 'content-type': type }, body, route) }, hidden });
  const client = async (): Promise<Awaited<ReturnType<World['local']['client']>>> => await local.client(bank);
  const ticket = `${'0'.repeat(64)}/0`;

  /** Where a node may be made to call; the settings of this consortium allow plain HTTP and loopback. */
  const target = (address: string): RefusalCase => ({
    drivers: {
      http: async () => answered(await local.call('beijing', 'POST', '/v1/webhooks', { url: address }, bank)),
      sdk: async () => await refusedBy((async () => await (await client()).createWebhook({ url: address }))()),
    },
  });

  return {
    'webhook-metadata-service': target('http://169.254.169.254/latest/meta-data'),
    'webhook-loopback-ipv6': target('https://[::1]:8443/'),
    'webhook-mapped-address': target('https://[::ffff:a9fe:a9fe]/'),
    'webhook-decimal-address': target('https://167772161/'),
    'webhook-with-credentials': target(`https://${misplaced.phone}:secret@example.invalid/`),
    'webhook-other-scheme': target('unix:/var/run/docker.sock'),
    'search-without-token': get('/v1/records'),
    'search-forged-cursor': {
      drivers: {
        http: async () => answered(await local.call('beijing', 'GET', '/v1/records?kind=entity&cursor=%7Enobody', undefined, bank)),
        sdk: async () => await refusedBy((async () => await (await client()).page({ kind: 'entity' }, '~nobody'))()),
      },
    },
    'search-limit-huge': {
      drivers: {
        http: async () => answered(await local.call('beijing', 'GET', '/v1/records?limit=1000000000', undefined, bank)),
        sdk: async () => await refusedBy((async () => await (await client()).page({ limit: 1_000_000_000 }))()),
      },
    },
    'search-limit-negative': get('/v1/records?limit=-1', bank),
    'search-twice-the-same': get('/v1/records?owner=a&owner=b', bank),
    'search-operator': get('/v1/records?owner[$gt]=', bank),
    'search-unknown-filter': get(`/v1/records?idNumber=${misplaced.idNumber}&phone=${misplaced.phone}`, bank),
    'search-owner-with-nul': get('/v1/records?owner=org%3A%00', bank),
    'search-owner-with-separator': get('/v1/records?owner=org%3A91440101MA5CK8T02A~', bank),
    'search-person': {
      drivers: {
        cli: async () => await command(['query', '--owner', `org:${place}`, '--state', `${local.dir}/nodes/beijing`]),
        http: async () => answered(await local.call('beijing', 'GET', `/v1/records?owner=${encodeURIComponent(`org:${place}`)}`, undefined, bank)),
        sdk: async () => await refusedBy((async () => await (await client()).page({ owner: `org:${place}` }))()),
      },
      hidden,
    },
    'path-person': get(`/v1/owners/${encodeURIComponent(place)}`),
    'path-member-control': get('/v1/members/%F4%8F%BF%BF'),
    'path-dots': get('/v1/records/%2e%2e/%2e%2e/etc', bank),
    'path-nul': get('/v1/asks/%00'),
    'method-not-taken': get('/v1/token'),
    'path-nothing': get(`/v1/${encodeURIComponent(misplaced.address)}`),
    'record-unknown': {
      drivers: {
        cli: async () => await door.byCommand({ recordId: `guangzhou/entity/${'a'.repeat(26)}`, reader: bank }),
        http: async () => answered(await local.call('beijing', 'GET', `/v1/records/guangzhou/entity/${'a'.repeat(26)}`, undefined, bank)),
        sdk: async () => await refusedBy((async () => await (await client()).record(`guangzhou/entity/${'a'.repeat(26)}`))()),
      },
    },
    'member-unknown': {
      drivers: {
        http: async () => answered(await local.call('beijing', 'GET', '/v1/members/nobody-here')),
        sdk: async () => await refusedBy((async () => await (await client()).member('nobody-here'))()),
      },
    },
    'ticket-unknown': {
      drivers: {
        contract: async () => await refusedBy((await door.ledger('GuangzhouMSP')).submit('refuse', Buffer.from(`{"code":"TICKET_ENDED","ticket":"${ticket}"}`))),
        http: async () => answered(await local.call('beijing', 'GET', `/v1/tickets/${ticket}/release`, undefined, bank)),
        sdk: async () => await refusedBy((async () => await (await client()).resend(ticket))()),
      },
    },
    'body-unknown-field': post('/v1/access-requests', { [misplaced.idNumber]: misplaced.phone, request: 'a.b.c' }, 'zhuhai-platform'),
    'body-status-set': post('/v1/asks', { createdAt: 1, id: 'a', ownerMsp: 'x', status: 'granted' }, 'zhuhai-platform'),
    'body-proto': bytes(`{"__proto__":{"admin":true},"signature":"${misplaced.name}"}`),
    'body-constructor': bytes('{"constructor":{"prototype":{"admin":true}}}'),
    'body-duplicate-key': bytes('{"proof":1,"proof":2}'),
    'body-byte-order-mark': bytes('\ufeff{}'),
    'body-lone-surrogate': bytes('{"signature":"\\ud800"}'),
    'body-bad-utf8': bytes(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])),
    'body-cut-off': bytes(`{"owner":"${misplaced.name}`),
    'body-not-json': bytes(`<person>${misplaced.idNumber}</person>`, 'application/xml'),
    'body-too-large': bytes(JSON.stringify({ note: 'a'.repeat(2 * 1024 * 1024) })),
    'body-endless': { drivers: { http: async () => await raw({ 'content-type': 'application/json', 'transfer-encoding': 'chunked' }, JSON.stringify({ note: 'a'.repeat(2 * 1024 * 1024) })) } },
    'body-gzip': { drivers: { http: async () => await raw({ 'content-encoding': 'gzip', 'content-type': 'application/json' }, gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20))) } },
    'body-many-keys': bytes(JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`k${String(at)}`, 1]))), 'application/json', '/v1/trails'),
    'body-deep': bytes('['.repeat(100_000)),
    'sign-in-person': post('/v1/token', { client_assertion: place, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', grant_type: 'client_credentials' }),
    'sign-in-as-another': {
      drivers: {
        cli: async () => await command(['query', '--member-keys', impostorFile(), '--node', local.api('beijing').url]),
        http: async () => answered(await local.exchange('beijing', (await local.assertion('zhuhai-platform', local.assertionClaims(bank))))),
        sdk: async () => await refusedBy((async () => await (await local.client(bank, impostor())).page({}))()),
      },
    },
    'sign-in-twice': {
      drivers: {
        http: async () => {
          const assertion = await local.assertion(bank);
          await local.exchange('beijing', assertion);
          return answered(await local.exchange('beijing', assertion));
        },
      },
    },
    'sign-in-unsigned': http(async () => await local.exchange('beijing', `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(local.assertionClaims(bank))).toString('base64url')}.`)),
    'key-of-another-body': {
      drivers: {
        http: async () => {
          const { body: signedIn } = await local.exchange('beijing', await local.assertion(bank));
          const headers = { authorization: `Bearer ${String(signedIn['access_token'])}`, 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() };
          const { claims: _claims, grantee: _grantee, nonce: _nonce, ...terms } = (await local.grant({})).grant;
          await raw(headers, JSON.stringify({ ...terms, claims: ['entity/identity'] }), '/v1/asks', 'beijing');
          return await raw(headers, JSON.stringify({ ...terms, claims: ['entity/contact'] }), '/v1/asks', 'beijing');
        },
      },
    },
    'stream-cut-off': http(async () => await local.call('zhuhai', 'POST', '/v1/records', `{"kind":"personnel","data":{"name":"${misplaced.name}`, 'operator')),
    'bank-publishes': {
      drivers: {
        http: async () => answered(await local.call('beijing', 'POST', '/v1/records', '{}\n', bank)),
        sdk: async () => await refusedBy((async () => {
          for await (const answer of (await client()).publish([{ data: {}, kind: 'credit' }])) void answer;
        })()),
      },
    },
    'member-votes': post('/v1/governance/approve', { proposal: '0'.repeat(64) }, 'zhuhai-platform'),
    'member-reads-status': http(async () => await local.call('zhuhai', 'GET', '/v1/status', undefined, 'zhuhai-platform')),
    'monitoring-reads-status': http(async () => await local.call('zhuhai', 'GET', '/v1/status', undefined, 'monitoring')),
    'ask-unknown': {
      drivers: {
        cli: async () => await command(['grant', '--ask', 'a'.repeat(26), '--wallet', `${local.dir}/owners/${local.owner.slice(4)}/key.txt`, '--node', local.api('zhuhai').url]),
        http: async () => answered(await local.call('zhuhai', 'GET', `/v1/asks/${'a'.repeat(26)}`)),
        sdk: async () => await refusedBy((async () => await (await client()).findAsk('a'.repeat(26)))()),
      },
    },
  };

  function impostor(): ReturnType<World['local']['keys']> {
    return { ...local.keys('zhuhai-platform'), memberId: bank };
  }

  function impostorFile(): string {
    const file = `${local.dir}/impostor-keys.json`;
    writeFileSync(file, JSON.stringify(impostor()));
    return file;
  }
}
