import { EvidenceVerifier } from '@huilian/sdk';
import { recoverPublicKey } from '../../../../node/dist/composition/recover-public-key.js';
import { BenchReader } from '../reader.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import { verifyPlainly } from './plain-verifier.js';
import type { EmbeddedWorld } from './world.js';

const files = 40;
/** Passes of one run over the files; a knowing verifier is faster. */
const passes = 5;
const knowingPasses = 25;
/** More pairs than elsewhere: one takes seconds. */
const pairsMore = 2;

/** P9: evidence files verified a second of processor time, by a verifier that knows nothing yet and by one that saw them before, against the plain way. */
export const measureEvidence: Measurer<EmbeddedWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  progress.step(`P9: ${String(files)} reads with receipts, their evidence exported / 导出证据`);
  const reader = await BenchReader.open(consortium, files);
  const exported: string[] = [];
  for (let read = 0; read < files; read += 1) exported.push(await reader.account(await reader.read()));
  const fingerprint = await reader.charterFingerprint();
  // The last one is not what it says: neither way may count without noticing.
  const [last = ''] = exported.splice(-1);
  const evidence = [...exported, last.replace(/"receipt":"([^"]*)\.[^".]*"/, (_whole, signed: string) => `"receipt":"${signed}.${'A'.repeat(86)}"`)];
  const holds = async (verifier: EvidenceVerifier, file: string): Promise<boolean> => (await verifier.verify(file, fingerprint)).ok;
  const knowing = new EvidenceVerifier(recoverPublicKey);
  const cold = async (): Promise<number> => await perSecond(evidence, passes, async (file) => await holds(new EvidenceVerifier(recoverPublicKey), file));
  const warm = async (): Promise<number> => await perSecond(evidence, knowingPasses, async (file) => await holds(knowing, file));
  const plain = async (): Promise<number> => await perSecond(evidence, passes, (file) => Promise.resolve(holdsPlainly(file, fingerprint)));
  for (const once of [cold, warm, plain]) await once();
  progress.step('P9: verified in turns / 交替验证');
  const runs = await inPairs(scale.pairs * pairsMore, async () => ({ cold: await cold(), warm: await warm() }), plain);
  const [coldRatios, warmRatios] = [spread(runs.map(([mine, other]) => mine.cold / other)), spread(runs.map(([mine, other]) => mine.warm / other))];
  const baseline = { what: 'Node\'s certificates, Fabric\'s messages, ethers verifyTypedData; every certificate and key parsed each time', filesASecond: Math.round(median(runs.map(([, other]) => other))) };
  const conditions = (rate: number): Record<string, unknown> => conditionsOf(world, { evidenceFiles: files, bytesAFile: last.length, filesASecond: Math.round(rate), counted: 'processor time of the process' });
  return [
    { id: 'P9', what: 'evidence files verified a second of processor time, by a verifier that knows nothing yet, against the plain way', unit: 'x', value: rounded(coldRatios.median), range: [rounded(coldRatios.min), rounded(coldRatios.max)], goal: { at: 'least', value: 3 }, baseline, conditions: conditions(median(runs.map(([mine]) => mine.cold))) },
    { id: 'P9-warm', what: 'the same by a verifier that saw these certificates, transactions and signatures before', unit: 'x', value: rounded(warmRatios.median), range: [rounded(warmRatios.min), rounded(warmRatios.max)], goal: { at: 'least', value: 30 }, baseline, conditions: conditions(median(runs.map(([mine]) => mine.warm))) },
  ];
};

function holdsPlainly(file: string, fingerprint: string): boolean {
  try {
    return verifyPlainly(file, fingerprint);
  } catch {
    return false;
  }
}

/** Files a second of processor time; one of them is broken. @throws where not exactly that one is refused, each time */
async function perSecond(evidence: readonly string[], times: number, holds: (file: string) => Promise<boolean>): Promise<number> {
  const before = process.cpuUsage();
  let refused = 0;
  for (let pass = 0; pass < times; pass += 1) {
    for (const file of evidence) if (!(await holds(file))) refused += 1;
  }
  const { system, user } = process.cpuUsage(before);
  if (refused !== times) throw new Error(`${String(refused)} evidence files were refused, ${String(times)} should have been`);
  return (times * evidence.length) / ((system + user) / 1e6);
}
