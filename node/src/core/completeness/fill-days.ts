/** A declared day and what of it is on the ledger. */
export interface FilledDay {
  readonly confirmed: number;
  readonly missing: number;
}

/**
 * Lays what a centre published of a kind, day by day, against what it declared. A header does not say of which day its row is:
 * it counts for the day on which it reached the ledger, and what is more than that day was to bring makes up for earlier days,
 * the oldest first. Never for a later one: nobody publishes what a source has not handed over.
 * @param expected declared counts by day (YYYY-MM-DD)
 * @param published headers by day
 * @returns every day that either names
 */
export function fillDays(expected: ReadonlyMap<string, number>, published: ReadonlyMap<string, number>): ReadonlyMap<string, FilledDay> {
  const filled = new Map<string, { confirmed: number; missing: number }>();
  /** Days before that lack rows, oldest first. */
  const open: { confirmed: number; missing: number }[] = [];
  for (const day of [...new Set([...expected.keys(), ...published.keys()])].sort()) {
    const came = published.get(day) ?? 0;
    const own = { confirmed: came, missing: Math.max(0, (expected.get(day) ?? 0) - came) };
    let more = came - (expected.get(day) ?? 0);
    while (more > 0 && open[0] !== undefined) {
      const [oldest] = open;
      const taken = Math.min(more, oldest.missing);
      oldest.confirmed += taken;
      oldest.missing -= taken;
      own.confirmed -= taken;
      more -= taken;
      if (oldest.missing === 0) open.shift();
    }
    if (own.missing > 0) open.push(own);
    filled.set(day, own);
  }
  return filled;
}
