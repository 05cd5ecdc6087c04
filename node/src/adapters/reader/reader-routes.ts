import { integer, parseRecordId, recordId, ticketIdShape, type ErrorCode, type JsonObject, type Shape } from '@huilian/protocol';
import type { ReaderDesk } from './reader-desk.js';
import { askBodyShape, prefillBodyShape, readBodyShape, ticketBodyShape, verifyBodyShape } from './reader-shapes.js';

interface ReaderCall {
  readonly parameters: Readonly<Record<string, string>>;
  /** Only names that the route declares. */
  readonly query: Readonly<Record<string, string>>;
  /** Undefined where none came. */
  readonly body: unknown;
}

/** A route of the sidecar: what the server serves and what openapi.json says are the same table. */
export interface ReaderRoute {
  readonly method: 'GET' | 'POST';
  /** `{name}` stands for one segment. */
  readonly path: string;
  readonly id: string;
  readonly zh: string;
  readonly en: string;
  readonly body?: Shape<unknown>;
  /** The body may be left out. */
  readonly bodyOptional?: boolean;
  readonly query?: Readonly<Record<string, JsonObject>>;
  readonly answer: JsonObject;
  /** Refusals of its own, beside those of every route. */
  readonly codes: readonly ErrorCode[];
  serve(desk: ReaderDesk, call: ReaderCall): Promise<unknown>;
}

const word: JsonObject = { type: 'string' };
const seconds: JsonObject = { type: 'integer', description: 'Unix seconds' };
const digest: JsonObject = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const open: JsonObject = { type: 'object' };
const record = (required: readonly string[], properties: JsonObject): JsonObject => ({ type: 'object', required, properties });
const itemsOf = (items: JsonObject): JsonObject => ({ type: 'array', items });
const readRecord = record(['recordId', 'version', 'claims', 'presentation'], { recordId: word, version: { type: 'integer' }, claims: open, presentation: word });
const receipt = record(['digest'], { digest });
const askAnswer = record(['ask', 'status'], { ask: open, status: { enum: ['waiting', 'granted', 'expired'] }, grant: open, referenceSalt: { type: 'string', pattern: '^[0-9a-f]{32}$' } });
const foundRecord = record(['recordId', 'header', 'contested', 'publishedAt'], { recordId: word, header: open, contested: { type: 'boolean' }, publishedAt: seconds });
const check = record(['id', 'zh', 'en', 'result'], { id: word, zh: word, en: word, result: { enum: ['holds', 'fails', 'not-provable-yet'] }, why: word });
const ticketCodes: readonly ErrorCode[] = ['TICKET_UNKNOWN', 'TICKET_OTHER_READER', 'TICKET_ENDED', 'PUBLISHER_UNAVAILABLE'];
const contentCodes: readonly ErrorCode[] = ['RELEASE_BAD_SIGNATURE', 'RELEASE_HASH_MISMATCH', 'PAYLOAD_DECRYPT_FAILED', 'PAYLOAD_DIGEST_MISMATCH', 'PAYLOAD_BAD_SIGNATURE', 'DISCLOSURE_INVALID'];
const queryFields = ['cursor', 'kind', 'limit', 'owner', 'publisher', 'status', 'subject'] as const;
const longestWaitSeconds = 60;

