import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetworkFolder, takeDown } from '@huilian/fabric-network';
import { ledgerPortSuite } from '../../node/test/ledger-port/port-suite.js';
import { huilian, stateFolder, summaryOf } from '../e2e/main-job.js';
import { fabricIsHere, networkFolder } from './fabric-command.js';
import { portWorld, startNetwork, type RunningNetwork } from './network-world.js';

// What `npm test` runs of Hyperledger Fabric where its commands are found; `npm run fabric:test` runs it with the rest.
const here = fabricIsHere();

describe.skipIf(!here)('the ledger port on Raft', () => {
  const folder = networkFolder();
  let running: RunningNetwork;

  beforeAll(async () => {
    running = await startNetwork(folder.at('raft'), 'raft');
  }, 120_000);
  afterAll(async () => {
    await folder.remove();
  }, 60_000);

  ledgerPortSuite('the gateway client', async () => await portWorld(running, 'gateway'));
  ledgerPortSuite('the network client', async () => await portWorld(running, 'network'));
});

describe.skipIf(!here)('the walk-through on Raft', () => {
  const state = stateFolder();
  afterAll(async () => {
    await takeDown(new NetworkFolder(path.join(state.dir, 'ledger')), true);
    state.remove();
  }, 60_000);

  it('ends well', async () => {
    const run = await huilian(['local', 'up', '--once', '--engine', 'fabric', '--profile', 'raft', '--state', state.dir]);
    expect(run.stderr).not.toContain('✗');
    expect(run.code).toBe(0);
    expect(summaryOf(run)).toMatchObject({ refusedWithoutGrant: 1, refusedAfterCount: 1, refusedReplay: 1, refusedAfterRevocation: 2, evidenceVerified: true, tamperedRefused: true });
  }, 180_000);
});
