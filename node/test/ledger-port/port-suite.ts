import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalBytes, encodeBatchArgument, ledgerFunctions, type Header } from '@huilian/protocol';
import type { Ledger, LedgerBlock } from '../../src/core/ports.js';

/** A founded consortium behind one client of the ledger. */
export interface PortWorld {
  readonly ledger: Ledger;
  /** A founding centre, whose organisation the client acts for; the kind `supervision` is adopted. */
  readonly publisher: string;
  readonly organisation: string;
  /** How many organisations must endorse. */
  readonly majority: number;
  /** Takes the ledger away, as seen by the client, and brings it back. */
  away(): Promise<void>;
  back(): Promise<void>;

  close(): Promise<void>;
}

// Batches of one publisher are numbered; each run on a ledger starts somewhere else.
let seq = 1 + (randomBytes(4).readUInt32BE() % 1_000_000) * 1000;

function header(change: Partial<Header> = {}): Header {
  const localId = [...randomBytes(26)].map((byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte & 31]).join('').replace(/.$/, 'a');
  return { digest: randomBytes(32).toString('hex'), kind: 'supervision', localId, rights: 'publisher', schema: 1, status: 'active', subject: '', version: 1, ...change };
}

/** What every client must do on every engine. */
export function ledgerPortSuite(title: string, open: () => Promise<PortWorld>, limits: { readonly setUpMs?: number; readonly caseMs?: number } = {}): void {
  const { setUpMs = 120_000, caseMs = 60_000 } = limits;
  describe(title, { timeout: caseMs }, () => {
    let world: PortWorld;
    let ledger: Ledger;

    beforeAll(async () => {
      world = await open();
      ({ ledger } = world);
    }, setUpMs);
    afterAll(async () => {
      await world.close();
    }, setUpMs);

    function batch(change: Partial<Header> = {}, count = 1): Uint8Array {
      seq += 1;
      return encodeBatchArgument({ headers: Array.from({ length: count }, () => header(change)), previous: [], publisher: world.publisher, seq });
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
      expect(transaction).toMatchObject({ code: 'VALID', organisation: world.organisation, function: ledgerFunctions.publish });
      expect(Buffer.from(transaction?.args[0] ?? []).equals(argument)).toBe(true);
      expect(transaction?.writes.map(({ key }) => key)).toEqual([`\u0000batch\u0000${world.publisher}\u0000${String(seq).padStart(12, '0')}\u0000`]);
      expect(Buffer.from(transaction?.response ?? []).toString()).toBe(Buffer.from(submission.response).toString());
      expect(new Set(transaction?.endorsements.map(({ organisation }) => organisation)).size).toBeGreaterThanOrEqual(world.majority);
      expect(Math.abs((transaction?.time ?? 0) - Date.now() / 1000)).toBeLessThan(60);
      expect(await ledger.transactionCode(submission.transactionId)).toBe('VALID');
    });

    test('the height is the number of the last block', async () => {
      const { block } = await (await ledger.submit('publish', batch())).committed();
      expect(await ledger.height()).toBeGreaterThanOrEqual(block);
      expect((await take(await ledger.height(), 1))[0]?.number).toBeGreaterThanOrEqual(block);
    });

    test('a transaction nobody ordered is not known', async () => {
      expect(await ledger.transactionCode('0'.repeat(64))).toBeUndefined();
    });

    test('blocks come in order from the first on, each naming the hash of the one before', async () => {
      const { block: last } = await (await ledger.submit('publish', batch())).committed();
      const blocks = await take(0, last + 1);
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

    test('unreadable arguments are refused by the contract, not by the client', async () => {
      await expect(ledger.submit('propose', canonicalBytes('text'))).rejects.toMatchObject({ code: 'ARG_MALFORMED' });
    });

    test('transient data reaches the contract and stays off the ledger', async () => {
      const secret = Buffer.from(JSON.stringify([randomBytes(300).toString('base64')]));
      const statement = canonicalBytes({ algorithm: 'ecdsa-sha256', signature: 'AA', statement: { expires: 1, key: '0x00', owner: 'org:x', salt: '0x00' } });
      // The statement is nonsense: the refusal tells that the contract ran, and nothing of it is written anywhere.
      await expect(ledger.submit('registerOwner', statement, { certificate: secret })).rejects.toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) as string });
    });

    test('of two that change the same key, one conflicts', async () => {
      const argument = batch();
      const both = await Promise.all([ledger.submit('publish', argument), ledger.submit('publish', argument)]);
      const outcomes = await Promise.allSettled(both.map(async (submission) => await submission.committed()));
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'LEDGER_CONFLICT' } });
    });

    test('a block larger than gRPC would take by default arrives whole', async () => {
      // Digests do not compress: 5,000 headers are about 0.4 MB, so a dozen batches in one block pass 4 MB; one block of one batch is enough for a reader that takes whole batches.
      const submissions = await Promise.all(Array.from({ length: 12 }, async () => await ledger.submit('publish', batch({}, 4000))));
      const places = await Promise.all(submissions.map(async (submission) => (await submission.committed()).block));
      const [first = 0, last = 0] = [Math.min(...places), Math.max(...places)];
      const blocks = await take(first, last - first + 1);
      const ids = new Set(blocks.flatMap(({ transactions }) => transactions.map(({ id }) => id)));
      for (const { transactionId } of submissions) expect(ids.has(transactionId)).toBe(true);
    });

    test('a stream of blocks ends when its signal says so', async () => {
      const stop = new AbortController();
      const { block: last } = await (await ledger.submit('publish', batch())).committed();
      const reading = (async (): Promise<number> => {
        let count = 0;
        for await (const _ of ledger.blocks(last + 1, stop.signal)) {
          count += 1;
          stop.abort();
        }
        return count;
      })();
      await (await ledger.submit('publish', batch())).committed();
      expect(await reading).toBe(1);
    });

    test('a ledger that is away is said to be unavailable, and found again when it is back', async () => {
      await world.away();
      await expect(ledger.submit('publish', batch())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
      await expect(take(0, 1)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
      await expect(ledger.height()).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
      await world.back();
      await expect.poll(async () => (await take(0, 1).catch(() => [])).length, { timeout: 30_000, interval: 200 }).toBe(1);
      const published = expect.poll(
        async () => {
          const submission = await ledger.submit('publish', batch()).catch(() => undefined);
          return submission === undefined ? 'away' : (await submission.committed(), 'published');
        },
        { timeout: 30_000, interval: 200 },
      );
      await published.toBe('published');
    });
  });
}
