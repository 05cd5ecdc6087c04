import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Level } from 'level';
import { LevelStore } from '../../../node/src/adapters/level/level-store.js';
import type { BlockTransaction } from '../../../node/src/core/ports.js';
import { centreIds } from '../main-job.js';
import type { PersonalScan } from './personal-scan.js';

interface OpenDoors {
  transactionsSince(height: number): Promise<readonly BlockTransaction[]>;
  api(centre: (typeof centreIds)[number]): { readonly url: string };
}

/** What can be asked for while all runs: every transaction's arguments, answers and writes, and each node's open pages. */
export async function scanDoors(scan: PersonalScan, doors: OpenDoors): Promise<void> {
  for (const { args, function: name, proposalResponse, response, writes } of await doors.transactionsSince(-1)) {
    for (const argument of args) scan.bytes(`arguments of ${name}`, argument, true);
    for (const bytes of [response, proposalResponse, ...writes.flatMap(({ key, value }) => [Buffer.from(key), value ?? new Uint8Array()])]) scan.bytes(`ledger ${name}`, bytes);
  }
  for (const centre of centreIds) {
    for (const page of ['/metrics', '/healthz', '/readyz', '/v1/consortium', '/v1/members']) scan.text(page, await (await fetch(`${doors.api(centre).url}${page}`)).text());
  }
}

/** What lies on the disks of a stopped consortium: blocks byte by byte, logs, and each node's store, where payloads are sealed. */
export async function scanState(scan: PersonalScan, dir: string, embedded: boolean): Promise<void> {
  if (embedded) {
    await scanBlocks(scan, path.join(dir, 'ledger', 'store'));
    scanFiles(scan, 'ledger files', path.join(dir, 'ledger', 'store'));
  }
  scanFiles(scan, 'logs', path.join(dir, 'logs'));
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
