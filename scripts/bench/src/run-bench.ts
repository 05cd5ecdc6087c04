import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { centreIds, sampleLines, type BenchConsortium } from './consortium.js';
import type { Measure } from './measure.js';
import { topFunctions } from './processor-profile.js';
import { BenchProgress } from './progress.js';
import { measureAndAudit, type Measured, type MeasureGroup, type Scale, type World } from './world.js';

export interface BenchOptions {
  /** Ids of the measures wanted; all when empty. */
  readonly only: readonly string[];
  readonly scale: Scale;
  /** Where the consortium lives; a folder of its own, removed afterwards, when not named. */
  readonly dir: string | undefined;
  /** Write a processor profile of every node beside the state. */
  readonly profileNode: boolean;
}

export interface BenchResult {
  readonly measures: readonly Measure[];
  /** Ids of measures that ended in an error. */
  readonly failed: readonly string[];
  /** Where the nodes spent their time, when that was asked for. */
  readonly profile: readonly string[];
}

/** What differs between benches: the ledger under the consortium, what is measured on it, what stands beside it. */
export interface Bench<W extends World> {
  readonly groups: readonly MeasureGroup<W>[];
  /** Records of a run where nobody says how many; of one push where absent. */
  readonly records?: number;
  /** @throws BenchError where the machine lacks something */
  check(): void;
  start(folder: string, profileNode: boolean, say: (what: string) => void): Promise<W['consortium']>;
  open(consortium: W['consortium'], rest: Pick<World, 'lines' | 'progress' | 'scale'>): Promise<W>;
  close(world: W): Promise<void>;
}

/** Brings a consortium up, measures, audits, takes it down. */
export async function runBench<W extends World>(bench: Bench<W>, options: BenchOptions): Promise<BenchResult> {
  bench.check();
  const chosen = bench.groups.filter(({ ids }) => options.only.length === 0 || ids.some((id) => options.only.includes(id)));
  const progress = new BenchProgress(chosen.reduce((sum, { steps }) => sum + steps, 5));
  const folder = options.dir ?? mkdtempSync(path.join(tmpdir(), 'huilian-bench-'));
  mkdirSync(folder, { recursive: true });
  const consortium = await bench.start(folder, options.profileNode, (what) => { progress.step(what); });
  const interrupted = (): void => {
    void consortium.stop(false).finally(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
  let seed = 100;
  const lines = async (records: number): Promise<readonly string[]> => await sampleLines(folder, records, seed++);
  let measured: Measured;
  try {
    const world = await bench.open(consortium, { lines, progress, scale: options.scale });
    try {
      measured = await measureAndAudit(world, chosen);
    } finally {
      await bench.close(world);
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, interrupted);
    await consortium.stop(false);
    if (options.dir === undefined) rmSync(folder, { recursive: true, force: true });
    progress.end();
  }
  return { ...measured, profile: options.profileNode ? profileOf(consortium) : [] };
}

/** Of the publishing node, a node that follows, the one that the reader asks, and the embedded ledger; they wrote their profiles when they ended. */
function profileOf(consortium: BenchConsortium): readonly string[] {
  return [...centreIds, 'ledger' as const].flatMap((name) => {
    const functions = topFunctions(consortium.profiles(name), 12);
    return functions.length === 0 ? [] : [`${name}:`, ...functions.map((line) => `  ${line}`)];
  });
}
