import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { decodeBatchArgument, ledgerFunctions, recordId } from '@huilian/protocol';
import { expect } from 'vitest';
import type { AuditReport } from '../../node/src/adapters/cli/process-actions.js';
import type { Ledger, LedgerBlock } from '../../node/src/core/ports.js';
import { huilian } from '../e2e/main-job.js';

/** How often records stand on the ledger as published, up to the block with this number. */
export async function timesPublished(ledger: Ledger, last: number): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  const stop = new AbortController();
  for await (const block of ledger.blocks(0, stop.signal)) {
    for (const id of publishedIn(block)) times.set(id, (times.get(id) ?? 0) + 1);
    if (block.number >= last) break;
  }
  stop.abort();
  return times;
}

function publishedIn(block: LedgerBlock): string[] {
  const batches = block.transactions.filter(({ code, function: name }) => name === ledgerFunctions.publish && code === 'VALID');
  return batches.flatMap(({ args }) => {
    const { headers, publisher } = decodeBatchArgument(args[0] as Uint8Array);
    return headers.map(({ kind, localId }) => recordId(publisher, kind, localId));
  });
}

/** What a stopped node is judged by. */
export interface Evidence {
  /** State folder of the node. */
  readonly state: string;
  /** Every record id it ever acknowledged. */
  readonly acknowledged: readonly string[];
  /** What it wrote to standard error. */
  readonly log: string;
}

/**
 * Judges a node after a fault, while it is stopped: each acknowledged record stands on the ledger exactly once, and
 * `huilian audit` of its blocks, data, log and acknowledgements finds nothing.
 */
export async function judge(ledger: Ledger, { acknowledged, log, state }: Evidence): Promise<void> {
  const [acknowledgedFile, logFile] = [path.join(state, 'acknowledged'), path.join(state, 'node.log')];
  writeFileSync(acknowledgedFile, acknowledged.join('\n'));
  writeFileSync(logFile, log);
  const run = await huilian(['audit', '--state', state, '--json', '--acknowledged', acknowledgedFile, '--log', logFile]);
  expect(run.stdout, run.stderr).not.toBe('');
  const report = JSON.parse(run.stdout) as AuditReport;
  expect(report.findings).toEqual([]);
  expect(report.notChecked).toEqual([]);
  expect(run.code).toBe(0);
  const times = await timesPublished(ledger, report.blocks - 1);
  expect(acknowledged.filter((id) => times.get(id) !== 1)).toEqual([]);
  expect([...times.values()].filter((count) => count !== 1)).toEqual([]);
}
