import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { canonicalBytes, fromUtf8, ProtocolError, sha256Hex } from '@huilian/protocol';
import type { Store, StoreWrite, VaultKeys } from '../src/core/ports.js';
import { DeadLetters } from '../src/core/outbox/dead-letters.js';
import { OwnRecords } from '../src/core/vault/own-records.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';
import { PublishingNode, type PublishingOptions } from './publishing-node.js';
import { publishLines, qualification, stream } from './sample-lines.js';
import { temporaryFolder } from './temporary-folder.js';

const [owner, otherUscc] = ['org:91440105MA6NNHC07C', '91440106MABAY5U732'];
const line = (index: number, change: Parameters<typeof qualification>[1] = {}, more: object = {}): object => ({ kind: 'qualification', data: qualification(index, change), ...more });
const code = (expected: string): Error => expect.objectContaining({ code: expected }) as Error;

let folder: string;
let consortium: Consortium;
/** A state folder as it was before anything was erased, and the ids of the records in it. */
let before: string;
/** Published twice; published; both waiting; published, of another owner. */
let ids: { readonly twice: string; readonly once: string; readonly waiting: string; readonly changed: string; readonly others: string };

async function open(stateDir: string, more: Partial<PublishingOptions> = {}): Promise<PublishingNode> {
  const node = await PublishingNode.open({ stateDir, connectionFile: consortium.connectionFile('river'), ...more });
  onTestFinished(async () => { await node.close(); });
  return node;
}

function copyOf(folder: string): string {
  const copy = path.join(temporaryFolder(), 'river');
  cpSync(folder, copy, { recursive: true });
  return copy;
}

/** The data of one folder with the keys of another. */
function dataWithKeys(data: string, keys: string): string {
  const both = copyOf(data);
  cpSync(path.join(keys, 'vault-keys'), path.join(both, 'vault-keys'), { recursive: true, force: true });
  return both;
}

/** What became of each line; receipts come where a group ends. */
async function judged(node: PublishingNode, ...lines: readonly object[]): Promise<readonly object[]> {
  return (await node.publish(stream(...lines))).filter((answer) => 'line' in answer);
}

