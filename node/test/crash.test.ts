import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { decodeBatchArgument, ledgerFunctions, recordId } from '@huilian/protocol';
import type { Ledger } from '../src/core/ports.js';
import { startConsortium } from './ledger-fixture.js';
import { PublishingNode } from './publishing-node.js';
import { temporaryFolder } from './temporary-folder.js';

const program = path.join(path.dirname(fileURLToPath(import.meta.url)), 'publish-until-killed.mjs');

/** Runs the publisher until it gave this many receipts and some milliseconds passed, then kills it without warning. */
async function publishAndKill(args: readonly string[], receipts: number, milliseconds: number): Promise<{ acknowledged: string[]; next: number }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: string[] = [];
  let next = Number(args[2]);
  let seen = 0;
  const gone = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const receipt = JSON.parse(line) as { next: number; records: string[] };
    acknowledged.push(...receipt.records);
    next = receipt.next;
    seen += 1;
    if (seen === receipts) setTimeout(() => child.kill('SIGKILL'), milliseconds);
  }
  const [, signal] = (await gone) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return { acknowledged, next };
}

async function publishedTimes(ledger: Ledger, height: number): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  const stop = new AbortController();
  for await (const block of ledger.blocks(0, stop.signal)) {
    for (const transaction of block.transactions) {
      if (transaction.code !== 'VALID' || transaction.function !== ledgerFunctions.publish) continue;
      const batch = decodeBatchArgument(transaction.args[0] as Uint8Array);
      for (const header of batch.headers) {
        const id = recordId(batch.publisher, header.kind, header.localId);
        times.set(id, (times.get(id) ?? 0) + 1);
      }
    }
    if (block.number === height) break;
  }
  stop.abort();
  return times;
}

test('killed at any moment, again and again, every acknowledged record comes to the ledger exactly once', async () => {
  const consortium = await startConsortium(temporaryFolder());
  onTestFinished(async () => {
    await consortium.stop();
  });
  const options = { stateDir: consortium.stateDir('river'), connectionFile: consortium.connectionFile('river') };
  const height = String(Number(consortium.ledger.height()) - 1);
  const acknowledged: string[] = [];
  let next = 0;
  // After the n-th receipt, and a little more: while groups are written, batches frozen, sent, indexed.
  for (const [receipts, milliseconds] of [[1, 0], [3, 7], [2, 31], [9, 2], [20, 13], [5, 57]] as const) {
    const run = await publishAndKill([options.stateDir, options.connectionFile, String(next), height], receipts, milliseconds);
    acknowledged.push(...run.acknowledged);
    next = run.next;
  }
  expect(acknowledged.length).toBeGreaterThan(500);
  const node = await PublishingNode.open(options);
  onTestFinished(async () => {
    await node.close();
  });
  node.start();
  await node.drained(30_000);
  const times = await publishedTimes(node.ledger, node.readModel.height());
  expect(acknowledged.filter((id) => times.get(id) !== 1)).toEqual([]);
  expect([...times].filter(([, count]) => count !== 1)).toEqual([]);
  for (const id of acknowledged) expect(node.vault.has(id, 1)).toBe(true);
  expect(node.alarms).toEqual([]);
}, 120_000);
