import { canonicalBytes, fromUtf8, ledgerFunctions, splitStateKey, type LedgerState, type OpenResult, type OwnerState, type RecoverPublicKey, type Ticket } from '@huilian/protocol';
import type { BlockTransaction, LedgerBlock } from '../ports.js';
import type { Findings, Invariant } from './findings.js';
import { LedgerModel, type Accepted, type CertifiedBy, type LedgerPlace } from './model.js';
import type { PersonalMarks } from './personal-marks.js';

export interface LedgerCounts {
  readonly blocks: number;
  readonly transactions: number;
  readonly valid: number;
  readonly records: number;
  readonly tickets: number;
}

interface Write {
  readonly key: string;
  readonly type: string;
  readonly parts: readonly string[];
  readonly value: Uint8Array | undefined;
}

const functionNames: ReadonlySet<string> = new Set(Object.values(ledgerFunctions));
const bytesEqual = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0;

/** Refusals that say the wrong one called: a transaction that stands all the same breaks I13. */
const wrongCaller: ReadonlySet<string> = new Set(['NOT_RECORD_OWNER', 'FORBIDDEN', 'NOT_A_CENTRE', 'NOT_A_FOUNDER', 'REQUEST_NOT_READER']);
const byRefusal: Readonly<Record<string, Invariant>> = {
  GRANT_REVOKED: 'I6',
  SLOT_TAKEN: 'I5',
  GRANT_EXHAUSTED: 'I5',
  REQUEST_ID_REUSED: 'I3',
  RECORD_CONTESTED: 'I2',
  BATCH_EXISTS: 'I2',
};

/**
 * Folds blocks from the first on and holds each valid transaction against the model: it must have been allowed, and must
 * have written exactly what the model writes. Apart from the model, and so from its mistakes, the writes themselves are
 * folded for what may never happen whatever the rules: a slot taken twice, a ticket after its grant's revocation, two
 * digests of one record version served, a key written by an organisation that does not own it. Memory grows with the
 * ledger's state and with its tickets, not with its blocks.
 */
export class LedgerChecker {
  public readonly model: LedgerModel;
  private readonly served = new Map<string, string>();
  private readonly slots = new Map<string, string>();
  private readonly revoked = new Set<string>();
  private readonly tally = { blocks: 0, transactions: 0, valid: 0, records: 0, tickets: 0 };
  private last: { readonly number: number; readonly hash: string } | undefined;

  public constructor(
    place: LedgerPlace,
    private readonly findings: Findings,
    private readonly marks: PersonalMarks,
    recover?: RecoverPublicKey,
  ) {
    this.model = new LedgerModel(place, recover);
  }

  public get counts(): LedgerCounts {
    return { ...this.tally };
  }

  public check(block: LedgerBlock): void {
    this.checkChain(block);
    this.tally.blocks += 1;
    for (const transaction of block.transactions) {
      this.tally.transactions += 1;
      if (transaction.code === 'VALID' && functionNames.has(transaction.function)) this.checkTransaction(block, transaction);
    }
  }

  private checkChain({ hash, number, previousHash }: LedgerBlock): void {
    const { last } = this;
    const expected = last === undefined ? 0 : last.number + 1;
    if (number !== expected) this.findings.add('chain', `block ${String(number)}`, `block ${String(expected)}`, `block ${String(number)}`);
    if (last !== undefined && previousHash !== last.hash) this.findings.add('chain', `block ${String(number)}`, `previous hash ${last.hash}`, `previous hash ${previousHash}`);
    this.last = { number, hash };
  }

  private checkTransaction(block: LedgerBlock, transaction: BlockTransaction): void {
    this.tally.valid += 1;
    const place = `block ${String(block.number)} transaction ${transaction.id}`;
    const writes = transaction.writes.flatMap((write): Write[] => {
      const split = splitStateKey(write.key);
      if (split !== undefined) return [{ ...write, ...split }];
      this.findings.add('I13', place, 'keys of the protocol', 'another key');
      return [];
    });
    this.checkMarks(place, transaction);
    for (const write of writes) this.checkWriter(place, transaction, write);
    for (const write of writes) this.foldWrite(place, transaction, write);
    this.replay(place, transaction, writes);
  }

  // --- Against the model ------------------------------------------------------------------------------------------------

