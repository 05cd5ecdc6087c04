import { describe, expect, it } from 'vitest';
import { header, rootOf, TIME } from './consortium.js';
import { validAccess } from './cases/access-cases.js';
import { seq, TX, worlds } from './cases/ledger-case.js';
import { argumentBytes, invoke, type LedgerCall } from './memory-ledger.js';
import type { Json } from './plain-json.js';

// Each state operation is a round trip to the peer, so their number is what a transaction costs.
describe('what a transaction costs', () => {
  it('publishes 5,000 headers of version 1 with four reads and one write', async () => {
    const headers = Array.from({ length: 5000 }, (_, index) => header(`record ${String(index)}`));
    const call: LedgerCall = { function: 'records:publish', batch: { headers, previous: [], publisher: 'guangzhou', seq: 7 }, caller: 'GuangzhouMSP', time: TIME, transaction: TX };
    const { reads, writes } = await invoke(worlds.published, call);
    expect(reads).toEqual(['charter', 'member guangzhou', `batch guangzhou ${seq(7)}`, `schema credit ${seq(1)}`]);
    expect(writes).toEqual({ [`batch guangzhou ${seq(7)}`]: { count: 5000, root: rootOf(headers) } });
    // The argument is stored in the block: at most 120 bytes for each record.
    expect(argumentBytes(call).length / headers.length).toBeLessThan(120);
  });

  it('decides 256 requests with each key read once', async () => {
    const accepted = validAccess.find(({ name }) => name === 'open: by a grant')?.call as LedgerCall;
    const [entry] = (accepted.argument as { entries: readonly Json[] }).entries;
    const { reads, response } = await invoke(worlds.published, { ...accepted, argument: { entries: Array.from({ length: 256 }, () => entry ?? null) } });
    expect(new Set((response as unknown as readonly { ticket: string }[]).map(({ ticket }) => ticket))).toEqual(new Set([`${TX}/0`]));
    expect(reads.length).toBe(new Set(reads).size);
    expect(reads.length).toBeLessThanOrEqual(12);
  });
});
