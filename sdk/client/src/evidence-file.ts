import { charterShape, digestShape, domainShape, es256KeyShape, grantEnvelopeShape, integer, jwsShape, limits, list, literal, object, optional, placedHeaderShape, text, ticketIdShape, type Read } from '@huilian/protocol';

const bytesShape = text(/[A-Za-z0-9_-]+/, 16 * 1024 * 1024);
const endorsementShape = object({ identity: bytesShape, signature: bytesShape });
const transactionFields = { endorsements: list(endorsementShape, 1, 64), proposalResponse: bytesShape, transactionId: digestShape };
const transactionShape = object(transactionFields);
export type EndorsedTransaction = Read<typeof transactionShape>;

/** `evidence/0`, provisional (docs/protocol/evidence.md). */
export const evidenceShape = object({
  batches: list(object({ ...transactionFields, seq: integer(1) }), 1, limits.requestRecords),
  charter: charterShape,
  domain: domainShape,
  format: literal('evidence/0'),
  founding: digestShape,
  grant: optional(grantEnvelopeShape),
  jweDigest: digestShape,
  readerKey: es256KeyShape,
  receipt: jwsShape,
  records: list(placedHeaderShape, 1, limits.requestRecords),
  registration: optional(transactionShape),
  release: jwsShape,
  request: jwsShape,
  ticket: transactionShape,
  ticketId: ticketIdShape,
});
export type Evidence = Read<typeof evidenceShape>;

