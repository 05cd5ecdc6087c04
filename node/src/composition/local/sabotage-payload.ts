import path from 'node:path';
import { LevelStore } from '../../adapters/level/level-store.js';
import type { LocalConsortium } from './local-consortium.js';

/** Flips one bit in every sealed payload of a stopped node: what an insider with the disk, but not the keys, could do. */
export async function sabotagePayload(local: LocalConsortium, centre: string): Promise<void> {
  await local.stopNode(centre);
  const store = await LevelStore.open(path.join(local.layout.node(centre), 'data'), { diskFloorBytes: 0 });
  for await (const [key, value] of store.entries({ gte: 'vault/row/', lt: 'vault/row/~' })) {
    const changed = Uint8Array.from(value);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    await store.write([{ key, value: changed }]);
  }
  await store.close();
  await local.startNode(centre);
}
