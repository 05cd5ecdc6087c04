import { digestShape, fromUtf8, integer, jwsShape, list, memberIdShape, object, ownerIdShape, ProtocolError, recordIdShape, releaseEnvelopeShape, text, timeShape, type Shape } from '@huilian/protocol';

/** What another centre's node answers, per exchange method: its word is checked before anything is done with it. */
export const offerAnswerShape = object({ offer: jwsShape });
export const releaseAnswerShape = releaseEnvelopeShape;
export const receiptAnswerShape = object({ digest: digestShape });

const noneOr = (shape: Shape<string>): Shape<string> => ({ schema: shape.schema, read: (value, path) => (value === '' ? '' : shape.read(value, path)) });
const refusalShape = object({
  at: timeShape,
  code: text(/[A-Z][A-Z0-9_]{2,40}/, 42),
  owner: ownerIdShape,
  previous: noneOr(digestShape),
  reader: memberIdShape,
  recordIds: list(recordIdShape, 0, 64),
  request: noneOr(digestShape),
  seq: integer(1),
});
export const refusalsAnswerShape = object({
  centre: memberIdShape,
  head: object({ digest: noneOr(digestShape), seq: integer(0) }),
  refusals: list(refusalShape, 0, 1_000_000),
});

/** @throws EXCHANGE_FAILED {centre, reason: answer} for what is no such answer */
export function readAnswer<T>(centre: string, shape: Shape<T>, bytes: Uint8Array): T {
  try {
    return shape.read(JSON.parse(fromUtf8(bytes)));
  } catch {
    throw new ProtocolError('EXCHANGE_FAILED', { centre, reason: 'answer' });
  }
}
