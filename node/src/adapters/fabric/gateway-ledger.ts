import * as grpc from '@grpc/grpc-js';
import { ledgerFunctions, type LedgerFunction } from '@huilian/protocol';
import type { Ledger, LedgerBlock, Submission } from '../../core/ports.js';
import { readConnection, type Connection } from './connection.js';
import { followBlocks } from './follow-blocks.js';
import { commitError, endorsingError, unavailable, unknownOutcome } from './gateway-errors.js';
import { passEndorsed, passOrdered } from './ledger-steps.js';
import { PeerRing } from './peer-client.js';
import { PeerGateway } from './peer-gateway.js';

/**
 * The ledger behind a Fabric Gateway: a Fabric peer from 2.4 on, or the embedded ledger, which speaks the same services.
 * Where the connection file names several peers, the next one is taken when the present one does not answer.
 */
export class GatewayLedger implements Ledger {
  private readonly peers: readonly [PeerGateway, ...PeerGateway[]];
  private readonly ring: PeerRing<PeerGateway>;
  private readonly closing = new AbortController();

  private constructor(
    connection: Connection,
    private readonly chaincode: string,
  ) {
    const [first, ...others] = connection.peers;
    this.peers = [new PeerGateway(first, connection), ...others.map((endpoint) => new PeerGateway(endpoint, connection))];
    this.ring = new PeerRing(this.peers);
  }

  /** Opens a connection file; connects when it is first used. @throws CONFIG_INVALID {file, reason} */
  public static async open(connectionFile: string, chaincode: string): Promise<GatewayLedger> {
    return new GatewayLedger(await readConnection(connectionFile), chaincode);
  }

  public async submit(name: LedgerFunction, argument: Uint8Array, transient: Readonly<Record<string, Uint8Array>> = {}): Promise<Submission> {
    const options = { arguments: [argument], transientData: { ...transient } };
    // Nothing is ordered yet: another peer may be asked.
    const endorsed = await this.ring
      .run(async (peer) => await peer.endorse(this.chaincode, ledgerFunctions[name], options))
      .catch((error: unknown) => {
        throw endorsingError(error);
      });
    const transactionId = endorsed.getTransactionId();
    await passEndorsed(name);
    await endorsed.submit().catch((error: unknown) => {
      throw unknownOutcome(error, transactionId);
    });
    await passOrdered(name);
    return { transactionId, response: endorsed.getResult(), committed: async () => await this.committed(transactionId) };
  }

  public async *blocks(from: number, signal: AbortSignal): AsyncGenerator<LedgerBlock> {
    yield* followBlocks(this.ring, this.chaincode, from, signal, this.closing.signal);
  }

  public async transactionCode(transactionId: string): Promise<string | undefined> {
    try {
      return (await this.ring.run(async (peer) => await peer.lookUp(transactionId))).code;
    } catch (error) {
      if ((error as { code?: number }).code === grpc.status.DEADLINE_EXCEEDED) return undefined;
      throw unavailable(error);
    }
  }

  public async height(): Promise<number> {
    return await this.ring.run(async (peer) => await peer.height()).catch((error: unknown) => {
      throw unavailable(error);
    });
  }

  public async close(): Promise<void> {
    this.closing.abort();
    for (const peer of this.peers) peer.close();
    await Promise.resolve();
  }

  private async committed(transactionId: string): Promise<{ block: number }> {
    const { block, code } = await this.ring
      .run(async (peer) => await peer.commitStatus(transactionId))
      .catch((error: unknown) => {
        throw unknownOutcome(error, transactionId);
      });
    const refusal = commitError(code, transactionId);
    if (refusal !== undefined) throw refusal;
    return { block };
  }
}
