import {
  charterShape,
  digestShape,
  domainShape,
  es256KeyShape,
  fromUtf8,
  grantEnvelopeShape,
  integer,
  jwsShape,
  limits,
  list,
  literal,
  object,
  optional,
  placedHeaderShape,
  ProtocolError,
  readCharter,
  readGrantEnvelope,
  readPlacedHeader,
  text,
  ticketIdShape,
  type Read,
} from '@huilian/protocol';

const bytesShape = text(/[A-Za-z0-9_-]+/, 16 * 1024 * 1024);
const endorsementShape = object({ identity: bytesShape, signature: bytesShape });
const transactionFields = { endorsements: list(endorsementShape, 1, 64), proposalResponse: bytesShape, transactionId: digestShape };
const transactionShape = object(transactionFields);
/** One committed transaction with what its endorsers signed; bytes as base64url. */
export type EndorsedTransaction = Read<typeof transactionShape>;

/** `evidence/0`, provisional (docs/protocol/evidence.md). */
export const evidenceShape = object({
  /** The transactions that published the records, one per batch. */
  batches: list(object({ ...transactionFields, seq: integer(1) }), 1, limits.requestRecords),
  charter: charterShape,
  domain: domainShape,
  format: literal('evidence/0'),
  /** Id of the transaction that completed the founding; the domain's salt follows from it. */
  founding: digestShape,
  grant: optional(grantEnvelopeShape),
  jweDigest: digestShape,
  readerKey: es256KeyShape,
  receipt: jwsShape,
  records: list(placedHeaderShape, 1, limits.requestRecords),
  /** The transaction that last wrote the owner's key before the ticket. */
  registration: optional(transactionShape),
  release: jwsShape,
  request: jwsShape,
  ticket: transactionShape,
  ticketId: ticketIdShape,
});
/** An evidence file as `readEvidence` answers it; it holds no content of records. */
export type Evidence = Read<typeof evidenceShape>;

/**
 * Reads an evidence file: its bytes or text as they lie on disk, or the parsed object. Of bytes and text only the two
 * spellings that `JSON.stringify` writes (compact, or indented by two) are taken, so that no byte is without meaning.
 * @throws EVIDENCE_MALFORMED {reason}
 */
export function readEvidence(file: unknown): Evidence {
  try {
    const evidence = evidenceShape.read(file instanceof Uint8Array || typeof file === 'string' ? parseFile(file) : file);
    readCharter(evidence.charter);
    evidence.records.forEach((placed, index) => readPlacedHeader(placed, `/records/${String(index)}`));
    if (evidence.grant !== undefined) readGrantEnvelope(evidence.grant);
    return evidence;
  } catch (error) {
    throw new ProtocolError('EVIDENCE_MALFORMED', { reason: error instanceof ProtocolError ? error.message : 'json' });
  }
}

function parseFile(file: Uint8Array | string): unknown {
  const content = typeof file === 'string' ? file : fromUtf8(file);
  const value: unknown = JSON.parse(content);
  const spelling = content.startsWith('{\n') ? JSON.stringify(value, null, 2) : JSON.stringify(value);
  if (content !== spelling && content !== `${spelling}\n`) throw new ProtocolError('CANONICAL_INVALID', { reason: 'spelling' });
  return value;
}
