import { limits, ownerKeyInForce, ProtocolError, readPlacedHeader, readRecordStatement, recordId, stateArgumentShape, verifyOwnerStatement, type Header, type JsonObject, type RecordStatement } from '@huilian/protocol';
import { checkPublished, checkRecord } from './check-records.js';
import { requireAnyMember, requireCharter } from './membership.js';
import { recoverPublicKey } from './owner-signatures.js';
import { put, type Outcome, type RuleContext } from './rule.js';

/**
 * The word of whom a record is about: confirmed or disputed, for a reason of the closed list, signed by its key in force and
 * brought by any member. A later one takes the place of the one before; `withdraw` takes it back, whatever became of the
 * record. Brought again, it changes nothing.
 * @throws NOT_FOUNDED, BAD_FIELD, HEADER_INVALID, FORBIDDEN, OWNER_UNKNOWN, GRANT_SUITE_UNSUPPORTED, GRANT_WRONG_DOMAIN,
 * GRANT_NONCANONICAL_SIG, STATEMENT_BAD_SIGNATURE, STATEMENT_EXPIRED, STATEMENT_OTHER_RECORD, STATEMENT_SUPERSEDED,
 * RECORD_UNKNOWN, MERKLE_PATH_INVALID, RECORD_SEALED, RECORD_CONTESTED, RECORD_REVOKED, RECORD_STALE
 */
export async function stateOnRecord(context: RuleContext, argument: JsonObject): Promise<Outcome> {
  const { domain } = await requireCharter(context);
  const { envelope: given, placed } = stateArgumentShape.read(argument);
  const envelope = readRecordStatement(given, '/envelope');
  readPlacedHeader(placed, '/placed');
  await requireAnyMember(context);
  const { signature, statement } = envelope;
  const owner = await context.state.get('owner', statement.owner);
  if (owner === undefined) throw new ProtocolError('OWNER_UNKNOWN');
  const signer = verifyOwnerStatement(envelope, 'RecordStatement', statement, domain, recoverPublicKey);
  if (signer !== ownerKeyInForce(owner, context.time)) throw new ProtocolError('STATEMENT_BAD_SIGNATURE');
  const { localId, version } = placed.header;
  const [publisher = ''] = statement.record.split('/');
  checkSpokenOf(statement, publisher, placed.header);
  const parts = [publisher, localId, version, statement.owner];
  const before = await context.state.get('statement', ...parts);
  const payload = { owner: statement.owner, record: statement.record, verdict: statement.verdict, version };
  if (before !== undefined && isSame(before.statement, statement)) return { writes: [], response: payload };
  checkIssued(statement, context.time, before?.statement);
  if (statement.verdict === 'withdraw') await checkPublished(context, publisher, placed);
  else await checkRecord(context, publisher, placed);
  return { writes: [put('statement', parts, { signature, statedAt: context.time, statement })], event: { name: 'state', payload }, response: payload };
}

/** The header is that of the record and version named, and the record is about whoever signs. @throws STATEMENT_OTHER_RECORD {reason} */
function checkSpokenOf({ digest, owner, record, version }: RecordStatement, publisher: string, header: Header): void {
  const named = record === recordId(publisher, header.kind, header.localId) && version === header.version && digest === `0x${header.digest}`;
  if (!named) throw new ProtocolError('STATEMENT_OTHER_RECORD', { record, reason: 'header' });
  // Of a record that has an owner only the owner speaks, so that one version has one such word.
  if ((header.owner ?? header.subject) !== owner) throw new ProtocolError('STATEMENT_OTHER_RECORD', { record, reason: 'owner' });
}

/** One that waited for more than a day, or that an owner signed before another that already stands, changes nothing any more. */
function checkIssued({ issuedAt, record, verdict }: RecordStatement, time: number, before: RecordStatement | undefined): void {
  const age = time - issuedAt;
  if (age > limits.statementTermSeconds || age < -limits.proposalWindowSeconds) throw new ProtocolError('STATEMENT_EXPIRED', { issuedAt });
  if (before !== undefined && before.issuedAt >= issuedAt) throw new ProtocolError('STATEMENT_SUPERSEDED', { issuedAt: before.issuedAt, record });
  if (before === undefined && verdict === 'withdraw') throw new ProtocolError('STATEMENT_OTHER_RECORD', { record, reason: 'nothing-stated' });
}

function isSame(before: RecordStatement, statement: RecordStatement): boolean {
  return before.issuedAt === statement.issuedAt && before.verdict === statement.verdict && before.reason === statement.reason && before.claims.join() === statement.claims.join();
}
