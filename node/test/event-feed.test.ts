import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchRoot, canonicalBytes, comparePositions, encodeBatchArgument, eventTypes, feedStart, positionText, readPosition, stateKey, type ConsortiumEvent, type EventFilter, type EventPosition, type Header } from '@huilian/protocol';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import { EventFeed } from '../src/core/events/event-feed.js';
import { LedgerIndex } from '../src/core/indexing/ledger-index.js';
import { ReadModel } from '../src/core/indexing/read-model.js';
import { reindex } from '../src/core/indexing/reindex.js';
import type { BlockTransaction, Ledger, LedgerBlock } from '../src/core/ports.js';

const owner = 'org:91440105MA6NNHC07C';
const other = 'org:91440106MABAY5U732';
const time = 1_800_000_000;
const fingerprint = 'ab'.repeat(32);

function transaction(change: Partial<BlockTransaction>): BlockTransaction {
  const nothing = { args: [], response: canonicalBytes({}), proposalResponse: new Uint8Array(), endorsements: [], writes: [] };
  return { id: '', code: 'VALID', time, organisation: 'RiverMSP', function: '', ...nothing, ...change };
}

function header(local: string, change: Partial<Header> = {}): Header {
  return { digest: '11'.repeat(32), kind: 'qualification', localId: `${local.repeat(25)}a`, owner, rights: 'owner', schema: 1, status: 'active', subject: owner, version: 1, ...change };
}

function publish(publisher: string, seq: number, headers: readonly Header[], code = 'VALID'): BlockTransaction {
  const previous = headers.filter(({ version }) => version > 1).map((one) => ({ header: one, index: 0, path: [], seq: 1, size: 1 }));
  return transaction({
    code,
    function: 'records:publish',
    args: [encodeBatchArgument({ headers, previous, publisher, seq })],
    writes: [{ key: stateKey('batch', publisher, seq), value: canonicalBytes({ count: headers.length, root: batchRoot(headers) }) }],
  });
}

function written(by: string, ...writes: readonly (readonly [key: string, value: unknown])[]): BlockTransaction {
  return transaction({ function: by, writes: writes.map(([key, value]) => ({ key, value: canonicalBytes(value) })) });
}

const founding = written('governance:found', [stateKey('charter'), { digest: fingerprint }]);

/** Blocks in a row, each transaction with an id of its own. */
function chain(contents: readonly (readonly BlockTransaction[])[]): LedgerBlock[] {
  return contents.map((transactions, number) => ({
    number,
    hash: `hash-${String(number)}`,
    previousHash: number === 0 ? '' : `hash-${String(number - 1)}`,
    transactions: transactions.map((one, at) => ({ ...one, id: `${String(number).padStart(4, '0')}${String(at).padStart(4, '0')}`.padEnd(64, '0') })),
  }));
}

interface Opened {
  readonly feed: EventFeed;
  readonly index: LedgerIndex;
  readonly readModel: ReadModel;
  readonly store: MemoryStore;
}

function opened(): Opened {
  const store = new MemoryStore();
  const readModel = new ReadModel(store);
  return { store, readModel, index: new LedgerIndex(store, readModel), feed: new EventFeed(readModel) };
}

async function folded(blocks: readonly LedgerBlock[]): Promise<Opened> {
  const parts = opened();
  for (const block of blocks) expect(await parts.index.apply(block)).toBe('applied');
  return parts;
}

async function readAll(feed: EventFeed, filter: EventFilter = {}, after: EventPosition = feedStart, limit = 100): Promise<ConsortiumEvent[]> {
  const all: ConsortiumEvent[] = [];
  for (let position = after; ;) {
    const page = await feed.page(position, filter, limit);
    all.push(...page.events);
    if (page.complete) return all;
    expect(comparePositions(page.position, position)).toBeGreaterThan(0);
    position = page.position;
  }
}

const names = (events: readonly ConsortiumEvent[]): string[] => events.map(({ type }) => type.replace('huilian.', ''));

