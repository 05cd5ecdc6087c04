import { beijingDay, completenessRuleSet, dayStart, deadlineOf, ProtocolError, readCompletenessRules, usualRules, versionInForce, type CompletenessRules, type LedgerState, type MemberState } from '@huilian/protocol';
import type { Catalogue } from '../catalog/catalogue.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { DayArrived } from '../outbox/arrivals.js';
import type { Clock } from '../ports.js';
import { lateCounts, lateMembers, type CompletenessReport, type DayRow, type DayState, type LateCounts, type ReceiptRow } from './completeness-report.js';
import { fillDays, type FilledDay } from './fill-days.js';
import { PublishedCounts } from './published-counts.js';

export interface ReportFilter {
  /** Days in Beijing, both included: two weeks that end today where absent; 92 days back at most. */
  readonly from?: string;
  readonly to?: string;
  /** Any member, for documents. */
  readonly centre?: string;
  readonly kind?: string;
  readonly state?: DayState;
}

export interface CompletenessParts {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly memberId: string;
  readonly readModel: ReadModel;
  /** What came in at this node. */
  arrivedOn(day: string, kind: string): DayArrived;
}

/** The rules in force, and from when on they are. */
interface StandingRules {
  readonly rules: CompletenessRules;
  readonly since: number;
}

/** Days of one report. */
interface Span {
  /** The first that is shown, the first that is judged, and the last. */
  readonly shown: string;
  readonly first: string;
  readonly last: string;
  /** Where counting begins: what days lacked before the first counts too, so that a day is judged alike whatever days are asked for. */
  readonly horizon: string;
}

const usualDays = 14;
const mostDays = 92;
/** Days before the first whose lack later rows may make up for. */
const carriedDays = 31;
const daySeconds = 86_400;
const nothing: FilledDay = { confirmed: 0, missing: 0 };

/** Which centre is late with what, told from the node's own read model and its own intake; nobody else is asked. */
export class Completeness {
  private published: { readonly horizon: string; readonly counts: PublishedCounts } | undefined;
  private counted: { readonly height: number; readonly minute: number; readonly late: Promise<LateCounts> } | undefined;

  public constructor(private readonly parts: CompletenessParts) {}

  /** Whoever is late is named by the last 92 days, whatever days are shown. @throws BAD_FIELD for days out of order, or more than 92 */
  public async report(filter: ReportFilter = {}): Promise<CompletenessReport> {
    const span = this.span(filter);
    const now = this.now();
    const standing = await this.standingRules();
    const { centre, kind, state } = filter;
    const members = (await this.parts.readModel.members()).filter(({ document }) => centre === undefined || document.id === centre);
    const days = await this.days(members, span, kind, standing, now);
    const documents = (await this.documents(members, standing.rules, now)).filter(({ id, of }) => kind === undefined || (of === 'schema' && id === kind));
    return { from: span.shown, to: span.last, late: lateMembers(days, documents), days: days.filter((row) => row.day >= span.shown && (state === undefined || row.state === state)), documents };
  }

  /** How much is late; asked for at every look at the metrics, and made again once a minute or a block. */
  public async late(): Promise<LateCounts> {
    const { memberId, readModel } = this.parts;
    const [height, minute] = [readModel.height(), Math.floor(this.now() / 60)];
    if (this.counted?.height !== height || this.counted.minute !== minute) {
      const late = this.report().then((report) => lateCounts(report.late, memberId));
      this.counted = { height, minute, late };
      late.catch(() => { this.counted = undefined; });
    }
    return await this.counted.late;
  }

  private span({ from, to }: ReportFilter): Span {
    const last = to ?? beijingDay(this.now());
    const first = earlier(last, mostDays);
    const shown = from ?? earlier(last, usualDays);
    if (shown > last) throw new ProtocolError('BAD_FIELD', { path: '/to', reason: 'before-from' });
    if (shown < first) throw new ProtocolError('BAD_FIELD', { path: '/from', reason: 'too-many-days' });
    return { shown, first, last, horizon: earlier(first, carriedDays) };
  }

  private async days(members: readonly MemberState[], span: Span, only: string | undefined, standing: StandingRules, now: number): Promise<readonly DayRow[]> {
    const kinds = await this.parts.catalogue.kindNames();
    const counts = await this.countsSince(span.horizon, kinds);
    const rows: DayRow[] = [];
    for (const { admittedAt, document, status } of members) {
      if (document.kind !== 'centre') continue;
      const owes = status === 'active' ? Math.max(admittedAt, standing.since) : Infinity;
      for (const kind of kinds.filter((name) => only === undefined || name === only)) {
        const declared = await this.parts.readModel.declarations(document.id, kind, span.horizon);
        rows.push(...this.daysOfKind(document.id, kind, declared, counts, span, { owes, now, rules: standing.rules }));
      }
    }
    return rows.sort((left, right) => compare(right.day, left.day) || compare(left.centre, right.centre) || compare(left.kind, right.kind));
  }

