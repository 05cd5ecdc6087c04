import { hash } from 'node:crypto';
import { decodeReadWriteSet, type NamespaceReadWrites } from './read-write-set.js';
import { validationCodeName, type ValidationCode } from './validation-code.js';
import { MalformedMessageError, WireMessage } from './wire.js';

/** A serialised identity (msp.SerializedIdentity) taken apart. */
export interface BlockIdentity {
  readonly mspId: string;
  readonly certPem: string;
  /** The serialised identity as it was signed. */
  readonly identity: Uint8Array;
}

export interface BlockEndorsement extends BlockIdentity {
  /** ECDSA signature (DER) over SHA-256 of proposal response payload ‖ serialised identity. */
  readonly signature: Uint8Array;
}

export interface BlockEvent {
  readonly chaincode: string;
  readonly txId: string;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** Fabric's common.HeaderType, the two that a channel carries. */
export type TransactionType = 'ENDORSER_TRANSACTION' | 'CONFIG' | 'OTHER';

/** One transaction of a block. Bytes are views of the block. */
export interface ParsedTransaction {
  /** Position in the block. */
  readonly index: number;
  readonly txId: string;
  readonly code: ValidationCode;
  readonly type: TransactionType;
  readonly channel: string;
  readonly creator: BlockIdentity;
  /** Transaction time as the client stated it: Unix seconds and nanoseconds. */
  readonly timestamp: { readonly seconds: number; readonly nanos: number };
  /** Chaincode name; empty for a configuration. */
  readonly chaincode: string;
  /** Arguments, the function name first. */
  readonly args: readonly Uint8Array[];
  readonly event: BlockEvent | undefined;
  readonly response: { readonly status: number; readonly message: string; readonly payload: Uint8Array };
  readonly proposalResponsePayload: Uint8Array;
  readonly endorsements: readonly BlockEndorsement[];
  /** Reads and writes by namespace; Fabric adds namespaces of its own (`_lifecycle`). */
  readonly namespaces: readonly NamespaceReadWrites[];
  /** common.Envelope as ordered. */
  readonly envelope: Uint8Array;
}

export interface ParsedBlock {
  readonly number: number;
  /** Header hash of the previous block, hex; empty for block 0. */
  readonly previousHash: string;
  /** SHA-256 of the transactions' bytes in a row, hex, as the header states it. */
  readonly dataHash: string;
  /** SHA-256 of the header's ASN.1 form, hex: what the next block's `previousHash` must be. */
  readonly hash: string;
  readonly transactions: readonly ParsedTransaction[];
}

const EMPTY = new Uint8Array(0);
const TRANSACTIONS_FILTER = 2;

function derLength(length: number): number[] {
  if (length < 128) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

function derUnsigned(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.unshift(rest % 256);
    rest = Math.floor(rest / 256);
  } while (rest > 0);
  if ((bytes[0] ?? 0) > 127) bytes.unshift(0);
  return Uint8Array.from([2, ...derLength(bytes.length), ...bytes]);
}

/** SEQUENCE { INTEGER number, OCTET STRING previousHash, OCTET STRING dataHash }: the bytes that Fabric hashes and signs. */
export function blockHeaderBytes(number: number, previousHash: Uint8Array, dataHash: Uint8Array): Buffer {
  const octets = (bytes: Uint8Array): Buffer => Buffer.concat([Uint8Array.from([4, ...derLength(bytes.length)]), bytes]);
  const body = Buffer.concat([derUnsigned(number), octets(previousHash), octets(dataHash)]);
  return Buffer.concat([Uint8Array.from([0x30, ...derLength(body.length)]), body]);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** @throws MalformedMessageError */
export function parseIdentity(identity: Uint8Array): BlockIdentity {
  const fields = new WireMessage(identity);
  return { mspId: fields.text(1), certPem: fields.text(2), identity };
}

/** A peer.ChaincodeEvent; undefined where the transaction set none. @throws MalformedMessageError */
function parseEvent(bytes: Uint8Array): BlockEvent | undefined {
  if (bytes.length === 0) return undefined;
  const fields = new WireMessage(bytes);
  return { chaincode: fields.text(1), txId: fields.text(2), name: fields.text(3), payload: fields.bytes(4) };
}

/** An identity that is no msp.SerializedIdentity has no organisation: a peer would not have taken it for a member. */
function identityOrNone(identity: Uint8Array): BlockIdentity {
  try {
    return parseIdentity(identity);
  } catch (error) {
    if (error instanceof MalformedMessageError) return { mspId: '', certPem: '', identity };
    throw error;
  }
}

/** The arguments in a peer.ChaincodeProposalPayload, function name first. @throws MalformedMessageError */
export function parseArguments(proposalPayload: Uint8Array): { readonly chaincode: string; readonly args: Uint8Array[] } {
  const spec = new WireMessage(new WireMessage(proposalPayload).bytes(1)).message(1);
  return { chaincode: spec.message(2).text(2), args: spec.message(3).list(1) };
}

type Action = Pick<ParsedTransaction, 'chaincode' | 'args' | 'event' | 'response' | 'proposalResponsePayload' | 'endorsements' | 'namespaces'>;
const NO_ACTION: Action = {
  chaincode: '',
  args: [],
  event: undefined,
  response: { status: 0, message: '', payload: EMPTY },
  proposalResponsePayload: EMPTY,
  endorsements: [],
  namespaces: [],
};

function parseAction(data: Uint8Array): Action {
  const actions = new WireMessage(data).messages(1);
  const payload = new WireMessage((actions[0] ?? new WireMessage(EMPTY)).bytes(2));
  const { chaincode, args } = parseArguments(payload.bytes(1));
  const endorsed = payload.message(2);
  const proposalResponsePayload = endorsed.bytes(1);
  const action = new WireMessage(new WireMessage(proposalResponsePayload).bytes(2));
  const response = action.message(3);
  return {
    chaincode: action.message(4).text(2) || chaincode,
    args,
    event: parseEvent(action.bytes(2)),
    response: { status: response.int(1), message: response.text(2), payload: response.bytes(3) },
    proposalResponsePayload,
    endorsements: endorsed.messages(2).map((item) => ({ ...identityOrNone(item.bytes(1)), signature: item.bytes(2) })),
    namespaces: decodeReadWriteSet(action.bytes(1)),
  };
}

/** Of a transaction found invalid the header still tells whose it was, whatever its action holds. */
function readableAction(payload: WireMessage, code: ValidationCode): Action {
  try {
    return parseAction(payload.bytes(2));
  } catch (error) {
    if (code !== 'VALID' && error instanceof MalformedMessageError) return NO_ACTION;
    throw error;
  }
}

const TYPES: Readonly<Record<number, TransactionType>> = { 1: 'CONFIG', 3: 'ENDORSER_TRANSACTION' };

function parseTransaction(envelope: Uint8Array, index: number, code: ValidationCode): ParsedTransaction {
  const payload = new WireMessage(new WireMessage(envelope).bytes(1));
  const header = payload.message(1);
  const channelHeader = new WireMessage(header.bytes(1));
  const timestamp = channelHeader.message(3);
  const type = TYPES[channelHeader.int(1)] ?? 'OTHER';
  return {
    index,
    code,
    type,
    envelope,
    txId: channelHeader.text(5),
    channel: channelHeader.text(4),
    creator: identityOrNone(new WireMessage(header.bytes(2)).bytes(1)),
    timestamp: { seconds: timestamp.int(1), nanos: timestamp.int(2) },
    ...(type === 'ENDORSER_TRANSACTION' ? readableAction(payload, code) : NO_ACTION),
  };
}

/** An envelope that was ordered though it is no transaction. Fabric keeps it in the block, marked invalid. */
function unreadableTransaction(envelope: Uint8Array, index: number, code: ValidationCode): ParsedTransaction {
  const creator = { mspId: '', certPem: '', identity: EMPTY };
  return { index, code, type: 'OTHER', envelope, txId: '', channel: '', creator, timestamp: { seconds: 0, nanos: 0 }, ...NO_ACTION };
}

/** One envelope of a block, marked with its code. @throws MalformedMessageError when it is marked VALID and cannot be read */
export function parseEnvelope(envelope: Uint8Array, index: number, code: ValidationCode): ParsedTransaction {
  try {
    return parseTransaction(envelope, index, code);
  } catch (error) {
    if (code !== 'VALID' && error instanceof MalformedMessageError) return unreadableTransaction(envelope, index, code);
    throw error;
  }
}

/**
 * Reads a common.Block of this ledger or of a Fabric peer (delivered blocks carry the validation codes; a block fetched
 * from an orderer does not, its transactions read NOT_VALIDATED). Hashes and signatures are not checked.
 *
 * @throws MalformedMessageError when the block, or a transaction marked VALID, cannot be read
 */
export function parseBlock(bytes: Uint8Array): ParsedBlock {
  const block = new WireMessage(bytes);
  const header = block.message(1);
  const number = header.uint(1);
  const filter = block.message(3).list(1)[TRANSACTIONS_FILTER] ?? EMPTY;
  return {
    number,
    previousHash: hex(header.bytes(2)),
    dataHash: hex(header.bytes(3)),
    hash: hash('sha256', blockHeaderBytes(number, header.bytes(2), header.bytes(3)), 'hex'),
    transactions: block
      .message(2)
      .list(1)
      .map((envelope, index) => parseEnvelope(envelope, index, validationCodeName(filter[index] ?? 254))),
  };
}

/** The envelopes of a block, without reading them. @throws MalformedMessageError */
export function blockEnvelopes(bytes: Uint8Array): Uint8Array[] {
  return new WireMessage(bytes).message(2).list(1);
}

