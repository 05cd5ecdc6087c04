import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { missingBinaries } from '@huilian/fabric-network';
import { topFunctions } from '../processor-profile.js';
import { BenchProgress } from '../progress.js';
import type { Measure } from '../measure.js';
import { measureAuditing } from './auditing.js';
import { Baseline } from './baseline.js';
import { measureAgainstManyKeys, measureBulkPush } from './bulk-push.js';
import { BenchConsortium, centreIds, sampleLines } from './consortium.js';
import { measureDelivery } from './delivery.js';
import { measureGrowth } from './growth.js';
import { measureAgainstPinning } from './pinning.js';
import { measureReads } from './reads.js';
import type { Measurer, Scale, World } from './world.js';

export interface FabricBenchOptions {
  /** Ids of the measures wanted; all when empty. */
  readonly only: readonly string[];
  readonly scale: Scale;
  /** Where the consortium lives; a folder of its own, removed afterwards, when not named. */
  readonly dir: string | undefined;
  /** Write a processor profile of every node beside the state. */
  readonly profileNode: boolean;
}

interface FabricBenchResult {
  readonly measures: readonly Measure[];
  /** Ids of measures that ended in an error. */
  readonly failed: readonly string[];
  /** Where the nodes spent their time, when that was asked for. */
  readonly profile: readonly string[];
}

/** Something a person can mend, said in two languages. */
export class BenchError extends Error {}

interface Group {
  readonly ids: readonly string[];
  readonly steps: number;
  readonly run: Measurer;
}

// Growth comes first: it wants a store that holds little.
const groups: readonly Group[] = [
  { ids: ['P11'], steps: 4, run: measureGrowth },
  { ids: ['P1', 'P4'], steps: 12, run: measureBulkPush },
  { ids: ['P1b'], steps: 11, run: measureAgainstManyKeys },
  { ids: ['P2'], steps: 6, run: measureAgainstPinning },
  { ids: ['P6', 'P6b'], steps: 14, run: measureReads },
  { ids: ['P7'], steps: 4, run: measureDelivery },
  { ids: ['P14'], steps: 6, run: measureAuditing },
];
export const fabricMeasureIds: readonly string[] = groups.flatMap(({ ids }) => ids);

/** Headers of one batch and batches under way: what a centre that publishes in bulk would configure. */
const outbox = { maxHeaders: 5000, inFlight: 4 };

/** Brings a consortium up on real Fabric, measures, takes it down. A measure that fails is said and does not end the others. */
export async function runFabricBench(options: FabricBenchOptions): Promise<FabricBenchResult> {
  const missing = missingBinaries();
  if (missing.length > 0) throw new BenchError(`Hyperledger Fabric's commands are not on FABRIC_BIN or PATH (missing: ${missing.join(', ')}) / 未找到 Fabric 命令，请设置 FABRIC_BIN`);
  const chosen = groups.filter(({ ids }) => options.only.length === 0 || ids.some((id) => options.only.includes(id)));
  const progress = new BenchProgress(chosen.reduce((sum, { steps }) => sum + steps, 5));
  const folder = options.dir ?? mkdtempSync(path.join(tmpdir(), 'huilian-bench-'));
  mkdirSync(folder, { recursive: true });
  const consortium = await BenchConsortium.start(folder, outbox, options.profileNode, (what) => { progress.step(what); });
  const interrupted = (): void => {
    void consortium.stop(false).finally(() => process.exit(130));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted);
  try {
    const world = await openWorld(consortium, folder, options.scale, progress);
    try {
      const measured = await measureAll(world, chosen);
      const audit = await auditRun(world);
      if (audit !== undefined) measured.failed.push(audit);
      return { ...measured, profile: options.profileNode ? await profileOf(consortium) : [] };
    } finally {
      await world.baseline.stop();
    }
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, interrupted);
    await consortium.stop(false);
    if (options.dir === undefined) rmSync(folder, { recursive: true, force: true });
    progress.end();
  }
}

async function openWorld(consortium: BenchConsortium, folder: string, scale: Scale, progress: BenchProgress): Promise<World> {
  let seed = 100;
  const lines = async (records: number): Promise<readonly string[]> => await sampleLines(folder, records, seed++);
  const plain = path.join(folder, 'baseline.ndjson');
  writeFileSync(plain, `${(await lines(5000)).join('\n')}\n`);
  const baseline = await Baseline.start(consortium.connection('guangzhou'), plain);
  const { profile } = consortium.network.plan;
  const conditions = {
    fabric: consortium.network.binaries.version, consensus: profile.consensus, orderers: profile.orderers.length, peers: profile.centres.length, endorsement: 'majority',
    batching: profile.batching, ...outbox, allOnOneMachine: true,
  };
  return { baseline, conditions, consortium, lines, progress, scale };
}

/** Of the publishing node, a node that follows, and the one that the reader asks; nodes write their profiles when they end. */
async function profileOf(consortium: BenchConsortium): Promise<string[]> {
  const lines: string[] = [];
  for (const centre of centreIds) {
    await consortium.stopNode(centre);
    lines.push(`${centre}:`, ...topFunctions(consortium.profiles(centre), 12).map((line) => `  ${line}`));
  }
  return lines;
}

/** Everything that was measured, audited at the end. Answers `audit` when it found something: then no figure counts. */
async function auditRun({ consortium, progress }: World): Promise<'audit' | undefined> {
  progress.step('huilian audit: every block, every acknowledged record / 审计');
  const { findingCount, findings, ownVersions, records, tickets, transactions } = await consortium.audit();
  progress.note(`audited: ${String(transactions)} transactions, ${String(records)} record versions (${String(ownVersions)} of the publishing node with their data), ${String(tickets)} tickets, ${String(findingCount)} findings / 审计结果`);
  if (findingCount === 0) return undefined;
  progress.note(JSON.stringify(findings.slice(0, 3)));
  return 'audit';
}

async function measureAll(world: World, chosen: readonly Group[]): Promise<{ measures: Measure[]; failed: string[] }> {
  const measures: Measure[] = [];
  const failed: string[] = [];
  for (const { ids, run } of chosen) {
    try {
      measures.push(...(await run(world)));
    } catch (error) {
      failed.push(...ids);
      world.progress.note(`${ids.join(', ')} failed / 失败: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return { measures, failed };
}
