import type { BenchProgress } from '../progress.js';
import { load, machine, type Measure } from '../measure.js';
import type { Baseline, BaselineOrder, BaselineResult } from './baseline.js';
import type { BenchConsortium } from './consortium.js';

/** How large a run is. */
export interface Scale {
  /** Records of one push. */
  readonly records: number;
  readonly pairs: number;
  /** Measured and warming milliseconds of one run of the plain client. */
  readonly window: number;
  readonly warm: number;
}

/** What every measure works with. */
export interface World {
  readonly consortium: BenchConsortium;
  readonly baseline: Baseline;
  readonly scale: Scale;
  readonly progress: BenchProgress;
  /** Fresh invented records, never given twice in a run. */
  lines(records: number): Promise<readonly string[]>;
  /** Of the network: batching, endorsement, versions; beside the machine's. */
  readonly conditions: Readonly<Record<string, unknown>>;
}

export type Measurer = (world: World) => Promise<readonly Measure[]>;

export function conditionsOf({ conditions, scale }: World, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...machine(), ...conditions, pairs: scale.pairs, windowSeconds: scale.window / 1000, load1: load(), ...more };
}

/** The plain client alone on the machine: the nodes are paused and catch up afterwards. */
export async function baselineAlone({ baseline, consortium }: World, order: Omit<BaselineOrder, 'tag'>): Promise<BaselineResult> {
  consortium.pauseNodes();
  try {
    return await baseline.run(order);
  } finally {
    await consortium.resumeNodes();
  }
}

export interface Swept {
  readonly best: number;
  readonly byConcurrency: Readonly<Record<string, number>>;
}

/** The concurrency at which the plain client does most a second. */
export async function sweep(world: World, order: Omit<BaselineOrder, 'tag' | 'concurrency'>, concurrencies: readonly number[]): Promise<Swept> {
  const rates = new Map<number, number>();
  for (const concurrency of concurrencies) {
    world.progress.step(`plain client, ${order.kind}, ${String(concurrency)} at a time / 对照并发 ${String(concurrency)}`);
    rates.set(concurrency, (await baselineAlone(world, { ...order, concurrency })).perSecond);
  }
  const [best = 1] = [...rates].sort(([, left], [, right]) => right - left)[0] ?? [];
  return { best, byConcurrency: Object.fromEntries([...rates].map(([concurrency, rate]) => [String(concurrency), Math.round(rate)])) };
}
