import {
  checkPlacedHeader,
  confirmArgumentShape,
  disputeArgumentShape,
  disputeShape,
  checkJwsHeader,
  documentDigest,
  jwkThumbprint,
  limits,
  ownerKeyInForce,
  parseJws,
  policyShape,
  ProtocolError,
  readOpenArgument,
  readReceipt,
  readRequest,
  recordId,
  refuseArgumentShape,
  verifyEs256,
  verifyOffer,
  verifyReceipt,
  verifyRequest,
  type AccessRequest,
  type Domain,
  type GrantEnvelope,
  type Header,
  type JsonObject,
  type JsonValue,
  type LedgerState,
  type MemberState,
  type OpenEntry,
  type SignedRequest,
  type Ticket,
} from '@huilian/protocol';
import { requireCharter, requireMember, requireOwnMember } from './membership.js';
import { verifiedGrant } from './owner-signatures.js';
import { isContested, isCurrent } from './record-rules.js';
import { put, remove, type Outcome, type RuleContext, type StateWrite } from './rule.js';

/** What a pack has decided so far: the state shows no own writes, so slots and request ids are kept apart here. */
interface Pack {
  readonly slots: Set<string>;
  readonly requests: Set<string>;
}

/**
 * Decides 1 to 256 requests, each by itself: per entry a ticket, or a coded refusal that writes nothing.
 * @throws NOT_FOUNDED and what breaks the argument as a whole
 */
export async function open(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const charter = await requireCharter(context);
  const { entries } = readOpenArgument(argument);
  const pack: Pack = { slots: new Set(), requests: new Set() };
  const writes: StateWrite[] = [];
  const results: JsonObject[] = [];
  for (const [index, entry] of entries.entries()) {
    try {
      const decided = await decide(context, charter, pack, entry, `${context.transactionId}/${String(index)}`);
      writes.push(...decided.writes);
      results.push({ ticket: decided.ticket });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      results.push({ code: error.code, details: JSON.stringify(error.details) });
    }
  }
  const tickets = results.flatMap(({ ticket }) => (typeof ticket === 'string' ? [ticket] : []));
  return { writes, event: { name: 'open', payload: { tickets } }, response: results };
}

interface Decided {
  readonly ticket: string;
  readonly writes: readonly StateWrite[];
}

async function decide(context: RuleContext, charter: LedgerState['charter'], pack: Pack, entry: OpenEntry, ticketId: string): Promise<Decided> {
  const signed = readRequest(entry.request);
  const { request } = signed;
  const reader = await requireReader(context, signed, charter.domain);
  const before = await context.state.get('request', request.reader, request.requestId);
  if (before !== undefined && before.digest !== signed.digest) throw new ProtocolError('REQUEST_ID_REUSED');
  if (before !== undefined) return { ticket: before.ticket, writes: [] };
  const requestKey = `${request.reader}/${request.requestId}`;
  if (pack.requests.has(requestKey)) throw new ProtocolError('REQUEST_ID_REUSED', { reason: 'same-pack' });
  await checkOffer(context, entry, signed);
  await checkHeaders(context, request);
  const permission = await permissionOf(context, charter.domain, pack, entry, request, reader);
  const values = charter.document['values'] as { ticketSeconds: number };
  const ticket = ticketOf(context.time, signed, reader, permission, values.ticketSeconds);
  // Only what is fully decided takes its slot and id from the rest of the pack.
  pack.requests.add(requestKey);
  if (permission.slotKey !== undefined) pack.slots.add(permission.slotKey.join('/'));
  return {
    ticket: ticketId,
    writes: [
      put('ticket', [ticketId], ticket),
      put('request', [request.reader, request.requestId], { digest: signed.digest, ticket: ticketId }),
      ...(permission.slotKey === undefined ? [] : [put('slot', permission.slotKey, { ticket: ticketId })]),
    ],
  };
}