  private replay(place: string, transaction: BlockTransaction, writes: readonly Write[]): void {
    const { args, function: name, id: transactionId, organisation: caller, time } = transaction;
    const [argument, ...more] = args;
    if (argument === undefined || more.length > 0) this.findings.add('I7', place, 'one argument', `${String(args.length)} arguments`);
    const verdict = this.model.decide({ argument: argument ?? new Uint8Array(), caller, function: name, time, transactionId }, certifiedBy(writes));
    if ('refused' in verdict) {
      const invariant = wrongCaller.has(verdict.refused) ? 'I13' : (byRefusal[verdict.refused] ?? (name === ledgerFunctions.publish ? 'I14' : 'I7'));
      this.findings.add(invariant, place, `refused with ${verdict.refused}`, 'valid');
    } else {
      this.compareEntries(place, transaction, verdict);
      this.compareWrites(place, writes, verdict);
    }
    // The ledger's own word goes on, so that one fault is found once.
    this.model.apply(new Map(writes.map(({ key, value }) => [key, value === undefined ? undefined : (JSON.parse(fromUtf8(value)) as unknown)])));
  }

  /** Per request of a pack: the ticket the model gives, or its refusal. */
  private compareEntries(place: string, { response }: BlockTransaction, { entries }: Accepted): void {
    if (entries === undefined) return;
    const answered = (JSON.parse(fromUtf8(response)) as readonly OpenResult[]).map(({ code, ticket }) => ticket ?? code ?? '');
    for (const [index, expected] of entries.entries()) {
      const found = answered[index] ?? 'no answer';
      if (found !== expected) this.findings.add(found.includes('/') ? (byRefusal[expected] ?? 'I7') : 'I7', `${place} request ${String(index)}`, expected, found);
    }
  }

  private compareWrites(place: string, writes: readonly Write[], { writes: expected }: Accepted): void {
    const found = new Map(writes.map((write) => [write.key, write]));
    for (const [key, value] of expected) {
      const write = found.get(key);
      const { parts = [], type = '' } = splitStateKey(key) ?? {};
      const same = write !== undefined && (value === undefined ? write.value === undefined : write.value !== undefined && bytesEqual(write.value, canonicalBytes(value)));
      if (!same) this.findings.add(ofType(type), `${place} key ${type} ${parts.join('/')}`, 'what the rules write', write === undefined ? 'no write' : 'another value');
    }
    for (const { key, parts, type } of writes) {
      if (!expected.has(key)) this.findings.add(ofType(type), `${place} key ${type} ${parts.join('/')}`, 'no write', 'a write');
    }
  }

  // --- Apart from the model ---------------------------------------------------------------------------------------------

  private foldWrite(place: string, transaction: BlockTransaction, { key, parts, type, value }: Write): void {
    if (type === 'batch' && value !== undefined) {
      this.tally.records += (JSON.parse(fromUtf8(value)) as LedgerState['batch']).count;
      if (this.model.get('batch', parts[0] ?? '', Number(parts[1])) !== undefined) this.findings.add('I2', place, 'one batch per number', `batch ${parts.join('/')} again`);
    } else if (type === 'revocation') this.revoked.add(parts.join('/'));
    else if (type === 'slot') this.foldSlot(place, key, parts, value);
    else if (type === 'ticket' && value !== undefined && transaction.function === ledgerFunctions.open) this.foldTicket(place, JSON.parse(fromUtf8(value)) as Ticket);
  }

  private foldSlot(place: string, key: string, parts: readonly string[], value: Uint8Array | undefined): void {
    if (value === undefined) {
      this.slots.delete(key);
      return;
    }
    const before = this.slots.get(key);
    if (before !== undefined) this.findings.add('I5', place, `use ${parts[2] ?? ''} of a grant once`, `taken by ${before} before`);
    this.slots.set(key, (JSON.parse(fromUtf8(value)) as LedgerState['slot']).ticket);
  }

  private foldTicket(place: string, ticket: Ticket): void {
    this.tally.tickets += 1;
    if (ticket.basis.kind === 'grant' && this.revoked.has(`${ticket.owner}/${ticket.basis.digest}`)) this.findings.add('I6', place, 'no ticket after the revocation', `grant ${ticket.basis.digest}`);
    for (const { digest, recordId, version } of ticket.records) {
      const id = `${recordId} version ${String(version)}`;
      const before = this.served.get(id);
      if (before !== undefined && before !== digest) this.findings.add('I2', `${place} record ${id}`, before, digest);
      this.served.set(id, digest);
    }
  }

