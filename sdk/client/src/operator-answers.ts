import type { Attestation, Flag, Header, MemberDocument, MemberState, MergedRecords, PlacedHeader, ProposalState, RejectionReason, Stated } from '@huilian/protocol';

/** What a node answers to its own centre's people. Times are Unix seconds. */

export type StaffRole = 'administrator' | 'auditor' | 'operator';

/** Who is signed in at a node. */
export interface StaffSession {
  readonly account: string;
  readonly role: StaffRole;
  /** Where the account is from: made at the node, the staff directory, or the machine's own token. */
  readonly source: 'directory' | 'local' | 'machine';
  /** The latest end; the machine's token has none. */
  readonly ends?: number;
  /** The end where nobody does anything meanwhile. */
  readonly idleEnds?: number;
}

/** One thing that was looked at, and what to do where it is not well. */
export interface NodeFinding {
  readonly check: string;
  readonly level: 'fail' | 'ok' | 'warn';
  readonly en: string;
  readonly zh: string;
  readonly next?: { readonly en: string; readonly zh: string };
}

/** What was published and read in a day. */
export interface DayNumbers {
  /** `YYYY-MM-DD`, Beijing time. */
  readonly day: string;
  readonly publishedHere: number;
  readonly publishedElsewhere: number;
  readonly readHere: number;
  readonly readElsewhere: number;
}

/** The node at a glance. */
export interface NodeOverview {
  readonly member: string;
  readonly height: number;
  readonly blocksBehind: number;
  readonly ledger: { readonly state: string; readonly problem?: string };
  readonly outbox: { readonly pending: number; readonly inFlight: number; readonly deadLettered: number; readonly oldestSeconds: number };
  readonly peers: readonly { readonly centre: string; readonly reachable: boolean; readonly code?: string; readonly height?: number; readonly ahead?: number }[];
  readonly alerts: readonly NodeFinding[];
  /** Oldest first. */
  readonly days: readonly DayNumbers[];
  readonly proposals: { readonly open: number; readonly unanswered: number };
  /** What is past its deadline: this centre's, and that of all other members. */
  readonly late: { readonly own: LateNumbers; readonly others: LateNumbers };
}

/** Days of a kind, and adopted documents. */
export interface LateNumbers {
  readonly days: number;
  readonly documents: number;
}

/** State of a declared day; `undeclared`: rows came, and nobody said how many there were to be. */
export type DayState = 'complete' | 'late' | 'undeclared' | 'waiting';

/** A kind at a centre on a day (YYYY-MM-DD in Beijing). */
export interface DayRow {
  readonly centre: string;
  readonly kind: string;
  readonly day: string;
  /** Rows that its sources had, as it declared them. */
  readonly expected?: number;
  /** At this node alone: rows that came in, of those the refused ones and those queued for the ledger. */
  readonly received?: number;
  readonly refused?: number;
  readonly published?: number;
  /** On the ledger. */
  readonly confirmed: number;
  readonly missing: number;
  /** Unix seconds. */
  readonly deadline: number;
  readonly state: DayState;
}

/** An adopted document, who acknowledged it, and who has not. */
export interface ReceiptRow {
  readonly of: 'ca' | 'code-set' | 'rule-set' | 'schema';
  readonly id: string;
  /** 0 for a CA. */
  readonly version: number;
  readonly acknowledged: readonly { readonly member: string; readonly at: number }[];
  readonly missing: readonly string[];
  /** Unix seconds. */
  readonly deadline: number;
  readonly late: boolean;
}

/** Which centre is late with what. */
export interface CompletenessReport {
  readonly from: string;
  readonly to: string;
  readonly late: readonly { readonly member: string; readonly days: number; readonly rows: number; readonly documents: number }[];
  /** Newest first. */
  readonly days: readonly DayRow[];
  readonly documents: readonly ReceiptRow[];
}

/** Filters of a report; days as YYYY-MM-DD. */
export interface CompletenessQuery {
  readonly from?: string;
  readonly to?: string;
  readonly centre?: string;
  readonly kind?: string;
  readonly state?: DayState;
}

