import type { Chain } from './chain.js';
import { CallArguments, type ChaincodeHost } from './chaincode-host.js';
import type { Endorser, ProposalResponse } from './endorser.js';
import type { LedgerStore } from './ledger-store.js';
import { AccessDeniedError, checkRole, OutOfTimeError, READERS, WRITERS, type Membership } from './membership.js';
import { checkProposal, ProposalRefusedError, readHeaders, readProposal, responseMessage, unsignedEnvelope, ENDORSER_TRANSACTION, type Proposal } from './proposal.js';
import { RpcError, Status, type ErrorDetail } from './rpc-error.js';
import { runSystemQuery, SYSTEM_CHAINCODE, SystemQueryError } from './system-queries.js';
import { MalformedMessageError, message, WireMessage, type Rope } from './wire.js';

export interface GatewayParts {
  readonly channel: string;
  readonly store: LedgerStore;
  readonly chain: Chain;
  readonly membership: Membership;
  readonly chaincodes: ReadonlyMap<string, ChaincodeHost>;
  /** By MSP id, in the order of the configuration. */
  readonly endorsers: ReadonlyMap<string, Endorser>;
  readonly proposalTimeWindowMs: number;
  readonly maxMessageBytes: number;
  readonly now: () => Date;
  readonly address: () => string;
}

type Verb = 'evaluate' | 'endorse' | 'process';

/** Fabric's common.Status of an orderer's answers. */
const ORDERER_STATUS = { SUCCESS: 200, BAD_REQUEST: 400, FORBIDDEN: 403, NOT_FOUND: 404 } as const;

/** Why an orderer does not take an envelope. */
class NotOrderedError extends Error {
  override readonly name = 'NotOrderedError';

  constructor(
    readonly status: keyof typeof ORDERER_STATUS,
    info: string,
  ) {
    super(info);
  }
}

const ENDORSE_FAILED = 'failed to endorse transaction, see attached details for more info';
const noPeers = (organisations: string): string => `no endorsing peers found for organisation ${JSON.stringify(organisations)}`;
const NO_MATCH = 'ProposalResponsePayloads do not match';

/**
 * Fabric's gateway.Gateway, but for events (see deliver-service), and what older clients ask of peers and orderers
 * themselves. Answers are the bytes of the response message.
 */
export class GatewayService {
  constructor(private readonly parts: GatewayParts) {}

