import type { World } from '../world.js';
import type { Baseline, BaselineOrder, BaselineResult } from './baseline.js';
import type { FabricConsortium } from './fabric-consortium.js';

export interface FabricWorld extends World {
  readonly consortium: FabricConsortium;
  readonly baseline: Baseline;
}

/** The plain client alone on the machine: the nodes are paused and catch up afterwards. */
export async function baselineAlone({ baseline, consortium }: FabricWorld, order: Omit<BaselineOrder, 'tag'>): Promise<BaselineResult> {
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
export async function sweep(world: FabricWorld, order: Omit<BaselineOrder, 'tag' | 'concurrency'>, concurrencies: readonly number[]): Promise<Swept> {
  const rates = new Map<number, number>();
  for (const concurrency of concurrencies) {
    world.progress.step(`plain client, ${order.kind}, ${String(concurrency)} at a time / 对照并发 ${String(concurrency)}`);
    rates.set(concurrency, (await baselineAlone(world, { ...order, concurrency })).perSecond);
  }
  const [best = 1] = [...rates].sort(([, left], [, right]) => right - left)[0] ?? [];
  return { best, byConcurrency: Object.fromEntries([...rates].map(([concurrency, rate]) => [String(concurrency), Math.round(rate)])) };
}