/** How the node is doing: ledger, clock, disk, memory and what keeps it from being ready. */
export interface NodeStatus {
  readonly member: string;
  readonly version: string;
  readonly height: number;
  readonly blocksBehind: number;
  readonly clockBehindSeconds: number | null;
  readonly diskFreeBytes: number;
  readonly memoryMiB: number;
  readonly notReady: readonly string[];
  readonly ledger: { readonly state: string; readonly problem?: string };
  readonly outbox: { readonly pending: number; readonly inFlight: number; readonly settled: number; readonly deadLettered: number; readonly oldestSeconds: number };
  readonly peers: NodeOverview['peers'];
  readonly backups: { readonly configured: boolean; readonly kept: number; readonly last?: { readonly name: string; readonly at: number; readonly bytes: number } };
  readonly vaultKeyCopy: 'kept' | 'none' | 'unreachable';
  readonly webhooks: { readonly active?: number; readonly failing?: number; readonly paused?: number };
}

/** A page of a list that comes in pages. */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Present while there may be more. */
  readonly cursor?: string;
}

/** A record as a node knows it from the ledger. */
export interface LedgerRecord {
  readonly recordId: string;
  readonly header: Header;
  readonly seq: number;
  readonly index: number;
  readonly publishedAt: number;
  readonly contested: boolean;
  readonly versions: number;
}

/** A record of the ledger, with its header's place and the batch that brought it there. */
export interface LedgerRecordPlace {
  readonly record: LedgerRecord;
  readonly placed: PlacedHeader;
  readonly batch: { readonly block: number; readonly count: number; readonly root: string; readonly time: number; readonly transactionId: string };
}

/** Where a record is on its way through the node. */
export interface RecordCourse {
  readonly recordId: string;
  readonly version: number;
  readonly steps: readonly NodeFinding[];
  readonly stoppedAt?: string;
}

/** Which accesses are asked for; what is absent is not filtered by. */
export interface AccessQuery {
  readonly owner?: string;
  readonly publisher?: string;
  readonly purpose?: string;
  readonly reader?: string;
  /** Record id. */
  readonly record?: string;
  readonly since?: number;
  readonly until?: number;
  /** 1-500, 100 where absent. */
  readonly limit?: number;
}

/** Who read whose records, as the ledger has it. */
export interface LedgerAccess {
  readonly at: number;
  readonly basis: { readonly kind: 'grant' | 'policy'; readonly digest: string };
  readonly block: number;
  readonly claims: readonly string[];
  /** The reader's receipt is on the ledger. */
  readonly confirmed: boolean;
  readonly disputed: boolean;
  readonly expires: number;
  /** Absent where a policy was the basis. */
  readonly owner?: string;
  readonly publisher: string;
  readonly purpose: string;
  readonly reader: string;
  readonly records: readonly { readonly recordId: string; readonly version: number }[];
  /** Code of the publisher's refusal, which gave the use back. */
  readonly refused?: string;
  readonly slot?: number;
  readonly ticket: string;
}

/** A proposal with its content read. */
export interface Proposal extends Omit<ProposalState, 'content'> {
  readonly content: Readonly<Record<string, unknown>>;
}

/** A request to join, and what became of it. */
export interface JoinRequest {
  readonly id: string;
  /** Centre whose node took it in. */
  readonly centre: string;
  readonly document: MemberDocument;
  /** Seconds since the epoch. */
  readonly askedAt: number;
  readonly status: 'admitted' | 'received' | 'refused' | 'turned-away' | 'voting';
  readonly proposal?: string;
  /** Why centres voted against it, by centre. */
  readonly reasons?: Readonly<Record<string, RejectionReason>>;
  /** What its centre told the applicant. */
  readonly answer?: { readonly at: number; readonly note?: string; readonly reason?: RejectionReason };
}

/** Requests to join, and the centres that did not answer. */
export interface JoinRequests {
  readonly items: readonly JoinRequest[];
  readonly missing: readonly string[];
}

/** A member of the consortium as the ledger knows it. */
export type Member = MemberState;

/** Which refused rows are asked for; what is absent is not filtered by. */
export interface DeadLetterQuery {
  /** Of the refusal, or of one of its problems. */
  readonly code?: string;
  /** `claim.field`. */
  readonly field?: string;
  readonly file?: string;
  readonly kind?: string;
  /** Record id. */
  readonly record?: string;
  /** 1-500. */
  readonly limit?: number;
}

