import { afterAll, beforeAll, describe } from 'vitest';
import { ledgerPortSuite } from '../../node/test/ledger-port/port-suite.js';
import { fabricIsHere, networkFolder } from './fabric-command.js';
import { portWorld, startNetwork, type RunningNetwork } from './network-world.js';

// The older client does not know BFT ordering; Fabric's documentation asks for the gateway there.
describe.skipIf(!fabricIsHere())('the ledger port on BFT', () => {
  const folder = networkFolder();
  let running: RunningNetwork;

  beforeAll(async () => {
    running = await startNetwork(folder.at('bft'), 'bft');
  }, 120_000);
  afterAll(async () => {
    await folder.remove();
  }, 60_000);

  ledgerPortSuite('the gateway client', async () => await portWorld(running, 'gateway'));
});
