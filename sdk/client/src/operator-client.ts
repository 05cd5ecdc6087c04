import type { AttestationOutcome, ComparedThing, FlagCode, PrefilledForm, RejectionReason } from '@huilian/protocol';
import { HttpDoor } from './http-door.js';
import type { RecordQuery } from './member-client.js';
import type { AccessQuery, Aggregates, AuditCheckpoint, AuditEntry, AuditQuery, Catalogue, CentreOwnerView, CompletenessQuery, CompletenessReport, DeadLetter, DeadLetterQuery, HeldMapping, JoinRequest, JoinRequests, LedgerAccess, LedgerRecord, LedgerRecordPlace, LinkFlags, LinkProgress, MappingDraft, MappingPreview, Member, NodeFinding, NodeOverview, NodeStatus, OpenedDeadLetter, OpenSession, Page, Proposal, RecordCourse, RecordWords, RetryReport, SourceState, StaffAccount, StaffRole, StaffSession, SyncRun } from './operator-answers.js';

/** How a client of the centre's own side is known at the node. */
export interface OperatorOptions {
  /** The operator's token; where absent the cookie of a session, which a browser sends by itself to the page's own origin. */
  readonly token?: string;
  /** Seconds that one call may spend on trying again; 2 where absent. */
  readonly patienceSeconds?: number;
}

const patience = 2;
/** What a page of the node says with each call: no other site's page can. */
const ownPage = { 'x-huilian-request': 'console' };
/** The same for what nobody asked for: it keeps no session alive. */
const ownPageByItself = { 'x-huilian-request': 'background' };

/** The node for its own centre's people: what its console and programs beside it ask. Every refusal is a ProtocolError. */
export class OperatorClient {
  private readonly door: HttpDoor;
  private readonly background: HttpDoor;

  /** `url` is the node's address, of a page its own origin. */
  public constructor(url: string, { patienceSeconds = patience, token }: OperatorOptions = {}) {
    const options = { patienceSeconds, ...(token === undefined ? {} : { authorise: () => Promise.resolve(token) }) };
    this.door = new HttpDoor(url, { ...options, headers: ownPage });
    this.background = new HttpDoor(url, { ...options, headers: ownPageByItself });
  }

  /** @throws TOKEN_INVALID, SESSION_ENDED where nobody is signed in */
  public async session(): Promise<StaffSession> {
    return await this.door.get<StaffSession>('/v1/session');
  }

  /** @throws SIGN_IN_FAILED, SIGN_IN_LOCKED, ACCOUNT_DISABLED */
  public async signIn(name: string, password: string): Promise<StaffSession> {
    return await this.door.post<StaffSession>('/v1/session', { name, password });
  }

  /** How people sign in here: by password, and where the centre has a staff directory by that, at `/v1/session/directory`. */
  public async signInMethods(): Promise<{ readonly directory: boolean; readonly password: boolean }> {
    return await this.door.get('/v1/session/methods');
  }

  /** Ends the session at the node. */
  public async signOut(): Promise<void> {
    await this.door.delete('/v1/session');
  }

  /** Another password of one's own; all its sessions end. @throws SIGN_IN_FAILED, PASSWORD_WEAK, ACCOUNT_OF_DIRECTORY */
  public async changePassword(old: string, password: string): Promise<void> {
    await this.door.send('/v1/session/password', { method: 'POST', body: JSON.stringify({ old, password }), contentType: 'application/json' });
  }

  /** One's own sessions; everybody's for an administrator. */
  public async sessions(): Promise<readonly OpenSession[]> {
    return await this.whole<OpenSession>('/v1/sessions');
  }

  /** @throws NOT_FOUND */
  public async endSession(handle: string): Promise<void> {
    await this.door.delete(`/v1/sessions/${encodeURIComponent(handle)}`);
  }

  /** Accounts of the centre's people, for who oversees them. @throws FORBIDDEN */
  public async accounts(): Promise<readonly StaffAccount[]> {
    return await this.whole<StaffAccount>('/v1/accounts');
  }

  /** @throws FORBIDDEN, ACCOUNT_EXISTS, PASSWORD_WEAK */
  public async addAccount(name: string, role: StaffRole, password: string): Promise<StaffAccount> {
    return await this.door.post<StaffAccount>('/v1/accounts', { name, password, role });
  }

  /** @throws FORBIDDEN, ACCOUNT_UNKNOWN, ACCOUNT_OF_DIRECTORY */
  public async setRole(name: string, role: StaffRole): Promise<StaffAccount> {
    return await this.door.post<StaffAccount>(`/v1/accounts/${encodeURIComponent(name)}/role`, { role });
  }

