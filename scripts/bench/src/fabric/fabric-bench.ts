import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { missingBinaries } from '@huilian/fabric-network';
import { measureAuditing } from '../auditing.js';
import { measureGrowth } from '../growth.js';
import type { Bench } from '../run-bench.js';
import { BenchError, type MeasureGroup } from '../world.js';
import { Baseline } from './baseline.js';
import { measureAgainstManyKeys, measureBulkPush } from './bulk-push.js';
import { measureDelivery } from './delivery.js';
import { FabricConsortium } from './fabric-consortium.js';
import { measureAgainstPinning } from './pinning.js';
import { measureReads } from './reads.js';
import type { FabricWorld } from './world.js';

// Growth comes first: it wants a store that holds little.
const groups: readonly MeasureGroup<FabricWorld>[] = [
  { ids: ['P11'], steps: 4, run: measureGrowth },
  { ids: ['P1', 'P4'], steps: 12, run: measureBulkPush },
  { ids: ['P1b'], steps: 11, run: measureAgainstManyKeys },
  { ids: ['P2'], steps: 6, run: measureAgainstPinning },
  { ids: ['P6', 'P6b'], steps: 14, run: measureReads },
  { ids: ['P7'], steps: 4, run: measureDelivery },
  { ids: ['P14'], steps: 6, run: measureAuditing },
];

/** Headers of one batch and batches under way: what a centre that publishes in bulk would configure. */
const outbox = { maxHeaders: 5000, inFlight: 4 };

/** On real Hyperledger Fabric (Raft). */
export const fabricBench: Bench<FabricWorld> = {
  groups,
  check: () => {
    const missing = missingBinaries();
    if (missing.length > 0) throw new BenchError(`Hyperledger Fabric's commands are not on FABRIC_BIN or PATH (missing: ${missing.join(', ')}) / 未找到 Fabric 命令，请设置 FABRIC_BIN`);
  },
  start: async (folder, profileNode, say) => await FabricConsortium.start(folder, outbox, profileNode, say),
  open: async (consortium, rest) => {
    const plain = path.join(consortium.folder, 'baseline.ndjson');
    writeFileSync(plain, `${(await rest.lines(5000)).join('\n')}\n`);
    const baseline = await Baseline.start(consortium.connection('guangzhou'), plain);
    const { profile } = consortium.network.plan;
    const conditions = {
      fabric: consortium.network.binaries.version, consensus: profile.consensus, orderers: profile.orderers.length, peers: profile.centres.length, endorsement: 'majority',
      batching: profile.batching, ...outbox, allOnOneMachine: true,
    };
    return { ...rest, baseline, conditions, consortium };
  },
  close: async ({ baseline }) => { await baseline.stop(); },
};