describe('what makes an event', () => {
  const member = (status: string, sequence = 1): unknown => ({ admittedAt: time, document: { id: 'bank' }, sequence, status });
  const proposal = (status: string, approvals: readonly string[]): unknown => ({ action: 'suspend', approvals, content: {}, id: 'p', proposedAt: time, proposer: 'river', rejections: [], round: 1, status });
  const ticketId = `${'d'.repeat(64)}/0`;
  const ticket = { basis: { digest: `0x${'9'.repeat(64)}`, kind: 'grant' }, claims: ['qualification'], owner, publisher: 'river', purpose: 'credit-check', reader: 'bank', records: [{ digest: '11'.repeat(32), recordId: `river/qualification/${header('a').localId}`, version: 1 }] };

  test.each<readonly [name: string, blocks: readonly (readonly BlockTransaction[])[], types: readonly string[]]>([
    ['founding', [[founding]], ['consortium.founded']],
    ['a batch, its second version, a revoked one', [[founding], [publish('river', 1, [header('a'), header('b')]), publish('river', 2, [header('a', { version: 2 }), header('b', { version: 2, status: 'revoked' })])]], ['consortium.founded', 'record.published', 'record.published', 'record.superseded', 'record.revoked']],
    ['two digests of one version', [[publish('river', 1, [header('a')])], [publish('river', 2, [header('b'), header('a', { digest: '22'.repeat(32) })])]], ['record.published', 'record.published', 'record.published', 'record.contested']],
    ['a member that comes, changes keys, is suspended and comes back', [[written('x', [stateKey('member', 'bank'), member('active')]), written('x', [stateKey('member', 'bank'), member('active', 2)]), written('x', [stateKey('member', 'bank'), member('suspended', 2)])], [written('x', [stateKey('member', 'bank'), member('active', 3)])]], ['member.admitted', 'member.keys-rotated', 'member.suspended', 'member.admitted']],
    ['votes', [[written('x', [stateKey('proposal', 'p'), proposal('open', ['river'])])], [written('x', [stateKey('proposal', 'p'), proposal('open', ['river'])])], [written('x', [stateKey('proposal', 'p'), proposal('adopted', ['hill', 'river'])])]], ['proposal.made', 'proposal.voted', 'proposal.voted', 'proposal.adopted']],
    ['a proposal that its own vote rejects', [[written('x', [stateKey('proposal', 'p'), proposal('rejected', [])])]], ['proposal.made', 'proposal.rejected']],
    ['a ticket, its receipt, a dispute, a refusal', [[written('access:open', [stateKey('ticket', ticketId), ticket])], [written('access:confirm', [stateKey('receipt', ticketId), { digest: 'a', jwe: 'b' }]), written('access:dispute', [stateKey('dispute', ticketId), {}]), written('access:refuse', [stateKey('ticket', ticketId), { ...ticket, refused: 'RELEASE_TOO_LATE' }])]], ['ticket.opened', 'ticket.confirmed', 'ticket.disputed', 'ticket.refused']],
    ['an owner and its grants', [[written('entities:register', [stateKey('owner', owner), {}]), written('entities:rotateKey', [stateKey('owner', owner), {}]), written('entities:recover', [stateKey('owner', owner), {}]), written('entities:objectRecovery', [stateKey('owner', owner), {}]), written('access:revokeGrant', [stateKey('revocation', owner, `0x${'9'.repeat(64)}`), { revokedAt: time }])]], ['owner.registered', 'owner.key-rotated', 'owner.recovery-approved', 'owner.recovery-objected', 'grant.revoked']],
    ['documents adopted by vote, a policy', [[written('x', [stateKey('schema', 'credit', 1), { digest: 'd', kind: 'credit', version: 1 }]), written('x', [stateKey('ca', 'f'), {}]), written('x', [stateKey('codeSet', 'regions', 1), { digest: 'd', name: 'regions', version: 1 }]), written('x', [stateKey('ruleSet', 'rules', 1), { digest: 'd', name: 'rules', version: 1 }]), written('x', [stateKey('policy', 'river', 'credit', 'd'), {}])]], ['schema.adopted', 'ca.trusted', 'code-set.adopted', 'rule-set.adopted', 'policy.set']],
  ])('%s', async (_name, blocks, types) => {
    const { feed } = await folded(chain(blocks));
    expect(names(await readAll(feed))).toEqual(types);
  });

  test('nothing comes of a transaction that is not VALID, nor of what belongs to the machinery', async () => {
    const { feed } = await folded(chain([[publish('river', 1, [header('a')], 'MVCC_READ_CONFLICT'), written('x', [stateKey('slot', owner, 'g', 1), {}], [stateKey('electorate'), {}], [stateKey('request', 'bank', 'r'), {}])]]));
    expect(await readAll(feed)).toEqual([]);
  });

  test('an event is a CloudEvent that says where it stands and what the ledger says, a ticket with its terms', async () => {
    const { feed } = await folded(chain([[founding], [], [publish('river', 7, [header('a'), header('b', { owner: other, subject: '' })]), written('access:open', [stateKey('ticket', ticketId), ticket])]]));
    const [, , second, opening] = await readAll(feed);
    const transactionId = (at: number): string => `0002${String(at).padStart(4, '0')}`.padEnd(64, '0');
    expect(second).toEqual({
      specversion: '1.0', id: '2/0/1', source: `urn:huilian:${fingerprint}`, type: 'huilian.record.published', time: '2027-01-15T08:00:00.000Z',
      subject: `river/qualification/${header('b').localId}`, datacontenttype: 'application/json',
      data: { block: 2, transactionId: transactionId(0), recordId: `river/qualification/${header('b').localId}`, kind: 'qualification', schema: 1, version: 1, rights: 'owner', publisher: 'river', owner: other, digest: '11'.repeat(32), seq: 7, index: 1 },
    });
    expect(opening).toMatchObject({
      id: '2/1/0', subject: ticketId,
      data: { block: 2, transactionId: transactionId(1), ticket: ticketId, reader: 'bank', publisher: 'river', owner, purpose: 'credit-check', claims: ['qualification'], grant: ticket.basis.digest, records: [{ recordId: ticket.records[0]?.recordId, version: 1 }] },
    });
  });
});

