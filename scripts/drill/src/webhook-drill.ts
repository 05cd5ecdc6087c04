import { setTimeout as delay } from 'node:timers/promises';
import type { Drill } from './drill.js';
import { pushPiece } from './failpoint-drill.js';
import { judge } from './judge.js';
import { Tally, type DrillResult } from './result.js';
import { SeededRandom } from './seeded-random.js';

const rowsPerPiece = 50;
const piecesPerRound = 6;
/** With dead targets beside them, those who take what they are sent have it in so long. */
const besideDeadMilliseconds = 10_000;
/** A target that lives again is owed the whole feed, a call for each event. */
const resumedMilliseconds = 30_000;
const millisecondsPerEvent = 5;

/**
 * F37: targets that hang, redirect and fail for ever beside living ones; kills of the node and of the targets in the middle of
 * deliveries; then the dead ones live again, and are told of all that they missed.
 */
export async function runWebhookDrill(drill: Drill): Promise<readonly DrillResult[]> {
  const { progress, scale, subscribers, world } = drill;
  const random = new SeededRandom(scale.seed, 'webhooks');
  const dead = new Tally('webhooks dead', 'dead targets beside living ones, kills of node and targets / 推送目标失效与终止');
  for (let round = 0; round < scale.killsPerStep; round += 1) {
    progress.step(`webhooks: round ${String(round + 1)} of ${String(scale.killsPerStep)}`);
    await pushPieces(drill);
    const begun = performance.now();
    dead.expect(await subscribers.reached(besideDeadMilliseconds), `F37: living targets were not told in ${String(besideDeadMilliseconds / 1000)} s beside dead ones`);
    dead.figures['ms until told'] = Math.max(Number(dead.figures['ms until told'] ?? 0), Math.round(performance.now() - begun));
    await Promise.all([pushPieces(drill), delay(random.between(0, 300)).then(async () => { await killOne(drill, random); })]);
    dead.faults += 1;
    dead.kills += 1;
    await world.revive();
  }
  await judge(drill, dead);
  progress.step('webhooks: dead targets live again');
  const resumed = new Tally('webhooks resumed', 'resumed where they stood: nothing is left out / 恢复后无遗漏');
  await subscribers.heal();
  const patience = resumedMilliseconds + millisecondsPerEvent * subscribers.events;
  resumed.expect(await subscribers.reached(patience), `I10: resumed targets were not told of all in ${String(patience / 1000)} s`);
  await judge(drill, resumed);
  return [dead.result(), resumed.result()];
}

async function pushPieces(drill: Drill): Promise<void> {
  for (let piece = 0; piece < piecesPerRound; piece += 1) await pushPiece(drill, rowsPerPiece).catch(() => undefined);
}

async function killOne({ subscribers, world }: Drill, random: SeededRandom): Promise<void> {
  if (random.chance(0.5)) await subscribers.killTargets();
  else await world.end('guangzhou', 'SIGKILL');
}