  /** @throws FORBIDDEN, ACCOUNT_UNKNOWN, ACCOUNT_OF_DIRECTORY, PASSWORD_WEAK */
  public async setPassword(name: string, password: string): Promise<StaffAccount> {
    return await this.door.post<StaffAccount>(`/v1/accounts/${encodeURIComponent(name)}/password`, { password });
  }

  /** `unlock` ends the waiting after failed sign-ins. @throws FORBIDDEN, ACCOUNT_UNKNOWN */
  public async changeAccount(name: string, change: 'disable' | 'enable' | 'unlock'): Promise<StaffAccount> {
    return await this.door.post<StaffAccount>(`/v1/accounts/${encodeURIComponent(name)}/${change}`, {});
  }

  /** Administrative acts of the node, newest first; a page may be short. @throws FORBIDDEN */
  public async auditLog(query: AuditQuery, cursor?: string): Promise<Page<AuditEntry>> {
    return await this.door.get(`/v1/audit-log${parameters({ ...query, cursor })}`);
  }

  /** The end of the log under the node's signature. @throws FORBIDDEN */
  public async auditCheckpoint(): Promise<AuditCheckpoint> {
    return await this.door.get('/v1/audit-log/checkpoint');
  }

  /** `unasked` for a page that refreshes itself. */
  public async overview(unasked = false): Promise<NodeOverview> {
    return await (unasked ? this.background : this.door).get<NodeOverview>('/v1/overview');
  }

  /** How the node is doing. */
  public async status(): Promise<NodeStatus> {
    return await this.door.get<NodeStatus>('/v1/status');
  }

  /** Everything that the node looks at, the other centres asked now. */
  public async doctor(): Promise<readonly NodeFinding[]> {
    return (await this.door.get<{ findings: NodeFinding[] }>('/v1/doctor')).findings;
  }

  /** Where a record is on its way. @throws RECORD_UNKNOWN, BAD_ID */
  public async followRecord(recordId: string): Promise<RecordCourse> {
    return await this.door.post<RecordCourse>('/v1/doctor/records', { recordId }, { repeat: 'by-content' });
  }

  /** Records on the ledger, newest first. @throws BAD_FIELD, BAD_ID */
  public async records(query: RecordQuery, cursor?: string): Promise<Page<LedgerRecord>> {
    return await this.door.get(`/v1/records${parameters({ ...query, cursor })}`);
  }

  /** The current version where none is named. @throws RECORD_UNKNOWN, BAD_ID */
  public async record(recordId: string, version?: number): Promise<LedgerRecordPlace> {
    return await this.door.get(`/v1/records/${recordId}${parameters({ version })}`);
  }

  /** Which centre is late with what; two weeks of days where none are named. @throws BAD_FIELD */
  public async completeness(query: CompletenessQuery = {}): Promise<CompletenessReport> {
    return await this.door.get(`/v1/completeness${parameters({ ...query })}`);
  }

  /** Where the same lies as CSV. */
  public completenessExport(query: CompletenessQuery = {}): string {
    return `/v1/completeness/export${parameters({ ...query })}`;
  }

  /** Accesses on the ledger, newest first; a page may be short while there are more. @throws BAD_FIELD, BAD_ID */
  public async accesses(query: AccessQuery, cursor?: string): Promise<Page<LedgerAccess>> {
    return await this.door.get(`/v1/accesses${parameters({ ...query, cursor })}`);
  }

  /** Rows that were refused. */
  public async deadLetters(query: DeadLetterQuery, cursor?: string): Promise<Page<DeadLetter>> {
    return await this.door.get(`/v1/dead-letters${parameters({ ...query, cursor })}`);
  }

  /** One refused row with its cells. @throws NOT_FOUND */
  public async deadLetter(id: string): Promise<OpenedDeadLetter> {
    return await this.door.get(`/v1/dead-letters/${encodeURIComponent(id)}`);
  }

  /** Tries one refused row again, corrected. @throws NOT_FOUND, DISK_NEARLY_FULL */
  public async correctDeadLetter(id: string, corrected: { readonly row?: Readonly<Record<string, string>>; readonly data?: Readonly<Record<string, unknown>> }): Promise<RetryReport['results'][number]> {
    const { results } = await this.door.post<RetryReport>('/v1/dead-letters/retries', { corrections: [{ id, ...corrected }] });
    return results[0] ?? { id, outcome: 'not-kept' };
  }

