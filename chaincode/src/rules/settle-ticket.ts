import {
  checkJwsHeader,
  confirmArgumentShape,
  disputeArgumentShape,
  disputeShape,
  documentDigest,
  limits,
  parseJws,
  ProtocolError,
  readReceipt,
  refuseArgumentShape,
  verifyEs256,
  verifyReceipt,
  type JsonObject,
  type LedgerState,
  type Ticket,
} from '@huilian/protocol';
import { requireCharter, requireMember, requireOwnMember, requireReader } from './membership.js';
import { put, remove, type Outcome, type RuleContext } from './rule.js';

/** @throws TICKET_UNKNOWN */
async function requireTicket({ state }: RuleContext, id: string): Promise<Ticket> {
  const ticket = await state.get('ticket', id);
  if (ticket === undefined) throw new ProtocolError('TICKET_UNKNOWN', { ticket: id });
  return ticket;
}

/**
 * Anchors receipts that readers signed, brought by the publisher, all or none. The first receipt of a ticket stands; a
 * later one speaks of the same bytes sent again and changes nothing.
 * @throws NOT_FOUNDED, TICKET_UNKNOWN, FORBIDDEN, MEMBER_SUSPENDED, TICKET_REFUSED, RECEIPT_MISMATCH, RECEIPT_BAD_SIGNATURE
 */
export async function confirmReceipts(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { receipts } = confirmArgumentShape.read(argument);
  const anchored = new Map<string, LedgerState['receipt']>();
  for (const jws of receipts) {
    const { digest, jwe, ticket } = await readConfirmed(context, jws);
    const first = anchored.get(ticket) ?? (await context.state.get('receipt', ticket));
    if (first !== undefined && first.jwe !== jwe) throw new ProtocolError('RECEIPT_MISMATCH', { reason: 'other-release', ticket });
    if (first === undefined) anchored.set(ticket, { confirmedAt: context.time, digest, jwe });
  }
  const tickets = [...anchored.keys()];
  const writes = [...anchored].map(([ticket, receipt]) => put('receipt', [ticket], receipt));
  return { writes, ...(writes.length === 0 ? {} : { event: { name: 'confirm', payload: { tickets } } as const }), response: { tickets } };
}

async function readConfirmed(context: RuleContext, jws: string): Promise<{ digest: string; jwe: string; ticket: string }> {
  const { ticket: id } = readReceipt(jws);
  const ticket = await requireTicket(context, id);
  await requireOwnMember(context, ticket.publisher);
  if (ticket.refused !== undefined) throw new ProtocolError('TICKET_REFUSED', { ticket: id });
  const reader = await requireMember(context, ticket.reader);
  const receipt = verifyReceipt(jws, { ticket: id, reader: ticket.reader, key: reader.document.signingKey });
  return { digest: documentDigest(receipt), jwe: receipt.jwe, ticket: id };
}

/**
 * Gives a use back: the slot is free again, ticket and request id stay dead. By the publisher, while no receipt says that
 * something arrived.
 * @throws NOT_FOUNDED, TICKET_UNKNOWN, FORBIDDEN, MEMBER_SUSPENDED, TICKET_REFUSED, TICKET_CONFIRMED
 */
export async function refuseTicket(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { code, ticket: id } = refuseArgumentShape.read(argument);
  const ticket = await requireTicket(context, id);
  await requireOwnMember(context, ticket.publisher);
  await requireUnsettled(context, id, ticket);
  const slot = ticket.slot === undefined ? [] : [remove('slot', [ticket.owner, ticket.basis.digest, ticket.slot])];
  const payload = { code, ticket: id };
  return { writes: [put('ticket', [id], { ...ticket, refused: code }), ...slot], event: { name: 'refuse', payload }, response: payload };
}

async function requireUnsettled({ state }: RuleContext, id: string, ticket: Ticket): Promise<void> {
  const receipt = await state.get('receipt', id);
  if (ticket.refused !== undefined) throw new ProtocolError('TICKET_REFUSED', { ticket: id });
  if (receipt !== undefined) throw new ProtocolError('TICKET_CONFIRMED', { ticket: id });
}

/**
 * Puts a non-delivery on the trail: signed by the ticket's reader, brought by its own or its host's organisation. Brought
 * again, it changes nothing.
 * @throws NOT_FOUNDED, REQUEST_MALFORMED, TICKET_UNKNOWN, REQUEST_NOT_READER, MEMBER_SUSPENDED, REQUEST_BAD_SIGNATURE, REQUEST_EXPIRED, TICKET_REFUSED, TICKET_CONFIRMED
 */
export async function disputeTicket(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const parsed = parseJws(disputeArgumentShape.read(argument).dispute, 'REQUEST_MALFORMED');
  const kid = checkJwsHeader(parsed, 'huilian-dispute+jwt', 'REQUEST_MALFORMED');
  const { disputedAt, reader, ticket: id } = disputeShape.read(parsed.payload);
  const ticket = await requireTicket(context, id);
  if (kid !== reader || ticket.reader !== reader) throw new ProtocolError('REQUEST_NOT_READER', { ticket: id });
  const { document } = await requireReader(context, reader);
  if (!verifyEs256(document.signingKey, parsed.signingInput, parsed.signature)) throw new ProtocolError('REQUEST_BAD_SIGNATURE');
  const age = context.time - disputedAt;
  if (age > limits.requestAgeSeconds || age < -limits.proposalWindowSeconds) throw new ProtocolError('REQUEST_EXPIRED', { age });
  await requireUnsettled(context, id, ticket);
  if ((await context.state.get('dispute', id)) !== undefined) return { writes: [], response: { ticket: id } };
  return { writes: [put('dispute', [id], { disputedAt: context.time })], event: { name: 'dispute', payload: { ticket: id } }, response: { ticket: id } };
}