  #detail(mspId: string, text: string): ErrorDetail {
    return { address: this.parts.address(), mspId, message: text };
  }

  #checkChannel(channel: string, code: number = Status.UNAVAILABLE): void {
    if (channel !== this.parts.channel) throw new RpcError(code, `channel ${JSON.stringify(channel)} does not exist; this ledger holds ${this.parts.channel}`);
  }

  #checkTime(proposal: Proposal): void {
    const { proposalTimeWindowMs, now } = this.parts;
    if (Math.abs(proposal.time - now().getTime()) <= proposalTimeWindowMs) return;
    throw new OutOfTimeError(`the proposal's timestamp is more than ${String(proposalTimeWindowMs / 1000)} s apart from the ledger's clock`);
  }

  /** What an endorsing peer checks before it runs anything. A refusal here is final: no other peer would differ. */
  #authenticate(signedProposal: Uint8Array, verb: Verb): Proposal {
    const proposal = readProposal(signedProposal);
    this.#checkChannel(proposal.channel, verb === 'evaluate' ? Status.UNAVAILABLE : Status.FAILED_PRECONDITION);
    try {
      checkProposal(proposal);
      const member = this.parts.membership.authenticate(proposal.creator, this.parts.now(), proposal.signature, proposal.proposalBytes);
      checkRole(member, WRITERS);
      this.#checkTime(proposal);
      if (this.parts.store.transaction(proposal.txId)) throw new AccessDeniedError(`duplicate transaction found [${proposal.txId}]`);
    } catch (error) {
      // A peer checks times before its endorser sees the proposal: to a gateway it looks as if that peer were away.
      if (error instanceof OutOfTimeError && verb === 'evaluate') throw this.#refusal(`access denied: channel [${this.parts.channel}]: ${error.message}`, verb, Status.UNAVAILABLE);
      if (error instanceof AccessDeniedError) throw this.#refusal(`error validating proposal: access denied: channel [${this.parts.channel}]: ${error.message}`, verb);
      if (error instanceof ProposalRefusedError) throw this.#refusal(`error validating proposal: ${error.message}`, verb);
      throw error;
    }
    return proposal;
  }

  /** A peer took nothing of the proposal. Fabric's gateway gives the reason away as a detail, under a code for each call. */
  #refusal(text: string, verb: Verb, code = Status.FAILED_PRECONDITION): RpcError {
    if (verb === 'process') return new RpcError(Status.UNKNOWN, text);
    if (verb === 'endorse') return new RpcError(Status.ABORTED, ENDORSE_FAILED, [this.#detail('', text)]);
    return new RpcError(code, `evaluate call to endorser returned error: ${text}`, [this.#detail('', text)]);
  }

  #chaincode(proposal: Proposal, verb: Verb): ChaincodeHost {
    const chaincode = this.parts.chaincodes.get(proposal.invoked);
    if (chaincode === undefined) throw new RpcError(Status.FAILED_PRECONDITION, `chaincode ${JSON.stringify(proposal.invoked)} is not on this ledger`);
    if (proposal.invoked !== proposal.chaincode) throw this.#refusal('error validating proposal: header and invocation name different chaincodes', verb, Status.ABORTED);
    return chaincode;
  }

  #endorsersFor(requested: readonly string[]): Endorser[] {
    const { endorsers } = this.parts;
    if (requested.length === 0) return [...endorsers.values()];
    return requested.map((mspId) => {
      const endorser = endorsers.get(mspId);
      if (!endorser) throw new RpcError(Status.UNAVAILABLE, noPeers(mspId));
      return endorser;
    });
  }

  /** Any of the requested organisations will do for an evaluation; without a request the caller's own. */
  #evaluatorFor(requested: readonly string[], proposal: Proposal): Endorser {
    if (requested.length === 0) return this.#ownEndorser(proposal);
    const found = requested.flatMap((mspId) => this.parts.endorsers.get(mspId) ?? [])[0];
    if (found === undefined) throw new RpcError(Status.FAILED_PRECONDITION, noPeers(requested.join(', ')));
    return found;
  }

  /** A run without an endorsement: of an endorsement the call is ABORTED whatever the reason, of an evaluation only where the peer failed. */
  #failure(response: ProposalResponse, verb: Verb): RpcError {
    const { status, message: text } = response.response;
    const failure = response.failed ? text : `chaincode response ${String(status)}, ${text}`;
    const code = response.failed || verb !== 'evaluate' ? Status.ABORTED : Status.UNKNOWN;
    const summary = verb === 'evaluate' ? `evaluate call to endorser returned error: ${failure}` : ENDORSE_FAILED;
    return new RpcError(code, summary, [this.#detail(response.mspId, failure)]);
  }

  /** EvaluateRequest → EvaluateResponse: the run of one organisation, nothing ordered. */
  async evaluate(request: Uint8Array): Promise<Rope> {
    const fields = new WireMessage(request);
    const proposal = this.#authenticate(fields.bytes(3), 'evaluate');
    if (proposal.invoked === SYSTEM_CHAINCODE) {
      const response = this.#systemResponse(proposal);
      if (response.status === 200) return message([1, responseMessage(response)]);
      throw new RpcError(Status.UNKNOWN, `evaluate call to endorser returned error: chaincode response 500, ${response.message}`);
    }
    const chaincode = this.#chaincode(proposal, 'evaluate');
    const endorser = this.#evaluatorFor(fields.list(4).map((bytes) => Buffer.from(bytes).toString()), proposal);
    const view = this.parts.store.snapshot();
    try {
      const response = await endorser.process(proposal, new CallArguments(proposal.args), chaincode, view);
      if (response.failed || response.payload.length === 0) throw this.#failure(response, 'evaluate');
      return message([1, responseMessage(response.response)]);
    } finally {
      await view.close();
    }
  }

  #ownEndorser(proposal: Proposal): Endorser {
    const own = this.parts.endorsers.get(this.parts.membership.resolve(proposal.creator).mspId);
    const [endorser] = own ? [own] : this.parts.endorsers.values();
    if (!endorser) throw new RpcError(Status.UNAVAILABLE, 'no endorsing peers found');
    return endorser;
  }

  /**
   * EndorseRequest → EndorseResponse: every organisation runs the contract by itself; their outcomes must be equal. Who
   * names the organisations answers for it that they are enough: too few are found out when the transaction is validated.
   */
  async endorse(request: Uint8Array): Promise<Rope> {
    const fields = new WireMessage(request);
    const proposal = this.#authenticate(fields.bytes(3), 'endorse');
    const chaincode = this.#chaincode(proposal, 'endorse');
    const requested = fields.list(4).map((bytes) => Buffer.from(bytes).toString());
    const endorsers = this.#endorsersFor(requested);
    const view = this.parts.store.snapshot();
    try {
      const args = new CallArguments(proposal.args);
      const responses: ProposalResponse[] = [];
      for (const endorser of endorsers) responses.push(await endorser.process(proposal, args, chaincode, view));
      return message([1, this.#assemble(proposal, responses)]);
    } finally {
      await view.close();
    }
  }

  #assemble(proposal: Proposal, responses: readonly ProposalResponse[]): Rope {
    const refused = responses.find((response) => response.endorsement === undefined);
    const [first] = responses;
    if (refused && responses.every((response) => response.endorsement === undefined)) throw this.#failure(refused, 'endorse');
    const details = responses.flatMap((response) => {
      const text = disagreement(first, response);
      return text === undefined ? [] : [this.#detail(response.mspId, text)];
    });
    if (first === undefined || details.length > 0) {
      throw new RpcError(Status.ABORTED, 'failed to collect enough transaction endorsements, see attached details for more info', details);
    }
    return unsignedEnvelope(proposal, first.payload, responses.flatMap((response) => response.endorsement ?? []));
  }

  /** SubmitRequest → SubmitResponse: checks the creator's signature and queues the transaction. */
  submit(request: Uint8Array): Rope {
    const fields = new WireMessage(request);
    const prepared = fields.bytes(3);
    if (prepared.length === 0) throw new RpcError(Status.INVALID_ARGUMENT, 'a prepared transaction is required');
    const envelope = new WireMessage(prepared);
    const signature = envelope.bytes(2);
    if (signature.length === 0) throw new RpcError(Status.INVALID_ARGUMENT, 'prepared transaction must be signed');
    this.#checkChannel(fields.text(2), Status.FAILED_PRECONDITION);
    try {
      this.#order(prepared);
    } catch (error) {
      throw error instanceof NotOrderedError ? this.#notOrdered(error) : error;
    }
    return message();
  }

  /** What an orderer checks before it queues an envelope. @throws NotOrderedError, MalformedMessageError */
  #order(prepared: Uint8Array): void {
    const { chain, channel, maxMessageBytes, membership, now } = this.parts;
    const envelope = new WireMessage(prepared);
    const headers = readHeaders(new WireMessage(envelope.bytes(1)).message(1));
    if (headers.channel !== channel) throw new NotOrderedError('NOT_FOUND', `channel ${JSON.stringify(headers.channel)} does not exist`);
    if (headers.type !== ENDORSER_TRANSACTION) throw new NotOrderedError('BAD_REQUEST', `header type ${String(headers.type)} is no transaction`);
    if (prepared.length > maxMessageBytes) {
      throw new NotOrderedError('BAD_REQUEST', `message payload is ${String(prepared.length)} bytes and exceeds maximum allowed ${String(maxMessageBytes)} bytes`);
    }
    try {
      checkRole(membership.authenticate(headers.creator, now(), envelope.bytes(2), envelope.bytes(1)), WRITERS);
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      throw new NotOrderedError('FORBIDDEN', error.message);
    }
    chain.order(Uint8Array.from(prepared));
  }

  /** Fabric's orderer.AtomicBroadcast: Envelope → BroadcastResponse; every answer is a status. */
  broadcast(envelope: Uint8Array): Rope {
    try {
      this.#order(envelope);
      return message([1, ORDERER_STATUS.SUCCESS]);
    } catch (error) {
      if (error instanceof NotOrderedError) return message([1, ORDERER_STATUS[error.status]], [2, error.message]);
      if (error instanceof MalformedMessageError) return message([1, ORDERER_STATUS.BAD_REQUEST], [2, error.message]);
      throw error;
    }
  }

  /** Fabric's protos.Endorser: SignedProposal → ProposalResponse, by the peer of one organisation. A contract's refusal is a response, not an error. */
  async processProposal(signedProposal: Uint8Array, mspId: string): Promise<Rope> {
    const proposal = this.#authenticate(signedProposal, 'process');
    if (proposal.invoked === SYSTEM_CHAINCODE) return message([1, 1], [4, responseMessage(this.#systemResponse(proposal))]);
    const chaincode = this.#chaincode(proposal, 'process');
    const endorser = this.parts.endorsers.get(mspId);
    if (endorser === undefined) throw new RpcError(Status.UNAVAILABLE, noPeers(mspId));
    const view = this.parts.store.snapshot();
    try {
      const { endorsement, payload, response } = await endorser.process(proposal, new CallArguments(proposal.args), chaincode, view);
      if (endorsement === undefined) return message([1, 1], [4, responseMessage(response)]);
      return message([1, 1], [4, responseMessage(response)], [5, payload], [6, message([1, endorsement.endorser], [2, endorsement.signature])]);
    } finally {
      await view.close();
    }
  }

  #systemResponse({ args }: Proposal): ProposalResponse['response'] {
    try {
      return { status: 200, message: '', payload: runSystemQuery(this.parts, args) };
    } catch (error) {
      if (!(error instanceof SystemQueryError)) throw error;
      return { status: 500, message: error.message, payload: new Uint8Array(0) };
    }
  }

  #notOrdered({ message: info, status }: NotOrderedError): RpcError {
    const text = `received unsuccessful response from orderer: status=${status}, info=${info}`;
    return new RpcError(Status.ABORTED, text, [this.#detail('', text)]);
  }

  /** SignedCommitStatusRequest → CommitStatusResponse, as soon as the transaction is on disk. */
  async commitStatus(signedRequest: Uint8Array, signal: AbortSignal): Promise<Rope> {
    const signed = new WireMessage(signedRequest);
    const request = new WireMessage(signed.bytes(1));
    this.#checkChannel(request.text(2));
    checkRole(this.parts.membership.authenticate(request.bytes(3), this.parts.now(), signed.bytes(2), signed.bytes(1)), READERS);
    const txId = request.text(1);
    if (txId === '') throw new MalformedMessageError('a transaction id is required');
    const place = await this.parts.chain.whenCommitted(txId, signal);
    return message([1, place.code], [2, place.block]);
  }
}

/** How a run differs from the first one; undefined where it does not. */
function disagreement(first: ProposalResponse | undefined, response: ProposalResponse): string | undefined {
  if (response.endorsement === undefined) return response.failed ? response.response.message : `chaincode response ${String(response.response.status)}, ${response.response.message}`;
  if (first === undefined || first === response) return undefined;
  if (Buffer.compare(first.payload, response.payload) === 0) return undefined;
  return first.endorsement === undefined ? undefined : `${NO_MATCH} (${first.mspId} and ${response.mspId}): the contract is not deterministic`;
}
