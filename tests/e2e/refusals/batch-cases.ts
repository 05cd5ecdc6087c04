import { deflateRawSync } from 'node:zlib';
import { canonicalBytes, documentDigest, encodeBatchArgument, limits, sealedOwner, type Header, type JsonObject, type LedgerFunction, type PlacedHeader } from '@huilian/protocol';
import type { Centre } from '../running-consortium.js';
import type { AccessDoor } from './access-door.js';
import { refusedBy, type RefusalCase, type World } from './surfaces.js';

/** Numbers of batches that no node comes to. */
const firstSeq = 900_000;
const salt = '5'.repeat(32);

/** Batches and proofs of an organisation's own client, past its node, straight at the contract; and reads of what such batches left. */
export async function batchCases({ local }: World, door: AccessDoor): Promise<Record<string, RefusalCase>> {
  const { placed } = await found('guangzhou', door.entity);
  const [contested = ''] = await local.records('performance', 'beijing');
  const sealed = await publishSealed();
  const contradiction = await contradict();
  const policy = { claims: ['item'], expires: 2_000_000_000, granteeClasses: ['supervisor'], kind: 'supervision', notBefore: 1_700_000_000, publisher: 'guangzhou', purposes: ['supervision'] };
  await write('GuangzhouMSP', 'setPolicy', policy);
  await local.whenLevel();
  const [policed = ''] = ((await local.api('guangzhou').get('/v1/records?kind=supervision&publisher=guangzhou')) as { items: { recordId: string; header: { rights: string } }[] }).items
    .filter(({ header }) => header.rights === 'publisher')
    .map(({ recordId }) => recordId);

  async function found(centre: Centre, recordId: string): Promise<{ readonly placed: PlacedHeader }> {
    return (await local.api(centre).get(`/v1/records/${recordId}`)) as { placed: PlacedHeader };
  }

  async function write(organisation: string, name: LedgerFunction, argument: JsonObject | Uint8Array): Promise<void> {
    const bytes = argument instanceof Uint8Array ? argument : canonicalBytes(argument);
    await (await (await door.ledger(organisation)).submit(name, bytes)).committed();
  }

  /** A sealed record of one's own client: its owner is a commitment until it is opened. */
  async function publishSealed(): Promise<PlacedHeader> {
    const header: Header = { digest: 'c'.repeat(64), kind: 'sealed', localId: `${'s'.repeat(25)}a`, owner: sealedOwner(salt, local.owner), rights: 'owner', schema: 0, status: 'active', subject: '', version: 1 };
    await write('BeijingMSP', 'publish', encodeBatchArgument({ headers: [header], previous: [], publisher: 'beijing', seq: firstSeq }));
    return { header, index: 0, path: [], seq: firstSeq, size: 1 };
  }

  /** Two digests for one version of one record, shown to the ledger by another centre. */
  async function contradict(): Promise<{ readonly first: PlacedHeader; readonly second: PlacedHeader }> {
    const { placed: first } = await found('beijing', contested);
    const header = { ...first.header, digest: 'b'.repeat(64) };
    await write('BeijingMSP', 'publish', encodeBatchArgument({ headers: [header], previous: [], publisher: 'beijing', seq: firstSeq + 1 }));
    const second: PlacedHeader = { header, index: 0, path: [], seq: firstSeq + 1, size: 1 };
    await write('ZhuhaiMSP', 'expose', { first, publisher: 'beijing', second } as unknown as JsonObject);
    return { first, second };
  }

  const sent = (name: LedgerFunction, argument: () => Uint8Array, organisation = 'GuangzhouMSP'): RefusalCase => ({
    drivers: { contract: async () => await refusedBy((await door.ledger(organisation)).submit(name, argument())) },
  });
  const seq = firstSeq + 2;
  const batch = (headers: readonly Header[], previous: readonly PlacedHeader[] = [], publisher = 'guangzhou'): Uint8Array => encodeBatchArgument({ headers, previous, publisher, seq });
  /** Bytes that the SDK's own writer would refuse to make. */
  const raw = (headers: readonly Header[]): Uint8Array => deflateRawSync(canonicalBytes({ headers, previous: [], publisher: 'guangzhou', seq } as unknown as JsonObject));
  const next = (change: Partial<Header>, previous: Partial<PlacedHeader> = {}): RefusalCase =>
    sent('publish', () => batch([{ ...placed.header, digest: 'a'.repeat(64), version: 2, ...change }], [{ ...placed, ...previous }]));
  const fresh = (change: Partial<Header>): RefusalCase => sent('publish', () => raw([{ ...placed.header, localId: `${'b'.repeat(25)}a`, ...change }]));
  const opening = { digest: 'd'.repeat(64), kind: 'entity', localId: sealed.header.localId, owner: local.owner, rights: 'owner', schema: 1, status: 'active', subject: local.owner, version: 2 } as const;

  return {
    'batch-of-another': sent('publish', () => batch([placed.header]), 'ZhuhaiMSP'),
    'batch-trailing-bytes': sent('publish', () => Uint8Array.from([...batch([placed.header]), 0])),
    'batch-inflates': sent('publish', () => deflateRawSync(Buffer.alloc(64 * 1024 * 1024))),
    'batch-too-large': sent('publish', () => new Uint8Array(limits.batchCompressedBytes + 1)),
    'batch-too-many': sent('publish', () => raw(Array.from({ length: limits.batchHeaders + 1 }, () => placed.header))),
    'batch-other-order': sent('publish', () => deflateRawSync(JSON.stringify({ seq, publisher: 'guangzhou', previous: [], headers: [placed.header] }))),
    'batch-no-deflate': sent('publish', () => Buffer.from('not deflate at all')),
    'batch-record-twice': sent('publish', () => raw([placed.header, placed.header])),
    'batch-number-taken': sent('publish', () => encodeBatchArgument({ headers: [placed.header], previous: [], publisher: 'guangzhou', seq: placed.seq })),
    'header-owner-without-rights': fresh({ rights: 'publisher' }),
    'header-rights-not-allowed': sent('publish', () => { const { owner: _owner, ...header } = placed.header; return raw([{ ...header, localId: `${'b'.repeat(25)}a`, rights: 'public' }]); }),
    'header-schema-unknown': fresh({ schema: 9 }),
    'version-skipped': next({ version: 3 }),
    'version-other-owner': next({ owner: local.stranger }),
    'version-other-path': next({}, { path: ['0'.repeat(64), ...placed.path.slice(1)] }),
    'version-other-record': next({ localId: `${'a'.repeat(25)}a` }),
    'opening-other-salt': sent('publish', () => batch([{ ...opening, salt: '6'.repeat(32) }], [sealed], 'beijing'), 'BeijingMSP'),
    'expose-the-same': sent('expose', () => canonicalBytes({ first: contradiction.first, publisher: 'beijing', second: contradiction.first } as unknown as JsonObject)),
    'read-contested': { drivers: door.drivers(async () => ({ claims: ['contract'], grant: await local.grant({ claims: ['performance/contract'] }), recordId: contested })) },
    'read-sealed': { drivers: door.drivers(async () => ({ claims: ['identity'], grant: await local.grant({}), recordId: `beijing/sealed/${sealed.header.localId}` })) },
    'policy-not-for-platforms': { drivers: door.drivers(() => Promise.resolve({ claims: ['item'], policy: documentDigest(policy), purpose: 'supervision', recordId: policed })) },
  };
}
