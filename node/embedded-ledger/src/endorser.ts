import type { KeyObject } from 'node:crypto';
import type { CallArguments, ChaincodeHost, ChaincodeOutcome, ChaincodeResponse } from './chaincode-host.js';
import { signPieces } from './ecdsa.js';
import type { LedgerStore, StateView } from './ledger-store.js';
import { proposalResponsePayload, type Endorsement, type Proposal, type ProposalResult } from './proposal.js';
import { encodeReadWriteSet } from './read-write-set.js';
import { Simulation } from './simulation.js';

/** The endorsing identity of one organisation. */
export interface Peer {
  readonly mspId: string;
  readonly identity: Uint8Array;
  readonly key: KeyObject;
}

/** What one organisation's run of a proposal gave. */
export interface ProposalResponse {
  readonly mspId: string;
  readonly response: ProposalResult['response'];
  /** The ledger refused the run itself (not the contract): its message is in `response`. */
  readonly failed: boolean;
  readonly payload: Uint8Array;
  readonly endorsement: Endorsement | undefined;
}

const ERROR_THRESHOLD = 400;
const NOTHING = new Uint8Array(0);

class ChaincodeTimeoutError extends Error {}

async function withTimeout<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new ChaincodeTimeoutError(`timeout expired while executing transaction (${String(milliseconds)} ms)`));
    }, milliseconds);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

function normalise(response: ChaincodeResponse): ProposalResult['response'] {
  return { status: response.status, message: response.message ?? '', payload: response.payload ?? NOTHING };
}

/** Runs a chaincode for one organisation and signs the outcome with that organisation's peer key. */
export class Endorser {
  constructor(
    readonly peer: Peer,
    private readonly store: LedgerStore,
    private readonly timeoutMs: number,
  ) {}

  /** Simulates on the view; nothing is written. A contract's error is a response, not an exception. */
  async process(proposal: Proposal, args: CallArguments, chaincode: ChaincodeHost, view: StateView): Promise<ProposalResponse> {
    const simulation = new Simulation(this.store, view, proposal.chaincode);
    const call = { ...proposal, args, mspId: this.peer.mspId };
    try {
      const outcome = await withTimeout(chaincode.run(call, simulation), this.timeoutMs);
      if (simulation.unsupported) throw simulation.unsupported;
      return this.#respond(proposal, chaincode, outcome, simulation);
    } catch (error) {
      simulation.finish();
      return this.#failure(error);
    } finally {
      await simulation.release();
    }
  }

  #failure(error: unknown): ProposalResponse {
    const text = error instanceof Error ? error.message : 'the chaincode failed';
    return { mspId: this.peer.mspId, response: { status: 500, message: text, payload: NOTHING }, failed: true, payload: NOTHING, endorsement: undefined };
  }

  #respond(proposal: Proposal, chaincode: ChaincodeHost, outcome: ChaincodeOutcome, simulation: Simulation): ProposalResponse {
    const response = normalise(outcome.response);
    const readWriteSet = encodeReadWriteSet(simulation.finish());
    const refused = response.status < 200 || response.status >= ERROR_THRESHOLD;
    const common = { mspId: this.peer.mspId, response, failed: false };
    if (refused) return { ...common, payload: NOTHING, endorsement: undefined };
    const payload = proposalResponsePayload(proposal, { response, readWriteSet, event: outcome.event, version: chaincode.version });
    const signature = signPieces(this.peer.key, payload, this.peer.identity);
    return { ...common, payload, endorsement: { endorser: this.peer.identity, signature } };
  }
}
