import { anyObject, boolean, charterShape, dayShape, digestShape, domainShape, eventFilterShape, grantEnvelopeShape, headerShape, integer, jwsShape, list, mappingNameShape, mappingShape, memberDocumentShape, memberIdShape, object, oneOf, optional, ownerIdShape, ownerKeyShape, placedHeaderShape, positionShape, prose, recordIdShape, rejectionReasonShape, releaseEnvelopeShape, requestBasisShape, retirable, text, ticketIdShape, ticketShape, timeShape, es256KeyShape, type JsonObject, type Shape } from '@huilian/protocol';
import { anyAccountNameShape, staffRoleShape } from '../../core/accounts/account.js';
import { dayStates } from '../../core/completeness/completeness-report.js';
import { acts } from '../../core/audit-log/acts.js';
import { callerKinds } from './route-callers.js';

/** What the routes answer, as JSON Schema, from the protocol's own shapes. Tests hold real answers against these. */

const codeShape = text(/[A-Z][A-Z0-9_]{2,40}/, 42);
export const anyText: Shape<string> = text(/[^]*/, 4_194_304);
const words = object({ en: anyText, zh: anyText });
/** Opaque: what it holds and how may change. */
export const cursorShape: Shape<string> = text(/[A-Za-z0-9_-]{16,400}/, 400);
/** A page of a list: the most items, and where the page before ended. */
export const pageQuery = { cursor: optional(cursorShape), limit: optional(integer(1, 500)) };

/** Objects whose further fields a client passes over: they may come without a new version of the API. */
export function open(required: Readonly<Record<string, JsonObject>>, further: Readonly<Record<string, JsonObject>> = {}): JsonObject {
  return { type: 'object', required: Object.keys(required), properties: { ...required, ...further } };
}

function page(item: JsonObject): JsonObject {
  return open({ items: { type: 'array', items: item } }, { cursor: cursorShape.schema });
}

export const errorSchema: JsonObject = open({ code: codeShape.schema, stage: { enum: ['protocol', 'ledger', 'node', 'client'] }, message: words.schema, next: words.schema, details: { type: 'object' } }, { help: { type: 'string' } });
export const anyAnswer: JsonObject = anyObject().schema;
export const textAnswer: JsonObject = { type: 'string' };

const memberSchema = object({ admittedAt: timeShape, caCertificate: optional(anyText), document: memberDocumentShape, sequence: integer(1), status: oneOf('active', 'suspended') }).schema;
const recordSchema = object({ contested: boolean(), header: headerShape, index: integer(0), publishedAt: timeShape, recordId: recordIdShape, seq: integer(1), versions: integer(1) }).schema;
const batchSchema = object({ block: integer(0), count: integer(1), root: digestShape, time: timeShape, transactionId: digestShape }).schema;
const recoverySchema = object({ approvals: list(memberIdShape, 0, 64), ca: digestShape, certificate: digestShape, effectiveAt: integer(0), key: ownerKeyShape });
const findingSchema: JsonObject = open({ check: anyText.schema, level: { enum: ['fail', 'ok', 'warn'] }, en: anyText.schema, zh: anyText.schema }, { next: words.schema });

const peerSchema: JsonObject = open({ centre: memberIdShape.schema, reachable: boolean().schema }, { code: codeShape.schema, height: integer(-1).schema, ahead: { type: 'number' } });
const daySchema = object({ day: text(/\d{4}-\d{2}-\d{2}/, 10), publishedElsewhere: integer(0), publishedHere: integer(0), readElsewhere: integer(0), readHere: integer(0) }).schema;
const failingSchema: JsonObject = open({ since: timeShape.schema, attempts: integer(1).schema, at: timeShape.schema, code: codeShape.schema, reason: anyText.schema }, { status: integer(100, 599).schema });
const webhookView: Readonly<Record<string, JsonObject>> = {
  id: text(/[a-z2-7]{26}/, 26).schema, subscriber: { type: 'object' }, url: anyText.schema, filter: eventFilterShape.schema, batch: boolean().schema, createdAt: timeShape.schema,
  state: { enum: ['active', 'failing', 'paused'] }, position: positionShape.schema,
};
const webhookMore: Readonly<Record<string, JsonObject>> = { deliveredAt: timeShape.schema, failing: failingSchema, paused: open({ at: timeShape.schema, code: codeShape.schema, reason: anyText.schema }) };
const secretSchema = text(/[A-Za-z0-9_+/=-]{16,200}/, 200).schema;
const eventSchema = open({ specversion: { const: '1.0' }, id: anyText.schema, source: anyText.schema, type: anyText.schema, time: anyText.schema, subject: anyText.schema, datacontenttype: { const: 'application/json' }, data: open({ block: integer(0).schema, transactionId: digestShape.schema }) });

