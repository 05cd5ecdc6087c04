import type { AccessQuery, Aggregates, AuditCheckpoint, AuditQuery, Catalogue, CentreOwnerView, CompletenessQuery, CompletenessReport, DeadLetterQuery, FlagCode, HeldMapping, JoinRequests, LedgerRecordPlace, LinkFlags, MappingPreview, Member, NodeFinding, NodeOverview, NodeStatus, OpenSession, OpenedDeadLetter, OperatorClient, Proposal, RecordCourse, RecordQuery, RecordWords, SourceState, StaffAccount, StaffSession } from '@huilian/sdk';
import { createContext, use } from 'react';

/** The node, to every page. */
export const NodeContext = createContext<OperatorClient | undefined>(undefined);

export function useNode(): OperatorClient {
  const node = use(NodeContext);
  if (node === undefined) throw new Error('no node around');
  return node;
}

/** Milliseconds. */
const refreshEvery = 15_000;
const seldom = 60_000;
const runningEvery = 3000;

/** A question to the node, remembered by its key. */
interface Question<Answer> {
  readonly queryKey: readonly unknown[];
  readonly queryFn: () => Promise<Answer>;
  readonly refetchInterval?: number;
  readonly staleTime?: number;
}

function question<Answer>(key: readonly unknown[], ask: () => Promise<Answer>, how: Pick<Question<Answer>, 'refetchInterval' | 'staleTime'> = {}): Question<Answer> {
  return { queryKey: key, queryFn: ask, ...how };
}

/** The last months of Beijing, oldest first, this one as the last. */
export function monthsShown(): readonly string[] {
  const [year = 0, month = 0] = new Intl.DateTimeFormat('sv-SE', { year: 'numeric', month: '2-digit', timeZone: 'Asia/Shanghai' }).format(new Date()).split('-').map(Number);
  return Array.from({ length: 6 }, (_, index) => new Date(Date.UTC(year, month - 6 + index, 1)).toISOString().slice(0, 7));
}

/** A day in Beijing so many days before this one, YYYY-MM-DD. */
export function daysBefore(days: number): string {
  return new Date(Date.now() + 8 * 3_600_000 - days * 86_400_000).toISOString().slice(0, 10);
}

/** What pages ask the node for; page-requests.json lists it page by page, and a test compares the two. */
export const queries = {
  session: (node: OperatorClient): Question<StaffSession> => question(['session'], async () => await node.session(), { staleTime: Infinity }),
  signInMethods: (node: OperatorClient): Question<{ readonly directory: boolean }> => question(['sign-in-methods'], async () => await node.signInMethods(), { staleTime: Infinity }),
  overview: (node: OperatorClient): Question<NodeOverview> => question(['overview'], async () => await node.overview(true), { refetchInterval: refreshEvery }),
  status: (node: OperatorClient): Question<NodeStatus> => question(['status'], async () => await node.status()),
  doctor: (node: OperatorClient): Question<readonly NodeFinding[]> => question(['doctor'], async () => await node.doctor()),
  members: (node: OperatorClient): Question<readonly Member[]> => question(['members'], async () => await node.members(), { staleTime: seldom }),
  joins: (node: OperatorClient): Question<JoinRequests> => question(['joins'], async () => await node.joins()),
  proposals: (node: OperatorClient): Question<readonly Proposal[]> => question(['proposals'], async () => await node.proposals()),
  accounts: (node: OperatorClient): Question<readonly StaffAccount[]> => question(['accounts'], async () => await node.accounts()),
  sessions: (node: OperatorClient): Question<readonly OpenSession[]> => question(['sessions'], async () => await node.sessions()),
  checkpoint: (node: OperatorClient): Question<AuditCheckpoint> => question(['checkpoint'], async () => await node.auditCheckpoint()),
  deadLetter: (node: OperatorClient, id: string): Question<OpenedDeadLetter> => question(['dead-letter', id], async () => await node.deadLetter(id), { staleTime: 0 }),
  /** What the columns of a refused row lead to. */
  letterReading: (node: OperatorClient, { id, kind = '', mapping, row }: OpenedDeadLetter): Question<MappingPreview> => question(['letter-reading', id], async () => await node.previewMapping({ kind, ...(mapping === undefined ? {} : { name: mapping }), rows: row === undefined ? [] : [row] })),
  mappings: (node: OperatorClient): Question<readonly HeldMapping[]> => question(['mappings'], async () => await node.mappings()),
  monthCounts: (node: OperatorClient): Question<Aggregates> => question(['month-counts'], async () => await node.monthCounts(monthsShown()[0] ?? ''), { staleTime: seldom }),
  recordCounts: (node: OperatorClient): Question<Aggregates> => question(['record-counts'], async () => await node.recordCounts(), { staleTime: seldom }),
  completeness: (node: OperatorClient, query: CompletenessQuery): Question<CompletenessReport> => question(['completeness', query], async () => await node.completeness(query)),
  catalogue: (node: OperatorClient): Question<Catalogue> => question(['catalogue'], async () => await node.catalogue(), { staleTime: seldom }),
  /** The newest schema of a kind. */
  kindDocument: (node: OperatorClient, kind: string): Question<Readonly<Record<string, unknown>> | undefined> => question(['kind-document', kind], async () => await node.kindDocument(kind), { staleTime: Infinity }),
  sources: (node: OperatorClient): Question<readonly SourceState[]> => question(['sources'], async () => await node.sources(), { refetchInterval: refreshEvery }),
  source: (node: OperatorClient, name: string): Question<SourceState> => question(['source', name], async () => await node.source(name), { refetchInterval: runningEvery }),
  owner: (node: OperatorClient, id: string): Question<CentreOwnerView> => question(['owner', id], async () => await node.ownerView(id)),
  recordWords: (node: OperatorClient, id: string): Question<RecordWords> => question(['record-words', id], async () => await node.recordWords(id)),
  record: (node: OperatorClient, id: string, version?: number): Question<LedgerRecordPlace> => question(['record', id, version], async () => await node.record(id, version)),
  course: (node: OperatorClient, id: string): Question<RecordCourse> => question(['course', id], async () => await node.followRecord(id)),
};

/** Items of one page of a list. */
const pageSize = 20;

export function fetchRecords(node: OperatorClient, query: RecordQuery): (cursor: string | undefined) => ReturnType<OperatorClient['records']> {
  return async (cursor) => await node.records({ ...query, limit: pageSize }, cursor);
}

export function fetchAccesses(node: OperatorClient, query: AccessQuery): (cursor: string | undefined) => ReturnType<OperatorClient['accesses']> {
  return async (cursor) => await node.accesses({ ...query, limit: pageSize }, cursor);
}

export function fetchDeadLetters(node: OperatorClient, query: DeadLetterQuery): (cursor: string | undefined) => ReturnType<OperatorClient['deadLetters']> {
  return async (cursor) => await node.deadLetters({ ...query, limit: pageSize }, cursor);
}

export function fetchAuditLog(node: OperatorClient, query: AuditQuery): (cursor: string | undefined) => ReturnType<OperatorClient['auditLog']> {
  return async (cursor) => await node.auditLog({ ...query, limit: pageSize }, cursor);
}

export function fetchRuns(node: OperatorClient, source: string): (cursor: string | undefined) => ReturnType<OperatorClient['runs']> {
  return async (cursor) => await node.runs(source, pageSize, cursor);
}

export function fetchFlags(node: OperatorClient, filter: { readonly code?: FlagCode; readonly recordId?: string }): (cursor: string | undefined) => Promise<LinkFlags> {
  return async (cursor) => await node.flags({ ...filter, limit: pageSize }, cursor);
}
