import { Wallet } from 'ethers';
import { expect, test } from 'vitest';
import { batchRoot, canonicalBytes, encodeBatchArgument, jwkThumbprint, ProtocolError, recordId, stateKey, utf8, verifyGrantSignature, type Domain, type Es256Key, type Header, type Purpose, type Ticket, type X25519Key } from '@huilian/protocol';
import { generateMemberKeys, memoryPin, OwnerWallet, publicKeysOf } from '@huilian/sdk';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { systemRandom } from '../src/adapters/system/system-random.js';
import { recoverPublicKey } from '../src/composition/recover-public-key.js';
import { offeredGrantKey } from '../src/core/exchange/offer-records.js';
import { ReleaseRecords } from '../src/core/exchange/release-records.js';
import { LedgerIndex } from '../src/core/indexing/ledger-index.js';
import { ReadModel } from '../src/core/indexing/read-model.js';
import type { BlockTransaction, Clock, Keys, Ledger, VaultKeys } from '../src/core/ports.js';
import { Vault } from '../src/core/vault/vault.js';

const owner = 'org:91440105MA6NNHC07C';
const time = 1_800_000_000;
const grantDomain: Domain = { name: 'Huilian', version: '1', salt: `0x${'5'.repeat(64)}` };
const header: Header = { digest: '11'.repeat(32), kind: 'qualification', localId: `${'a'.repeat(25)}a`, owner, rights: 'owner', schema: 1, status: 'active', subject: owner, version: 1 };
const record = recordId('river', header.kind, header.localId);
const ticketId = `${'3'.repeat(64)}/0`;
const release = { jwe: 'a.release', release: 'as.it.was' };

type Write = readonly [key: string, value: unknown];

interface Publisher {
  readonly releases: ReleaseRecords;
  readonly store: MemoryStore;
  readonly wallet: Wallet;
  at: number;
  /** The next block, of one transaction. */
  block(name: string, writes: readonly Write[], args?: readonly Uint8Array[]): Promise<void>;
  publish(seq: number, header: Header): Promise<void>;
  readonly ticket: Ticket;
  readonly reader: { readonly signingKey: Es256Key; readonly encryptionKey: X25519Key };
}

/** A publisher's node after one release: its index of an invented ledger, what it sent, the owner's grant as it was offered. */
async function afterOneRelease(): Promise<Publisher> {
  const store = new MemoryStore();
  const readModel = new ReadModel(store);
  const index = new LedgerIndex(store, readModel);
  const reader = publicKeysOf(await generateMemberKeys('bank'));
  const wallet = new Wallet(`0x${'7'.repeat(64)}`);
  const terms = { owner, grantee: 'bank', claims: ['qualification/certificate'], purpose: 'credit-check' as Purpose, reference: `0x${'1'.repeat(64)}`, notBefore: time - 60, expires: time + 86_400, maxUses: 3, nonce: `0x${'2'.repeat(64)}` };
  const envelope = await new OwnerWallet(wallet, memoryPin()).signGrant(grantDomain, terms);
  const { digest, key } = verifyGrantSignature(envelope, grantDomain, recoverPublicKey);
  const ticket: Ticket = {
    basis: { digest, kind: 'grant' }, claims: ['certificate'], encryptionKey: jwkThumbprint(reader.encryptionKey), expires: time + 900, openedAt: time, owner, publisher: 'river', purpose: 'credit-check', reader: 'bank',
    readerKey: jwkThumbprint(reader.signingKey), records: [{ digest: header.digest, recordId: record, version: 1 }], request: '44'.repeat(32), requestId: 'r'.repeat(26), slot: 1,
  };
  const node = { at: time + 10, reader, store, ticket, wallet } as Publisher;
  let height = 0;
  node.block = async (name, writes, args = []) => {
    const transaction: BlockTransaction = {
      id: String(height).repeat(64), code: 'VALID', time, organisation: 'RiverMSP', function: name, args, response: canonicalBytes({}), proposalResponse: new Uint8Array(), endorsements: [],
      writes: writes.map(([place, value]) => ({ key: place, value: canonicalBytes(value) })),
    };
    const block = { number: height, hash: `hash-${String(height)}`, previousHash: height === 0 ? '' : `hash-${String(height - 1)}`, transactions: [transaction] };
    expect(await index.apply(block)).toBe('applied');
    height += 1;
  };
  node.publish = async (seq, published) => {
    const previous = published.version > 1 ? [{ header, index: 0, path: [], seq: 1, size: 1 }] : [];
    await node.block('records:publish', [[stateKey('batch', 'river', seq), { count: 1, root: batchRoot([published]) }]], [encodeBatchArgument({ headers: [published], previous, publisher: 'river', seq })]);
  };
  await node.block('governance:found', [[stateKey('charter'), { chaincode: 'huilian', channel: 'main', digest: '66'.repeat(32), document: {}, domain: grantDomain, founding: '77'.repeat(32) }], [stateKey('member', 'bank'), member(reader)]]);
  await node.block('entities:register', [[stateKey('owner', owner), ownerState(key)]]);
  await node.publish(1, header);
  await node.block('access:open', [[stateKey('ticket', ticketId), ticket]]);
  await store.write([{ key: `exchange/release/${ticketId}`, value: utf8(JSON.stringify(release)) }, { key: offeredGrantKey(ticket.request), value: canonicalBytes(envelope) }]);
  const clock = { now: () => node.at * 1000 } as Clock;
  Object.assign(node, { releases: new ReleaseRecords(readModel, new Vault(store, { erasures: () => [], names: () => [] } as unknown as VaultKeys, systemRandom, 'river'), store, undefined as unknown as Ledger, { memberId: 'river' } as Keys, clock, recoverPublicKey) });
  return node;
}

