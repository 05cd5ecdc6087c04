import { randomFillSync } from 'node:crypto';
import type { Random } from '../../core/ports.js';

const poolBytes = 16 * 1024;
const pool = new Uint8Array(poolBytes);
let used = poolBytes;

/** The operating system's generator. Small draws come out of a pool, which is many times faster; no byte is given twice. */
export const systemRandom: Random = {
  bytes(length: number): Uint8Array {
    if (length > poolBytes / 4) return randomFillSync(new Uint8Array(length));
    if (used + length > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    const drawn = pool.slice(used, used + length);
    pool.fill(0, used, used + length);
    used += length;
    return drawn;
  },
};