async function accept(node: PublishingNode, ...lines: readonly object[]): Promise<string[]> {
  return (await node.publish(stream(...lines))).flatMap((answer) => ('recordId' in answer ? [answer.recordId] : []));
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-erase-'));
  consortium = await startConsortium(folder);
  const node = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  node.start();
  await node.readModel.whenHeight(Number(consortium.ledger.height()) - 1, AbortSignal.timeout(20_000));
  const [twice = '', once = '', changed = '', others = ''] = await accept(node, line(1), line(2), line(3), line(4, { uscc: otherUscc }));
  await node.drained();
  await accept(node, line(1, { level: '02' }));
  await node.drained();
  await node.close();
  // Nothing is sent any more.
  const stopped = await PublishingNode.open({ stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') });
  const [waiting = ''] = await accept(stopped, line(5), line(3, { level: '01' }));
  await stopped.close();
  ids = { twice, once, waiting, changed, others };
  before = consortium.stateDir('river');
});

afterAll(async () => {
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

function expectGone(node: PublishingNode, recordId: string, versions: number): void {
  for (let version = 1; version <= versions; version += 1) {
    expect(node.vault.has(recordId, version)).toBe(false);
    expect(() => node.vault.open(recordId, version), `${recordId} ${String(version)}`).toThrow(code('ERASED'));
  }
}

/** All of the owner's records but `once`. */
const named = (): readonly string[] => [ids.twice, ids.waiting, ids.changed];

async function expectErased(node: PublishingNode): Promise<void> {
  expectGone(node, ids.twice, 2);
  expectGone(node, ids.changed, 1);
  expect(() => node.vault.open(ids.waiting, 1)).toThrow(code('PAYLOAD_MISSING'));
  for (const kept of [ids.once, ids.others]) expect(node.vault.open(kept, 1).segment.length).toBeGreaterThan(10);
  expect((await node.outbox.status()).pending).toBe(0);
  const letters = (await new DeadLetters(node.store).list()).filter((letter) => letter.code === 'ERASED');
  expect(letters.map(({ recordId, version }) => [recordId, version])).toEqual([[ids.waiting, 1], [ids.changed, 2]]);
  const records = new OwnRecords(node.store);
  expect([records.read(ids.twice)?.data, records.read(ids.changed)?.data, records.read(ids.waiting)]).toEqual(['', '', undefined]);
  expect(records.read(ids.changed)?.versions).toHaveLength(1);
}

describe('erasing', () => {
  test('ends what is named and leaves what is not; what waited for the ledger never leaves; the second time there is nothing to do', async () => {
    const node = await open(copyOf(before));
    expect(await node.erasing.erase({ recordIds: named() })).toEqual({ recordIds: named(), versions: 5, withdrawn: 2, already: [], backup: {} });
    await expectErased(node);
    expect(node.erasing.list()).toMatchObject([{ holder: owner, scope: 'records', generation: 1, records: [[ids.twice, 2], [ids.waiting, 0], [ids.changed, 1]] }]);
    expect(await node.erasing.erase({ recordIds: [ids.twice, ids.waiting] })).toMatchObject({ recordIds: [], versions: 0, already: [ids.twice, ids.waiting] });
    expect(node.erasing.list()).toHaveLength(1);
    const whole = await node.erasing.erase({ owner });
    expect(whole).toMatchObject({ recordIds: [ids.once], versions: 1 });
    expectGone(node, ids.once, 1);
    expect(node.vault.open(ids.others, 1).segment.length).toBeGreaterThan(10);
    expect(await node.erasing.erase({ owner })).toMatchObject({ recordIds: [], versions: 0 });
    await expect(node.erasing.erase({ recordIds: [ids.others.replace('river', 'hill')] })).rejects.toMatchObject({ code: 'NOT_RECORD_OWNER' });
    await expect(node.erasing.erase({ recordIds: [ids.others.replace('/qualification/', '/credit/')] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(node.erasing.erase({ owner: 'org:91110000MA00000011' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a row that is in a frozen batch goes to the ledger with nothing behind it', async () => {
    const folder = copyOf(before);
    const node = await open(folder);
    expect((await node.outbox.freeze())?.count).toBe(2);
    expect(await node.erasing.erase({ recordIds: [ids.waiting, ids.changed] })).toMatchObject({ withdrawn: 0, versions: 3 });
    expectGone(node, ids.waiting, 1);
    expectGone(node, ids.changed, 2);
    expect((await node.outbox.status())).toMatchObject({ pending: 2, inFlight: 1 });
    expect(await node.publish(stream(line(5)))).toMatchObject([{ line: 1, code: 'ERASED' }]);
  });

  test('a hook makes the new backup; its failure does not undo the erasure', async () => {
    const { EraseData } = await import('../src/core/erasure/erase-data.js');
    const node = await open(copyOf(before));
    const of = (afterErasure: () => Promise<string | undefined>): InstanceType<typeof EraseData> => new EraseData({ clock: { now: () => 0, sleep: () => Promise.resolve() }, memberId: 'river', outbox: node.outbox, readModel: node.readModel, store: node.store, vault: node.vault, afterErasure });
    expect((await of(() => Promise.resolve('backup-1')).erase({ recordIds: [ids.twice] })).backup).toEqual({ made: 'backup-1' });
    expect((await of(() => Promise.reject(new ProtocolError('STORAGE_FAILED'))).erase({ recordIds: [ids.once] })).backup).toEqual({ code: 'STORAGE_FAILED' });
    expectGone(node, ids.once, 1);
  });
});

describe('cut off', () => {
  /** Ends everything at the n-th thing that is written: before it is, or when it is and nobody was told. */
  class Cut {
    private count = 0;
    public isReached = false;

    public constructor(
      private readonly at: number,
      private readonly when: 'before' | 'after',
    ) {}

    public async step(write: () => Promise<void>): Promise<void> {
      if (this.isReached) throw new ProtocolError('INTERNAL', { reason: 'cut' });
      this.count += 1;
      this.isReached = this.count === this.at;
      if (this.isReached && this.when === 'before') throw new ProtocolError('INTERNAL', { reason: 'cut' });
      await write();
      if (this.isReached) throw new ProtocolError('INTERNAL', { reason: 'cut' });
    }

    public store(store: Store): Store {
      return { get: (key) => store.get(key), entries: (range) => store.entries(range), first: async (range, count) => await store.first(range, count), snapshot: () => store.snapshot(), close: async () => { await store.close(); }, write: async (writes) => { await this.step(async () => { await store.write(writes); }); } };
    }

    public keys(keys: VaultKeys): VaultKeys {
      return {
        find: (name) => keys.find(name), names: () => keys.names(), erasures: () => keys.erasures(),
        ensure: async (names) => { await this.step(async () => { await keys.ensure(names); }); },
        end: async (erasure) => { await this.step(async () => { await keys.end(erasure); }); },
      };
    }
  }

  test.each(['before', 'after'] as const)('%s any step and run again, it ends erased; once the keys ended, a start alone finishes it', async (when) => {
    let finishedByStart = 0;
    for (let at = 1; ; at += 1) {
      const folder = copyOf(before);
      const cut = new Cut(at, when);
      const node = await PublishingNode.open({ stateDir: folder, connectionFile: consortium.connectionFile('river'), wrapStore: (store) => cut.store(store), wrapVaultKeys: (keys) => cut.keys(keys) });
      const outcome = await node.erasing.erase({ recordIds: named() }).catch((error: unknown) => error);
      await node.close();
      const again = await PublishingNode.open({ stateDir: folder, connectionFile: consortium.connectionFile('river') });
      try {
        if (!cut.isReached) {
          expect(at).toBeGreaterThan(5);
          expect(finishedByStart).toBeGreaterThan(2);
          return;
        }
        expect(outcome).toMatchObject({ code: 'INTERNAL' });
        const ended = again.vault.erasures().length === 1;
        // Before its keys ended nothing is lost, and after that nothing is left.
        if (ended) await expectErased(again);
        else for (const [recordId, versions] of [[ids.twice, 2], [ids.once, 1], [ids.waiting, 1], [ids.changed, 2]] as const) expect(again.vault.open(recordId, versions).segment.length, `step ${String(at)}`).toBeGreaterThan(10);
        finishedByStart += Number(ended);
        await again.erasing.erase({ recordIds: named() });
        await expectErased(again);
        expect(again.vault.erasures()).toHaveLength(1);
      } finally {
        await again.close();
      }
    }
  }, 60_000);

  test('while the second place is away nothing is erased', async () => {
    const folder = copyOf(before);
    const place = path.join(temporaryFolder(), 'medium');
    mkdirSync(place);
    const node = await open(folder, { vaultKeyCopy: path.join(place, 'vault-keys') });
    renameSync(place, `${place}-away`);
    await expect(node.erasing.erase({ owner })).rejects.toMatchObject({ code: 'KEY_COPY_FAILED' });
    expect(node.vault.open(ids.twice, 2).segment.length).toBeGreaterThan(10);
    expect((await node.outbox.status()).pending).toBe(2);
    renameSync(`${place}-away`, place);
    expect(await node.erasing.erase({ owner })).toMatchObject({ versions: 6, withdrawn: 2 });
    expect(readFileSync(path.join(place, 'vault-keys'), 'utf8')).toBe(readFileSync(path.join(folder, 'vault-keys', 'keys'), 'utf8'));
  });
});

describe('a source that still has the record', () => {
  test('does not bring it back, and hears why; superseding does, under a new key', async () => {
    const folder = copyOf(before);
    const node = await open(folder);
    await node.erasing.erase({ recordIds: [ids.twice, ids.waiting] });
    const source = { file: 'qualification.csv', line: 2 };
    const answers = await judged(node, line(1, { level: '02' }, { source }), line(2), line(5), ...publishLines(50, 51));
    expect(answers).toMatchObject([{ line: 1, code: 'ERASED' }, { line: 2, unchanged: true }, { line: 3, code: 'ERASED' }, { line: 4, version: 1 }]);
    expect((await new DeadLetters(node.store).list()).filter(({ file }) => file !== undefined)).toMatchObject([{ code: 'ERASED', file: source.file, line: 2 }]);
    const again = await judged(node, line(1, {}, { supersede: true }), line(5, {}, { supersede: true }));
    expect(again).toMatchObject([{ recordId: ids.twice, version: 3 }, { recordId: ids.waiting, version: 1 }]);
    for (const [recordId, version] of [[ids.twice, 3], [ids.waiting, 1]] as const) expect(node.vault.open(recordId, version).segment.length).toBeGreaterThan(10);
    expectGone(node, ids.twice, 2);
    expect(await judged(node, line(1), line(5))).toMatchObject([{ unchanged: true, version: 3 }, { unchanged: true, version: 1 }]);
    // A start finds nothing to finish, and takes the new versions for what they are.
    await node.store.write([{ key: 'erasure/finished', remove: true }]);
    await node.erasing.finish();
    expect(node.vault.open(ids.twice, 3).segment.length).toBeGreaterThan(10);
    expect((await node.outbox.status()).pending).toBe(4);
  });

  test('is known by a digest that ends with its key', async () => {
    const folder = copyOf(before);
    const node = await open(folder);
    const plain = sha256Hex(canonicalBytes({ data: qualification(2), rights: 'owner', schema: 1 }));
    const record = new OwnRecords(node.store).read(ids.once);
    if (record === undefined) throw new Error('no record');
    const digest = node.vault.dataDigest(ids.once, record);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(record.data).not.toContain(digest);
    expect(record.data).not.toContain(plain);
    await node.erasing.erase({ recordIds: [ids.twice] });
    const rewrapped = new OwnRecords(node.store).read(ids.once);
    expect(rewrapped?.data).toMatch(/^2\./);
    expect(node.vault.dataDigest(ids.once, rewrapped ?? record)).toBe(digest);
    await node.erasing.erase({ owner });
    expect([node.vault.dataDigest(ids.once, record), node.vault.dataDigest(ids.once, rewrapped ?? record)]).toEqual(['', '']);
  });
});

describe('an old copy of the data with the keys of now', () => {
  test('opens nothing of the owner, says ERASED, and seals nothing under an ended key', async () => {
    const folder = copyOf(before);
    const first = await PublishingNode.open({ stateDir: folder, connectionFile: consortium.connectionFile('river') });
    await first.erasing.erase({ recordIds: named() });
    await first.close();
    const node = await open(dataWithKeys(before, folder));
    expectGone(node, ids.twice, 2);
    expectGone(node, ids.changed, 1);
    // What was kept was put under a new key, which this copy does not know of: it is lost here, and nothing pretends otherwise.
    expectGone(node, ids.once, 1);
    expect(node.vault.open(ids.others, 1).segment.length).toBeGreaterThan(10);
    expect(await judged(node, line(1), line(2), line(4, { uscc: otherUscc }))).toMatchObject([{ code: 'ERASED' }, { recordId: ids.once, version: 2 }, { unchanged: true }]);
    expect(node.vault.open(ids.once, 2).segment.length).toBeGreaterThan(10);
    const holders = new Set<string>();
    for await (const { holder } of node.vault.wrappings()) holders.add(holder);
    expect([...holders].filter((holder) => holder.startsWith(owner))).toEqual([owner, `${owner}#2`]);
    expect(readFileSync(path.join(folder, 'vault-keys', 'keys'), 'utf8').split('\n').filter((text) => text.split(' ')[1] === owner)).toEqual([]);
  });

  test('no key opens any row of an owner that was erased wholly, also not in the data of before', async () => {
    const folder = copyOf(before);
    const first = await PublishingNode.open({ stateDir: folder, connectionFile: consortium.connectionFile('river') });
    await first.erasing.erase({ owner });
    await first.close();
    for (const data of [before, folder]) {
      const node = await open(dataWithKeys(data, folder));
      for (const [recordId, versions] of [[ids.twice, 2], [ids.once, 1], [ids.changed, 1]] as const) expectGone(node, recordId, versions);
      expect(node.vault.open(ids.others, 1).segment.length).toBeGreaterThan(10);
      expect(await node.erasing.erase({ owner })).toMatchObject({ recordIds: [], versions: 0 });
    }
  });

  test('the number of an ended key is not given again where the key after it was lost', async () => {
    const folder = copyOf(before);
    const first = await PublishingNode.open({ stateDir: folder, connectionFile: consortium.connectionFile('river') });
    await first.erasing.erase({ owner });
    await first.close();
    const file = path.join(folder, 'vault-keys', 'keys');
    writeFileSync(file, readFileSync(file, 'utf8').split('\n').filter((text) => text.split(' ')[1] !== `${owner}#2`).join('\n'));
    const node = await open(folder);
    const [recordId = ''] = await accept(node, line(70));
    const rows: StoreWrite[] = [];
    for await (const [key, value] of node.store.entries({ gte: 'vault/row/', lt: 'vault/row/~' })) if (value.length > 0) rows.push({ key, value });
    const last = rows.at(-1);
    expect(last !== undefined && 'value' in last ? fromUtf8(last.value.subarray(2, 2 + (last.value[1] ?? 0))) : '').toBe(`${owner}#2`);
    expect(node.vault.open(recordId, 1).segment.length).toBeGreaterThan(10);
  });
});
