import { hash } from 'node:crypto';
import type { Client } from '@grpc/grpc-js';
import type { Network } from '@hyperledger/fabric-gateway';
import type { ParsedBlock, ParsedTransaction } from '@huilian/embedded-ledger';
import { ProtocolError } from '@huilian/protocol';
import type { BlockTransaction, LedgerBlock } from '../../core/ports.js';

const deliverMethod = '/protos.Deliver/Deliver';

/** A block events request can sign itself; its public type does not say so. */
interface SelfSigning {
  getSignedRequest(): Promise<{ serializeBinary(): Uint8Array }>;
}

/**
 * Full blocks as bytes, straight from the peer's Deliver service: the stock client would build a message object of each
 * block only to have it serialised again. @throws the gRPC error, LEDGER_UNAVAILABLE {status}
 */
export async function* deliverBlocks(client: Client, network: Network, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const request = network.newBlockEventsRequest({ startBlock: BigInt(from) }) as unknown as SelfSigning;
  const signed = Buffer.from((await request.getSignedRequest()).serializeBinary());
  if (signal.aborted) return;
  const asIs = (bytes: Buffer): Buffer => bytes;
  const stream = client.makeBidiStreamRequest<Buffer, Buffer>(deliverMethod, asIs, asIs);
  const cancel = (): void => {
    stream.cancel();
  };
  signal.addEventListener('abort', cancel, { once: true });
  // A cancelled stream ends with an error nobody waits for.
  stream.on('error', () => undefined);
  stream.write(signed);
  try {
    for await (const response of stream as AsyncIterable<Buffer>) yield blockOf(response);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    stream.cancel();
  }
}

/** Statuses by which a peer refuses to deliver, as far as an operator can do something about them. */
const refusals: Readonly<Record<number, string>> = {
  // The request is ours and well-formed: what remains is its time, more than the peer's time window away from the peer's clock.
  400: 'clock-apart',
  403: 'identity-refused',
};

/** peer.DeliverResponse holds one field: a status (1) or a block (2). */
function blockOf(response: Buffer): Uint8Array {
  const { end, value } = readNumber(response);
  if (response[0] === 0x12) return response.subarray(end, end + value);
  const reason = refusals[value];
  throw new ProtocolError('LEDGER_UNAVAILABLE', reason === undefined ? { status: value } : { reason, status: value });
}

/** The varint after a field's tag. */
function readNumber(response: Buffer): { value: number; end: number } {
  let value = 0;
  for (let at = 1, factor = 1; ; at += 1, factor *= 128) {
    const byte = response[at] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) return { value, end: at + 1 };
  }
}

/** A block of the channel as core sees it. @throws BLOCK_FORK when the data is not what the header's hash speaks of */
export function toLedgerBlock(block: ParsedBlock, chaincode: string): LedgerBlock {
  const data = Buffer.concat(block.transactions.map(({ envelope }) => envelope));
  if (hash('sha256', data, 'hex') !== block.dataHash) throw new ProtocolError('BLOCK_FORK', { block: block.number, reason: 'data-hash' });
  return {
    number: block.number,
    hash: block.hash,
    previousHash: block.previousHash,
    transactions: block.transactions.map((transaction) => toTransaction(transaction, chaincode)),
  };
}

function toTransaction(transaction: ParsedTransaction, chaincode: string): BlockTransaction {
  const ours = transaction.chaincode === chaincode;
  const [name, ...args] = ours ? transaction.args : [];
  const written = transaction.namespaces.find(({ namespace }) => namespace === chaincode)?.writes ?? [];
  return {
    id: transaction.txId,
    code: transaction.code,
    time: transaction.timestamp.seconds,
    organisation: transaction.creator.mspId,
    function: name === undefined ? '' : Buffer.from(name).toString('utf8'),
    args,
    writes: written.map(({ key, value }) => ({ key, value })),
    response: transaction.response.payload,
    proposalResponse: transaction.proposalResponsePayload,
    endorsements: transaction.endorsements.map(({ mspId, certPem, identity, signature }) => ({
      organisation: mspId,
      certificate: certPem,
      identity,
      signature,
    })),
  };
}
