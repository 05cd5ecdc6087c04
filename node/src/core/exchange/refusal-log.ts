import type { Refusal } from '@huilian/protocol';
import { ChainedLog, type Link } from '../chained-log.js';
import type { Clock, Store } from '../ports.js';

/** A refusal in its chain. */
export interface RefusalEntry extends Refusal, Link {}

const prefix = 'refusal/';

/** The node's own chained log of what it refused: entries can be proved later, and none can be dropped unnoticed. */
export class RefusalLog {
  private constructor(
    private readonly log: ChainedLog<Refusal>,
    private readonly clock: Clock,
  ) {}

  public static async open(store: Store, clock: Clock): Promise<RefusalLog> {
    return new RefusalLog(await ChainedLog.open(store, prefix), clock);
  }

  /** Durable when it resolves. @throws STORAGE_FAILED */
  public async append({ code, owner, reader, recordIds, request }: Omit<Refusal, 'at'>): Promise<void> {
    await this.log.append({ at: Math.floor(this.clock.now() / 1000), code, owner, reader, recordIds, request });
  }

  public async entries(): Promise<RefusalEntry[]> {
    const found: RefusalEntry[] = [];
    for await (const entry of this.log.entries()) found.push(entry);
    return found;
  }

  public async forOwner(owner: string): Promise<RefusalEntry[]> {
    return (await this.entries()).filter((entry) => entry.owner === owner);
  }

  /** Sequence and digest of the newest entry, for whoever wants to pin the log. */
  public headEntry(): { readonly seq: number; readonly digest: string } {
    return { ...this.log.place() };
  }

  /** Position of the first entry that does not follow from the one before, or undefined for a whole chain. */
  public async firstBreak(): Promise<number | undefined> {
    return await this.log.firstBreak();
  }
}
