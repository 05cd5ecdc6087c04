import type { BenchConsortium } from './consortium.js';
import { load, machine, type Measure } from './measure.js';
import type { BenchProgress } from './progress.js';

/** How large a run is. */
export interface Scale {
  /** Records of one push. */
  readonly records: number;
  readonly pairs: number;
  /** Measured and warming milliseconds of one run of the plain way. */
  readonly window: number;
  readonly warm: number;
}

/** What every measure works with. */
export interface World {
  readonly consortium: BenchConsortium;
  readonly scale: Scale;
  readonly progress: BenchProgress;
  /** Fresh invented records, never given twice in a run. */
  lines(records: number): Promise<readonly string[]>;
  /** Of the ledger, beside the machine's. */
  readonly conditions: Readonly<Record<string, unknown>>;
}

/** Something a person can mend, said in two languages. */
export class BenchError extends Error {}

export type Measurer<W extends World> = (world: W) => Promise<readonly Measure[]>;

/** Measures that one function makes together. */
export interface MeasureGroup<W extends World> {
  readonly ids: readonly string[];
  /** Of the progress bar. */
  readonly steps: number;
  readonly run: Measurer<W>;
}

export interface Measured {
  readonly measures: readonly Measure[];
  /** Ids of measures that ended in an error. */
  readonly failed: readonly string[];
}

/** A measure that fails is said and does not end the others; at the end everything that was pushed and read is audited. */
export async function measureAndAudit<W extends World>(world: W, groups: readonly MeasureGroup<W>[]): Promise<Measured> {
  const measures: Measure[] = [];
  const failed: string[] = [];
  for (const { ids, run } of groups) {
    try {
      measures.push(...(await run(world)));
    } catch (error) {
      failed.push(...ids);
      world.progress.note(`${ids.join(', ')} failed / 失败: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
  }
  return { measures, failed: (await auditFinds(world)) ? [...failed, 'audit'] : failed };
}

/** True where it found something: then no figure counts. */
async function auditFinds({ consortium, progress }: World): Promise<boolean> {
  progress.step('huilian audit: every block, every acknowledged record / 审计');
  const { findingCount, findings, ownVersions, records, tickets, transactions } = await consortium.audit();
  progress.note(`audited: ${String(transactions)} transactions, ${String(records)} record versions (${String(ownVersions)} of the publishing node with their data), ${String(tickets)} tickets, ${String(findingCount)} findings / 审计结果`);
  if (findingCount > 0) progress.note(JSON.stringify(findings.slice(0, 3)));
  return findingCount > 0;
}

export function conditionsOf({ conditions, scale }: World, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { ...machine(), ...conditions, pairs: scale.pairs, windowSeconds: scale.window / 1000, load1: load(), ...more };
}
