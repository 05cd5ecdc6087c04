import { cpSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inject } from 'vitest';
import { huilian } from './main-job.js';

/**
 * Fills an empty folder with the local consortium as the walk-through leaves it. It is walked through once for each worker in
 * a run of the tests, and copied from then on: nothing in it says where it lies, and a worker's files run one after the other, so
 * its ports are free again.
 */
export async function walkedThrough(dir: string): Promise<void> {
  const kept = path.join(inject('runFolder'), `worker-${process.env['VITEST_POOL_ID'] ?? ''}`);
  const whole = `${kept}.whole`;
  if (!existsSync(whole)) {
    const run = await huilian(['local', 'up', '--once', '--state', kept]);
    if (run.code !== 0) throw new Error(`the walk-through ended with ${String(run.code)}: ${run.stderr}`);
    writeFileSync(whole, '');
  }
  cpSync(kept, dir, { recursive: true });
}
