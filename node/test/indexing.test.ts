import { expect, test } from 'vitest';
import { batchRoot, canonicalBytes, checkPlacedHeader, encodeBatchArgument, stateKey, type Header, type ProtocolError } from '@huilian/protocol';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { systemClock as clock } from '../src/adapters/system/system-clock.js';
import { systemRandom as random } from '../src/adapters/system/system-random.js';
import { LedgerFollower } from '../src/core/indexing/follow-ledger.js';
import { LedgerIndex } from '../src/core/indexing/ledger-index.js';
import { ReadModel } from '../src/core/indexing/read-model.js';
import type { BlockTransaction, Ledger, LedgerBlock } from '../src/core/ports.js';

const owner = 'org:91440105MA6NNHC07C';
const other = 'org:91440106MABAY5U732';
const time = 1_800_000_000;

function header(local: string, change: Partial<Header> = {}): Header {
  return { digest: '11'.repeat(32), kind: 'qualification', localId: `${local.repeat(25)}a`, owner, rights: 'owner', schema: 1, status: 'active', subject: owner, version: 1, ...change };
}

function transaction(id: string, change: Partial<BlockTransaction>): BlockTransaction {
  const nothing = { args: [], response: canonicalBytes({}), proposalResponse: new Uint8Array(), endorsements: [], writes: [] };
  return { id: id.repeat(64), code: 'VALID', time, organisation: 'RiverMSP', function: '', ...nothing, ...change };
}

function publish(id: string, seq: number, headers: readonly Header[], change: Partial<BlockTransaction> = {}): BlockTransaction {
  const argument = encodeBatchArgument({ headers, previous: headers.filter(({ version }) => version > 1).map((one) => ({ header: one, index: 0, path: [], seq: 1, size: 1 })), publisher: 'river', seq });
  return transaction(id, {
    function: 'records:publish',
    args: [argument],
    writes: [{ key: stateKey('batch', 'river', seq), value: canonicalBytes({ count: headers.length, root: batchRoot(headers) }) }],
    ...change,
  });
}

/** Blocks in a row; the hash is a name, since chaining is all that counts here. */
function chain(...contents: readonly (readonly BlockTransaction[])[]): LedgerBlock[] {
  return contents.map((transactions, number) => ({ number, hash: `hash-${String(number)}`, previousHash: number === 0 ? '' : `hash-${String(number - 1)}`, transactions }));
}

function opened(): { store: MemoryStore; readModel: ReadModel; index: LedgerIndex } {
  const store = new MemoryStore();
  const readModel = new ReadModel(store);
  return { store, readModel, index: new LedgerIndex(store, readModel) };
}

async function folded(...contents: readonly (readonly BlockTransaction[])[]): Promise<ReadModel> {
  const { index, readModel } = opened();
  for (const block of chain(...contents)) expect(await index.apply(block)).toBe('applied');
  return readModel;
}

const contents = [[], [publish('a', 1, [header('a'), header('b')])], [publish('b', 2, [header('c')])], []] as const;

test('a block that was indexed before changes nothing, one from later is a gap', async () => {
  const { index, readModel } = opened();
  const blocks = chain(...contents);
  for (const block of blocks.slice(0, 2)) await index.apply(block);
  const before = await readModel.digest();
  expect(await index.apply(blocks[1] as LedgerBlock)).toBe('known');
  expect(await index.apply(blocks[3] as LedgerBlock)).toBe('gap');
  expect(await readModel.digest()).toBe(before);
  expect(readModel.height()).toBe(1);
});

test.each<readonly [string, Partial<LedgerBlock>]>([
  ['another hash at a known height', { number: 1, hash: 'forged', previousHash: 'hash-0' }],
  ['a next block that follows another', { number: 2, hash: 'hash-2', previousHash: 'forged' }],
])('%s is refused as a fork', async (_name, change) => {
  const { index, readModel } = opened();
  const blocks = chain(...contents);
  for (const block of blocks.slice(0, 2)) await index.apply(block);
  const before = await readModel.digest();
  await expect(index.apply({ ...(blocks[2] as LedgerBlock), ...change })).rejects.toMatchObject({ code: 'BLOCK_FORK' });
  expect(await readModel.digest()).toBe(before);
});

/** A ledger that gives scripted answers to each `blocks` call, then waits for the end. */
function scripted(scripts: readonly (readonly LedgerBlock[])[]): { ledger: Ledger; asked: number[] } {
  const asked: number[] = [];
  async function* blocks(from: number, signal: AbortSignal): AsyncGenerator<LedgerBlock> {
    const script = scripts[asked.length];
    asked.push(from);
    for (const block of script ?? []) yield block;
    if (script !== undefined && asked.length < scripts.length) return;
    await new Promise<void>((resolve) => { signal.addEventListener('abort', () => { resolve(); }, { once: true }); });
  }
  const refuse = (): never => { throw new Error('not scripted'); };
  return { asked, ledger: { blocks, submit: refuse, transactionCode: refuse, height: refuse, close: () => Promise.resolve() } };
}

