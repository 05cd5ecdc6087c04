import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What the plain client is to do: closed loop of so many callers. */
export interface BaselineOrder {
  /** One JSON record a transaction; one key a record, many a transaction; one access of three reads and a write. */
  readonly kind: 'one' | 'many' | 'access';
  readonly concurrency: number;
  readonly perTransaction: number;
  readonly warmMilliseconds: number;
  readonly milliseconds: number;
  /** Stop after so many records, if the time does not end it. */
  readonly most?: number;
  /** Keys of this order begin with it. */
  readonly tag: string;
}

export interface BaselineResult {
  readonly records: number;
  /** With those of the warming. */
  readonly all: number;
  readonly failed: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Milliseconds a transaction took. */
  readonly p50: number;
  readonly p99: number;
  /** Seconds from the first call to the last answer. */
  readonly elapsed: number;
}

/** The plain client in its process. */
export class Baseline {
  private orders = 0;

  private constructor(private readonly child: ChildProcess) {}

  public static async start(connection: string, recordsFile: string): Promise<Baseline> {
    const child = fork(fileURLToPath(new URL('./baseline-process.js', import.meta.url)), [connection, recordsFile], {
      // The client names a peer by its address, which Node.js deprecates; on loopback there is no other name.
      execArgv: ['--disable-warning=DEP0123'],
    });
    await once(child, 'message');
    return new Baseline(child);
  }

  public get pid(): number {
    return this.child.pid ?? 0;
  }

  public async run(order: Omit<BaselineOrder, 'tag'>): Promise<BaselineResult> {
    this.orders += 1;
    const answer = once(this.child, 'message') as Promise<[BaselineResult]>;
    this.child.send({ ...order, tag: `${order.kind}-${String(this.orders)}` });
    const [result] = await answer;
    if (result.failed > 0) throw new Error(`the plain client had ${String(result.failed)} transactions refused: the run does not count`);
    return result;
  }

  public async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}
