import { availableParallelism } from 'node:os';
import { execute } from '../consortium.js';
import { childrenOf, type ProcessIds } from '../processor-time.js';

/**
 * Two groups of processes on cores of their own, as if each had a machine: what one costs the other is then what it asks of it, and not that
 * both are measured in one place. With one core, or without `taskset`, they share what there is, and that is said.
 */
export class CoresApart {
  private constructor(
    private readonly first: ProcessIds,
    private readonly second: ProcessIds,
    private readonly cores: number,
  ) {}

  public static async between(first: ProcessIds, second: ProcessIds): Promise<CoresApart> {
    const apart = new CoresApart(first, second, await coresToDivide());
    await apart.pin(first, apart.firstCores);
    await apart.pin(second, apart.secondCores);
    return apart;
  }

  public get words(): string {
    return this.cores < 2 ? 'shared by all' : `${Object.keys(this.first).join(', ')} and its clients on ${this.firstCores}, the rest on ${this.secondCores}`;
  }

  /** A command that runs where the first group does. */
  public besideTheFirst(command: readonly string[]): readonly string[] {
    return this.cores < 2 ? command : ['taskset', '-c', this.firstCores, ...command];
  }

  /** All have all cores again. */
  public async end(): Promise<void> {
    for (const group of [this.first, this.second]) await this.pin(group, `0-${String(this.cores - 1)}`);
  }

  private get firstCores(): string {
    return `0-${String(Math.floor(this.cores / 2) - 1)}`;
  }

  private get secondCores(): string {
    return `${String(Math.floor(this.cores / 2))}-${String(this.cores - 1)}`;
  }

  private async pin(group: ProcessIds, cores: string): Promise<void> {
    if (this.cores < 2) return;
    for (const pid of Object.values(group).flatMap((each) => [each, ...childrenOf(each)])) {
      // One that has ended meanwhile needs no core.
      await execute('taskset', ['-a', '-c', '-p', cores, String(pid)]).catch(() => undefined);
    }
  }
}

/** All of the machine; 0 where they cannot be divided. */
async function coresToDivide(): Promise<number> {
  try {
    await execute('taskset', ['--version']);
    return availableParallelism();
  } catch {
    return 0;
  }
}
