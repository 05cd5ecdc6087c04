import { setTimeout as delay } from 'node:timers/promises';
import { splitOf } from './processor-time.js';
import { inPairs, median, rounded, spread } from './statistics.js';
import type { OpenedAccess } from '@huilian/sdk';
import { push, type PushResult } from './push.js';
import { BenchReader } from './reader.js';
import { conditionsOf, type Measurer, type World } from './world.js';

/** Reads a second that go on beside the push, in both arms alike: the ledger logs each, that cannot be switched off. */
const readsASecond = 10;

/** P14: push rate while every read is accounted for (receipt anchored, evidence exported) against the same reads without. */
export const measureAuditing: Measurer<World> = async (world) => {
  const { consortium, progress, scale } = world;
  const reader = await BenchReader.open(consortium, 100_000);
  let exported = 0;
  let reads = 0;
  const arm = async (accounted: boolean): Promise<PushResult> => {
    const lines = await world.lines(scale.records * 2);
    const stopping = new AbortController();
    const reading = readBeside(reader, stopping.signal, async (access) => {
      reads += 1;
      if (!accounted) return;
      await reader.account(access);
      exported += 1;
    });
    const pushed = await push(consortium, 'guangzhou', lines);
    stopping.abort();
    await reading;
    await consortium.whenLevel();
    return pushed;
  };
  const pairs = await inPairs(scale.pairs, async (pair) => {
    progress.step(`P14: push with receipts and evidence, pair ${String(pair + 1)} / 审计开启`);
    return await arm(true);
  }, async (pair) => {
    progress.step(`P14: push without, pair ${String(pair + 1)} / 审计关闭`);
    return await arm(false);
  });
  const ratios = spread(pairs.map(([on, off]) => on.perSecond / off.perSecond));
  return [{
    id: 'P14', what: 'push rate with receipts anchored and evidence exported for every read, against the same reads without', unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)],
    goal: { at: 'least', value: 0.9 }, baseline: { recordsPerSecond: Math.round(median(pairs.map(([, off]) => off.perSecond))) },
    conditions: conditionsOf(world, { records: scale.records * 2, readsASecond, reads, evidenceExported: exported, recordsPerSecond: Math.round(median(pairs.map(([on]) => on.perSecond))) }),
    profile: `processor time with auditing on: ${splitOf(pairs.at(-1)?.[0].processor ?? {})}`,
  }];
};

/** Open loop: a read starts at its time, however long the ones before take. */
async function readBeside(reader: BenchReader, stopping: AbortSignal, then: (access: OpenedAccess) => Promise<void>): Promise<void> {
  const under: Promise<void>[] = [];
  while (!stopping.aborted) {
    under.push(reader.read().then(then));
    await delay(1000 / readsASecond, undefined, { signal: stopping }).catch(() => undefined);
  }
  await Promise.all(under);
}

