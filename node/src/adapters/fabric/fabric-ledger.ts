import * as grpc from '@grpc/grpc-js';
import { connect, hash, StatusCode, type Gateway, type Network, type SubmittedTransaction } from '@hyperledger/fabric-gateway';
import { gateway as messages, msp } from '@hyperledger/fabric-protos';
import { ledgerFunctions, ProtocolError, type LedgerFunction } from '@huilian/protocol';
import type { Ledger, LedgerBlock, Submission } from '../../core/ports.js';
import { readConnection, type Connection } from './connection.js';
import { deliverBlocks, toLedgerBlock } from './deliver.js';
import { commitError, endorsingError, unavailable, unknownOutcome } from './gateway-errors.js';

const mebibyte = 1024 * 1024;
/** gRPC's own default of 4 MiB stops at the first big block. */
const messageBytes = 110 * mebibyte;
const codeNames = new Map<number, string>(Object.entries(StatusCode).map(([name, code]) => [code, name]));
const deadlines = { endorse: 30_000, submit: 10_000, commitStatus: 60_000, lookUp: 1000 } as const;

/** The ledger behind a Fabric Gateway: a Fabric peer, or the embedded ledger, which speaks the same services. */
export class FabricLedger implements Ledger {
  private readonly client: grpc.Client;
  private readonly gateway: Gateway;
  private readonly network: Network;
  private readonly closing = new AbortController();

  private constructor(
    private readonly connection: Connection,
    private readonly chaincode: string,
  ) {
    const { endpoint, identity, signer, tlsCaCert } = connection;
    const credentials = tlsCaCert === undefined ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(tlsCaCert);
    this.client = new grpc.Client(endpoint, credentials, {
      'grpc.max_receive_message_length': messageBytes,
      'grpc.max_send_message_length': messageBytes,
      'grpc.keepalive_time_ms': 60_000,
      'grpc.initial_reconnect_backoff_ms': 200,
      'grpc.max_reconnect_backoff_ms': 5000,
    });
    const within = (milliseconds: number) => (): grpc.CallOptions => ({ deadline: Date.now() + milliseconds });
    this.gateway = connect({
      client: this.client,
      identity,
      signer,
      // The signer hashes by itself, with OpenSSL instead of JavaScript.
      hash: hash.none,
      endorseOptions: within(deadlines.endorse),
      submitOptions: within(deadlines.submit),
      commitStatusOptions: within(deadlines.commitStatus),
    });
    this.network = this.gateway.getNetwork(connection.channel);
  }

  /** Opens a connection file; connects when it is first used. @throws CONFIG_INVALID {file, reason} */
  public static async open(connectionFile: string, chaincode: string): Promise<FabricLedger> {
    return new FabricLedger(await readConnection(connectionFile), chaincode);
  }

  public async submit(name: LedgerFunction, argument: Uint8Array, transient: Readonly<Record<string, Uint8Array>> = {}): Promise<Submission> {
    const proposal = this.network.getContract(this.chaincode).newProposal(ledgerFunctions[name], { arguments: [argument], transientData: { ...transient } });
    const endorsed = await proposal.endorse().catch((error: unknown) => {
      throw endorsingError(error);
    });
    const transactionId = endorsed.getTransactionId();
    const submitted = await endorsed.submit().catch((error: unknown) => {
      throw unknownOutcome(error, transactionId);
    });
    return { transactionId, response: endorsed.getResult(), committed: async () => await this.committed(submitted) };
  }

  public async *blocks(from: number, signal: AbortSignal): AsyncGenerator<LedgerBlock> {
    // Only an indexer needs it, and it takes a while to load.
    const { parseBlock } = await import('@huilian/embedded-ledger');
    const ended = AbortSignal.any([signal, this.closing.signal]);
    try {
      for await (const bytes of deliverBlocks(this.client, this.network, from, ended)) yield toLedgerBlock(parseBlock(bytes), this.chaincode);
    } catch (error) {
      throw error instanceof ProtocolError ? error : unavailable(error);
    }
    if (!ended.aborted) throw new ProtocolError('LEDGER_UNAVAILABLE', { reason: 'stream-ended' });
  }

  public async transactionCode(transactionId: string): Promise<string | undefined> {
    const { mspId, credentials } = this.connection.identity;
    const identity = new msp.SerializedIdentity();
    identity.setMspid(mspId);
    identity.setIdBytes(credentials);
    const request = new messages.CommitStatusRequest();
    request.setChannelId(this.connection.channel);
    request.setTransactionId(transactionId);
    request.setIdentity(identity.serializeBinary());
    const signed = new messages.SignedCommitStatusRequest();
    signed.setRequest(request.serializeBinary());
    try {
      // A peer answers at once for a transaction it knows and waits for any other.
      const { code } = await this.gateway.newCommit(signed.serializeBinary()).getStatus({ deadline: Date.now() + deadlines.lookUp });
      return codeNames.get(code) ?? String(code);
    } catch (error) {
      if ((error as { code?: number }).code === grpc.status.DEADLINE_EXCEEDED) return undefined;
      throw unavailable(error);
    }
  }

  public async close(): Promise<void> {
    this.closing.abort();
    this.gateway.close();
    this.client.close();
    await Promise.resolve();
  }

  private async committed(submitted: SubmittedTransaction): Promise<{ block: number }> {
    const transactionId = submitted.getTransactionId();
    const status = await submitted.getStatus().catch((error: unknown) => {
      throw unknownOutcome(error, transactionId);
    });
    const refusal = commitError(codeNames.get(status.code) ?? String(status.code), transactionId);
    if (refusal !== undefined) throw refusal;
    return { block: Number(status.blockNumber) };
  }
}
