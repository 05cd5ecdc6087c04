import {
  checkPlacedHeader,
  decodeBatch,
  limits,
  ProtocolError,
  sameHeader,
  sealedOwner,
  type BatchArgument,
  type Header,
  type PlacedHeader,
} from '@huilian/protocol';
import { requireActiveMember, requireCharter, requireMember } from './membership.js';
import { put, type Outcome, type RuleContext, type StateWrite } from './rule.js';

/**
 * One batch of headers: one key for all of them, and one for each that supersedes or revokes. A header of version 1 needs
 * no read.
 * @throws NOT_FOUNDED, MEMBER_UNKNOWN, NOT_RECORD_OWNER, MEMBER_SUSPENDED, BATCH_EXISTS {root, count}, SCHEMA_UNKNOWN,
 * RIGHTS_NOT_ALLOWED, HEADER_INVALID, PREVIOUS_MISMATCH, MERKLE_PATH_INVALID, VERSION_ORDER, SEALED_OPENING_INVALID,
 * SUPERSEDE_CHANGES_OWNER, and what decodeBatch throws
 */
export async function publishBatch(context: RuleContext, argument: Uint8Array): Promise<Outcome> {
  await requireCharter(context);
  const { batch, root } = decodeBatch(argument);
  await checkPublisher(context, batch.publisher);
  const stored = await context.state.get('batch', batch.publisher, batch.seq);
  if (stored !== undefined) throw new ProtocolError('BATCH_EXISTS', { count: stored.count, root: stored.root, seq: batch.seq });
  await checkSchemas(context, batch.headers);
  const superseding = await supersedingWrites(context, batch);
  const payload = { count: batch.headers.length, publisher: batch.publisher, root, seq: batch.seq };
  return {
    writes: [put('batch', [batch.publisher, batch.seq], { count: batch.headers.length, root }), ...superseding],
    event: { name: 'publish', payload },
    response: payload,
  };
}

/** Only a centre runs a node that holds payloads, and only its own organisation publishes for it. */
async function checkPublisher(context: RuleContext, publisher: string): Promise<void> {
  const { document } = await requireMember(context, publisher);
  if (document.kind !== 'centre' || document.organisation !== context.caller) throw new ProtocolError('NOT_RECORD_OWNER', { publisher });
  await requireActiveMember(context, publisher);
}

interface KindRules {
  readonly rights: readonly string[];
  readonly sealed: boolean;
}

/** Each kind and version named must be adopted and allow the rights class; a sealed header names none yet. */
async function checkSchemas(context: RuleContext, headers: readonly Header[]): Promise<void> {
  const known = new Map<string, KindRules>();
  for (const { kind, localId, rights, schema, version } of headers) {
    if (kind === 'sealed') continue;
    const id = `${kind}/${String(schema)}`;
    const rules = known.get(id) ?? (await kindRules(context, kind, schema));
    known.set(id, rules);
    if (!rules.rights.includes(rights)) throw new ProtocolError('RIGHTS_NOT_ALLOWED', { kind, rights });
    // A kind that stays sealed until an event begins as `sealed`, or it was readable before its time.
    if (rules.sealed && version === 1) throw new ProtocolError('HEADER_INVALID', { localId, reason: 'kind-begins-sealed' });
  }
}

async function kindRules({ state, time }: RuleContext, kind: string, version: number): Promise<KindRules> {
  const adopted = await state.get('schema', kind, version);
  if (adopted === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version });
  // A node that took a record in before the end of a version may send it after it; but nobody takes one in before its beginning.
  if ((adopted.effective ?? 0) > time + limits.proposalWindowSeconds) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version, reason: 'not-effective' });
  // The document was read in full by kindFromDocument before it was adopted.
  return adopted.document['x-huilian'] as unknown as KindRules;
}

async function supersedingWrites(context: RuleContext, { headers, previous, publisher, seq }: BatchArgument): Promise<StateWrite[]> {
  const writes: StateWrite[] = [];
  for (const header of headers) {
    if (header.version === 1) continue;
    const placed = previous[writes.length] as PlacedHeader;
    await checkPrevious(context, publisher, header, placed);
    checkIdentity(header, placed.header);
    writes.push(put('record', [publisher, header.localId], { batch: seq, header }));
  }
  return writes;
}

/** The header before stands under its batch's root and is the current one; of two contested ones it may be either. */
async function checkPrevious({ state }: RuleContext, publisher: string, header: Header, placed: PlacedHeader): Promise<void> {
  const before = placed.header;
  const { localId, version } = header;
  if (before.localId !== localId) throw new ProtocolError('PREVIOUS_MISMATCH', { localId });
  const current = await state.get('record', publisher, localId);
  const currentVersion = current?.header.version ?? 1;
  if (version !== currentVersion + 1) throw new ProtocolError('VERSION_ORDER', { current: currentVersion, localId, version });
  const batch = await state.get('batch', publisher, placed.seq);
  if (batch === undefined) throw new ProtocolError('PREVIOUS_MISMATCH', { localId, seq: placed.seq });
  checkPlacedHeader(placed, batch);
  // Two headers of version 1 may both stand in batches; of a later version only the one that the record key holds.
  if (current !== undefined && !sameHeader(current.header, before)) throw new ProtocolError('PREVIOUS_MISMATCH', { localId });
}

/** Kind, subject and owner stay; so rights `owner` never loosen, since an owner stays an owner. */
function checkIdentity(header: Header, before: Header): void {
  if (before.kind === 'sealed' && header.kind !== 'sealed') {
    checkOpening(header, before);
    return;
  }
  if (header.salt !== undefined) throw new ProtocolError('SEALED_OPENING_INVALID', { localId: header.localId, reason: 'not-sealed' });
  const same = header.kind === before.kind && header.subject === before.subject && header.owner === before.owner;
  if (!same) throw new ProtocolError('SUPERSEDE_CHANGES_OWNER', { localId: header.localId });
}

function checkOpening({ localId, owner, salt }: Header, before: Header): void {
  const opens = salt !== undefined && owner !== undefined && sealedOwner(salt, owner) === before.owner;
  if (!opens) throw new ProtocolError('SEALED_OPENING_INVALID', { localId });
}
