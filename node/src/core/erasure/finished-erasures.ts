import { canonicalBytes, documentDigest, fromUtf8 } from '@huilian/protocol';
import type { Erasure, Store } from '../ports.js';

const finishedKey = 'erasure/finished';

interface Finished {
  readonly count: number;
  /** Digest of the last of them: another key file tells other erasures. */
  readonly last: string;
}

/** How many of the erasures that the key file names are cleared in this data; data from before one does not know of it. */
export class FinishedErasures {
  public constructor(private readonly store: Store) {}

  public count(erasures: readonly Erasure[]): number {
    const bytes = this.store.get(finishedKey);
    if (bytes === undefined) return 0;
    const { count, last } = JSON.parse(fromUtf8(bytes)) as Finished;
    return digestOf(erasures[count - 1]) === last ? count : 0;
  }

  public async note(erasures: readonly Erasure[]): Promise<void> {
    await this.store.write([{ key: finishedKey, value: canonicalBytes({ count: erasures.length, last: digestOf(erasures.at(-1)) }) }]);
  }
}

function digestOf(erasure: Erasure | undefined): string {
  return erasure === undefined ? '' : documentDigest({ ...erasure });
}
