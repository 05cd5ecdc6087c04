import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Level } from 'level';
import { LevelStore } from '../../../node/src/adapters/level/level-store.js';
import type { BlockTransaction } from '../../../node/src/core/ports.js';
import { centreIds, saidByCommands } from '../main-job.js';
import { PersonalScan, type Hit } from './personal-scan.js';
import { plantedValues } from './planted-values.js';

type Centre = (typeof centreIds)[number];

interface OpenDoors {
  transactionsSince(height: number): Promise<readonly BlockTransaction[]>;
  api(centre: Centre): { readonly url: string };
  operatorToken(centre: Centre): string;
}

const streamMilliseconds = 300;

/** What can be asked for while all runs: every transaction's arguments, answers and writes, and whatever each node tells its operator. */
export async function scanDoors(scan: PersonalScan, doors: OpenDoors): Promise<void> {
  for (const { args, function: name, proposalResponse, response, writes } of await doors.transactionsSince(-1)) {
    for (const argument of args) scan.bytes(`arguments of ${name}`, argument, true);
    for (const bytes of [response, proposalResponse, ...writes.flatMap(({ key, value }) => [Buffer.from(key), value ?? new Uint8Array()])]) scan.bytes(`ledger ${name}`, bytes);
  }
  await Promise.all(centreIds.map(async (centre) => {
    const { url } = doors.api(centre);
    const token = doors.operatorToken(centre);
    for (const { route, type } of await routesOf(url)) scan.text(route, await told(`${url}${route}`, token, type));
    // The feed from its beginning, as subscribers hear it.
    scan.text('feed', await told(`${url}/v1/events?after=start`, token, 'text/event-stream'));
  }));
}

interface DescribedRoute {
  readonly responses?: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

/** Shows refused rows with their cells, which is what it is for. */
const showsRows = '/v1/dead-letters/export';

/** Every route of the node's own description that is read without an id, once for each type of its answer; the pages of the description itself are the same for all. */
async function routesOf(url: string): Promise<{ readonly route: string; readonly type: string }[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { readonly paths: Readonly<Record<string, { readonly get?: DescribedRoute }>> };
  return Object.entries(paths).flatMap(([route, { get }]) => {
    if (get === undefined || route.includes('{') || route === showsRows || /^\/(?:docs|errors|openapi)/.test(route)) return [];
    const types = Object.keys(get.responses?.['200']?.content ?? {});
    return (types.length === 0 ? ['*/*'] : types).map((type) => ({ route, type }));
  });
}

/** An answer as it comes; of a feed that does not end, what it had to say at once. */
async function told(address: string, token: string, type: string): Promise<string> {
  const stop = new AbortController();
  const response = await fetch(address, { headers: { accept: type, authorization: `Bearer ${token}` }, signal: stop.signal });
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return await response.text();
  const timer = setTimeout(() => { stop.abort(); }, streamMilliseconds);
  let text = '';
  try {
    for await (const part of response.body ?? []) text += Buffer.from(part as Uint8Array).toString('utf8');
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  return text;
}

/** Planted values in what a local consortium that was ended, and the commands of this file, have written. */
export async function personalHits(dir: string): Promise<readonly Hit[]> {
  const scan = new PersonalScan(plantedValues());
  await scanState(scan, dir, true);
  for (const text of saidByCommands) scan.text('commands', text);
  return scan.hits;
}

/** What lies on the disks of a stopped consortium: blocks byte by byte, logs, and each node's store, where payloads are sealed. */
export async function scanState(scan: PersonalScan, dir: string, embedded: boolean): Promise<void> {
  if (embedded) {
    await scanBlocks(scan, path.join(dir, 'ledger', 'store'));
    scanFiles(scan, 'ledger files', path.join(dir, 'ledger', 'store'));
  }
  if (existsSync(path.join(dir, 'logs'))) scanFiles(scan, 'logs', path.join(dir, 'logs'));
  for (const centre of centreIds) {
    const folder = path.join(dir, 'nodes', centre, 'data');
    if (!existsSync(folder)) continue;
    scanFiles(scan, `files of ${centre}`, folder);
    const store = await LevelStore.open(folder, { diskFloorBytes: 0 });
    for await (const [key, value] of store.entries({})) {
      scan.text(`keys of ${centre}`, key);
      scan.bytes(`store of ${centre}`, value);
    }
    await store.close();
  }
}

/** Every entry of the ledger's database as it is: blocks, world state, histories. */
async function scanBlocks(scan: PersonalScan, folder: string): Promise<void> {
  const database = new Level<Buffer, Buffer>(folder, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  for await (const [key, value] of database.iterator()) {
    scan.bytes('blocks', key);
    scan.bytes('blocks', value);
  }
  await database.close();
}

function scanFiles(scan: PersonalScan, channel: string, folder: string): void {
  for (const name of readdirSync(folder)) scan.bytes(channel, readFileSync(path.join(folder, name)));
}
