import { fromUtf8, isJsonObject, ProtocolError, utf8 } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';
import type { Clock, Transport } from '../ports.js';

/** What another centre's node answered when it was last asked how it is. */
export interface PeerState {
  readonly centre: string;
  readonly reachable: boolean;
  /** Why it is not. */
  readonly code?: string;
  /** Its last indexed block. */
  readonly height?: number;
  /** How far its clock is ahead of this node's, seconds. */
  readonly ahead?: number;
}

/** What a node answers to `health`: its last block, and its clock in milliseconds since the Unix epoch. */
export interface NodeHealth {
  readonly height: number;
  readonly now: number;
}

const firstLookMilliseconds = 2000;
const betweenLooksMilliseconds = 30_000;

/** Asks the other centres' nodes now and then how they are: who answers, how high they stand, what time they have. */
export class PeerWatch {
  private readonly stopping = new AbortController();
  private known: readonly PeerState[] = [];

  public constructor(
    private readonly readModel: ReadModel,
    private readonly transport: Transport,
    private readonly clock: Clock,
    private readonly memberId: string,
  ) {}

  /** As of the last look. */
  public get peers(): readonly PeerState[] {
    return this.known;
  }

  /** How far this node's clock is behind the others', seconds, by the median of those that answered; undefined where none did. */
  public get behindSeconds(): number | undefined {
    const ahead = this.known.flatMap((peer) => peer.ahead ?? []).sort((left, right) => left - right);
    const middle = ahead.length >> 1;
    const [low = 0, high = 0] = [ahead[ahead.length % 2 === 0 ? middle - 1 : middle], ahead[middle]];
    return ahead.length === 0 ? undefined : (low + high) / 2;
  }

  /** Blocks that the highest of the others has and this node has not. */
  public get missingBlocks(): number {
    return Math.max(0, ...this.known.map(({ height = 0 }) => height - this.readModel.height()));
  }

  public start(): void {
    void this.run();
  }

  public stop(): void {
    this.stopping.abort();
  }

  /** Asks all of them now. */
  public async look(): Promise<readonly PeerState[]> {
    const centres = (await this.readModel.members()).filter(({ document, status }) => document.kind === 'centre' && status === 'active' && document.id !== this.memberId);
    this.known = await Promise.all(centres.map(async ({ document }) => await this.ask(document.id)));
    return this.known;
  }

  /** This node's own answer. */
  public health(): NodeHealth {
    return { height: this.readModel.height(), now: this.clock.now() };
  }

  private async ask(centre: string): Promise<PeerState> {
    try {
      const asked = this.clock.now();
      const { height, now } = readHealth(await this.transport.request(centre, 'health', utf8('{}')));
      return { centre, reachable: true, height, ahead: (now - (asked + this.clock.now()) / 2) / 1000 };
    } catch (error) {
      return { centre, reachable: false, code: error instanceof ProtocolError ? error.code : 'INTERNAL' };
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    await this.clock.sleep(firstLookMilliseconds, signal);
    while (!signal.aborted) {
      await this.look().catch(() => undefined);
      await this.clock.sleep(betweenLooksMilliseconds, signal);
    }
  }
}

function readHealth(answer: Uint8Array): NodeHealth {
  const value: unknown = JSON.parse(fromUtf8(answer));
  const { height, now } = isJsonObject(value) ? value : {};
  if (typeof height !== 'number' || typeof now !== 'number') throw new ProtocolError('EXCHANGE_FAILED', { reason: 'health' });
  return { height, now };
}
