import { blockEnvelopes, parseBlock } from './block-reader.js';
import type { LedgerStore } from './ledger-store.js';
import { message, textOf } from './wire.js';

/** Fabric's query chaincode, which every peer has. */
export const SYSTEM_CHAINCODE = 'qscc';

interface Parts {
  readonly channel: string;
  readonly store: LedgerStore;
}

/** What qscc answers with status 500. */
export class SystemQueryError extends Error {
  override readonly name = 'SystemQueryError';
}

function fail(text: string): never {
  throw new SystemQueryError(text);
}

function blockAt(store: LedgerStore, number: number | undefined): Uint8Array {
  const bytes = number !== undefined && Number.isSafeInteger(number) && number >= 0 ? store.block(number) : undefined;
  return bytes ?? fail('no such block');
}

/** common.BlockchainInfo */
function chainInfo({ store }: Parts): Uint8Array {
  const last = parseBlock(blockAt(store, store.height - 1));
  return message([1, store.height], [2, Buffer.from(last.hash, 'hex')], [3, Buffer.from(last.previousHash, 'hex')]).toBytes();
}

/** peer.ProcessedTransaction */
function transactionById({ store }: Parts, txId: string): Uint8Array {
  const place = store.transaction(txId) ?? fail(`Failed to get transaction with id ${txId}, error no such transaction ID [${txId}] in index`);
  const envelope = blockEnvelopes(blockAt(store, place.block))[place.index];
  return message([1, envelope], [2, place.code]).toBytes();
}

function blockByTransaction({ store }: Parts, txId: string): Uint8Array {
  return blockAt(store, store.transaction(txId)?.block);
}

type Query = (parts: Parts, argument: Uint8Array) => Uint8Array;

const QUERIES: Readonly<Record<string, Query>> = {
  GetChainInfo: (parts) => chainInfo(parts),
  GetBlockByNumber: ({ store }, argument) => blockAt(store, /^\d{1,15}$/.test(textOf(argument)) ? Number(textOf(argument)) : undefined),
  GetBlockByHash: ({ store }, argument) => blockAt(store, store.blockNumberByHash(argument)),
  GetTransactionByID: (parts, argument) => transactionById(parts, textOf(argument)),
  GetBlockByTxID: (parts, argument) => blockByTransaction(parts, textOf(argument)),
};

/** Arguments as qscc takes them: function, channel, argument. Answers the bytes of the message that qscc returns. @throws SystemQueryError */
export function runSystemQuery(parts: Parts, args: readonly Uint8Array[]): Uint8Array {
  const [name, channel, argument] = args;
  const query = QUERIES[name ? textOf(name) : ''] ?? fail(`Requested function ${name ? textOf(name) : ''} not found.`);
  if (channel && textOf(channel) !== parts.channel) fail(`Invalid chain ID, ${textOf(channel)}`);
  return query(parts, argument ?? new Uint8Array(0));
}
