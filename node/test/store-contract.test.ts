import { describe, expect, onTestFinished, test } from 'vitest';
import { LevelStore } from '../src/adapters/level/level-store.js';
import { MemoryStore } from '../src/adapters/memory/memory-store.js';
import type { Store, StoreRange } from '../src/core/ports.js';
import { temporaryFolder } from './temporary-folder.js';

const stores: readonly (readonly [name: string, open: () => Promise<Store>])[] = [
  ['on disk', async () => await LevelStore.open(temporaryFolder(), { diskFloorBytes: 0 })],
  ['in memory', async () => await Promise.resolve(new MemoryStore())],
];

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** A store may answer Buffers: only the bytes count. */
function valueAt(store: Store, key: string): number[] | undefined {
  const value = store.get(key);
  return value && [...value];
}

async function keys(store: Store, range: StoreRange): Promise<string[]> {
  const found: string[] = [];
  for await (const [key] of store.entries(range)) found.push(key);
  return found;
}

describe.each(stores)('the store %s', (_name, open) => {
  async function opened(): Promise<Store> {
    const store = await open();
    onTestFinished(async () => {
      await store.close();
    });
    return store;
  }

  test('the first entries of a range come in one read, as many as asked for where there are as many, however large', async () => {
    const store = await opened();
    const large = new Uint8Array(700_000);
    await store.write(['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, value: large })));
    const first = async (range: StoreRange, count: number): Promise<string[]> => (await store.first(range, count)).map(([key, value]) => `${key}${String(value.length)}`);
    expect(await first({ gte: 'b' }, 3)).toEqual(['b700000', 'c700000', 'd700000']);
    expect(await first({ gte: 'b', lt: 'e', reverse: true }, 10)).toEqual(['d700000', 'c700000', 'b700000']);
    expect(await first({ gt: 'e' }, 3)).toEqual([]);
  });

  test('a snapshot shows what was there when it was taken', async () => {
    const store = await opened();
    await store.write([{ key: 'a', value: bytes(1) }, { key: 'b', value: bytes(2) }]);
    const snapshot = store.snapshot();
    await store.write([{ key: 'a', remove: true }, { key: 'b', value: bytes(3) }, { key: 'c', value: bytes(4) }]);
    const seen: [string, number[]][] = [];
    for await (const [key, value] of snapshot.entries({ gte: 'a' })) seen.push([key, [...value]]);
    await snapshot.close();
    expect(seen).toEqual([['a', [1]], ['b', [2]]]);
    expect(await keys(store, {})).toEqual(['b', 'c']);
  });

  test('answers what was written, and undefined for what was not or was removed', async () => {
    const store = await opened();
    await store.write([{ key: 'a', value: bytes(1, 2) }, { key: 'b', value: bytes() }]);
    expect(valueAt(store, 'a')).toEqual([1, 2]);
    expect(valueAt(store, 'b')).toEqual([]);
    expect(store.get('c')).toBeUndefined();
    await store.write([{ key: 'a', remove: true }, { key: 'c', remove: true }]);
    expect(store.get('a')).toBeUndefined();
  });

  test('applies the writes of one call in their order', async () => {
    const store = await opened();
    await store.write([{ key: 'a', value: bytes(1) }, { key: 'a', remove: true }, { key: 'b', remove: true }, { key: 'b', value: bytes(2) }]);
    expect(store.get('a')).toBeUndefined();
    expect(valueAt(store, 'b')).toEqual([2]);
  });

  test('keeps its own copy of a value', async () => {
    const store = await opened();
    const value = bytes(1);
    await store.write([{ key: 'a', value }]);
    value[0] = 9;
    expect(valueAt(store, 'a')).toEqual([1]);
  });

  test('orders keys by their UTF-8 bytes, not by UTF-16 units', async () => {
    const store = await opened();
    const inOrder = ['', '\u0000a', 'a', 'a\u0000', 'ab', 'b', 'é', '主', '\uffee', '\u{1f600}'].filter((key) => key !== '');
    await store.write([...inOrder].reverse().map((key) => ({ key, value: bytes(0) })));
    expect(await keys(store, {})).toEqual(inOrder);
  });

  test.each<readonly [range: StoreRange, found: string]>([
    [{}, 'abcd'],
    [{ gt: 'a', lt: 'd' }, 'bc'],
    [{ gte: 'b', lte: 'c' }, 'bc'],
    [{ gte: 'aa' }, 'bcd'],
    [{ lt: 'bb' }, 'ab'],
    [{ gt: 'd' }, ''],
    [{ reverse: true }, 'dcba'],
    [{ reverse: true, lt: 'd', limit: 2 }, 'cb'],
    [{ gt: 'a', limit: 1 }, 'b'],
    [{ limit: 0 }, ''],
  ])('reads the range %o', async (range, found) => {
    const store = await opened();
    await store.write([...'cadb'].map((key) => ({ key, value: bytes(0) })));
    expect((await keys(store, range)).join('')).toBe(found);
  });

  test('reads a range as it was when it began', async () => {
    const store = await opened();
    await store.write([...'abc'].map((key) => ({ key, value: bytes(0) })));
    const entries = store.entries({})[Symbol.asyncIterator]();
    const first = await entries.next();
    await store.write([{ key: 'bb', value: bytes(0) }, { key: 'c', remove: true }]);
    const rest: string[] = [];
    for (let next = await entries.next(); next.done !== true; next = await entries.next()) rest.push(next.value[0]);
    expect([first.done === true ? '' : first.value[0], ...rest]).toEqual(['a', 'b', 'c']);
  });

  test('reads more entries than it fetches at once', async () => {
    const store = await opened();
    const names = Array.from({ length: 1234 }, (_, index) => String(index).padStart(5, '0'));
    await store.write(names.map((key) => ({ key, value: bytes(1) })));
    expect(await keys(store, {})).toEqual(names);
  });
});
