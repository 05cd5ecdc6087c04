import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Drill } from './drill.js';
import { Tally, type DrillResult } from './result.js';
import { SeededRandom } from './seeded-random.js';
import type { Verdict } from './sweep-process.js';

const script = fileURLToPath(new URL('./sweep-process.js', import.meta.url));
const workers = 2;
const damagesPerOrder = 100;

interface Damage {
  readonly file: string;
  readonly at: number;
  readonly how: 'flip' | 'cut';
}

/** Every byte of a small store changed, every file of it cut at every length: detected or harmless, never silent. */
export async function sweepStore({ progress, scale, world }: Drill): Promise<readonly DrillResult[]> {
  const fast = '/dev/shm';
  const folder = mkdtempSync(path.join(existsSync(fast) ? fast : tmpdir(), 'huilian-sweep-'));
  const processes = Array.from({ length: workers }, () => fork(script, { env: { ...process.env, ...world.env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
  try {
    const base = path.join(folder, 'base');
    const { files, untouched } = await ask<{ files: { file: string; bytes: number }[]; untouched: Verdict }>(processes[0] as ChildProcess, { build: base });
    const flips = new Tally('storage flips', `bytes of a store of ${String(files.reduce((sum, { bytes }) => sum + bytes, 0))} bytes changed / 逐字节翻转`);
    const cuts = new Tally('storage cuts', 'files of the store cut short / 逐长度截断');
    flips.expect(untouched === 'harmless', `the store that nobody damaged reads as ${untouched}`);
    const offset = new SeededRandom(scale.seed, 'sweep').between(0, scale.storageStride - 1);
    const damages = files.flatMap(({ bytes, file }) => (['flip', 'cut'] as const).flatMap((how) => Array.from({ length: bytes }, (_, at): Damage => ({ at, file, how })))).filter((_, index) => index % scale.storageStride === offset);
    let next = 0;
    await Promise.all(processes.map(async (child, index) => {
      const work = path.join(folder, `work-${String(index)}`);
      mkdirSync(work);
      while (next < damages.length) {
        const share = damages.slice(next, (next += damagesPerOrder));
        progress.step(`damages to a small store ${String(next)} of ${String(damages.length)}`);
        const { verdicts } = await ask<{ verdicts: Verdict[] }>(child, { base, damages: share, work });
        for (const [at, damage] of share.entries()) note(damage.how === 'flip' ? flips : cuts, damage, verdicts[at] ?? 'silent');
      }
    }));
    return [flips.result(), cuts.result()];
  } finally {
    for (const child of processes) child.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

function note(tally: Tally, { at, file, how }: Damage, verdict: Verdict): void {
  tally.faults += 1;
  tally.count(verdict);
  if (verdict === 'silent' && Number(tally.figures['silent']) <= 20) tally.violation(`silent: ${how} of ${file} at ${String(at)}`);
}

async function ask<T>(child: ChildProcess, order: object): Promise<T> {
  return await new Promise((resolve, reject) => {
    const gone = (code: number | null): void => { reject(new Error(`the sweep ended with ${String(code)}`)); };
    child.once('exit', gone);
    child.once('message', (answer) => {
      child.off('exit', gone);
      resolve(answer as T);
    });
    child.send(order);
  });
}
