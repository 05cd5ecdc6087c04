import { parseBlock } from './block-reader.js';
import type { LedgerStore, StateEntry, StateView } from './ledger-store.js';
import type { NamespaceReadWrites, RangeRead, StateRead, StateWrite, Version } from './read-write-set.js';
import { WireMessage } from './wire.js';

/** A stub call that this ledger does not offer. The transaction fails even when the contract swallows it. */
export class NotSupportedError extends Error {
  override readonly name = 'NotSupportedError';
  readonly code = 'NOT_SUPPORTED';

  constructor(call: string) {
    super(`NOT_SUPPORTED: the embedded ledger does not offer ${call}; run this contract on Hyperledger Fabric`);
  }
}

/** What fabric-shim's stub expects of an iterator of its handler. */
export interface ShimIterator<T> {
  next(): Promise<{ value: T; done: false } | { done: true }>;
  close(): Promise<void>;
}

interface KeyValue {
  readonly key: string;
  readonly value: Buffer;
}

interface KeyModification {
  readonly txId: string;
  readonly value: Buffer;
  readonly isDelete: boolean;
  readonly timestamp: { readonly seconds: number; readonly nanos: number };
}

interface Page {
  readonly iterator: ShimIterator<KeyValue>;
  readonly metadata?: { readonly bookmark: string; readonly fetchedRecordsCount: number };
}

interface MutableRange {
  readonly startKey: string;
  endKey: string;
  exhausted: boolean;
  readonly reads: StateRead[];
}

function byUtf8(left: { readonly key: string }, right: { readonly key: string }): number {
  return Buffer.compare(Buffer.from(left.key), Buffer.from(right.key));
}

/** peer.QueryMetadata {pageSize = 1, bookmark = 2}. */
function readPaging(metadata: Uint8Array): { readonly pageSize: number; readonly bookmark: string } {
  const fields = new WireMessage(metadata);
  return { pageSize: fields.int(1), bookmark: fields.text(2) };
}

/** Results that a peer sends a chaincode at a time. */
const SCAN_BATCH = 100;

/**
 * One organisation's run of one proposal: the handler behind fabric-shim's stub. Reads see the committed state of the
 * view only (no read-your-writes, an absent key is an empty buffer), all reads and writes are recorded as Fabric's peer
 * records them. Method names and parameters are those that fabric-shim 2.5 calls.
 */
export class Simulation {
  readonly #reads = new Map<string, Version | undefined>();
  readonly #writes = new Map<string, Uint8Array | undefined>();
  readonly #ranges: MutableRange[] = [];
  readonly #scans: AsyncGenerator<StateEntry>[] = [];
  #paginated = false;
  #closed = false;
  #unsupported: NotSupportedError | undefined;

  constructor(
    private readonly store: LedgerStore,
    private readonly view: StateView,
    private readonly namespace: string,
  ) {}

  /** Set when the contract called what is not offered. */
  get unsupported(): NotSupportedError | undefined {
    return this.#unsupported;
  }

  /** Ends the run: later calls of a contract that did not await them fail. */
  finish(): NamespaceReadWrites {
    this.#closed = true;
    const reads = [...this.#reads].map(([key, version]): StateRead => ({ key, version })).sort(byUtf8);
    const writes = [...this.#writes].map(([key, value]): StateWrite => ({ key, value })).sort(byUtf8);
    const ranges = this.#ranges.filter((range) => range.exhausted || range.reads.length > 0).map((range): RangeRead => ({ ...range, hashed: false }));
    return { namespace: this.namespace, reads, ranges, writes, hasOther: false };
  }

  /** Ends scans that the contract left open. */
  async release(): Promise<void> {
    for (const scan of this.#scans) await scan.return(undefined);
  }

  #refuse(call: string): NotSupportedError {
    this.#unsupported ??= new NotSupportedError(call);
    return this.#unsupported;
  }

  #enter(collection: string): void {
    if (this.#closed) throw new Error('the transaction has ended; await every call of the stub');
    if (collection !== '') throw this.#refuse('private data collections');
  }

  async handleGetState(collection: string, key: string): Promise<Buffer> {
    this.#enter(collection);
    const entry = this.view.get(this.namespace, key);
    this.#reads.set(key, entry?.version);
    return Buffer.from(entry?.value ?? []);
  }

  #write(collection: string, key: string, value: Uint8Array | undefined): void {
    this.#enter(collection);
    if (typeof key !== 'string') throw new Error('a key must be a string');
    if (this.#paginated) throw new Error('the transaction has already performed a paginated query; writes are not allowed');
    this.#writes.set(key, value);
  }

  /** An empty value deletes the key, as in Fabric. */
  async handlePutState(collection: string, key: string, value: Uint8Array): Promise<Buffer> {
    if (!(value instanceof Uint8Array)) throw new Error('value must be bytes or a string');
    this.#write(collection, key, value.length === 0 ? undefined : Uint8Array.from(value));
    return Buffer.alloc(0);
  }

  async handleDeleteState(collection: string, key: string): Promise<Buffer> {
    this.#write(collection, key, undefined);
    return Buffer.alloc(0);
  }

  async handleGetStateByRange(collection: string, startKey: string, endKey: string, _channel: string, _txId: string, metadata?: Uint8Array): Promise<Page> {
    this.#enter(collection);
    return metadata ? this.#page(startKey, endKey, metadata) : { iterator: await this.#scan(startKey, endKey) };
  }

  #openRange(startKey: string, endKey: string): MutableRange {
    const range: MutableRange = { startKey, endKey, exhausted: false, reads: [] };
    this.#ranges.push(range);
    return range;
  }

  /** A peer hands a scan over in batches and reads one result ahead of each: what it read counts, whether the contract looked or not. */
  async #scan(startKey: string, endKey: string): Promise<ShimIterator<KeyValue>> {
    const range = this.#openRange(startKey, endKey);
    const entries = this.view.range(this.namespace, startKey, endKey);
    this.#scans.push(entries);
    const batch: KeyValue[] = [];
    const fill = async (): Promise<void> => {
      while (batch.length <= SCAN_BATCH && !range.exhausted) {
        const found = await entries.next();
        if (found.done === true) Object.assign(range, { exhausted: true, endKey });
        else batch.push(recordRead(range, found.value));
      }
    };
    await fill();
    return {
      next: async () => {
        this.#enter('');
        // Of the last batch only the result read ahead is left.
        if (batch.length === 1) await fill();
        const value = batch.shift();
        return value === undefined ? { done: true } : { done: false, value };
      },
      close: async () => {
        await entries.return(undefined);
      },
    };
  }

