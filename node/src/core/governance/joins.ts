import {
  documentDigest,
  fromUtf8,
  isJsonObject,
  limits,
  memberDocumentShape,
  object,
  optional,
  ProtocolError,
  prose,
  readJoinRequest,
  rejectionReasonShape,
  termState,
  timeShape,
  utf8,
  type JsonObject,
  type MemberDocument,
  type ProposalState,
  type Read,
  type RejectionReason,
} from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Store, Transport } from '../ports.js';

/** What became of a request so far. The vote's outcome and its reasons are the ledger's; `answer` is this node's alone. */
export interface JoinView {
  readonly id: string;
  /** Centre whose node took it in. */
  readonly centre: string;
  readonly document: MemberDocument;
  readonly caCertificate?: string;
  /** Unix seconds. */
  readonly askedAt: number;
  readonly status: 'admitted' | 'received' | 'refused' | 'turned-away' | 'voting';
  readonly proposal?: string;
  readonly approvals?: readonly string[];
  readonly rejections?: readonly string[];
  /** Why centres rejected it, by centre: on the ledger. */
  readonly reasons?: Readonly<Record<string, RejectionReason>>;
  /** What this centre told the applicant, off the ledger. */
  readonly answer?: JoinAnswer;
}

/** A word of this centre to the applicant. With a reason it turns the request away without a vote. */
export const joinAnswerShape = object({ note: optional(prose(500)), reason: optional(rejectionReasonShape) });
type JoinAnswer = Read<typeof joinAnswerShape> & { readonly at: number };

interface JoinRow {
  readonly document: MemberDocument;
  readonly caCertificate?: string;
  readonly askedAt: number;
  readonly answer?: JoinAnswer;
}

const keptSeconds = 180 * 86_400;
/** Requests that nobody looked at: strangers may ask, but not fill the disk. */
const mostKept = 500;
const prefix = 'join/';
const idShape = /^[0-9a-f]{64}$/;

/** Requests to join the consortium, as applicants brought them to this node, and what became of them. */
export class Joins {
  public constructor(
    private readonly store: Store,
    private readonly readModel: ReadModel,
    private readonly transport: Transport,
    private readonly clock: Clock,
    private readonly memberId: string,
  ) {}

  /**
   * Takes a request in; the same one again is answered with what became of it.
   * @throws BAD_FIELD, UNKNOWN_FIELD, GRANT_WRONG_DOMAIN, STATEMENT_BAD_SIGNATURE, STATEMENT_EXPIRED, NOT_FOUNDED, MEMBER_EXISTS, RATE_LIMITED
   */
  public async request(jws: string): Promise<JoinView> {
    const { caCertificate, document, expires, id } = readJoinRequest(jws, this.readModel.domain().salt);
    const known = this.row(id);
    if (known !== undefined) return await this.viewOf(id, known);
    const now = this.now();
    if (expires <= now || expires > now + limits.statementTermSeconds) throw new ProtocolError('STATEMENT_EXPIRED');
    if (document.host !== undefined && document.host !== this.memberId) throw new ProtocolError('BAD_FIELD', { path: '/document/host', reason: 'ask-the-centre-that-shall-host' });
    if (this.readModel.member(document.id)?.status === 'active') throw new ProtocolError('MEMBER_EXISTS', { member: document.id });
    await this.makeRoom();
    const row: JoinRow = { askedAt: now, document, ...(caCertificate === undefined ? {} : { caCertificate }) };
    await this.save(id, row);
    return await this.viewOf(id, row);
  }

  /** For who knows the id. @throws JOIN_UNKNOWN */
  public async find(id: string): Promise<JoinView> {
    const row = this.row(id);
    if (row === undefined) throw new ProtocolError('JOIN_UNKNOWN');
    return await this.viewOf(id, row);
  }

  /** Requests at this node, newest first. */
  public async own(): Promise<readonly JoinView[]> {
    const proposals = await this.admissions();
    return (await this.rows()).map(([id, row]) => describe(id, this.memberId, row, proposals)).sort((left, right) => right.askedAt - left.askedAt);
  }

  /** Requests at every centre's node; centres that did not answer are named. */
  public async everywhere(): Promise<{ readonly items: readonly JoinView[]; readonly missing: readonly string[] }> {
    const others = (await this.readModel.members()).filter(({ document, status }) => document.kind === 'centre' && status === 'active' && document.id !== this.memberId);
    const answers = await Promise.all(others.map(async ({ document }) => ({ centre: document.id, joins: await this.askCentre(document.id) })));
    const items = [...(await this.own()), ...answers.flatMap(({ joins }) => joins ?? [])];
    return { items: items.sort((left, right) => right.askedAt - left.askedAt), missing: answers.filter(({ joins }) => joins === undefined).map(({ centre }) => centre) };
  }