/** Contents of a chain: what its batches hold and what else happens, with everything that makes it uneven. */
const letters = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const anyHeader = fc.record({ local: letters, kind: fc.constantFrom('qualification', 'credit'), owner: fc.constantFrom(owner, other), version: fc.integer({ min: 1, max: 2 }), digest: fc.constantFrom('11', '22') });
const anyTransaction = fc.oneof(
  { weight: 3, arbitrary: fc.record({ publisher: fc.constantFrom('river', 'hill'), headers: fc.uniqueArray(anyHeader, { minLength: 1, maxLength: 12, selector: ({ local }) => local }), code: fc.constantFrom('VALID', 'VALID', 'MVCC_READ_CONFLICT') }) },
  { weight: 1, arbitrary: fc.record({ revoked: fc.constantFrom(owner, other) }) },
);
const anyChain = fc.array(fc.array(anyTransaction, { maxLength: 4 }), { maxLength: 7 }).map((blocks) => {
  let seq = 0;
  const contents = blocks.map((transactions) => transactions.map((one) => {
    seq += 1;
    if ('revoked' in one) return written('access:revokeGrant', [stateKey('revocation', one.revoked, `0x${String(seq).padStart(64, '0')}`), { revokedAt: time }]);
    return publish(one.publisher, seq, one.headers.map(({ digest, kind, local, owner: of, version }) => header(local, { digest: digest.repeat(32), kind, owner: of, subject: of, version })), one.code);
  }));
  return chain([[founding], ...contents]);
});
const anyFilter: fc.Arbitrary<EventFilter> = fc.record({ kind: fc.constantFrom('qualification', 'credit'), owner: fc.constantFrom(owner, other), subject: fc.constantFrom(owner, other), publisher: fc.constantFrom('river', 'hill'), types: fc.subarray([...eventTypes].sort(), { minLength: 1 }) }, { requiredKeys: [] });

/** The filter said once more, over what an event says of itself. */
function wanted({ data, type }: ConsortiumEvent, { types, ...fields }: EventFilter): boolean {
  return types?.includes(type as never) !== false && Object.entries(fields).every(([name, value]) => data[name as keyof typeof fields] === value);
}

