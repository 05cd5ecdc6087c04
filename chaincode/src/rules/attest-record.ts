import { attestArgumentShape, canonicalize, ProtocolError, readPlacedHeader, recordId, type Attestation, type Header, type JsonObject } from '@huilian/protocol';
import { checkPublished, checkRecord } from './check-records.js';
import { requireCallingCentre, requireCharter } from './membership.js';
import { put, type Outcome, type RuleContext } from './rule.js';

/**
 * A centre's word on another centre's record: what it held the current version against, and what that came to. A later word
 * of the same centre takes the place of the one before; `withdrawn` takes it back, whatever became of the record. Brought
 * again, it changes nothing.
 * @throws NOT_FOUNDED, BAD_FIELD, HEADER_INVALID, NOT_A_CENTRE, FORBIDDEN {reason: own-record}, ATTESTATION_UNKNOWN,
 * RECORD_UNKNOWN, MERKLE_PATH_INVALID, RECORD_SEALED, RECORD_CONTESTED, RECORD_REVOKED, RECORD_STALE
 */
export async function attestRecord(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  await requireCharter(context);
  const { compared, outcome, placed, publisher } = attestArgumentShape.read(argument);
  readPlacedHeader(placed, '/placed');
  if ((compared.length === 0) !== (outcome === 'withdrawn')) throw new ProtocolError('BAD_FIELD', { path: '/compared', reason: 'outcome' });
  const attester = (await requireCallingCentre(context)).document.id;
  if (attester === publisher) throw new ProtocolError('FORBIDDEN', { reason: 'own-record' });
  const { digest, kind, localId, version } = placed.header;
  const record = recordId(publisher, kind, localId);
  const before = await context.state.get('attestation', publisher, localId, version, attester);
  if (outcome === 'withdrawn') {
    await checkPublished(context, publisher, placed);
    if (before === undefined) throw new ProtocolError('ATTESTATION_UNKNOWN', { record, version });
  } else await checkRecord(context, publisher, placed);
  const payload = { attester, outcome, record, version };
  if (before?.outcome === outcome && canonicalize(before.compared) === canonicalize(compared)) return { writes: [], response: payload };
  const attestation: Attestation = { attestedAt: context.time, attester, compared, digest, outcome, party: partyOf(placed.header), recordId: record, version };
  return { writes: [put('attestation', [publisher, localId, version, attester], attestation)], event: { name: 'attest', payload }, response: payload };
}

/** Whom the record is about, for its trail. */
function partyOf({ owner, subject }: Header): string {
  return owner ?? subject;
}
