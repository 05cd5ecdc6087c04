import path from 'node:path';
import { ClassicLevel } from 'classic-level';
import { push } from '../push.js';
import { splitOf } from '../processor-time.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { EmbeddedWorld } from './world.js';

/** As many rows as the node writes in one synced batch. */
const rowsABatch = 500;
/** Where a node keeps sealed payloads in its store. */
const sealedRows = { gte: 'vault/row/', lt: 'vault/row0' };

type Level = ClassicLevel<string, Uint8Array>;

/** P3: records pushed, sealed, published and indexed a second, against synced batches of the same sealed bytes into a bare LevelDB. */
export const measureAgainstRawStore: Measurer<EmbeddedWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  progress.step('P3: a push that warms / 预热');
  await push(consortium, 'guangzhou', await world.lines(scale.records));
  await consortium.stopNode('guangzhou');
  const rows = await lastSealedRows(path.join(consortium.nodeFolder('guangzhou'), 'data'), scale.records);
  await consortium.startNode('guangzhou');
  await push(consortium, 'guangzhou', await world.lines(scale.records));
  const raw = await openLevel(path.join(consortium.folder, 'raw-level'));
  let round = 0;
  try {
    const pairs = await inPairs(scale.pairs, async (pair) => {
      const lines = await world.lines(scale.records);
      progress.step(`P3: push ${String(lines.length)} records, pair ${String(pair + 1)} / 推送`);
      const pushed = await push(consortium, 'guangzhou', lines);
      await consortium.whenLevel();
      return pushed;
    }, async () => {
      consortium.pauseNodes();
      try {
        return await writeRaw(raw, rows, round++);
      } finally {
        await consortium.resumeNodes();
      }
    });
    const ratios = spread(pairs.map(([mine, plain]) => mine.perSecond / plain));
    const last = pairs.at(-1)?.[0];
    return [{
      id: 'P3', what: 'records validated, sealed, stored, published and indexed a second, against synced batches of the same sealed bytes into a bare LevelDB', unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)],
      goal: { at: 'least', value: 0.2 }, baseline: { what: `classic-level, ${String(rowsABatch)} rows a synced batch`, recordsPerSecond: Math.round(median(pairs.map(([, plain]) => plain))), bytesARow: Math.round(rows.reduce((sum, row) => sum + row.length, 0) / rows.length) },
      conditions: conditionsOf(world, {
        records: scale.records, recordsPerSecond: Math.round(median(pairs.map(([{ perSecond }]) => perSecond))), acknowledgedPerSecond: Math.round(median(pairs.map(([{ acknowledgedAfter, records }]) => records / acknowledgedAfter))),
        processorMicrosecondsPerRecord: last === undefined ? 0 : Math.round((1000 * Object.values(last.processor).reduce((sum, time) => sum + time, 0)) / last.records),
      }),
      profile: `processor time of a push: ${splitOf(last?.processor ?? {})}`,
    }];
  } finally {
    await raw.close();
  }
};

async function openLevel(folder: string): Promise<Level> {
  const level: Level = new ClassicLevel(folder, { keyEncoding: 'utf8', valueEncoding: 'view' });
  await level.open();
  return level;
}

/** Of a stopped node. */
async function lastSealedRows(folder: string, count: number): Promise<readonly Uint8Array[]> {
  const level = await openLevel(folder);
  try {
    const rows = await level.values({ ...sealedRows, reverse: true, limit: count }).all();
    if (rows.length === 0) throw new Error('the node holds no sealed rows');
    return rows;
  } finally {
    await level.close();
  }
}

/** Rows a second. */
async function writeRaw(level: Level, rows: readonly Uint8Array[], round: number): Promise<number> {
  const started = performance.now();
  for (let from = 0; from < rows.length; from += rowsABatch) {
    await level.batch(rows.slice(from, from + rowsABatch).map((value, at) => ({ type: 'put', key: `row/${String(round).padStart(3, '0')}/${String(from + at).padStart(12, '0')}`, value })), { sync: true });
  }
  return rows.length / ((performance.now() - started) / 1000);
}
