import { parseBlock, type ParsedTransaction } from './block-reader.js';
import type { Chain } from './chain.js';
import type { LedgerStore } from './ledger-store.js';
import { AccessDeniedError, checkRole, checkValidity, READERS, type Member, type Membership } from './membership.js';
import { readHeaders, DELIVER_SEEK_INFO } from './proposal.js';
import { RpcError, Status } from './rpc-error.js';
import { VALIDATION_CODES } from './validation-code.js';
import { MalformedMessageError, message, repeated, WireMessage, type Rope } from './wire.js';

/** common.Status, as far as a deliver stream ends with it. */
export const DELIVER_STATUS = { SUCCESS: 200, BAD_REQUEST: 400, FORBIDDEN: 403, NOT_FOUND: 404, SERVICE_UNAVAILABLE: 503 } as const;
export type DeliverStatus = (typeof DELIVER_STATUS)[keyof typeof DELIVER_STATUS];

export interface DeliverParts {
  readonly channel: string;
  readonly store: LedgerStore;
  readonly chain: Chain;
  readonly membership: Membership;
  readonly now: () => Date;
  readonly log: (message: string, fields: Record<string, unknown>) => void;
}

/** Sends one message; resolves when the receiver can take more. */
export type Send = (answer: Rope) => Promise<void>;

/** Fabric's peer.authentication.timewindow. */
const TIME_WINDOW_MS = 15 * 60_000;
const HEADER_TYPES = { CONFIG: 1, ENDORSER_TRANSACTION: 3, OTHER: 0 } as const;

class SeekRefusedError extends Error {
  constructor(
    readonly status: DeliverStatus,
    text: string,
  ) {
    super(text);
  }
}

interface Seek {
  readonly start: number;
  readonly stop: number;
  readonly failIfNotReady: boolean;
}

/** Number that a SeekPosition {newest = 1, oldest = 2, specified = 3, next_commit = 4} stands for. */
function positionOf(position: WireMessage, height: number): number {
  if (position.has(1)) return Math.max(height - 1, 0);
  if (position.has(2)) return 0;
  if (position.has(3)) return position.message(3).uint(1);
  if (position.has(4)) return height;
  throw new SeekRefusedError(DELIVER_STATUS.BAD_REQUEST, 'the seek information names no position');
}

/** Reads orderer.SeekInfo {start = 1, stop = 2, behavior = 3, content_type = 5}. */
function readSeek(bytes: Uint8Array, height: number): Seek {
  const info = new WireMessage(bytes);
  if (!info.has(1) || !info.has(2)) throw new SeekRefusedError(DELIVER_STATUS.BAD_REQUEST, 'seek information lacks start or stop');
  if (info.int(5) !== 0) throw new SeekRefusedError(DELIVER_STATUS.BAD_REQUEST, 'only whole blocks are delivered');
  const stopAt = info.message(2);
  const start = positionOf(info.message(1), height);
  const stop = stopAt.has(2) ? start : positionOf(stopAt, height);
  if (stop < start) throw new SeekRefusedError(DELIVER_STATUS.BAD_REQUEST, 'stop lies before start');
  if (start > height) throw new SeekRefusedError(DELIVER_STATUS.NOT_FOUND, 'start lies beyond the next block');
  return { start, stop, failIfNotReady: info.int(3) === 1 };
}

function filteredTransaction(transaction: ParsedTransaction): Rope {
  const { event } = transaction;
  const bare = event && message([1, event.chaincode], [2, event.txId], [3, event.name]);
  const actions = bare && message([1, message([1, bare])]);
  return message([1, transaction.txId], [2, HEADER_TYPES[transaction.type]], [3, VALIDATION_CODES[transaction.code]], [4, actions]);
}

/** peer.FilteredBlock: ids, codes and event names without payloads. */
function filteredBlock(bytes: Uint8Array, channel: string): Rope {
  const block = parseBlock(bytes);
  return message([1, channel], [2, block.number], ...repeated(4, block.transactions.map(filteredTransaction)));
}

export class DeliverService {
  constructor(private readonly parts: DeliverParts) {}