test('following a stream with repeats and gaps comes to the model of the whole chain', async () => {
  const [b0, b1, b2, b3] = chain(...contents) as [LedgerBlock, LedgerBlock, LedgerBlock, LedgerBlock];
  const { ledger, asked } = scripted([[b0, b0, b2], [b1, b0, b1], [], [b2, b3]]);
  const { index, readModel } = opened();
  const alarms: ProtocolError[] = [];
  const follower = new LedgerFollower({ ledger, index, readModel, clock, random, onAlarm: (error) => { alarms.push(error); } });
  follower.start();
  await readModel.whenHeight(3, AbortSignal.timeout(20_000));
  await follower.stop();
  expect(asked).toEqual([0, 1, 2, 2]);
  expect(await readModel.digest()).toBe(await (await folded(...contents)).digest());
  expect(alarms).toEqual([]);
});

test('a fork in the stream halts the following and raises one alarm', async () => {
  const [b0, b1] = chain(...contents) as [LedgerBlock, LedgerBlock];
  const { ledger, asked } = scripted([[b0, b1, { ...b1, hash: 'forged' }], [b0]]);
  const { index, readModel } = opened();
  const alarm = await new Promise<ProtocolError>((resolve) => {
    const follower = new LedgerFollower({ ledger, index, readModel, clock, random, onAlarm: resolve });
    follower.start();
  });
  expect(alarm).toMatchObject({ code: 'BLOCK_FORK', details: { block: 1 } });
  expect(asked).toEqual([0]);
});

test('what a transaction that is not VALID wrote is not there', async () => {
  const model = await folded([publish('a', 1, [header('a')], { code: 'MVCC_READ_CONFLICT' })]);
  expect(model.batch('river', 1)).toBeUndefined();
  expect(model.transaction('a'.repeat(64))).toEqual({ block: 0, index: 0, code: 'MVCC_READ_CONFLICT' });
  await expect(model.whenIndexed('a'.repeat(64))).rejects.toMatchObject({ code: 'LEDGER_CONFLICT' });
  const unendorsed = await folded([publish('b', 1, [header('a')], { code: 'ENDORSEMENT_POLICY_FAILURE' })]);
  await expect(unendorsed.whenIndexed('b'.repeat(64))).rejects.toMatchObject({ code: 'LEDGER_REJECTED', details: { code: 'ENDORSEMENT_POLICY_FAILURE' } });
});

test('a copy of a valid transaction says nothing about the first', async () => {
  const model = await folded([publish('a', 1, [header('a')])], [publish('a', 1, [header('a')], { code: 'DUPLICATE_TXID' })]);
  expect(model.transaction('a'.repeat(64))).toEqual({ block: 0, index: 0, code: 'VALID' });
});

test('two digests of one record version are contested until a higher version, on the trail too', async () => {
  const id = `river/qualification/${header('a').localId}`;
  const twice = [[publish('a', 1, [header('a'), header('b')])], [publish('b', 2, [header('a', { digest: '22'.repeat(32) })])]] as const;
  const model = await folded(...twice);
  expect(model.record(id)).toMatchObject({ contested: true, header: { digest: '11'.repeat(32) } });
  expect(model.record(`river/qualification/${header('b').localId}`)).toMatchObject({ contested: false });
  expect((await model.records({ status: 'contested' })).items.map(({ recordId }) => recordId)).toEqual([id]);
  const [left, right] = model.contestedHeaders(id, 1) ?? [];
  expect([left?.header.digest, right?.header.digest]).toEqual(['11'.repeat(32), '22'.repeat(32)]);
  for (const placed of [left, right]) if (placed !== undefined) checkPlacedHeader(placed, model.batch('river', placed.seq) as { root: string; count: number });
  expect((await model.trail(owner)).map(({ what }) => what).sort()).toEqual(['contested', 'published', 'published', 'published']);
  const healed = await folded(...twice, [publish('c', 3, [header('a', { digest: '33'.repeat(32), version: 2 })])]);
  expect(healed.record(id)).toMatchObject({ contested: false, header: { version: 2 } });
  expect((await healed.records({ status: 'contested' })).items).toEqual([]);
});

test('the same header in two batches is one header', async () => {
  const model = await folded([publish('a', 1, [header('a')])], [publish('b', 2, [header('a')])]);
  const id = `river/qualification/${header('a').localId}`;
  expect(model.record(id)).toMatchObject({ contested: false, seq: 1, versions: 1 });
  expect((await model.records({ owner })).items).toHaveLength(1);
});

