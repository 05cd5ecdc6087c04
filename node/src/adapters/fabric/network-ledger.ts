import { msp } from '@hyperledger/fabric-protos';
import { ledgerFunctions, parseErrorMessage, ProtocolError, type LedgerFunction } from '@huilian/protocol';
import { setTimeout as delay } from 'node:timers/promises';
import type { Ledger, LedgerBlock, Submission } from '../../core/ports.js';
import { endorsementsDiffer, outcomeDigest } from './endorsement-digests.js';
import { followBlocks } from './follow-blocks.js';
import { commitError } from './gateway-errors.js';
import { readNetworkConnection, type NetworkClientFiles, type NetworkConnection } from './network-connection.js';
import { passEndorsed, passOrdered } from './ledger-steps.js';
import { PeerRing } from './peer-client.js';
import { lastBlockOf, PeerGateway } from './peer-gateway.js';
import { StaticNetwork, type Endorsed, type EndorserAnswer } from './static-network.js';

const commitMilliseconds = 60_000;
/** First look for a commit; each further one waits longer, up to a second. */
const firstLookMilliseconds = 20;
const system = 'qscc';

interface Place {
  readonly code: string;
  readonly block: number;
}

/**
 * The ledger by fabric-network: for members that keep connection profiles and wallets, or peers before 2.4, which have
 * no gateway service. Peers and orderers are those of the profile. Blocks come from the peers' Deliver service, as with
 * the other client.
 */
export class NetworkLedger implements Ledger {
  private readonly peers: readonly [PeerGateway, ...PeerGateway[]];
  private readonly ring: PeerRing<PeerGateway>;
  private readonly closing = new AbortController();
  private connecting: Promise<StaticNetwork> | undefined;

  private constructor(
    private readonly connection: NetworkConnection,
    private readonly chaincode: string,
  ) {
    const [first, ...others] = connection.peers;
    this.peers = [new PeerGateway(first, connection.who), ...others.map((endpoint) => new PeerGateway(endpoint, connection.who))];
    this.ring = new PeerRing(this.peers);
  }

  /** Reads profile and wallet; connects when it is first used. @throws CONFIG_INVALID {file, reason} */
  public static async open(files: NetworkClientFiles, chaincode: string): Promise<NetworkLedger> {
    return new NetworkLedger(await readNetworkConnection(files), chaincode);
  }

  public async submit(name: LedgerFunction, argument: Uint8Array, transient: Readonly<Record<string, Uint8Array>> = {}): Promise<Submission> {
    const transientMap = Object.fromEntries(Object.entries(transient).map(([key, value]) => [key, Buffer.from(value)]));
    const endorsed = await this.network()
      .then(async (network) => await network.endorse(this.chaincode, ledgerFunctions[name], [Buffer.from(argument)], transientMap))
      .catch((error: unknown) => {
        throw unreachable(error);
      });
    const answers = this.agreed(endorsed);
    const { transactionId } = endorsed;
    await passEndorsed(name);
    await endorsed.order(answers).catch(() => {
      throw new ProtocolError('OUTCOME_UNKNOWN', { transactionId });
    });
    await passOrdered(name);
    return { transactionId, response: answers[0]?.response.payload ?? new Uint8Array(), committed: async () => await this.committed(transactionId) };
  }

  public async *blocks(from: number, signal: AbortSignal): AsyncGenerator<LedgerBlock> {
    yield* followBlocks(this.ring, this.chaincode, from, signal, this.closing.signal);
  }

  public async transactionCode(transactionId: string): Promise<string | undefined> {
    try {
      return (await this.place(transactionId))?.code;
    } catch (error) {
      throw unreachable(error);
    }
  }

  public async height(): Promise<number> {
    try {
      const { response } = await (await this.network()).query(system, 'GetChainInfo', [this.connection.who.channel]);
      if (response.status !== 200) throw new ProtocolError('LEDGER_UNAVAILABLE', { status: response.status });
      return lastBlockOf(response.payload);
    } catch (error) {
      throw unreachable(error);
    }
  }

  public async close(): Promise<void> {
    this.closing.abort();
    for (const peer of this.peers) peer.close();
    (await this.connecting?.catch(() => undefined))?.close();
  }

  /** Connecting takes what answers; nothing answering is tried again by the next call. */
  private async network(): Promise<StaticNetwork> {
    this.connecting ??= StaticNetwork.connect(this.connection).catch((error: unknown) => {
      this.connecting = undefined;
      throw error;
    });
    return await this.connecting;
  }

  /** The answers of a majority of organisations, all the same. @throws the contract's own refusal, LEDGER_UNAVAILABLE */
  private agreed({ answers, failures }: Endorsed): readonly EndorserAnswer[] {
    const given = answers.filter(({ response, payload }) => response.status >= 200 && response.status < 400 && payload !== null);
    const required = Math.floor(this.connection.organisations.length / 2) + 1;
    if (given.length < required) throw refusalOf(answers, failures);
    const [first] = given;
    const same = given.filter(({ payload }) => Buffer.compare(payload as Uint8Array, first?.payload as Uint8Array) === 0);
    if (same.length === given.length) return given;
    throw endorsementsDiffer(given.map(({ endorsement, payload }) => outcomeDigest(organisationOf(endorsement?.endorser), payload as Uint8Array)));
  }

  /** Asks the peer until it has the transaction. @throws LEDGER_CONFLICT, LEDGER_REJECTED {code}, OUTCOME_UNKNOWN */
  private async committed(transactionId: string): Promise<{ block: number }> {
    const deadline = performance.now() + commitMilliseconds;
    for (let wait = firstLookMilliseconds; performance.now() < deadline && !this.closing.signal.aborted; wait = Math.min(wait * 1.5, 1000)) {
      const place = await this.place(transactionId).catch(() => undefined);
      if (place === undefined) {
        await delay(wait);
        continue;
      }
      const refusal = commitError(place.code, transactionId);
      if (refusal !== undefined) throw refusal;
      return { block: place.block };
    }
    throw new ProtocolError('OUTCOME_UNKNOWN', { transactionId });
  }

  /** Where a transaction stands; undefined while the peer does not have it. */
  private async place(transactionId: string): Promise<Place | undefined> {
    const network = await this.network();
    const { response } = await network.query(system, 'GetBlockByTxID', [this.connection.who.channel, transactionId]);
    if (response.status !== 200) return undefined;
    const { parseBlock } = await import('@huilian/embedded-ledger');
    const block = parseBlock(response.payload);
    const found = block.transactions.find(({ txId }) => txId === transactionId);
    return found && { block: block.number, code: found.code };
  }
}

/** A contract's refusal where a peer gave one, else: nobody could endorse. */
function refusalOf(answers: readonly EndorserAnswer[], failures: readonly Error[]): ProtocolError {
  const messages = [...answers.map(({ response }) => response.message), ...failures.map(({ message }) => message)];
  for (const message of messages) {
    const found = parseErrorMessage(message, ['ledger', 'protocol']);
    if (found !== undefined) return found;
  }
  return new ProtocolError('LEDGER_UNAVAILABLE', { reason: 'endorsements-missing', given: answers.length });
}

function unreachable(error: unknown): ProtocolError {
  return error instanceof ProtocolError ? error : new ProtocolError('LEDGER_UNAVAILABLE', { reason: 'no-peer-answers' });
}

/** MSP id in a serialised identity. */
function organisationOf(endorser: Uint8Array | undefined): string {
  return msp.SerializedIdentity.deserializeBinary(endorser ?? new Uint8Array()).getMspid();
}
