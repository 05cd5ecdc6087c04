import { ProtocolError } from '@huilian/protocol';
import type { LedgerBlock } from '../../core/ports.js';
import { toLedgerBlock } from './deliver.js';
import { unavailable } from './gateway-errors.js';
import type { PeerRing } from './peer-client.js';
import type { PeerGateway } from './peer-gateway.js';

/**
 * Full blocks from a number on, from the ring's present peer. A stream that ends or breaks moves the ring on, so that
 * the caller's next try asks another peer. @throws LEDGER_UNAVAILABLE, BLOCK_FORK
 */
export async function* followBlocks(ring: PeerRing<PeerGateway>, chaincode: string, from: number, ...ends: readonly AbortSignal[]): AsyncGenerator<LedgerBlock> {
  // Only an indexer needs it, and it takes a while to load.
  const { parseBlock } = await import('@huilian/embedded-ledger');
  const ended = AbortSignal.any([...ends]);
  const peer = ring.current;
  try {
    for await (const bytes of peer.blocks(from, ended)) yield toLedgerBlock(parseBlock(bytes), chaincode);
  } catch (error) {
    ring.leave(peer);
    throw error instanceof ProtocolError ? error : unavailable(error);
  }
  if (ended.aborted) return;
  ring.leave(peer);
  throw new ProtocolError('LEDGER_UNAVAILABLE', { reason: 'stream-ended' });
}