  /** Tries all refused rows that match again, as they are. @throws DISK_NEARLY_FULL */
  public async retryDeadLetters(filter: Omit<DeadLetterQuery, 'limit'>): Promise<Omit<RetryReport, 'cursor' | 'results'>> {
    const sum = { retried: 0, accepted: 0, unchanged: 0, refused: 0, notKept: 0 };
    let cursor: string | undefined;
    do {
      const report: RetryReport = await this.door.post('/v1/dead-letters/retries', { filter, ...(cursor === undefined ? {} : { cursor }) });
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += report[name];
      ({ cursor } = report);
    } while (cursor !== undefined);
    return sum;
  }

  /** Takes a refused row off the list. @throws NOT_FOUND */
  public async dropDeadLetter(id: string): Promise<void> {
    await this.door.delete(`/v1/dead-letters/${encodeURIComponent(id)}`);
  }

  /** Mappings that the node holds, without their rules. */
  public async mappings(): Promise<readonly HeldMapping[]> {
    return await this.whole<HeldMapping>('/v1/mappings');
  }

  /** @throws MAPPING_INVALID, SCHEMA_UNKNOWN */
  public async putMapping(name: string, mapping: Readonly<Record<string, unknown>>): Promise<void> {
    await this.door.send(`/v1/mappings/${encodeURIComponent(name)}`, { method: 'PUT', body: JSON.stringify(mapping), contentType: 'application/json' });
  }

  /** Nothing is kept or published. @throws SCHEMA_UNKNOWN, MAPPING_UNKNOWN */
  public async previewMapping(asked: { readonly kind: string; readonly name?: string; readonly rows: readonly Readonly<Record<string, string>>[] }): Promise<MappingPreview> {
    return await this.door.post('/v1/mapping-previews', asked, { repeat: 'by-content' });
  }

  /** Nothing is kept. @throws SCHEMA_UNKNOWN */
  public async draftMapping(asked: { readonly kind: string; readonly header: readonly string[]; readonly samples: readonly (readonly string[])[] }): Promise<MappingDraft> {
    return await this.door.post('/v1/mapping-drafts', asked, { repeat: 'by-content' });
  }

  /** Current records by publisher, kind and month of publication, Beijing time, from a month on. @throws BAD_FIELD */
  public async monthCounts(from: string): Promise<Aggregates> {
    return await this.door.get<Aggregates>(`/v1/aggregates?by=publisher,kind,month&from=${encodeURIComponent(from)}&limit=10000`);
  }

  /** Current records of all centres by publisher and kind, counted in memory. */
  public async recordCounts(): Promise<Aggregates> {
    return await this.door.get<Aggregates>('/v1/aggregates?by=publisher,kind&status=active');
  }

  /** What the consortium agreed to by vote: in force, to come, ending. */
  public async catalogue(): Promise<Catalogue> {
    return await this.door.get<Catalogue>('/v1/catalogue');
  }

  /**
   * One view of an owner: the records of this centre's vault merged claim by claim, with their flags, and the headers of all
   * centres. `asOf` is the day by which certificates have run out. @throws BAD_ID, BAD_FIELD, VAULT_CORRUPT
   */
  public async ownerView(owner: string, options: { readonly kind?: string; readonly asOf?: string } = {}): Promise<CentreOwnerView> {
    return await this.door.get<CentreOwnerView>(`/v1/owners/${encodeURIComponent(owner)}/view${parameters({ ...options })}`);
  }

  /** A form filled from this centre's own records of an owner by a field map, with a report of the reuse. @throws BAD_ID, BAD_FIELD, UNKNOWN_FIELD, VAULT_CORRUPT */
  public async prefill(owner: string, fieldMap: unknown, options: { readonly kind?: string } = {}): Promise<PrefilledForm> {
    return await this.door.post<PrefilledForm>(`/v1/owners/${encodeURIComponent(owner)}/prefill${parameters({ ...options })}`, fieldMap, { repeat: 'by-content' });
  }

  /** What other centres attested of a record, and its owner stated, of all its versions. @throws BAD_ID, RECORD_UNKNOWN */
  public async recordWords(recordId: string): Promise<RecordWords> {
    return await this.door.get<RecordWords>(`/v1/records/${recordId}/statements`);
  }

  /**
   * This centre's word on another centre's record; the newest version where none is named. `withdrawn` takes the earlier word back
   * and compares nothing. @throws FORBIDDEN for an own record, ATTESTATION_UNKNOWN, RECORD_UNKNOWN, RECORD_STALE, RECORD_REVOKED, RECORD_CONTESTED
   */
  public async attest(recordId: string, word: { readonly compared: readonly ComparedThing[]; readonly outcome: AttestationOutcome; readonly version?: number }): Promise<{ readonly transactionId: string }> {
    return await this.door.post(`/v1/records/${recordId}/attestations`, word, { repeat: 'by-content' });
  }

