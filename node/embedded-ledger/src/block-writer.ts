import { createHash, randomBytes } from 'node:crypto';
import { blockHeaderBytes } from './block-reader.js';
import { signPieces } from './ecdsa.js';
import type { Peer } from './endorser.js';
import { message, repeated } from './wire.js';

export interface BlockParts {
  readonly number: number;
  /** Header hash of the block before; empty for block 0. */
  readonly previousHash: Uint8Array;
  readonly envelopes: readonly Uint8Array[];
  /** Numeric validation code of each envelope. */
  readonly codes: readonly number[];
  /** Number of the block that holds the configuration in force. */
  readonly lastConfig: number;
}

function dataHashOf(envelopes: readonly Uint8Array[]): Uint8Array {
  const digest = createHash('sha256');
  for (const envelope of envelopes) digest.update(envelope);
  return digest.digest();
}

/**
 * A common.Block as a Fabric peer stores it: header chain over ASN.1 header hashes; metadata SIGNATURES by the ledger's
 * orderer identity over {last configuration, signature header, header}; TRANSACTIONS_FILTER with one code a transaction.
 * COMMIT_HASH stays empty: it is a peer's private aid.
 */
export function writeBlock(parts: BlockParts, orderer: Peer): { readonly bytes: Uint8Array; readonly hash: Uint8Array } {
  const dataHash = dataHashOf(parts.envelopes);
  const headerBytes = blockHeaderBytes(parts.number, parts.previousHash, dataHash);
  const lastConfig = message([1, parts.lastConfig]);
  const ordererMetadata = message(...repeated(1, [lastConfig])).toBytes();
  const signatureHeader = message([1, orderer.identity], [2, randomBytes(24)]).toBytes();
  const signature = signPieces(orderer.key, ordererMetadata, signatureHeader, headerBytes);
  const signatures = message([1, ordererMetadata], [2, message([1, signatureHeader], [2, signature])]);
  const metadata = [signatures, message([1, lastConfig]), Uint8Array.from(parts.codes), new Uint8Array(0), new Uint8Array(0)];
  const header = message([1, parts.number], [2, parts.previousHash], [3, dataHash]);
  const block = message([1, header], [2, message(...repeated(1, parts.envelopes))], [3, message(...repeated(1, metadata))]);
  return { bytes: block.toBytes(), hash: createHash('sha256').update(headerBytes).digest() };
}
