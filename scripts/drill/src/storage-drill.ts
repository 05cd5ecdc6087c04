import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Drill } from './drill.js';
import { within } from './drill-world.js';
import { pushPiece } from './failpoint-drill.js';
import { judge } from './judge.js';
import { Tally, type DrillResult } from './result.js';
import { SeededRandom } from './seeded-random.js';
import { sweepStore } from './storage-sweep.js';

const rowsPerPiece = 10;
const mostPieces = 200;
const endMilliseconds = 20_000;
const drainMilliseconds = 30_000;
const mebibyte = 1024 * 1024;
/** What the database tidies up by itself must fit below the floor too. */
const floor = 64 * mebibyte;
const mountScript = fileURLToPath(new URL('../preload/on-small-disk.sh', import.meta.url));

/** Failed syncs, a full disk, and a small store cut off and changed byte by byte. */
export async function runStorageDrill(drill: Drill): Promise<readonly DrillResult[]> {
  const results = [await failedSyncs(drill), await fullDisk(drill)];
  const verdict = new Tally('storage judged', 'drain, read back, all were told, audit of three nodes / 回读、推送与审计');
  await judge(drill, verdict);
  return [...results, verdict.result(), ...(await sweepStore(drill))];
}

/** The failed syncs alone. */
export async function runSyncDrill(drill: Drill): Promise<readonly DrillResult[]> {
  const verdict = new Tally('syncs judged', 'drain, read back, all were told, audit of three nodes / 回读、推送与审计');
  const syncs = await failedSyncs(drill);
  await judge(drill, verdict);
  return [syncs, verdict.result()];
}