test('a record exposed on the ledger is contested', async () => {
  const exposed = transaction('c', {
    function: 'records:expose',
    response: canonicalBytes({ kind: 'qualification', localId: header('a').localId, publisher: 'river', version: 1 }),
    writes: [{ key: stateKey('contested', 'river', header('a').localId), value: canonicalBytes({ version: 1 }) }],
  });
  const model = await folded([publish('a', 1, [header('a')])], [exposed]);
  expect(model.record(`river/qualification/${header('a').localId}`)).toMatchObject({ contested: true });
});

test('tickets are found by everyone they concern; receipt, refusal, revocation and used slots are told', async () => {
  const id = `${'d'.repeat(64)}/0`;
  const grant = `0x${'9'.repeat(64)}`;
  const ticket = {
    basis: { digest: grant, kind: 'grant' }, claims: ['qualification'], encryptionKey: 'k'.repeat(43), expires: time + 900, openedAt: time, owner, publisher: 'river',
    purpose: 'credit-check', reader: 'bank', readerKey: 'k'.repeat(43), records: [{ digest: '11'.repeat(32), recordId: 'river/qualification/x', version: 1 }],
    request: '44'.repeat(32), requestId: 'r', slot: 3,
  } as const;
  const opening = transaction('d', {
    function: 'access:open',
    writes: [
      { key: stateKey('ticket', id), value: canonicalBytes(ticket) },
      { key: stateKey('request', 'bank', 'r'), value: canonicalBytes({ digest: '44'.repeat(32), ticket: id }) },
      { key: stateKey('slot', owner, grant, 3), value: canonicalBytes({ ticket: id }) },
    ],
  });
  const confirming = transaction('e', { function: 'access:confirm', writes: [{ key: stateKey('receipt', id), value: canonicalBytes({ confirmedAt: time, digest: '55'.repeat(32), jwe: '66'.repeat(32) }) }] });
  const revoking = transaction('f', { function: 'access:revokeGrant', writes: [{ key: stateKey('revocation', owner, grant), value: canonicalBytes({ revokedAt: time }) }] });
  const model = await folded([], [opening], [confirming, revoking]);
  expect(model.ticket(id)).toEqual({ ticket, block: 1, transactionTime: time, confirmed: { digest: '55'.repeat(32), jwe: '66'.repeat(32) } });
  for (const filter of [{ owner }, { reader: 'bank' }, { publisher: 'river' }, { grant }, { owner, reader: 'bank' }]) {
    expect((await model.tickets(filter)).map((found) => found.id)).toEqual([id]);
  }
  expect(await model.tickets({ owner, reader: 'another' })).toEqual([]);
  expect([2, 3, 4].map((slot) => model.isSlotUsed(owner, grant, slot))).toEqual([false, true, false]);
  expect(model.request('bank', 'r')).toEqual({ digest: '44'.repeat(32), ticket: id });
  expect(model.revocation(owner, grant)).toEqual({ revokedAt: time, block: 2 });
  expect((await model.trail(owner)).map(({ what }) => what)).toEqual(['opened', 'confirmed', 'grant-revoked']);
  const refusing = transaction('1', {
    function: 'access:refuse',
    writes: [{ key: stateKey('ticket', id), value: canonicalBytes({ ...ticket, refused: 'RELEASE_TOO_LATE' }) }, { key: stateKey('slot', owner, grant, 3), value: undefined }],
  });
  const refused = await folded([], [opening], [refusing]);
  expect(refused.isSlotUsed(owner, grant, 3)).toBe(false);
  expect((await refused.trail(owner)).map(({ what, code }) => [what, code])).toEqual([['opened', undefined], ['refused', 'RELEASE_TOO_LATE']]);
  expect(await refused.tickets({ owner })).toHaveLength(1);
});

test('a record whose subject is not its owner is found by either', async () => {
  const model = await folded([publish('a', 1, [header('a', { subject: other }), header('b')])]);
  const local = header('a').localId;
  expect((await model.records({ subject: other })).items.map((item) => item.header.localId)).toEqual([local]);
  expect((await model.records({ owner, subject: other })).items.map((item) => item.header.localId)).toEqual([local]);
  expect((await model.trail(other))).toEqual([]);
});

test('waiting ends when its time is up', async () => {
  const { readModel } = opened();
  await expect(readModel.whenHeight(1, AbortSignal.timeout(10))).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  await expect(readModel.records({ limit: 0 })).rejects.toMatchObject({ code: 'BAD_FIELD' });
  await expect(readModel.records({ cursor: '\u0000' })).rejects.toMatchObject({ code: 'BAD_FIELD' });
});
