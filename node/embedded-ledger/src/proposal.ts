import { createHash } from 'node:crypto';
import { parseArguments } from './block-reader.js';
import { message, WireMessage, type Rope } from './wire.js';

/** common.HeaderType. */
export const CONFIG = 1;
export const ENDORSER_TRANSACTION = 3;
export const DELIVER_SEEK_INFO = 5;

/** The two headers that every signed message of a channel carries. */
export interface Headers {
  /** common.ChannelHeader and common.SignatureHeader as sent. */
  readonly channelHeader: Uint8Array;
  readonly signatureHeader: Uint8Array;
  readonly type: number;
  readonly channel: string;
  readonly txId: string;
  readonly epoch: number;
  /** Unix milliseconds. */
  readonly time: number;
  /** Chaincode named in the header's extension. */
  readonly chaincode: string;
  readonly creator: Uint8Array;
  readonly nonce: Uint8Array;
}

/** A peer.SignedProposal taken apart. */
export interface Proposal extends Headers {
  readonly proposalBytes: Uint8Array;
  readonly signature: Uint8Array;
  /** Chaincode named in the invocation. */
  readonly invoked: string;
  /** Function name and arguments. */
  readonly args: readonly Uint8Array[];
  /** The proposal payload without transient data, as it goes into the transaction and the proposal hash. */
  readonly payloadForTransaction: Uint8Array;
  /** SHA-256 over channel header ‖ signature header ‖ payload without transient data. */
  readonly hash: Uint8Array;
}

/** @throws MalformedMessageError */
export function readHeaders(header: WireMessage): Headers {
  const channelHeader = header.withoutRepeats().bytes(1);
  const signatureHeader = header.bytes(2);
  const channel = new WireMessage(channelHeader).withoutRepeats();
  const signed = new WireMessage(signatureHeader).withoutRepeats();
  const timestamp = channel.message(3).withoutRepeats();
  return {
    channelHeader,
    signatureHeader,
    type: channel.int(1),
    channel: channel.text(4),
    txId: channel.text(5),
    epoch: channel.uint(6),
    time: timestamp.int(1) * 1000 + Math.floor(timestamp.int(2) / 1_000_000),
    chaincode: new WireMessage(channel.bytes(7)).message(2).text(2),
    creator: signed.bytes(1),
    nonce: signed.bytes(2),
  };
}

/** SHA-256(nonce ‖ creator), hex: the only id a transaction of this creator and nonce may have. */
export function transactionId({ nonce, creator }: Pick<Headers, 'nonce' | 'creator'>): string {
  return createHash('sha256').update(nonce).update(creator).digest('hex');
}

export function proposalHash(channelHeader: Uint8Array, signatureHeader: Uint8Array, payload: Uint8Array): Uint8Array {
  return createHash('sha256').update(channelHeader).update(signatureHeader).update(payload).digest();
}

/** A proposal that can be read, and that no endorser takes. */
export class ProposalRefusedError extends Error {
  override readonly name = 'ProposalRefusedError';
}

/** What an endorser checks in the headers before it looks at the signature. @throws ProposalRefusedError */
export function checkProposal(headers: Proposal): void {
  if (headers.type !== ENDORSER_TRANSACTION) throw new ProposalRefusedError(`header type ${String(headers.type)} is no proposal`);
  if (headers.epoch !== 0) throw new ProposalRefusedError('epoch must be 0');
  if (headers.nonce.length === 0 || headers.creator.length === 0) throw new ProposalRefusedError('nonce or creator is missing');
  if (headers.txId !== transactionId(headers)) throw new ProposalRefusedError('the transaction id is not the hash of nonce and creator');
}

/** Reads a proposal; nothing is checked but its form. @throws MalformedMessageError */
export function readProposal(signedProposal: Uint8Array): Proposal {
  const signed = new WireMessage(signedProposal);
  const proposalBytes = signed.bytes(1);
  const proposal = new WireMessage(proposalBytes).withoutRepeats();
  const headers = readHeaders(new WireMessage(proposal.bytes(1)));
  const payload = proposal.bytes(2);
  const { chaincode, args } = parseArguments(payload);
  const payloadForTransaction = withoutTransient(payload);
  return {
    ...headers,
    proposalBytes,
    signature: signed.bytes(2),
    invoked: chaincode,
    args,
    payloadForTransaction,
    hash: proposalHash(headers.channelHeader, headers.signatureHeader, payloadForTransaction),
  };
}

function withoutTransient(payload: Uint8Array): Uint8Array {
  const fields = new WireMessage(payload);
  return fields.has(2) ? message([1, fields.bytes(1)]).toBytes() : payload;
}

export interface ProposalResult {
  readonly response: { readonly status: number; readonly message: string; readonly payload: Uint8Array };
  readonly readWriteSet: Uint8Array;
  readonly event: { readonly name: string; readonly payload: Uint8Array } | undefined;
  readonly version: string;
}

/** peer.Response */
export function responseMessage({ status, message: text, payload }: ProposalResult['response']): Rope {
  return message([1, status], [2, text], [3, payload]);
}

/** peer.ProposalResponsePayload: what each endorser signs, equal byte for byte where the runs agree. */
export function proposalResponsePayload(proposal: Proposal, result: ProposalResult): Uint8Array {
  const { event } = result;
  const eventBytes = event && message([1, proposal.chaincode], [2, proposal.txId], [3, event.name], [4, event.payload]);
  const chaincodeId = message([2, proposal.chaincode], [3, result.version]);
  const action = message([1, result.readWriteSet], [2, eventBytes], [3, responseMessage(result.response)], [4, chaincodeId]);
  return message([1, proposal.hash], [2, action]).toBytes();
}

export interface Endorsement {
  readonly endorser: Uint8Array;
  readonly signature: Uint8Array;
}

/** common.Envelope without a signature: the transaction for the client to sign. */
export function unsignedEnvelope(proposal: Proposal, responsePayload: Uint8Array, endorsements: readonly Endorsement[]): Rope {
  const endorsedAction = message([1, responsePayload], ...endorsements.map(({ endorser, signature }) => [2, message([1, endorser], [2, signature])] as const));
  const actionPayload = message([1, proposal.payloadForTransaction], [2, endorsedAction]);
  const transaction = message([1, message([1, proposal.signatureHeader], [2, actionPayload])]);
  const header = message([1, proposal.channelHeader], [2, proposal.signatureHeader]);
  return message([1, message([1, header], [2, transaction])]);
}
