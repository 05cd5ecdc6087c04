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
  const sweepers = Array.from({ length: workers }, () => new Sweeper({ ...process.env, ...world.env }));
  try {
    const base = path.join(folder, 'base');
    const { files, untouched } = await (sweepers[0] as Sweeper).build(base);
    const flips = new Tally('storage flips', `bytes of a store of ${String(files.reduce((sum, { bytes }) => sum + bytes, 0))} bytes changed / 逐字节翻转`);
    const cuts = new Tally('storage cuts', 'files of the store cut short / 逐长度截断');
    flips.expect(untouched === 'harmless', `the store that nobody damaged reads as ${untouched}`);
    const offset = new SeededRandom(scale.seed, 'sweep').between(0, scale.storageStride - 1);
    const damages = files.flatMap(({ bytes, file }) => (['flip', 'cut'] as const).flatMap((how) => Array.from({ length: bytes }, (_, at): Damage => ({ at, file, how })))).filter((_, index) => index % scale.storageStride === offset);
    let next = 0;
    await Promise.all(sweepers.map(async (sweeper, index) => {
      const work = path.join(folder, `work-${String(index)}`);
      mkdirSync(work);
      while (next < damages.length) {
        const share = damages.slice(next, (next += damagesPerOrder));
        progress.step(`damages to a small store ${String(next)} of ${String(damages.length)}`);
        const verdicts = await sweeper.judge(base, work, share);
        for (const [at, damage] of share.entries()) note(damage.how === 'flip' ? flips : cuts, damage, verdicts[at] ?? 'silent');
      }
    }));
    return [flips.result(), cuts.result()];
  } finally {
    for (const sweeper of sweepers) sweeper.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function note(tally: Tally, { at, file, how }: Damage, verdict: Verdict): void {
  tally.faults += 1;
  tally.count(verdict);
  if (verdict === 'silent' && Number(tally.figures['silent']) <= 20) tally.violation(`silent: ${how} of ${file} at ${String(at)}`);
}

/** A process that tries damages. LevelDB ends the process by an assertion of its own where it reads what cannot be; a node would end there too. */
class Sweeper {
  private child: ChildProcess;

  public constructor(private readonly env: NodeJS.ProcessEnv) {
    this.child = this.start();
  }

  public async build(base: string): Promise<{ readonly files: readonly { readonly file: string; readonly bytes: number }[]; readonly untouched: Verdict }> {
    return await this.ask({ build: base });
  }

  public async judge(base: string, work: string, damages: readonly Damage[]): Promise<readonly Verdict[]> {
    const verdicts: Verdict[] = [];
    for (const damage of damages) verdicts.push(await this.verdict({ base, work, damage }));
    return verdicts;
  }

  public end(): void {
    this.child.disconnect();
  }

  private async verdict(order: object): Promise<Verdict> {
    try {
      return (await this.ask<{ verdict: Verdict }>(order)).verdict;
    } catch (error) {
      if (!(error instanceof EndedError) || error.signal !== 'SIGABRT') throw error;
      this.child = this.start();
      return 'ended';
    }
  }

  private start(): ChildProcess {
    return fork(script, { env: this.env, stdio: ['ignore', 'inherit', 'ignore', 'ipc'] });
  }

  private async ask<T>(order: object): Promise<T> {
    const { child } = this;
    return await new Promise((resolve, reject) => {
      const gone = (code: number | null, signal: NodeJS.Signals | null): void => {
        child.off('message', answered);
        reject(new EndedError(signal, code));
      };
      const answered = (answer: unknown): void => {
        child.off('exit', gone);
        resolve(answer as T);
      };
      child.once('exit', gone);
      child.once('message', answered);
      child.send(order);
    });
  }
}

class EndedError extends Error {
  public constructor(public readonly signal: NodeJS.Signals | null, code: number | null) {
    super(`the sweep ended with ${String(signal ?? code)}`);
  }
}
