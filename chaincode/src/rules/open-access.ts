import {
  checkEncryptionKey,
  isJsonObject,
  jwkThumbprint,
  limits,
  openEntryShape,
  ProtocolError,
  readGrantEnvelope,
  readRequest,
  recordId,
  verifyOffer,
  verifyRequest,
  type JsonObject,
  type JsonValue,
  type LedgerState,
  type MemberState,
  type OpenEntry,
  type OpenResult,
  type SignedRequest,
  type Ticket,
} from '@huilian/protocol';
import { checkRecords } from './check-records.js';
import { permissionByGrant, type Permission } from './grant-permission.js';
import { requireActiveMember, requireCharter, requireReader } from './membership.js';
import { permissionByPolicy } from './policy-permission.js';
import { put, type Outcome, type RuleContext, type StateWrite } from './rule.js';

/** What a pack has decided so far: state shows no own writes, so slots and request ids are kept apart here. */
interface Pack {
  readonly charter: LedgerState['charter'];
  readonly requests: Map<string, { readonly digest: string; readonly ticket: string }>;
  readonly slots: Set<string>;
}

interface Decision {
  readonly ticket: string;
  readonly writes: readonly StateWrite[];
}

/**
 * Decides 1 to 256 requests of readers that the calling organisation is or hosts, each by itself: per entry a ticket, or a
 * coded refusal that writes nothing. The response is an array in the order of the entries.
 * @throws NOT_FOUNDED, BAD_FIELD, UNKNOWN_FIELD: what breaks the pack as a whole
 */
export async function openAccess(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const charter = await requireCharter(context);
  const entries = readEntries(argument);
  const pack: Pack = { charter, requests: new Map(), slots: new Set() };
  const writes: StateWrite[] = [];
  const tickets: string[] = [];
  const response: JsonObject[] = [];
  for (const [index, entry] of entries.entries()) {
    const ticket = `${context.transactionId}/${String(index)}`;
    const decided = await decideOrRefuse(context, pack, entry, ticket);
    response.push({ ...decided.result });
    writes.push(...decided.writes);
    // A request brought again is answered with its ticket and opens nothing.
    if (decided.writes.length > 0) tickets.push(ticket);
  }
  return { writes, ...(tickets.length === 0 ? {} : { event: { name: 'open', payload: { tickets } } as const }), response };
}

/** The pack's outer form only: a malformed entry is refused by itself and spoils no other. */
function readEntries(argument: JsonObject): readonly JsonValue[] {
  const { entries, ...unknown } = argument;
  if (Object.keys(unknown).length > 0) throw new ProtocolError('UNKNOWN_FIELD', { path: '/' });
  const fits = Array.isArray(entries) && entries.length >= 1 && entries.length <= limits.openRequests;
  if (!fits) throw new ProtocolError('BAD_FIELD', { path: '/entries', reason: 'length' });
  return entries as readonly JsonValue[];
}

async function decideOrRefuse(context: RuleContext, pack: Pack, value: JsonValue, ticket: string): Promise<{ result: OpenResult; writes: readonly StateWrite[] }> {
  try {
    const decision = await decide(context, pack, readEntry(value), ticket);
    return { result: { ticket: decision.ticket }, writes: decision.writes };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { result: refusal(error), writes: [] };
  }
}

const mostDetails = 400;

function refusal({ code, details }: ProtocolError): OpenResult {
  const text = JSON.stringify(details);
  return text === '{}' || text.length > mostDetails ? { code } : { code, details: text };
}

function readEntry(value: JsonValue): OpenEntry {
  const entry = openEntryShape.read(isJsonObject(value) ? value : undefined);
  if (entry.grant !== undefined) readGrantEnvelope(entry.grant, '/grant');
  return entry;
}

