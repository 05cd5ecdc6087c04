import { checkPlacedHeader, ProtocolError, recordId, type AccessRequest, type PlacedHeader } from '@huilian/protocol';
import type { RuleContext } from './rule.js';

/**
 * Every record a request names: under its batch's root, opened, not contested, current, not revoked. The keys that would
 * say otherwise are read where they are absent too, so that a racing change conflicts.
 * @throws RECORD_UNKNOWN, MERKLE_PATH_INVALID, RECORD_SEALED, RECORD_CONTESTED, RECORD_REVOKED, RECORD_STALE
 */
export async function checkRecords(context: RuleContext, { headers, publisher }: AccessRequest): Promise<void> {
  for (const placed of headers) await checkRecord(context, publisher, placed);
}

/** One header of a publisher under its batch's root, whatever became of the record since. @throws RECORD_UNKNOWN, MERKLE_PATH_INVALID, RECORD_SEALED */
export async function checkPublished({ state }: RuleContext, publisher: string, placed: PlacedHeader): Promise<void> {
  const { kind, localId } = placed.header;
  const record = recordId(publisher, kind, localId);
  const batch = await state.get('batch', publisher, placed.seq);
  if (batch === undefined) throw new ProtocolError('RECORD_UNKNOWN', { record });
  checkPlacedHeader(placed, batch);
  if (kind === 'sealed') throw new ProtocolError('RECORD_SEALED', { record });
}

/** The same, and it may be relied on now: not contested, current, not revoked. @throws as checkRecords */
export async function checkRecord(context: RuleContext, publisher: string, placed: PlacedHeader): Promise<void> {
  await checkPublished(context, publisher, placed);
  const { state } = context;
  const { kind, localId, version } = placed.header;
  const record = recordId(publisher, kind, localId);
  const contested = await state.get('contested', publisher, localId);
  const current = await state.get('record', publisher, localId);
  if (contested !== undefined && version <= contested.version) throw new ProtocolError('RECORD_CONTESTED', { record, version });
  if (current?.header.status === 'revoked') throw new ProtocolError('RECORD_REVOKED', { record });
  const currentVersion = current?.header.version ?? 1;
  if (version !== currentVersion) throw new ProtocolError('RECORD_STALE', { current: currentVersion, record, version });
}