  /** Records of this centre to look at, found by its link checks. @throws BAD_FIELD */
  public async flags(filter: { readonly code?: FlagCode; readonly recordId?: string; readonly limit?: number } = {}, cursor?: string): Promise<LinkFlags> {
    return await this.door.get<LinkFlags>(`/v1/flags${parameters({ ...filter, cursor })}`);
  }

  /** Has the link checks go through all records of this centre again. */
  public async recheckLinks(): Promise<LinkProgress> {
    return await this.door.post<LinkProgress>('/v1/flags/runs', {}, { repeat: 'by-content' });
  }

  /** The newest schema document of a kind as a vote adopted it. @throws SCHEMA_UNKNOWN */
  public async kindDocument(kind: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { items } = await this.door.get<{ readonly items: readonly { readonly document: Readonly<Record<string, unknown>> }[] }>(`/v1/catalogue/kinds/${encodeURIComponent(kind)}`);
    return items[0]?.document;
  }

  /** Configured sources, each with its last run. */
  public async sources(): Promise<readonly SourceState[]> {
    return await this.whole<SourceState>('/v1/sources');
  }

  /** @throws SOURCE_UNKNOWN */
  public async source(name: string): Promise<SourceState> {
    return await this.door.get(`/v1/sources/${encodeURIComponent(name)}`);
  }

  /** Runs of a source, newest first. @throws SOURCE_UNKNOWN */
  public async runs(name: string, limit: number, cursor?: string): Promise<Page<SyncRun>> {
    return await this.door.get(`/v1/sources/${encodeURIComponent(name)}/runs${parameters({ limit, cursor })}`);
  }

  /** Reads a source now; a dry run keeps nothing. @throws SOURCE_UNKNOWN, SYNC_RUNNING */
  public async runSource(name: string, order: { readonly dryRun?: boolean; readonly fromStart?: boolean } = {}): Promise<SyncRun> {
    return await this.door.post(`/v1/sources/${encodeURIComponent(name)}/runs`, order);
  }

  /** Stops the run under way. @throws SOURCE_UNKNOWN, NOT_FOUND */
  public async stopRun(name: string): Promise<void> {
    await this.door.delete(`/v1/sources/${encodeURIComponent(name)}/runs/current`);
  }

  /** All members of the consortium, active, suspended or gone. */
  public async members(): Promise<readonly Member[]> {
    return await this.whole<Member>('/v1/members');
  }

  /** Requests to join, at every centre, newest first. */
  public async joins(): Promise<JoinRequests> {
    return await this.door.get<JoinRequests>('/v1/joins');
  }

  /** Proposes the admission that a request asks for. @throws JOIN_UNKNOWN, JOIN_CLOSED, PROPOSAL_EXISTS, MEMBER_EXISTS, NOT_A_CENTRE */
  public async proposeJoin(id: string): Promise<{ readonly transactionId: string }> {
    return await this.door.post(`/v1/joins/${encodeURIComponent(id)}/propose`, {}, { repeat: 'by-key' });
  }

  /** A word to an applicant, off the ledger; a reason turns the request away. @throws JOIN_UNKNOWN, JOIN_CLOSED, BAD_FIELD */
  public async answerJoin(id: string, answer: { readonly note?: string; readonly reason?: RejectionReason }): Promise<JoinRequest> {
    return await this.door.post<JoinRequest>(`/v1/joins/${encodeURIComponent(id)}/answer`, answer, { repeat: 'by-key' });
  }

  /** Proposals of all time, with their votes. */
  public async proposals(): Promise<readonly Proposal[]> {
    return await this.whole<Proposal>('/v1/governance/proposals');
  }

  /** This centre's vote; a rejection may say why, by a code. @throws PROPOSAL_UNKNOWN, PROPOSAL_CLOSED, ALREADY_VOTED, NOT_A_CENTRE */
  public async vote(choice: 'approve' | 'reject', proposal: string, reason?: string): Promise<{ readonly transactionId: string }> {
    return await this.door.post(`/v1/governance/${choice}`, { proposal, ...(choice === 'approve' || reason === undefined ? {} : { reason }) }, { repeat: 'by-key' });
  }

  private async whole<Item>(route: string): Promise<readonly Item[]> {
    const items: Item[] = [];
    let cursor: string | undefined;
    do {
      const page: Page<Item> = await this.door.get(`${route}${parameters({ cursor })}`);
      items.push(...page.items);
      ({ cursor } = page);
    } while (cursor !== undefined);
    return items;
  }
}

function parameters(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string | number] => entry[1] !== undefined && entry[1] !== '');
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}