async function requireReader(context: RuleContext, signed: SignedRequest, domain: Domain): Promise<MemberState> {
  const { request } = signed;
  const reader = await requireOwnMember(context, request.reader).catch((error: unknown) => {
    // Another member's signed request brought by this organisation: a replay.
    if (error instanceof ProtocolError && error.code === 'FORBIDDEN') throw new ProtocolError('REQUEST_NOT_READER', { reader: request.reader });
    throw error;
  });
  verifyRequest(signed, reader.document.signingKey);
  if (request.salt !== domain.salt) throw new ProtocolError('REQUEST_WRONG_DOMAIN');
  const age = context.time - request.issuedAt;
  if (age > limits.requestAgeSeconds || age < -limits.proposalWindowSeconds) throw new ProtocolError('REQUEST_EXPIRED', { age });
  if (request.encryptionKey !== jwkThumbprint(reader.document.encryptionKey)) throw new ProtocolError('ENCRYPTION_KEY_MISMATCH');
  return reader;
}

async function checkOffer(context: RuleContext, entry: OpenEntry, signed: SignedRequest): Promise<void> {
  const publisher = await requireMember(context, signed.request.publisher);
  const offer = verifyOffer(entry.offer, signed, publisher.document.signingKey);
  if (offer.expires < context.time || offer.expires > context.time + limits.offerSeconds + limits.proposalWindowSeconds) {
    throw new ProtocolError('OFFER_EXPIRED');
  }
}

/** Every record named: under its batch's root, opened, not contested, current, not revoked. Absent keys are read too, so that a racing change conflicts. */
async function checkHeaders(context: RuleContext, { headers, publisher }: AccessRequest): Promise<void> {
  for (const placed of headers) {
    const { header } = placed;
    const id = recordId(publisher, header.kind, header.localId);
    const batch = await context.state.get('batch', publisher, placed.seq);
    if (batch === undefined) throw new ProtocolError('RECORD_UNKNOWN', { record: id });
    checkPlacedHeader(placed, batch);
    if (header.kind === 'sealed') throw new ProtocolError('RECORD_SEALED', { record: id });
    if (await isContested(context, publisher, header)) throw new ProtocolError('RECORD_CONTESTED', { record: id });
    if (!(await isCurrent(context, publisher, header))) throw new ProtocolError('RECORD_STALE', { record: id });
    if (header.status === 'revoked') throw new ProtocolError('RECORD_REVOKED', { record: id });
  }
}

interface Permission {
  readonly owner: string;
  readonly ends: number;
  readonly slot?: number;
  readonly slotKey?: readonly (string | number)[];
}

async function permissionOf(context: RuleContext, domain: Domain, pack: Pack, entry: OpenEntry, request: AccessRequest, reader: MemberState): Promise<Permission> {
  const owner = request.headers[0]?.header.owner;
  if (owner === undefined) return await policyPermission(context, request, reader);
  if (entry.grant === undefined || request.basis.kind !== 'grant') throw new ProtocolError('GRANT_REQUIRED');
  return await grantPermission(context, domain, pack, { ...entry, grant: entry.grant }, request, owner);
}

async function grantPermission(
  context: RuleContext,
  domain: Domain,
  pack: Pack,
  { grant: envelope, slot }: OpenEntry & { readonly grant: GrantEnvelope },
  request: AccessRequest,
  owner: string,
): Promise<Permission> {
  const { grant } = envelope;
  const { digest, key } = verifiedGrant(envelope, domain);
  const state = await context.state.get('owner', grant.owner);
  if (state === undefined) throw new ProtocolError('OWNER_UNKNOWN');
  if (key !== ownerKeyInForce(state, context.time)) throw new ProtocolError('GRANT_BAD_SIGNATURE');
  if (grant.owner !== owner) throw new ProtocolError('GRANT_NOT_OWNER');
  if (request.basis.digest !== digest) throw new ProtocolError('REQUEST_MALFORMED', { reason: 'basis' });
  checkGrantTerms(context.time, grant, request);
  if ((await context.state.get('revocation', grant.owner, digest)) !== undefined) throw new ProtocolError('GRANT_REVOKED');
  if (slot === undefined || slot > grant.maxUses) throw new ProtocolError('GRANT_EXHAUSTED', { maxUses: grant.maxUses });
  const slotKey = [grant.owner, digest, slot] as const;
  const taken = await context.state.get('slot', ...slotKey);
  if (taken !== undefined || pack.slots.has(slotKey.join('/'))) throw new ProtocolError('SLOT_TAKEN', { slot });
  return { owner: grant.owner, ends: grant.expires, slot, slotKey };
}

