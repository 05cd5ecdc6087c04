import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingPrograms, Postgresql, programOf } from '@huilian/local-postgresql';
import { splitOf } from '../processor-time.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { push } from '../push.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { FabricWorld } from './world.js';

/** P2: bulk push against a stand-in for a batch-pinning system. */
export const measureAgainstPinning: Measurer<FabricWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  if (missingPrograms().length > 0) {
    progress.note('P2 SKIPPED: PostgreSQL 15 is not installed (its programs are not on PG_BIN or PATH) / 已跳过：未安装 PostgreSQL 15');
    return [];
  }
  const folder = path.join(consortium.folder, 'pinning');
  mkdirSync(folder, { recursive: true });
  const database = await Postgresql.start();
  try {
    const standIn = await PinningStandIn.start(consortium.connection('guangzhou'), path.join(consortium.folder, 'baseline.ndjson'), folder, [programOf('psql'), '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...database.arguments]);
    const pairs = await inPairs(scale.pairs, async (pair) => {
      progress.step(`P2: push, pair ${String(pair + 1)} / 推送`);
      const pushed = await push(consortium, 'guangzhou', await world.lines(scale.records));
      await consortium.whenLevel();
      return pushed;
    }, async (pair) => {
      progress.step(`P2: batch pinning stand-in, pair ${String(pair + 1)} / 对照`);
      await database.query('DROP TABLE IF EXISTS messages; CREATE TABLE messages (id bigint PRIMARY KEY, hash text NOT NULL, state text NOT NULL, body text NOT NULL);');
      consortium.pauseNodes();
      try {
        return await standIn.run(scale.warm + scale.window);
      } finally {
        await consortium.resumeNodes();
      }
    });
    await standIn.stop();
    const ratios = spread(pairs.map(([mine, other]) => mine.perSecond / other));
    return [{
      id: 'P2', what: 'push end to end against a stand-in for batch pinning (200 messages, 1 s, 800 KB; one batch under way; a row a message), times faster', unit: 'x',
      value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'least', value: 10 },
      baseline: { what: 'a stand-in written for this benchmark, not a product', messagesPerSecond: Math.round(median(pairs.map(([, other]) => other))), postgresql: 15, sessions: 4 },
      conditions: conditionsOf(world, { records: scale.records, recordsPerSecond: Math.round(median(pairs.map(([mine]) => mine.perSecond))) }),
      profile: `processor time of a push: ${splitOf(pairs.at(-1)?.[0].processor ?? {})}`,
    }];
  } finally {
    await database.stop();
  }
};

class PinningStandIn {
  private constructor(private readonly child: ChildProcess) {}

  public static async start(connection: string, records: string, folder: string, session: readonly string[]): Promise<PinningStandIn> {
    const child = fork(fileURLToPath(new URL('./pinning-process.js', import.meta.url)), [connection, records, folder, JSON.stringify(session)], { execArgv: ['--disable-warning=DEP0123'] });
    await once(child, 'message');
    return new PinningStandIn(child);
  }

  /** Messages confirmed a second. */
  public async run(milliseconds: number): Promise<number> {
    const answer = once(this.child, 'message') as Promise<[{ messages: number; seconds: number }]>;
    this.child.send(milliseconds);
    const [{ messages, seconds }] = await answer;
    return messages / seconds;
  }

  public async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}
