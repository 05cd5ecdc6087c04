import { setTimeout as delay } from 'node:timers/promises';
import { AnswerReader } from './acknowledged.js';
import { centres, within, type Centre } from './drill-world.js';
import type { Drill } from './drill.js';
import { judge } from './judge.js';
import { DrillReader, untilAnswered } from './reading.js';
import { Tally, type DrillResult } from './result.js';
import { SeededRandom } from './seeded-random.js';
import type { GrantEnvelope } from '@huilian/sdk';

const steps = {
  push: ['P0', 'P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'P8', 'P9', 'P10', 'P11', 'P12'],
  read: ['R0', 'R1', 'R2', 'R3', 'R4', 'R5', 'R6', 'R7', 'R8'],
  events: ['E0', 'E1', 'E2', 'E3', 'E4'],
} as const;
export type FailpointFlow = keyof typeof steps;

/** Steps that the reader's own node passes; the others of a read are the publisher's. */
const atReader: ReadonlySet<string> = new Set(['R0', 'R2', 'R3']);
/** Steps that each line of a push passes. */
const perLine: ReadonlySet<string> = new Set(['P0', 'P1']);
const reachMilliseconds = 30_000;
const healMilliseconds = 30_000;
const linesPerPiece = 10;
const mostPieces = 400;
const delayMilliseconds = 300;

/** Kills and faults at each named step of some flows; one result a step, and one judgement of all of them. */
export async function runFailpointDrill(drill: Drill, flows: readonly FailpointFlow[]): Promise<readonly DrillResult[]> {
  const results: DrillResult[] = [];
  for (const flow of flows) results.push(...(await faultEachStep(drill, flow)));
  const verdict = new Tally(`${flows.join(' ')} judged`, 'drain, read back, all were told, audit of three nodes / 回读、推送与审计');
  await judge(drill, verdict);
  return [...results, verdict.result()];
}

async function faultEachStep(drill: Drill, flow: FailpointFlow): Promise<readonly DrillResult[]> {
  const random = new SeededRandom(drill.scale.seed, `failpoints ${flow}`);
  const reader = await DrillReader.open(drill.world);
  const grant = await reader.grant(10_000);
  const results: DrillResult[] = [];
  for (const step of steps[flow]) {
    const tally = new Tally(`${flow} ${step}`, 'kill, throw, eio, delay / 终止、异常、读写错误、延迟');
    for (const action of actions(drill.scale.killsPerStep)) {
      drill.progress.step(`${step} ${action} (${String(tally.faults + 1)})`);
      await faultOnce({ drill, reader, grant, random, tally }, flow, step, action);
    }
    results.push(tally.result());
  }
  return results;
}

function actions(kills: number): readonly string[] {
  return [...Array.from({ length: kills }, () => 'kill'), 'throw', 'eio', `delay:${String(delayMilliseconds)}`];
}

interface Scene {
  readonly drill: Drill;
  readonly reader: DrillReader;
  readonly grant: GrantEnvelope;
  readonly random: SeededRandom;
  readonly tally: Tally;
}

async function faultOnce(scene: Scene, flow: FailpointFlow, step: string, action: string): Promise<void> {
  const { drill, random, tally } = scene;
  const { world } = drill;
  await world.revive();
  const victim: Centre = flow === 'events' ? random.pick<Centre>(centres) : atReader.has(step) ? 'zhuhai' : 'guangzhou';
  const time = perLine.has(step) ? random.between(1, 60) : random.between(1, flow === 'read' ? 2 : 3);
  await world.of(victim).arm(`${step}:${action}@${String(time)}`);
  const reached = action === 'kill' ? world.of(victim).ended.then(() => true) : world.of(victim).said((message) => message['reached'] === step, reachMilliseconds).then(() => true, () => false);
  const stop = new AbortController();
  const work = (flow === 'read' ? readUntil : pushUntil)(scene, stop.signal);
  const met = await Promise.race([reached, delay(reachMilliseconds).then(() => false)]);
  stop.abort();
  tally.expect(met, `${step}:${action}@${String(time)} was not reached at ${victim}`);
  if (met) tally.faults += 1;
  if (met && action === 'kill') tally.kills += 1;
  if (!met) await world.of(victim).arm('').catch(() => undefined);
  await heal(scene, victim, `${step}:${action}@${String(time)}`, action);
  await work.catch((error: unknown) => { tally.violation(`${step}:${action}: ${error instanceof Error ? error.message : String(error)}`); });
}

/** After a kill the node is started again. After anything else it must go on, or say that it does not: end, or be not ready. */
async function heal({ drill: { world }, tally }: Scene, victim: Centre, order: string, action: string): Promise<void> {
  if (action !== 'kill') {
    const healthy = await within(healMilliseconds, async () => !world.isRunning(victim) || !(await world.isReady(victim)) || (await drained(world, victim)));
    tally.expect(healthy, `${order}: ${victim} says that it is ready and does not drain`);
    if (!world.isRunning(victim)) {
      const { code } = await world.of(victim).ended;
      tally.expect(code !== 0, `${order}: ${victim} ended as if all were well`);
      tally.count('ended by itself');
    } else if (!(await world.isReady(victim).catch(() => false))) {
      tally.count('said not ready');
      await world.end(victim);
    }
  }
  await world.revive();
}

async function drained(world: Drill['world'], victim: Centre): Promise<boolean> {
  const { outbox } = await world.status(victim);
  return outbox.pending + outbox.inFlight === 0;
}

/** Pushes small pieces to Guangzhou until told to stop; what was acknowledged is kept, what was not may be there or not. */
async function pushUntil({ drill }: Scene, stop: AbortSignal): Promise<void> {
  for (let piece = 0; piece < mostPieces && !stop.aborted; piece += 1) {
    await pushPiece(drill, linesPerPiece).catch(() => undefined);
    await delay(20);
  }
}

/** Pushes lines once. @throws where the node does not answer or breaks off */
export async function pushPiece({ acknowledged, rows, world }: Pick<Drill, 'acknowledged' | 'rows' | 'world'>, count: number): Promise<number> {
  const body = Array.from({ length: count }, () => `${rows.line()}\n`).join('');
  let told = 0;
  const reader = new AnswerReader((ids) => {
    told += ids.length;
    acknowledged.note(ids);
  });
  const response = await world.call('guangzhou', 'POST', '/v1/records', body, 'application/x-ndjson');
  const text = response.body?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>);
  for await (const piece of text ?? []) reader.take(piece);
  if (!response.ok || reader.failure !== undefined) throw new Error(`the node answers ${String(response.status)} ${reader.failure ?? ''}`);
  return told;
}

/** Reads until told to stop; each read that was begun is brought to its end, however often it must be sent. */
async function readUntil({ grant, reader }: Scene, stop: AbortSignal): Promise<void> {
  do {
    const { access, request } = await reader.readThrough(grant);
    const again = await untilAnswered(async () => await reader.sendOnce(request, grant));
    if (again.ticket !== access.ticket) throw new Error(`one request has two tickets: ${access.ticket}, ${again.ticket}`);
  } while (!stop.aborted);
}