function checkGrantTerms(time: number, grant: GrantEnvelope['grant'], request: AccessRequest): void {
  if (grant.grantee !== request.reader) throw new ProtocolError('GRANT_WRONG_GRANTEE');
  if (grant.purpose !== request.purpose) throw new ProtocolError('GRANT_WRONG_PURPOSE');
  if (time < grant.notBefore) throw new ProtocolError('GRANT_NOT_YET_VALID');
  if (time >= grant.expires) throw new ProtocolError('GRANT_EXPIRED');
  checkClaims(request, (kind, claim) => grant.claims.includes(`${kind}/${claim}`), 'GRANT_CLAIM_NOT_COVERED');
}

function checkClaims({ claims, headers }: AccessRequest, covers: (kind: string, claim: string) => boolean, code: 'GRANT_CLAIM_NOT_COVERED' | 'POLICY_NOT_COVERED'): void {
  for (const kind of new Set(headers.map(({ header }: { readonly header: Header }) => header.kind))) {
    for (const claim of claims) if (!covers(kind, claim)) throw new ProtocolError(code, { claim: `${kind}/${claim}` });
  }
}

async function policyPermission(context: RuleContext, request: AccessRequest, reader: MemberState): Promise<Permission> {
  const kinds = [...new Set(request.headers.map(({ header }) => header.kind))];
  const [kind = ''] = kinds;
  if (kinds.length !== 1) throw new ProtocolError('REQUEST_MIXED');
  if (request.basis.kind !== 'policy') throw new ProtocolError('POLICY_UNKNOWN');
  const found = await context.state.get('policy', request.publisher, kind, request.basis.digest);
  if (found === undefined) throw new ProtocolError('POLICY_UNKNOWN');
  const { policy } = found;
  const inForce = context.time >= policy.notBefore && context.time < policy.expires;
  if (!inForce) throw new ProtocolError('POLICY_UNKNOWN', { reason: 'window' });
  if (!policy.granteeClasses.includes(reader.document.kind) || !policy.purposes.includes(request.purpose)) throw new ProtocolError('POLICY_NOT_COVERED');
  checkClaims(request, (_kind, claim) => policy.claims.includes(claim), 'POLICY_NOT_COVERED');
  return { owner: '', ends: policy.expires };
}

function ticketOf(time: number, { digest, request }: SignedRequest, reader: MemberState, permission: Permission, ticketSeconds: number): Ticket {
  return {
    basis: request.basis,
    claims: request.claims,
    encryptionKey: request.encryptionKey,
    expires: Math.min(time + ticketSeconds, permission.ends),
    openedAt: time,
    owner: permission.owner,
    publisher: request.publisher,
    purpose: request.purpose,
    reader: request.reader,
    readerKey: jwkThumbprint(reader.document.signingKey),
    records: request.headers.map(({ header }) => ({
      digest: header.digest,
      recordId: recordId(request.publisher, header.kind, header.localId),
      version: header.version,
    })),
    request: digest,
    requestId: request.requestId,
    ...(permission.slot === undefined ? {} : { slot: permission.slot }),
  };
}

async function requireTicket({ state }: RuleContext, id: string): Promise<Ticket> {
  const ticket = await state.get('ticket', id);
  if (ticket === undefined) throw new ProtocolError('TICKET_UNKNOWN', { ticket: id });
  return ticket;
}

