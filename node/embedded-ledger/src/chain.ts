import { writeBlock } from './block-writer.js';
import type { Peer } from './endorser.js';
import type { LedgerStore, TransactionPlace } from './ledger-store.js';
import { BlockState, type CheckedTransaction, type TransactionValidator } from './transaction-validator.js';
import { VALIDATION_CODES, type ValidationCode } from './validation-code.js';

export interface BatchLimits {
  /** Longest wait of the first message of a block. */
  readonly timeoutMs: number;
  readonly maxMessages: number;
  /** A message above this size is refused; a block does not exceed it by its messages. */
  readonly maxBytes: number;
}

/** Nothing more can be ordered; the message says why. */
export class ChainStoppedError extends Error {
  override readonly name = 'ChainStoppedError';
}

export interface ChainOptions {
  readonly store: LedgerStore;
  readonly orderer: Peer;
  readonly validator: TransactionValidator;
  readonly batch: BatchLimits;
  readonly lastHash: Uint8Array;
  readonly lastConfig: number;
  readonly onFailure: (error: unknown) => void;
}

interface Batch {
  readonly envelopes: Uint8Array[];
  bytes: number;
}

/** A block to be written: a cut batch of transactions, or one configuration. */
interface Job {
  readonly envelopes: readonly Uint8Array[];
  readonly configuration: boolean;
  readonly settle?: { resolve(): void; reject(error: Error): void };
}

/** Fabric orders without bound; one process must not. Twice what the largest block holds, many times over. */
const MAX_QUEUED_BYTES = 256 * 1024 * 1024;

/**
 * Orders envelopes into blocks, validates them and writes them. One block at a time: the next is cut while the one before
 * goes to disk. A failed write stops the chain, for its outcome is unknown until the store is opened again.
 */
