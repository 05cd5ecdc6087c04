import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { checkCaseOn } from './check-case.js';
import type { Invoke, LedgerOutcome } from './memory-ledger.js';
import { caseOf, readVectors, sides } from './vector-file.js';

// Needs the build (npm test builds first); a process of its own, since this one resolves packages to their sources.
describe('the built chaincode, required from CommonJS', () => {
  let child: ChildProcessWithoutNullStreams;
  let invoke: Invoke;

  beforeAll(() => {
    child = spawn(process.execPath, [fileURLToPath(new URL('required-chaincode.cjs', import.meta.url))], {
      env: { PATH: process.env['PATH'], CORE_CHAINCODE_LOGGING_LEVEL: 'CRITICAL' },
    });
    let complaints = '';
    child.stderr.on('data', (text: Buffer) => {
      complaints += text.toString();
    });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    invoke = async (world, call): Promise<LedgerOutcome> => {
      child.stdin.write(`${JSON.stringify({ call, world })}\n`);
      const { done, value } = await answers.next();
      if (done === true) throw new Error(`the process ended: ${complaints}`);
      const { outcome, refusal } = JSON.parse(value) as { outcome?: LedgerOutcome; refusal?: string };
      if (outcome === undefined) throw new Error(refusal);
      return outcome;
    };
  });

  afterAll(() => {
    child.kill();
  });

  describe.each(['ledger-governance', 'ledger-entities', 'ledger-records', 'ledger-access'])('%s', (item) => {
    it.each(sides)('comes to what every %s vector says', async (side) => {
      const { cases, given } = readVectors(side, item);
      for (const vector of cases) await checkCaseOn(given[vector.input.given] ?? {}, caseOf(vector), invoke);
    });
  });
});
