import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { processorTime, splitOf, timeSince, total } from '../processor-time.js';
import { push } from '../push.js';
import { inPairs, median, rounded, spread } from '../statistics.js';
import { conditionsOf, type Measurer } from '../world.js';
import type { EmbeddedWorld } from './world.js';

/** What the stand-in is to do: closed loop of so many callers, over the records of a file. */
export interface ObviousOrder {
  /** NDJSON lines as a push takes them. */
  readonly file: string;
  readonly concurrency: number;
  readonly warmMilliseconds: number;
  readonly milliseconds: number;
  /** Keys of this order begin with it. */
  readonly tag: string;
}

export interface ObviousResult {
  /** With those of the warming. */
  readonly all: number;
  readonly perSecond: number;
}

interface CostedResult extends ObviousResult {
  /** Microseconds of processor time a record, the stand-in and the ledger together. */
  readonly microseconds: number;
}

const concurrencies = [16, 64, 256] as const;

/** P3b: push end to end against the obvious pipeline, a stand-in, on the same embedded ledger with the same records. */
export const measureAgainstObviousPipeline: Measurer<EmbeddedWorld> = async (world) => {
  const { consortium, progress, scale } = world;
  const window = { warmMilliseconds: scale.warm, milliseconds: scale.window };
  const plain = await ObviousPipeline.start(world);
  try {
    const swept = new Map<number, number>();
    for (const concurrency of concurrencies) {
      progress.step(`P3b: obvious pipeline, ${String(concurrency)} at a time / 常规流水线`);
      swept.set(concurrency, (await plain.run(await world.lines(scale.records), { ...window, concurrency })).perSecond);
    }
    const [best = 0] = [...swept].sort(([, left], [, right]) => right - left).map(([concurrency]) => concurrency);
    progress.step('P3b: a push that warms / 预热');
    await push(consortium, 'guangzhou', await world.lines(scale.records));
    let lines: readonly string[] = [];
    const pairs = await inPairs(scale.pairs, async (pair) => {
      lines = await world.lines(scale.records);
      progress.step(`P3b: push, pair ${String(pair + 1)} / 推送`);
      const pushed = await push(consortium, 'guangzhou', lines);
      await consortium.whenLevel();
      return pushed;
    }, async () => await plain.run(lines, { ...window, concurrency: best }));
    const ratios = spread(pairs.map(([mine, other]) => mine.perSecond / other.perSecond));
    return [{
      id: 'P3b', what: 'push end to end against the obvious pipeline (ajv, library SD-JWT signed, AES-GCM, one synced put and one transaction a record), times faster', unit: 'x',
      value: rounded(ratios.median), range: [rounded(ratios.min), rounded(ratios.max)], goal: { at: 'least', value: 3 },
      baseline: {
        what: 'a stand-in written for this benchmark, not a product; @sd-jwt/core 0.19.0, ajv 8, classic-level, fabric-gateway; the nodes are paused meanwhile', concurrency: best,
        recordsPerSecond: Math.round(median(pairs.map(([, { perSecond }]) => perSecond))), processorMicrosecondsPerRecord: Math.round(median(pairs.map(([, { microseconds }]) => microseconds))),
        sweep: Object.fromEntries([...swept].map(([concurrency, perSecond]) => [concurrency, Math.round(perSecond)])),
      },
      conditions: conditionsOf(world, {
        records: scale.records, recordsPerSecond: Math.round(median(pairs.map(([{ perSecond }]) => perSecond))),
        processorMicrosecondsPerRecord: Math.round(median(pairs.map(([{ processor, records }]) => (1000 * total(processor)) / records))),
      }),
      profile: `processor time of a push: ${splitOf(pairs.at(-1)?.[0].processor ?? {})}`,
    }];
  } finally {
    await plain.stop();
  }
};

/** The stand-in in its process. */
class ObviousPipeline {
  private orders = 0;

  private constructor(
    private readonly child: ChildProcess,
    private readonly world: EmbeddedWorld,
  ) {}

  public static async start(world: EmbeddedWorld): Promise<ObviousPipeline> {
    const { connection, folder } = world.consortium;
    const child = fork(fileURLToPath(new URL('./obvious-process.js', import.meta.url)), [connection, path.join(folder, 'obvious-level')]);
    await once(child, 'message');
    return new ObviousPipeline(child, world);
  }

  /** With the machine to itself: the nodes are paused and catch up before this returns. @throws where a record failed: then the run does not count */
  public async run(lines: readonly string[], order: Omit<ObviousOrder, 'file' | 'tag'>): Promise<CostedResult> {
    const { consortium } = this.world;
    this.orders += 1;
    const file = path.join(consortium.folder, 'obvious.ndjson');
    writeFileSync(file, `${lines.join('\n')}\n`);
    consortium.pauseNodes();
    try {
      const ids = { ...consortium.ledgerProcesses(), client: this.child.pid ?? 0 };
      const before = processorTime(ids);
      const answer = once(this.child, 'message') as Promise<[ObviousResult | { readonly failed: string }]>;
      this.child.send({ ...order, file, tag: `obvious-${String(this.orders)}` } satisfies ObviousOrder);
      const [result] = await answer;
      if ('failed' in result) throw new Error(`the obvious pipeline failed: ${result.failed}`);
      return { ...result, microseconds: (1000 * total(timeSince(before, ids))) / result.all };
    } finally {
      await consortium.resumeNodes();
    }
  }

  public async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}