  /** Which contract function may write a key type, and whose organisation must call. */
  private checkWriter(place: string, { function: name, organisation }: BlockTransaction, { parts, type, value }: Write): void {
    const table = writers[type];
    if (!(table?.functions.includes(name) ?? false)) {
      this.findings.add('I13', place, `key ${type} written by ${table?.functions.join(', ') ?? 'nobody'}`, name);
      return;
    }
    if (name === ledgerFunctions.found) return;
    const member = table?.member(this.model, parts, value);
    const allowed = member === undefined ? this.centreOrganisations() : [this.model.get('member', member)?.document.organisation ?? ''];
    if (!allowed.includes(organisation)) this.findings.add('I13', `${place} key ${type} ${parts.join('/')}`, allowed.join(' or '), organisation);
  }

  private centreOrganisations(): string[] {
    return (this.model.get('electorate')?.centres ?? []).map((id) => this.model.get('member', id)?.document.organisation ?? '');
  }

  private checkMarks(place: string, { args, function: name, response, writes }: BlockTransaction): void {
    // A batch holds headers only, and those are of closed grammars: the model reads each.
    const texts = name === ledgerFunctions.publish ? [] : args.map(readable);
    for (const text of [...texts, readable(response), ...writes.map(({ key, value }) => `${key} ${value === undefined ? '' : readable(value)}`)]) {
      const mark = this.marks.find(text);
      if (mark !== undefined) this.findings.add('I17', place, 'no personal data', mark);
    }
  }
}

function readable(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function ofType(type: string): Invariant {
  return type === 'batch' || type === 'record' ? 'I14' : 'I7';
}

/** A registration's certificate is named in the state alone. */
function certifiedBy(writes: readonly Write[]): CertifiedBy | undefined {
  const write = writes.find(({ type }) => type === 'owner');
  if (write?.value === undefined) return undefined;
  const owner = JSON.parse(fromUtf8(write.value)) as OwnerState;
  const { ca, certificate } = owner.recovery ?? owner;
  return { ca, certificate };
}

interface Writer {
  readonly functions: readonly string[];
  /** Member whose organisation must have called; undefined: any active centre's. */
  readonly member: (model: LedgerModel, parts: readonly string[], value: Uint8Array | undefined) => string | undefined;
}

const { acknowledge, approve, attest, confirm, declare, dispute, expose, found, objectRecovery, open, propose, publish, recoverOwner, refuse, registerOwner, reject, revokeGrant, rotateMemberKeys, rotateOwnerKey, setPolicy, state } = ledgerFunctions;
const votes = [propose, approve, reject];
const anyCentre = (): undefined => undefined;
const firstPart = (_model: LedgerModel, parts: readonly string[]): string => parts[0] ?? '';
const ofTicket = (field: 'publisher' | 'reader') => (model: LedgerModel, parts: readonly string[]): string => model.get('ticket', parts[0] ?? '')?.[field] ?? '';

const writers: Readonly<Partial<Record<string, Writer>>> = {
  charter: { functions: [found], member: anyCentre },
  founding: { functions: [found], member: anyCentre },
  electorate: { functions: [found, ...votes], member: anyCentre },
  member: { functions: [found, ...votes, rotateMemberKeys], member: anyCentre },
  proposal: { functions: votes, member: anyCentre },
  schema: { functions: votes, member: anyCentre },
  migration: { functions: votes, member: anyCentre },
  ca: { functions: votes, member: anyCentre },
  trustList: { functions: votes, member: anyCentre },
  codeSet: { functions: votes, member: anyCentre },
  ruleSet: { functions: votes, member: anyCentre },
  acknowledgement: { functions: [acknowledge], member: firstPart },
  declaration: { functions: [declare], member: firstPart },
  owner: { functions: [registerOwner, rotateOwnerKey, recoverOwner, objectRecovery], member: anyCentre },
  batch: { functions: [publish], member: firstPart },
  record: { functions: [publish], member: firstPart },
  contested: { functions: [expose], member: anyCentre },
  attestation: { functions: [attest], member: (_model, parts) => parts[3] ?? '' },
  statement: { functions: [state], member: anyCentre },
  ticket: {
    functions: [open, refuse],
    member: (model, parts, value) => model.get('ticket', parts[0] ?? '')?.publisher ?? (value === undefined ? '' : (JSON.parse(fromUtf8(value)) as Ticket).reader),
  },
  request: { functions: [open], member: firstPart },
  slot: { functions: [open, refuse], member: anyCentre },
  receipt: { functions: [confirm], member: ofTicket('publisher') },
  dispute: { functions: [dispute], member: ofTicket('reader') },
  revocation: { functions: [revokeGrant], member: anyCentre },
  policy: { functions: [setPolicy], member: firstPart },
};
