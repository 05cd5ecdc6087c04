import { fromBase64url, readRequest, signJws, toBase64url, type AccessRequest, type GrantEnvelope, type PlacedHeader } from '@huilian/protocol';
import { es256Signer, generateMemberKeys } from '@huilian/sdk';
import type { AccessDoor, Asked } from './access-door.js';
import { seconds, type RefusalCase, type World } from './surfaces.js';

/** Requests that do not fit their records, their reader, their consortium or their publisher's offer. */
export function requestCases({ local }: World, door: AccessDoor): Record<string, RefusalCase> {
  const made = (make: (grant: GrantEnvelope) => Promise<Partial<Asked>>, grant?: () => Promise<GrantEnvelope>): RefusalCase => ({
    drivers: door.drivers(async () => {
      const good = await (grant?.() ?? local.grant({}));
      return { grant: good, ...(await make(good)) };
    }, ['cli']),
  });
  /** What only a raw client of the ledger can change. */
  const raw = (asked: Partial<Asked>, before?: (grant: GrantEnvelope) => Promise<unknown>): RefusalCase => ({
    drivers: {
      contract: async () => {
        const grant = await local.grant({});
        await before?.(grant);
        return await door.byContract({ grant, ...asked });
      },
    },
  });
  const changed = (change: (request: AccessRequest) => Partial<AccessRequest>): RefusalCase => made(async (grant) => ({ request: await door.changed(grant, change) }));
  const unreadable = (spoil: (request: string) => Promise<string> | string): RefusalCase =>
    made(async (grant) => {
      const offered = await door.prepare({ grant });
      return { offered, request: await spoil(offered) };
    });
  /** Changed so that nobody can read it: the offer is of the good one. */
  const spoilt = (change: (request: AccessRequest) => Partial<AccessRequest>): RefusalCase =>
    unreadable(async (request) => {
      const { request: good } = readRequest(request);
      return await signJws({ alg: 'ES256', kid: good.reader, typ: 'huilian-request+jwt' }, { ...good, ...change(good) }, await es256Signer(local.keys(good.reader).signingKey));
    });
  const placed = (change: (placed: PlacedHeader) => PlacedHeader): RefusalCase => changed(({ headers }) => ({ headers: headers.map(change) }));

  /** The signature's own bytes, the last of them changed: as long and as well spelt as before. */
  function flipped(jws: string): string {
    const [header = '', payload = '', signature = ''] = jws.split('.');
    const bytes = Uint8Array.from(fromBase64url(signature));
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    return `${header}.${payload}.${toBase64url(bytes)}`;
  }

  return {
    'request-byte-changed': made(async (grant) => ({ request: flipped(await door.prepare({ grant })) })),
    'request-cut-off': unreadable((request) => request.slice(0, -1)),
    'request-no-jws': unreadable(() => 'a.b.c'),
    'request-another-document': unreadable(async (request) => await signJws({ alg: 'ES256', kid: 'zhuhai-platform', typ: 'huilian-receipt+jwt' }, readRequest(request).request, await es256Signer(local.keys('zhuhai-platform').signingKey))),
    'request-by-another-key': made(async (grant) => ({ request: await door.changed(grant, () => ({}), await generateMemberKeys('zhuhai-platform')) })),
    'request-other-consortium': changed(() => ({ salt: `0x${'0'.repeat(64)}` })),
    'request-old': changed(() => ({ issuedAt: seconds() - 301 })),
    'request-from-the-future': changed(() => ({ issuedAt: seconds() + 400 })),
    'request-other-encryption-key': made(async (grant) => {
      const { encryptionKey } = readRequest(await door.prepare({ grant, reader: 'sample-bank' })).request;
      return { request: await door.changed(grant, () => ({ encryptionKey })) };
    }),
    'request-one-record-twice': spoilt(({ headers }) => ({ headers: [...headers, ...headers] })),
    'request-purpose': spoilt(() => ({ purpose: 'curiosity' as never })),
    'request-merkle-path': placed((header) => ({ ...header, path: ['0'.repeat(64), ...header.path.slice(1)] })),
    'request-other-place': placed((header) => ({ ...header, index: header.index === 0 ? 1 : header.index - 1 })),
    'request-invented-batch': placed((header) => ({ ...header, seq: 9_999_999 })),
    'request-of-another-reader': {
      drivers: door.drivers(async () => {
        const grant = await local.grant({});
        return { grant, reader: 'sample-bank', request: await door.prepare({ grant }) };
      }, ['cli']),
    },
    'policy-unknown': {
      drivers: door.drivers(async () => {
        const [recordId = ''] = await publisherRecords();
        return { claims: ['case'], policy: 'f'.repeat(64), purpose: 'supervision', recordId };
      }),
    },
    'offer-by-another-centre': raw({ offerKey: 'beijing' }),
    'offer-for-another-request': raw({ offer: () => ({ request: 'a'.repeat(64) }) }),
    'offer-expired': raw({ offer: () => ({ expires: seconds() - 1 }) }),
    'slot-past-the-count': raw({ slot: 6 }),
  };

  async function publisherRecords(): Promise<string[]> {
    const { items } = (await local.api('guangzhou').get('/v1/records?kind=supervision&publisher=guangzhou')) as { items: { recordId: string; header: { rights: string } }[] };
    return items.filter(({ header }) => header.rights === 'publisher').map(({ recordId }) => recordId);
  }
}