async function decide(context: RuleContext, pack: Pack, entry: OpenEntry, ticketId: string): Promise<Decision> {
  const signed = readRequest(entry.request);
  const { request } = signed;
  const reader = await requireReader(context, request.reader);
  verifyRequest(signed, reader.document.signingKey);
  if (request.salt !== pack.charter.domain.salt) throw new ProtocolError('REQUEST_WRONG_DOMAIN');
  const before = await decidedBefore(context, pack, signed);
  if (before !== undefined) return { ticket: before, writes: [] };
  checkFreshness(context, signed, reader);
  await checkOffer(context, pack, entry, signed);
  await checkRecords(context, request);
  const permission = await permit(context, pack, entry, signed, reader);
  const ticket = ticketOf(context, pack, signed, reader, permission);
  // Only what is fully decided takes its slot and its id from the rest of the pack.
  pack.requests.set(requestKey(signed), { digest: signed.digest, ticket: ticketId });
  if (permission.slot !== undefined) pack.slots.add(permission.slot.id);
  return {
    ticket: ticketId,
    writes: [
      put('ticket', [ticketId], ticket),
      put('request', [request.reader, request.requestId], { digest: signed.digest, ticket: ticketId }),
      ...(permission.slot === undefined ? [] : [put('slot', permission.slot.parts, { ticket: ticketId })]),
    ],
  };
}

function requestKey({ request }: SignedRequest): string {
  return `${request.reader}/${request.requestId}`;
}

/** The ticket of the same request, decided earlier or in this pack. @throws REQUEST_ID_REUSED for another body under its id */
async function decidedBefore({ state }: RuleContext, pack: Pack, signed: SignedRequest): Promise<string | undefined> {
  const { reader, requestId } = signed.request;
  const before = (await state.get('request', reader, requestId)) ?? pack.requests.get(requestKey(signed));
  if (before !== undefined && before.digest !== signed.digest) throw new ProtocolError('REQUEST_ID_REUSED', { requestId });
  return before?.ticket;
}

/** Not older than 5 minutes (a clock that runs ahead is given what endorsers give), and to the right key. */
function checkFreshness({ time }: RuleContext, { request }: SignedRequest, { document }: MemberState): void {
  const age = time - request.issuedAt;
  if (age > limits.requestAgeSeconds || age < -limits.proposalWindowSeconds) throw new ProtocolError('REQUEST_EXPIRED', { age });
  checkEncryptionKey(request, document.encryptionKey);
}

function charterValues({ charter }: Pack): { readonly offerSeconds: number; readonly ticketSeconds: number } {
  return charter.document['values'] as { offerSeconds: number; ticketSeconds: number };
}

async function checkOffer(context: RuleContext, pack: Pack, entry: OpenEntry, signed: SignedRequest): Promise<void> {
  const { document } = await requireActiveMember(context, signed.request.publisher);
  const { expires } = verifyOffer(entry.offer, signed, document.signingKey);
  if (expires < context.time) throw new ProtocolError('OFFER_EXPIRED', { expires });
  const latest = context.time + charterValues(pack).offerSeconds + limits.proposalWindowSeconds;
  if (expires > latest) throw new ProtocolError('OFFER_MISMATCH', { reason: 'term' });
}

async function permit(context: RuleContext, pack: Pack, { grant, slot }: OpenEntry, { request }: SignedRequest, reader: MemberState): Promise<Permission> {
  const owner = request.headers[0]?.header.owner;
  if (owner === undefined && request.recipient === undefined) return await permissionByPolicy(context, request, reader);
  if (owner === undefined) throw new ProtocolError('GRANT_REQUIRED', { reason: 'own-copy' });
  if (grant === undefined || request.basis.kind !== 'grant') throw new ProtocolError('GRANT_REQUIRED');
  return await permissionByGrant(context, pack.charter.domain, { envelope: grant, owner, proposedSlot: slot, request, takenSlots: pack.slots });
}

function ticketOf(context: RuleContext, pack: Pack, { digest, request }: SignedRequest, reader: MemberState, permission: Permission): Ticket {
  return {
    basis: request.basis,
    claims: request.claims,
    encryptionKey: request.encryptionKey,
    expires: Math.min(context.time + charterValues(pack).ticketSeconds, permission.ends),
    openedAt: context.time,
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
    ...(permission.slot === undefined ? {} : { slot: permission.slot.number }),
  };
}
