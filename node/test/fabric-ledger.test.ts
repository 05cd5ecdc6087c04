import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { canonicalBytes, encodeBatchArgument, ledgerFunctions, type Header } from '@huilian/protocol';
import { GatewayLedger } from '../src/adapters/fabric/gateway-ledger.js';
import type { LedgerBlock } from '../src/core/ports.js';
import { startConsortium, type Consortium } from './ledger-fixture.js';

let folder: string;
let consortium: Consortium;
let ledger: GatewayLedger;
let seq = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'huilian-fabric-'));
  consortium = await startConsortium(folder);
  ledger = await GatewayLedger.open(consortium.connectionFile('river'), 'huilian');
});

afterAll(async () => {
  await ledger.close();
  await consortium.stop();
  rmSync(folder, { recursive: true, force: true });
});

function batch(change: Partial<Header> = {}): Uint8Array {
  seq += 1;
  const header: Header = { digest: '11'.repeat(32), kind: 'supervision', localId: `${'a'.repeat(25)}a`, rights: 'publisher', schema: 1, status: 'active', subject: '', version: 1, ...change };
  return encodeBatchArgument({ headers: [header], previous: [], publisher: 'river', seq });
}

async function take(from: number, count: number, signal = new AbortController().signal): Promise<LedgerBlock[]> {
  const blocks: LedgerBlock[] = [];
  for await (const block of ledger.blocks(from, signal)) {
    blocks.push(block);
    if (blocks.length === count) break;
  }
  return blocks;
}

test('a committed transaction stands in its block with what it carried', async () => {
  const argument = batch();
  const submission = await ledger.submit('publish', argument);
  const { block: number } = await submission.committed();
  const [block] = await take(number, 1);
  const transaction = block?.transactions.find(({ id }) => id === submission.transactionId);
  expect(transaction).toMatchObject({ code: 'VALID', organisation: 'RiverMSP', function: ledgerFunctions.publish });
  expect(Buffer.from(transaction?.args[0] ?? []).equals(argument)).toBe(true);
  expect(transaction?.writes.map(({ key }) => key)).toEqual([`\u0000batch\u0000river\u0000${String(seq).padStart(12, '0')}\u0000`]);
  expect(Buffer.from(transaction?.response ?? []).toString()).toBe(Buffer.from(submission.response).toString());
  expect(transaction?.endorsements.map(({ organisation }) => organisation).sort()).toEqual(['HillMSP', 'RiverMSP']);
  expect(Math.abs((transaction?.time ?? 0) - Date.now() / 1000)).toBeLessThan(60);
  expect(await ledger.transactionCode(submission.transactionId)).toBe('VALID');
  expect(await ledger.transactionCode('0'.repeat(64))).toBeUndefined();
});

test('blocks come in order, each naming the hash of the one before', async () => {
  const blocks = await take(0, Number(consortium.ledger.height()));
  for (const [at, block] of blocks.entries()) {
    expect(block.number).toBe(at);
    if (at > 0) expect(block.previousHash).toBe(blocks[at - 1]?.hash);
  }
});

test("the contract's refusal comes back as its own code with its details", async () => {
  await expect(ledger.submit('publish', batch({ schema: 77 }))).rejects.toMatchObject({ code: 'SCHEMA_UNKNOWN', details: { kind: 'supervision', version: 77 } });
  const argument = batch();
  await (await ledger.submit('publish', argument)).committed();
  await expect(ledger.submit('publish', argument)).rejects.toMatchObject({ code: 'BATCH_EXISTS', details: { seq, root: expect.stringMatching(/^[0-9a-f]{64}$/) as string } });
});

test('of two that change the same key, one conflicts', async () => {
  const argument = batch();
  const both = await Promise.all([ledger.submit('publish', argument), ledger.submit('publish', argument)]);
  const outcomes = await Promise.allSettled(both.map(async (submission) => await submission.committed()));
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'LEDGER_CONFLICT' } });
});

test('a stream of blocks ends when its signal says so', async () => {
  const stop = new AbortController();
  const next = Number(consortium.ledger.height());
  const reading = (async (): Promise<number> => {
    let count = 0;
    for await (const _ of ledger.blocks(next, stop.signal)) {
      count += 1;
      stop.abort();
    }
    return count;
  })();
  await (await ledger.submit('publish', batch())).committed();
  expect(await reading).toBe(1);
});

test('a ledger that is away is said to be unavailable, and found again when it is back', async () => {
  await consortium.ledger.close();
  await expect(ledger.submit('publish', batch())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
  await expect(take(0, 1)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
  await consortium.restart();
  await expect.poll(async () => (await take(0, 1).catch(() => [])).length, { timeout: 20_000, interval: 100 }).toBe(1);
});

test('a connection file that is none is refused with its name', async () => {
  await expect(GatewayLedger.open(path.join(folder, 'none.json'), 'huilian')).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { reason: 'file-missing' } });
});

test('unreadable arguments are refused by the contract, not by the client', async () => {
  await expect(ledger.submit('propose', canonicalBytes('text'))).rejects.toMatchObject({ code: 'ARG_MALFORMED' });
});
