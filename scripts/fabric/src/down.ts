import { rmSync } from 'node:fs';
import type { NetworkFolder } from './plan.js';
import { Processes } from './processes.js';

/**
 * Ends every process of a network, chaincode and peers before orderers. Needs nothing but the folder: what was started
 * is ended even where Fabric's commands are gone.
 */
export async function takeDown(folder: NetworkFolder, remove: boolean): Promise<readonly string[]> {
  const processes = new Processes(folder);
  const names = processes.names();
  const orderers = names.filter((name) => name.startsWith('orderer.'));
  for (const group of [names.filter((name) => !orderers.includes(name)), orderers]) {
    await Promise.all(group.map(async (name) => {
      await processes.stop(name);
    }));
  }
  if (remove) rmSync(folder.root, { recursive: true, force: true });
  return names;
}
