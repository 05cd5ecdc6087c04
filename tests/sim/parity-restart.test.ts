import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cast } from '../parity/cast.js';
import { EmbeddedEngine } from '../parity/embedded-engine.js';
import { ParityRun } from '../parity/parity-run.js';
import { makeSchedule } from '../parity/schedule.js';

const dir = mkdtempSync(path.join(tmpdir(), 'huilian-parity-'));
const steady = new EmbeddedEngine(path.join(dir, 'steady'), 'embedded ledger');
let restarted: EmbeddedEngine | undefined;

beforeAll(async () => {
  await steady.start();
  restarted = new EmbeddedEngine(path.join(dir, 'restarted'), 'embedded ledger, restarted', steady.givenAuthorities(), steady.identities());
  await restarted.start();
});

afterAll(async () => {
  await steady.stop();
  await restarted?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('schedules of calls on an embedded ledger and on one that is started again between them', () => {
  it('a seed gives the same schedule, and another seed another', () => {
    expect(makeSchedule(7)).toEqual(makeSchedule(7));
    expect(makeSchedule(7)).not.toEqual(makeSchedule(8));
  });

  it('answers, validation codes, write sets, state, events and read model are the same', async () => {
    if (restarted === undefined) throw new Error('not started');
    const run = new ParityRun([steady.engine, restarted.engine], await Cast.assemble(steady.dir, steady.identities()));
    await run.found();
    for (let seed = 1; seed <= 12; seed += 1) {
      await run.play(seed);
      if (seed % 4 === 0) await restarted.start();
    }
    const end = await run.finish();
    expect(run.differences).toEqual([]);
    expect(end.stateKeys).toBeGreaterThan(40);
    expect([...(run.counts.get('validation code')?.keys() ?? [])]).toEqual(expect.arrayContaining(['VALID', 'MVCC_READ_CONFLICT', 'DUPLICATE_TXID', 'ENDORSEMENT_POLICY_FAILURE']));
  }, 120_000);
});