export const readerRoutes: readonly ReaderRoute[] = [
  {
    method: 'GET', path: '/v1/status', id: 'status', zh: '读取方、节点与联盟', en: 'reader, node and consortium; asks the node anew',
    answer: record(['reader', 'node', 'fingerprint', 'height'], { reader: word, node: word, fingerprint: digest, height: { type: 'integer' } }),
    codes: ['EXCHANGE_FAILED', 'CHARTER_MISMATCH'],
    serve: async (desk) => await desk.status(),
  },
  {
    method: 'GET', path: '/v1/records', id: 'findRecords', zh: '查询记录头', en: 'find records by their headers; no content',
    query: Object.fromEntries(queryFields.map((name) => [name, name === 'limit' ? { type: 'integer', minimum: 1, maximum: 500 } : word])),
    answer: record(['items'], { items: itemsOf(foundRecord), cursor: word }),
    codes: ['BAD_FIELD', 'UNKNOWN_FIELD', 'BAD_ID'],
    serve: async (desk, { query }) => await desk.records(readFilter(query)),
  },
  {
    method: 'GET', path: '/v1/records/{publisher}/{kind}/{localId}/public', id: 'readPublicRecord', zh: '读取公开记录', en: 'read a public record, verified; no grant, no ticket',
    answer: readRecord,
    codes: ['RECORD_UNKNOWN', 'GRANT_REQUIRED', 'RECORD_REVOKED', 'RECORD_CONTESTED', 'PUBLISHER_UNAVAILABLE', ...contentCodes],
    serve: async (desk, { parameters }) => await desk.publicRecord(recordOf(parameters)),
  },
  {
    method: 'POST', path: '/v1/asks', id: 'ask', zh: '向权属人提出授权请求', en: 'ask an owner for a grant; pass the id of the ask on to the owner',
    body: askBodyShape, answer: askAnswer, codes: ['BAD_FIELD', 'UNKNOWN_FIELD', 'PURPOSE_UNKNOWN'],
    serve: async (desk, { body }) => await desk.ask(askBodyShape.read(body)),
  },
  {
    method: 'GET', path: '/v1/asks/{id}', id: 'findAsk', zh: '查询答复', en: 'has the owner answered? `wait` holds the answer back until it has',
    query: { wait: { type: 'integer', minimum: 0, maximum: longestWaitSeconds, default: 0, description: 'seconds' } },
    answer: askAnswer, codes: ['NOT_FOUND', 'GRANT_BAD_SIGNATURE', 'OWNER_UNKNOWN', 'BAD_FIELD'],
    serve: async (desk, { parameters, query }) => await desk.findAsk(parameters['id'] ?? '', integer(0, longestWaitSeconds).read(Number(query['wait'] ?? 0), '/wait')),
  },
  {
    method: 'POST', path: '/v1/tickets', id: 'openTicket', zh: '打开访问凭证', en: 'open a ticket: one publisher, one owner; spends one use of the grant',
    body: ticketBodyShape, answer: record(['ticket', 'state'], { ticket: word, state: open }),
    codes: ['GRANT_REQUIRED', 'GRANT_NOT_OWNER', 'GRANT_EXPIRED', 'GRANT_NOT_YET_VALID', 'GRANT_EXHAUSTED', 'GRANT_REVOKED', 'GRANT_WRONG_GRANTEE', 'GRANT_WRONG_PURPOSE', 'GRANT_CLAIM_NOT_COVERED', 'GRANT_BAD_SIGNATURE', 'GRANT_WRONG_DOMAIN', 'RECORD_UNKNOWN', 'RECORD_REVOKED', 'RECORD_CONTESTED', 'RECORD_STALE', 'REQUEST_MIXED', 'PUBLISHER_UNAVAILABLE', 'LEDGER_CONFLICT', 'LEDGER_UNAVAILABLE'],
    serve: async (desk, { body }) => await desk.open(ticketBodyShape.read(body)),
  },
  {
    method: 'POST', path: '/v1/tickets/{transaction}/{index}/read', id: 'readTicket', zh: '解密并核验', en: 'decrypt and verify the release; its receipt leaves with it unless `receipt` is false',
    body: readBodyShape, bodyOptional: true,
    answer: record(['ticket', 'records'], { ticket: word, records: itemsOf(readRecord), receipt: { anyOf: [receipt, record(['error'], { error: open })] } }),
    codes: [...ticketCodes, ...contentCodes],
    serve: async (desk, { body, parameters }) => await desk.read(ticketOf(parameters), readBodyShape.read(body ?? {})),
  },
  {
    method: 'POST', path: '/v1/prefills', id: 'prefill', zh: '按字段映射预填表单并报告复用情况', en: 'read tickets and fill a form by its field map, with a report of the reuse',
    body: prefillBodyShape,
    answer: record(['form', 'fields', 'tables', 'report'], { form: word, fields: open, tables: open, report: record(['total', 'filled', 'byCentre', 'byKind', 'missing', 'choices', 'disputed'], { total: { type: 'integer' }, filled: { type: 'integer' }, byCentre: open, byKind: open, missing: itemsOf(open), choices: itemsOf(open), disputed: itemsOf(word) }) }),
    codes: ['BAD_FIELD', 'UNKNOWN_FIELD', ...ticketCodes, ...contentCodes],
    serve: async (desk, { body }) => await desk.prefill(prefillBodyShape.read(body)),
  },
  {
    method: 'POST', path: '/v1/tickets/{transaction}/{index}/receipt', id: 'sendReceipt', zh: '发送回执', en: 'send the receipt of a ticket; the release is verified first',
    answer: receipt, codes: [...ticketCodes, ...contentCodes],
    serve: async (desk, { parameters }) => await desk.receipt(ticketOf(parameters)),
  },
  {
    method: 'GET', path: '/v1/tickets/{transaction}/{index}/release', id: 'fetchRelease', zh: '取得密文与证明', en: 'the encrypted release with its Merkle proofs, for a reader that decrypts by itself',
    answer: record(['ticket', 'state', 'release', 'publisherKey', 'proofs'], { ticket: word, state: open, release: open, publisherKey: open, proofs: itemsOf(open) }),
    codes: ticketCodes,
    serve: async (desk, { parameters }) => await desk.release(ticketOf(parameters)),
  },
  {
    method: 'GET', path: '/v1/tickets/{transaction}/{index}/evidence', id: 'fetchEvidence', zh: '导出证据包', en: 'the evidence of an access, once its receipt was sent',
    answer: open, codes: ['TICKET_UNKNOWN', 'TICKET_OTHER_READER', 'NOT_FOUND'],
    serve: async (desk, { parameters }) => await desk.evidence(ticketOf(parameters)),
  },
  {
    method: 'POST', path: '/v1/evidence/verify', id: 'verifyEvidence', zh: '离线验证证据包', en: 'verify an evidence file offline; `ok` false is an answer, not an error',
    body: verifyBodyShape,
    answer: record(['ok', 'checks', 'ticket', 'reader', 'owner', 'publisher', 'purpose', 'recordIds', 'claims', 'openedAt'], { ok: { type: 'boolean' }, checks: itemsOf(check), ticket: word, reader: word, owner: word, publisher: word, purpose: word, recordIds: itemsOf(word), claims: itemsOf(word), openedAt: seconds }),
    codes: ['EVIDENCE_MALFORMED'],
    serve: async (desk, { body }) => await desk.verify(verifyBodyShape.read(body)),
  },
];

function ticketOf({ index = '', transaction = '' }: ReaderCall['parameters']): string {
  return ticketIdShape.read(`${transaction}/${index}`, '/ticket');
}

function recordOf({ kind = '', localId = '', publisher = '' }: ReaderCall['parameters']): string {
  const id = recordId(publisher, kind, localId);
  parseRecordId(id);
  return id;
}

/** What a filter means is the node's to say. */
function readFilter({ limit, ...rest }: ReaderCall['query']): Parameters<ReaderDesk['records']>[0] {
  return { ...rest, ...(limit === undefined ? {} : { limit: integer(1, 500).read(Number(limit), '/limit') }) } as Parameters<ReaderDesk['records']>[0];
}
