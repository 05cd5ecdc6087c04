import { existsSync } from 'node:fs';
import path from 'node:path';
import { fabric } from '../fabric/fabric-command.js';
import { Cast } from './cast.js';
import type { Difference } from './compare.js';
import { EmbeddedEngine, probeChaincode } from './embedded-engine.js';
import { FabricEngine } from './fabric-engine.js';
import { ParityRun } from './parity-run.js';
import { writeSummary } from './summary.js';

export interface ParityRequest {
  /** Folder of a network of scripts/fabric: one on which nothing was founded yet, or none, which is then brought up. */
  readonly dir: string;
  /** Folder for the embedded ledger. */
  readonly work: string;
  readonly schedules: number;
  /** Seed of the first schedule; the others follow. */
  readonly seed: number;
  /** File for the summary. */
  readonly summary: string | undefined;
  readonly progress: boolean;
}

/** Types of the composite keys of both chaincodes. */
const keyTypes = ['charter', 'founding', 'member', 'electorate', 'proposal', 'schema', 'ca', 'trustList', 'codeSet', 'ruleSet', 'owner', 'batch', 'record', 'contested', 'ticket', 'request', 'slot', 'receipt', 'dispute', 'revocation', 'policy'];

async function command(...args: readonly string[]): Promise<void> {
  const { code, stderr, stdout } = await fabric(args);
  if (code !== 0) throw new Error(`fabric ${args.join(' ')}: ${stderr}${stdout}`);
}

async function bringUp(dir: string): Promise<FabricEngine> {
  const file = path.join(dir, 'network.json');
  if (!existsSync(file)) await command('up', '--profile', 'raft', '--dir', dir);
  await command('batching', '--name', 'low-latency', '--dir', dir);
  await command('deploy', '--name', 'probe', '--version', '1', '--chaincode', probeChaincode, '--dir', dir);
  return new FabricEngine(file);
}

/** Plays schedules on a Fabric network and on an embedded ledger with the same authorities; at last replaces the contract by one that reads the whole state. */
export async function playOnFabric(request: ParityRequest): Promise<{ readonly differences: readonly Difference[] }> {
  const begun = Date.now();
  const onFabric = await bringUp(request.dir);
  const embedded = new EmbeddedEngine(path.join(request.work, 'ledger'), 'embedded ledger', onFabric.authorities(), onFabric.identities());
  try {
    await embedded.start();
    await onFabric.start();
    const run = new ParityRun([embedded.engine, onFabric.engine], await Cast.assemble(embedded.dir, onFabric.identities()));
    await run.found();
    for (let seed = request.seed; seed < request.seed + request.schedules; seed += 1) {
      await run.play(seed);
      if (request.progress && seed % 10 === 0) process.stderr.write(`seed ${String(seed)}, ${String(run.differences.length)} differences, ${String(Math.round((Date.now() - begun) / 1000))} s\n`);
    }
    const end = await run.finish();
    await command('deploy', '--version', '2', '--chaincode', probeChaincode, '--dir', request.dir);
    await embedded.start(true);
    await run.dump('huilian', keyTypes, 1);
    await run.dump('probe', ['pair'], 2);
    if (request.summary !== undefined) writeSummary(request.summary, { run, end, schedules: request.schedules, seed: request.seed, fabric: onFabric.description.profile, seconds: Math.round((Date.now() - begun) / 1000) });
    if (request.progress) for (const difference of run.differences) process.stderr.write(`${JSON.stringify(difference)}\n`);
    return { differences: run.differences };
  } finally {
    onFabric.engine.close();
    await embedded.stop();
  }
}