  async #page(startKey: string, endKey: string, metadata: Uint8Array): Promise<Page> {
    if (this.#writes.size > 0) throw new Error('paginated queries are for transactions that write nothing');
    this.#paginated = true;
    const { pageSize, bookmark } = readPaging(metadata);
    if (pageSize < 1) throw new Error('page size must be positive');
    const range = this.#openRange(bookmark || startKey, endKey);
    const page: KeyValue[] = [];
    let next = '';
    for await (const entry of this.view.range(this.namespace, range.startKey, endKey)) {
      if (page.length === pageSize) {
        next = entry.key;
        break;
      }
      page.push(recordRead(range, entry));
    }
    // A peer does not look past a full page: whether there was more is no part of what was read.
    if (page.length < pageSize) Object.assign(range, { exhausted: true, endKey });
    // A page of nothing comes without metadata: a peer sends them as an empty message, which the shim takes for none.
    return page.length === 0 ? { iterator: iterate(page) } : { iterator: iterate(page), metadata: { bookmark: next, fetchedRecordsCount: page.length } };
  }

  async handleGetHistoryForKey(key: string): Promise<ShimIterator<KeyModification>> {
    this.#enter('');
    const changes = await this.view.history(this.namespace, key);
    return iterate(changes.map((change) => this.#modification(key, change.block, change.index)));
  }

  #modification(key: string, block: number, index: number): KeyModification {
    const bytes = this.store.block(block);
    const transaction = bytes && parseBlock(bytes).transactions[index];
    if (!transaction) throw new Error(`block ${String(block)} of the history is missing`);
    const own = transaction.namespaces.find((set) => set.namespace === this.namespace);
    const value = own?.writes.find((write) => write.key === key)?.value;
    return { txId: transaction.txId, value: Buffer.from(value ?? []), isDelete: value === undefined, timestamp: transaction.timestamp };
  }

  async handleGetQueryResult(): Promise<never> {
    throw this.#refuse('rich queries (getQueryResult)');
  }

  async handleInvokeChaincode(): Promise<never> {
    throw this.#refuse('calls of other chaincodes (invokeChaincode)');
  }

  async handlePutStateMetadata(): Promise<never> {
    throw this.#refuse('state-based endorsement (setStateValidationParameter)');
  }

  async handleGetStateMetadata(): Promise<never> {
    throw this.#refuse('state-based endorsement (getStateValidationParameter)');
  }

  async handleGetPrivateDataHash(): Promise<never> {
    throw this.#refuse('private data collections');
  }

  async handlePurgeState(): Promise<never> {
    throw this.#refuse('private data collections');
  }
}

function recordRead(range: MutableRange, entry: StateEntry): KeyValue {
  range.reads.push({ key: entry.key, version: entry.version });
  range.endKey = entry.key;
  return { key: entry.key, value: Buffer.from(entry.value) };
}

function iterate<T>(items: readonly T[]): ShimIterator<T> {
  let at = 0;
  return {
    next: async () => {
      const value = items[at];
      at += 1;
      return value === undefined ? { done: true } : { done: false, value };
    },
    close: async () => undefined,
  };
}

