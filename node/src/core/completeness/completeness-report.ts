import type { AdoptedReference } from '@huilian/protocol';

/** A kind at a centre on a day. */
export interface DayRow {
  readonly centre: string;
  readonly kind: string;
  /** YYYY-MM-DD in Beijing: when the sources hand their rows over. */
  readonly day: string;
  /** New and changed rows that the sources had, as the centre declared them; absent where it declared nothing. */
  readonly expected?: number;
  /** At this node alone: rows of the day that came in new or changed, refused ones included. */
  readonly received?: number;
  /** Of those: refused, and not corrected since. */
  readonly refused?: number;
  /** Of those: sealed and queued for the ledger. */
  readonly published?: number;
  /** On the ledger: what came on the day, without what makes up for earlier days, with what made up for it later. */
  readonly confirmed: number;
  /** Expected and not on the ledger. */
  readonly missing: number;
  /** Unix seconds. */
  readonly deadline: number;
  readonly state: DayState;
}

/** `undeclared`: rows came, and nobody said how many there were to be. A day that owes a declaration is late without one. */
export const dayStates = ['late', 'waiting', 'complete', 'undeclared'] as const;
export type DayState = (typeof dayStates)[number];

/** A document that votes adopted, and the members that have not said that they hold it. */
export interface ReceiptRow extends AdoptedReference {
  readonly acknowledged: readonly { readonly member: string; readonly at: number }[];
  readonly missing: readonly string[];
  /** Unix seconds. */
  readonly deadline: number;
  readonly late: boolean;
}

/** A member that is late, and with how much. */
export interface LateMember {
  readonly member: string;
  /** Days of a kind behind their deadline, and rows that they lack. */
  readonly days: number;
  readonly rows: number;
  readonly documents: number;
}

export interface CompletenessReport {
  readonly from: string;
  readonly to: string;
  /** Who is late, by id. */
  readonly late: readonly LateMember[];
  /** Newest first. */
  readonly days: readonly DayRow[];
  readonly documents: readonly ReceiptRow[];
}

/** How much is late: of the node's own centre, and of all others. */
export interface LateCounts {
  readonly own: { readonly days: number; readonly documents: number };
  readonly others: { readonly days: number; readonly documents: number };
}

/** Sums up who is late with what. */
export function lateMembers(days: readonly DayRow[], documents: readonly ReceiptRow[]): readonly LateMember[] {
  const late = new Map<string, { member: string; days: number; rows: number; documents: number }>();
  const of = (member: string): { days: number; rows: number; documents: number } => {
    const known = late.get(member) ?? { member, days: 0, rows: 0, documents: 0 };
    late.set(member, known);
    return known;
  };
  for (const { centre, missing, state } of days) {
    if (state !== 'late') continue;
    of(centre).days += 1;
    of(centre).rows += missing;
  }
  for (const { late: isLate, missing } of documents) if (isLate) for (const member of missing) of(member).documents += 1;
  return [...late.values()].sort((left, right) => (left.member < right.member ? -1 : 1));
}

export function lateCounts(late: readonly LateMember[], memberId: string): LateCounts {
  const counts = { own: { days: 0, documents: 0 }, others: { days: 0, documents: 0 } };
  for (const { days, documents, member } of late) {
    const side = counts[member === memberId ? 'own' : 'others'];
    side.days += days;
    side.documents += documents;
  }
  return counts;
}