  private daysOfKind(centre: string, kind: string, declared: readonly LedgerState['declaration'][], counts: PublishedCounts, span: Span, { now, owes, rules }: { readonly now: number; readonly owes: number; readonly rules: CompletenessRules }): DayRow[] {
    const expected = new Map(declared.map((row) => [row.day, row.expected]));
    const filled = fillDays(expected, counts.of(centre, kind));
    const daily = rules.kinds?.[kind]?.daily === true;
    const rows: DayRow[] = [];
    for (let start = dayStart(span.first); start <= dayStart(span.last) && start <= now; start += daySeconds) {
      const day = beijingDay(start);
      const due = daily && start >= owes;
      const here = centre === this.parts.memberId ? this.parts.arrivedOn(day, kind) : undefined;
      const said = expected.get(day);
      const { confirmed, missing } = filled.get(day) ?? nothing;
      if (said === undefined && confirmed === 0 && !due && (here?.received ?? 0) === 0) continue;
      const deadline = deadlineOf(rules, kind, day);
      rows.push({ centre, kind, day, ...(said === undefined ? {} : { expected: said }), ...here, confirmed, missing, deadline, state: stateOf(said !== undefined, due, missing, now > deadline) });
    }
    return rows;
  }

  /** Counts from a horizon on; the usual one is kept, and moves on day by day. */
  private async countsSince(horizon: string, kinds: readonly string[]): Promise<PublishedCounts> {
    const kept = this.published;
    const counts = kept?.horizon === horizon ? kept.counts : new PublishedCounts(this.parts.readModel, dayStart(horizon));
    if (horizon === earlier(beijingDay(this.now()), mostDays + carriedDays)) this.published = { horizon, counts };
    await counts.countOn(kinds);
    return counts;
  }

  private async documents(members: readonly MemberState[], rules: CompletenessRules, now: number): Promise<readonly ReceiptRow[]> {
    const { catalogue, readModel } = this.parts;
    const active = members.filter(({ status }) => status === 'active').map(({ document }) => document.id);
    const proposed = new Map((await readModel.proposals()).map(({ id, proposedAt }) => [id, proposedAt]));
    const said = await readModel.acknowledgements();
    return (await catalogue.references()).map(({ proposal, ...reference }): ReceiptRow => {
      const acknowledged = said.filter(({ id, of, version }) => id === reference.id && of === reference.of && version === reference.version).map(({ at, member }) => ({ member, at }));
      const missing = active.filter((id) => !acknowledged.some(({ member }) => member === id));
      // When the vote ended is not kept; whoever had the document first had it soon after.
      const out = acknowledged.length === 0 ? (proposed.get(proposal) ?? 0) : Math.min(...acknowledged.map(({ at }) => at));
      const deadline = out + (rules.acknowledge ?? usualRules.acknowledge ?? { hours: 0 }).hours * 3600;
      return { ...reference, acknowledged, missing, deadline, late: missing.length > 0 && now > deadline };
    });
  }

  private async standingRules(): Promise<StandingRules> {
    const sets = (await this.parts.readModel.ruleSets()).filter(({ name }) => name === completenessRuleSet);
    const current = versionInForce(sets, this.now());
    if (current === undefined) return { rules: usualRules, since: Infinity };
    const proposal = (await this.parts.readModel.proposals()).find(({ id }) => id === current.proposal);
    return { rules: rulesOf(current), since: current.effective ?? proposal?.proposedAt ?? 0 };
  }

  private now(): number {
    return Math.floor(this.parts.clock.now() / 1000);
  }
}

/** Contracts of before took any document under this name: one that sets no deadlines sets none. */
function rulesOf({ document }: LedgerState['ruleSet']): CompletenessRules {
  try {
    return readCompletenessRules(document);
  } catch {
    return usualRules;
  }
}

/** The day so many days before. */
function earlier(day: string, days: number): string {
  return beijingDay(dayStart(day) - days * daySeconds);
}

function stateOf(declared: boolean, due: boolean, missing: number, over: boolean): DayState {
  if (!declared && !due) return 'undeclared';
  if (declared && missing === 0) return 'complete';
  return over ? 'late' : 'waiting';
}

function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