/** Anchors receipts that readers signed, brought by the publisher; the same receipt again changes nothing. @throws TICKET_UNKNOWN, TICKET_REFUSED, RECEIPT_MISMATCH, RECEIPT_BAD_SIGNATURE, FORBIDDEN */
export async function confirm(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { receipts } = confirmArgumentShape.read(argument);
  const writes = new Map<string, StateWrite>();
  for (const jws of receipts) {
    const { ticket: id } = readReceipt(jws);
    const ticket = await requireTicket(context, id);
    await requireOwnMember(context, ticket.publisher);
    if (ticket.refused !== undefined) throw new ProtocolError('TICKET_REFUSED', { ticket: id });
    const reader = await context.state.get('member', ticket.reader);
    if (reader === undefined) throw new ProtocolError('MEMBER_UNKNOWN', { member: ticket.reader });
    const receipt = verifyReceipt(jws, { ticket: id, reader: ticket.reader, key: reader.document.signingKey });
    // The first receipt stands; later ones are re-sends under the same ticket.
    if ((await context.state.get('receipt', id)) === undefined && !writes.has(id)) {
      writes.set(id, put('receipt', [id], { confirmedAt: context.time, digest: documentDigest(receipt), jwe: receipt.jwe }));
    }
  }
  const tickets = [...writes.keys()];
  return { writes: [...writes.values()], event: { name: 'confirm', payload: { tickets } }, response: { tickets } };
}

/** Gives a slot back while nothing was sent; ticket and request id stay dead. @throws TICKET_UNKNOWN, FORBIDDEN, TICKET_CONFIRMED, TICKET_REFUSED */
export async function refuse(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { code, ticket: id } = refuseArgumentShape.read(argument);
  const ticket = await requireTicket(context, id);
  await requireOwnMember(context, ticket.publisher);
  if (ticket.refused !== undefined) throw new ProtocolError('TICKET_REFUSED', { ticket: id });
  if ((await context.state.get('receipt', id)) !== undefined) throw new ProtocolError('TICKET_CONFIRMED', { ticket: id });
  const payload = { code, ticket: id };
  const slot = ticket.slot === undefined ? [] : [remove('slot', ticket.owner, ticket.basis.digest, ticket.slot)];
  return { writes: [put('ticket', [id], { ...ticket, refused: code }), ...slot], event: { name: 'refuse', payload }, response: payload };
}

/** Puts a non-delivery on the trail, signed by the reader. @throws TICKET_UNKNOWN, STATEMENT_BAD_SIGNATURE, FORBIDDEN, TICKET_CONFIRMED */
export async function dispute(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { dispute: jws } = disputeArgumentShape.read(argument);
  const parsed = parseJws(jws, 'STATEMENT_BAD_SIGNATURE');
  const kid = checkJwsHeader(parsed, 'huilian-dispute+jwt', 'STATEMENT_BAD_SIGNATURE');
  const { reader: readerId, ticket: id } = disputeShape.read(parsed.payload);
  const ticket = await requireTicket(context, id);
  const reader = await requireOwnMember(context, readerId);
  const genuine = kid === readerId && ticket.reader === readerId && verifyEs256(reader.document.signingKey, parsed.signingInput, parsed.signature);
  if (!genuine) throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  if ((await context.state.get('receipt', id)) !== undefined) throw new ProtocolError('TICKET_CONFIRMED', { ticket: id });
  const payload = { ticket: id };
  return { writes: [put('dispute', [id], { disputedAt: context.time })], event: { name: 'dispute', payload }, response: payload };
}

/** A publisher's standing permission for its publisher-owned records. @throws FORBIDDEN, BAD_FIELD */
export async function setPolicy(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const policy = policyShape.read(argument);
  await requireOwnMember(context, policy.publisher);
  if (policy.expires <= policy.notBefore) throw new ProtocolError('BAD_FIELD', { path: '/expires', reason: 'term' });
  const digest = documentDigest(policy);
  const payload: Record<string, JsonValue> = { digest, kind: policy.kind, publisher: policy.publisher };
  return { writes: [put('policy', [policy.publisher, policy.kind, digest], { digest, policy })], event: { name: 'setPolicy', payload }, response: payload };
}
