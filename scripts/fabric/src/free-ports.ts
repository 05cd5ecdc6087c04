import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range from which systems take ports of outgoing connections, so that a stopped network finds its ports free again. */
const range = { first: 17_000, last: 31_999 } as const;

export async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** Ports on loopback that are free now and not in `taken`; they are written down, so a restart keeps them. */
export async function freePorts(count: number, taken: ReadonlySet<number>): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(range.first, range.last);
    if (!taken.has(port) && !found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}
