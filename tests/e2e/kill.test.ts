import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeBatchArgument, recordId, type JsonObject } from '@huilian/protocol';
import { NodeApi } from '../../node/src/adapters/cli/node-api.js';
import { centreIds, readJson, root, stateFolder } from './main-job.js';
import { endProcess, ledgerArguments, readBlocks, replay, startProcess, withNode } from './open-state.js';
import { personalHits } from './privacy/scan-state.js';
import { walkedThrough } from './walked-through.js';

// The victims are real processes and die by SIGKILL in the middle of a sync. What was acknowledged must be on the ledger
// exactly once, and every read model must equal a replay.
const state = stateFolder();
const running = new Map<string, ChildProcess>();
const rows = 3000;

async function start(name: string): Promise<void> {
  running.set(name, await startProcess(name === 'ledger' ? ledgerArguments(state.dir) : ['start', '--state', path.join(state.dir, 'nodes', name)]));
}

async function end(name: string, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
  const child = running.get(name);
  running.delete(name);
  if (child !== undefined) await endProcess(child, signal);
}

function api(centre: string): NodeApi {
  return NodeApi.open(path.join(state.dir, 'nodes', centre));
}

const [sample] = readJson<{ cases: { input: { entry: JsonObject } }[] }>(path.join(root, 'tests', 'vectors', 'valid', 'kind-credit.json')).cases;

async function* lines(run: string): AsyncGenerator<string> {
  for (let row = 0; row < rows; row += 1) {
    const data = { ...sample?.input, entry: { ...sample?.input.entry, code: `KILL-${run}-${String(row)}` } };
    yield JSON.stringify({ kind: 'credit', data });
    // The sync goes on while batches are on their way: give the sockets their turn.
    if (row % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Syncs until the stream ends or breaks; answers the records that were acknowledged. `onAcknowledged` is told how many there are. */
async function syncAcknowledged(run: string, onAcknowledged: (count: number) => void): Promise<string[]> {
  const acknowledged: string[] = [];
  let open: string[] = [];
  try {
    for await (const answer of api('guangzhou').stream('/v1/records', lines(run))) {
      if (typeof answer['recordId'] === 'string') open.push(answer['recordId']);
      if (typeof answer['acknowledged'] !== 'string') continue;
      acknowledged.push(...open);
      open = [];
      onAcknowledged(acknowledged.length);
    }
  } catch {
    // The victim was the node itself: the stream breaks, and only what was acknowledged counts.
  }
  return acknowledged;
}

async function whenDrained(): Promise<void> {
  await expect.poll(async () => {
    const { ledger, outbox } = (await api('guangzhou').get('/v1/status')) as { ledger: { state: string }; outbox: { pending: number; inFlight: number } };
    return { ...ledger, pending: outbox.pending, inFlight: outbox.inFlight };
  }, { timeout: 90_000, interval: 100 }).toMatchObject({ state: 'following', pending: 0, inFlight: 0 });
  await expect.poll(async () => {
    const heights = await Promise.all(centreIds.map(async (id) => ((await api(id).get('/v1/consortium')) as { height: number }).height));
    return new Set(heights).size;
  }, { timeout: 60_000, interval: 100 }).toBe(1);
}

describe('kill -9 in the middle of a sync', () => {
  beforeAll(async () => {
    await walkedThrough(state.dir);
  }, 240_000);
  afterEach(async () => {
    for (const name of [...running.keys()].reverse()) await end(name);
  });
  afterAll(async () => {
    const hits = await personalHits(state.dir);
    state.remove();
    expect(hits, 'personal data where none may be').toEqual([]);
  });

  it.each(['guangzhou', 'ledger', 'zhuhai'])('of %s loses and doubles nothing', async (victim) => {
    await start('ledger');
    await Promise.all(centreIds.map(start));
    let killing: Promise<void> | undefined;
    const acknowledged = await syncAcknowledged(victim, (count) => {
      if (count >= rows / 10) killing ??= end(victim, 'SIGKILL');
    });
    expect(killing, 'the victim was killed during the sync').toBeDefined();
    await killing;
    expect(acknowledged.length).toBeGreaterThanOrEqual(rows / 10);
    await start(victim);
    await whenDrained();
    for (const name of [...centreIds, 'ledger']) await end(name);

    const blocks = await readBlocks(state.dir);
    const published = new Map<string, number>();
    for (const { args, code, function: name } of blocks.flatMap(({ transactions }) => transactions)) {
      if (name !== 'records:publish' || code !== 'VALID') continue;
      const batch = decodeBatchArgument(args[0] as Uint8Array);
      for (const { kind, localId } of batch.headers) {
        const id = recordId(batch.publisher, kind, localId);
        published.set(id, (published.get(id) ?? 0) + 1);
      }
    }
    expect(acknowledged.filter((id) => published.get(id) !== 1)).toEqual([]);
    expect([...published.values()].filter((times) => times !== 1)).toEqual([]);
    const digest = await (await replay(blocks)).digest();
    for (const centre of centreIds) expect(await withNode(state.dir, centre, async ({ readModel }) => await readModel.digest()), centre).toBe(digest);
  }, 240_000);
});
