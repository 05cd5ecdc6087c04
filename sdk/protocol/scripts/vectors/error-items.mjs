// How a refusal is found in the words of a ledger that carries it.
import { accepts, refuses } from './second-source.mjs';

const found = { code: 'RECORD_UNKNOWN', details: { recordId: 'guangzhou/entity/aaaa' }, http: 404, stage: 'ledger' };
const text = 'RECORD_UNKNOWN {"recordId":"guangzhou/entity/aaaa"}';

/** @type {import('./second-source.mjs').Item} */
export const errorsItem = {
  item: 'errors',
  about: 'Text that carries a refusal of stage ledger or protocol: code, details, HTTP status and stage. Where none is found a node says LEDGER_UNAVAILABLE. Invented ids',
  valid: [
    accepts('alone', text, found),
    accepts('in a chaincode response', `chaincode response 500, ${text}`, found),
    accepts('behind a gRPC status that looks like a code', `13 INTERNAL: NOT_FOUND: ${text}`, found),
    accepts('between other words', `peer0.example.invalid:7051: transaction returned with failure: Error: ${text}\n`, found),
    accepts('the first of two', `${text} GRANT_EXPIRED`, found),
    accepts('without details', 'Error: GRANT_EXPIRED', { code: 'GRANT_EXPIRED', details: {}, http: 403, stage: 'ledger' }),
    accepts('numbers and booleans', 'BATCH_TOO_MANY {"count":5001,"most":5000,"resend":false}', { code: 'BATCH_TOO_MANY', details: { count: 5001, most: 5000, resend: false }, http: 413, stage: 'protocol' }),
    accepts('details that are no flat object', 'BAD_FIELD {"path":{"deep":1}}', { code: 'BAD_FIELD', details: {}, http: 400, stage: 'protocol' }),
    accepts('details that are no JSON', 'BAD_FIELD {path}', { code: 'BAD_FIELD', details: {}, http: 400, stage: 'protocol' }),
    accepts('a detail with a strange name', 'BAD_FIELD {"__proto__":1}', { code: 'BAD_FIELD', details: {}, http: 400, stage: 'protocol' }),
  ],
  invalid: [
    '', 'failed', '14 UNAVAILABLE: No connection established', '13 INTERNAL: stream reset', '5 NOT_FOUND: no such channel', 'MVCC_READ_CONFLICT', 'record_unknown', 'RECORD UNKNOWN',
    'XRECORD_UNKNOWN', 'RECORD_UNKNOWNS', 'RECORD_UNKNOWN_', 'STORAGE_FAILED', 'constructor __proto__ CONSTRUCTOR',
  ].map((message) => refuses(message === '' ? 'nothing' : message, message, 'LEDGER_UNAVAILABLE')),
};
