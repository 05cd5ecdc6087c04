import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { centres, root, type Centre, type Victim } from './drill-world.js';
import type { Drill } from './drill.js';
import { judge } from './judge.js';
import { RecordingProxy } from './recording-proxy.js';
import { Tally, type DrillResult } from './result.js';
import { SeededRandom } from './seeded-random.js';

const rowsPerSync = 600;
const rowsPerStep = 10;
const leastOfEach = 10;
const syncMilliseconds = 60_000;
/** Kills that came before the first acknowledgement or after the last do not count, as on a busy machine; so many for each, and something else is wrong. */
const mostMissesOfAKill = 4;
type Target = 'node' | 'ledger' | 'cli';

/** One sync by the real command line through a proxy that keeps what it was told. */
class Sync {
  public acknowledged = 0;
  private readonly waiting: { readonly least: number; readonly resolve: () => void }[] = [];

  private constructor(
    private readonly files: readonly string[],
    private readonly proxy: RecordingProxy,
  ) {}

  public static async open(drill: Drill, files: readonly string[], pace: number): Promise<Sync> {
    const proxy = await RecordingProxy.start(drill.world.url('guangzhou'), pace, (ids) => {
      drill.acknowledged.note(ids);
      sync.note(ids.length);
    });
    const sync = new Sync(files, proxy);
    return sync;
  }

  /** Starts the command; answers its process and its end. */
  public run(drill: Drill): { readonly kill: () => void; readonly ended: Promise<number | null> } {
    const args = [path.join(root, 'node', 'dist', 'main.js'), 'sync', '--json', '--kind', 'credit', '--state', drill.world.stateOf('guangzhou'), ...this.files];
    const child = spawn(process.execPath, args, { env: { ...process.env, HUILIAN_PUBLIC_URL: this.proxy.url }, stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', resolve);
    });
    return { kill: () => child.kill('SIGKILL'), ended };
  }

  /** Resolves once so many rows were acknowledged. */
  public async whenAcknowledged(least: number): Promise<void> {
    if (this.acknowledged >= least) return;
    await new Promise<void>((resolve) => { this.waiting.push({ least, resolve }); });
  }

  public async close(): Promise<void> {
    await this.proxy.close();
  }

  private note(rows: number): void {
    this.acknowledged += rows;
    for (const waiter of this.waiting.splice(0)) {
      if (this.acknowledged >= waiter.least) waiter.resolve();
      else this.waiting.push(waiter);
    }
  }
}

/** kill -9 of a node, the ledger or the syncing command line between the first and the last acknowledgement. */
export async function runKillDrill(drill: Drill): Promise<readonly DrillResult[]> {
  const { progress, scale, world } = drill;
  const random = new SeededRandom(scale.seed, 'kills');
  const tally = new Tally('kills', 'kill -9 in a sync: node, ledger, command line / 同步中强制终止');
  const files: string[] = [];
  const misses = { left: scale.kills * mostMissesOfAKill };
  for (const [index, target] of targets(random, scale.kills).entries()) {
    const file = path.join(world.logs, `kill-${String(index)}-credit.csv`);
    const victim = await killOnce(drill, random, target, file, tally, misses);
    if (victim === undefined) continue;
    files.push(file);
    tally.kills += 1;
    tally.faults += 1;
    tally.count(`kills of ${target}`);
    progress.step(`kill ${String(tally.kills)} of ${String(scale.kills)}`);
  }
  tally.expect(tally.kills === scale.kills, `only ${String(tally.kills)} of ${String(scale.kills)} kills met a sync under way`);
  await world.revive();
  progress.step('every file is synced again');
  await syncAgain(drill, files, tally);
  await judge(drill, tally);
  return [tally.result()];
}

/** Each target its share of the kills, at least ten where there are that many. */
function targets(random: SeededRandom, kills: number): readonly Target[] {
  const each = Math.min(leastOfEach, Math.floor(kills / 3));
  const sure = (['node', 'ledger', 'cli'] as const).flatMap((target) => Array.from({ length: each }, () => target));
  const rest = Array.from({ length: kills - sure.length }, () => random.pick(['node', 'ledger', 'cli'] as const));
  return random.shuffled([...sure, ...rest]);
}

async function killOnce(drill: Drill, random: SeededRandom, target: Target, file: string, tally: Tally, misses: { left: number }): Promise<string | undefined> {
  const { progress, rows, world } = drill;
  await world.revive();
  writeFileSync(file, rows.csv(rowsPerSync));
  const victim: Victim | 'cli' = target === 'node' ? (random.chance(0.7) ? 'guangzhou' : random.pick<Centre>(centres)) : target;
  while (misses.left > 0) {
    const sync = await Sync.open(drill, [file], rowsPerStep);
    const command = sync.run(drill);
    const watch = new OutboxWatch(drill);
    await Promise.race([sync.whenAcknowledged(random.between(1, rowsPerSync - 6 * rowsPerStep)), command.ended]);
    await delay(random.between(0, 20));
    const state = watch.stop();
    const seen = sync.acknowledged;
    if (victim === 'cli') command.kill();
    else world.of(victim).signal('SIGKILL');
    if (victim !== 'cli') await world.end(victim, 'SIGKILL');
    if (!(await endsWithin(command.ended, syncMilliseconds))) {
      tally.violation(`kill of ${victim}: the sync neither ended nor failed in ${String(syncMilliseconds / 1000)} s`);
      command.kill();
    }
    await sync.close();
    if (seen > 0 && seen < rowsPerSync) {
      progress.note(`kill ${String(tally.kills + 1).padStart(2)}: ${victim.padEnd(9)} at ${String(seen).padStart(3)} of ${String(rowsPerSync)} acknowledged, outbox ${state}`);
      if (random.chance(0.15)) {
        await drill.subscribers.killTargets();
        tally.count('kills of webhook targets');
      }
      // Sometimes the next fault meets a consortium that still recovers from this one.
      await world.revive();
      if (random.chance(0.3)) await world.settles(5000);
      return victim;
    }
    misses.left -= 1;
    await world.revive();
    writeFileSync(file, rows.csv(rowsPerSync));
  }
  return undefined;
}

async function endsWithin(ended: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const stop = new AbortController();
  const late = delay(milliseconds, false, { signal: stop.signal }).catch(() => false);
  return await Promise.race([ended.then(() => true), late]).finally(() => { stop.abort(); });
}

/** Looks at the outbox all the while: at the moment of a kill there is no time to ask. */
class OutboxWatch {
  private last = 'unknown';
  private over = false;

  public constructor(drill: Drill) {
    void this.watch(drill);
  }

  public stop(): string {
    this.over = true;
    return this.last;
  }

  private async watch({ world }: Drill): Promise<void> {
    while (!this.over) {
      const state = await world.status('guangzhou').catch(() => undefined);
      if (state !== undefined) this.last = `${String(state.outbox.pending)} pending, ${String(state.outbox.inFlight)} batches in flight, ${String(state.outbox.settled)} settled`;
      await delay(10);
    }
  }
}

/** What an operator does after a broken sync: the same files again. Every row is there in the end, none twice. */
async function syncAgain(drill: Drill, files: readonly string[], tally: Tally): Promise<void> {
  if (files.length === 0) return;
  const sync = await Sync.open(drill, files, rowsPerSync);
  const code = await sync.run(drill).ended;
  await sync.close();
  tally.expect(code === 0, `the syncs run again ended with ${String(code)}`);
}
