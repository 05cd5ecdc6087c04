import type { Completeness } from '../completeness/completeness.js';
import type { LateCounts } from '../completeness/completeness-report.js';
import { findingsOf, type ExaminedParts } from '../diagnosis/examine-node.js';
import type { Finding } from '../diagnosis/finding.js';
import type { PeerState } from '../exchange/peer-watch.js';
import type { DayCount, DayCounts } from './day-counts.js';

/** A node at a glance; nobody else is asked for it. */
export interface NodeOverview {
  readonly member: string;
  /** Last indexed block, -1 before the first. */
  readonly height: number;
  /** Blocks that the highest of the others has and this node has not. */
  readonly blocksBehind: number;
  readonly ledger: { readonly state: string; readonly problem?: string };
  readonly outbox: { readonly pending: number; readonly inFlight: number; readonly deadLettered: number; readonly oldestSeconds: number };
  /** As they answered last. */
  readonly peers: readonly PeerState[];
  /** What is not well, and what to do about it. */
  readonly alerts: readonly Finding[];
  /** Oldest first. */
  readonly days: readonly DayCount[];
  /** Open proposals, and those of them on which this centre did not vote. */
  readonly proposals: { readonly open: number; readonly unanswered: number };
  /** Days and documents past their deadline. */
  readonly late: LateCounts;
}

export interface OverviewParts {
  readonly completeness: Completeness;
  readonly days: DayCounts;
  readonly examined: ExaminedParts;
  readonly age: { readonly seconds: number };
}

const daysShown = 30;

/** Puts the overview together. */
export async function overviewOfNode({ age, completeness, days, examined }: OverviewParts): Promise<NodeOverview> {
  const { follower, memberId, outbox, peers, readModel, sender } = examined;
  const { deadLettered, inFlight, pending } = await outbox.status();
  const open = (await readModel.proposals()).filter(({ status }) => status === 'open');
  return {
    member: memberId,
    height: readModel.height(),
    blocksBehind: peers.missingBlocks,
    ledger: { state: follower.state, ...(sender.lastProblem === undefined ? {} : { problem: sender.lastProblem }) },
    outbox: { pending, inFlight, deadLettered, oldestSeconds: age.seconds },
    peers: peers.peers,
    alerts: (await findingsOf(examined)).filter(({ level }) => level !== 'ok'),
    days: await days.lastDays(daysShown),
    proposals: { open: open.length, unanswered: open.filter(({ approvals, rejections }) => ![...approvals, ...rejections].includes(memberId)).length },
    late: await completeness.late(),
  };
}
