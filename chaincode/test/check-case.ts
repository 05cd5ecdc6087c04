import { expect } from 'vitest';
import { parseErrorMessage } from '@huilian/protocol';
import { worlds, type LedgerCase } from './cases/ledger-case.js';
import { changed, invoke, type Invoke, type LedgerOutcome, type World } from './memory-ledger.js';

/** A case on the world it names. */
export async function checkCase(made: LedgerCase): Promise<void> {
  await checkCaseOn(worlds[made.given], made);
}

export async function checkCaseOn(given: World, { call, code, expect: expected, state }: Omit<LedgerCase, 'given' | 'name'>, run: Invoke = invoke): Promise<void> {
  const world = changed(given, state ?? {});
  if (expected === undefined) {
    expect(await refusalOf(run(world, call), call.function === 'access:open')).toBe(code);
    return;
  }
  const { reads, ...outcome } = await run(world, call);
  const { reads: mustRead, ...rest } = expected;
  expect(outcome).toEqual(rest);
  expect(reads).toEqual(expect.arrayContaining([...(mustRead ?? [])]));
}

/** The code a call is refused with; a pack of one request is refused in its answer, and then writes nothing. */
async function refusalOf(outcome: Promise<LedgerOutcome>, pack: boolean): Promise<string> {
  try {
    const { event, response, writes } = await outcome;
    const [only, ...more] = Array.isArray(response) ? (response as readonly { code?: string }[]) : [];
    if (!pack || more.length > 0 || event !== null || Object.keys(writes).length > 0) return 'accepted';
    return only?.code ?? 'accepted';
  } catch (error) {
    // A code travels in the message, as it does through a peer's answer.
    const refusal = error instanceof Error ? parseErrorMessage(error.message) : undefined;
    if (refusal === undefined) throw error;
    return refusal.code;
  }
}
