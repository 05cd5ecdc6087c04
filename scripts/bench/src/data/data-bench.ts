import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { missingPrograms, Postgresql } from '@huilian/local-postgresql';
import { EmbeddedConsortium } from '../embedded/embedded-consortium.js';
import { push, type PushResult } from '../push.js';
import type { Bench } from '../run-bench.js';
import { BenchError, type MeasureGroup } from '../world.js';
import { measureIntake } from './intake.js';
import { measureNonInterference } from './non-interference.js';
import { measureQueries } from './queries.js';
import { measureRebuilds } from './rebuilds.js';
import type { DataWorld, Filled } from './world.js';

const groups: readonly MeasureGroup<DataWorld>[] = [
  { ids: ['P8-point', 'P8-page', 'P8-aggregate'], steps: 4, run: measureQueries },
  { ids: ['P15', 'P15-mirror'], steps: 5, run: measureRebuilds },
  { ids: ['intake', 'memory'], steps: 6, run: measureIntake },
  { ids: ['non-interference'], steps: 7, run: measureNonInterference },
];

const outbox = { maxHeaders: 5000, inFlight: 4 };
/** Lines that are held in memory at once. */
const recordsOfPush = 100_000;

/** What goes out of a node: its queries, and its mirror. */
export const dataBench: Bench<DataWorld> = {
  groups,
  records: 1_000_000,
  check: () => {
    if (missingPrograms().length > 0) throw new BenchError('PostgreSQL 15 is not installed: its programs are not on PG_BIN or PATH / 未找到 PostgreSQL 15 程序，请设置 PG_BIN');
  },
  start: async (folder, profileNode, say) => await EmbeddedConsortium.start(folder, outbox, profileNode, say),
  open: async (consortium, rest) => {
    const database = await Postgresql.start();
    const node = consortium.nodeFolder('guangzhou');
    writeFileSync(path.join(node, 'mirror-connection'), `${database.connectionString()}\n`, { mode: 0o600 });
    consortium.reconfigure('guangzhou', { mirror: { connectionFile: 'mirror-connection' } });
    await consortium.stopNode('guangzhou');
    await consortium.startNode('guangzhou');
    let filling: Promise<Filled> | undefined;
    const world: DataWorld = {
      ...rest, consortium, database, conditions: { ledger: 'embedded', ...outbox, postgresql: 15, allOnOneMachine: true },
      filled: async () => await (filling ??= fill(world)),
    };
    return world;
  },
  close: async ({ database }) => { await database.stop(); },
};

async function fill({ consortium, lines, progress, scale }: DataWorld): Promise<Filled> {
  const pushes: PushResult[] = [];
  for (let records = 0; records < scale.records; records += recordsOfPush) {
    progress.step(`${String(records)} of ${String(scale.records)} records pushed / 推送`);
    pushes.push(await push(consortium, 'guangzhou', await lines(Math.min(recordsOfPush, scale.records - records))));
    await consortium.whenLevel();
  }
  return { pushes, records: pushes.reduce((sum, pushed) => sum + pushed.records, 0) };
}
