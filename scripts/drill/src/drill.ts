import type { AcknowledgementLog } from './acknowledged.js';
import type { DrillWorld } from './drill-world.js';
import type { InventedRows } from './invented-rows.js';
import type { DrillProgress } from './progress.js';
import type { DrillResult } from './result.js';
import type { Subscribers } from './subscribers.js';

/** How much a run does. */
export interface DrillScale {
  readonly seed: number;
  readonly kills: number;
  readonly killsPerStep: number;
  readonly races: number;
  readonly pauseSeconds: number;
  /** Every byte and every length; else each of so many. */
  readonly storageStride: number;
  /** Failed syncs, one start of the node each. */
  readonly syncFaults: number;
}

/** What every drill works with. */
export interface Drill {
  readonly world: DrillWorld;
  readonly scale: DrillScale;
  readonly acknowledged: AcknowledgementLog;
  readonly subscribers: Subscribers;
  readonly rows: InventedRows;
  readonly progress: DrillProgress;
}

export type RunDrill = (drill: Drill) => Promise<readonly DrillResult[]>;
