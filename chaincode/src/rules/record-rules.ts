import {
  batchRoot,
  canonicalize,
  checkPlacedHeader,
  decodeBatchArgument,
  ProtocolError,
  readPlacedHeader,
  sameHeader,
  sealedOwner,
  type BatchArgument,
  type Header,
  type JsonObject,
  type PlacedHeader,
} from '@huilian/protocol';
import { requireCharter, requireMember, requireOwnMember } from './membership.js';
import { put, type Outcome, type RuleContext, type StateWrite } from './rule.js';

/** @throws NOT_RECORD_OWNER, BATCH_EXISTS, SCHEMA_UNKNOWN, RIGHTS_NOT_ALLOWED, VERSION_ORDER, PREVIOUS_MISMATCH, SUPERSEDE_CHANGES_OWNER, SEALED_OPENING_INVALID and what decodeBatchArgument throws */
export async function publish(context: RuleContext, argument: Uint8Array): Promise<Outcome> {
  await requireCharter(context);
  const batch = decodeBatchArgument(argument);
  const publisher = await requireMember(context, batch.publisher);
  if (publisher.document.kind !== 'centre' || publisher.document.organisation !== context.caller) {
    throw new ProtocolError('NOT_RECORD_OWNER', { publisher: batch.publisher });
  }
  const stored = await context.state.get('batch', batch.publisher, batch.seq);
  if (stored !== undefined) throw new ProtocolError('BATCH_EXISTS', { count: stored.count, root: stored.root, seq: batch.seq });
  await checkSchemas(context, batch.headers);
  const root = batchRoot(batch.headers);
  const superseding = await supersedingWrites(context, batch);
  const payload = { count: batch.headers.length, publisher: batch.publisher, root, seq: batch.seq };
  return {
    writes: [put('batch', [batch.publisher, batch.seq], { count: batch.headers.length, root }), ...superseding],
    event: { name: 'publish', payload },
    response: payload,
  };
}

/** Each kind and version named must be adopted and allow the rights class; a sealed header names none yet. */
async function checkSchemas({ state }: RuleContext, headers: readonly Header[]): Promise<void> {
  const allowed = new Map<string, readonly unknown[]>();
  for (const { kind, rights, schema } of headers) {
    if (kind === 'sealed') continue;
    const id = `${kind}/${String(schema)}`;
    let classes = allowed.get(id);
    if (classes === undefined) {
      const adopted = await state.get('schema', kind, schema);
      if (adopted === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version: schema });
      classes = (adopted.document['x-huilian'] as { rights: readonly unknown[] }).rights;
      allowed.set(id, classes);
    }
    if (!classes.includes(rights)) throw new ProtocolError('RIGHTS_NOT_ALLOWED', { kind, rights });
  }
}

async function supersedingWrites(context: RuleContext, { headers, previous, publisher, seq }: BatchArgument): Promise<StateWrite[]> {
  const writes: StateWrite[] = [];
  let next = 0;
  for (const header of headers) {
    if (header.version === 1) continue;
    const placed = previous[next] as PlacedHeader;
    next += 1;
    await checkPrevious(context, publisher, header, placed);
    writes.push(put('record', [publisher, header.localId], { batch: seq, header }));
  }
  return writes;
}

async function checkPrevious({ state }: RuleContext, publisher: string, header: Header, placed: PlacedHeader): Promise<void> {
  const before = placed.header;
  const { localId } = header;
  if (before.localId !== localId) throw new ProtocolError('PREVIOUS_MISMATCH', { localId });
  if (header.version !== before.version + 1) throw new ProtocolError('VERSION_ORDER', { localId, version: header.version });
  const batch = await state.get('batch', publisher, placed.seq);
  if (batch === undefined) throw new ProtocolError('PREVIOUS_MISMATCH', { localId, seq: placed.seq });
  checkPlacedHeader(placed, batch);
  const current = await state.get('record', publisher, localId);
  const contested = await state.get('contested', publisher, localId);
  if (current === undefined ? before.version !== 1 : before.version !== current.header.version) {
    throw new ProtocolError('VERSION_ORDER', { localId, version: header.version });
  }
  // Of two contested headers of the current version either may be followed.
  const either = contested !== undefined && contested.version >= before.version;
  if (current !== undefined && !either && !sameHeader(current.header, before)) throw new ProtocolError('PREVIOUS_MISMATCH', { localId });
  if (before.status === 'revoked') throw new ProtocolError('RECORD_REVOKED', { localId });
  if (before.kind === 'sealed' && header.kind !== 'sealed') checkOpening(header, before);
  else if (!keepsIdentity(header, before)) throw new ProtocolError('SUPERSEDE_CHANGES_OWNER', { localId });
}

/** Same kind, subject and owner; and rights `owner` never loosen, since an owner stays an owner. */
function keepsIdentity(header: Header, before: Header): boolean {
  const same = header.kind === before.kind && header.subject === before.subject && header.owner === before.owner;
  return same && header.salt === undefined;
}

function checkOpening(header: Header, before: Header): void {
  const opens = header.salt !== undefined && header.owner !== undefined && sealedOwner(header.salt, header.owner) === before.owner;
  if (!opens) throw new ProtocolError('SEALED_OPENING_INVALID', { localId: header.localId });
}

/** Two headers of one record and version with different digests: a transferable proof against the publisher. @throws NOT_CONTESTED, MERKLE_PATH_INVALID */
export async function expose(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { left, member, publisher, right, ...unknown } = argument;
  if (Object.keys(unknown).length > 0) throw new ProtocolError('UNKNOWN_FIELD', { path: '/' });
  if (typeof member !== 'string' || typeof publisher !== 'string') throw new ProtocolError('ARG_MALFORMED', { reason: 'members' });
  await requireOwnMember(context, member);
  const pair = [readPlacedHeader(left, '/left'), readPlacedHeader(right, '/right')] as const;
  for (const placed of pair) {
    const batch = await context.state.get('batch', publisher, placed.seq);
    if (batch === undefined) throw new ProtocolError('RECORD_UNKNOWN', { seq: placed.seq });
    checkPlacedHeader(placed, batch);
  }
  const [first, second] = [pair[0].header, pair[1].header];
  const contradicts = first.localId === second.localId && first.version === second.version && first.digest !== second.digest;
  if (!contradicts) throw new ProtocolError('NOT_CONTESTED');
  const before = await context.state.get('contested', publisher, first.localId);
  const version = Math.max(before?.version ?? 0, first.version);
  const payload = { kind: first.kind, localId: first.localId, publisher, version };
  return { writes: [put('contested', [publisher, first.localId], { version })], event: { name: 'expose', payload }, response: payload };
}

/** Whether a record version is blocked by exposure. */
export async function isContested({ state }: RuleContext, publisher: string, header: Header): Promise<boolean> {
  const contested = await state.get('contested', publisher, header.localId);
  return contested !== undefined && header.version <= contested.version;
}

/** Whether the header is the current version; version 1 with no record key is. */
export async function isCurrent({ state }: RuleContext, publisher: string, header: Header): Promise<boolean> {
  const current = await state.get('record', publisher, header.localId);
  return current === undefined ? header.version === 1 : canonicalize(current.header) === canonicalize(header);
}