describe('the feed', () => {
  test('is ordered, unique and without gaps, and holds every record of every valid batch', async () => {
    await fc.assert(fc.asyncProperty(anyChain, async (blocks) => {
      const { feed } = await folded(blocks);
      const events = await readAll(feed);
      const positions = events.map(({ id }) => readPosition(id));
      for (const [at, position] of positions.entries()) {
        const before = positions[at - 1];
        if (before === undefined) continue;
        const follows = before.block === position.block && before.transaction === position.transaction;
        expect(follows ? position.n : comparePositions(position, before) > 0 && position.n).toBe(follows ? (before.n ?? 0) + 1 : 0);
      }
      const published = blocks.flatMap(({ number, transactions }) => transactions.flatMap(({ args, code, writes }, at) => {
        const count = code === 'VALID' && args.length > 0 ? (JSON.parse(new TextDecoder().decode(writes[0]?.value)) as { count: number }).count : 0;
        return Array.from({ length: count }, (_, n) => `${String(number)}/${String(at)}/${String(n)}`);
      }));
      expect(events.filter(({ data, type }) => data.seq !== undefined && type !== 'huilian.record.contested').map(({ id }) => id)).toEqual(published);
    }), { numRuns: 60, seed: 7 });
  });

  test('read again and again from anywhere, by any filter, while it grows, comes to the same', async () => {
    const cuts = fc.array(fc.record({ limit: fc.integer({ min: 1, max: 9 }), blocks: fc.integer({ min: 0, max: 2 }) }), { minLength: 1, maxLength: 30 });
    await fc.assert(fc.asyncProperty(anyChain, anyFilter, cuts, async (blocks, filter, steps) => {
      const whole = await readAll((await folded(blocks)).feed);
      const { feed, index } = opened();
      const waiting = [...blocks];
      const seen: ConsortiumEvent[] = [];
      let position = feedStart;
      for (const { blocks: count, limit } of steps) {
        for (const block of waiting.splice(0, count)) await index.apply(block);
        const page = await feed.page(position, filter, limit);
        seen.push(...page.events);
        // A consumer keeps text, and sometimes only the id of the last event.
        const last = page.events.at(-1);
        position = readPosition(last !== undefined && limit % 2 === 0 ? last.id : positionText(page.position));
      }
      for (const block of waiting) await index.apply(block);
      seen.push(...(await readAll(feed, filter, position, 3)));
      expect(seen).toEqual(whole.filter((event) => wanted(event, filter)));
    }), { numRuns: 120, seed: 7 });
  });

  test('is the same after a reindex, also to somebody who reads meanwhile', async () => {
    const blocks = chain([[founding], ...Array.from({ length: 40 }, (_, at) => [publish('river', at + 1, [header('a', { version: at + 1 }), header('b', { version: at + 1 })])])]);
    const { feed, index, readModel, store } = await folded(blocks);
    const before = await readAll(feed);
    const ledger = { blocks: async function* () { await Promise.resolve(); yield* blocks; } } as unknown as Ledger;
    const [during] = await Promise.all([readAll(feed, {}, feedStart, 1), reindex({ store, ledger, index, readModel, signal: new AbortController().signal })]);
    expect(during).toEqual(before);
    expect(await readAll(feed)).toEqual(before);
  });

  test('a consumer that comes from a node further on is neither sent back nor told anything twice', async () => {
    const blocks = chain([[founding], [publish('river', 1, [header('a')])], [publish('river', 2, [header('b')])]]);
    const { feed, index } = await folded(blocks.slice(0, 1));
    expect(await feed.page(readPosition('1/0/0'))).toMatchObject({ events: [], complete: true, position: { block: 1, transaction: 0, n: 0 } });
    for (const block of blocks.slice(1)) await index.apply(block);
    expect((await readAll(feed, {}, readPosition('1/0/0'))).map(({ id }) => id)).toEqual(['2/0/0']);
  });

  test.each(['', '1/', '1/2', '01', '1/0/0/0', '-1', '1e3', 'START', ' 1', '1234567890', '1/0/99999', '../0', '0x1'])('the position %j is refused', (text) => {
    expect(() => readPosition(text, '/after')).toThrow('BAD_FIELD');
  });
});
