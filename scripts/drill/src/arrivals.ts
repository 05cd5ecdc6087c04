import { createHash } from 'node:crypto';
import { canonicalBytes, type ConsortiumEvent } from '@huilian/protocol';

/** An event as a subscriber keeps it: its id, and enough of its content to see another one under the same id. */
export interface Arrival {
  readonly id: string;
  readonly digest: string;
}

const digestLetters = 16;

export function arrivalOf(event: ConsortiumEvent): Arrival {
  return { id: event.id, digest: createHash('sha256').update(canonicalBytes(event)).digest('hex').slice(0, digestLetters) };
}

/** What came against what the feed holds, each in the order of its own. */
export interface ArrivalCheck {
  readonly wrong: readonly string[];
  /** How many came more than once. */
  readonly repeats: number;
  readonly complete: boolean;
}

/**
 * Holds arrivals against the feed behind a subscriber's first position: each is the one that follows the last, or one that
 * came before (at least once, in order, no gap). A stream that resumes by id sees each exactly once.
 */
export function checkArrivals(feed: readonly Arrival[], arrivals: readonly Arrival[], once: boolean): ArrivalCheck {
  const places = new Map(feed.map(({ id }, at) => [id, at]));
  const wrong: string[] = [];
  let [last, most, repeats] = [-1, -1, 0];
  for (const { digest, id } of arrivals) {
    const at = places.get(id);
    if (at === undefined) {
      wrong.push(`${id} came and is not on the feed`);
      continue;
    }
    if (feed[at]?.digest !== digest) wrong.push(`${id} came with another content than the feed has`);
    if (at > last + 1) wrong.push(`gap: ${id} came after ${feed[last]?.id ?? 'nothing'}, ${String(at - last - 1)} events between them did not`);
    if (at <= most) repeats += 1;
    last = at;
    most = Math.max(most, at);
  }
  if (once && repeats > 0) wrong.push(`${String(repeats)} events came twice in a stream`);
  return { wrong, repeats, complete: most === feed.length - 1 };
}
