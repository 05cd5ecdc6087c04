import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ended, execute, nodeProgram } from '../consortium.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { EmbeddedWorld } from './world.js';

const bareService = fileURLToPath(new URL('./bare-service-process.js', import.meta.url));
const bareCommand = fileURLToPath(new URL('./bare-command-process.js', import.meta.url));
const patience = 30_000;
/** More pairs than elsewhere: one takes seconds. */
const pairsMore = 3;

/** P12: from the start of the program to the first record it took, against a bare service; and a command that needs no node, against a bare one. */
export const measureColdStart: Measurer<EmbeddedWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  const lines = [...(await world.lines(100))];
  const state = consortium.nodeFolder('zhuhai');
  await consortium.stopNode('zhuhai');
  const port = await freePort();
  const mine = async (): Promise<number> => await untilTaken([nodeProgram, 'start', '--state', state], `${consortium.url('zhuhai')}/v1/records`, { authorization: `Bearer ${consortium.token('zhuhai')}`, 'content-type': 'application/x-ndjson' }, lines.pop() ?? '');
  const bare = async (): Promise<number> => await untilTaken([bareService, path.join(consortium.folder, 'bare-service'), String(port)], `http://127.0.0.1:${String(port)}/v1/records`, { 'content-type': 'application/json' }, lines.pop() ?? '');
  const inTurns = async (): Promise<(readonly [number, number])[]> => {
    await mine();
    await bare();
    return await inPairs(scale.pairs * pairsMore, async (pair) => {
      progress.step(`P12: cold starts, pair ${String(pair + 1)} / 冷启动`);
      return await mine();
    }, bare);
  };
  // The measures after this one want the node back, however this one ends.
  const starts = await inTurns().finally(async () => await consortium.startNode('zhuhai'));
  progress.step('P12: commands that need no node / 无需节点的命令');
  const commands = await inPairs(scale.pairs * pairsMore, async () => await seconds([nodeProgram, 'config', 'check', '--state', state, '--json']), async () => await seconds([bareCommand, '--json', state]));
  const [ratios, commandRatios] = [spread(starts.map(([own, other]) => own / other)), spread(commands.map(([own, other]) => own / other))];
  const own = (pairs: readonly (readonly [number, number])[]): number => rounded(median(pairs.map(([mineTook]) => mineTook)));
  const other = (pairs: readonly (readonly [number, number])[]): number => rounded(median(pairs.map(([, bareTook]) => bareTook)));
  return [
    {
      id: 'P12', what: 'start of the node on an existing folder until the first record is taken, against a bare service', unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'most', value: 1.6 },
      baseline: { what: 'Nest, Fastify, level, one synced put', seconds: other(starts) }, conditions: conditionsOf(world, { seconds: own(starts), starts: starts.length }),
    },
    {
      id: 'P12-command', what: 'a command that needs no node (config check), against Node.js with commander', unit: 'x', value: rounded(commandRatios.median), range: [rounded(commandRatios.min), rounded(commandRatios.max)], goal: { at: 'most', value: 2.5 },
      baseline: { what: 'commander alone', seconds: other(commands) }, conditions: conditionsOf(world, { seconds: own(commands), runs: commands.length }),
    },
  ];
};

async function seconds(command: readonly string[]): Promise<number> {
  const started = performance.now();
  await execute(process.execPath, [...command]);
  return (performance.now() - started) / 1000;
}

/** Seconds from the start of a program to its first 2xx; the program is ended. */
async function untilTaken(command: readonly string[], url: string, headers: Readonly<Record<string, string>>, body: string): Promise<number> {
  const started = performance.now();
  const child: ChildProcess = spawn(process.execPath, [...command], { stdio: 'ignore' });
  try {
    for (;;) {
      const response = await fetch(url, { method: 'POST', headers, body }).catch(() => undefined);
      const answer = response === undefined ? 'no answer' : `${String(response.status)} ${await response.text()}`;
      if (response?.ok === true && !answer.includes('"accepted":0')) return (performance.now() - started) / 1000;
      if (child.exitCode !== null || performance.now() - started > patience) throw new Error(`${command.join(" ")} took no record: ${answer}`);
      await delay(2);
    }
  } finally {
    await ended(child);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
