import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetworkFolder, takeDown } from '@huilian/fabric-network';
import { huilian, stateFolder, summaryOf, type Run, type Summary } from '../e2e/main-job.js';
import { fabricIsHere } from './fabric-command.js';

/** The steps as printed, without what differs from run to run: times, dates, fingerprints, the engine's own line. */
function steps({ stdout }: Run): string[] {
  return stdout
    .split('\n')
    .filter((line) => /^(✓|──)/.test(line) && !/内嵌账本已启动|Fabric 网络/.test(line))
    .map((line) => line.replace(/ {2}\([\d.]+ s\)$/, ''));
}

function counts(run: Run): Omit<Summary, 'seconds'> {
  const { seconds: _seconds, ...rest } = summaryOf(run);
  return rest;
}

describe.skipIf(!fabricIsHere())('the walk-through on Hyperledger Fabric', () => {
  const embeddedState = stateFolder();
  let embedded: Run;

  beforeAll(async () => {
    embedded = await huilian(['local', 'up', '--once', '--state', embeddedState.dir]);
  }, 120_000);
  afterAll(() => {
    embeddedState.remove();
  });

  describe.each([['raft', 'gateway'], ['raft', 'network'], ['bft', 'gateway']])('profile %s, %s client', (profile, client) => {
    const state = stateFolder();
    const arguments_ = ['local', 'up', '--once', '--engine', 'fabric', '--profile', profile, '--client', client, '--state', state.dir];
    let run: Run;

    beforeAll(async () => {
      run = await huilian(arguments_);
    }, 240_000);
    afterAll(async () => {
      await takeDown(new NetworkFolder(path.join(state.dir, 'ledger')), true);
      state.remove();
    }, 60_000);

    it('ends well, with the counts of the embedded run', () => {
      expect(run.stderr).not.toContain('✗');
      expect(run.code).toBe(0);
      expect(counts(run)).toEqual(counts(embedded));
    });

    it('prints the same steps with the same refusals', () => {
      expect(steps(run)).toEqual(steps(embedded));
      expect(steps(run).join('\n')).toMatch(/GRANT_REQUIRED[^]*GRANT_CLAIM_NOT_COVERED[^]*GRANT_EXHAUSTED[^]*REQUEST_NOT_READER[^]*GRANT_REVOKED, TICKET_ENDED/);
    });

    it('ended every process of the network', async () => {
      expect(await takeDown(new NetworkFolder(path.join(state.dir, 'ledger')), false)).toEqual([]);
    });
  });

  // The other sabotages end in the same place whatever the engine; tests/e2e has them all.
  it.each(['payload'])('sabotage of the %s ends non-zero there too', async (step) => {
    const state = stateFolder();
    try {
      const run = await huilian(['local', 'up', '--once', '--engine', 'fabric', '--profile', 'raft', '--break', step, '--state', state.dir]);
      expect(run.code).toBe(1);
      expect(run.stderr).toContain('✗ walk-through failed');
    } finally {
      await takeDown(new NetworkFolder(path.join(state.dir, 'ledger')), true);
      state.remove();
    }
  }, 120_000);
});
