import type * as grpc from '@grpc/grpc-js';
import { connect, hash, StatusCode, type Gateway, type Identity, type Network, type ProposalOptions, type Signer, type Transaction } from '@hyperledger/fabric-gateway';
import { common, gateway as messages, msp } from '@hyperledger/fabric-protos';
import { deliverBlocks } from './deliver.js';
import { explainDifference } from './endorsement-digests.js';
import { makePeerClient, type PeerEndpoint } from './peer-client.js';

const codeNames = new Map<number, string>(Object.entries(StatusCode).map(([name, code]) => [code, name]));
const deadlines = { endorse: 30_000, evaluate: 10_000, submit: 10_000, commitStatus: 60_000, lookUp: 1000 } as const;

/** Fabric's name of a validation code. */
function codeName(code: number): string {
  return codeNames.get(code) ?? String(code);
}

/** From what Fabric's system chaincode answers to GetChainInfo, which counts the blocks. */
export function lastBlockOf(chainInfo: Uint8Array): number {
  return common.BlockchainInfo.deserializeBinary(chainInfo).getHeight() - 1;
}

export interface PeerIdentity {
  readonly channel: string;
  readonly identity: Identity;
  readonly signer: Signer;
}

/** One peer as Fabric's gateway library sees it. */
export class PeerGateway {
  public readonly network: Network;
  private readonly client: grpc.Client;
  private readonly gateway: Gateway;

  public constructor(
    endpoint: PeerEndpoint,
    private readonly who: PeerIdentity,
  ) {
    this.client = makePeerClient(endpoint);
    const within = (milliseconds: number) => (): grpc.CallOptions => ({ deadline: Date.now() + milliseconds });
    this.gateway = connect({
      client: this.client,
      identity: who.identity,
      signer: who.signer,
      // The signer hashes by itself, with OpenSSL instead of JavaScript.
      hash: hash.none,
      evaluateOptions: within(deadlines.evaluate),
      endorseOptions: within(deadlines.endorse),
      submitOptions: within(deadlines.submit),
      commitStatusOptions: within(deadlines.commitStatus),
    });
    this.network = this.gateway.getNetwork(who.channel);
  }

  /** Endorses a call by a majority. @throws the gRPC error, LEDGER_UNAVAILABLE {reason: endorsements-differ, digests} */
  public async endorse(chaincode: string, name: string, options: ProposalOptions): Promise<Transaction> {
    const proposal = this.network.getContract(chaincode).newProposal(name, options);
    try {
      return await proposal.endorse();
    } catch (error) {
      throw (await explainDifference(error, this.gateway, this.who.identity.mspId, proposal)) ?? error;
    }
  }

  /** Full blocks as bytes from the peer's Deliver service. @throws the gRPC error, LEDGER_UNAVAILABLE {status} */
  public blocks(from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    return deliverBlocks(this.client, this.network, from, signal);
  }

  /** Waits for a transaction's place. @throws the gRPC error */
  public async commitStatus(transactionId: string, milliseconds: number = deadlines.commitStatus): Promise<{ readonly code: string; readonly block: number }> {
    const identity = new msp.SerializedIdentity();
    identity.setMspid(this.who.identity.mspId);
    identity.setIdBytes(this.who.identity.credentials);
    const request = new messages.CommitStatusRequest();
    request.setChannelId(this.who.channel);
    request.setTransactionId(transactionId);
    request.setIdentity(identity.serializeBinary());
    const signed = new messages.SignedCommitStatusRequest();
    signed.setRequest(request.serializeBinary());
    const { blockNumber, code } = await this.gateway.newCommit(signed.serializeBinary()).getStatus({ deadline: Date.now() + milliseconds });
    return { code: codeName(code), block: Number(blockNumber) };
  }

  /** As `commitStatus`, for one that may not exist: a peer answers at once for a transaction it knows and waits for any other. */
  public async lookUp(transactionId: string): Promise<{ readonly code: string; readonly block: number }> {
    return await this.commitStatus(transactionId, deadlines.lookUp);
  }

  /** Number of the channel's last block at this peer. @throws the gRPC error */
  public async height(): Promise<number> {
    return lastBlockOf(await this.network.getContract('qscc').evaluateTransaction('GetChainInfo', this.who.channel));
  }

  public close(): void {
    this.gateway.close();
    this.client.close();
  }
}