const sessionView: Readonly<Record<string, JsonObject>> = { account: anyText.schema, role: staffRoleShape.schema, source: { enum: ['directory', 'local', 'machine'] } };
const sessionTimes: Readonly<Record<string, JsonObject>> = { began: timeShape.schema, used: timeShape.schema, ends: timeShape.schema, idleEnds: timeShape.schema };
const accountSchema: JsonObject = open(
  { name: anyAccountNameShape.schema, role: staffRoleShape.schema, source: { enum: ['directory', 'local'] }, disabled: boolean().schema, createdAt: timeShape.schema, failures: integer(0).schema, lockedUntil: integer(0).schema },
  { passwordAt: timeShape.schema, signedInAt: timeShape.schema },
);

const auditEntrySchema: JsonObject = open(
  { act: oneOf(...acts).schema, at: timeShape.schema, outcome: text(/begun|done|[A-Z][A-Z0-9_]{2,40}/, 42).schema, previous: text(/(?:[0-9a-f]{64})?/, 64).schema, role: anyText.schema, seq: integer(1).schema, who: anyText.schema },
  { object: anyText.schema, of: integer(1).schema },
);

const keptBackup = object({ name: text(/[a-z0-9-]+-\d{8}T\d{9}Z\.backup/, 80), bytes: integer(1), at: timeShape }).schema;

const suggestionSchema: JsonObject = open({ zh: anyText.schema, en: anyText.schema }, { value: anyText.schema, mapping: { type: 'object' } });
const problemView: JsonObject = open({ path: anyText.schema, code: anyText.schema, zh: anyText.schema, en: anyText.schema, suggestion: suggestionSchema }, { columns: { type: 'array', items: anyText.schema } });
const letterView: Readonly<Record<string, JsonObject>> = { id: text(/\d{14}/, 14).schema, at: timeShape.schema, code: codeShape.schema, problems: { type: 'array', items: problemView } };
const letterMore: Readonly<Record<string, JsonObject>> = { file: anyText.schema, line: integer(1).schema, run: anyText.schema, kind: anyText.schema, mapping: anyText.schema, recordId: recordIdShape.schema, version: integer(1).schema, kept: boolean().schema };
const stateSchema: JsonObject = { enum: ['coming', 'in-force', 'retired'] };
const datesMore: Readonly<Record<string, JsonObject>> = { effective: timeShape.schema, retires: timeShape.schema };
const versionView: Readonly<Record<string, JsonObject>> = { version: integer(1).schema, digest: digestShape.schema, proposal: digestShape.schema, state: stateSchema };
const adoptedVersions: JsonObject = { type: 'array', items: open(versionView, datesMore) };
const documentView: JsonObject = open({ name: anyText.schema, versions: adoptedVersions }, { title: words.schema, inForce: integer(1).schema, codes: integer(0).schema });

const joinSchema: JsonObject = open({ id: digestShape.schema, centre: memberIdShape.schema, document: memberDocumentShape.schema, askedAt: timeShape.schema, status: { enum: ['admitted', 'received', 'refused', 'turned-away', 'voting'] } }, { caCertificate: anyText.schema, proposal: digestShape.schema, approvals: list(memberIdShape, 0, 64).schema, rejections: list(memberIdShape, 0, 64).schema, reasons: { type: 'object', additionalProperties: rejectionReasonShape.schema }, answer: open({ at: timeShape.schema }, { note: anyText.schema, reason: rejectionReasonShape.schema }) });
const warningSchema = open({ code: anyText.schema, details: { type: 'object' } });
const refusedRowSchema = open({ file: anyText.schema, line: integer(1).schema, code: codeShape.schema, problems: { type: 'array', items: { type: 'object' } } });
const runSchema = open(
  { source: anyText.schema, run: integer(1).schema, state: { enum: ['done', 'failed', 'interrupted', 'running', 'stopped'] }, dryRun: boolean().schema, started: timeShape.schema, rows: integer(0).schema, accepted: integer(0).schema, unchanged: integer(0).schema, refused: integer(0).schema, warned: integer(0).schema, warnings: { type: 'array', items: warningSchema }, refusedRows: { type: 'array', items: refusedRowSchema } },
  { ended: timeShape.schema, share: { type: 'number', minimum: 0, maximum: 1 }, error: open({ code: codeShape.schema, details: { type: 'object' } }) },
);
const sourceSchema = open({ name: anyText.schema, type: { enum: ['file', 'folder', 'http', 'postgresql'] }, everyMinutes: integer(0).schema }, { kind: anyText.schema, next: timeShape.schema, current: runSchema, last: runSchema });

