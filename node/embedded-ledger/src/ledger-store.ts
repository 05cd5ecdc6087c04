import { Level } from 'level';
import type { StateRead, Version } from './read-write-set.js';
import { leadingVarint, varint } from './wire.js';

/** A value of the world state with the version that wrote it. */
export interface StateEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly version: Version;
}

/** Where a transaction id was first committed, and its numeric validation code. */
export interface TransactionPlace {
  readonly block: number;
  readonly index: number;
  readonly code: number;
}

/** One change of a key, for its history. */
export interface KeyChange {
  readonly block: number;
  readonly index: number;
}

export interface StateChange {
  readonly namespace: string;
  readonly key: string;
  readonly value: Uint8Array | undefined;
  readonly version: Version;
}

/** All that one block changes; written in one synced batch. */
export interface BlockCommit {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  readonly transactions: readonly { readonly txId: string; readonly place: TransactionPlace }[];
  /** Every valid write in order, the last one of a key wins. */
  readonly changes: readonly StateChange[];
}

type Database = Level<Buffer, Buffer>;
type Snapshot = ReturnType<Database['snapshot']>;
type Put = { type: 'put'; key: Buffer; value: Buffer };
type Operation = Put | { type: 'del'; key: Buffer };

const ZERO = Buffer.from([0]);
const RECENT_BLOCKS = 4;

function number64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const blockKey = (number: number): Buffer => Buffer.concat([Buffer.from('B'), number64(number)]);
const hashKey = (hash: Uint8Array): Buffer => Buffer.concat([Buffer.from('X'), hash]);
const transactionKey = (txId: string): Buffer => Buffer.from(`T${txId}`);
const stateKey = (namespace: string, key: string): Buffer => Buffer.from(`S${namespace}\0${key}`);

function historyPrefix(namespace: string, key: string): Buffer {
  const bytes = Buffer.from(key);
  return Buffer.concat([Buffer.from(`H${namespace}`), ZERO, number32(bytes.length), bytes]);
}

function encodeEntry(value: Uint8Array, version: Version): Buffer {
  return Buffer.concat([varint(version.block), varint(version.transaction), value]);
}

function decodeEntry(key: string, stored: Buffer): StateEntry {
  const block = leadingVarint(stored);
  const transaction = leadingVarint(stored, block.end);
  return { key, value: stored.subarray(transaction.end), version: { block: block.value, transaction: transaction.value } };
}

function encodePlace({ block, index, code }: TransactionPlace): Buffer {
  return Buffer.concat([varint(block), varint(index), varint(code)]);
}

function decodePlace(stored: Buffer): TransactionPlace {
  const block = leadingVarint(stored);
  const index = leadingVarint(stored, block.end);
  return { block: block.value, index: index.value, code: leadingVarint(stored, index.end).value };
}

/** The world state at one height. Close it: an open snapshot keeps old values on disk. */
export class StateView {
  constructor(
    private readonly database: Database,
    private readonly snapshot: Snapshot | undefined,
  ) {}

  get(namespace: string, key: string): StateEntry | undefined {
    const stored = this.database.getSync(stateKey(namespace, key), { snapshot: this.snapshot });
    return stored && decodeEntry(key, stored);
  }

  /** Keys from `start` to `end` in order of their UTF-8 bytes; an empty end is the end of the namespace. */
  async *range(namespace: string, start: string, end: string, endIncluded = false): AsyncGenerator<StateEntry> {
    const prefix = namespace.length + 2;
    const upper = end === '' ? Buffer.from(`S${namespace}\x01`) : stateKey(namespace, end);
    const bounds = endIncluded && end !== '' ? { lte: upper } : { lt: upper };
    const iterator = this.database.iterator({ gte: stateKey(namespace, start), ...bounds, snapshot: this.snapshot });
    for await (const [key, stored] of iterator) yield decodeEntry(key.toString('utf8', prefix), stored);
  }