  /** What to propose for a request that no vote has decided, here or at another centre. @throws JOIN_UNKNOWN, JOIN_CLOSED */
  public async proposalOf(id: string): Promise<{ readonly content: JsonObject; readonly round: number }> {
    const join = (await this.everywhere()).items.find((entry) => entry.id === id);
    if (join === undefined) throw new ProtocolError('JOIN_UNKNOWN');
    if (join.status === 'admitted' || join.status === 'voting') throw new ProtocolError('JOIN_CLOSED', { status: join.status });
    const content = { member: join.document as unknown as JsonObject, ...(join.caCertificate === undefined ? {} : { caCertificate: join.caCertificate }) };
    const before = ofDocument(await this.admissions(), join.document);
    return { content, round: Math.max(0, ...before.map(({ round }) => round)) + 1 };
  }

  /** A word to the applicant, and with a reason the end of the request at this centre. @throws JOIN_UNKNOWN, JOIN_CLOSED, BAD_FIELD */
  public async answer(id: string, value: unknown): Promise<JoinView> {
    const answer = joinAnswerShape.read(value);
    const row = this.row(id);
    if (row === undefined) throw new ProtocolError('JOIN_UNKNOWN');
    const { status } = await this.viewOf(id, row);
    if (answer.reason !== undefined && status !== 'received' && status !== 'turned-away') throw new ProtocolError('JOIN_CLOSED', { status });
    const answered: JoinRow = { ...row, answer: { ...answer, at: this.now() } };
    await this.save(id, answered);
    return await this.viewOf(id, answered);
  }

  private async viewOf(id: string, row: JoinRow): Promise<JoinView> {
    return describe(id, this.memberId, row, await this.admissions());
  }

  private async admissions(): Promise<readonly ProposalState[]> {
    return (await this.readModel.proposals()).filter(({ action }) => action === 'admit');
  }

  private async askCentre(centre: string): Promise<readonly JoinView[] | undefined> {
    try {
      const answer = JSON.parse(fromUtf8(await this.transport.request(centre, 'joins', utf8('{}')))) as { readonly items: readonly JoinView[] };
      // A centre speaks for itself; what it says of documents is read like any stranger's.
      return answer.items.slice(0, mostKept).map((item) => ({ ...item, centre, document: memberDocumentShape.read(item.document), askedAt: timeShape.read(item.askedAt) }));
    } catch {
      return undefined;
    }
  }

  private row(id: string): JoinRow | undefined {
    const bytes = idShape.test(id) ? this.store.get(prefix + id) : undefined;
    const row = bytes && (JSON.parse(fromUtf8(bytes)) as JoinRow);
    return row === undefined || this.isPast(row) ? undefined : row;
  }

  private isPast({ askedAt }: JoinRow): boolean {
    return termState({ retires: askedAt + keptSeconds }, this.now()) === 'retired';
  }

  private async rows(): Promise<readonly (readonly [id: string, row: JoinRow])[]> {
    const found: (readonly [string, JoinRow])[] = [];
    for await (const [key, bytes] of this.store.entries({ gte: prefix, lt: `${prefix}~` })) found.push([key.slice(prefix.length), JSON.parse(fromUtf8(bytes)) as JoinRow]);
    return found.filter(([, row]) => !this.isPast(row));
  }

  /** @throws RATE_LIMITED where too many wait */
  private async makeRoom(): Promise<void> {
    const past: { readonly key: string; readonly remove: true }[] = [];
    let kept = 0;
    for await (const [key, bytes] of this.store.entries({ gte: prefix, lt: `${prefix}~` })) {
      if (this.isPast(JSON.parse(fromUtf8(bytes)) as JoinRow)) past.push({ key, remove: true });
      else kept += 1;
    }
    if (past.length > 0) await this.store.write(past);
    if (kept >= mostKept) throw new ProtocolError('RATE_LIMITED', { reason: 'joins-waiting' });
  }

  private async save(id: string, row: JoinRow): Promise<void> {
    await this.store.write([{ key: prefix + id, value: utf8(JSON.stringify(row)) }]);
  }

  private now(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}

/** Proposals to admit exactly this document, oldest round first. */
function ofDocument(proposals: readonly ProposalState[], document: MemberDocument): readonly ProposalState[] {
  const digest = documentDigest(document);
  return proposals.filter(({ content }) => isJsonObject(content['member']) && documentDigest(content['member']) === digest).sort((left, right) => left.round - right.round);
}

function describe(id: string, centre: string, { answer, askedAt, caCertificate, document }: JoinRow, proposals: readonly ProposalState[]): JoinView {
  const vote = ofDocument(proposals, document).at(-1);
  const common = { id, centre, document, askedAt, ...(caCertificate === undefined ? {} : { caCertificate }), ...(answer === undefined ? {} : { answer }) };
  if (vote === undefined) return { ...common, status: answer?.reason === undefined ? 'received' : 'turned-away' };
  const { approvals, id: proposal, reasons, rejections, status } = vote;
  const outcome = { adopted: 'admitted', open: 'voting', rejected: 'refused' } as const;
  return { ...common, status: outcome[status], proposal, approvals, rejections, ...(reasons === undefined ? {} : { reasons }) };
}