/** One thing wrong with a row: where, why, and what to do. */
export interface RowProblem {
  /** `/claim/field`. */
  readonly path: string;
  readonly code: string;
  readonly en: string;
  readonly zh: string;
  /** Columns of the row that the field comes from. */
  readonly columns?: readonly string[];
  readonly suggestion?: { readonly en: string; readonly zh: string; readonly value?: string };
}

/** A row that was not published, and why. */
export interface DeadLetter {
  readonly id: string;
  readonly at: number;
  readonly code: string;
  readonly file?: string;
  readonly line?: number;
  readonly kind?: string;
  readonly mapping?: string;
  readonly problems?: readonly RowProblem[];
  readonly recordId?: string;
  readonly version?: number;
  /** Its cells lie in the node still. */
  readonly kept?: boolean;
}

/** The same with what it held. */
export interface OpenedDeadLetter extends DeadLetter {
  readonly row?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What became of rows that were tried again. */
export interface RetryReport {
  readonly retried: number;
  readonly accepted: number;
  readonly unchanged: number;
  readonly refused: number;
  readonly notKept: number;
  readonly results: readonly { readonly id: string; readonly outcome: 'accepted' | 'not-kept' | 'refused' | 'unchanged'; readonly code?: string }[];
  readonly cursor?: string;
}

/** A mapping that the node holds, without its rules. */
export interface HeldMapping {
  readonly name: string;
  readonly at: number;
  readonly kind: string;
  readonly schema: number;
  readonly columns: number;
  readonly title?: { readonly en: string; readonly zh: string };
}

/** What the node guesses of the columns of a table. */
export interface MappingDraft {
  readonly mapping: Readonly<Record<string, unknown>>;
  readonly columns: readonly { readonly column: string; /** 0 to 100. */ readonly confidence: number; readonly decided: boolean; readonly why: { readonly en: string; readonly zh: string }; readonly field?: string; readonly others?: readonly string[] }[];
  /** Required fields that no column gives. */
  readonly missing: readonly string[];
}

/** Rows beside what a mapping makes of them. */
export interface MappingPreview {
  readonly mappingProblems: readonly { readonly path: string; readonly code: string; readonly en: string; readonly zh: string }[];
  readonly ok: number;
  readonly refused: number;
  readonly rows: readonly {
    readonly cells: readonly { readonly column: string; readonly cell: string; readonly fields: readonly string[] }[];
    readonly fields: Readonly<Record<string, unknown>>;
    readonly ok: boolean;
    readonly problems: readonly RowProblem[];
    readonly warnings: readonly RowProblem[];
  }[];
}

/** A person of the centre, as the node knows it. */
export interface StaffAccount {
  readonly name: string;
  readonly role: StaffRole;
  readonly source: 'directory' | 'local';
  readonly disabled: boolean;
  readonly createdAt: number;
  /** Failed sign-ins since the last good one, and until when no further one is looked at. */
  readonly failures: number;
  readonly lockedUntil: number;
  readonly passwordAt?: number;
  readonly signedInAt?: number;
}

/** A session that is open at the node. */
export interface OpenSession extends StaffSession {
  /** Names the session where it is ended; opens nothing. */
  readonly handle: string;
  /** The caller's own. */
  readonly current: boolean;
  readonly began: number;
  readonly used: number;
}

/** Which entries of the audit log are asked for; what is absent is not filtered by. */
export interface AuditQuery {
  /** An act, or the first word of several. */
  readonly act?: string;
  readonly object?: string;
  readonly outcome?: string;
  readonly since?: number;
  readonly until?: number;
  readonly who?: string;
  /** 1-500, 100 where absent. */
  readonly limit?: number;
}

/** One entry of the node's chained log of administrative acts. */
export interface AuditEntry {
  readonly act: string;
  readonly at: number;
  /** `begun`, `done`, or the code of a refusal. */
  readonly outcome: string;
  /** Digest of the entry before, hex. */
  readonly previous: string;
  readonly role: string;
  readonly seq: number;
  readonly who: string;
  readonly object?: string;
  /** Number of the entry that began what this one ends. */
  readonly of?: number;
}

/** What the log stands at, signed: kept elsewhere, it shows later whether entries were changed or cut off. */
export interface AuditCheckpoint {
  readonly at: number;
  readonly seq: number;
  readonly digest: string;
  /** JWS by the node's key. */
  readonly checkpoint: string;
}

/** Counts of current records by groups. */
export interface Aggregates {
  readonly groups: readonly { readonly key: Readonly<Record<string, string>>; readonly records: number }[];
  /** Whether all of them are counted yet. */
  readonly complete: { readonly headers: boolean; readonly payloads: boolean };
}

/** A version of what a vote adopted. */
export interface CatalogueVersion {
  readonly version: number;
  readonly digest: string;
  readonly proposal: string;
  readonly state: 'coming' | 'in-force' | 'retired';
  readonly effective?: number;
  readonly retires?: number;
}

interface CatalogueDocument {
  readonly name: string;
  readonly title?: { readonly en: string; readonly zh: string };
  readonly inForce?: number;
  readonly versions: readonly CatalogueVersion[];
  readonly codes?: number;
}

/** What the consortium agreed to by vote. */
export interface Catalogue {
  readonly kinds: readonly {
    readonly kind: string;
    readonly title: { readonly en: string; readonly zh: string };
    readonly inForce?: number;
    readonly versions: readonly CatalogueVersion[];
    readonly rights: readonly string[];
    readonly claims: readonly { readonly claim: string; readonly en: string; readonly zh: string; readonly personal: boolean }[];
    readonly migrations: readonly { readonly from: number; readonly to: number }[];
  }[];
  readonly codeSets: readonly CatalogueDocument[];
  readonly ruleSets: readonly CatalogueDocument[];
  readonly cas: readonly { readonly fingerprint: string; readonly name: { readonly en: string; readonly zh: string }; readonly state: string; readonly retires?: number }[];
  readonly endsSoon: readonly { readonly of: string; readonly id: string; readonly version?: number; readonly retires: number; readonly followedBy?: number }[];
}

/** Records to look at with the reason in words; no value of theirs. */
export interface WordedFlag extends Flag {
  readonly zh: string;
  readonly en: string;
}

/** One view of an owner at a centre's node: its own vault merged claim by claim, of other centres the headers. */
export interface CentreOwnerView extends MergedRecords {
  readonly owner: string;
  /** Block up to which the ledger was read. */
  readonly height: number;
  /** There are more records than a view holds: ask for one kind at a time. */
  readonly partial: boolean;
  readonly flags: readonly WordedFlag[];
  /** The day by which certificates have run out, YYYY-MM-DD. */
  readonly asOf: string;
}

/** What is said of a record beside what it holds, of all its versions. */
export interface RecordWords {
  readonly recordId: string;
  /** The newest version. */
  readonly version: number;
  readonly attestations: readonly Attestation[];
  readonly statements: readonly Stated[];
}

/** How far the link checks of a centre are: the block they come to next of those up to `height`; the day of the last whole run. */
export interface LinkProgress {
  readonly block: number;
  readonly transaction: number;
  readonly day: string;
  readonly height: number;
}

/** A page of flags. */
export interface LinkFlags extends Page<WordedFlag & { readonly check: string; readonly since: number }> {
  readonly checked: LinkProgress;
}

/** One pass over a source. */
export interface SyncRun {
  readonly source: string;
  readonly run: number;
  readonly state: 'done' | 'failed' | 'interrupted' | 'running' | 'stopped';
  readonly dryRun: boolean;
  readonly started: number;
  readonly ended?: number;
  /** Share of what there is that was read, 0 to 1, where it is known. */
  readonly share?: number;
  readonly rows: number;
  readonly accepted: number;
  readonly unchanged: number;
  readonly refused: number;
  readonly warned: number;
  readonly warnings: readonly { readonly code: string; readonly details: Readonly<Record<string, unknown>> }[];
  /** The first of them. */
  readonly refusedRows: readonly { readonly file: string; readonly line: number; readonly code: string; readonly problems: readonly RowProblem[] }[];
  readonly error?: { readonly code: string; readonly details: Readonly<Record<string, unknown>> };
}

/** Where rows come from, and how it stands. */
export interface SourceState {
  readonly name: string;
  readonly type: string;
  readonly kind?: string;
  /** 0 where only a request or a change starts a run. */
  readonly everyMinutes: number;
  readonly next?: number;
  readonly current?: SyncRun;
  readonly last?: SyncRun;
}