  /** Changes of a key, newest first. */
  async history(namespace: string, key: string): Promise<KeyChange[]> {
    const prefix = historyPrefix(namespace, key);
    const bounds = { gte: prefix, lt: Buffer.concat([prefix, Buffer.alloc(13, 0xff)]) };
    const keys = await this.database.keys({ ...bounds, reverse: true, snapshot: this.snapshot }).all();
    return keys
      .filter((found) => found.length === prefix.length + 12)
      .map((found) => ({ block: Number(found.readBigUInt64BE(prefix.length)), index: found.readUInt32BE(prefix.length + 8) }));
  }

  async close(): Promise<void> {
    await this.snapshot?.close();
  }
}

/** Blocks, their indexes and the world state, on level. Everything a block changes is on disk before `commit` resolves. */
export class LedgerStore {
  readonly #recent = new Map<number, Uint8Array>();
  #height = 0;

  private constructor(private readonly database: Database) {}

  /** @throws with code LEVEL_LOCKED when another process has the folder open */
  static async open(folder: string): Promise<LedgerStore> {
    const database: Database = new Level<Buffer, Buffer>(folder, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    await database.open();
    const store = new LedgerStore(database);
    const [last] = await database.keys({ gte: blockKey(0), lt: Buffer.from('C'), reverse: true, limit: 1 }).all();
    if (last) store.#height = Number(last.readBigUInt64BE(1)) + 1;
    return store;
  }

  /** Number of blocks; the next one has this number. */
  get height(): number {
    return this.#height;
  }

  block(number: number): Uint8Array | undefined {
    if (number < 0 || number >= this.#height) return undefined;
    return this.#recent.get(number) ?? this.database.getSync(blockKey(number));
  }

  blockNumberByHash(hash: Uint8Array): number | undefined {
    const stored = this.database.getSync(hashKey(hash));
    return stored && Number(stored.readBigUInt64BE());
  }

  transaction(txId: string): TransactionPlace | undefined {
    const stored = this.database.getSync(transactionKey(txId));
    return stored && decodePlace(stored);
  }

  /** The state as it is now and stays for this view. */
  snapshot(): StateView {
    return new StateView(this.database, this.database.snapshot());
  }

  /** The state that follows commits. */
  current(): StateView {
    return new StateView(this.database, undefined);
  }

  async commit(commit: BlockCommit): Promise<void> {
    const operations: Operation[] = [
      { type: 'put', key: blockKey(commit.number), value: Buffer.from(commit.bytes) },
      { type: 'put', key: hashKey(commit.hash), value: number64(commit.number) },
      ...commit.transactions.map(({ txId, place }): Put => ({ type: 'put', key: transactionKey(txId), value: encodePlace(place) })),
      ...commit.changes.flatMap(changeOperations),
    ];
    await this.database.batch(operations, { sync: true });
    this.#recent.set(commit.number, commit.bytes);
    this.#recent.delete(commit.number - RECENT_BLOCKS);
    this.#height = commit.number + 1;
  }

  async close(): Promise<void> {
    await this.database.close();
  }
}

function changeOperations({ namespace, key, value, version }: StateChange): Operation[] {
  const state = stateKey(namespace, key);
  const change = Buffer.concat([historyPrefix(namespace, key), number64(version.block), number32(version.transaction)]);
  return [
    value === undefined ? { type: 'del', key: state } : { type: 'put', key: state, value: encodeEntry(value, version) },
    { type: 'put', key: change, value: Buffer.alloc(0) },
  ];
}

export function sameVersion(left: Version | undefined, right: Version | undefined): boolean {
  return left?.block === right?.block && left?.transaction === right?.transaction;
}

export function sameReads(recorded: readonly StateRead[], found: readonly StateRead[]): boolean {
  return recorded.length === found.length && recorded.every((read, index) => read.key === found[index]?.key && sameVersion(read.version, found[index]?.version));
}