  #authenticate(envelope: Uint8Array): { readonly member: Member; readonly seekInfo: Uint8Array } {
    const { membership, now, channel } = this.parts;
    const fields = new WireMessage(envelope);
    const payload = new WireMessage(fields.bytes(1));
    const headers = readHeaders(payload.message(1));
    if (headers.type !== DELIVER_SEEK_INFO && headers.type !== HEADER_TYPES.CONFIG) throw new SeekRefusedError(DELIVER_STATUS.BAD_REQUEST, 'header type is not DELIVER_SEEK_INFO');
    if (headers.channel !== channel) throw new SeekRefusedError(DELIVER_STATUS.NOT_FOUND, 'no such channel');
    if (Math.abs(headers.time - now().getTime()) > TIME_WINDOW_MS) throw new SeekRefusedError(DELIVER_STATUS.BAD_REQUEST, "timestamp is more than 900 s apart from the ledger's clock");
    const member = membership.authenticate(headers.creator, now(), fields.bytes(2), fields.bytes(1));
    checkRole(member, READERS);
    return { member, seekInfo: payload.bytes(2) };
  }

  async #stream(envelope: Uint8Array, filtered: boolean, send: Send, signal: AbortSignal): Promise<void> {
    const { member, seekInfo } = this.#authenticate(envelope);
    const seek = readSeek(seekInfo, this.parts.chain.height);
    for (let number = seek.start; number <= seek.stop; number += 1) {
      if (seek.failIfNotReady && number >= this.parts.chain.height) throw new SeekRefusedError(DELIVER_STATUS.NOT_FOUND, `block ${String(number)} is not there yet`);
      await this.parts.chain.whenBlock(number, signal);
      checkValidity(member, this.parts.now());
      const bytes = this.#block(number);
      await send(filtered ? message([3, filteredBlock(bytes, this.parts.channel)]) : message([2, bytes]));
      signal.throwIfAborted();
    }
  }

  #block(number: number): Uint8Array {
    const bytes = this.parts.store.block(number);
    if (bytes === undefined) throw new RpcError(Status.DATA_LOSS, `block ${String(number)} is missing in the store`);
    return bytes;
  }

  /** Answers one seek envelope: blocks, then the status with which Fabric ends. @throws when the call was cancelled */
  async deliver(envelope: Uint8Array, filtered: boolean, send: Send, signal: AbortSignal): Promise<DeliverStatus> {
    const status = await this.#deliver(envelope, filtered, send, signal);
    await send(message([1, status]));
    return status;
  }

  async #deliver(envelope: Uint8Array, filtered: boolean, send: Send, signal: AbortSignal): Promise<DeliverStatus> {
    try {
      await this.#stream(envelope, filtered, send, signal);
      return DELIVER_STATUS.SUCCESS;
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined) throw error;
      this.parts.log('deliver refused', { status, reason: (error as Error).message });
      return status;
    }
  }

  /** SignedChaincodeEventsRequest → a ChaincodeEventsResponse for each block with events of the chaincode. */
  async chaincodeEvents(signedRequest: Uint8Array, send: Send, signal: AbortSignal): Promise<never> {
    const { membership, now, channel, chain } = this.parts;
    const signed = new WireMessage(signedRequest);
    const request = new WireMessage(signed.bytes(1));
    if (request.text(1) !== channel) throw new RpcError(Status.UNAVAILABLE, `channel ${JSON.stringify(request.text(1))} does not exist; this ledger holds ${channel}`);
    const member = membership.authenticate(request.bytes(3), now(), signed.bytes(2), signed.bytes(1));
    checkRole(member, READERS);
    const chaincode = request.text(2);
    let after = request.text(5);
    for (let number = request.has(4) ? positionOf(request.message(4), chain.height) : chain.height; ; number += 1) {
      await chain.whenBlock(number, signal);
      checkValidity(member, now());
      const events = eventsOf(parseBlock(this.#block(number)).transactions, chaincode, after);
      after = '';
      if (events.length > 0) await send(message(...repeated(1, events), [2, number]));
      signal.throwIfAborted();
    }
  }
}

/** Events of the valid transactions; in the first block those behind the transaction the client has seen, if it is there. */
function eventsOf(transactions: readonly ParsedTransaction[], chaincode: string, after: string): Rope[] {
  const seen = after === '' ? -1 : transactions.findIndex(({ txId }) => txId === after);
  return transactions.slice(seen + 1).flatMap(({ code, event }) => {
    if (code !== 'VALID' || event?.chaincode !== chaincode) return [];
    return [message([1, event.chaincode], [2, event.txId], [3, event.name], [4, event.payload])];
  });
}

function statusOf(error: unknown): DeliverStatus | undefined {
  if (error instanceof SeekRefusedError) return error.status;
  if (error instanceof AccessDeniedError) return DELIVER_STATUS.FORBIDDEN;
  return error instanceof MalformedMessageError ? DELIVER_STATUS.BAD_REQUEST : undefined;
}