export class Chain {
  readonly #options: ChainOptions;
  readonly #ready: Job[] = [];
  readonly #transactionWaiters = new Map<string, Set<(place: TransactionPlace) => void>>();
  readonly #blockWaiters = new Set<() => void>();
  readonly #stopListeners = new Set<(error: Error) => void>();
  #pending: Batch = { envelopes: [], bytes: 0 };
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #lastHash: Uint8Array;
  #lastConfig: number;
  #stopped: ChainStoppedError | undefined;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#lastHash = options.lastHash;
    this.#lastConfig = options.lastConfig;
  }

  get height(): number {
    return this.#options.store.height;
  }

  /** Takes an envelope into the queue; it is not on disk yet. @throws ChainStoppedError */
  order(envelope: Uint8Array): void {
    this.#checkRunning();
    if (this.#queuedBytes + envelope.length > MAX_QUEUED_BYTES) throw new ChainStoppedError('the queue of the ledger is full; try again later');
    const { maxMessages, maxBytes } = this.#options.batch;
    if (this.#pending.bytes + envelope.length > maxBytes) this.#cut();
    this.#pending.envelopes.push(envelope);
    this.#pending.bytes += envelope.length;
    this.#queuedBytes += envelope.length;
    if (this.#pending.envelopes.length >= maxMessages) this.#cut();
    else this.#timer ??= setTimeout(() => { this.#cut(); }, this.#options.batch.timeoutMs);
  }

  #checkRunning(): void {
    if (this.#stopped) throw this.#stopped;
  }

  #cut(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.envelopes.length === 0) return;
    this.#enqueue({ envelopes: this.#pending.envelopes, configuration: false });
    this.#pending = { envelopes: [], bytes: 0 };
  }

  #enqueue(job: Job): void {
    this.#ready.push(job);
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    let job: Job | undefined;
    try {
      for (job = this.#ready.shift(); job; job = this.#ready.shift()) {
        await (job.configuration ? this.#commitConfiguration(job.envelopes) : this.#commitBatch(job.envelopes));
        job.settle?.resolve();
      }
    } catch (error) {
      const stopped = new ChainStoppedError('the ledger could not write a block; its outcome is unknown until the ledger is started again');
      for (const lost of [job, ...this.#ready.splice(0)]) lost?.settle?.reject(stopped);
      this.#stop(stopped);
      this.#options.onFailure(error);
    } finally {
      this.#working = undefined;
    }
  }

  async #commitConfiguration(envelopes: readonly Uint8Array[]): Promise<void> {
    this.#lastConfig = this.height;
    await this.#write(envelopes, [VALIDATION_CODES.VALID], new Map(), undefined);
  }

  async #commitBatch(envelopes: readonly Uint8Array[]): Promise<void> {
    const number = this.height;
    const state = new BlockState(this.#options.store.current());
    const seen = new Set<string>();
    const places = new Map<string, TransactionPlace>();
    const codes: number[] = [];
    for (const [index, envelope] of envelopes.entries()) {
      const checked = this.#check(envelope, seen);
      const code = await this.#settle(checked, state, number, index);
      codes.push(VALIDATION_CODES[code]);
      this.#remember(places, checked.parsed.txId, { block: number, index, code: VALIDATION_CODES[code] });
    }
    await this.#write(envelopes, codes, places, state);
    for (const envelope of envelopes) this.#queuedBytes -= envelope.length;
  }

  /** Of one id in one block the valid transaction is the one to be found; an earlier block's stays the one found. */
  #remember(places: Map<string, TransactionPlace>, txId: string, place: TransactionPlace): void {
    const better = !places.has(txId) || place.code === VALIDATION_CODES.VALID;
    if (txId !== '' && better && this.#options.store.transaction(txId) === undefined) places.set(txId, place);
  }

  #check(envelope: Uint8Array, seen: Set<string>): CheckedTransaction {
    const checked = this.#options.validator.check(envelope);
    const { txId } = checked.parsed;
    if (seen.has(txId) || this.#options.store.transaction(txId) !== undefined) return { ...checked, code: 'DUPLICATE_TXID' };
    if (checked.code === 'VALID') seen.add(txId);
    return checked;
  }

  async #settle({ parsed, code }: CheckedTransaction, state: BlockState, block: number, index: number): Promise<ValidationCode> {
    if (code !== 'VALID') return code;
    const verdict = await state.conflict(parsed.namespaces);
    if (verdict === 'VALID') state.apply(parsed.namespaces, block, index);
    return verdict;
  }

  async #write(envelopes: readonly Uint8Array[], codes: readonly number[], places: ReadonlyMap<string, TransactionPlace>, state: BlockState | undefined): Promise<void> {
    const number = this.height;
    const block = writeBlock({ number, previousHash: this.#lastHash, envelopes, codes, lastConfig: this.#lastConfig }, this.#options.orderer);
    const transactions = [...places].map(([txId, place]) => ({ txId, place }));
    await this.#options.store.commit({ number, bytes: block.bytes, hash: block.hash, transactions, changes: state?.changes ?? [] });
    this.#lastHash = block.hash;
    this.#announce(transactions);
  }

  #announce(transactions: readonly { readonly txId: string; readonly place: TransactionPlace }[]): void {
    for (const { txId, place } of transactions) {
      for (const resolve of this.#transactionWaiters.get(txId) ?? []) resolve(place);
      this.#transactionWaiters.delete(txId);
    }
    const waiting = [...this.#blockWaiters];
    this.#blockWaiters.clear();
    for (const wake of waiting) wake();
  }

  /** Writes a configuration block by itself, after all transactions taken so far. @throws ChainStoppedError */
  async appendConfiguration(envelope: Uint8Array): Promise<void> {
    this.#checkRunning();
    this.#cut();
    await new Promise<void>((resolve, reject) => {
      this.#enqueue({ envelopes: [envelope], configuration: true, settle: { resolve, reject } });
    });
  }

  /** The place of a transaction, as soon as it is committed. @throws ChainStoppedError, or the signal's reason */
  whenCommitted(txId: string, signal: AbortSignal): Promise<TransactionPlace> {
    const known = this.#options.store.transaction(txId);
    if (known) return Promise.resolve(known);
    return this.#wait(signal, (resolve: (place: TransactionPlace) => void) => {
      const waiters = this.#transactionWaiters.get(txId) ?? new Set();
      this.#transactionWaiters.set(txId, waiters.add(resolve));
      return () => {
        waiters.delete(resolve);
        if (waiters.size === 0) this.#transactionWaiters.delete(txId);
      };
    });
  }

  /** Resolves when this block is committed. @throws ChainStoppedError, or the signal's reason */
  async whenBlock(number: number, signal: AbortSignal): Promise<void> {
    while (number >= this.height) {
      await this.#wait(signal, (resolve: (nothing: undefined) => void) => {
        const wake = (): void => { resolve(undefined); };
        this.#blockWaiters.add(wake);
        return () => { this.#blockWaiters.delete(wake); };
      });
    }
  }

  /** Waits for what `register` is told, the end of the chain, or the signal; whichever comes first undoes the others. */
  #wait<T>(signal: AbortSignal, register: (resolve: (value: T) => void) => () => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (settle: () => void): void => {
        unregister();
        signal.removeEventListener('abort', aborted);
        this.#stopListeners.delete(stopped);
        settle();
      };
      const aborted = (): void => { end(() => { reject(signal.reason as Error); }); };
      const stopped = (error: Error): void => { end(() => { reject(error); }); };
      const unregister = register((value) => { end(() => { resolve(value); }); });
      signal.addEventListener('abort', aborted);
      this.#stopListeners.add(stopped);
      if (signal.aborted) aborted();
      else if (this.#stopped) stopped(this.#stopped);
    });
  }

  #stop(error: ChainStoppedError): void {
    this.#stopped ??= error;
    for (const stopped of [...this.#stopListeners]) stopped(error);
  }

  /** Takes nothing more, writes what was taken, then ends all waiting. */
  async close(): Promise<void> {
    const closing = new ChainStoppedError('the ledger is closing');
    this.#stopped ??= closing;
    this.#cut();
    while (this.#working) await this.#working;
    this.#stop(closing);
  }
}
