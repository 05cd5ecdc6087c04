import type { NetworkConnection } from './network-connection.js';

/*
 * Everything this node needs of fabric-network and of the fabric-common beneath it, whose typings say less than they do.
 * The library's own submit would wait for the commit by its own event strategy; here each phase stands alone.
 */

interface ServiceEndpoint {
  readonly name: string;
  readonly mspid: string;
  readonly connected: boolean;
  checkConnection(reset?: boolean): Promise<boolean>;
}

/** A peer's answer to a proposal. */
export interface EndorserAnswer {
  readonly response: { readonly status: number; readonly message: string; readonly payload: Uint8Array };
  /** Bytes of the ProposalResponsePayload. */
  readonly payload: Uint8Array | null;
  readonly endorsement?: { readonly endorser: Uint8Array } | null;
}

interface Proposal {
  build(context: IdentityContext, request: { fcn: string; args: readonly Buffer[]; transientMap?: Readonly<Record<string, Buffer>> }): Buffer;
  sign(context: IdentityContext): unknown;
  send(request: { targets: readonly ServiceEndpoint[]; requestTimeout: number }): Promise<{ readonly responses: readonly EndorserAnswer[]; readonly errors: readonly Error[] }>;
  getTransactionId(): string;
  /** What `newCommit` assembles; answers that must not go along are taken out of it. */
  _proposalResponses: readonly EndorserAnswer[];
  newCommit(): { build(context: IdentityContext): unknown; sign(context: IdentityContext): unknown; send(request: { targets: readonly ServiceEndpoint[]; requestTimeout: number }): Promise<{ readonly status: string; readonly info?: string }> };
}

interface IdentityContext {
  clone(state: { transactionId?: string; nonce?: Buffer }): IdentityContext;
}

interface Channel {
  getEndorsers(mspId?: string): readonly ServiceEndpoint[];
  getCommitters(): readonly ServiceEndpoint[];
  newEndorsement(chaincode: string): Proposal;
  newQuery(chaincode: string): Proposal;
}

interface Gateway {
  readonly identityContext: IdentityContext;
  connect(profile: object, options: object): Promise<void>;
  getNetwork(channel: string): Promise<{ getChannel(): Channel }>;
  disconnect(): void;
}

interface FabricNetworkModule {
  readonly Gateway: new () => Gateway;
}

const timeouts = { proposal: 30_000, order: 10_000, query: 10_000 } as const;
/** An endpoint that did not answer is not asked again for so long: each try costs seconds. */
const restMilliseconds = 10_000;

/** An endorsed proposal, on its way to ordering. */
export interface Endorsed {
  readonly transactionId: string;
  readonly answers: readonly EndorserAnswer[];
  readonly failures: readonly Error[];
  /** Hands the transaction with these answers to the first orderer that takes it. @throws Error */
  order(answers: readonly EndorserAnswer[]): Promise<void>;
}

/** A channel as a static connection profile describes it. */
export class StaticNetwork {
  private readonly resting = new Map<ServiceEndpoint, number>();

  private constructor(
    private readonly gateway: Gateway,
    private readonly channel: Channel,
  ) {}

  /** Connects to whatever of the profile answers. */
  public static async connect({ profile, walletIdentity, who }: NetworkConnection): Promise<StaticNetwork> {
    const loaded = (await import('fabric-network')) as unknown as FabricNetworkModule & { default?: FabricNetworkModule };
    const { Gateway } = loaded.default ?? loaded;
    const gateway = new Gateway();
    await gateway.connect(profile, { identity: { ...walletIdentity, version: 1 }, discovery: { enabled: false }, eventHandlerOptions: { strategy: null } });
    const network = await gateway.getNetwork(who.channel);
    return new StaticNetwork(gateway, network.getChannel());
  }

  /** One peer of each organisation, its first that answers, runs the proposal. */
  public async endorse(chaincode: string, name: string, args: readonly Buffer[], transientMap: Readonly<Record<string, Buffer>>): Promise<Endorsed> {
    const context = this.gateway.identityContext.clone({});
    const proposal = this.channel.newEndorsement(chaincode);
    proposal.build(context, { fcn: name, args, transientMap });
    proposal.sign(context);
    const targets = await this.onePeerEach();
    if (targets.length === 0) throw new Error('no peer of the connection profile answers');
    const { errors, responses } = await proposal.send({ targets, requestTimeout: timeouts.proposal });
    return {
      transactionId: proposal.getTransactionId(),
      answers: responses,
      failures: errors,
      order: async (answers) => {
        proposal._proposalResponses = answers;
        const commit = proposal.newCommit();
        commit.build(context);
        commit.sign(context);
        const { info, status } = await commit.send({ targets: this.rested(this.channel.getCommitters()), requestTimeout: timeouts.order });
        if (status !== 'SUCCESS') throw new Error(`${status} ${info ?? ''}`);
      },
    };
  }

  /** A call that changes nothing, answered by one peer. @throws Error */
  public async query(chaincode: string, name: string, args: readonly string[]): Promise<EndorserAnswer> {
    const context = this.gateway.identityContext.clone({});
    const query = this.channel.newQuery(chaincode);
    query.build(context, { fcn: name, args: args.map((arg) => Buffer.from(arg)) });
    query.sign(context);
    const [target] = await this.onePeerEach();
    if (target === undefined) throw new Error('no peer of the connection profile answers');
    const { errors, responses } = await query.send({ targets: [target], requestTimeout: timeouts.query });
    const [answer] = responses;
    if (answer === undefined) throw errors[0] ?? new Error('no answer');
    return answer;
  }

  public close(): void {
    this.gateway.disconnect();
  }

  private async onePeerEach(): Promise<ServiceEndpoint[]> {
    const organisations = new Map<string, ServiceEndpoint[]>();
    for (const peer of this.channel.getEndorsers()) organisations.set(peer.mspid, [...(organisations.get(peer.mspid) ?? []), peer]);
    const chosen = await Promise.all([...organisations.values()].map(async (peers) => await this.firstAnswering(this.rested(peers))));
    return chosen.filter((peer) => peer !== undefined);
  }

  private async firstAnswering(peers: readonly ServiceEndpoint[]): Promise<ServiceEndpoint | undefined> {
    for (const peer of peers) {
      if (await peer.checkConnection()) return peer;
      this.resting.set(peer, performance.now() + restMilliseconds);
    }
    return undefined;
  }

  /** Those that are not resting; all of them where all are. */
  private rested(endpoints: readonly ServiceEndpoint[]): readonly ServiceEndpoint[] {
    const now = performance.now();
    const ready = endpoints.filter((endpoint) => (this.resting.get(endpoint) ?? 0) < now);
    return ready.length === 0 ? endpoints : ready;
  }
}
