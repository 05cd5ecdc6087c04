import path from 'node:path';
import { ClassicLevel } from 'classic-level';
import { push } from '../push.js';
import { centreIds } from '../consortium.js';
import { splitOf, total, type ProcessorTime } from '../processor-time.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import { measurePushLimit } from './push-limit.js';
import type { EmbeddedWorld } from './world.js';

/** As many rows as the node writes in one synced batch. */
const rowsABatch = 500;
/** As many headers as the nodes of this bench put into one batch. */
const headersABatch = 5000;
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
  let lines: readonly string[] = [];
  try {
    const pairs = await inPairs(scale.pairs, async (pair) => {
      lines = await world.lines(scale.records);
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
    const ratios = spread(pairs.map(([mine, plain]) => mine.perSecond / plain.perSecond));
    const last = pairs.at(-1)?.[0];
    const plainPerSecond = median(pairs.map(([, plain]) => plain.perSecond));
    consortium.pauseNodes();
    const limit = measurePushLimit(lines, headersABatch, median(pairs.map(([, plain]) => plain.microseconds)), centreIds.length);
    await consortium.resumeNodes();
    return [{
      id: 'P3', what: 'records validated, sealed, stored, published and indexed a second, against synced batches of the same sealed bytes into a bare LevelDB', unit: 'x', value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)],
      goal: { at: 'least', value: 0.2 }, baseline: { what: `classic-level, ${String(rowsABatch)} rows a synced batch`, recordsPerSecond: Math.round(plainPerSecond), processorMicrosecondsPerRow: rounded(median(pairs.map(([, plain]) => plain.microseconds))), bytesARow: Math.round(rows.reduce((sum, row) => sum + row.length, 0) / rows.length) },
      conditions: conditionsOf(world, {
        records: scale.records, recordsPerSecond: Math.round(median(pairs.map(([{ perSecond }]) => perSecond))), acknowledgedPerSecond: Math.round(median(pairs.map(([{ acknowledgedAfter, records }]) => records / acknowledgedAfter))),
        processorMicrosecondsPerRecord: last === undefined ? 0 : Math.round((1000 * total(last.processor)) / last.records),
        processorMicrosecondsByProcess: last === undefined ? {} : byProcess(last.processor, last.records),
        limit: { ...limit, ratio: rounded(limit.perSecond / plainPerSecond) },
      }),
      profile: `processor time of a push: ${splitOf(last?.processor ?? {})}; the measured steps alone are ${String(limit.sum)} µs a record, so that ${String(limit.perSecond)} records/s, ${String(rounded(limit.perSecond / plainPerSecond))} x, are the limit here`,
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

/** Microseconds of processor a record, by process. */
function byProcess(time: ProcessorTime, records: number): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(time).map(([name, milliseconds]) => [name, Math.round((1000 * milliseconds) / records)]));
}

interface RawWriting {
  readonly perSecond: number;
  /** Of processor time a row, LevelDB's own threads with it. */
  readonly microseconds: number;
}

async function writeRaw(level: Level, rows: readonly Uint8Array[], round: number): Promise<RawWriting> {
  const started = performance.now();
  const before = process.cpuUsage();
  for (let from = 0; from < rows.length; from += rowsABatch) {
    await level.batch(rows.slice(from, from + rowsABatch).map((value, at) => ({ type: 'put', key: `row/${String(round).padStart(3, '0')}/${String(from + at).padStart(12, '0')}`, value })), { sync: true });
  }
  const { system, user } = process.cpuUsage(before);
  return { microseconds: (system + user) / rows.length, perSecond: rows.length / ((performance.now() - started) / 1000) };
}
