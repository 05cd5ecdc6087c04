import { createPrivateKey } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { connect, EndorseError, hash, signers, type Gateway, type Network } from '@hyperledger/fabric-gateway';
import { parseBlock, startLedger, type Ledger, type ParsedBlock } from '@huilian/embedded-ledger';
import { parseErrorMessage } from '@huilian/protocol';
import { mspOf, type Centre } from './consortium.js';
import { loadContracts } from './load-contracts.js';
import { sortedJson, type Json } from './plain-json.js';

const centres = ['guangzhou', 'zhuhai', 'beijing'] as const satisfies readonly Centre[];

export interface Submitted {
  readonly response: Json;
  readonly transaction: string;
  readonly code: number;
}

/** Three organisations on the embedded ledger, a majority of which endorses; each speaks through a stock client. */
export class EmbeddedConsortium {
  private readonly gateways = new Map<string, Gateway>();

  private constructor(
    private readonly dir: string,
    private readonly ledger: Ledger,
    private readonly client: grpc.Client,
  ) {}

  public static async start(): Promise<EmbeddedConsortium> {
    const dir = await mkdtemp(join(tmpdir(), 'chaincode-'));
    const ledger = await startLedger({
      dir,
      chaincodes: { huilian: { contracts: await loadContracts() } },
      organisations: centres.map((centre) => ({ mspId: mspOf(centre), name: `${centre} (invented)` })),
      endorsement: 'majority',
    });
    const client = new grpc.Client(ledger.address, grpc.credentials.createInsecure(), { 'grpc.max_receive_message_length': 110 * 1024 * 1024 });
    const made = new EmbeddedConsortium(dir, ledger, client);
    for (const centre of centres) made.gateways.set(centre, await made.connect(mspOf(centre)));
    return made;
  }

  private async connect(mspId: string): Promise<Gateway> {
    const folder = this.ledger.identityDir(mspId, 'user');
    const [credentials, key] = await Promise.all([readFile(join(folder, 'cert.pem')), readFile(join(folder, 'key.pem'))]);
    return connect({ client: this.client, identity: { mspId, credentials }, signer: signers.newPrivateKeySigner(createPrivateKey(key)), hash: hash.sha256 });
  }

  private network(centre: Centre): Network {
    const gateway = this.gateways.get(centre);
    if (gateway === undefined) throw new Error(`no client of ${centre}`);
    return gateway.getNetwork('huilian');
  }

  /** Endorses now; the returned function submits and waits for the commit. @throws the contract's refusal as ProtocolError */
  public async endorse(centre: Centre, name: string, args: readonly (Uint8Array | Json)[], transient: Readonly<Record<string, Json>> = {}): Promise<() => Promise<Submitted>> {
    const proposal = this.network(centre)
      .getContract('huilian')
      .newProposal(name, {
        arguments: args.map((argument) => (argument instanceof Uint8Array ? argument : Buffer.from(sortedJson(argument)))),
        transientData: Object.fromEntries(Object.entries(transient).map(([field, value]) => [field, sortedJson(value)])),
      });
    const endorsed = await proposal.endorse().catch((error: unknown) => {
      if (!(error instanceof EndorseError)) throw error;
      const text = [error.message, ...error.details.map(({ message }) => message)].join(' | ');
      throw parseErrorMessage(text) ?? error;
    });
    const response = JSON.parse(Buffer.from(endorsed.getResult()).toString()) as Json;
    return async () => {
      const { code } = await (await endorsed.submit()).getStatus();
      return { code, response, transaction: endorsed.getTransactionId() };
    };
  }

  public async submit(centre: Centre, name: string, argument: Uint8Array | Json, transient: Readonly<Record<string, Json>> = {}): Promise<Submitted> {
    return await (await this.endorse(centre, name, [argument], transient))();
  }

  /** A proposal of guangzhou, approved by zhuhai: two of three. */
  public async adopt(action: string, content: Json): Promise<Submitted> {
    const { response } = await this.submit('guangzhou', 'governance:propose', { action, content, round: 1 });
    return await this.submit('zhuhai', 'governance:approve', { proposal: (response as { proposal: string }).proposal });
  }

  public async blocks(): Promise<{ readonly raw: Buffer; readonly block: ParsedBlock }[]> {
    const height = this.ledger.height();
    const found: { raw: Buffer; block: ParsedBlock }[] = [];
    const events = await this.network('guangzhou').getBlockEvents({ startBlock: 0n });
    try {
      for await (const event of events) {
        const raw = Buffer.from(event.serializeBinary());
        found.push({ raw, block: parseBlock(raw) });
        if (BigInt(found.length) === height) break;
      }
    } finally {
      events.close();
    }
    return found;
  }

  public async stop(): Promise<void> {
    for (const gateway of this.gateways.values()) gateway.close();
    this.client.close();
    await this.ledger.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}