/** Whether a program works here; tracing and mounting need rights that not every machine gives. */
function works(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** The kernel answers EIO to the n-th fdatasync of the node: it must end by itself, and lose nothing that it acknowledged. */
async function failedSyncs(drill: Drill): Promise<DrillResult> {
  const { progress, scale, world } = drill;
  const tally = new Tally('storage sync', 'fdatasync fails (strace): the node ends, outcome unknown, nothing lost / 同步写盘失败');
  if (!works('strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', process.execPath, '-e', '0')) return tally.result('no strace, or it may not trace');
  const random = new SeededRandom(scale.seed, 'syncs');
  for (let done = 0; done < scale.syncFaults; done += 1) {
    const when = random.between(1, 25);
    progress.step(`fdatasync ${String(when)} fails (${String(done + 1)} of ${String(scale.syncFaults)})`);
    await world.end('guangzhou');
    const under = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync', '-e', `inject=fdatasync:error=EIO:when=${String(when)}`];
    // One thread for files: the count is then that of the process. The node may meet the fault while it starts.
    const started = await world.start('guangzhou', { env: { UV_THREADPOOL_SIZE: '1' }, under }).then(() => true, () => false);
    if (started) await pushUntilEnd(drill);
    const ended = !started || (await within(endMilliseconds, async () => await Promise.resolve(!world.isRunning('guangzhou'))));
    tally.faults += 1;
    if (ended && started) tally.expect((await world.of('guangzhou').ended).code !== 0, `fdatasync ${String(when)}: the node ended as if all were well`);
    tally.expect(ended, `fdatasync ${String(when)}: the node goes on after a sync that failed`);
    if (world.isRunning('guangzhou')) await world.endInner('guangzhou');
    await world.start('guangzhou');
  }
  return tally.result();
}

async function pushUntilEnd(drill: Drill): Promise<void> {
  for (let piece = 0; piece < mostPieces && drill.world.isRunning('guangzhou'); piece += 1) {
    await pushPiece(drill, rowsPerPiece).catch(() => undefined);
    await delay(10);
  }
}

/** The node's data on a small disk of its own that something else fills. */
async function fullDisk(drill: Drill): Promise<DrillResult> {
  const tally = new Tally('storage full', 'disk full (tmpfs): 507, reads go on, drains once there is space; then ENOSPC itself / 磁盘已满');
  if (!works('unshare', '-Urm', 'true')) return tally.result('no user namespaces here');
  const { progress, world } = drill;
  const config = path.join(world.stateOf('guangzhou'), 'huilian.json');
  const before = readFileSync(config, 'utf8');
  progress.step('a disk is nearly full');
  try {
    await nearlyFull(drill, tally, config, before);
    progress.step('a disk is full');
    await quiteFull(drill, tally, config, before);
  } finally {
    await world.end('guangzhou', 'SIGKILL');
    writeFileSync(config, before);
    await world.start('guangzhou');
  }
  tally.expect(await world.settles(drainMilliseconds), 'I21: not drained 30 s after there was space again');
  return tally.result();
}

async function nearlyFull(drill: Drill, tally: Tally, config: string, before: string): Promise<void> {
  const { world } = drill;
  const disk = await startOnDisk(drill, config, before, { floor, spare: 3 * floor });
  await pushPiece(drill, 50);
  disk.fillTo(floor - 4 * mebibyte);
  tally.faults += 1;
  const refused = await within(10_000, async () => await pushPiece(drill, 1).then(() => false, (error: unknown) => String(error).includes('507') || String(error).includes('DISK_NEARLY_FULL')));
  tally.expect(refused, 'a push on a disk nearly full was not refused with 507');
  tally.expect((await world.call('guangzhou', 'GET', '/v1/records?limit=1')).ok, 'reading does not go on while the disk is nearly full');
  disk.free();
  tally.expect(await within(10_000, async () => (await pushPiece(drill, 20)) === 20), 'rows are not taken again after space returned');
  tally.expect(await world.settles(drainMilliseconds), 'I21: not drained 30 s after space returned');
  await disk.end();
}

/** No floor: the write itself meets ENOSPC. The node ends, and what it acknowledged is there once it starts with space. */
async function quiteFull(drill: Drill, tally: Tally, config: string, before: string): Promise<void> {
  const disk = await startOnDisk(drill, config, before, { floor: 0, spare: 6 * mebibyte });
  disk.fillTo(0);
  tally.faults += 1;
  await pushUntilEnd(drill);
  tally.expect(await within(endMilliseconds, async () => await Promise.resolve(!drill.world.isRunning('guangzhou'))), 'the node goes on after a write that met a full disk');
  await disk.end();
}

interface SmallDisk {
  /** Leaves so many bytes of space. */
  fillTo(bytes: number): void;
  free(): void;
  /** Ends the node; its data lies where it lay before. */
  end(): Promise<void>;
}

async function startOnDisk({ world }: Drill, config: string, before: string, { floor: floorBytes, spare }: { readonly floor: number; readonly spare: number }): Promise<SmallDisk> {
  await world.end('guangzhou', 'SIGKILL');
  writeFileSync(config, JSON.stringify({ ...(JSON.parse(before) as object), diskFloorBytes: floorBytes }));
  const data = path.join(world.stateOf('guangzhou'), 'data');
  await world.start('guangzhou', { under: ['unshare', '-Urm', 'sh', mountScript, data, String(spare)] });
  // The folder as the node sees it.
  const seen = `/proc/${String(world.of('guangzhou').pid)}/root${data}/filler`;
  return {
    fillTo: (bytes) => { fillTo(seen, bytes); },
    free: () => { rmSync(seen, { force: true }); },
    end: async () => {
      rmSync(seen, { force: true });
      // The shell around the node copies the data back when the node is gone.
      await world.endInner('guangzhou');
    },
  };
}

/** Writes until only so much space is left, or nothing more fits. */
function fillTo(file: string, left: number): void {
  const { bavail, bsize } = statfsSync(path.dirname(file));
  try {
    writeFileSync(file, Buffer.alloc(Math.max(bavail * bsize - left, 0)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
