import type { ParsedTransaction } from './block-reader.js';
import { parseEnvelope } from './block-reader.js';
import { verifyPieces } from './ecdsa.js';
import { sameReads, sameVersion, type StateChange, type StateView } from './ledger-store.js';
import type { Membership } from './membership.js';
import { proposalHash, readHeaders, transactionId, ENDORSER_TRANSACTION } from './proposal.js';
import type { NamespaceReadWrites, RangeRead, StateRead } from './read-write-set.js';
import type { ValidationCode } from './validation-code.js';
import { MalformedMessageError, WireMessage } from './wire.js';

/** An ordered transaction and the verdict so far. */
export interface CheckedTransaction {
  readonly parsed: ParsedTransaction;
  readonly code: ValidationCode;
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}

/** The action must belong to the headers: same signature header, and the hash the endorsers signed. */
function actionFits(payload: WireMessage, parsed: ParsedTransaction): boolean {
  const header = payload.message(1);
  const actions = new WireMessage(payload.bytes(2)).messages(1);
  const [action] = actions;
  if (action === undefined || actions.length !== 1 || !sameBytes(action.bytes(1), header.bytes(2))) return false;
  const proposalPayload = new WireMessage(action.bytes(2)).bytes(1);
  const stated = new WireMessage(parsed.proposalResponsePayload).bytes(1);
  return sameBytes(stated, proposalHash(header.bytes(1), header.bytes(2), proposalPayload));
}

/**
 * Checks what needs no state: form, transaction id, proposal hash, chaincode, endorsements. The creator's signature was
 * checked when the envelope was submitted.
 */
export class TransactionValidator {
  constructor(
    private readonly membership: Membership,
    private readonly channel: string,
    private readonly isChaincode: (name: string) => boolean,
    private readonly required: () => number,
  ) {}

  #form(payload: WireMessage, parsed: ParsedTransaction): ValidationCode {
    const headers = readHeaders(payload.message(1));
    if (headers.type !== ENDORSER_TRANSACTION) return 'UNKNOWN_TX_TYPE';
    if (headers.channel !== this.channel) return 'TARGET_CHAIN_NOT_FOUND';
    if (headers.epoch !== 0 || headers.nonce.length === 0) return 'BAD_COMMON_HEADER';
    if (headers.txId !== transactionId(headers)) return 'BAD_PROPOSAL_TXID';
    if (!actionFits(payload, parsed)) return 'INVALID_ENDORSER_TRANSACTION';
    if (headers.chaincode !== parsed.chaincode || !this.isChaincode(parsed.chaincode)) return 'INVALID_CHAINCODE';
    return this.#result(parsed);
  }

  #result(parsed: ParsedTransaction): ValidationCode {
    const { status } = parsed.response;
    if (status < 200 || status >= 400) return 'BAD_RESPONSE_PAYLOAD';
    if (parsed.event && parsed.event.chaincode !== parsed.chaincode) return 'INVALID_OTHER_REASON';
    if (parsed.namespaces.some((set) => set.namespace !== parsed.chaincode || set.hasOther || set.ranges.some((range) => range.hashed))) return 'ILLEGAL_WRITESET';
    return this.#endorsed(parsed) ? 'VALID' : 'ENDORSEMENT_POLICY_FAILURE';
  }

  /** Enough organisations' peers signed this very outcome. */
  #endorsed(parsed: ParsedTransaction): boolean {
    const organisations = new Set<string>();
    for (const { identity, signature } of parsed.endorsements) {
      const organisation = this.#endorser(identity, signature, parsed.proposalResponsePayload);
      if (organisation !== undefined) organisations.add(organisation);
    }
    return organisations.size >= this.required();
  }

  #endorser(identity: Uint8Array, signature: Uint8Array, payload: Uint8Array): string | undefined {
    try {
      const member = this.membership.resolve(identity);
      const signed = member.role === 'peer' && verifyPieces(member.publicKey, signature, payload, identity);
      return signed ? member.mspId : undefined;
    } catch {
      return undefined;
    }
  }

  check(envelope: Uint8Array): CheckedTransaction {
    const parsed = parseEnvelope(envelope, 0, 'NOT_VALIDATED');
    try {
      return { parsed, code: this.#form(new WireMessage(new WireMessage(envelope).bytes(1)), parsed) };
    } catch (error) {
      if (error instanceof MalformedMessageError) return { parsed, code: 'BAD_PAYLOAD' };
      throw error;
    }
  }
}

function inRange(key: Uint8Array, range: RangeRead): boolean {
  if (Buffer.compare(key, Buffer.from(range.startKey)) < 0) return false;
  if (range.endKey === '') return true;
  const order = Buffer.compare(key, Buffer.from(range.endKey));
  return range.exhausted ? order < 0 : order <= 0;
}

/** The state as one block's valid transactions change it, for the checks of the later ones. */
export class BlockState {
  readonly #updates = new Map<string, StateChange>();
  readonly changes: StateChange[] = [];

  constructor(private readonly committed: StateView) {}

  #update(namespace: string, key: string): StateChange | undefined {
    return this.#updates.get(`${namespace}\0${key}`);
  }

  #readHolds(namespace: string, { key, version }: StateRead): boolean {
    return this.#update(namespace, key) === undefined && sameVersion(version, this.committed.get(namespace, key)?.version);
  }

  /** Any change of this block in the range is a phantom, but for a deletion of a key that was not there. */
  #changedWithin(namespace: string, range: RangeRead): boolean {
    return this.changes.some(
      (change) =>
        change.namespace === namespace &&
        inRange(Buffer.from(change.key), range) &&
        (change.value !== undefined || this.committed.get(namespace, change.key) !== undefined),
    );
  }

  async #rangeHolds(namespace: string, range: RangeRead): Promise<boolean> {
    if (this.#changedWithin(namespace, range)) return false;
    const found: StateRead[] = [];
    for await (const { key, version } of this.committed.range(namespace, range.startKey, range.endKey, !range.exhausted)) {
      found.push({ key, version });
      if (found.length > range.reads.length) return false;
    }
    return sameReads(range.reads, found);
  }

  async conflict(sets: readonly NamespaceReadWrites[]): Promise<ValidationCode> {
    for (const { namespace, reads } of sets) {
      if (!reads.every((read) => this.#readHolds(namespace, read))) return 'MVCC_READ_CONFLICT';
    }
    for (const { namespace, ranges } of sets) {
      for (const range of ranges) if (!(await this.#rangeHolds(namespace, range))) return 'PHANTOM_READ_CONFLICT';
    }
    return 'VALID';
  }

  apply(sets: readonly NamespaceReadWrites[], block: number, transaction: number): void {
    for (const { namespace, writes } of sets) {
      for (const { key, value } of writes) {
        const change: StateChange = { namespace, key, value, version: { block, transaction } };
        this.changes.push(change);
        this.#updates.set(`${namespace}\0${key}`, change);
      }
    }
  }
}
