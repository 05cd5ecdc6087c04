import { until } from '../consortium.js';
import type { DataWorld } from './world.js';

interface MirrorAnswer {
  readonly state: string;
  readonly blocksBehind: number;
  readonly generation: number;
  readonly rebuilding?: object;
}

async function mirrorStatus({ consortium }: DataWorld): Promise<MirrorAnswer> {
  return await consortium.get('guangzhou', '/v1/mirror');
}

/** Waits until the database holds what the ledger holds. */
export async function whenMirrored(world: DataWorld): Promise<void> {
  const longest = 3_600_000;
  await until(async () => {
    const { blocksBehind, rebuilding, state } = await mirrorStatus(world);
    return state === 'following' && blocksBehind === 0 && rebuilding === undefined;
  }, 50, longest);
}
