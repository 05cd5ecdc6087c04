import { afterAll, beforeAll, describe } from 'vitest';
import { badBatches } from './bad-input/bad-batches.js';
import { badGrants } from './bad-input/bad-grants.js';
import { badReads } from './bad-input/bad-reads.js';
import { badRecords } from './bad-input/bad-records.js';
import { badSignIns } from './bad-input/bad-sign-ins.js';
import { badTrails } from './bad-input/bad-trails.js';
import { manyReads } from './bad-input/many-reads.js';
import { nodesDown } from './bad-input/nodes-down.js';
import { RunningConsortium } from './running-consortium.js';

// What a careless or hostile caller may send to the doors of real nodes. One consortium serves all of it: every refusal
// must leave it as it was. What stops nodes or damages their disks comes last.
describe('bad input at the doors', () => {
  const local = new RunningConsortium();
  beforeAll(async () => {
    await local.start();
  }, 240_000);
  afterAll(async () => {
    await local.stop();
  });

  badSignIns(local);
  badGrants(local);
  badReads(local);
  manyReads(local);
  badTrails(local);
  badBatches(local);
  badRecords(local);
  nodesDown(local);
});