const dayRowSchema: JsonObject = open({ centre: memberIdShape.schema, kind: anyText.schema, day: dayShape.schema, confirmed: integer(0).schema, missing: integer(0).schema, deadline: timeShape.schema, state: { enum: dayStates } }, { expected: integer(0).schema, received: integer(0).schema, refused: integer(0).schema, published: integer(0).schema });
const lateSchema = object({ days: integer(0), documents: integer(0) });
const receiptRowSchema: JsonObject = open({ of: { enum: retirable }, id: anyText.schema, version: integer(0).schema, digest: digestShape.schema, acknowledged: { type: 'array', items: open({ member: memberIdShape.schema, at: timeShape.schema }) }, missing: { type: 'array', items: memberIdShape.schema }, deadline: integer(0).schema, late: boolean().schema });

export const answers = {
  completeness: open({ from: dayShape.schema, to: dayShape.schema, late: { type: 'array', items: open({ member: memberIdShape.schema, days: integer(0).schema, rows: integer(0).schema, documents: integer(0).schema }) }, days: { type: 'array', items: dayRowSchema }, documents: { type: 'array', items: receiptRowSchema } }),
  join: joinSchema,
  joins: open({ items: { type: 'array', items: joinSchema }, missing: list(memberIdShape, 0, 64).schema }),
  catalogue: open({
    kinds: { type: 'array', items: open({ kind: anyText.schema, title: words.schema, versions: adoptedVersions, rights: { type: 'array' }, sealed: boolean().schema, claims: { type: 'array', items: open({ claim: anyText.schema, en: anyText.schema, zh: anyText.schema, personal: boolean().schema }) }, migrations: { type: 'array', items: open({ from: integer(1).schema, to: integer(1).schema, digest: digestShape.schema }) } }, { inForce: integer(1).schema }) },
    codeSets: { type: 'array', items: documentView },
    ruleSets: { type: 'array', items: documentView },
    cas: { type: 'array', items: open({ fingerprint: digestShape.schema, name: words.schema, proposal: digestShape.schema, state: stateSchema }, datesMore) },
    endsSoon: { type: 'array', items: open({ of: { enum: retirable }, id: anyText.schema, retires: timeShape.schema }, { version: integer(1).schema, followedBy: integer(1).schema }) },
  }),
  migrated: open({ records: integer(0).schema, accepted: integer(0).schema, unchanged: integer(0).schema, refused: { type: 'array', items: open({ recordId: recordIdShape.schema, code: codeShape.schema, problems: { type: 'array', items: { type: 'object' } } }) } }, { next: recordIdShape.schema }),
  kindDocuments: open({ items: { type: 'array', items: open({ ...versionView, document: anyObject().schema }, datesMore) } }),
  session: open(sessionView, sessionTimes),
  sessions: page(open({ ...sessionView, ...sessionTimes, handle: anyText.schema, current: boolean().schema })),
  account: accountSchema,
  accounts: page(accountSchema),
  signInMethods: object({ directory: boolean(), password: boolean() }).schema,
  roles: page(open({ id: anyText.schema, method: anyText.schema, path: anyText.schema, callers: { type: 'array', items: { enum: callerKinds } } }, { act: oneOf(...acts).schema })),
  auditLog: page(auditEntrySchema),
  auditCheckpoint: object({ at: timeShape, checkpoint: jwsShape, digest: text(/(?:[0-9a-f]{64})?/, 64), seq: integer(0) }).schema,
  run: runSchema,
  runs: page(runSchema),
  source: sourceSchema,
  sources: page(sourceSchema),
  events: open({ items: { type: 'array', items: eventSchema }, cursor: positionShape.schema, complete: boolean().schema }),
  webhook: open(webhookView, webhookMore),
  newWebhook: open(webhookView, { ...webhookMore, secret: secretSchema }),
  webhooks: page(open(webhookView, webhookMore)),
  webhookTested: object({ delivered: boolean(), event: anyText }).schema,
  webhookSecret: open({ id: text(/[a-z2-7]{26}/, 26).schema }, { secret: secretSchema }),
  health: object({ status: oneOf('up') }).schema,
  ready: object({ ready: boolean(), reasons: list(text(/[a-z0-9-]+/, 100), 0, 20) }).schema,
  token: object({ access_token: text(/[A-Za-z0-9_-]{20,200}/, 200), expires_in: integer(1, 86_400), token_type: oneOf('Bearer') }).schema,
  consortium: object({ chaincode: anyText, channel: anyText, charter: charterShape, domain: domainShape, fingerprint: digestShape, founding: digestShape, height: integer(0), node: memberIdShape }).schema,
  member: memberSchema,
  members: page(memberSchema),
  records: page(recordSchema),
  record: open({ record: recordSchema, placed: placedHeaderShape.schema, batch: batchSchema }),
  aggregates: open({
    groups: { type: 'array', items: open({ key: { type: 'object', additionalProperties: { type: 'string' } }, records: integer(1).schema }, { sum: text(/0|[1-9]\d{0,24}/, 25).schema, amounts: integer(0).schema, foreign: integer(0).schema }) },
    groupCount: integer(0).schema, height: integer(-1).schema, complete: object({ headers: boolean(), payloads: boolean() }).schema,
  }),
  mirror: open({ configured: boolean().schema }, {
    state: { enum: ['away', 'following', 'halted', 'starting', 'stopped'] }, block: integer(-1).schema, blocksBehind: integer(0).schema, erasuresWaiting: integer(0).schema, generation: integer(0).schema,
    rebuilding: object({ generation: integer(1), block: integer(-1), of: integer(-1) }).schema, problem: object({ code: codeShape, reason: anyText, cause: anyText, since: timeShape }).schema,
  }),
  presentation: object({ presentation: text(/[A-Za-z0-9_~.-]+/, 4_194_304) }).schema,
  deadLetters: open({ items: { type: 'array', items: open(letterView, letterMore) }, total: integer(0).schema }, { cursor: cursorShape.schema, dropped: open({ count: integer(1).schema, until: timeShape.schema }) }),
  deadLetter: open(letterView, { ...letterMore, row: { type: 'object', additionalProperties: { type: 'string' } }, data: { type: 'object' } }),
  exportedLetters: { type: 'string' },
  retried: open({ retried: integer(0).schema, accepted: integer(0).schema, unchanged: integer(0).schema, refused: integer(0).schema, notKept: integer(0).schema, results: { type: 'array', items: open({ id: anyText.schema, outcome: { enum: ['accepted', 'unchanged', 'refused', 'not-kept'] } }, { code: codeShape.schema }) } }, { cursor: cursorShape.schema }),
  droppedLetters: open({ dropped: integer(0).schema }),
  mappings: page(open({ name: mappingNameShape.schema, at: timeShape.schema, digest: digestShape.schema, kind: anyText.schema, schema: integer(1).schema, columns: integer(0).schema }, { title: words.schema })),
  mapping: open({ name: mappingNameShape.schema, at: timeShape.schema, digest: digestShape.schema, document: mappingShape.schema }),
  mappingDraft: open({ mapping: mappingShape.schema, columns: { type: 'array', items: open({ column: anyText.schema, confidence: integer(0, 100).schema, decided: boolean().schema, why: words.schema }, { field: anyText.schema, rule: { type: 'object' }, others: { type: 'array', items: anyText.schema } }) }, missing: { type: 'array', items: anyText.schema } }),
  mappingPreview: open({
    mappingProblems: { type: 'array', items: open({ path: anyText.schema, code: anyText.schema, zh: anyText.schema, en: anyText.schema }, { field: anyText.schema }) }, ok: integer(0).schema, refused: integer(0).schema,
    rows: { type: 'array', items: open({ cells: { type: 'array', items: open({ column: anyText.schema, cell: anyText.schema, fields: { type: 'array', items: anyText.schema } }) }, fields: { type: 'object' }, ok: boolean().schema, problems: { type: 'array', items: problemView }, warnings: { type: 'array', items: { type: 'object' } } }) },
  }),
  ask: open({ id: text(/[a-z2-7]{26}/, 26).schema, askedAt: timeShape.schema, claims: list(anyText, 1, 64).schema, expires: timeShape.schema, grantee: memberIdShape.schema, maxUses: integer(1).schema, notBefore: timeShape.schema, owner: ownerIdShape.schema, purpose: anyText.schema, reference: anyText.schema }, { grant: grantEnvelopeShape.schema, note: prose(200).schema }),
  access: object({ publisherKey: es256KeyShape, release: releaseEnvelopeShape, state: ticketShape, ticket: ticketIdShape }).schema,
  ticket: object({ state: ticketShape, ticket: ticketIdShape }).schema,
  receipt: object({ digest: digestShape }).schema,
  evidence: open({ format: { const: 'evidence/0' }, charter: charterShape.schema, domain: domainShape.schema, ticketId: ticketIdShape.schema, request: jwsShape.schema, release: jwsShape.schema, receipt: jwsShape.schema, records: list(placedHeaderShape, 1, 64).schema }),
  owner: object({ ca: digestShape, certificate: digestShape, key: ownerKeyShape, owner: ownerIdShape, recovery: optional(recoverySchema), registeredAt: timeShape, sequence: integer(1) }).schema,
  committed: object({ response: anyObject(), transactionId: digestShape }).schema,
  trail: open({ entries: { type: 'array', items: open({ at: timeShape.schema, block: integer(0).schema, transactionId: digestShape.schema, what: anyText.schema }) }, refusals: { type: 'array', items: open({ centre: memberIdShape.schema, refusals: { type: 'array' } }) }, missing: list(memberIdShape, 0, 64).schema }),
  status: open({ height: integer(-1).schema, ledger: open({ state: anyText.schema }), member: memberIdShape.schema, outbox: open({ pending: integer(0).schema, inFlight: integer(0).schema }), vaultKeyCopy: oneOf('kept', 'none', 'unreachable').schema }),
  examined: open({ findings: { type: 'array', items: findingSchema } }),
  course: open({ recordId: recordIdShape.schema, version: integer(1).schema, steps: { type: 'array', items: findingSchema } }, { stoppedAt: anyText.schema }),
  backup: keptBackup,
  backups: page(keptBackup),
  backupFile: { type: 'string', format: 'binary' },
  missingPayloads: page(object({ recordId: recordIdShape, version: integer(1), publishedAt: timeShape }).schema),
  erased: open({ recordIds: list(recordIdShape, 0, 1_000_000).schema, versions: integer(0).schema, withdrawn: integer(0).schema, already: list(recordIdShape, 0, 1_000_000).schema, backup: open({}, { made: anyText.schema, code: codeShape.schema }) }),
  erasures: page(open({ at: timeShape.schema, scope: { enum: ['owner', 'records'] }, recordIds: list(recordIdShape, 0, 1_000_000).schema }, { owner: anyText.schema })),
  lost: object({ lost: list(object({ from: integer(0), to: integer(0) }), 0, 1_000_000) }).schema,
  overview: open(
    { member: memberIdShape.schema, height: integer(-1).schema, blocksBehind: integer(0).schema, ledger: open({ state: anyText.schema }, { problem: anyText.schema }), outbox: open({ pending: integer(0).schema, inFlight: integer(0).schema, deadLettered: integer(0).schema, oldestSeconds: { type: 'number' } }), peers: { type: 'array', items: peerSchema }, alerts: { type: 'array', items: findingSchema }, days: { type: 'array', items: daySchema }, proposals: object({ open: integer(0), unanswered: integer(0) }).schema, late: object({ own: lateSchema, others: lateSchema }).schema },
  ),
  accesses: page(open({ at: timeShape.schema, basis: requestBasisShape.schema, block: integer(0).schema, claims: list(anyText, 1, 64).schema, confirmed: boolean().schema, disputed: boolean().schema, expires: timeShape.schema, publisher: memberIdShape.schema, purpose: anyText.schema, reader: memberIdShape.schema, records: list(object({ recordId: recordIdShape, version: integer(1) }), 1, 64).schema, ticket: ticketIdShape.schema }, { owner: anyText.schema, refused: codeShape.schema, slot: integer(1).schema })),
  proposals: page(open({ action: anyText.schema, approvals: list(memberIdShape, 0, 64).schema, content: { type: 'object' }, id: digestShape.schema, proposedAt: timeShape.schema, proposer: memberIdShape.schema, rejections: list(memberIdShape, 0, 64).schema, round: integer(1).schema, status: { enum: ['adopted', 'open', 'rejected'] } }, { reasons: { type: 'object', additionalProperties: rejectionReasonShape.schema } })),
} as const;
