import * as grpc from '@grpc/grpc-js';
import { createPrivateKey } from 'node:crypto';
import { connect, hash, signers, type CloseableAsyncIterable, type Gateway } from '@hyperledger/fabric-gateway';
import type { common } from '@hyperledger/fabric-protos';
import { parseBlock, parseEnvelope, type ParsedBlock, type ParsedTransaction } from '@huilian/embedded-ledger';
import { parseErrorMessage } from '@huilian/protocol';
import { Wire } from './wire-fields.js';
import type { Identity, SignedProposal, SignedTransaction } from './signed-proposal.js';

/** What an engine answers to one call. */
export type Answer =
  | { readonly ok: true; /** common.Envelope's payload, of an endorsement. */ readonly payload: Uint8Array; readonly result: string; readonly transaction?: ParsedTransaction }
  | {
      readonly ok: false;
      /** gRPC status, by name. */
      readonly status: string;
      /** The protocol's code in the message, when the contract gave one. */
      readonly code?: string;
      /** What the chaincode or the gateway said: message and details. */
      readonly texts: readonly string[];
    };

/** How to reach one organisation's peer. */
export interface Door {
  readonly address: string;
  /** PEM; without it the connection is plain. */
  readonly tlsCa?: string;
  /** A client of that organisation. */
  readonly client: Identity;
}

const DEADLINE_MS = 60_000;
const unchanged = (bytes: Buffer): Buffer => bytes;

interface Peer {
  readonly client: grpc.Client;
  readonly gateway: Gateway;
  readonly blocks: ParsedBlock[];
  /** This run's transactions, in order. */
  readonly committed: CommittedTransaction[];
  readonly events: CloseableAsyncIterable<common.Block>;
}

function detailsOf(error: grpc.ServiceError): string[] {
  const [packed] = error.metadata.get('grpc-status-details-bin');
  if (!(packed instanceof Buffer)) return [];
  // google.rpc.Status.details 3: Any.value 2: gateway.ErrorDetail.message 3
  return new Wire(packed).all(3).map((any) => Buffer.from(new Wire(any).message(2).get(3)).toString());
}

function refusal(error: grpc.ServiceError): Answer {
  const details = detailsOf(error);
  const texts = [error.details, ...[...new Set(details)].sort()];
  const code = texts.map((text) => parseErrorMessage(text)?.code).find((found) => found !== undefined);
  return { ok: false, status: grpc.status[error.code] ?? String(error.code), texts, ...(code === undefined ? {} : { code }) };
}

/** One engine through its organisations' gateways, and what every organisation's peer committed. */
export class Engine {
  private readonly peers = new Map<string, Peer>();
  private readonly waiting = new Set<() => void>();
  /** Transactions that were ordered through here, with repetitions. */
  private ordered = 0;
  private readonly known = new Set<string>();

  public constructor(
    public readonly name: string,
    private readonly channel: string,
  ) {}

  /** Connects to the organisations' peers, anew after a restart, and follows the blocks of each from the first on. */
  public async follow(doors: readonly Door[]): Promise<void> {
    this.close();
    this.peers.clear();
    for (const door of doors) {
      const credentials = door.tlsCa === undefined ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(Buffer.from(door.tlsCa));
      const client = new grpc.Client(door.address, credentials, { 'grpc.max_receive_message_length': 110 * 1024 * 1024 });
      const identity = { mspId: door.client.mspId, credentials: Buffer.from(door.client.certificate) };
      const gateway = connect({ client, identity, signer: signers.newPrivateKeySigner(createPrivateKey(door.client.key)), hash: hash.sha256 });
      const events = await gateway.getNetwork(this.channel).getBlockEvents({ startBlock: 0n });
      const peer: Peer = { client, gateway, blocks: [], committed: [], events };
      this.peers.set(door.client.mspId, peer);
      void this.read(peer, events);
    }
  }

  private async read(peer: Peer, events: CloseableAsyncIterable<common.Block>): Promise<void> {
    try {
      for await (const block of events) {
        this.take(peer, parseBlock(block.serializeBinary()));
        for (const wake of [...this.waiting]) wake();
      }
    } catch {
      // Closed; a wait that misses blocks ends by its deadline.
    }
  }

  private take(peer: Peer, block: ParsedBlock): void {
    peer.blocks.push(block);
    for (const [index, transaction] of block.transactions.entries()) {
      if (this.known.has(transaction.txId)) peer.committed.push({ block: block.number, index, transaction });
    }
  }

  private peer(mspId: string): Peer {
    const peer = this.peers.get(mspId);
    if (peer === undefined) throw new Error(`${this.name}: no peer of ${mspId}`);
    return peer;
  }

