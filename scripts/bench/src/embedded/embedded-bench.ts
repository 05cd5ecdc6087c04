import { measureAuditing } from '../auditing.js';
import { measureGrowth } from '../growth.js';
import type { Bench } from '../run-bench.js';
import type { MeasureGroup } from '../world.js';
import { measureColdStart } from './cold-start.js';
import { EmbeddedConsortium } from './embedded-consortium.js';
import { measureEvidence } from './evidence.js';
import { measureGrantCheck } from './grant-check.js';
import { measureMemory } from './memory.js';
import { measureAgainstObviousPipeline } from './obvious-pipeline.js';
import { measureAgainstRawStore } from './raw-store.js';
import { measureRebuild } from './rebuild.js';
import { measureRepeatedRead } from './repeated-read.js';
import type { EmbeddedWorld } from './world.js';

// Growth comes first: it wants a store that holds little.
const groups: readonly MeasureGroup<EmbeddedWorld>[] = [
  { ids: ['P11'], steps: 4, run: measureGrowth },
  { ids: ['P3'], steps: 4, run: measureAgainstRawStore },
  { ids: ['P3b'], steps: 7, run: measureAgainstObviousPipeline },
  { ids: ['P5'], steps: 4, run: measureRepeatedRead },
  { ids: ['P9', 'P9-warm'], steps: 2, run: measureEvidence },
  { ids: ['P10', 'P10-repeated'], steps: 2, run: measureGrantCheck },
  { ids: ['P12', 'P12-command'], steps: 10, run: measureColdStart },
  { ids: ['P13'], steps: 11, run: measureMemory },
  { ids: ['P14'], steps: 6, run: measureAuditing },
  { ids: ['P15'], steps: 6, run: measureRebuild },
];

const outbox = { maxHeaders: 5000, inFlight: 4 };

/** On the embedded ledger: nothing but this repository is needed. */
export const embeddedBench: Bench<EmbeddedWorld> = {
  groups,
  check: () => undefined,
  start: async (folder, profileNode, say) => await EmbeddedConsortium.start(folder, outbox, profileNode, say),
  open: (consortium, rest) => Promise.resolve({ ...rest, consortium, conditions: { ledger: 'embedded', endorsement: 'majority', ...outbox, allOnOneMachine: true } }),
  close: () => Promise.resolve(),
};
