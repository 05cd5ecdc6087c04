import type { Es256Sign, LedgerFunction, MemberDocument } from '@huilian/protocol';

/**
 * The seven ports of the node. Everything in core reaches the world through these and nothing else, so that a seeded
 * simulator can drive a whole consortium in one process.
 */

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after a delay, or at once when the signal aborts. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  bytes(length: number): Uint8Array;
}

export type StoreWrite = { readonly key: string; readonly value: Uint8Array } | { readonly key: string; readonly remove: true };

export interface StoreRange {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** An unchanging view of a store. */
export interface StoreSnapshot {
  entries(range: StoreRange): AsyncIterable<readonly [key: string, value: Uint8Array]>;
  close(): Promise<void>;
}

/** An ordered key/value store. Keys sort by their UTF-8 bytes. */
export interface Store {
  get(key: string): Uint8Array | undefined;
  entries(range: StoreRange): AsyncIterable<readonly [key: string, value: Uint8Array]>;
  /** The first of them, in one read; fewer only at the end of the range. */
  first(range: StoreRange, count: number): Promise<readonly (readonly [key: string, value: Uint8Array])[]>;
  /** The store as it is now, whatever is written after; to be closed. */
  snapshot(): StoreSnapshot;
  /**
   * All writes or none; resolved only when on disk. @throws ProtocolError STORAGE_FAILED: outcome unknown, never "not
   * stored"; DISK_NEARLY_FULL before anything was written.
   */
  write(writes: readonly StoreWrite[]): Promise<void>;
  close(): Promise<void>;
}

/** One endorsement of a proposal response, for evidence. */
interface BlockEndorsement {
  readonly organisation: string;
  /** PEM. */
  readonly certificate: string;
  /** ECDSA signature (DER) over proposal response payload ‖ serialised identity. */
  readonly signature: Uint8Array;
  /** The serialised identity as the endorser signed it. */
  readonly identity: Uint8Array;
}

export interface BlockTransaction {
  readonly id: string;
  /** Fabric validation code, `VALID` or why not. */
  readonly code: string;
  /** Transaction time, Unix seconds. */
  readonly time: number;
  readonly organisation: string;
  /** `contract:function`, as sent. */
  readonly function: string;
  /** Arguments after the function name. */
  readonly args: readonly Uint8Array[];
  /** Writes of our chaincode's namespace; value undefined = deleted. */
  readonly writes: readonly { readonly key: string; readonly value: Uint8Array | undefined }[];
  readonly response: Uint8Array;
  readonly proposalResponse: Uint8Array;
  readonly endorsements: readonly BlockEndorsement[];
}

export interface LedgerBlock {
  readonly number: number;
  /** Header hashes, hex. */
  readonly hash: string;
  readonly previousHash: string;
  readonly transactions: readonly BlockTransaction[];
}

/** A transaction that was endorsed and handed to ordering. */
export interface Submission {
  readonly transactionId: string;
  readonly response: Uint8Array;
  /**
   * Resolves when the transaction is committed as VALID. @throws LEDGER_CONFLICT (MVCC or phantom: run the command
   * again), LEDGER_REJECTED {code} (final for this transaction), OUTCOME_UNKNOWN (settle it by state or transaction id).
   */
  committed(): Promise<{ readonly block: number }>;
}

export interface Ledger {
  /**
   * Endorses and submits. @throws the contract's own ProtocolError or LEDGER_UNAVAILABLE (endorsing: nothing was
   * ordered), OUTCOME_UNKNOWN {transactionId} (submitting).
   */
  submit(name: LedgerFunction, argument: Uint8Array, transient?: Readonly<Record<string, Uint8Array>>): Promise<Submission>;
  /** Full blocks from a number on, in order, without end until the signal aborts. @throws LEDGER_UNAVAILABLE */
  blocks(from: number, signal: AbortSignal): AsyncIterable<LedgerBlock>;
  /** Validation code of a transaction, undefined while the ledger does not know it. */
  transactionCode(transactionId: string): Promise<string | undefined>;
  /** Number of the last block. @throws LEDGER_UNAVAILABLE */
  height(): Promise<number>;
  close(): Promise<void>;
}

export type ExchangeMethod = 'offer' | 'release' | 'receipt' | 'public-record' | 'refusals' | 'health' | 'joins';

/** Speaks with the nodes of other centres; peers are known by their member id, proved by their libp2p key. */
export interface Transport {
  /** @throws PUBLISHER_UNAVAILABLE, PEER_UNKNOWN, EXCHANGE_FAILED, or the ProtocolError the other side answered with */
  request(centre: string, method: ExchangeMethod, body: Uint8Array): Promise<Uint8Array>;
  serve(answer: (from: string, method: ExchangeMethod, body: Uint8Array) => Promise<Uint8Array>): void;
  /** Replaces the allow-list: centres registered on the ledger with peer id and addresses. */
  allow(centres: readonly MemberDocument[]): void;
  /** Own listening multiaddrs. */
  addresses(): readonly string[];
  close(): Promise<void>;
}

/** Identity keys of this node's member; private keys never leave the adapter. */
export interface Keys {
  readonly memberId: string;
  readonly sign: Es256Sign;
  /** Certificate chain of the signing key for `x5c`: base64 DER, leaf first. */
  readonly certificateChain: readonly string[];
  /** Key of local ids: HMAC-SHA-256 key of 32 bytes, never rotated. */
  readonly localIdKey: Uint8Array;
  /** Key-encryption keys of the vault, apart from the data. */
  readonly vaultKeys: VaultKeys;
}

/** What was erased, as the key file keeps it: apart from the data, so that a restored copy of the data knows it too. */
export interface Erasure {
  /** Unix seconds. */
  readonly at: number;
  /** The owner whose keys ended, or the publisher where there is no owner. */
  readonly holder: string;
  /** Number of the last key of the holder that ended with it; all before have ended too. */
  readonly generation: number;
  /** Everything of the holder was meant, or single records. */
  readonly scope: 'owner' | 'records';
  /** Each record with the last version that is erased; 0 where none of it was ever published. */
  readonly records: readonly (readonly [recordId: string, version: number])[];
}

/** The small key file: one 256-bit key per name (`holderKeyName`), and what was erased. */
export interface VaultKeys {
  find(name: string): Uint8Array | undefined;
  names(): Iterable<string>;
  /** Creates missing keys and syncs the file before it answers. @throws STORAGE_FAILED, KEY_COPY_FAILED */
  ensure(names: readonly string[]): Promise<void>;
  /** Oldest first. */
  erasures(): readonly Erasure[];
  /**
   * Rewrites the file without the keys that the erasure ends and with a line of it: what they wrapped can never be opened
   * again. Done on disk when it answers, or not at all. @throws STORAGE_FAILED, KEY_COPY_FAILED (nothing ended)
   */
  end(erasure: Erasure): Promise<void>;
}

/** Calls the addresses that members named for their webhooks, and no other place. */
export interface WebhookSender {
  /** Whether an address may be called, and its name leads somewhere. @throws WEBHOOK_TARGET_FORBIDDEN {reason}, WEBHOOK_TARGET_FAILED {reason} */
  check(url: string): Promise<void>;
  /**
   * One POST, resolved by a 2xx. Checks the address again, and the one it connects to; follows no redirect, reads nothing
   * of the answer but its status. @throws WEBHOOK_TARGET_FORBIDDEN {reason}, WEBHOOK_TARGET_FAILED {reason, status?}
   */
  post(url: string, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