function member(keys: object, change: object = {}): object {
  return { admittedAt: time, document: { id: 'bank', kind: 'institution', host: 'river', ...keys }, sequence: 1, status: 'active', ...change };
}

function ownerState(key: string): object {
  return { ca: 'c', certificate: 'd', key, owner, registeredAt: time, sequence: 1 };
}

async function answer(node: Publisher): Promise<unknown> {
  return await node.releases.release(ticketId).catch((error: unknown) => (error instanceof ProtocolError ? `${error.code} ${String(error.details['reason'])}` : error));
}

const endings: readonly (readonly [string, string, (node: Publisher) => Promise<void> | void])[] = [
  ['the grant is revoked', 'grant-revoked', async ({ block, ticket }) => { await block('access:revokeGrant', [[stateKey('revocation', owner, ticket.basis.digest), { revokedAt: time }]]); }],
  ['the reader is suspended', 'reader-suspended', async ({ block, reader }) => { await block('governance:approve', [[stateKey('member', 'bank'), member(reader, { status: 'suspended' })]]); }],
  ['the reader changes its signing key', 'reader-key-changed', async ({ block, reader }) => { await block('governance:rotateMemberKeys', [[stateKey('member', 'bank'), member({ ...reader, signingKey: publicKeysOf(await generateMemberKeys('bank')).signingKey })]]); }],
  ['the reader changes its encryption key', 'reader-key-changed', async ({ block, reader }) => { await block('governance:rotateMemberKeys', [[stateKey('member', 'bank'), member({ ...reader, encryptionKey: publicKeysOf(await generateMemberKeys('bank')).encryptionKey })]]); }],
  ['the record has a newer version', 'superseded', async ({ publish }) => { await publish(2, { ...header, digest: '22'.repeat(32), version: 2 }); }],
  ['the record is contested', 'contested', async ({ publish }) => { await publish(2, { ...header, digest: '22'.repeat(32) }); }],
  ['the ticket is refused', 'refused', async ({ block, ticket }) => { await block('access:refuse', [[stateKey('ticket', ticketId), { ...ticket, refused: 'TICKET_ENDED' }]]); }],
  ['the owner changes its key', 'owner-key-changed', async ({ block }) => { await block('entities:rotateKey', [[stateKey('owner', owner), ownerState('another')]]); }],
  ['a recovered key comes into force with time alone', 'owner-key-changed', async (node) => {
    const before = (await node.releases.release(ticketId)).jwe;
    const { key } = verifyGrantSignature(await grantOf(node), grantDomain, recoverPublicKey);
    await node.block('entities:recover', [[stateKey('owner', owner), { ...ownerState(key), recovery: { approvals: ['hill', 'river'], ca: 'c', certificate: 'd', effectiveAt: time + 100, key: 'recovered' } }]]);
    expect((await node.releases.release(ticketId)).jwe).toBe(before);
    node.at = time + 100;
  }],
  ['its term is over', 'expired', (node) => { node.at = node.ticket.expires; }],
  ['the grant kept for it is another', 'owner-key-changed', async (node) => {
    const { grant } = await grantOf(node);
    const other = await new OwnerWallet(new Wallet(`0x${'8'.repeat(64)}`), memoryPin()).signGrant(grantDomain, grant);
    await node.store.write([{ key: offeredGrantKey(node.ticket.request), value: canonicalBytes(other) }]);
  }],
  ['the grant kept for it is gone', 'grant-unknown', async ({ store, ticket }) => { await store.write([{ key: offeredGrantKey(ticket.request), remove: true }]); }],
];

async function grantOf({ wallet, ticket }: Publisher): ReturnType<OwnerWallet['signGrant']> {
  const terms = { owner, grantee: 'bank', claims: ['qualification/certificate'], purpose: ticket.purpose, reference: `0x${'1'.repeat(64)}`, notBefore: time - 60, expires: time + 86_400, maxUses: 3, nonce: `0x${'2'.repeat(64)}` };
  return await new OwnerWallet(wallet, memoryPin()).signGrant(grantDomain, terms);
}

test.each(endings)('a release that was sent again and again is refused from the moment that %s', async (_name, reason, end) => {
  const node = await afterOneRelease();
  for (let times = 0; times < 3; times += 1) expect(await answer(node)).toEqual(release);
  await end(node);
  for (let times = 0; times < 2; times += 1) expect(await answer(node)).toBe(`TICKET_ENDED ${reason}`);
});

test('a ticket that was unknown is known with its block', async () => {
  const node = await afterOneRelease();
  const next = `${'4'.repeat(64)}/0`;
  await node.store.write([{ key: `exchange/release/${next}`, value: utf8(JSON.stringify(release)) }]);
  const asked = node.releases.release(next);
  await node.block('access:open', [[stateKey('ticket', next), node.ticket]]);
  expect(await asked).toEqual(release);
});
