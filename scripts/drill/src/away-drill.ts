import { setTimeout as delay } from 'node:timers/promises';
import { grantDigest, ProtocolError } from '@huilian/sdk';
import type { Drill } from './drill.js';
import type { Centre } from './drill-world.js';
import { pushPiece } from './failpoint-drill.js';
import { judge } from './judge.js';
import { DrillReader, passes, untilAnswered } from './reading.js';
import { Tally, type DrillResult } from './result.js';

const rowsWhileAway = 300;
const drainMilliseconds = 30_000;
/** As a URL: NODE_OPTIONS end at a space, and a path may hold one. */
const preload = new URL('../preload/shift-clock.mjs', import.meta.url).href;
const minute = 60;
const year = 366 * 86_400;

/** What is away, asleep or tells the wrong time. */
export async function runAwayDrill(drill: Drill): Promise<readonly DrillResult[]> {
  const reader = await DrillReader.open(drill.world);
  const results = [await ledgerAway(drill), await publisherAway(drill, reader), await paused(drill, reader), await clocks(drill, reader)];
  const verdict = new Tally('away judged', 'drain, read back, all were told, audit of three nodes / 回读、推送与审计');
  await judge(drill, verdict);
  return [...results, verdict.result()];
}

async function ledgerAway(drill: Drill): Promise<DrillResult> {
  const { progress, world } = drill;
  progress.step('the ledger is away for a whole push');
  const tally = new Tally('away ledger', 'a whole push without a ledger: acknowledged, kept, drained / 账本离线');
  await world.end('ledger', 'SIGKILL');
  tally.faults += 1;
  tally.kills += 1;
  const told = await pushPiece(drill, rowsWhileAway);
  tally.expect(told === rowsWhileAway, `${String(told)} of ${String(rowsWhileAway)} rows were acknowledged without a ledger`);
  const { outbox } = await world.status('guangzhou');
  tally.expect(outbox.pending >= rowsWhileAway, `the outbox says ${String(outbox.pending)} rows wait`);
  await world.start('ledger');
  tally.expect(await world.settles(drainMilliseconds), 'I21: not drained 30 s after the ledger came back');
  return tally.result();
}

async function publisherAway(drill: Drill, reader: DrillReader): Promise<DrillResult> {
  const { progress, world } = drill;
  progress.step('the publisher is away at read time');
  const tally = new Tally('away publisher', 'a read while the publisher is away: 503, no use spent / 发布方离线');
  const grant = await reader.grant(1);
  const request = await reader.prepare(grant);
  await world.end('guangzhou', 'SIGKILL');
  tally.faults += 1;
  tally.kills += 1;
  const answer = await reader.sendRaw(request, grant);
  tally.expect(answer.status === 503 && answer.code === 'PUBLISHER_UNAVAILABLE', `answered ${String(answer.status)} ${answer.code}`);
  tally.expect(answer.retryAfter !== null, 'the answer has no Retry-After');
  await world.start('guangzhou');
  const opened = await codeOf(async () => { await reader.readThrough(grant); });
  tally.expect(opened === undefined, `the grant's only use was spent: ${String(opened)}`);
  return tally.result();
}

/** A publisher that sleeps through a revocation must see it before it releases anything. */
async function paused(drill: Drill, reader: DrillReader): Promise<DrillResult> {
  const { progress, scale, world } = drill;
  const tally = new Tally('away paused', `SIGSTOP of publisher and ledger for ${String(scale.pauseSeconds)} s / 暂停`);
  const grant = await reader.grant(10);
  const { access } = await reader.readThrough(grant);
  progress.step(`the publisher is paused for ${String(scale.pauseSeconds)} s`);
  world.of('guangzhou').signal('SIGSTOP');
  tally.faults += 1;
  await reader.revoke(grantDigest(await reader.domain(), grant.grant));
  const waking = reader.resendOnce(access.ticket).then(() => 'released', (error: unknown) => (error instanceof ProtocolError ? error.code : String(error)));
  await delay(scale.pauseSeconds * 1000);
  world.of('guangzhou').signal('SIGCONT');
  const first = await waking;
  tally.expect(first !== 'released', 'I6: a release after waking, for a grant that was revoked meanwhile');
  await reader.whenPublisherIsLevel();
  const code = await codeOf(async () => await untilAnswered(async () => await reader.resendOnce(access.ticket)));
  tally.expect(code === 'TICKET_ENDED', `I6: after waking the re-send was answered ${String(code)}`);
  progress.step(`the ledger is paused for ${String(scale.pauseSeconds)} s`);
  world.of('ledger').signal('SIGSTOP');
  tally.faults += 1;
  const told = await pushPiece(drill, 50);
  tally.expect(told === 50, `${String(told)} of 50 rows were acknowledged while the ledger was paused`);
  await delay(scale.pauseSeconds * 1000);
  world.of('ledger').signal('SIGCONT');
  tally.expect(await world.settles(drainMilliseconds), 'I21: not drained 30 s after the ledger woke');
  return tally.result();
}

/** A node whose clock is wrong: whatever it does meanwhile, nothing is released that may not be, and all heals with the clock. */
async function clocks(drill: Drill, reader: DrillReader): Promise<DrillResult> {
  const { progress, world } = drill;
  const tally = new Tally('away clocks', 'clocks 15 minutes and a year wrong, at publisher and reader / 时钟偏差');
  for (const centre of ['guangzhou', 'zhuhai'] as const) {
    for (const seconds of [15 * minute, -15 * minute, year, -year]) {
      progress.step(`the clock of ${centre} is ${String(seconds)} s wrong`);
      tally.faults += 1;
      await wrongClock(drill, reader, centre, seconds, tally);
    }
  }
  tally.expect(await world.settles(drainMilliseconds), 'I21: not drained 30 s after the clocks were right again');
  return tally.result();
}

async function wrongClock(drill: Drill, reader: DrillReader, centre: Centre, seconds: number, tally: Tally): Promise<void> {
  const { world } = drill;
  const grant = await reader.grant(2);
  const { access } = await reader.readThrough(grant);
  await world.end(centre);
  await world.start(centre, { env: { DRILL_CLOCK_SECONDS: String(seconds), NODE_OPTIONS: `--import=${preload}` } });
  await pushPiece(drill, 5).catch(() => undefined);
  const request = await reader.prepare(grant).catch(() => undefined);
  const opened = request === undefined ? 'no sign-in' : await codeOf(async () => await reader.sendOnce(request, grant));
  tally.count(opened === undefined ? 'opened' : `refused`);
  // Past the ticket's term by the publisher's own clock nothing is released, however live the ledger takes it to be.
  if (centre === 'guangzhou' && seconds > 0) {
    const again = await codeOf(async () => await reader.resendOnce(access.ticket));
    tally.expect(again !== undefined, `clock of ${centre} ${String(seconds)} s on: a ticket past its term was released`);
    tally.expect(opened !== undefined, `clock of ${centre} ${String(seconds)} s on: a ticket was opened and released`);
  }
  await world.end(centre);
  await world.start(centre);
  const healed = await codeOf(async () => { await reader.readThrough(await reader.grant(1)); });
  tally.expect(healed === undefined, `clock of ${centre} right again after ${String(seconds)} s: a read is answered ${String(healed)}`);
}

/** Code of the refusal or trouble; undefined where it was answered. */
async function codeOf(run: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    return passes(error) ? 'no answer' : String(error);
  }
}