  private async unary(mspId: string, method: string, request: Uint8Array): Promise<Buffer> {
    const { client } = this.peer(mspId);
    return await new Promise<Buffer>((resolve, reject) => {
      const options = { deadline: Date.now() + DEADLINE_MS };
      client.makeUnaryRequest(`/gateway.Gateway/${method}`, (bytes: Uint8Array) => Buffer.from(bytes), unchanged, request, new grpc.Metadata(), options, (error, response) => {
        if (error === null && response !== undefined) resolve(response);
        else reject(error ?? new Error('no answer'));
      });
    });
  }

  private async answered(work: Promise<Answer>): Promise<Answer> {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof Error && 'metadata' in error)) throw error;
      return refusal(error as grpc.ServiceError);
    }
  }

  private request(proposal: SignedProposal): Uint8Array {
    const request = Wire.message().text(1, proposal.transactionId).text(2, proposal.channel).field(3, proposal.bytes);
    for (const organisation of proposal.organisations) request.text(4, organisation);
    return request.bytes();
  }

  /** Through the gateway of an organisation's peer. */
  public async endorse(mspId: string, proposal: SignedProposal): Promise<Answer> {
    const work = async (): Promise<Answer> => {
      const envelope = new Wire(await this.unary(mspId, 'Endorse', this.request(proposal))).get(1);
      const transaction = parseEnvelope(envelope, 0, 'NOT_VALIDATED');
      return { ok: true, payload: new Wire(envelope).get(1), result: shown(transaction.response), transaction };
    };
    return await this.answered(work());
  }

  public async evaluate(mspId: string, proposal: SignedProposal): Promise<Answer> {
    const work = async (): Promise<Answer> => {
      const response = new Wire(await this.unary(mspId, 'Evaluate', this.request(proposal))).message(1);
      return { ok: true, payload: response.get(3), result: shown({ status: 200, message: Buffer.from(response.get(2)).toString(), payload: response.get(3) }) };
    };
    return await this.answered(work());
  }

  public async submit(mspId: string, transaction: SignedTransaction): Promise<Answer> {
    const request = Wire.message().text(1, transaction.transactionId).text(2, transaction.channel).field(3, transaction.bytes).bytes();
    const work = async (): Promise<Answer> => {
      // Its block may come before the answer.
      this.known.add(transaction.transactionId);
      await this.unary(mspId, 'Submit', request);
      this.ordered += 1;
      return { ok: true, payload: Buffer.alloc(0), result: 'ordered' };
    };
    return await this.answered(work());
  }

  /** This run's transactions as one organisation's peer committed them, in order. */
  public transactions(mspId: string): readonly CommittedTransaction[] {
    return this.peer(mspId).committed;
  }

  public blocks(mspId: string): readonly ParsedBlock[] {
    return this.peer(mspId).blocks;
  }

  /** Until every peer committed all that was ordered, and all stand at one height. */
  public async settle(): Promise<void> {
    const deadline = Date.now() + DEADLINE_MS;
    while (!this.settled()) {
      if (Date.now() > deadline) throw new Error(`${this.name}: not all of ${String(this.ordered)} transactions were committed everywhere in ${String(DEADLINE_MS / 1000)} s`);
      await this.nextBlock(1000);
    }
  }

  private settled(): boolean {
    const peers = [...this.peers.values()];
    const heights = new Set(peers.map(({ blocks }) => blocks.length));
    return heights.size === 1 && peers.every(({ committed }) => committed.length >= this.ordered);
  }

  private async nextBlock(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.waiting.add(wake);
    });
  }

  /** Chaincode events since the first block, up to the last transaction with one. */
  public async chaincodeEvents(mspId: string, chaincode: string, count: number): Promise<readonly string[]> {
    if (count === 0) return [];
    const events = await this.peer(mspId).gateway.getNetwork(this.channel).getChaincodeEvents(chaincode, { startBlock: 0n });
    const found: string[] = [];
    try {
      for await (const { eventName, payload, transactionId } of events) {
        found.push(`${transactionId} ${eventName} ${Buffer.from(payload).toString('hex')}`);
        if (found.length === count) break;
      }
    } finally {
      events.close();
    }
    return found;
  }

  public close(): void {
    for (const peer of this.peers.values()) {
      peer.events.close();
      peer.gateway.close();
      peer.client.close();
    }
  }
}

export interface CommittedTransaction {
  readonly block: number;
  readonly index: number;
  readonly transaction: ParsedTransaction;
}

function shown({ message, payload, status }: { readonly status: number; readonly message: string; readonly payload: Uint8Array }): string {
  return `${String(status)} ${JSON.stringify(message)} ${Buffer.from(payload).toString('hex')}`;
}
