import { setTimeout as delay } from 'node:timers/promises';
import { OwnerClient } from '@huilian/sdk';
import type { SampleOwner } from '../local/sample-owners.js';
import { sandboxOwners, type SandboxOwner } from './sandbox-cast.js';

/** The test owners at their asks: each grants exactly what it is asked, at once or late, or never. */
export class AnswerAsks {
  private readonly stopping = new AbortController();

  public constructor(
    private readonly owners: ReadonlyMap<string, SampleOwner>,
    private readonly onFault: (error: unknown) => void,
  ) {}

  /** Told by a node: an ask came in. */
  public take(nodeUrl: string, message: unknown): void {
    const { ask, owner } = message as { readonly ask?: unknown; readonly owner?: unknown };
    const asked = Object.values<SandboxOwner>(sandboxOwners).find(({ bidder }) => `org:${bidder.uscc}` === owner);
    const wallet = this.owners.get(String(owner));
    if (typeof ask !== 'string' || asked?.grantsAfter === undefined || wallet === undefined) return;
    this.answer(nodeUrl, ask, wallet, asked.grantsAfter).catch((error: unknown) => {
      if (!this.stopping.signal.aborted) this.onFault(error);
    });
  }

  public stop(): void {
    this.stopping.abort();
  }

  private async answer(nodeUrl: string, id: string, { id: owner, wallet }: SampleOwner, seconds: number): Promise<void> {
    await delay(seconds * 1000, undefined, { signal: this.stopping.signal });
    const client = OwnerClient.connect(nodeUrl, owner, wallet);
    await client.grant(await client.show(id));
  }
}
